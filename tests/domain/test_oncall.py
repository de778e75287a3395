"""Who is on call, and everything that can keep an alert from reaching a person."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.contact_list import COLUMNS, contact_list, file_name, to_csv
from bot.domain.oncall import (
    HORIZON,
    ContactMethod,
    FaultKind,
    InSlack,
    Kind,
    Level,
    Responder,
    Roster,
    Shift,
    StoredRoster,
    Stretch,
    Team,
    UnknownTeam,
    merge,
    only,
    window,
)
from tests.rosters import EMAIL, NOW, PHONE, PUSH, person, roster, shift, team

DAY = timedelta(days=1)


def faults(given: Roster) -> dict[FaultKind, list[str]]:
    found: dict[FaultKind, list[str]] = {}
    for each in given.faults(NOW):
        found.setdefault(each.kind, []).append(each.says)
    return found


def test_a_roster_that_is_well_has_no_faults() -> None:
    """So that each of the planted ones below stands for itself."""
    assert roster().faults(NOW) == []


def method(**facts: object) -> ContactMethod:
    return ContactMethod(**({"kind": Kind.PHONE, "end": "…4711", "rings_after": 0} | facts))  # type: ignore[arg-type]


PLANTED: dict[FaultKind, tuple[Roster, str]] = {
    FaultKind.NO_METHOD: (roster(people=(person(methods=()), person("PKIM"))), "nothing rings"),
    FaultKind.ONLY_EMAIL: (roster(people=(person(methods=(EMAIL,)), person("PKIM"))), "wakes nobody"),
    FaultKind.METHOD_DISABLED: (
        roster(people=(person(methods=(method(enabled=False), EMAIL)), person("PKIM"))),
        "phone …4711 of Sam is disabled.",
    ),
    FaultKind.METHOD_BLOCKED: (
        roster(people=(person(methods=(method(blocked=True), PUSH)), person("PKIM"))),
        "is blocked by the tool. Another way works.",
    ),
    FaultKind.RULE_TOO_LATE: (
        roster(people=(person(methods=(method(rings_after=6), EMAIL)), person("PKIM"))),
        "after 6 min; at most 5",
    ),
    FaultKind.NO_RULE: (
        roster(people=(person(methods=(method(rings_after=None), EMAIL)), person("PKIM"))),
        "when the urgency is high",
    ),
    FaultKind.GAP: (
        roster(team(shift("PSAM", 1, -1, 2), shift("PSAM", 1, 3, 20), shift("PKIM", 2))),
        "level 1 from 2026-11-26 03:00 UTC to 2026-11-27 03:00 UTC",
    ),
    FaultKind.EMPTY_LEVEL: (roster(team(shift("PSAM"))), "Nobody stands at level 2 (Leads)"),
    FaultKind.NO_LEVELS: (roster(team(levels=())), "the policy PT20YPA does not exist"),
    FaultKind.SAME_PEOPLE: (roster(team(shift("PSAM"), shift("PSAM", 2))), "escalating changes nothing"),
    FaultKind.NO_SLACK: (
        roster(people=(person(slack="", in_slack=InSlack.NONE), person("PKIM"))),
        "not known in Slack as sam@example.com",
    ),
    FaultKind.SLACK_DEACTIVATED: (
        roster(people=(person(in_slack=InSlack.DEACTIVATED), person("PKIM"))),
        "Slack account of Sam is deactivated",
    ),
    FaultKind.SLACK_UNKNOWN: (
        roster(people=(person(in_slack=InSlack.UNKNOWN), person("PKIM"))),
        "has not said yet",
    ),
    FaultKind.GONE: (roster(people=(person(gone=True, methods=()), person("PKIM"))), "deleted in the tool"),
}


@pytest.mark.parametrize("kind", FaultKind)
def test_each_planted_fault_is_found_and_no_other(kind: FaultKind) -> None:
    """It says who or where, and what; a deleted person is not also reported for having no phone."""
    planted, says = PLANTED[kind]

    [[only_kind, [text]]] = faults(planted).items()
    assert (only_kind, says in text) == (kind, True), text


def test_a_gap_is_looked_for_at_every_level_and_only_fourteen_days_ahead() -> None:
    given = roster(team(shift("PSAM", 1, -1, 14), shift("PKIM", 2, 1, 30)))

    assert given.gaps("platform", 1, NOW, NOW + HORIZON) == []
    assert given.gaps("platform", 2, NOW, NOW + HORIZON) == [Stretch(start=NOW, end=NOW + DAY)]
    assert [each.kind for each in given.faults(NOW)] == [FaultKind.GAP]


def test_what_nobody_has_looked_at_is_no_gap() -> None:
    """A roster that is a week old knows a week less of the future."""
    given = roster(team(shift("PSAM", 1, -8, 8), shift("PKIM", 2)))
    old = StoredRoster(id=1, at=NOW, checked_at=NOW - 7 * DAY, roster=given, digest=given.digest)
    fresh = StoredRoster(id=1, at=NOW, checked_at=NOW, roster=given, digest=given.digest)

    assert old.faults(NOW) == []
    assert [each.kind for each in fresh.faults(NOW)] == [FaultKind.GAP]
    assert old.faults(NOW + 30 * DAY) == []


def test_the_lowest_level_that_has_somebody_is_called_first() -> None:
    given = roster(team(shift("PSAM", 1, 0, 1), shift("PKIM", 2)))

    assert [each.name for each in given.on_call("Platform", NOW)] == ["Sam"]
    assert [each.name for each in given.on_call("platform", NOW + DAY)] == ["Kim"], (
        "a shift ends before its end"
    )
    assert given.at_level("platform", 1, NOW - DAY) == ()
    with pytest.raises(UnknownTeam, match="Teams here: platform"):
        given.on_call("plattform", NOW)


def test_until_when_and_who_comes_next() -> None:
    """Shifts that follow on each other are one turn; for good has no end; and nobody follows into a gap."""
    given = roster(
        team(shift("PSAM", 1, -1, 1), shift("PSAM", 1, 1, 2), shift("PKIM", 1, 2, 3), shift("PKIM", 2))
    )

    assert given.until("platform", 1, "PSAM", NOW) == NOW + 2 * DAY
    assert [each.name for each in given.after("platform", 1, NOW)] == ["Kim"]
    assert given.until("platform", 2, "PKIM", NOW) is None
    assert given.after("platform", 2, NOW) == ()
    assert given.after("platform", 1, NOW + 2 * DAY) == ()


def test_a_person_is_named_in_an_alert_as_well_as_can_be() -> None:
    """The Slack id, else the e-mail address, else what the tool calls them."""
    named = [person().address, person(slack="").address, person(slack="", email="").address]

    assert named == ["U1SAM", "sam@example.com", "PSAM"]
    assert roster().responder("PGONE").name == "PGONE"
    assert roster().with_slack("U1KIM") == person("PKIM")
    assert roster(people=(person(slack=""),)).with_slack("") is None


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
times = st.none() | st.integers(-60, 60).map(lambda hours: NOW + timedelta(hours=hours))
ids = st.sampled_from(["PSAM", "PKIM", "PANA"])
shifts = st.builds(Shift, responder=ids, level=st.integers(1, 3), start=times, end=times)
teams = st.builds(
    Team,
    name=st.sampled_from(["platform", "data"]),
    source=st.sampled_from(["rota", "pagerduty"]),
    policy=texts,
    levels=st.lists(
        st.builds(
            Level, number=st.integers(1, 3), delay_minutes=st.integers(1, 60), targets=st.tuples(texts)
        ),
        max_size=3,
    ).map(tuple),
    shifts=st.lists(shifts, max_size=6).map(tuple),
)
methods = st.builds(
    ContactMethod,
    kind=st.sampled_from(Kind),
    end=texts,
    enabled=st.booleans(),
    blocked=st.booleans(),
    rings_after=st.none() | st.integers(0, 60),
)
people = st.builds(
    Responder,
    id=ids,
    name=texts,
    email=texts,
    slack=texts,
    in_slack=st.sampled_from(InSlack),
    methods=st.lists(methods, max_size=3).map(tuple),
    account_url=texts,
    gone=st.booleans(),
)
rosters = st.builds(
    Roster, teams=st.lists(teams, max_size=3).map(tuple), responders=st.lists(people, max_size=4).map(tuple)
)


@given(rosters)
def test_a_stored_roster_is_the_same_roster(given: Roster) -> None:
    """And equal rosters have one digest, however they are spelled in the database."""
    again = Roster.from_json(given.to_json())

    assert again == given
    assert again.digest == given.digest
    given.faults(NOW)


@given(st.lists(shifts, max_size=8))
def test_somebody_is_on_call_exactly_outside_of_the_gaps(of_all: list[Shift]) -> None:
    """Whatever the shifts: at each hour of two weeks either a gap or a person."""
    given = roster(team(*of_all, shifts=tuple(of_all)))
    end = NOW + timedelta(days=3)
    gaps = given.gaps("platform", 1, NOW, end)

    for hour in range(72):
        at = NOW + timedelta(hours=hour)
        in_gap = any(gap.start <= at < gap.end for gap in gaps)
        assert in_gap == (not given.at_level("platform", 1, at)), at
    assert all(a.end < b.start for a, b in pairwise(gaps))


def test_sources_are_put_together_and_taken_apart() -> None:
    """Teams in the order of the configuration; of each source what it has said, with its people."""
    rota = Roster(
        teams=(team(shift("U1ANA"), name="data", source="rota"),), responders=(person("U1ANA", name="Ana"),)
    )
    both = merge(["data", "platform", "gone"], [roster(), rota])

    assert [each.name for each in both.teams] == ["data", "platform"]
    assert only(both, "rota") == rota
    assert only(both, "pagerduty") == merge(["platform"], [roster()])


def test_the_window_stands_still_for_a_day() -> None:
    """So that a roster does not change with every look."""
    assert window(NOW) == window(NOW + timedelta(hours=20))
    start, end = window(NOW)
    assert start <= NOW < NOW + HORIZON + timedelta(hours=20) <= end


def stored(given: Roster, at: datetime = NOW) -> StoredRoster:
    return StoredRoster(id=7, at=at, checked_at=at, roster=given, digest=given.digest)


def test_the_contact_list_names_everybody_at_every_level() -> None:
    """Also a level that has nobody; phone numbers stay masked; no cell is a formula."""
    given = stored(
        roster(
            team(shift("PSAM"), shift("PKIM", 1, 3, 4)),
            people=(person(name="=Sam", methods=(PHONE, method(enabled=False), EMAIL)), person("PKIM")),
        )
    )
    sam, kim, nobody = contact_list(given, NOW)

    assert (sam["person"], sam["level"], sam["on_call_now"], sam["until"]) == ("=Sam", 1, True, "for good")
    assert sam["contact_methods"] == (
        "phone …4711 after 0 min; phone …4711 (disabled); e-mail s…@example.com after 0 min"
    )
    assert (kim["on_call_now"], kim["reachable"], kim["until"]) == (False, True, "")
    assert (nobody["level"], nobody["person"], nobody["reachable"]) == (2, "(nobody)", False)
    csv = to_csv(given, NOW)
    assert csv.splitlines()[0].split(",")[0] == f'"{COLUMNS[0]}"'
    assert '"\'=Sam"' in csv
    assert csv == to_csv(given, NOW), "the same facts are the same bytes"
    assert file_name(NOW, "csv") == "escalation-contacts-20261124-030000.csv"
