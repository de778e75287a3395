"""Direct messages are bundled, at most one a person in ten minutes, and a crash neither loses nor multiplies them."""

from typing import Any

import pytest

from bot.domain.alert import Change, Severity
from bot.domain.escalation import Policy
from bot.domain.notice import Bundle
from bot.procedures import respond_to_alert
from bot.procedures.receive_alert import receive_alert
from bot.procedures.send_notices import (
    KEPT,
    bundle_hopeless,
    bundle_refused,
    bundle_sent,
    forget_old_notices,
    take_bundles,
)
from tests.reports import KIM, NOTE, SAM, delivery, report
from tests.world import ROUTES, Ledger

POLICY = Policy(quiet=None)


def fire(ledger: Ledger, amount: int, severity: Severity = Severity.SEV1) -> None:
    reports = [report(f"p{number}", severity=severity) for number in range(amount)]
    ledger.write(receive_alert, delivery(*reports), routes=ROUTES)


def owe(ledger: Ledger, user: str, *alert_ids: int, kind: str = "unacknowledged") -> None:
    def all_of_them(records: Any) -> None:
        for alert_id in alert_ids:
            records.owe_notice(user, alert_id, kind)

    ledger.write(all_of_them)


def take(ledger: Ledger, policy: Policy = POLICY, most: int = 20) -> list[Bundle]:
    found: list[Bundle] = ledger.write(take_bundles, policy, most=most)
    return found


def listed(bundles: list[Bundle]) -> dict[str, list[int]]:
    return {bundle.user: [one.alert.id for one in bundle.waiting] for bundle in bundles}


def test_all_that_waits_for_a_person_is_one_message(ledger: Ledger) -> None:
    """Most severe first; an alert that waits for two reasons stands there once, with both."""
    fire(ledger, 2, Severity.SEV3)
    ledger.write(receive_alert, delivery(report("worse", severity=Severity.SEV1)), routes=ROUTES)
    owe(ledger, "U1SAM", 1, 2, 3)
    owe(ledger, "U1SAM", 3, kind="escalated")
    owe(ledger, "U1KIM", 3)

    bundles = take(ledger)
    assert listed(bundles) == {"U1SAM": [3, 1, 2], "U1KIM": [3]}
    assert [one.kinds for one in bundles[0].waiting][:2] == [
        ("unacknowledged", "escalated"),
        ("unacknowledged",),
    ]


@pytest.mark.parametrize("outcome", ["sent", "crashed"])
def test_there_is_one_message_in_ten_minutes_whatever_happens(ledger: Ledger, outcome: str) -> None:
    """What was on its way when socmon died is owed again, together with what came since."""
    fire(ledger, 3)
    owe(ledger, "U1SAM", 1)
    [bundle] = take(ledger)
    if outcome == "sent":
        ledger.write(bundle_sent, bundle)
    owe(ledger, "U1SAM", 2, 3)
    ledger.clock.move(590)
    assert take(ledger) == []

    ledger.clock.move(10)
    assert listed(take(ledger)) == {"U1SAM": [2, 3] if outcome == "sent" else [1, 2, 3]}


def test_what_slack_refused_is_tried_again_at_once(ledger: Ledger) -> None:
    """It certainly did not arrive."""
    fire(ledger, 1)
    owe(ledger, "U1SAM", 1)
    [bundle] = take(ledger)
    ledger.write(bundle_refused, bundle)

    assert take(ledger) == [bundle]
    ledger.write(bundle_hopeless, bundle)
    ledger.clock.move(3600)
    assert take(ledger) == []


def test_two_replicas_never_send_the_same(ledger: Ledger) -> None:
    fire(ledger, 1)
    owe(ledger, "U1SAM", 1)

    assert [len(take(ledger)), len(take(ledger))] == [1, 0]


def test_what_was_settled_meanwhile_is_not_told(ledger: Ledger) -> None:
    """Acknowledged, resolved, or taken up by the very person who was to be told."""
    fire(ledger, 4)
    owe(ledger, "U1SAM", 1, 2, 3, 4)
    ledger.write(respond_to_alert.acknowledge, 1, by=KIM)
    ledger.write(respond_to_alert.resolve, 2, by=KIM, resolution=NOTE)
    ledger.write(respond_to_alert.add_note, 3, by=SAM, text="I am looking at the disk")

    assert listed(take(ledger)) == {"U1SAM": [4]}


@pytest.mark.parametrize(
    ("kind", "over"),
    [("assigned", "handed on"), ("awake", "snoozed again"), ("note_missing", "fires again")],
)
def test_each_reason_can_pass(ledger: Ledger, kind: str, over: str) -> None:
    fire(ledger, 1)
    if kind == "note_missing":
        recovered = report("p0", change=Change.RECOVERED, occurred_at=ledger.clock.now())
        ledger.write(receive_alert, delivery(recovered), routes=ROUTES)
    ledger.write(respond_to_alert.reassign, 1, by=SAM, to=KIM)
    take(ledger)
    ledger.clock.move(3600)
    owe(ledger, "U1KIM", 1, kind=kind)
    bundles = take(ledger)
    assert listed(bundles) == {"U1KIM": [1]}
    ledger.write(bundle_refused, bundles[0])

    match over:
        case "handed on":
            ledger.write(respond_to_alert.reassign, 1, by=KIM, to=SAM)
        case "snoozed again":
            ledger.write(respond_to_alert.snooze, 1, by=KIM, minutes=30)
        case _:
            later = report("p0", severity=Severity.SEV1, occurred_at=ledger.clock.now())
            ledger.write(receive_alert, delivery(later), routes=ROUTES)
            ledger.write(respond_to_alert.acknowledge, 1, by=SAM)
    assert "U1KIM" not in listed(take(ledger))


def test_what_is_mild_is_not_told_at_night(ledger: Ledger) -> None:
    """Also when it came up in the evening and waited for its turn; what is grave is told alone meanwhile."""
    fire(ledger, 1, Severity.SEV4)
    ledger.write(receive_alert, delivery(report("worse", severity=Severity.SEV2)), routes=ROUTES)
    owe(ledger, "U1SAM", 1, 2)
    [bundle] = take(ledger, Policy())
    assert listed([bundle]) == {"U1SAM": [2]}
    ledger.write(bundle_sent, bundle)

    ledger.clock.move(5 * 3600 + 60)
    assert listed(take(ledger, Policy())) == {"U1SAM": [1]}


def test_a_storm_is_one_message_and_not_too_many_people_at_once(ledger: Ledger) -> None:
    fire(ledger, 500)
    owe(ledger, "U1SAM", *range(1, 501))
    for number in range(30):
        owe(ledger, f"U1P{number}", 1)

    first, second = take(ledger), take(ledger)
    assert (len(first), len(second)) == (20, 11)
    assert len(first[0].waiting) == 500


def test_what_was_sent_long_ago_is_forgotten(ledger: Ledger) -> None:
    fire(ledger, 1)
    owe(ledger, "U1SAM", 1)
    [bundle] = take(ledger)
    ledger.write(bundle_sent, bundle)
    early = ledger.write(forget_old_notices)
    ledger.clock.move(KEPT.total_seconds() + 10)

    assert (early, ledger.write(forget_old_notices)) == (0, 1)
