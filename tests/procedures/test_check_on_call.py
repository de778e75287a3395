"""A roster is kept when it has changed, stands in each alert, and is reviewed on record."""

import json
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.domain.alert import Alert
from bot.domain.contact_list import to_csv
from bot.domain.errors import NotPermitted
from bot.domain.oncall import InSlack, Roster, UnknownTeam
from bot.domain.person import Person, Role
from bot.domain.thread import SlackRoute, SlackRoutes
from bot.domain.when import UnknownTime
from bot.procedures import check_on_call
from bot.procedures.check_on_call import NoRoster, NotKnownThen, OnCallAnswer, put_together
from bot.procedures.receive_alert import receive_alert
from bot.procedures.respond_to_alert import reopen, resolve
from tests.reports import LEAD, NOTE, SAM, delivery, report
from tests.rosters import NOW, person, roster, shift, team
from tests.world import Ledger

ADMIN = Person(team="T1", user="U1ADMIN", roles=frozenset({Role.ADMIN}))
AUDITOR = Person(team="T1", user="U1AUDIT", roles=frozenset({Role.AUDITOR}))
OUTSIDER = Person(team="T1", user="U1OUT", roles=frozenset())
ROUTES = SlackRoutes(default=SlackRoute(channel="C0ALERTS", on_call=("U9FALLBACK",), team="platform"))


def take(ledger: Ledger, given: Roster, *, complete: bool = True) -> bool:
    changed: bool = ledger.write(check_on_call.take_roster, given, complete=complete)
    return changed


def latest(ledger: Ledger) -> Any:
    return ledger.read(lambda records: records.latest_roster())


def leaves(ledger: Ledger, kind: str) -> list[dict[str, Any]]:
    with ledger.database.reading.connect() as connection:
        rows = connection.exec_driver_sql("SELECT leaf FROM leaf ORDER BY seq").scalars()
        every = [json.loads(row) for row in rows]
    return [leaf for leaf in every if leaf["type"] == kind]


def ask(ledger: Ledger, *words: str, by: Person | None = None) -> OnCallAnswer:
    answer: OnCallAnswer = ledger.read(check_on_call.who_is_on_call, words, zone=ZoneInfo("UTC"), by=by)
    return answer


def fire(ledger: Ledger, routes: SlackRoutes = ROUTES) -> Alert:
    receipt = ledger.write(receive_alert, delivery(report(ledger.fresh_key())), routes=routes)
    alert: Alert = ledger.read(lambda records: records.alert(receipt.alerts[0][1]))
    return alert


def test_a_roster_is_kept_when_it_has_changed(ledger: Ledger) -> None:
    """The same again is only seen to be still true; each change is in the log, without anybody's name."""
    changed = [take(ledger, roster()), take(ledger, roster())]
    seen = latest(ledger)
    changed.append(take(ledger, roster(team(shift("PKIM"), shift("PSAM", 2)))))

    assert changed == [True, False, True]
    assert (seen.id, seen.checked_at > seen.at) == (1, True)
    assert latest(ledger).id == 2
    first, second = leaves(ledger, "roster.changed")
    assert first["facts"]["digest"] == roster().digest
    assert first["facts"] | {"digest": ""} == {
        "digest": "",
        "teams": 1,
        "people": 2,
        "faults": 0,
        "complete": True,
    }
    assert second["subject"] == {"roster": 2}
    assert "example.com" not in str([first, second])
    assert "Sam" not in str([first, second])


def test_an_incomplete_answer_never_replaces_a_complete_one(ledger: Ledger) -> None:
    """PagerDuty is silent: its teams stay as they were, with their age, while the rota goes on."""
    rota = Roster(
        teams=(team(shift("U1ANA"), name="data", source="rota"),),
        responders=(person("U1ANA", slack="U1ANA"),),
    )
    take(ledger, put_together(None, ["platform", "data"], [roster(), rota], silent=()))
    before = latest(ledger)
    new_rota = Roster(
        teams=(team(shift("U1MAX"), name="data", source="rota"),),
        responders=(person("U1MAX", slack="U1MAX"),),
    )
    take(
        ledger,
        put_together(before, ["platform", "data"], [new_rota], silent=["pagerduty"]),
        complete=False,
    )
    after = latest(ledger)

    assert [each.id for each in after.roster.on_call("platform", NOW)] == ["PSAM"]
    assert [each.id for each in after.roster.on_call("data", NOW)] == ["U1MAX"]
    assert after.checked_at == before.checked_at
    assert not take(ledger, after.roster, complete=False)
    assert latest(ledger).checked_at == before.checked_at


def test_silence_from_the_start_is_not_an_empty_roster(ledger: Ledger) -> None:
    """Nobody knows who is on call, and so it says."""
    assert not take(
        ledger, put_together(None, ["platform"], [Roster()], silent=["pagerduty"]), complete=False
    )
    with pytest.raises(NoRoster):
        ask(ledger)


def test_each_alert_names_who_was_on_call_and_the_roster_that_said_so(ledger: Ledger) -> None:
    """By its digest, in the leaf; what is on call later changes neither."""
    take(ledger, roster())
    alert = fire(ledger)
    take(ledger, roster(team(shift("PKIM"))))
    later = fire(ledger)

    assert (alert.on_call, later.on_call) == (("U1SAM",), ("U1KIM",))
    first, second = (
        ledger.read(lambda records, one=one: records.roster(one.roster_id)) for one in (alert, later)
    )
    told = leaves(ledger, "alert.triggered")
    assert [leaf["facts"]["roster"] for leaf in told] == [first.digest, second.digest]
    assert first.digest == roster().digest


def test_an_alert_that_is_reopened_names_the_roster_of_that_time(ledger: Ledger) -> None:
    take(ledger, roster())
    alert = fire(ledger)
    ledger.write(resolve, alert.id, by=SAM, resolution=NOTE)
    take(ledger, roster(team(shift("PKIM"))))
    again = ledger.write(reopen, alert.id, by=SAM, reason="It came back after an hour")

    assert (alert.roster_id, again.roster_id) == (1, 2)
    [leaf] = leaves(ledger, "alert.reopened")
    assert leaf["facts"]["roster"] == roster(team(shift("PKIM"))).digest


def test_a_person_without_slack_stands_in_the_alert_all_the_same(ledger: Ledger) -> None:
    """By their e-mail address: unknown in Slack is not unknown."""
    take(ledger, roster(people=(person(slack="", in_slack=InSlack.NONE), person("PKIM"))))

    assert fire(ledger).on_call == ("sam@example.com",)


def test_while_slack_has_not_said_whom_it_knows_the_configured_people_are_called(ledger: Ledger) -> None:
    """An address calls nobody, and a silent Slack is no reason to call nobody. The roster is named all the same."""
    take(ledger, roster(people=(person(slack="", in_slack=InSlack.UNKNOWN), person("PKIM"))))
    alert = fire(ledger)
    nobody_else = SlackRoutes(default=SlackRoute(channel="C0ALERTS", team="platform"))

    assert (alert.on_call, alert.roster_id) == (("U9FALLBACK",), 1)
    assert fire(ledger, nobody_else).on_call == ("sam@example.com",)


@pytest.mark.parametrize("case", ["no roster", "nobody is on call", "no team", "a team that is gone"])
def test_when_no_roster_names_anybody_the_configured_people_are_called(ledger: Ledger, case: str) -> None:
    """An alert never calls nobody for that reason."""
    routes = ROUTES
    if case != "no roster":
        take(ledger, roster(team(shift("PSAM", 1, 5, 6))))
    if case == "no team":
        routes = SlackRoutes(default=SlackRoute(channel="C0ALERTS", on_call=("U9FALLBACK",)))
    if case == "a team that is gone":
        routes = SlackRoutes(default=SlackRoute(channel="C0ALERTS", on_call=("U9FALLBACK",), team="gone"))

    assert fire(ledger, routes).on_call == ("U9FALLBACK",)


def test_who_stands_at_a_level_now(ledger: Ledger) -> None:
    """What the escalation asks for, to mention them or write to them; nothing known is nobody."""
    before = ledger.read(lambda records: records.on_call_at("platform", 1))
    take(ledger, roster())

    def at(level: int, name: str = "platform") -> Any:
        return ledger.read(lambda records: records.on_call_at(name, level))

    assert (before, at(1), at(2), at(3), at(1, "gone")) == ((), ("U1SAM",), ("U1KIM",), (), ())
    gone = person(in_slack=InSlack.DEACTIVATED), person("PKIM", slack="", in_slack=InSlack.NONE)
    take(ledger, roster(people=gone))
    assert (at(1), at(2)) == ((), ())


def test_the_question_has_an_answer_for_readers(ledger: Ledger) -> None:
    with pytest.raises(NoRoster, match="does not know yet"):
        ask(ledger)
    take(ledger, roster(team(), team(shift("PKIM"), name="data")))
    every, one = ask(ledger, by=AUDITOR), ask(ledger, "DATA", "+3d", by=SAM)
    later = ask(ledger, "tomorrow", "9:00")

    assert [each.name for each in every.teams] == ["platform", "data"]
    assert ([each.name for each in one.teams], one.at - one.now) == (["data"], timedelta(days=3))
    assert (len(later.teams), f"{later.at:%d %H:%M}") == (2, "25 09:00")
    with pytest.raises(UnknownTeam, match="platform, data"):
        ask(ledger, "dato")
    for words in (("data", "soon"), ("no", "idea")):
        with pytest.raises(UnknownTime, match="Try `now`"):
            ask(ledger, *words)
    with pytest.raises(NotPermitted):
        ask(ledger, by=OUTSIDER)


def test_of_the_past_it_is_told_as_it_was_known_then(ledger: Ledger) -> None:
    """A roster that came later does not rewrite who was on call; before the first one nobody knows."""
    take(ledger, roster())
    ledger.clock.move(3600)
    take(ledger, roster(team(shift("PKIM"))))
    ledger.clock.move(3600)
    before = ask(ledger, f"{ledger.clock.now() - timedelta(minutes=90):%Y-%m-%dT%H:%M:%SZ}")

    assert [each.id for each in before.stored.roster.on_call("platform", before.at)] == ["PSAM"]
    assert [each.id for each in ask(ledger).stored.roster.on_call("platform", NOW)] == ["PKIM"]
    with pytest.raises(NotKnownThen, match="had not asked yet"):
        ask(ledger, "2026-11-20")


def test_the_contact_list_is_reviewed_on_record(ledger: Ledger) -> None:
    """Who, in which role, when, and the digest of exactly the document they read, which can be made again."""
    take(ledger, roster())
    made_at = NOW + timedelta(hours=1)
    ledger.write(check_on_call.review_contacts, 1, made_at=made_at, by=LEAD)
    take(ledger, roster(team(shift("PKIM"))))

    answer = ask(ledger)
    assert answer.review
    assert answer.review.reviewed_by == "U1LEAD"
    assert (answer.review.id, answer.stored.id) == (1, 2), "the roster has changed since"
    [leaf] = leaves(ledger, "contacts.reviewed")
    assert leaf["actor"] == {"kind": "slack", "team": "T1", "user": "U1LEAD", "role": "engineering_lead"}
    assert leaf["facts"]["made_at"] == "2026-11-24T04:00:00Z"
    again = to_csv(ledger.read(lambda records: records.roster(1)), made_at)
    assert leaf["facts"]["document"] == check_on_call.document_digest(again)
    with pytest.raises(NotPermitted):
        ledger.write(check_on_call.review_contacts, 1, made_at=made_at, by=SAM)


def test_people_link_themselves_and_leads_link_anybody(ledger: Ledger) -> None:
    """An account that is somebody's already is not taken over by the next one who asks."""
    take(ledger, roster(people=(person(slack="", in_slack=InSlack.NONE), person("PKIM"))))

    assert ledger.read(check_on_call.accounts_to_link, by=SAM) == [("pagerduty", "PSAM", "Sam")]
    assert len(ledger.read(check_on_call.accounts_to_link, by=ADMIN)) == 2
    ledger.write(check_on_call.link_account, "pagerduty", "PSAM", "U1SAM", by=SAM)
    for account, user in (("PSAM", "U1KIM"), ("PKIM", "U1SAM"), ("PNOBODY", "U1SAM")):
        with pytest.raises(NotPermitted):
            ledger.write(check_on_call.link_account, "pagerduty", account, user, by=SAM)
    ledger.write(check_on_call.link_account, "pagerduty", "PKIM", "U2KIM", by=LEAD)
    ledger.write(check_on_call.link_account, "pagerduty", "PSAM", "U1SAMUEL", by=ADMIN)

    links = {link.account: link.slack_user for link in ledger.read(check_on_call.known)[1]}
    assert links == {"PSAM": "U1SAMUEL", "PKIM": "U2KIM"}
    told = leaves(ledger, "account.linked")
    assert [(leaf["actor"]["user"], leaf["facts"]["slack_user"]) for leaf in told] == [
        ("U1SAM", "U1SAM"),
        ("U1LEAD", "U2KIM"),
        ("U1ADMIN", "U1SAMUEL"),
    ]
