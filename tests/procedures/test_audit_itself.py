"""socmon says that it is well only when it is: figures add up, nothing is late, what was signed is still there."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, select, update

from bot.adapters.database.tables import alert, intake_count, leaf
from bot.adapters.evidence.keys import LogKey
from bot.domain.alert import Change
from bot.domain.heartbeat import Fault
from bot.procedures import audit_itself as procedure
from bot.procedures import keep_schedule, respond_to_alert
from bot.procedures.audit_itself import Expected
from bot.procedures.receive_alert import receive_alert
from bot.procedures.seal_log import seal_log
from bot.procedures.watch_sources import keep_listening
from tests.reports import NOTE, SAM, delivery, report
from tests.world import ORIGIN, ROUTES, Ledger

KEY = LogKey(ORIGIN, Ed25519PrivateKey.generate())


def hourly(after: datetime) -> datetime:
    return after + timedelta(hours=1)


EXPECTED = Expected(seal=KEY, jobs={"hourly": hourly}, slack=False, coverage_within=None)


@pytest.fixture
def used(database_url: str) -> Iterator[Ledger]:
    """Some alerts with repeats, a recovery, a re-send, a reopening; signed."""
    ledger = Ledger(database_url)
    ledger.write(keep_listening)
    ledger.write(keep_schedule.seed_schedule, "hourly", ledger.clock.now())
    first = delivery(report("a"), report("b"))
    for one in (first, first, delivery(report("a")), delivery(report("a", Change.RECOVERED))):
        ledger.write(receive_alert, one, routes=ROUTES)
    ledger.write(respond_to_alert.resolve, 2, by=SAM, resolution=NOTE)
    ledger.write(respond_to_alert.reopen, 2, by=SAM, reason="It is back, as bad as before")
    ledger.write(seal_log, seal=KEY)
    yield ledger
    ledger.database.close()


def audit(ledger: Ledger, expected: Expected = EXPECTED) -> list[str]:
    ledger.write(keep_listening)
    watch, faults = ledger.read(procedure.audit_itself, expected)
    ledger.write(procedure.keep_audit, watch, faults)
    return [one.check for one in faults]


def wait(ledger: Ledger, minutes: int) -> None:
    """It listens meanwhile."""
    for _ in range(minutes):
        ledger.clock.move(60)
        ledger.write(keep_listening)


def test_all_is_well(used: Ledger) -> None:
    """Also at the second look, and when the log has grown."""
    assert [audit(used), audit(used)] == [[], []]
    used.write(receive_alert, delivery(report("c")), routes=ROUTES)
    used.write(seal_log, seal=KEY)
    assert audit(used) == []
    watch = used.read(procedure.state)
    assert (watch.triggered, watch.reopened) == (3, 1)


def lose_a_count(ledger: Ledger) -> None:
    with ledger.database.writing.begin() as connection:
        connection.execute(delete(intake_count).where(intake_count.c.result == "new"))


def lose_an_alert(ledger: Ledger) -> None:
    with ledger.database.writing.begin() as connection:
        connection.execute(delete(alert).where(alert.c.id == 3))


def change_an_entry(ledger: Ledger) -> None:
    with ledger.database.writing.begin() as connection:
        body = connection.execute(select(leaf.c.leaf).where(leaf.c.seq == 1)).scalar_one()
        connection.execute(update(leaf).where(leaf.c.seq == 1).values(leaf=body + b" "))


def trouble(ledger: Ledger, subject: str) -> None:
    ledger.write(lambda records: records.set_problem(subject, "made up"))


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        (lose_a_count, ["intake"]),
        (lose_an_alert, ["intake"]),
        (change_an_entry, ["log"]),
        (partial(wait, minutes=76), ["jobs"]),
        (partial(trouble, subject="slack:token"), ["slack:token"]),
        (partial(trouble, subject="evidence:log"), ["evidence:log"]),
    ],
)
def test_what_is_wrong_is_found(used: Ledger, harm: Callable[[Ledger], None], found: list[str]) -> None:
    harm(used)
    assert audit(used) == found


def test_slack_that_is_behind_and_operators_whom_nobody_told(used: Ledger) -> None:
    trouble(used, "somewhere")
    wait(used, 4)
    connected = Expected(seal=KEY, jobs={}, slack=True, coverage_within=None)
    assert audit(used, connected) == []
    wait(used, 12)
    assert audit(used, connected) == ["slack", "operators"]


def test_what_was_read_long_ago_is_read_again_each_day(used: Ledger) -> None:
    """A change behind what was read again is found a day later at most."""
    assert audit(used) == []
    change_an_entry(used)
    quiet = Expected(seal=KEY, jobs={}, slack=False, coverage_within=None)
    assert audit(used, quiet) == []
    used.clock.move(timedelta(days=1).total_seconds() + 60)
    assert audit(used, quiet) == ["log"]


def test_after_a_stop_nothing_is_late_yet(used: Ledger) -> None:
    used.clock.move(12 * 3600)
    assert audit(used) == []


def test_it_is_on_record_once_and_when_all_is_well_again(used: Ledger) -> None:
    before = used.read(lambda records: records.tree()[1].size)
    watch, _ = used.read(procedure.audit_itself, EXPECTED)
    bad = (Fault(check="jobs", says="Due for over 15 minutes and not done: x."),)
    for faults in (bad, bad, (), ()):
        used.write(procedure.keep_audit, watch, faults)

    with used.database.reading.connect() as connection:
        kinds = connection.execute(select(leaf.c.type).where(leaf.c.seq >= before).order_by(leaf.c.seq))
        assert list(kinds.scalars()) == ["self_audit.failed", "self_audit.passed"]
