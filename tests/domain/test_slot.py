"""Weeks and their times: none is missing and none is there twice, wherever the lead is and whatever is configured."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.slot import WEEK, Calendar, Rhythm, Slot, WeekTime, following, monday, preceding, week_of

week_times = st.builds(
    WeekTime,
    st.integers(0, 6),
    st.times(max_value=time(23, 59)).map(lambda at: at.replace(second=0, microsecond=0)),
)
zones = st.sampled_from(sorted(available_timezones()))
moments = st.datetimes(
    datetime(1990, 1, 1),  # noqa: DTZ001
    datetime(2060, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@st.composite
def rhythms(draw: st.DrawFn, at: datetime) -> Rhythm:
    opens, due = sorted(draw(st.lists(week_times, min_size=2, max_size=2, unique=True)))
    return Rhythm(opens=opens, due=due, zone=draw(zones), at=at)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Up to three rhythms, months, days or hours after each other."""
    at = draw(moments)
    found = []
    for _ in range(draw(st.integers(1, 3))):
        found.append(draw(rhythms(at)))
        at += draw(st.timedeltas(timedelta(hours=1), timedelta(days=90)))
    return Calendar(found)


@given(calendars(), moments, st.integers(1, 120))
def test_no_moment_is_in_two_weeks_or_in_none(calendar: Calendar, start: datetime, count: int) -> None:
    """Also where a week begins in another time zone than it ends; from one to the next everything comes later."""
    slots = list(calendar.between(start, start + count * WEEK))

    assert slots[0].start <= start < slots[0].end
    assert slots[-1].start < start + count * WEEK <= slots[-1].end
    for one, other in pairwise(slots):
        assert one.end == other.start
        assert following(one.week) == other.week
        assert one.week < other.week
        in_order = one.opens_at < other.opens_at and one.due_at < other.due_at
        assert in_order or one.zone != other.zone, "the lead moves east by up to 26 hours"
    for slot in slots:
        assert slot.start < slot.end
        assert slot.opens_at < slot.due_at < slot.closes_at


@given(calendars(), st.integers(0, 60))
def test_every_week_since_the_beginning_opens_once(calendar: Calendar, later: int) -> None:
    """Looked for at once, or again and again from where one had come."""
    now = calendar.began + later * WEEK
    at_once = list(calendar.opened(now))
    bit_by_bit: list[Slot] = []
    for passed in range(later + 1):
        newest = bit_by_bit[-1].week if bit_by_bit else ""
        bit_by_bit += calendar.opened(calendar.began + passed * WEEK, after=newest)

    assert at_once == bit_by_bit
    assert all(preceding(other.week) == one.week for one, other in pairwise(at_once))
    if at_once:
        assert at_once[0].end > calendar.began
        assert calendar.slot(preceding(at_once[0].week)).end <= calendar.began


@given(zones, moments)
def test_it_opens_on_monday_at_nine_by_the_wall(zone: str, at: datetime) -> None:
    """In every zone of the world and every year, but where a whole day was left out of the calendar."""
    slot = Calendar([Rhythm(zone=zone)]).slot(week_of(at.date()))
    opens = slot.opens_at.astimezone(ZoneInfo(zone))

    if monday(slot.week) + WEEK == opens.date():
        assert (opens.weekday(), opens.hour, opens.minute) == (0, 9, 0)
    else:  # Kwajalein, Samoa and their like crossed the date line
        assert opens.date() - monday(slot.week) - WEEK == timedelta(days=1)


@given(st.dates(max_value=datetime(9998, 1, 1).date()))  # noqa: DTZ001
def test_a_week_is_written_and_read(day: object) -> None:
    week = week_of(day)  # type: ignore[arg-type]

    assert week_of(monday(week)) == week
    assert monday(week).weekday() == 0


def test_a_change_does_not_touch_what_has_opened() -> None:
    """Sydney takes over from Berlin on a Wednesday: that week's validation was Berlin's, the next one is Sydney's."""
    changed = datetime(2026, 11, 25, tzinfo=UTC)
    berlin = Rhythm(zone="Europe/Berlin", at=changed - 10 * WEEK)
    calendar = Calendar([berlin, Rhythm(zone="Australia/Sydney", at=changed)])

    before, after = calendar.slot("2026-W47"), calendar.slot("2026-W48")

    assert (before.zone, before.opens_at.hour) == ("Europe/Berlin", 8)
    assert (after.zone, after.opens_at.hour) == ("Australia/Sydney", 22)
    assert before.end == after.start == datetime(2026, 11, 22, 23, tzinfo=UTC)


@pytest.mark.parametrize("text", ["Monday", "Someday 09:00", "Monday 9:00", "Monday 25:00", "", "09:00"])
def test_what_is_no_time_of_the_week_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"weekday|hour|Invalid"):
        WeekTime.read(text)


def test_what_is_due_before_it_opens_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be due"):
        Rhythm(opens=WeekTime.read("Tuesday 09:00"), due=WeekTime.read("monday 17:00"))
