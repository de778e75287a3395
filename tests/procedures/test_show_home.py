"""What each person's Home is made of: right counts where lists are cut, a lead's view for leads only."""

from datetime import timedelta

import pytest

from bot.domain.alert import Change, Severity
from bot.domain.errors import NotPermitted
from bot.domain.escalation import Phase, Progress
from bot.domain.home import Home, Oversight
from bot.domain.oncall import FaultKind
from bot.domain.person import Person, Role
from bot.domain.thread import SlackRoute, SlackRoutes
from bot.procedures import check_on_call, show_home
from bot.procedures.receive_alert import receive_alert
from bot.procedures.respond_to_alert import acknowledge
from bot.procedures.show_home import Installation
from bot.procedures.suggest_tuning import suggest_tuning
from tests.reports import KIM, LEAD, SAM, delivery, report
from tests.rosters import EMAIL, person, roster, shift, team
from tests.world import ROUTES, Ledger

HERE = Installation(sources={"generic": "Generic webhook"}, version="1.2.3", teams=("platform",))
NOWHERE = Installation(sources={}, version="1.2.3", teams=())
ADMIN = Person(team="T1", user="U1ADMIN", roles=frozenset({Role.ADMIN}))
AUDITOR = Person(team="T1", user="U1AUDIT", roles=frozenset({Role.AUDITOR}))


def homes(ledger: Ledger, *people: Person, here: Installation = HERE) -> list[Home]:
    found: list[Home] = ledger.read(show_home.homes, people, here, {})
    return found


def oversight(ledger: Ledger, by: Person = LEAD) -> Oversight:
    [home] = homes(ledger, by)
    assert home.oversight
    return home.oversight


def test_counts_are_right_where_lists_are_cut(ledger: Ledger) -> None:
    """Six hundred open alerts: more than any page of them; the most severe are listed."""
    routes = SlackRoutes(default=SlackRoute(channel="C0ALERTS", on_call=("U1SAM",)))
    mine = [report(f"m{at}", severity=Severity.SEV1 if at > 590 else Severity.SEV3) for at in range(600)]
    ledger.write(receive_alert, delivery(*mine), routes=routes)
    ledger.write(acknowledge, 1, by=KIM)
    sam, kim = homes(ledger, SAM, KIM)

    assert (sam.mine.count, sam.others.count, kim.mine.count, kim.others.count) == (599, 0, 1, 599)
    assert [alert.id for alert in sam.mine.alerts] == [*range(592, 601), 2]
    assert [alert.id for alert in kim.mine.alerts] == [1]


def test_a_lead_sees_what_is_late_and_amiss_and_nobody_else_does(ledger: Ledger) -> None:
    for key in ("waits", "late", "over"):
        ledger.write(receive_alert, delivery(report(key)), routes=ROUTES)
    ledger.write(receive_alert, delivery(report("over", Change.RECOVERED)), routes=ROUTES)
    late = Progress(phase=Phase.UNACKNOWLEDGED, begun_at=ledger.clock.now(), done=1)
    ledger.write(lambda records: records.keep_progress(2, late))
    given = roster(team(shift("PSAM")), people=(person(methods=(EMAIL,)), person("PKIM")))
    ledger.write(check_on_call.take_roster, given, complete=True)
    seen = [home.oversight for home in homes(ledger, SAM, AUDITOR, LEAD, ADMIN)]

    assert [each is None for each in seen] == [True, True, False, False]
    for subject in (check_on_call.FAULTS, "slack:token"):
        ledger.write(lambda records, subject=subject: records.set_problem(subject, "To be mended."))
    found = oversight(ledger)
    assert [problem.subject for problem in found.problems] == ["slack:token"]
    assert (found.late.first, found.late.count) == ((2,), 1)
    assert (found.notes_missing.first, found.notes_missing.count) == ((3,), 1)
    assert [fault.kind for fault in found.faults] == [FaultKind.EMPTY_LEVEL, FaultKind.ONLY_EMAIL]
    assert (found.flapping.count, found.out_of_step, found.review, found.is_review_current) == (
        0,
        {},
        None,
        False,
    )


def test_a_review_counts_until_the_roster_changes(ledger: Ledger) -> None:
    ledger.write(check_on_call.take_roster, roster(), complete=True)
    ledger.write(check_on_call.review_contacts, 1, made_at=ledger.clock.now(), by=LEAD)
    before = oversight(ledger)
    ledger.write(check_on_call.take_roster, roster(team(shift("PKIM"), shift("PSAM", 2))), complete=True)
    after = oversight(ledger)

    assert before.review
    assert after.review
    assert (before.review.reviewed_by, before.is_review_current, after.is_review_current) == (
        "U1LEAD",
        True,
        False,
    )


def test_an_alert_that_comes_and_goes_stays_with_the_lead_while_it_is_open(ledger: Ledger) -> None:
    for change in [Change.TRIGGERED, *[Change.RECOVERED, Change.TRIGGERED] * 6]:
        ledger.write(receive_alert, delivery(report("flaps", change)), routes=ROUTES)
    before = oversight(ledger).flapping
    ledger.write(suggest_tuning, leads=["U1LEAD"])

    assert (before.count, oversight(ledger).flapping.first) == (0, (1,))


def test_without_a_team_nothing_is_said_of_an_old_roster(ledger: Ledger) -> None:
    ledger.write(check_on_call.take_roster, roster(), complete=True)
    [here] = homes(ledger, SAM)
    [nowhere] = homes(ledger, SAM, here=NOWHERE)

    assert here.on_call
    assert here.on_call.duties
    assert (nowhere.on_call, nowhere.has_teams) == (None, False)


def test_a_stranger_sees_nothing_and_is_not_kept(ledger: Ledger) -> None:
    stranger = Person(team="T1", user="U1OUT", roles=frozenset())
    with pytest.raises(NotPermitted):
        homes(ledger, stranger)
    with pytest.raises(NotPermitted):
        ledger.write(show_home.open_home, by=stranger, lease="a")

    assert ledger.read(show_home.homes_seen) == []


def test_it_is_looked_at_again_with_every_entry_and_every_minute(ledger: Ledger) -> None:
    """Time alone ends a turn on call."""
    before = ledger.read(show_home.how_far)
    ledger.write(receive_alert, delivery(report()), routes=ROUTES)
    entry = ledger.read(show_home.how_far)
    ledger.clock.move(timedelta(minutes=1).total_seconds())

    assert len({before, entry, ledger.read(show_home.how_far)}) == 3
