"""Slack's rate limits: a post a second a channel with a small burst, and a number of calls a minute per tier."""

import math
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import IntEnum

MINUTE = timedelta(minutes=1)
POSTS_PER_SECOND = 1.0
POST_BURST = 4
POSTS_PER_MINUTE = 300  # of the whole workspace


class Tier(IntEnum):
    """Calls a minute per method. SPECIAL methods have rules of their own, or practically none."""

    ONE = 1
    TWO = 20
    THREE = 50
    FOUR = 100
    SPECIAL = 0


class _Window:
    """At most `most` calls in any minute."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._calls: deque[datetime] = deque()

    def wait(self, now: datetime) -> float:
        """Seconds until the next call is welcome; 0 counts the call."""
        while self._calls and now - self._calls[0] >= MINUTE:
            self._calls.popleft()
        if len(self._calls) >= self._most:
            return (self._calls[0] + MINUTE - now).total_seconds()
        self._calls.append(now)
        return 0.0


class _Bucket:
    """A token bucket: `rate` a second, saving up to `burst`."""

    def __init__(self, rate: float, burst: float, now: datetime) -> None:
        self._rate, self._burst = rate, burst
        self._tokens, self._at = burst, now

    def wait(self, now: datetime) -> float:
        earned = max(0.0, (now - self._at).total_seconds()) * self._rate
        self._tokens, self._at = min(self._burst, self._tokens + earned), now
        if self._tokens < 1:
            return (1 - self._tokens) / self._rate
        self._tokens -= 1
        return 0.0


class RateLimits:
    """All limits of one workspace."""

    def __init__(self, now: Callable[[], datetime], *, enabled: bool) -> None:
        self._now = now
        self.enabled = enabled
        self._windows: dict[str, _Window] = {}
        self._channels: dict[str, _Bucket] = {}

    def retry_after(self, method: str, tier: Tier, channel: str) -> int:
        """Whole seconds until Slack would take this call; 0 takes and counts it."""
        if not self.enabled:
            return 0
        now = self._now()
        if method == "chat.postMessage":
            bucket = self._channels.setdefault(channel, _Bucket(POSTS_PER_SECOND, POST_BURST, now))
            wait = bucket.wait(now) or self._window(method, POSTS_PER_MINUTE).wait(now)
        elif tier is Tier.SPECIAL:
            return 0
        else:
            wait = self._window(method, tier.value).wait(now)
        return math.ceil(wait)

    def _window(self, method: str, most: int) -> _Window:
        return self._windows.setdefault(method, _Window(most))
