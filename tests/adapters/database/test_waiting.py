"""Which alerts wait, how far they have come, and who is owed a message: the same on each database."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.domain.alert import Change, Severity
from bot.domain.escalation import Phase, Policy, Progress
from bot.procedures import respond_to_alert
from bot.procedures.escalate_alert import PAGE, Reach, alerts_to_escalate, escalate_alert
from bot.procedures.receive_alert import receive_alert
from bot.procedures.send_notices import bundle_sent, take_bundles
from tests.reports import KIM, NOTE, SAM, START, delivery, report
from tests.world import ROUTES, Ledger

REACH = Reach(leads=("U1LEAD",), routes=ROUTES)


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    made = Ledger(database_url)
    yield made
    made.database.close()


def waiting(ledger: Ledger) -> list[int]:
    at_once = {severity: timedelta(0) for severity in Severity}
    found = ledger.read(lambda records: records.waiting_alerts(patience=at_once, after=0, most=100))
    return [one.id for one, _ in found]


def test_what_waits_is_what_nobody_took_or_nobody_explained(ledger: Ledger) -> None:
    """And what somebody took while its clock ran, once more, so that it is stopped."""
    ledger.write(receive_alert, delivery(*map(report, "abcd")), routes=ROUTES)
    for alert_id in (2, 3):
        ledger.write(respond_to_alert.acknowledge, alert_id, by=SAM)
    ledger.write(receive_alert, delivery(report("c", change=Change.RECOVERED)), routes=ROUTES)
    ledger.write(respond_to_alert.resolve, 4, by=SAM, resolution=NOTE)
    assert waiting(ledger) == [1, 3]

    running = Progress(phase=Phase.UNACKNOWLEDGED, begun_at=START, done=1)
    ledger.write(lambda records: records.keep_progress(2, running))
    assert waiting(ledger) == [1, 2, 3]
    ledger.write(lambda records: records.keep_progress(2, running.left(START)))
    assert waiting(ledger) == [1, 3]
    assert ledger.read(lambda records: records.escalation(2)) == {Phase.UNACKNOWLEDGED: running.left(START)}


def test_what_has_fired_for_less_than_the_policy_s_patience_is_not_even_read(ledger: Ledger) -> None:
    """A storm is thousands of new alerts: whoever looks every few seconds must not read them all."""
    mild, bad = report("mild", severity=Severity.SEV2), report("bad", severity=Severity.SEV1)
    recovered = (report("over"), report("over", change=Change.RECOVERED))
    ledger.write(receive_alert, delivery(mild, bad, *recovered), routes=ROUTES)
    patience = {severity: Policy().patience(severity) for severity in Severity}

    def read() -> list[int]:
        found = ledger.read(lambda records: records.waiting_alerts(patience=patience, after=0, most=100))
        return [one.id for one, _ in found]

    assert read() == [3]
    ledger.clock.move(timedelta(minutes=5).total_seconds())
    assert read() == [2, 3]
    ledger.clock.move(timedelta(minutes=10).total_seconds())
    assert read() == [1, 2, 3]


def test_the_whole_way_from_a_trigger_to_a_sent_message(ledger: Ledger) -> None:
    """More alerts than one page holds; each step once."""
    amount = PAGE + 5
    reports = [report(f"p{number}", severity=Severity.SEV1) for number in range(amount)]
    ledger.write(receive_alert, delivery(*reports), routes=ROUTES)
    ledger.clock.move(301)
    policy = Policy()
    first, after = ledger.read(alerts_to_escalate, policy, after=0)
    second, end = ledger.read(alerts_to_escalate, policy, after=after)
    assert (len(first), len(second), end) == (PAGE, 5, None)
    for alert_id in [*first, *second]:
        assert ledger.write(escalate_alert, alert_id, policy=policy, reach=REACH) == 1
        assert ledger.write(escalate_alert, alert_id, policy=policy, reach=REACH) == 0

    ledger.write(respond_to_alert.acknowledge, 7, by=KIM)
    [bundle] = ledger.write(take_bundles, policy, most=20)
    assert (bundle.user, len(bundle.waiting)) == ("U1SAM", amount - 1)
    ledger.write(bundle_sent, bundle)
    ledger.clock.move(timedelta(hours=1).total_seconds())
    assert ledger.write(take_bundles, policy, most=20) == []
