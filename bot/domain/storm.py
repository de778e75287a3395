"""What a storm is: so many alerts at once in one channel that one message, its digest, stands for most of them.

A storm is a way to show alerts and nothing else: each alert stays its own record, with its own timeline.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.alert import Alert, Severity
from bot.domain.thread import Place

EVERY = timedelta(seconds=15)
"""Between two updates of a digest."""
LONGEST_LAG = timedelta(seconds=10)
FEWEST_WAITING = 5
MOST_SPARED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class StormRule:
    """When a channel's alerts become a storm, and when it is over.

    It begins with more than `threshold` new alerts within `window`, or when Slack has fallen behind with five; it ends
    with fewer than `threshold`. In between nothing changes, so that a storm does not come and go with every alert.
    """

    threshold: int = 10
    window: timedelta = timedelta(minutes=5)

    @property
    def asks_for(self) -> int:
        """How many of a channel's newest alerts decide."""
        return self.threshold + 1

    def begins(self, triggered: Sequence[datetime], now: datetime, *, waiting: Sequence[datetime]) -> bool:
        """`triggered` are the times of the channel's newest alerts, one more than the threshold at least.

        `waiting` are the times since which alerts of the channel wait for their message, oldest first.
        """
        is_late = len(waiting) >= FEWEST_WAITING and now - waiting[FEWEST_WAITING - 1] > LONGEST_LAG
        return is_late or self._recent(triggered, now) > self.threshold

    def ends(self, triggered: Sequence[datetime], now: datetime) -> bool:
        return self._recent(triggered, now) < self.threshold

    def _recent(self, triggered: Sequence[datetime], now: datetime) -> int:
        # Either way: replicas' clocks differ a little, and a clock that was put back must not keep a storm alive.
        return sum(abs(now - at) < self.window for at in triggered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm(Place):
    """A storm in a channel, and how far Slack has caught up with its digest.

    `spared` are the first most severe alerts: they keep a thread of their own, since each of them has to be seen.
    """

    id: int
    began_at: datetime
    ended_at: datetime | None = None
    spared: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        return f"S-{self.id}"

    @property
    def may_spare(self) -> int:
        """How many more alerts may have a thread of their own."""
        return max(0, MOST_SPARED - len(self.spared))

    def posted(self, ts: str, *, revision: int, now: datetime) -> "Storm":
        """The digest stands in Slack. One that shows an old state (revision 0) is updated at once."""
        next_at = now + EVERY if revision else now
        return replace(self.settled(), ts=ts, projected=revision, next_at=next_at)

    def refreshed(self, revision: int, *, now: datetime) -> "Storm":
        return replace(self.updated(revision), next_at=now + EVERY)


class Members(StrEnum):
    """Which of a storm's alerts are asked for."""

    ALL = "all"
    OPEN = "open"
    WAITING = "waiting"  # nobody has acknowledged them
    FIRING = "firing"  # open, and not over at their source
    UNANNOUNCED = "unannounced"  # no digest in Slack has shown them yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The alerts of one component."""

    component: str
    alerts: int
    open: int
    worst: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """How a storm's alerts stand.

    `waiting` are those that nobody has acknowledged, `recovered` the open ones that are over at the source. `groups`
    are the largest ones, after the one in which it began; `components` counts all. `newest` is the highest number.
    """

    alerts: int
    waiting: int
    acknowledged: int
    recovered: int
    resolved: int
    first: Alert
    newest: int
    groups: tuple[Group, ...]
    components: int

    @property
    def open(self) -> int:
        return self.alerts - self.resolved
