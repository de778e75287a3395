"""The log in the database: whole after a mixed history, and no edit by hand goes unseen."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from bot.adapters.database.evidence import read_log
from bot.adapters.database.tables import checkpoint, disclosure, leaf
from bot.adapters.database.tables import delivery as deliveries
from bot.adapters.database.writer import Database
from bot.adapters.evidence.keys import LogKey
from bot.adapters.evidence.note import sign_checkpoint
from bot.adapters.evidence.report import Report
from bot.adapters.evidence.verify import verify_log
from bot.domain.alert import Change
from bot.domain.errors import IllegalAct
from bot.ports import Records
from bot.procedures import respond_to_alert
from bot.procedures.apply_retention import forget_old_bodies
from bot.procedures.receive_alert import receive_alert, refuse_delivery
from bot.procedures.seal_log import seal_log
from bot.procedures.show_alert import announced, take_tasks
from tests.adapters.database.batches import in_one_batch, unit
from tests.reports import KIM, NOTE, SAM, delivery, report
from tests.world import ORIGIN, ROUTES, MovableClock


@pytest.fixture
def key(tmp_path: Path) -> LogKey:
    return LogKey.open(tmp_path / "log.key", ORIGIN)


async def live_through_a_lot(database: Database, key: LogKey, clock: MovableClock) -> None:
    """Alerts, repeats, duplicates, unreadable and refused deliveries, people, failures, and checkpoints in between."""

    def sign(origin: str, size: int, root: bytes) -> bytes:
        return sign_checkpoint(origin, size, root, key)

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
    await database.write(seal_log, sign=sign)
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
    await database.write(seal_log, sign=sign)


def verified(database: Database, key: LogKey) -> Report:
    leaves, disclosures, checkpoints, raw_digest, origin = read_log(database.reading)
    assert origin == ORIGIN
    return verify_log(leaves, disclosures, checkpoints, key.vkey, raw_digest=raw_digest)


async def test_the_log_is_whole_after_a_mixed_history(
    database: Database, key: LogKey, clock: MovableClock
) -> None:
    """Every entry, text, body and checkpoint fits; nothing is left uncovered; a second seal has nothing to add."""
    await live_through_a_lot(database, key, clock)

    report = verified(database, key)

    assert (report.verdict, report.findings) == ("ok", ())
    assert report.figures["entries"] == report.figures["entries_covered"] > 10
    assert report.figures["checkpoints_valid"] == 2
    assert await database.write(seal_log, sign=lambda *_: b"not asked for") == 0


async def test_retention_leaves_proofs_whole_and_says_what_is_gone(
    database: Database, key: LogKey, clock: MovableClock
) -> None:
    """A forgotten body is an exception that is named, never a fault."""
    await live_through_a_lot(database, key, clock)
    clock.move(timedelta(days=401).total_seconds())
    await database.write(forget_old_bodies, days=400)

    report = verified(database, key)

    assert report.verdict == "ok, with exceptions"
    assert [finding.fault.name for finding in report.findings] == ["BODY_GONE"]


async def test_a_long_log_is_read_in_pages(database: Database, key: LogKey) -> None:
    """More entries than a page holds."""
    many = delivery(*(report(f"p{number}") for number in range(1203)))
    await database.write(receive_alert, many, routes=ROUTES)
    await database.write(seal_log, sign=lambda origin, size, root: sign_checkpoint(origin, size, root, key))

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

    assert verified(database, key).verdict == "wrong"
