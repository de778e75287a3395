"""The playground's clock: the machine's own, and ahead of it by as much as somebody has turned it on."""

from datetime import datetime, timedelta

from bot.adapters.system import SystemClock
from bot.playground.errors import SlackError

FARTHEST = timedelta(days=31)


class PlaygroundClock(SystemClock):
    """What waits for a time (reminders, snoozes, the weekly jobs) comes when the clock has been turned on."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead.total_seconds()

    def turn_on(self, by: timedelta) -> None:
        """Only forward, as time goes. Raises SlackError."""
        if not timedelta(0) < by <= FARTHEST:
            raise SlackError("invalid_time", f"turn the clock on by up to {FARTHEST.days} days at a time")
        self.ahead += by
