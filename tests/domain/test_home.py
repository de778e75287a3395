"""What Home tells a person of the roster: their own turns, ways and faults, and who is called first for each team."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.domain.home import OnCall, on_call_of, worst_first
from bot.domain.oncall import FaultKind, InSlack, Roster, StoredRoster
from tests.rosters import EMAIL, NOW, PHONE, PUSH, person, roster, shift, team


def of(
    given: Roster, user: str = "U1SAM", names: tuple[str, ...] = ("platform", "data"), **facts: Any
) -> OnCall:
    known: dict[str, Any] = {"id": 1, "at": NOW, "checked_at": NOW, "roster": given, "digest": "sha256:1"}
    stored = StoredRoster(**(known | facts))
    return on_call_of(stored, stored.faults(NOW), names, user, NOW)


def test_turns_that_follow_on_each_other_are_one() -> None:
    given = roster(
        team(shift("PSAM", 1, -1, 1), shift("PSAM", 1, 1, 2), shift("PKIM", 1, 2, 9), shift("PKIM", 2))
    )
    sam, kim = of(given), of(given, "U1KIM")

    assert [(duty.team, duty.level, duty.end) for duty in sam.duties] == [
        ("platform", 1, NOW + timedelta(days=2))
    ]
    assert sam.following is None
    assert [(duty.level, duty.end) for duty in kim.duties] == [(2, None)]
    assert [(each.team, [one.slack for one in each.people], each.end) for each in sam.teams] == [
        ("platform", ["U1SAM"], NOW + timedelta(days=2))
    ]


def test_the_next_turn_is_told_while_there_is_none() -> None:
    given = roster(
        team(shift("PKIM"), shift("PSAM", 2, 5, 6)),
        team(shift("PKIM"), shift("PSAM", 1, 3, 4), name="data"),
    )
    found = of(given)

    assert found.duties == ()
    assert found.following
    assert (found.following.team, found.following.start, found.following.end) == (
        "data",
        NOW + timedelta(days=3),
        NOW + timedelta(days=4),
    )


def test_a_person_with_two_accounts_is_one_person() -> None:
    """In PagerDuty and in a rota: turns, ways and faults of both."""
    people = (
        person(methods=(PHONE, EMAIL)),
        person("XSAM", slack="U1SAM", methods=(replace(PUSH, enabled=False),)),
    )
    found = of(roster(team(), team(shift("XSAM"), name="data", source="rota"), people=people))

    assert {duty.team for duty in found.duties} == {"platform", "data"}
    assert [method.kind for method in found.methods] == [PHONE.kind, EMAIL.kind, PUSH.kind]
    assert [fault.kind for fault in found.faults] == [FaultKind.METHOD_DISABLED]
    assert (found.is_known, found.is_linkable) == (True, True)


def test_strangers_and_teams_of_an_earlier_configuration_are_left_out() -> None:
    found = of(roster(team(), team(name="old")), "U1OUT")

    assert (found.is_known, found.duties, found.following, found.methods) == (False, (), None, ())
    assert [each.team for each in found.teams] == ["platform"]
    assert of(roster(team()), "").is_known is False


def test_an_old_roster_is_stale_and_slacks_silence_is_no_fault_of_anybodys() -> None:
    silent = roster(people=(person(in_slack=InSlack.UNKNOWN), person("PKIM")))

    assert of(silent).faults == ()
    assert of(silent).is_stale is False
    assert of(silent, checked_at=NOW - timedelta(minutes=31)).is_stale is True


def test_the_worst_fault_comes_first_and_every_kind_has_a_place() -> None:
    given = roster(
        team(shift("PSAM"), shift("PKIM", 2, 0, 1)), people=(person(methods=(EMAIL,)), person("PKIM"))
    )
    faults = worst_first(of(given, "U1SAM").faults + tuple(given.faults(NOW)))

    assert faults[0].kind is FaultKind.GAP
    assert faults[-1].kind is FaultKind.ONLY_EMAIL
    assert worst_first(replace(faults[0], kind=kind) for kind in FaultKind)
