"""What escalation is: whom the clock calls, and when, while an alert waits for somebody.

An alert waits in one of two phases: nobody has acknowledged it, or it has recovered and its note is missing. The policy
has steps for each; a step is taken once. The clock of a phase runs only while the alert waits in it, so a source that
flaps neither starts it anew, which would keep everybody from being called, nor rushes it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from bot.domain.alert import Alert, Response, Severity

SATURDAY = 5
LOW = frozenset({Severity.SEV3, Severity.SEV4})
"""The severities that quiet hours are for."""


class Phase(StrEnum):
    """What an alert waits for."""

    UNACKNOWLEDGED = "unacknowledged"
    NOTE_MISSING = "note_missing"


class Target(StrEnum):
    """Whom a step calls."""

    OWNER = "owner"  # else whoever was on call when it triggered
    NEXT_LEVEL = "next_level"
    LEAD = "lead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call: so long after the phase began, or on the so manieth business morning after it. One of them is set."""

    target: Target
    after: timedelta | None = None
    mornings: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an alert has come in one phase.

    `begun_at` is when its clock began, moved by the time for which it did not run. `done` counts the steps taken.
    `left_at` is since when the alert does not wait in this phase; None while it does.
    """

    phase: Phase
    begun_at: datetime
    done: int = 0
    left_at: datetime | None = None

    def entered(self, at: datetime) -> "Progress":
        """The alert waits in this phase again."""
        away = at - self.left_at if self.left_at else timedelta(0)
        return replace(self, begun_at=self.begun_at + max(away, timedelta(0)), left_at=None)

    def left(self, at: datetime) -> "Progress":
        return replace(self, left_at=self.left_at or at)


def _minutes(*steps: tuple[int, Target]) -> tuple[Step, ...]:
    return tuple(Step(target=target, after=timedelta(minutes=minutes)) for minutes, target in steps)


_MORNINGS = (Step(target=Target.OWNER, mornings=1), Step(target=Target.LEAD, mornings=2))
UNACKNOWLEDGED: dict[Severity, Sequence[Step]] = {
    Severity.SEV1: _minutes((5, Target.OWNER), (10, Target.NEXT_LEVEL), (15, Target.LEAD)),
    Severity.SEV2: _minutes((15, Target.OWNER), (30, Target.NEXT_LEVEL), (60, Target.LEAD)),
    Severity.SEV3: _MORNINGS,
    Severity.SEV4: _MORNINGS,
}
NOTE_MISSING: Sequence[Step] = _minutes((120, Target.OWNER), (24 * 60, Target.LEAD))


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When whom to call. Times of day are in `zone`; `quiet` is from when until when, or None for never.

    A step never comes due before the one in front of it, nor, for low severities, in quiet hours.
    """

    zone: tzinfo = UTC
    morning: time = time(9)
    quiet: tuple[time, time] | None = (time(22), time(8))
    unacknowledged: Mapping[Severity, Sequence[Step]] = field(default_factory=lambda: UNACKNOWLEDGED)
    note_missing: Sequence[Step] = NOTE_MISSING

    def steps(self, phase: Phase, severity: Severity) -> Sequence[Step]:
        return self.note_missing if phase is Phase.NOTE_MISSING else self.unacknowledged.get(severity, ())

    def patience(self, severity: Severity) -> timedelta:
        """An alert that nobody acknowledges calls nobody for at least so long."""
        first = next(iter(self.steps(Phase.UNACKNOWLEDGED, severity)), None)
        return first.after if first and first.after is not None else timedelta(0)

    def due_times(self, phase: Phase, severity: Severity, begun_at: datetime) -> list[datetime]:
        """When each step comes due."""
        times: list[datetime] = []
        for step in self.steps(phase, severity):
            at = begun_at + step.after if step.after is not None else self._morning_after(begun_at, step)
            times.append(self.heard_at(severity, max([at, *times[-1:]])))
        return times

    def is_quiet(self, severity: Severity, at: datetime) -> bool:
        """Whether nobody is to be called about something so mild at this hour."""
        if self.quiet is None or severity not in LOW:
            return False
        start, end = self.quiet
        clock = at.astimezone(self.zone).time()
        return start <= clock < end if start <= end else clock >= start or clock < end

    def heard_at(self, severity: Severity, at: datetime) -> datetime:
        """The same moment, or the end of the quiet hours that it is in."""
        if not self.quiet or not self.is_quiet(severity, at):
            return at
        ends = self._moments(at.astimezone(self.zone).date(), self.quiet[1])
        return next(end for end in ends if end > at and not self.is_quiet(severity, end))

    def next_morning(self, at: datetime) -> datetime:
        """The first business morning after a moment."""
        return self._morning_after(at, Step(target=Target.OWNER, mornings=1))

    def _morning_after(self, at: datetime, step: Step) -> datetime:
        days = self._moments(at.astimezone(self.zone).date(), self.morning)
        mornings = (each for each in days if each > at and each.astimezone(self.zone).weekday() < SATURDAY)
        return [next(mornings) for _ in range(step.mornings)][-1]

    def _moments(self, day: date, clock: time) -> Iterator[datetime]:
        """The time of day, day after day, in UTC; twice where the clocks go back."""
        while True:
            local = datetime.combine(day, clock, tzinfo=self.zone)
            yield from sorted({local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)})
            day += timedelta(days=1)


def phase_of(alert: Alert) -> Phase | None:
    """What the alert waits for now; None when somebody works on it, or nothing is left to do."""
    if alert.note_needed:
        return Phase.NOTE_MISSING
    return Phase.UNACKNOWLEDGED if alert.response is Response.TRIGGERED else None


Known = Mapping[Phase, Progress]


def present(alert: Alert, known: Known, now: datetime) -> tuple[Progress | None, list[Progress]]:
    """(the progress in the phase the alert is in, what has to be kept of it and of the phases it is not in).

    `known` is what was kept before.
    """
    phase, began = phase_of(alert), alert.triggered_at
    kept = [one.left(now) for one in known.values() if one.phase is not phase and one.left_at is None]
    unacknowledged = alert.response is Response.TRIGGERED
    if phase is Phase.NOTE_MISSING and unacknowledged and Phase.UNACKNOWLEDGED not in known:
        # Nobody has acknowledged it, and that clock stands still from here on.
        kept.append(Progress(phase=Phase.UNACKNOWLEDGED, begun_at=began, left_at=now))
    if phase is None:
        return None, kept
    if phase is Phase.NOTE_MISSING:
        began = max(began, alert.recovered_at or began)
    progress = known.get(phase, Progress(phase=phase, begun_at=began))
    if progress.left_at is not None:
        progress = progress.entered(now)
        kept.append(progress)
    return progress, kept


def due(alert: Alert, progress: Progress | None, policy: Policy, now: datetime) -> list[Step]:
    """The steps to be taken now, in their order: those that are due and not done."""
    if progress is None or (alert.snoozed_until is not None and alert.snoozed_until > now):
        return []
    if policy.is_quiet(alert.severity, now):
        return []
    steps = policy.steps(progress.phase, alert.severity)
    times = policy.due_times(progress.phase, alert.severity, progress.begun_at)
    return [step for step, at in list(zip(steps, times, strict=True))[progress.done :] if at <= now]


def next_step(alert: Alert, progress: Progress, policy: Policy) -> tuple[Step, datetime] | None:
    """The step after those that are done, and when it comes due."""
    steps = policy.steps(progress.phase, alert.severity)
    times = policy.due_times(progress.phase, alert.severity, progress.begun_at)
    return next(iter(list(zip(steps, times, strict=True))[progress.done :]), None)
