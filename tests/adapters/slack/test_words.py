"""States, lengths of time and subjects have one wording everywhere."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.adapters.slack.words import CAUSES, Look, duration, look, some, state, subject
from bot.domain.alert import Cause
from tests.adapters.slack.examples import NOW, SNOOZED, STATES, TRIGGERED


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (29 * 60 + 59, "29 min"),
        (3600, "1 h"),
        (3 * 3600 + 5 * 60, "3 h 5 min"),
        (2 * 86400 + 4 * 3600 + 59, "2 d 4 h"),
        (7 * 86400 + 60, "7 d"),
    ],
)
def test_a_length_of_time_has_at_most_two_units(seconds: int, words: str) -> None:
    assert duration(timedelta(seconds=seconds)) == words


def test_every_state_has_a_shape_of_its_own() -> None:
    assert len({each.value for each in Look}) == len(Look)
    assert {look(alert, NOW) for alert in STATES.values()} == set(Look)
    assert set(CAUSES) == set(Cause)


def test_a_far_time_is_shown_with_its_day() -> None:
    assert "^{time}|" in state(SNOOZED, NOW)
    assert "{date_short_pretty}" in state(replace(SNOOZED, snoozed_until=NOW + timedelta(days=2)), NOW)


@pytest.mark.parametrize(
    ("title", "condition", "words"),
    [
        ("CPU high", "avg &gt; 85", "CPU high — avg &amp;gt; 85"),
        ("CPU > 85 for 5 min", "CPU > 85", "CPU &gt; 85 for 5 min"),
        ("", "avg > 85", "avg &gt; 85"),
        ("", "", "(no title)"),
        ("CPU high", "x" * 200, "CPU high"),
    ],
)
def test_the_subject_is_the_title_and_the_condition_where_it_fits(
    title: str, condition: str, words: str
) -> None:
    assert subject(replace(TRIGGERED, title=title, condition=condition)) == words


def test_amounts_have_their_noun() -> None:
    assert (some(1, "alert"), some(1200, "entry", "entries")) == ("1 alert", "1,200 entries")
