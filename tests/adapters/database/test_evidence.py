"""The log in the database: whole after a mixed history, and no edit by hand goes unseen."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, Table, delete, func, insert, select, update

from bot.adapters.database import evidence
from bot.adapters.database.evidence import LogReader, UnreadableRecords, log_origin
from bot.adapters.database.tables import alert as alerts
from bot.adapters.database.tables import checkpoint, disclosure, head, leaf, metadata
from bot.adapters.database.tables import delivery as deliveries
from bot.adapters.database.writer import Database
from bot.adapters.evidence.keys import LogKey
from bot.adapters.evidence.report import NOT_COMPARED, Fault, Report
from bot.adapters.evidence.verify import verify_log
from bot.domain.alert import Change
from bot.domain.errors import IllegalAct
from bot.domain.evidence import Frontier
from bot.domain.retelling import CARRIED, DETAILS
from bot.ports import Records
from bot.procedures import respond_to_alert
from bot.procedures.apply_retention import forget_old_bodies
from bot.procedures.receive_alert import receive_alert, refuse_delivery
from bot.procedures.seal_log import seal_log
from bot.procedures.show_alert import announced, take_tasks
from tests.adapters.database.batches import in_one_batch, unit
from tests.reports import KIM, NOTE, SAM, delivery, report
from tests.world import ORIGIN, ROUTES, Ledger, MovableClock, write_now


@pytest.fixture
def key(tmp_path: Path) -> LogKey:
    return LogKey.open(tmp_path / "log.key", ORIGIN)


async def live_through_a_lot(database: Database, key: LogKey, clock: MovableClock) -> None:
    """Alerts, repeats, duplicates, unreadable and refused deliveries, people, failures, and checkpoints in between."""

    def give_up(records: Records) -> None:
        receive_alert(records, delivery(report("never")), routes=ROUTES)
        raise IllegalAct("changed its mind")

    twice = delivery(report("twice"), report("twice", Change.RECOVERED))
    await in_one_batch(
        database,
        unit(receive_alert, twice, routes=ROUTES),
        unit(give_up),
        unit(receive_alert, twice, routes=ROUTES),
        unit(receive_alert, delivery(unreadable=True, gap="not JSON", body=b"\x00\xff"), routes=ROUTES),
        unit(refuse_delivery, "generic", reason="bad secret"),
    )
    await database.write(seal_log, seal=key)
    [task] = await database.write(
        take_tasks, lease="x", busy_channels=[], updates_allowed=True, except_alerts=[]
    )
    await database.write(announced, task.thread.posted("1.0001", revision=1, moment=-1))
    for number in range(3):
        clock.move(60)
        await database.write(receive_alert, delivery(report("p"), body=f"{number}".encode()), routes=ROUTES)
    await database.write(respond_to_alert.acknowledge, 2, by=SAM)
    await database.write(respond_to_alert.add_note, 2, by=KIM, text="Ünïcödé — 漢字 🔥, it is the disk")
    await database.write(respond_to_alert.resolve, 2, by=KIM, resolution=NOTE)
    await database.write(respond_to_alert.reopen, 2, by=SAM, reason="It came back after an hour")
    await database.write(seal_log, seal=key)


def verified(database: Database, key: LogKey) -> Report:
    assert log_origin(database.reading) == ORIGIN
    return verify_log(LogReader(database.reading), key.vkey, now=database._clock.now())  # noqa: SLF001


async def test_the_log_is_whole_after_a_mixed_history(
    database: Database, key: LogKey, clock: MovableClock
) -> None:
    """Every entry, text, body and checkpoint fits; nothing is left uncovered; a second seal has nothing to add."""
    await live_through_a_lot(database, key, clock)

    report = verified(database, key)

    assert (report.verdict, report.findings) == ("ok", ())
    assert report.figures["entries"] == report.figures["entries_covered"] > 10
    assert report.figures["checkpoints_valid"] == 2
    assert await database.write(seal_log, seal=key) == 0


async def test_retention_leaves_proofs_whole_and_says_what_is_gone(
    database: Database, key: LogKey, clock: MovableClock
) -> None:
    """A forgotten body is an exception that is named, never a fault."""
    await live_through_a_lot(database, key, clock)
    clock.move(timedelta(days=401).total_seconds())
    await database.write(forget_old_bodies, days=400)

    report = verified(database, key)

    assert report.verdict == "ok, with exceptions"
    assert [finding.fault.name for finding in report.findings] == ["BODY_FORGOTTEN"]


async def test_a_long_log_is_read_in_pages(database: Database, key: LogKey) -> None:
    """More entries than a page holds."""
    many = delivery(*(report(f"p{number}") for number in range(1203)))
    await database.write(receive_alert, many, routes=ROUTES)
    await database.write(seal_log, seal=key)

    assert verified(database, key).verdict == "ok"
    assert verified(database, key).figures["entries"] == 1203


def _edit(connection: Connection) -> None:
    old = connection.execute(select(leaf.c.leaf).where(leaf.c.seq == 2)).scalar_one()
    changed = bytes(old).replace(b"generic", b"Generic")
    assert changed != bytes(old)
    connection.execute(update(leaf).where(leaf.c.seq == 2).values(leaf=changed))


def _insert(connection: Connection) -> None:
    row = connection.execute(select(leaf).where(leaf.c.seq == 3)).mappings().one()
    size = connection.execute(select(leaf.c.seq).order_by(leaf.c.seq.desc())).scalars().first()
    connection.execute(insert(leaf).values(dict(row) | {"seq": (size or 0) + 1}))
    connection.exec_driver_sql("UPDATE head SET size = size + 1")


def _swap(connection: Connection) -> None:
    for one, other in ((2, -1), (3, 2), (-1, 3)):
        connection.execute(update(leaf).where(leaf.c.seq == one).values(seq=other))


FIRST_SIZE = select(func.min(checkpoint.c.size)).scalar_subquery()
EDITS: dict[str, Callable[[Connection], object]] = {
    "an entry is edited": _edit,
    "an entry is deleted": lambda sql: sql.execute(delete(leaf).where(leaf.c.seq == 4)),
    "an entry is added": _insert,
    "two entries are swapped": _swap,
    "the end is cut off": lambda sql: (
        sql.execute(delete(leaf).where(leaf.c.seq > 3)),
        sql.execute(delete(disclosure).where(disclosure.c.seq > 3)),
        sql.exec_driver_sql("UPDATE head SET size = 4"),
    ),
    "a note is reworded": lambda sql: sql.execute(
        update(disclosure).where(disclosure.c.path == "done").values(value="Did nothing at all")
    ),
    "a note is deleted": lambda sql: sql.execute(delete(disclosure).where(disclosure.c.path == "done")),
    "a body is changed": lambda sql: sql.execute(
        update(deliveries).where(deliveries.c.id == 1).values(body=b'{"made": "down"}')
    ),
    "a checkpoint is deleted with what it covers": lambda sql: sql.execute(delete(checkpoint)),
    "a note is emptied": lambda sql: sql.execute(
        update(disclosure).where(disclosure.c.path == "found").values(value=None)
    ),
    "every checkpoint but the first is deleted, and nobody signs": lambda sql: (
        sql.execute(delete(checkpoint).where(checkpoint.c.size > FIRST_SIZE)),
    ),
    "a checkpoint is changed": lambda sql: sql.execute(update(checkpoint).values(note=b"anything\n")),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
async def test_an_edit_by_hand_shows(
    database: Database, key: LogKey, clock: MovableClock, edit: Callable[[Connection], object]
) -> None:
    """Whoever has the database but not the key cannot change the past unseen."""
    await live_through_a_lot(database, key, clock)
    with database.writing.connect() as connection, connection.begin():
        edit(connection)
    clock.move(11 * 60)

    assert verified(database, key).verdict == "wrong"


def _set(table: Table, **values: object) -> Callable[[Connection], object]:
    return lambda sql: sql.execute(update(table).values(values))


def _forget(table: Table, number: int) -> Callable[[Connection], object]:
    return lambda sql: sql.execute(delete(table).where(table.c.id == number))


def _past_the_head(sql: Connection) -> None:
    row = sql.execute(select(leaf).where(leaf.c.seq == 3)).mappings().one()
    last = sql.execute(select(func.max(leaf.c.seq))).scalar_one()
    sql.execute(insert(leaf).values(dict(row) | {"seq": last + 5, "by": "U1EVIL", "type": "alert.resolved"}))


def _one_more(table: Table, **values: object) -> Callable[[Connection], object]:
    def add(sql: Connection) -> None:
        row = sql.execute(select(table).order_by(table.c.id).limit(1)).mappings().one()
        sql.execute(insert(table).values(dict(row) | values))

    return add


COLUMNS: dict[str, tuple[Callable[[Connection], object], set[Fault]]] = {
    "who did something": (_set(leaf, by="U1EVIL"), {Fault.COLUMN}),
    "when it was done": (_set(leaf, at=leaf.c.at - 86_400_000_000), {Fault.COLUMN}),
    "what was done": (_set(leaf, type="alert.resolved"), {Fault.COLUMN}),
    "about which alert": (
        lambda sql: sql.execute(update(leaf).where(leaf.c.type == "alert.noted").values(alert_id=None)),
        {Fault.COLUMN},
    ),
    "an entry past the end": (
        _past_the_head,
        {Fault.MISSING_ENTRY, Fault.PLACE, Fault.CHAIN, Fault.COLUMN, Fault.HEAD},
    ),
    "a text past the end": (
        lambda sql: sql.execute(insert(disclosure).values(seq=999, path="text", salt=b"", value="planted")),
        {Fault.STRAY_TEXT},
    ),
    "the newest checkpoint less": (
        lambda sql: sql.execute(delete(checkpoint).where(checkpoint.c.size > FIRST_SIZE)),
        {Fault.HEAD},
    ),
    "the head's size": (_set(head, size=head.c.size - 1), {Fault.HEAD}),
    "the head's last hash": (_set(head, last_hash=bytes(32)), {Fault.HEAD}),
    "the head's tree": (_set(head, frontier=Frontier().to_bytes()), {Fault.HEAD}),
    "when an alert was acknowledged": (_set(alerts, acknowledged_at=alerts.c.triggered_at), {Fault.ALERT}),
    "when an alert was triggered": (_set(alerts, triggered_at=0), {Fault.ALERT}),
    "when an alert recovered": (_set(alerts, recovered_at=1), {Fault.ALERT}),
    "who resolved an alert": (_set(alerts, resolved_by="U1EVIL"), {Fault.ALERT}),
    "when an alert was resolved": (_set(alerts, resolved_at=0), {Fault.ALERT}),
    "who edited the note": (_set(alerts, amended_by="U1EVIL"), {Fault.ALERT}),
    "what was found": (_set(alerts, found="All is fine"), {Fault.ALERT}),
    "what was done about it": (_set(alerts, done="Nothing to do"), {Fault.ALERT}),
    "the cause": (_set(alerts, cause="false_positive"), {Fault.ALERT}),
    "whether it was about security": (_set(alerts, security=True), {Fault.ALERT}),
    "how bad an alert is": (_set(alerts, severity="SEV4"), {Fault.ALERT}),
    "whose alert it is": (_set(alerts, owner="U1EVIL"), {Fault.ALERT}),
    "until when it is snoozed": (_set(alerts, snoozed_until=1), {Fault.ALERT}),
    "what an alert is about": (_set(alerts, component="staging-db-1"), {Fault.ALERT}),
    "what an alert is called": (_set(alerts, title="Nothing"), {Fault.ALERT}),
    "who was on call": (_set(alerts, on_call="U1EVIL"), {Fault.ALERT}),
    "a state that does not exist": (_set(alerts, source="asleep"), {Fault.ALERT}),
    "an alert less": (_forget(alerts, 2), {Fault.ALERT_GONE}),
    "the last alert less": (_forget(alerts, 3), {Fault.ALERT_GONE}),
    "an alert more": (_one_more(alerts, id=99, dedup_key="planted"), {Fault.ALERT_UNKNOWN}),
    "when a delivery came": (_set(deliveries, received_at=0), {Fault.DELIVERY}),
    "who sent it": (_set(deliveries, provider="datadog"), {Fault.DELIVERY}),
    "how it was proven": (_set(deliveries, verified_by="nobody"), {Fault.DELIVERY}),
    "that it could not be read": (_set(deliveries, result="accepted"), {Fault.DELIVERY}),
    "why it could not be read": (_set(deliveries, gap=""), {Fault.DELIVERY}),
    "every body": (_set(deliveries, body=b""), {Fault.BODY_GONE}),
    "no deliveries": (lambda sql: sql.execute(delete(deliveries)), {Fault.DELIVERY_GONE}),
    "a delivery less": (_forget(deliveries, 2), {Fault.DELIVERY_GONE}),
    "a delivery more": (_one_more(deliveries, id=99, delivery_id="planted"), {Fault.DELIVERY_UNKNOWN}),
}


@pytest.mark.parametrize(("edit", "faults"), COLUMNS.values(), ids=COLUMNS.keys())
async def test_the_records_beside_the_log_are_compared_with_it(
    database: Database,
    key: LogKey,
    clock: MovableClock,
    edit: Callable[[Connection], object],
    faults: set[Fault],
) -> None:
    """What people see is what the log says: every change by hand is named as what it is, and nothing else is."""
    await live_through_a_lot(database, key, clock)
    with database.writing.connect() as connection, connection.begin():
        edit(connection)

    assert {finding.fault for finding in verified(database, key).findings} == faults


def test_what_is_not_compared_is_said() -> None:
    """The report lists every table and every column that it does not vouch for, also those that are added later."""
    compared = {
        "alert": {"id", *CARRIED, *DETAILS} - {"resolution"}
        | {"found", "done", "cause", "security", "follow_up"},
        "delivery": {"id", "provider", "received_at", "verified_by", "result", "gap", "body"},
    }
    whole = {"head", "leaf", "disclosure", "checkpoint"}
    left = {
        f"{table.name}.{column.name}"
        for table in (alerts, deliveries)
        for column in table.columns
        if column.name not in compared[table.name]
    }

    assert set(NOT_COMPARED) == left | (metadata.tables.keys() - whole - compared.keys())


async def test_a_server_that_goes_on_writing_is_no_fault(
    database: Database, key: LogKey, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between any two reads of the verifier something is appended, and something is signed."""
    monkeypatch.setattr(evidence, "ENTRIES", 4)
    monkeypatch.setattr(evidence, "ALERTS", 2)
    monkeypatch.setattr(evidence, "DELIVERIES", 2)
    await live_through_a_lot(database, key, clock)

    def go_on(number: int) -> None:
        write = partial(write_now, database)
        alert_id = write(receive_alert, delivery(report(f"more {number}")), routes=ROUTES).alerts[0][1]
        write(respond_to_alert.acknowledge, alert_id, by=SAM)
        write(respond_to_alert.add_note, 1, by=KIM, text="It goes on and on, as we speak")
        write(seal_log, seal=key)

    class Busy(LogReader):
        """Appends before each of the first reads; the log would have no end otherwise."""

        reads = 0

        @contextmanager
        def _read(self) -> Iterator[Connection]:
            self.reads += 1
            if self.reads < 40:
                go_on(self.reads)
            with super()._read() as connection:
                yield connection

    found = verify_log(Busy(database.reading), key.vkey, now=clock.now())

    assert (found.verdict, found.findings) == ("ok", ())
    assert found.figures["entries"] > 50
    assert verified(database, key).verdict == "ok"


async def test_an_alert_with_more_entries_than_a_page_is_compared(
    database: Database, key: LogKey, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flapping one, between two quiet ones."""
    for name in ("before", "flapping", "after"):
        await database.write(receive_alert, delivery(report(name)), routes=ROUTES)
    for number in range(10):
        clock.move(60)
        change = Change.TRIGGERED if number % 2 else Change.RECOVERED
        await database.write(
            receive_alert, delivery(report("flapping", change, occurred_at=clock.now())), routes=ROUTES
        )
    await database.write(seal_log, seal=key)
    monkeypatch.setattr(evidence, "ENTRIES", 3)

    whole = verified(database, key)
    with database.writing.connect() as connection, connection.begin():
        connection.execute(update(alerts).where(alerts.c.id == 2).values(flaps=4))

    assert (whole.verdict, whole.figures["alerts_checked"]) == ("ok", 3)
    assert [one.where for one in verified(database, key).findings] == [("A-2: flaps",)]


def test_a_value_that_socmon_never_writes_is_explained(sqlite_url: str, tmp_path: Path) -> None:
    """SQLite keeps a word where a number belongs; the verifier says so and does not stumble."""
    ledger = Ledger(sqlite_url)
    ledger.write(receive_alert, delivery(report()), routes=ROUTES)
    with ledger.database.writing.connect() as connection, connection.begin():
        connection.exec_driver_sql("UPDATE leaf SET at = 'noon'")

    with pytest.raises(UnreadableRecords, match="restore the database"):
        verified(ledger.database, LogKey.open(tmp_path / "log.key", ORIGIN))
    ledger.database.close()
