"""What a status is: how socmon itself is doing, at one moment, with nothing unknown shown as well."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.delivery import Result
from bot.domain.heartbeat import Pulse, Watch
from bot.domain.validation import Week

SLOW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """One connected tool: when it last spoke, and what became of the deliveries of the last 24 hours."""

    provider: str
    title: str
    last_delivery_at: datetime | None = None
    last_test_at: datetime | None = None
    results: Mapping[Result, int] = field(default_factory=dict[Result, int])
    pulses: tuple[Pulse, ...] = ()

    @property
    def failed(self) -> int:
        """Deliveries that reached nobody: forged, or sent with a wrong secret, or impossible to read."""
        return self.results.get(Result.REFUSED, 0) + self.results.get(Result.UNREADABLE, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeGap:
    """A genuine delivery that was kept whole but not, or not wholly, read."""

    at: datetime
    provider: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something an operator has to mend: a dead token, an archived channel. `text` says what, why and how."""

    subject: str
    since: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How socmon is doing at `at`. `lagging` Slack threads are behind the records since `lagging_since`.

    `weeks` are the validations of the last year, oldest first.
    """

    at: datetime
    version: str
    sources: tuple[SourceStatus, ...] = ()
    gaps: tuple[IntakeGap, ...] = ()
    lagging: int = 0
    lagging_since: datetime | None = None
    problems: tuple[Problem, ...] = ()
    log_size: int = 0
    checkpoint_at: datetime | None = None
    watch: Watch | None = None
    weeks: tuple[Week, ...] = ()

    @property
    def is_slow(self) -> bool:
        """Slack is so far behind the records that people notice."""
        return self.lagging_since is not None and self.at - self.lagging_since > SLOW

    @property
    def troubles(self) -> int:
        """How many things need a look."""
        failing = sum(source.failed > 0 for source in self.sources)
        waiting = sum(week.needs_a_look for week in self.weeks)
        return len(self.problems) + len(self.gaps) + failing + self.is_slow + waiting
