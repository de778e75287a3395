"""How long a source may say nothing: as it was told, or as it was learned; and when that is over, it is silent.

Learned is the longest silence of each of the last 28 days on which the source was heard. Beyond the longest of them
comes their mean (so that one beat may fail) and four times their spread. None of these is longer than the longest
itself but the spread, which is at most half of it, so a source that stops is found within four times its longest normal
silence, and a few minutes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from math import sqrt

REMEMBERED = 28  # days
SPREADS = 4
GRACE = timedelta(minutes=5)
UNLEARNED = timedelta(hours=9)
"""Of a heartbeat that has not been heard often enough: twice Alertmanager's own repeat_interval of 4 h, and an hour."""
ENOUGH_BEATS = 3
ENOUGH_DELIVERIES = 20
ENOUGH_TIME = timedelta(days=7)
"""Of a tool's deliveries, whose weekends differ from its working days."""
TOO_SELDOM = timedelta(days=14)
"""A tool whose silence may be longer than this is not judged: nothing would come of it in time."""
RETIRED_AFTER = timedelta(days=7)


def normal_silence(longest: Mapping[date, timedelta]) -> timedelta:
    """How long silence is normal, of the longest silence of each day; raises ValueError for none."""
    seconds = [each.total_seconds() for each in longest.values()]
    if not seconds:
        raise ValueError("Of a source that was never silent nobody knows how long it may be.")
    mean = sum(seconds) / len(seconds)
    spread = sqrt(sum((each - mean) ** 2 for each in seconds) / len(seconds))
    return timedelta(seconds=max(seconds) + mean + SPREADS * spread) + GRACE


def spoken(length: timedelta) -> str:
    """“12 min”, “5.5 h”, “3.2 days”."""
    minutes = length / timedelta(minutes=1)
    if minutes < 100:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h" if minutes < 48 * 60 else f"{minutes / 60 / 24:.1f} days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """What is expected to be heard: a tool's heartbeat, or with no `key` whatever the tool delivers.

    `name` is what people call a heartbeat ("Watchdog of prod"). `longest` is the longest silence that ended on each UTC
    day, of `gaps` silences in all. `minutes` is how long it may be silent, where somebody said so. `ended_at` is when
    the tool said itself that the heartbeat is over. `silent_at` is since when it is known to be silent, `told_at` when
    that was said in Slack.
    """

    provider: str
    key: str = ""
    name: str = ""
    first_at: datetime
    heard_at: datetime | None = None
    gaps: int = 0
    longest: Mapping[date, timedelta] = field(default_factory=dict[date, timedelta])
    minutes: int | None = None
    ended_at: datetime | None = None
    silent_at: datetime | None = None
    told_at: datetime | None = None

    def beat(self, at: datetime, *, listening_since: datetime) -> "Pulse":
        """It was heard. A silence that was an alarm, or in which nobody listened, teaches nothing about normal ones."""
        before = self.heard_at
        heard = replace(self, heard_at=max(at, before or at), ended_at=None)
        if before is None or at <= before or before < listening_since or self.silent_at or self.ended_at:
            return heard
        day, gap, longest = at.astimezone(UTC).date(), at - before, self.longest
        if gap > longest.get(day, timedelta()):
            days = {**longest, day: gap}
            longest = {one: days[one] for one in sorted(days)[-REMEMBERED:]}
        return replace(heard, gaps=self.gaps + 1, longest=longest)

    def ended(self, at: datetime) -> "Pulse":
        """The tool says that the heartbeat is over: what always fires does so no more."""
        return replace(self, ended_at=at)

    @property
    def allowed(self) -> timedelta | None:
        """How long it may be silent; None when nobody can tell: it has not been heard enough, or is too seldom."""
        if self.minutes is not None:
            return timedelta(minutes=self.minutes)
        if self.key:
            return normal_silence(self.longest) if self.gaps >= ENOUGH_BEATS else UNLEARNED
        known_for = (self.heard_at or self.first_at) - self.first_at
        if self.gaps < ENOUGH_DELIVERIES or known_for < ENOUGH_TIME:
            return None
        learned = normal_silence(self.longest)
        return learned if learned <= TOO_SELDOM else None

    def silence(self, now: datetime, *, listening_since: datetime) -> timedelta:
        """For how long it could have been heard, and was not."""
        return now - max(self.heard_at or self.first_at, listening_since)

    def looked_at(self, now: datetime, *, listening_since: datetime) -> "Pulse":
        """As it stands now: silent, or heard again. A silent one stays so until it is heard."""
        if self.silent_at:
            is_back = self.ended_at is None and self.heard_at is not None and self.heard_at > self.silent_at
            return replace(self, silent_at=None, told_at=None) if is_back else self
        allowed = self.allowed
        too_long = allowed is not None and self.silence(now, listening_since=listening_since) > allowed
        return replace(self, silent_at=now) if self.ended_at or too_long else self

    def is_retired(self, now: datetime) -> bool:
        """A heartbeat that nobody expects any more: its cluster is gone, or its labels have changed."""
        return bool(self.key) and self.silent_at is not None and now - self.silent_at > RETIRED_AFTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What a self-audit found wrong. `check` names it for good; `says` is a sentence without names or secrets."""

    check: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What socmon knows of its own watching. `listening_since`: from then on it was never down for long.

    `faults` are those of the last self-audit at `audited_at`. `counted_to` is the entry up to which `triggered` and
    `reopened` were counted, `checked` the tree (as bytes) of the entries that were read again since `checked_since`.
    `pinged_at` is when the outside last took word that all is well.
    """

    listening_since: datetime
    looked_at: datetime
    audited_at: datetime | None = None
    faults: tuple[Fault, ...] = ()
    counted_to: int = 0
    triggered: int = 0
    reopened: int = 0
    checked: bytes = b""
    checked_since: datetime | None = None
    pinged_at: datetime | None = None
    ping_problem: str = ""

    def still_here(self, now: datetime) -> "Watch":
        """Called each minute by whichever replica runs the job: a longer pause means that nobody listened."""
        was_down = now - self.looked_at > GRACE
        return replace(self, looked_at=now, listening_since=now if was_down else self.listening_since)
