"""The log and the records as the verifier reads them: in pages, so that no read is long enough to delay the writer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import index
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Row,
    RowMapping,
    and_,
    func,
    select,
    true,
    tuple_,
)

from bot.adapters.database.rows import row_alert
from bot.adapters.database.tables import alert, checkpoint, delivery, disclosure, head, leaf
from bot.adapters.evidence.stored import (
    AlertPage,
    LogPage,
    StoredDelivery,
    StoredEntry,
    StoredHead,
    StoredText,
)
from bot.domain.alert import Alert
from bot.domain.errors import SocmonError

ENTRIES = 500
ALERTS = 100
DELIVERIES = 16  # of up to 1 MiB each
STRAYS = 20
LAST = 2**62


def log_origin(engine: Engine) -> str:
    """The log's name, as it stands in every entry and checkpoint."""
    with engine.connect() as connection:
        origin: str = connection.execute(select(head.c.log)).scalar_one()
    return origin


def last_note(engine: Engine) -> bytes | None:
    """The newest checkpoint's signed note."""
    with engine.connect() as connection:
        newest = select(checkpoint.c.note).order_by(checkpoint.c.size.desc()).limit(1)
        note = connection.execute(newest).scalar_one_or_none()
    return None if note is None else bytes(note)


class UnreadableRecords(SocmonError):
    """The evidence cannot be checked, since its rows cannot be read."""


class LogReader:
    """`bot.adapters.evidence.stored.StoredLog` over a database that may be in use."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._deliveries: dict[int, StoredDelivery] = {}

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except (TypeError, ValueError, OverflowError) as error:  # SQLite keeps whatever it is given
            raise UnreadableRecords(
                "The records hold a value that socmon does not write, such as a word in place of a number, so they"
                " cannot be checked further. They were changed from outside: restore the database from a backup."
            ) from error

    def pages(self) -> Iterator[LogPage]:
        start: int | None = None
        while True:
            with self._read() as connection:
                entries = _entries(connection, _between(leaf.c.seq, start, None), leaf.c.seq)
                end = entries[-1].seq + 1 if len(entries) == ENTRIES else None
                # A checkpoint of size n ends with entry n - 1.
                sizes = _between(checkpoint.c.size, start and start + 1, end and end + 1)
                texts = _texts(connection, _between(disclosure.c.seq, start, end))
                notes = connection.execute(
                    select(checkpoint.c.size, checkpoint.c.note).where(sizes).order_by(checkpoint.c.size)
                ).all()
                found = _head(connection) if end is None else None
            yield LogPage(
                entries=entries, texts=texts, notes=[(row.size, bytes(row.note)) for row in notes], head=found
            )
            if end is None:
                return
            start = end

    def delivery(self, number: int) -> StoredDelivery | None:
        if number not in self._deliveries:
            query = select(delivery).where(delivery.c.id >= number).order_by(delivery.c.id).limit(DELIVERIES)
            with self._read() as connection:
                self._deliveries = {row.id: _delivery(row) for row in connection.execute(query)}
        return self._deliveries.get(number)

    def alerts(self) -> Iterator[AlertPage]:
        start: int | None = None  # the first alert of which not all was read
        place: tuple[int, int] | None = None  # (alert, seq) of the last entry that was read
        while True:
            left = select(alert).where(_between(alert.c.id, start, None)).order_by(alert.c.id)
            with self._read() as connection:
                rows = connection.execute(left.limit(ALERTS)).mappings().all()
                if not rows:
                    return
                entries = _entries(connection, _of_alerts(place, rows[-1]["id"]), leaf.c.alert_id, leaf.c.seq)
                texts = _texts(connection, disclosure.c.seq.in_([entry.seq for entry in entries]))
            is_cut = len(entries) == ENTRIES
            place = (entries[-1].alert_id or 0, entries[-1].seq) if is_cut else (rows[-1]["id"], LAST)
            whole = [row for row in rows if not is_cut or row["id"] < place[0]]
            start = whole[-1]["id"] + 1 if whole else start
            yield AlertPage(
                entries=entries, texts=texts, alerts=[(row["id"], _readable(row)) for row in whole]
            )


def _between(column: Any, start: int | None, end: int | None) -> ColumnElement[bool]:
    """From `start` up to but without `end`; None is no bound."""
    bounds = [column >= start] if start is not None else []
    return and_(true(), *bounds, *([column < end] if end is not None else []))


def _of_alerts(place: tuple[int, int] | None, last: int) -> ColumnElement[bool]:
    """Entries of the alerts up to `last` that come after a place."""
    after = [tuple_(leaf.c.alert_id, leaf.c.seq) > place] if place else []
    return and_(leaf.c.alert_id <= last, *after)


def _entries(
    connection: Connection, which: ColumnElement[bool], *order: Column[Any]
) -> Sequence[StoredEntry]:
    rows = connection.execute(select(leaf).where(which).order_by(*order).limit(ENTRIES))
    return [
        StoredEntry(
            seq=index(row.seq),
            leaf=bytes(row.leaf),
            hash=bytes(row.hash),
            alert_id=row.alert_id,
            at=row.at // 1000,
            type=row.type,
            by=row.by,
        )
        for row in rows
    ]


def _texts(connection: Connection, which: ColumnElement[bool]) -> Sequence[StoredText]:
    rows = connection.execute(select(disclosure).where(which).order_by(disclosure.c.seq, disclosure.c.path))
    return [(row.seq, row.path, bytes(row.salt), row.value) for row in rows]


def _head(connection: Connection) -> StoredHead:
    row = connection.execute(select(head)).one()
    outside = (delivery.c.id > row.deliveries) | (delivery.c.id < 1)
    newest = connection.execute(select(func.max(checkpoint.c.size))).scalar_one()
    strays = connection.execute(select(delivery.c.id).where(outside).limit(STRAYS)).scalars()
    return StoredHead(
        log=row.log,
        size=row.size,
        last_hash=bytes(row.last_hash),
        frontier=bytes(row.frontier),
        alerts=row.alerts,
        deliveries=row.deliveries,
        signed=int.from_bytes(bytes(row.sealed or b"")[:8], "big"),
        newest=newest or 0,
        strays=list(strays),
    )


def _delivery(row: Row[Any]) -> StoredDelivery:
    return StoredDelivery(
        provider=row.provider,
        received_at=row.received_at // 1000,
        verified_by=row.verified_by,
        result=row.result,
        gap=row.gap,
        body=bytes(row.body),
    )


def _readable(row: RowMapping) -> Alert | None:
    """None for a row that no version of socmon has written."""
    try:
        return row_alert(row)
    except (AttributeError, OverflowError, TypeError, ValueError):
        return None
