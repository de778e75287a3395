"""The clock calls whose alert it is, the next level, the lead: once each, on record, and never who has just acted."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.adapters.database.records import Unit
from bot.domain.alert import Change, NoAction, Severity
from bot.domain.errors import IllegalAct, SomebodyElses, Unfit
from bot.domain.escalation import Policy
from bot.domain.person import Person
from bot.domain.thread import SlackRoute, SlackRoutes
from bot.procedures import respond_to_alert
from bot.procedures.escalate_alert import NOBODY, Reach, alerts_to_escalate, escalate_alert
from bot.procedures.receive_alert import receive_alert
from tests.reports import KIM, LEAD, NOTE, SAM, delivery, report
from tests.world import ROUTES, Ledger

POLICY = Policy()
REACH = Reach(leads=("U1LEAD",), routes=ROUTES)
OUTSIDER = Person(team="T1", user="U1OUT", roles=frozenset())


def fire(ledger: Ledger, severity: Severity = Severity.SEV1, **facts: Any) -> None:
    ledger.write(receive_alert, delivery(report(severity=severity, **facts)), routes=ROUTES)


def recover(ledger: Ledger) -> None:
    heard = report(change=Change.RECOVERED, occurred_at=ledger.clock.now())
    ledger.write(receive_alert, delivery(heard), routes=ROUTES)


def wait(ledger: Ledger, minutes: float, *, reach: Reach = REACH, every: int = 15) -> None:
    """So many minutes pass, and the job runs each 15 s."""
    for _ in range(int(minutes * 60 / every)):
        ledger.clock.move(every)
        found, after = ledger.read(alerts_to_escalate, POLICY, after=0)
        assert after is None
        for alert_id in found:
            ledger.write(escalate_alert, alert_id, policy=POLICY, reach=reach)


def calls(ledger: Ledger, alert_id: int = 1) -> list[tuple[str, str, str]]:
    """(kind, target, who is called)."""
    return [
        (moment.kind, str(moment.facts["target"]), str(moment.facts["called"]))
        for moment in ledger.read(lambda records: records.timeline(alert_id))
        if moment.kind in {"reminded", "escalated"}
    ]


def notices(ledger: Ledger) -> list[tuple[str, str]]:
    owed = ledger.read(lambda records: records.owed_notices(tried_before=records.now, most=100))
    return [(one.notice.user, one.notice.kind) for one in owed]


# The clock


def test_an_alert_nobody_takes_is_called_higher_and_higher(ledger: Ledger) -> None:
    """Whoever is on call after 5 minutes; without a roster the lead is the next level; each once, however long."""
    fire(ledger)
    wait(ledger, 4.5)
    assert calls(ledger) == []

    wait(ledger, 60)
    assert calls(ledger) == [
        ("reminded", "owner", "U1SAM"),
        ("escalated", "lead", "U1LEAD"),
        ("escalated", "lead", "U1LEAD"),
    ]
    assert notices(ledger) == [("U1SAM", "unacknowledged"), ("U1LEAD", "unacknowledged")]


def test_the_next_level_is_the_rosters(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Level two of the route's team, and level three the next time."""
    levels = {("platform", 2): ("U1KIM",), ("platform", 3): ("U1ANA",)}
    monkeypatch.setattr(Unit, "on_call_at", lambda _, team, level: levels.get((team, level), ()))
    routes = SlackRoutes(default=SlackRoute(channel="C0ALERTS", on_call=("U1SAM",), team="platform"))
    reach = Reach(leads=("U1LEAD",), routes=routes)
    fire(ledger)
    wait(ledger, 11, reach=reach)
    ledger.write(respond_to_alert.escalate_now, 1, by=SAM, reach=reach)

    assert calls(ledger)[1:] == [("escalated", "next_level", "U1KIM"), ("escalated", "next_level", "U1ANA")]


@pytest.mark.parametrize("unheard", ["pat@example.com", "PPAT001"])
def test_whom_slack_does_not_know_the_lead_is_called_with(ledger: Ledger, unheard: str) -> None:
    """A contractor without an account, by address or by their name in a tool: their name in a thread rings nobody."""
    routes = SlackRoutes(default=SlackRoute(channel="C0ALERTS", on_call=(unheard,)))
    ledger.write(receive_alert, delivery(report(severity=Severity.SEV1)), routes=routes)
    wait(ledger, 6)

    assert calls(ledger) == [("reminded", "owner", f"{unheard} U1LEAD")]
    assert notices(ledger) == [("U1LEAD", "unacknowledged")]


def test_once_somebody_takes_it_nobody_is_called(ledger: Ledger) -> None:
    fire(ledger)
    wait(ledger, 6)
    ledger.write(respond_to_alert.acknowledge, 1, by=KIM)
    wait(ledger, 60)

    assert calls(ledger) == [("reminded", "owner", "U1SAM")]
    assert ledger.read(alerts_to_escalate, POLICY, after=0) == ([], None)


def test_a_released_alert_begins_anew(ledger: Ledger) -> None:
    fire(ledger)
    wait(ledger, 6)
    ledger.write(respond_to_alert.acknowledge, 1, by=KIM)
    wait(ledger, 30)
    ledger.write(respond_to_alert.release, 1, by=KIM)
    wait(ledger, 4.5)
    assert len(calls(ledger)) == 1

    wait(ledger, 1)
    assert calls(ledger)[1:] == [("reminded", "owner", "U1SAM")]


def test_a_missing_note_is_asked_for_from_the_owner_and_then_the_lead(ledger: Ledger) -> None:
    fire(ledger, Severity.SEV2)
    ledger.write(respond_to_alert.acknowledge, 1, by=KIM)
    recover(ledger)
    wait(ledger, 24 * 60 + 5, every=150)

    assert calls(ledger) == [("reminded", "owner", "U1KIM"), ("escalated", "lead", "U1LEAD")]
    assert notices(ledger) == [("U1KIM", "note_missing"), ("U1LEAD", "note_missing")]


def test_nothing_is_asked_during_a_snooze(ledger: Ledger) -> None:
    """It survives a source that recovers and fires again; when it is over its owner hears of it."""
    fire(ledger, Severity.SEV2)
    ledger.write(respond_to_alert.snooze, 1, by=KIM, minutes=240)
    for _ in range(3):
        recover(ledger)
        ledger.clock.move(60)
        fire(ledger, Severity.SEV2, occurred_at=ledger.clock.now())
    recover(ledger)
    wait(ledger, 200)
    assert ledger.read(lambda records: records.alert(1)).snoozed_until is not None
    assert calls(ledger) == []

    ledger.clock.move(3600)
    assert ledger.write(respond_to_alert.wake_due_alerts) == 1
    assert notices(ledger) == [("U1KIM", "awake")]
    wait(ledger, 1)
    assert calls(ledger) == [("reminded", "owner", "U1KIM")]


def test_after_an_outage_of_socmon_everybody_is_called_at_once(ledger: Ledger) -> None:
    fire(ledger)
    ledger.clock.move(3600)
    wait(ledger, 0.25)

    assert [target for _, target, _ in calls(ledger)] == ["owner", "lead", "lead"]


def test_each_call_is_a_whole_entry_of_the_log(ledger: Ledger) -> None:
    fire(ledger)
    wait(ledger, 5.5)
    [moment] = [m for m in ledger.read(lambda records: records.timeline(1)) if m.kind == "reminded"]

    assert moment.by == "socmon"
    assert dict(moment.facts) == {
        "version": 1,
        "response": "triggered",
        "phase": "unacknowledged",
        "step": 1,
        "target": "owner",
        "called": "U1SAM",
        "next": "next_level",
        "next_at": "2026-11-24T03:10:01+00:00",
    }


def test_when_there_is_nobody_an_operator_hears_of_it(ledger: Ledger) -> None:
    """And as soon as somebody is known, they are called."""
    nobody = SlackRoutes(default=SlackRoute(channel="C0ALERTS"))
    ledger.write(receive_alert, delivery(report(severity=Severity.SEV1)), routes=nobody)
    wait(ledger, 6, reach=Reach(routes=nobody))
    problems = ledger.read(lambda records: records.problems())
    assert [(subject, "nobody to call" in text) for subject, _, text in problems] == [(NOBODY, True)]

    wait(ledger, 0.25, reach=Reach(leads=("U1LEAD",), routes=nobody))
    assert calls(ledger) == [("reminded", "lead", "U1LEAD")]
    assert ledger.read(lambda records: records.problems()) == []


# Nobody who has just acted


@pytest.mark.parametrize("act", ["note", "release"])
def test_who_has_just_acted_is_not_called_until_a_moment_later(ledger: Ledger, act: str) -> None:
    fire(ledger)
    ledger.clock.move(280)
    if act == "note":
        ledger.write(respond_to_alert.add_note, 1, by=SAM, text="I am looking at the disk")
    else:
        ledger.write(respond_to_alert.acknowledge, 1, by=SAM)
        ledger.write(respond_to_alert.release, 1, by=SAM)
        ledger.clock.move(280)
        ledger.write(respond_to_alert.add_note, 1, by=SAM, text="I am looking at the disk")
    wait(ledger, 1.5)
    assert calls(ledger) == []

    wait(ledger, 1)
    assert calls(ledger) == [("reminded", "owner", "U1SAM")]


def test_of_a_group_only_the_others_are_called(ledger: Ledger) -> None:
    """The group is not mentioned while one of it has just acted."""
    routes = SlackRoutes(default=SlackRoute(channel="C0ALERTS", on_call=("S1OPS", "kim@example.com")))
    reach = Reach(leads=("U1LEAD",), members={"S1OPS": ("U1SAM", "U1KIM")}, routes=routes)
    for key in ("a", "b"):
        ledger.write(receive_alert, delivery(report(key, severity=Severity.SEV1)), routes=routes)
    ledger.clock.move(280)
    ledger.write(respond_to_alert.add_note, 2, by=SAM, text="I am looking at the disk")
    wait(ledger, 1, reach=reach)

    assert calls(ledger, 1) == [("reminded", "owner", "S1OPS kim@example.com")]
    assert calls(ledger, 2) == [("reminded", "owner", "U1KIM kim@example.com")]
    assert [user for user, _ in notices(ledger)] == ["U1SAM", "U1KIM", "U1KIM"]


# People


def test_whoever_gets_an_alert_is_told_and_still_has_to_acknowledge_it(ledger: Ledger) -> None:
    fire(ledger)
    handed = ledger.write(respond_to_alert.reassign, 1, by=SAM, to=KIM, reason="You know the pool", seen=1)

    assert (handed.owner, handed.response, handed.acknowledged_by, handed.version) == (
        "U1KIM",
        "triggered",
        None,
        2,
    )
    assert notices(ledger) == [("U1KIM", "assigned")]
    wait(ledger, 6)
    assert calls(ledger) == [("reminded", "owner", "U1KIM")]


def test_a_hand_over_keeps_who_acknowledged_it(ledger: Ledger) -> None:
    """And the log names both sides of it."""
    fire(ledger)
    first = ledger.write(respond_to_alert.acknowledge, 1, by=SAM)
    handed = ledger.write(respond_to_alert.reassign, 1, by=SAM, to=KIM)
    taken = ledger.write(respond_to_alert.take_over, 1, by=LEAD, seen=handed.version)

    assert (taken.owner, taken.acknowledged_by, taken.acknowledged_at) == (
        "U1LEAD",
        "U1SAM",
        first.acknowledged_at,
    )
    told = {m.kind: m for m in ledger.read(lambda records: records.timeline(1))}
    assert (told["reassigned"].facts["from"], told["reassigned"].facts["to"]) == ("U1SAM", "U1KIM")
    assert (told["taken_over"].facts["from"], told["taken_over"].by) == ("U1KIM", "U1LEAD")


REFUSALS: dict[str, tuple[Callable[[Ledger], Any], type[Exception], str]] = {
    "to nobody who may respond": (
        lambda ledger: ledger.write(respond_to_alert.reassign, 1, by=SAM, to=OUTSIDER),
        Unfit,
        "none of the roles",
    ),
    "to the owner": (
        lambda ledger: ledger.write(respond_to_alert.reassign, 1, by=SAM, to=KIM),
        IllegalAct,
        "already <@U1KIM>'s",
    ),
    "one's own taken over": (
        lambda ledger: ledger.write(respond_to_alert.take_over, 1, by=KIM),
        IllegalAct,
        "already <@U1KIM>'s",
    ),
    "somebody else's released": (
        lambda ledger: ledger.write(respond_to_alert.release, 1, by=SAM),
        SomebodyElses,
        "take it over",
    ),
    "acknowledged again": (
        lambda ledger: ledger.write(respond_to_alert.acknowledge, 1, by=SAM),
        SomebodyElses,
        "<@U1KIM> has already acknowledged",
    ),
    "an old button": (
        lambda ledger: ledger.write(respond_to_alert.take_over, 1, by=SAM, seen=1),
        IllegalAct,
        "changed hands",
    ),
    "no action while it fires": (
        lambda ledger: ledger.write(respond_to_alert.resolve_without_action, 1, by=SAM, policy=NoAction()),
        IllegalAct,
        "has not recovered",
    ),
}


@pytest.mark.parametrize("refused", REFUSALS)
def test_what_is_not_possible_is_refused_kindly_and_changes_nothing(ledger: Ledger, refused: str) -> None:
    act, error, words = REFUSALS[refused]
    fire(ledger)
    ledger.write(respond_to_alert.acknowledge, 1, by=KIM)
    before = ledger.read(lambda records: (records.alert(1), records.tree()[1].size))

    with pytest.raises(error, match=words):
        act(ledger)
    assert ledger.read(lambda records: (records.alert(1), records.tree()[1].size)) == before
    assert notices(ledger) == []


def test_help_is_not_asked_from_who_asks_nor_from_the_owner(ledger: Ledger) -> None:
    fire(ledger)
    ledger.write(respond_to_alert.acknowledge, 1, by=SAM)
    ledger.write(respond_to_alert.escalate_now, 1, by=SAM, reach=REACH, reason="I cannot reach the database")

    assert calls(ledger) == [("escalated", "lead", "U1LEAD")]
    assert notices(ledger) == [("U1LEAD", "escalated")]
    with pytest.raises(IllegalAct, match="nobody else"):
        ledger.write(respond_to_alert.escalate_now, 1, by=LEAD, reach=REACH)


def test_the_same_form_escalates_once(ledger: Ledger) -> None:
    fire(ledger)
    for _ in range(2):
        ledger.write(respond_to_alert.escalate_now, 1, by=SAM, reach=REACH, form="V1")
        ledger.write(respond_to_alert.reassign, 1, by=SAM, to=KIM, form="V2")

    kinds = [moment.kind for moment in ledger.read(lambda records: records.timeline(1))]
    assert (kinds.count("escalated"), kinds.count("reassigned")) == (1, 1)


# Recovered by itself


@pytest.mark.parametrize(
    ("severity", "minutes", "words"),
    [
        (Severity.SEV3, 4, ""),
        (Severity.SEV4, 4.9, ""),
        (Severity.SEV3, 6, "longer than 5 min"),
        (Severity.SEV1, 1, "is SEV1"),
        (Severity.SEV2, 1, "is SEV2"),
    ],
)
def test_no_action_is_enough_where_the_policy_says_so(
    ledger: Ledger, severity: Severity, minutes: float, words: str
) -> None:
    """It stands as the resolution note of whoever said so."""
    fire(ledger, severity)
    ledger.clock.move(60 * minutes - 3)
    recover(ledger)
    if words:
        with pytest.raises(IllegalAct, match=words):
            ledger.write(respond_to_alert.resolve_without_action, 1, by=SAM, policy=NoAction())
        return
    resolved = ledger.write(respond_to_alert.resolve_without_action, 1, by=SAM, policy=NoAction())

    assert (resolved.response, resolved.resolved_by, resolved.resolution.cause) == (
        "resolved",
        "U1SAM",
        "no_action",
    )
    resolved.resolution.check()
    ledger.check_history(resolved)
    with pytest.raises(IllegalAct, match="<@U1SAM> has already resolved"):
        ledger.write(respond_to_alert.resolve, 1, by=KIM, resolution=NOTE)
