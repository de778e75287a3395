"""How long silence is normal: what varies within its normal bounds is not accused, and what stops is found in time."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.heartbeat import GRACE, UNLEARNED, Pulse

START = datetime(2026, 11, 2, tzinfo=UTC)
LEARNING = timedelta(days=28)
Gap = Callable[[random.Random], timedelta]


def times(gap: Gap, chance: random.Random, *, days: int) -> Iterator[datetime]:
    at = START
    while at < START + timedelta(days=days):
        yield at
        at += gap(chance)


def false_alarms(gap: Gap, chance: random.Random, *, days: int, key: str = "") -> tuple[Pulse, int]:
    """(what was learned, how often it was accused), looked at as each beat is about to come."""
    pulse, accused = Pulse(provider="datadog", key=key, first_at=START), 0
    for at in times(gap, chance, days=days):
        looked = pulse.looked_at(at, listening_since=START)
        accused += bool(looked.silent_at) and not pulse.silent_at
        pulse = looked.beat(at, listening_since=START)
        pulse = pulse.looked_at(at + timedelta(microseconds=1), listening_since=START)
    return pulse, accused


@given(
    a_day=st.floats(min_value=3, max_value=100),
    jitter=st.floats(min_value=0, max_value=0.9),
    seed=st.integers(0, 2**32),
)
def test_a_source_within_its_variation_is_never_accused_and_a_silent_one_is_found(
    a_day: float, jitter: float, seed: int
) -> None:
    """However much its pauses vary around their mean: after at most four times the longest it is known to be silent."""
    mean = timedelta(days=1 / a_day)
    pulse, accused = false_alarms(
        lambda chance: mean * chance.uniform(1 - jitter, 1 + jitter), random.Random(seed), days=12
    )
    heard, longest = pulse.heard_at, max(pulse.longest.values())

    assert accused == 0
    assert heard
    assert pulse.allowed
    assert longest < pulse.allowed <= 4 * longest + GRACE
    found = pulse.looked_at(heard + 4 * longest + 2 * GRACE, listening_since=START)
    assert found.silent_at is not None


@pytest.mark.parametrize(("a_day", "sources", "most"), [(1, 10, 2), (24, 2, 0)])
def test_alerts_that_come_by_chance(a_day: int, sources: int, most: int) -> None:
    """Half a year of sources whose alerts come independently of each other: one a day, and one an hour."""
    chance = random.Random(20261126)
    alarms = [
        false_alarms(lambda one: timedelta(days=one.expovariate(a_day)), chance, days=180)[1]
        for _ in range(sources)
    ]
    assert sum(alarms) <= most


def test_nights_and_weekends_are_normal() -> None:
    """A tool that speaks each 20 minutes of working hours only."""

    def working(at: datetime) -> bool:
        return at.weekday() < 5 and 8 <= at.hour < 18

    pulse = Pulse(provider="datadog", first_at=START)
    for slot in range(28 * 72):
        at = START + slot * timedelta(minutes=20)
        pulse = pulse.looked_at(at, listening_since=START)
        assert pulse.silent_at is None
        pulse = pulse.beat(at, listening_since=START) if working(at) else pulse
    assert pulse.allowed
    assert timedelta(hours=62) < pulse.allowed < timedelta(days=7)


def test_what_is_not_known_yet_accuses_nobody_but_a_heartbeat() -> None:
    """A tool is judged after a week and twenty silences, and never where it could be silent for over two weeks."""
    daily, _ = false_alarms(lambda _: timedelta(days=1), random.Random(1), days=15)
    weekly, accused = false_alarms(lambda _: timedelta(days=7), random.Random(1), days=300)
    fresh = Pulse(provider="alertmanager", key="w", first_at=START).beat(START, listening_since=START)

    assert daily.allowed is None
    assert weekly.gaps > 20
    assert (weekly.allowed, accused) == (None, 0)  # twice seven days and the grace are over TOO_SELDOM
    assert fresh.allowed == UNLEARNED
    assert fresh.looked_at(START + UNLEARNED + GRACE, listening_since=START).silent_at


def beating() -> Pulse:
    """A Watchdog of each five minutes, for a day."""
    pulse, accused = false_alarms(lambda _: timedelta(minutes=5), random.Random(1), days=1, key="w")
    assert accused == 0
    return pulse


def test_what_socmon_could_not_hear_accuses_nobody() -> None:
    """After it was down the silence begins anew, and what it missed is no lesson."""
    pulse = beating()
    heard = pulse.heard_at
    assert heard
    assert pulse.allowed == timedelta(minutes=15)
    back = heard + timedelta(hours=3)

    assert pulse.looked_at(back + timedelta(minutes=14), listening_since=back).silent_at is None
    assert pulse.looked_at(back + timedelta(minutes=16), listening_since=back).silent_at is not None
    assert pulse.beat(back + timedelta(minutes=1), listening_since=back).longest == pulse.longest


def test_an_outage_is_no_lesson_and_ends_when_it_is_heard() -> None:
    pulse = beating()
    heard = pulse.heard_at
    assert heard
    silent = pulse.looked_at(heard + timedelta(hours=1), listening_since=START)
    later = silent.looked_at(heard + timedelta(hours=2), listening_since=START)
    back = later.beat(heard + timedelta(hours=3), listening_since=START).looked_at(
        heard + timedelta(hours=3), listening_since=START
    )

    assert silent.silent_at == later.silent_at == heard + timedelta(hours=1)
    assert (back.silent_at, back.longest, back.allowed) == (None, pulse.longest, pulse.allowed)


def test_the_tool_says_that_it_is_over() -> None:
    """What always fires, and ends, is the alarm, at once."""
    pulse = beating()
    heard = pulse.heard_at
    assert heard
    over = pulse.ended(heard + timedelta(minutes=1))
    assert over.looked_at(heard + timedelta(minutes=1), listening_since=START).silent_at
    assert over.beat(heard + timedelta(minutes=2), listening_since=START).ended_at is None
