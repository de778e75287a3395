"""A test alert is on record from the request to the verdict; it is no alert, and hides none."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.alert import Change
from bot.domain.delivery import COMPARISON, Outcome
from bot.domain.errors import NotPermitted, ThinNote
from bot.domain.person import Person, Role
from bot.domain.schedule import Due
from bot.domain.test_alert import (
    Cause,
    Hop,
    Message,
    Mode,
    NeedsConsent,
    Proof,
    Sent,
    TestAlert,
    TestIsOver,
    TestPath,
    UnderWay,
    UnknownPath,
    Verdict,
    Witnessed,
    new_nonce,
)
from bot.domain.validation import Period
from bot.domain.validation import Verdict as Stands
from bot.procedures import keep_schedule, review_tests, test_alerting
from bot.procedures.escalate_alert import Reach
from bot.procedures.receive_alert import receive_alert
from tests.reports import KIM, LEAD, SAM, delivery, report
from tests.world import ROUTES, Ledger

HOPS = (Hop.SENT, Hop.RECEIVED, Hop.INCIDENT, Hop.SHOWN, Hop.TOLD, Hop.SEEN)
PATH = TestPath(id="generic", provider="generic", title="Generic → Slack", hops=HOPS)
REACH = Reach(routes=ROUTES)
AUDITOR = Person(team="T1", user="U1AUDIT", roles=frozenset({Role.AUDITOR}))
_bytes = iter(range(1, 250))


def nonce() -> str:
    return new_nonce(lambda size: bytes([next(_bytes)]) * size)


def begin(ledger: Ledger, path: str = "generic", **given: Any) -> TestAlert:
    asked = {"nonce": nonce(), "mode": Mode.QUIET, "reach": REACH, "by": LEAD} | given
    test: TestAlert = ledger.write(test_alerting.begin, path, **asked)
    return test


def sent(ledger: Ledger, **given: Any) -> TestAlert:
    test = begin(ledger, **given)
    ledger.write(test_alerting.next_try, test.id)
    went: TestAlert = ledger.write(test_alerting.sent, test.id, Sent(reference="m-1"))
    return went


def now(ledger: Ledger, test: TestAlert) -> TestAlert:
    found: TestAlert = ledger.read(test_alerting.known, test.id)
    return found


def deliver_all(ledger: Ledger, test: TestAlert) -> TestAlert:
    """Every hop of it."""
    ledger.write(receive_alert, delivery(report(title=f"[TEST] {test.nonce}")), routes=ROUTES)
    there = Message(channel="C1", ts="1.1")
    ledger.write(test_alerting.witnessed, test.id, [Witnessed(hop=Hop.INCIDENT, at=ledger.clock.now())])
    ledger.write(test_alerting.shows, test.id, now(ledger, test), there)
    ledger.write(test_alerting.told, test.id, there)
    ledger.write(test_alerting.seen, test.id, by=SAM)
    return ledger.write(test_alerting.settle, test.id)  # type: ignore[no-any-return]


@pytest.fixture
def paths(ledger: Ledger) -> Ledger:
    ledger.write(test_alerting.keep_paths, [PATH])
    return ledger


def test_from_the_request_to_the_verdict(database_url: str) -> None:
    """Each step with its time, who did it, and by which delivery."""
    ledger = Ledger(database_url)
    ledger.write(test_alerting.keep_paths, [PATH])
    test = deliver_all(ledger, sent(ledger, component="prod-db-1"))

    assert test == now(ledger, test)
    assert (test.verdict, test.missing, test.person, test.channel) == (
        Verdict.DELIVERED,
        (),
        "U1SAM",
        "C0ALERTS",
    )
    with ledger.database.reading.connect() as connection:
        rows = connection.exec_driver_sql('SELECT type, "by", leaf FROM leaf ORDER BY seq').all()
    told = [(row.type, row.by) for row in rows if row.type.startswith("test.")]
    assert told == [
        ("test.path_added", "socmon"),
        ("test.asked", "U1LEAD"),
        ("test.sent", "socmon"),
        ("test.received", "generic"),
        ("test.passed", "socmon"),
        ("test.passed", "socmon"),
        ("test.passed", "socmon"),
        ("test.seen", "U1SAM"),
        ("test.delivered", "socmon"),
    ]
    facts = [json.loads(row.leaf)["facts"] for row in rows if row.type == "test.received"]
    assert facts[0]["verified_by"] == "test"
    assert ledger.read(lambda records: records.find_alerts()) == []
    ledger.database.close()


def test_a_nonce_that_is_not_on_record_hides_no_alert(paths: Ledger) -> None:
    """Whoever writes such words into an alert gets an alert."""
    test = sent(paths)
    strange = report("disk/1", title=f"[TEST] {nonce()}")
    own = report("disk/2", text=f"run={test.nonce}")
    receipt = paths.write(receive_alert, delivery(strange, own), routes=ROUTES)

    assert [outcome for outcome, _, _ in receipt.alerts] == [Outcome.NEW, Outcome.IGNORED]
    assert [alert.dedup_key for alert in paths.read(lambda records: records.find_alerts())] == ["disk/1"]


def test_the_end_of_a_test_opens_nothing_though_it_bears_no_nonce(paths: Ledger) -> None:
    """CloudWatch gives its own reason when the alarm is over; a real alarm of the same name is an alert."""
    test = sent(paths)
    paths.write(receive_alert, delivery(report("alarm/1", value=test.nonce)), routes=ROUTES)
    over = paths.write(receive_alert, delivery(report("alarm/1", Change.RECOVERED)), routes=ROUTES)
    real = paths.write(receive_alert, delivery(report("alarm/1")), routes=ROUTES)

    assert over.alerts == ((Outcome.IGNORED, None, "test notification"),)
    assert real.alerts[0][0] is Outcome.NEW


def test_what_was_found_by_asking_proves_no_way_here(paths: Ledger) -> None:
    test = sent(paths)
    asked = delivery(report(title=test.nonce), verified_by=COMPARISON)
    paths.write(receive_alert, asked, routes=ROUTES)
    assert Hop.RECEIVED in now(paths, test).missing
    elsewhere = delivery(report(title=test.nonce), provider="pagerduty")
    paths.write(receive_alert, elsewhere, routes=ROUTES)

    assert now(paths, test).missing == (Hop.RECEIVED, Hop.SHOWN, Hop.TOLD, Hop.SEEN)


def test_who_may_begin_what(paths: Ledger) -> None:
    """An auditor sends none; a page without consent is a lead's, with the reason; one at a time on a path."""
    for by, given, error in (
        (AUDITOR, {}, NotPermitted),
        (SAM, {"at_once": True, "reason": "A long enough reason", "mode": Mode.LIVE}, NotPermitted),
        (LEAD, {"at_once": True, "reason": "short", "mode": Mode.LIVE}, ThinNote),
        (SAM, {"path": "generi"}, UnknownPath),
    ):
        with pytest.raises(error):
            begin(paths, **{"by": by, **given})  # type: ignore[arg-type]
    begin(paths)
    with pytest.raises(UnderWay, match="T-1"):
        begin(paths)


def test_only_the_person_on_call_can_say_yes_or_that_it_came(paths: Ledger) -> None:
    test = begin(paths, mode=Mode.LIVE)
    with pytest.raises(NeedsConsent):
        paths.write(test_alerting.agree, test.id, by=KIM)
    assert paths.write(test_alerting.next_try, test.id) is None
    paths.write(test_alerting.agree, test.id, by=SAM)
    assert paths.write(test_alerting.next_try, test.id)
    assert paths.write(test_alerting.next_try, test.id) is None
    with pytest.raises(Exception, match="proves nothing"):
        paths.write(test_alerting.seen, test.id, by=LEAD)
    declined = begin(paths_with(paths, "other"), "other", mode=Mode.LIVE)
    paths.write(test_alerting.decline, declined.id, by=SAM)
    with pytest.raises(TestIsOver):
        paths.write(test_alerting.agree, declined.id, by=SAM)


def paths_with(ledger: Ledger, *others: str) -> Ledger:
    ledger.write(test_alerting.keep_paths, [PATH, *(replace(PATH, id=each) for each in others)])
    return ledger


def test_a_crash_while_sending_leaves_a_failed_test_to_be_cleaned_up(paths: Ledger) -> None:
    """Nobody can tell whether it was sent, so it is not sent again, and its rest is looked for."""
    test = begin(paths)
    assert paths.write(test_alerting.take, test.id)
    paths.write(test_alerting.next_try, test.id)
    assert paths.write(test_alerting.take, test.id) is None
    paths.clock.move(121)
    assert paths.write(test_alerting.take, test.id)
    ended = paths.write(test_alerting.settle, test.id)

    assert (ended.verdict, ended.broken, ended.has_to_be_cleaned_up) == (Verdict.FAILED, Hop.SENT, True)
    assert [one.id for one in paths.read(test_alerting.unfinished)] == [test.id]
    again = paths.write(test_alerting.not_cleaned_up, test.id, "It did not answer.")
    assert again.has_to_be_cleaned_up
    paths.clock.move(25 * 3600)
    given_up = paths.write(test_alerting.not_cleaned_up, test.id, "It did not answer.")
    assert (given_up.has_to_be_cleaned_up, given_up.is_left) == (False, True)


def test_each_week_what_is_not_proven_is_tested(paths: Ledger) -> None:
    """Once while it runs; a proven path again in its fourth week. All are listed, and the looks that were missed."""
    begun = paths.write(test_alerting.begin_due, [nonce()], reach=REACH)
    assert [one.on_schedule for one in begun] == [True]
    assert paths.write(test_alerting.begin_due, [nonce()], reach=REACH) == []
    paths.write(test_alerting.next_try, begun[0].id)
    paths.write(test_alerting.sent, begun[0].id, Sent())
    deliver_all(paths, begun[0])
    weeks = []
    for _ in range(4):
        paths.clock.move(7 * 86400)
        weeks.append(len(paths.write(test_alerting.begin_due, [nonce()], reach=REACH)))
    missed = paths.clock.now()
    paths.write(
        keep_schedule.claim_due, test_alerting.JOB, Due(run=None, missed=(missed,)), dead_before=missed
    )

    assert weeks == [0, 0, 0, 1]
    year = paths.read(review_tests.list_tests, missed - timedelta(days=60), missed + timedelta(days=1))
    assert [one.verdict for one in year.tests] == [Verdict.DELIVERED, None]
    assert year.missed == (missed,)


def test_the_section_names_each_path_that_is_not_proven(paths: Ledger) -> None:
    def section() -> Any:
        at = paths.clock.now()
        week = Period(week="2026-W48", start=at - timedelta(days=7), end=at + timedelta(seconds=1))
        return paths.read(review_tests.tests, week)

    never = section()
    deliver_all(paths, sent(paths))
    good = section()
    broken = sent(paths)
    cause = Cause(says="It goes to nobody.", mend="Give it a target.")
    paths.write(test_alerting.failed, broken.id, Hop.RECEIVED, cause)
    bad = section()
    paths.write(test_alerting.keep_paths, [])
    none = section()

    assert [one.verdict for one in (never, good, bad, none)] == [
        Stands.WARNING,
        Stands.GOOD,
        Stands.BAD,
        Stands.WARNING,
    ]
    assert [one.findings[0].id for one in (never, bad, none)] == ["test:generic", "test:generic", "test:none"]
    assert "hop “received” (T-2). It goes to nobody." in bad.findings[0].says
    assert bad.findings[0].mend == "Give it a target."
    assert good.facts["delivered"] == 1


def test_who_sends_themselves_a_test_proves_no_path(paths: Ledger) -> None:
    """Nor does it make a broken path whole; what it finds broken counts."""
    own = deliver_all(paths, sent(paths, by=SAM))
    [unproven] = paths.read(test_alerting.standing)
    broken = sent(paths, by=SAM)
    paths.write(test_alerting.failed, broken.id, Hop.RECEIVED, Cause(says="No.", mend="Yes."))
    paths.clock.move(60)
    deliver_all(paths, sent(paths, by=SAM))
    [still] = paths.read(test_alerting.standing)

    assert (own.verdict, own.is_self_test, own.proves) == (Verdict.DELIVERED, True, False)
    assert (unproven.proof(paths.clock.now()), still.proof(paths.clock.now())) == (Proof.NEVER, Proof.BROKEN)


def test_a_path_that_comes_back_has_to_be_proven_anew(paths: Ledger) -> None:
    deliver_all(paths, sent(paths))
    paths.write(test_alerting.keep_paths, [])
    with pytest.raises(UnknownPath):
        begin(paths)
    paths.clock.move(60)
    paths.write(test_alerting.keep_paths, [PATH])
    [stands] = paths.read(test_alerting.standing)

    assert (stands.proven, stands.newest) == (None, None)
