"""A rota in the configuration: hand-overs on time in every time zone, nobody twice, nobody missing."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.oncall import InSlack, Kind, Roster, Shift
from bot.domain.rota import Rotation, StandIn, Turn, rota_roster, rota_team

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 3, 20, tzinfo=UTC)


def turn(**facts: object) -> Turn:
    known = {
        "people": ("U1SAM", "U2KIM"),
        "delay_minutes": 5,
        "rotation": Rotation.WEEKLY,
        "weekday": 0,
        "handover": time(9),
        "timezone": BERLIN,
        "start": date(2026, 3, 2),
    }
    return Turn(**(known | facts))  # type: ignore[arg-type]


def ends(shift: Shift) -> tuple[datetime, datetime]:
    assert shift.start is not None
    assert shift.end is not None
    return shift.start, shift.end


def test_a_weekly_rota_hands_over_at_nine_through_the_change_of_the_clocks() -> None:
    """The week in which the clocks go forward has 167 hours, the one in which they go back 169."""
    spring = turn().shifts(1, START, START + timedelta(days=14))
    autumn = turn().shifts(1, datetime(2026, 10, 20, tzinfo=UTC), datetime(2026, 10, 28, tzinfo=UTC))

    lengths = [(end - start) // timedelta(hours=1) for start, end in map(ends, spring)]
    assert lengths == [168, 167, 168]
    assert [each.responder for each in spring] == ["U1SAM", "U2KIM", "U1SAM"]
    assert {start.astimezone(BERLIN).strftime("%a %H:%M") for start, _ in map(ends, spring)} == {"Mon 09:00"}
    assert 169 in [(end - start) // timedelta(hours=1) for start, end in map(ends, autumn)]


zones = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "America/St_Johns",
        "America/Sao_Paulo",
        "Africa/Casablanca",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Pacific/Kiritimati",
    ]
).map(ZoneInfo)
turns = st.builds(
    Turn,
    people=st.lists(st.sampled_from(["U1SAM", "U2KIM", "U3ANA"]), min_size=1, max_size=4).map(tuple),
    delay_minutes=st.just(5),
    rotation=st.sampled_from([Rotation.WEEKLY, Rotation.DAILY]),
    weekday=st.integers(0, 6),
    handover=st.times(max_value=time(23, 59)).map(lambda at: at.replace(second=0, microsecond=0)),
    timezone=zones,
    start=st.dates(date(2010, 1, 1), date(2011, 12, 20)),
)
moments = st.datetimes(datetime(2011, 12, 25), datetime(2035, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


@given(turns, moments, st.integers(1, 400))
def test_exactly_one_person_at_every_moment(one: Turn, start: datetime, hours: int) -> None:
    """Each shift begins where the one before it ends, and the asked time is covered, in every zone and year."""
    end = start + timedelta(hours=hours)
    found = one.shifts(1, start, end)

    assert ends(found[0])[0] <= start
    assert ends(found[-1])[1] >= end
    assert all(ends(a)[1] == ends(b)[0] for a, b in pairwise(found))
    assert all(begins < over for begins, over in map(ends, found))


@given(turns, moments)
def test_people_take_turns_and_an_hour_asked_twice_has_one_answer(one: Turn, start: datetime) -> None:
    """Whoever is on call does not depend on when, or how much at once, is asked."""
    long = one.shifts(1, start, start + timedelta(days=30))
    short = one.shifts(1, start + timedelta(days=10), start + timedelta(days=11))

    assert all(shift in long for shift in short)


@given(turns, moments)
def test_the_hand_over_is_at_the_local_time(one: Turn, start: datetime) -> None:
    """Where the clocks skip that time it is as much later as they skip."""
    for shift in one.shifts(1, start, start + timedelta(days=10)):
        local = ends(shift)[0].astimezone(one.timezone)
        late = datetime.combine(local.date(), local.time()) - datetime.combine(local.date(), one.handover)
        skipped = late != timedelta(0)
        assert not skipped or timedelta(0) < late % timedelta(days=1) <= timedelta(hours=1)
        if one.rotation is Rotation.WEEKLY and not skipped:
            assert local.weekday() == one.weekday


def test_before_its_first_day_nobody_is_on_call() -> None:
    """The first turn begins at the first hand-over from the start day on."""
    found = turn(start=date(2026, 3, 25)).shifts(1, START, START + timedelta(days=14))

    assert ends(found[0])[0] == datetime(2026, 3, 30, 7, tzinfo=UTC)
    assert found[0].responder == "U1SAM"


def test_a_stand_in_takes_over_for_exactly_that_time() -> None:
    """The turn goes on around it; of two that overlap the later one in the list counts."""
    when = datetime(2026, 3, 24, 12, tzinfo=UTC)
    hour = timedelta(hours=1)
    away = StandIn(people=("U3ANA",), start=when, end=when + 6 * hour)
    again = StandIn(people=("U4MAX",), start=when + 5 * hour, end=when + 7 * hour)
    found = turn(stand_ins=(away, again)).shifts(1, START, START + timedelta(days=7))
    roster = rota_roster(
        [rota_team("data", [turn(stand_ins=(away, again))], START, START + timedelta(days=7))]
    )

    def on_call(after: float) -> list[str]:
        return [each.id for each in roster.on_call("data", when + after * hour)]

    assert [on_call(each) for each in (-1, 0, 4, 5, 6, 7)] == [
        ["U2KIM"],
        ["U3ANA"],
        ["U3ANA"],
        ["U4MAX"],
        ["U4MAX"],
        ["U2KIM"],
    ]
    assert roster.gaps("data", 1, START, START + timedelta(days=7)) == []
    assert len(found) == 5


def test_a_level_without_turns_has_everybody_for_good() -> None:
    """The lead at the last level, say; Slack reaches them, and what Slack knows is asked elsewhere."""
    team = rota_team("data", [turn(rotation=Rotation.NONE)], START, START + timedelta(days=1))
    roster: Roster = rota_roster([team])

    assert [each.id for each in roster.on_call("data", START)] == ["U1SAM", "U2KIM"]
    assert roster.until("data", 1, "U1SAM", START) is None
    assert {each.methods[0].kind for each in roster.responders} == {Kind.SLACK}
    assert {each.in_slack for each in roster.responders} == {InSlack.UNKNOWN}
    assert all(each.reachable for each in roster.responders)


def test_a_time_zone_that_skipped_a_day_left_nobody_out() -> None:
    """Samoa had no 30 December 2011: the shift before the skip lasts until the first hand-over after it."""
    daily = Turn(
        people=("U1SAM",),
        delay_minutes=5,
        rotation=Rotation.DAILY,
        weekday=0,
        handover=time(14, 1),
        timezone=ZoneInfo("Pacific/Apia"),
        start=date(2010, 1, 1),
    )
    asked = datetime(2011, 12, 31, tzinfo=UTC)

    assert ends(daily.shifts(1, asked, asked + timedelta(hours=1))[0])[0] <= asked
