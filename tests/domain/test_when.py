"""The moment that people mean, in the time zone of the configuration."""

from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.when import UnknownTime, read_when

NOW = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)  # in Berlin it is Wednesday, half past midnight
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("", "2026-11-24 23:30"),
        ("now", "2026-11-24 23:30"),
        ("+3d", "2026-11-27 23:30"),
        ("+90m", "2026-11-25 01:00"),
        ("today", "2026-11-25 11:00"),
        ("18:00", "2026-11-25 17:00"),
        ("Tomorrow 9:15", "2026-11-26 08:15"),
        ("fri", "2026-11-27 11:00"),
        ("FRIDAY 18:00", "2026-11-27 17:00"),
        ("wed 00:15", "2026-12-01 23:15"),
        ("wed 00:45", "2026-11-24 23:45"),
        ("2026-12-24", "2026-12-24 11:00"),
        ("2026-12-24 09:00", "2026-12-24 08:00"),
        ("2026-12-24T09:00", "2026-12-24 08:00"),
        ("2026-12-24T09:00:00Z", "2026-12-24 09:00"),
        ("2026-07-01 09:00", "2026-07-01 07:00"),
    ],
)
def test_what_people_mean(words: str, meant: str) -> None:
    assert f"{read_when(words, now=NOW, zone=BERLIN):%Y-%m-%d %H:%M}" == meant


@pytest.mark.parametrize(
    "words", ["soon", "2026-13-01", "25:00", "fri noon", "+3y", "today 9", "9999-12-31T99"]
)
def test_what_nobody_can_mean_is_explained(words: str) -> None:
    with pytest.raises(UnknownTime, match="Try `now`"):
        read_when(words, now=NOW, zone=BERLIN)


@given(st.text(max_size=30))
def test_any_words_are_a_time_or_refused(words: str) -> None:
    """Nothing else comes of what somebody types."""
    with suppress(UnknownTime):
        assert read_when(words, now=NOW, zone=BERLIN).tzinfo is UTC
