"""Whom the clock calls, and when: each step once, never at night for something mild, in the configured time zone."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alert import Alert, Response, Severity, Source
from bot.domain.escalation import (
    LOW,
    Phase,
    Policy,
    Progress,
    Step,
    Target,
    due,
    next_step,
    phase_of,
    present,
)
from tests.adapters.slack.examples import ACKNOWLEDGED, OWNED_RECOVERED, RECOVERED, RESOLVED, TRIGGERED

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]

moments = st.integers(0, 3 * 366 * 24 * 60).map(
    lambda minutes: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
clocks = st.times().map(lambda each: each.replace(second=0, microsecond=0))
steps = st.lists(
    st.one_of(
        st.builds(
            Step,
            target=st.sampled_from(Target),
            after=st.integers(1, 3000).map(lambda minutes: timedelta(minutes=minutes)),
        ),
        st.builds(Step, target=st.sampled_from(Target), mornings=st.integers(1, 3)),
    ),
    max_size=4,
)
policies = st.builds(
    Policy,
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    morning=clocks,
    quiet=st.one_of(st.none(), st.tuples(clocks, clocks)),
    unacknowledged=st.fixed_dictionaries(dict.fromkeys(Severity, steps)),
    note_missing=steps,
)
severities = st.sampled_from(Severity)


def local(at: datetime, zone: ZoneInfo = BERLIN) -> str:
    return f"{at.astimezone(zone):%a %H:%M}"


def minutes_of(severity: Severity) -> list[tuple[float, Target]]:
    policy = Policy(zone=BERLIN)
    times = policy.due_times(Phase.UNACKNOWLEDGED, severity, MONDAY)
    targets = [step.target for step in policy.steps(Phase.UNACKNOWLEDGED, severity)]
    return [((at - MONDAY) / timedelta(minutes=1), target) for at, target in zip(times, targets, strict=True)]


# The defaults


def test_the_default_cadence() -> None:
    """SEV1 after 5, 10 and 15 minutes, SEV2 after 15 and 30 and an hour; whose it is, the next level, the lead."""
    ladder = [Target.OWNER, Target.NEXT_LEVEL, Target.LEAD]

    assert minutes_of(Severity.SEV1) == list(zip([5, 10, 15], ladder, strict=True))
    assert minutes_of(Severity.SEV2) == list(zip([15, 30, 60], ladder, strict=True))
    hours = [(at - MONDAY) / timedelta(hours=1) for at in note_times(Severity.SEV1, MONDAY)]
    assert hours == [2, 24]


def note_times(severity: Severity, begun: datetime) -> list[datetime]:
    return Policy(zone=BERLIN).due_times(Phase.NOTE_MISSING, severity, begun)


@pytest.mark.parametrize("severity", sorted(LOW))
@pytest.mark.parametrize(
    ("begun", "first", "second"),
    [
        pytest.param("2026-11-23T12:00", "Tue 09:00", "Wed 09:00", id="on Monday"),
        pytest.param("2026-11-24T03:00", "Tue 09:00", "Wed 09:00", id="in the night"),
        pytest.param("2026-11-24T09:00", "Wed 09:00", "Thu 09:00", id="at nine sharp"),
        pytest.param("2026-11-27T10:00", "Mon 09:00", "Tue 09:00", id="on Friday"),
        pytest.param("2026-11-28T23:59", "Mon 09:00", "Tue 09:00", id="on Saturday"),
        pytest.param("2026-03-28T10:00", "Mon 09:00", "Tue 09:00", id="before the clocks go forward"),
        pytest.param("2026-10-23T10:00", "Mon 09:00", "Tue 09:00", id="before the clocks go back"),
    ],
)
def test_what_is_mild_waits_for_the_next_business_morning(
    severity: Severity, begun: str, first: str, second: str
) -> None:
    """In local time, over weekends and changes of the clock."""
    at = datetime.fromisoformat(begun).replace(tzinfo=BERLIN)
    times = Policy(zone=BERLIN).due_times(Phase.UNACKNOWLEDGED, severity, at)

    assert list(map(local, times)) == [first, second]


def test_quiet_hours_are_for_what_is_mild_only() -> None:
    """A note that comes due at night is asked for in the morning, unless it is about something grave."""
    evening = datetime(2026, 11, 24, 20, 30, tzinfo=BERLIN)

    assert list(map(local, note_times(Severity.SEV3, evening))) == ["Wed 08:00", "Wed 20:30"]
    assert list(map(local, note_times(Severity.SEV2, evening))) == ["Tue 22:30", "Wed 20:30"]


# What holds for every policy


@given(policies, severities, moments)
def test_nobody_is_called_in_quiet_hours(policy: Policy, severity: Severity, at: datetime) -> None:
    heard = policy.heard_at(severity, at)

    assert not policy.is_quiet(severity, heard)
    assert heard >= at
    assert (heard == at) == (not policy.is_quiet(severity, at))
    assert heard - at <= timedelta(hours=49)


@given(policies, st.sampled_from(Phase), severities, moments)
def test_steps_come_due_in_their_order_and_never_early(
    policy: Policy, phase: Phase, severity: Severity, begun: datetime
) -> None:
    times = policy.due_times(phase, severity, begun)

    assert times == sorted(times)
    for step, at in zip(policy.steps(phase, severity), times, strict=True):
        assert at > begun
        assert at.tzinfo is UTC or step.after is not None
        if step.after is not None:
            assert at >= begun + step.after
    if phase is Phase.UNACKNOWLEDGED:
        assert all(at >= begun + policy.patience(severity) for at in times)


@given(policies, moments)
def test_a_business_morning_is_on_a_weekday_at_its_time(policy: Policy, at: datetime) -> None:
    """But where the clocks skip that time: then an hour or so later."""
    morning = policy.next_morning(at)
    there = morning.astimezone(policy.zone)
    is_there = there.replace(fold=0).astimezone(UTC) == morning or there.fold

    assert at < morning <= at + timedelta(days=5)
    assert there.weekday() < 5
    if is_there and there.utcoffset() == (there - timedelta(hours=3)).utcoffset():
        assert there.time() == policy.morning


@given(policies, severities, moments, st.lists(st.integers(0, 4000), max_size=30))
def test_each_step_is_taken_once_in_its_order_however_often_one_looks(
    policy: Policy, severity: Severity, begun: datetime, looks: list[int]
) -> None:
    """And when one looks late enough, all of them have been taken."""
    alert = replace(TRIGGERED, severity=severity, triggered_at=begun)
    progress, taken = Progress(phase=Phase.UNACKNOWLEDGED, begun_at=begun), list[Step]()
    times = [begun + timedelta(minutes=each) for each in sorted(looks)]
    for at in [*times, policy.heard_at(severity, begun + timedelta(days=60))]:
        news = due(alert, progress, policy, at)
        assert not (news and policy.is_quiet(severity, at))
        taken += news
        progress = replace(progress, done=progress.done + len(news))

    assert taken == list(policy.steps(Phase.UNACKNOWLEDGED, severity))
    assert next_step(alert, progress, policy) is None


# What an alert waits for


@pytest.mark.parametrize(
    ("alert", "phase"),
    [
        (TRIGGERED, Phase.UNACKNOWLEDGED),
        (replace(TRIGGERED, owner="U0KIM"), Phase.UNACKNOWLEDGED),
        (RECOVERED, Phase.NOTE_MISSING),
        (OWNED_RECOVERED, Phase.NOTE_MISSING),
        (ACKNOWLEDGED, None),
        (RESOLVED, None),
    ],
)
def test_what_an_alert_waits_for(alert: Alert, phase: Phase | None) -> None:
    assert phase_of(alert) is phase


def test_a_snooze_keeps_the_clock_from_calling() -> None:
    snoozed = replace(OWNED_RECOVERED, snoozed_until=MONDAY + timedelta(days=5))
    progress = Progress(phase=Phase.NOTE_MISSING, begun_at=MONDAY)
    later = MONDAY + timedelta(hours=3)

    assert due(snoozed, progress, Policy(), later) == []
    assert [step.target for step in due(replace(snoozed, snoozed_until=None), progress, Policy(), later)] == [
        Target.OWNER
    ]


class Watched:
    """An alert whose source flaps, seen by the clock every so often."""

    def __init__(self, alert: Alert, policy: Policy | None = None) -> None:
        self.alert, self.policy = alert, policy or Policy()
        self.known: dict[Phase, Progress] = {}
        self.calls: list[tuple[float, Phase, Target]] = []

    def look(self, at: datetime) -> None:
        progress, kept = present(self.alert, self.known, at)
        self.known |= {one.phase: one for one in kept}
        if progress is None:
            return
        for step in due(self.alert, progress, self.policy, at):
            progress = replace(progress, done=progress.done + 1)
            self.known[progress.phase] = progress
            self.calls.append(((at - MONDAY) / timedelta(minutes=1), progress.phase, step.target))

    def source(self, source: Source, at: datetime) -> None:
        recovered = at if source is Source.RECOVERED else None
        self.alert = replace(self.alert, source=source, source_at=at, recovered_at=recovered)


def flapping(alert: Alert, *, on: int, off: int, until: int) -> Watched:
    """Firing for `on` minutes, recovered for `off`, again and again; the clock looks each minute."""
    watched = Watched(alert)
    for minute in range(until):
        at = MONDAY + timedelta(minutes=minute)
        watched.source(Source.FIRING if minute % (on + off) < on else Source.RECOVERED, at)
        watched.look(at)
    return watched


SEV1 = replace(TRIGGERED, triggered_at=MONDAY, source_at=MONDAY)


def test_flapping_neither_starves_nor_rushes_the_calls() -> None:
    """Firing for 4 minutes of each 8, SEV1 calls after 5, 10 and 15 minutes of firing: 8, 17 and 26 minutes in."""
    calls = flapping(SEV1, on=4, off=4, until=240).calls

    assert [(phase, target) for _, phase, target in calls if phase is Phase.UNACKNOWLEDGED] == [
        (Phase.UNACKNOWLEDGED, Target.OWNER),
        (Phase.UNACKNOWLEDGED, Target.NEXT_LEVEL),
        (Phase.UNACKNOWLEDGED, Target.LEAD),
    ]
    minutes = [minute for minute, phase, _ in calls if phase is Phase.UNACKNOWLEDGED]
    assert all(low <= minute <= low + 3 for minute, low in zip(minutes, (8, 17, 26), strict=True))


def test_what_fires_again_after_days_is_not_called_to_everybody_at_once() -> None:
    """Its clock stood still while it was recovered."""
    watched = Watched(SEV1)
    watched.look(MONDAY + timedelta(minutes=2))
    watched.source(Source.RECOVERED, MONDAY + timedelta(minutes=3))
    watched.look(MONDAY + timedelta(minutes=3))
    back = MONDAY + timedelta(days=2)
    watched.source(Source.FIRING, back)
    for minute in (0, 1):
        watched.look(back + timedelta(minutes=minute))
    assert watched.calls == []

    watched.look(back + timedelta(minutes=2))
    assert [target for _, _, target in watched.calls] == [Target.OWNER]


@given(st.integers(1, 30), st.integers(1, 30), st.booleans())
def test_however_it_flaps_each_step_is_taken_at_most_once(on: int, off: int, acknowledged: bool) -> None:  # noqa: FBT001
    owned: Mapping[str, object] = (
        {"response": Response.ACKNOWLEDGED, "owner": "U0SAM"} if acknowledged else {}
    )
    calls = flapping(replace(SEV1, **owned), on=on, off=off, until=600).calls  # type: ignore[arg-type]

    steps_taken = [(phase, target) for _, phase, target in calls]
    assert len(steps_taken) == len(set(steps_taken))
    if not acknowledged and on >= 1:
        firing = [minute for minute in range(600) if minute % (on + off) < on]
        assert ((Phase.UNACKNOWLEDGED, Target.OWNER) in steps_taken) == (len(firing) > 5)


def test_times_of_day_that_are_no_span_are_never_quiet() -> None:
    policy = Policy(quiet=(time(8), time(8)))

    assert not policy.is_quiet(Severity.SEV4, MONDAY)
