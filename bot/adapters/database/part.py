"""What every kind of record has in common: the batch it belongs to, and the way to SQL."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, CursorResult, Table, UpdateBase, func, select

if TYPE_CHECKING:
    from bot.adapters.database.records import Batch


class Part:
    """`Unit` is made of these, one file per kind of record."""

    def __init__(self, batch: "Batch") -> None:
        self._batch = batch
        self.has_written = False  # by a statement of its own, beside the changes that wait for the flush

    @property
    def now(self) -> datetime:
        return self._batch.stamp.now

    @property
    def _sql(self) -> Connection:
        return self._batch.connection

    def _write(self, statement: UpdateBase) -> CursorResult[Any]:
        self.has_written = self._batch.has_written = True
        return self._sql.execute(statement)

    def _next_id(self, table: Table) -> int:
        """Writing transactions are serial, so nobody else takes it."""
        last: int | None = self._sql.execute(select(func.max(table.c.id))).scalar_one()
        return (last or 0) + 1
