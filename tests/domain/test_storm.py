"""When many alerts are a storm, and when it is over."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.storm import EVERY, FEWEST_WAITING, LONGEST_LAG, MOST_SPARED, Storm, StormRule
from tests.reports import START

NOW = START + timedelta(hours=1)
RULES = st.builds(
    StormRule,
    threshold=st.integers(2, 20),
    window=st.timedeltas(timedelta(seconds=1), timedelta(minutes=60)),
)
AGES = st.lists(st.timedeltas(timedelta(0), timedelta(hours=2)), max_size=40)


def ago(ages: list[timedelta]) -> list[datetime]:
    """Times, newest first."""
    return [NOW - age for age in sorted(ages)]


@given(RULES, AGES)
def test_a_storm_begins_above_the_threshold_and_ends_below_it(rule: StormRule, ages: list[timedelta]) -> None:
    """Counted are the alerts that triggered within the window; as many as the rule asks for are enough to know."""
    recent = sum(age < rule.window for age in ages)
    seen = ago(ages)[: rule.asks_for]

    assert rule.begins(seen, NOW, waiting=[]) == (recent > rule.threshold)
    assert rule.ends(seen, NOW) == (recent < rule.threshold)


@given(RULES, AGES)
def test_no_storm_ends_in_the_moment_in_which_it_begins(rule: StormRule, ages: list[timedelta]) -> None:
    seen = ago(ages)[: rule.asks_for]

    assert not (rule.begins(seen, NOW, waiting=[]) and rule.ends(seen, NOW))


@given(AGES)
def test_five_that_wait_too_long_are_a_storm_as_well(ages: list[timedelta]) -> None:
    """One message that Slack refuses for good does not make four others one."""
    late = sum(age > LONGEST_LAG for age in ages)
    waiting = ago(ages)[::-1]

    assert StormRule().begins([], NOW, waiting=waiting) == (late >= FEWEST_WAITING)


def test_a_clock_that_was_put_back_keeps_no_storm_alive() -> None:
    """Alerts “of the future” are as far away as those of the past."""
    assert StormRule().ends([NOW + timedelta(hours=3)] * 11, NOW)


def test_a_digest_is_updated_every_fifteen_seconds_and_at_once_after_an_old_one_was_found() -> None:
    storm = Storm(
        id=1, channel="C0ALERTS", revision=7, projected=0, next_at=NOW, began_at=NOW, intent="S-1", attempts=2
    )

    posted, found = storm.posted("1.1", revision=7, now=NOW), storm.posted("1.1", revision=0, now=NOW)
    assert (posted.next_at, posted.lags, posted.intent, posted.attempts) == (NOW + EVERY, False, None, 0)
    assert (found.next_at, found.lags) == (NOW, True)
    assert posted.refreshed(8, now=NOW).next_at == NOW + EVERY


@given(st.integers(0, 9))
def test_at_most_five_alerts_are_spared(number: int) -> None:
    storm = Storm(
        id=1,
        channel="C",
        revision=1,
        projected=0,
        next_at=NOW,
        began_at=NOW,
        spared=tuple(range(1, number + 1)),
    )

    assert storm.may_spare == max(0, MOST_SPARED - number)
