"""What every kind of record has in common: the batch it belongs to, and the way to SQL."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, CursorResult, Table, UpdateBase, func, select, update

from bot.adapters.database.rows import MICROSECOND, micros

if TYPE_CHECKING:
    from bot.adapters.database.records import Batch

NEVER = 0
LONGEST_WAIT = timedelta(hours=2) // MICROSECOND  # of a place: back-off, Retry-After and leases are shorter


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

    # Places in Slack (`thread`, `storm`): the columns of a projection and its lease are the same in both.
    def _can_be_taken(self, place: Table) -> ColumnElement[bool]:
        """Due, and leased by nobody; what lies too far ahead was set before the clock was put back."""
        now, lease_now = micros(self.now), micros(self._batch.stamp.lease_now)
        due = (place.c.next_at <= now) | (place.c.next_at > now + LONGEST_WAIT)
        free = (place.c.leased_until <= lease_now) | (place.c.leased_until > lease_now + LONGEST_WAIT)
        return due & free

    def _lease(self, place: Table, these: ColumnElement[bool], lease: str, lasting: timedelta) -> None:
        until = micros(self._batch.stamp.lease_now + lasting)
        self._write(update(place).where(these).values(lease=lease, leased_until=until))

    def _save_progress(
        self,
        place: Table,
        this: ColumnElement[bool],
        values: dict[str, Any],
        *,
        lease: str | None,
        keep_lease: timedelta | None,
        lags: ColumnElement[bool],
    ) -> bool:
        """False when the lease is another's by now: then nothing is stored."""
        if keep_lease:
            values["leased_until"] = micros(self._batch.stamp.lease_now + keep_lease)
        else:
            values |= {"lease": None, "leased_until": NEVER}
        done = self._write(update(place).where(this, place.c.lease == lease).values(values))
        self._write(update(place).where(this, ~lags).values(stale_since=None))
        return done.rowcount == 1
