"""What Slack is to be told next: on record before it is sent, and nothing twice."""

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.alert import Change
from bot.procedures import respond_to_alert
from bot.procedures.receive_alert import receive_alert
from bot.procedures.show_alert import (
    LEASE,
    Step,
    Task,
    announced,
    moment_of,
    parent_key,
    progressed,
    reply_key,
    resend,
    take_tasks,
)
from tests.reports import KIM, NOTE, SAM, delivery, report
from tests.world import ROUTES, Ledger


def trigger(ledger: Ledger, key: str = "p") -> None:
    ledger.write(receive_alert, delivery(report(key)), routes=ROUTES)


def take(ledger: Ledger, lease: str = "x", **given: Any) -> Task:
    wanted: dict[str, Any] = {"busy_channels": [], "updates_allowed": True, "except_alerts": []} | given
    [task] = ledger.write(take_tasks, lease=lease, **wanted)
    assert isinstance(task, Task)
    return task


def post(ledger: Ledger, ts: str = "1.0001") -> None:
    task = take(ledger)
    ledger.write(announced, task.thread.posted(ts, revision=task.thread.revision, moment=-1))


def nothing_to_do(ledger: Ledger) -> bool:
    tasks: list[Task] = ledger.write(
        take_tasks, lease="x", busy_channels=[], updates_allowed=True, except_alerts=[]
    )
    return not tasks


def test_the_intent_is_on_record_before_the_message_goes_out(ledger: Ledger) -> None:
    """Whoever is handed a message to send has its key in the database already."""
    trigger(ledger)

    task = take(ledger)

    stored = ledger.read(lambda records: records.thread(1))
    assert (task.step, task.lost) == (Step.POST, None)
    assert (stored.intent, stored.intent_at) == (parent_key(1), ledger.clock.now())


def test_after_a_crash_the_message_is_looked_for(ledger: Ledger) -> None:
    """The next to take the thread is told which message may be there already, and since when."""
    trigger(ledger)
    sent_at = take(ledger).thread.intent_at
    ledger.clock.move(LEASE.total_seconds())

    task = take(ledger, "another")

    assert (task.step, task.lost, task.thread.intent_at) == (Step.POST, "A-1", sent_at)


def test_sending_again_renews_intent_and_lease(ledger: Ledger) -> None:
    """Nobody else comes in between, and a second loss is looked for from the second time on."""
    trigger(ledger)
    take(ledger)
    ledger.clock.move(LEASE.total_seconds())
    task = take(ledger, "another")
    ledger.clock.move(LEASE.total_seconds() - 5)

    assert ledger.write(resend, task.thread)
    renewed = ledger.read(lambda records: records.thread(1))
    ledger.clock.move(LEASE.total_seconds() - 5)
    assert renewed.intent_at is not None
    assert ledger.clock.now() - renewed.intent_at < LEASE
    assert nothing_to_do(ledger)


def test_whoever_lost_the_lease_sends_nothing_again(ledger: Ledger) -> None:
    """A replica that was paused learns it before it would post."""
    trigger(ledger)
    paused = take(ledger)
    ledger.clock.move(LEASE.total_seconds())
    take(ledger, "another")

    assert not ledger.write(resend, paused.thread)
    assert not ledger.write(announced, paused.thread.posted("1.0001", revision=1, moment=-1))
    assert not ledger.write(progressed, paused.thread.refused("x", retry_at=ledger.clock.now()))


def test_the_announcement_is_logged_once(ledger: Ledger) -> None:
    """Where the alert stands in Slack is evidence; the one who lost the race logs nothing."""
    trigger(ledger)
    task = take(ledger)
    done = [ledger.write(announced, task.thread.posted("1.0001", revision=1, moment=-1)) for _ in range(2)]

    moments = ledger.read(lambda records: records.timeline(1))
    assert done == [True, False]
    assert [moment.kind for moment in moments] == ["triggered", "announced"]
    assert moments[1].facts == {"channel": "C0ALERTS", "ts": "1.0001"}
    assert nothing_to_do(ledger)


def test_a_change_is_an_update_first_and_then_a_reply(ledger: Ledger) -> None:
    """The parent shows how things stand; the thread tells what happened."""
    trigger(ledger)
    post(ledger)
    ledger.write(respond_to_alert.acknowledge, 1, by=SAM)

    update = take(ledger)
    ledger.write(progressed, update.thread.updated(update.thread.revision))
    reply = take(ledger)
    ledger.write(progressed, reply.thread.told(reply.thread.latest))

    assert (update.step, reply.step) == (Step.UPDATE, Step.REPLY)
    assert nothing_to_do(ledger)


def test_a_reply_tells_what_the_parent_does_not(ledger: Ledger) -> None:
    """That it triggered and was announced, the parent says already."""
    trigger(ledger)
    post(ledger)
    ledger.write(respond_to_alert.add_note, 1, by=SAM, text="Looking at the database")

    update = take(ledger)
    ledger.write(progressed, update.thread.updated(update.thread.revision))
    reply = take(ledger)

    assert [moment.kind for moment in reply.moments] == ["noted"]
    assert moment_of(reply_key(1, reply.thread.latest)) == reply.moments[-1].id


def test_a_thousand_changes_are_one_update_and_one_reply(ledger: Ledger) -> None:
    """Slack is shown how things stand, not every step on the way."""
    trigger(ledger)
    post(ledger)
    for number in range(50):
        ledger.write(respond_to_alert.add_note, 1, by=SAM, text=f"Looking at query number {number}")

    update = take(ledger)
    ledger.write(progressed, update.thread.updated(update.thread.revision))
    reply = take(ledger)
    ledger.write(progressed, reply.thread.told(reply.thread.latest))

    assert len(reply.moments) == 50
    assert nothing_to_do(ledger)


def test_what_happens_before_the_parent_stands_is_told_afterwards(ledger: Ledger) -> None:
    """It recovers while Slack is away: the parent shows it, and the thread asks for the note."""
    trigger(ledger)
    ledger.write(receive_alert, delivery(report("p", Change.RECOVERED)), routes=ROUTES)
    post(ledger)

    reply = take(ledger)

    assert reply.step is Step.REPLY
    assert [moment.kind for moment in reply.moments] == ["recovered"]


@pytest.mark.parametrize("end", ["updated", "refused"])
def test_a_lost_reply_is_still_looked_for_after_an_update(ledger: Ledger, end: str) -> None:
    """An update comes in between, and goes well or not: the reply whose answer was lost is not told twice."""
    trigger(ledger)
    post(ledger)
    ledger.write(respond_to_alert.acknowledge, 1, by=SAM)
    update = take(ledger)
    ledger.write(progressed, update.thread.updated(update.thread.revision))
    reply = take(ledger)
    ledger.write(progressed, reply.thread.unknown("no answer", retry_at=ledger.clock.now()))
    ledger.write(respond_to_alert.resolve, 1, by=KIM, resolution=NOTE)

    update = take(ledger)
    assert update.step is Step.UPDATE
    if end == "refused":
        ledger.write(progressed, update.refused("cant_update_message", retry_at=ledger.clock.now()))
        update = take(ledger)
    ledger.write(progressed, update.thread.updated(update.thread.revision))

    again = take(ledger)
    assert (again.step, again.lost) == (Step.REPLY, reply_key(1, reply.thread.latest))
    ledger.write(progressed, again.thread.told(moment_of(again.lost or "")))
    rest = take(ledger)
    assert [moment.kind for moment in rest.moments] == ["resolved"]


def test_the_lag_is_counted_from_the_first_change(ledger: Ledger) -> None:
    """How many threads are behind, and since when the oldest is."""
    started = ledger.clock.now()
    trigger(ledger, "p")
    trigger(ledger, "q")
    behind = ledger.read(lambda records: records.lag())
    post(ledger)
    ledger.clock.move(60)
    post(ledger, "2")

    assert behind == (2, started + timedelta(seconds=1))
    assert ledger.read(lambda records: records.lag()) == (0, None)
