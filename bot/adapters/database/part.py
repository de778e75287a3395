"""What every kind of record has in common: the batch it belongs to, and the way to SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, CursorResult, RowMapping, Table, UpdateBase, func, select

from bot.adapters.database.places import NEVER, Places
from bot.adapters.database.rows import micros

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

    def _write(self, statement: UpdateBase, parameters: Mapping[str, Any] | None = None) -> CursorResult[Any]:
        self.has_written = self._batch.has_written = True
        return self._sql.execute(statement, parameters)

    def _next_id(self, table: Table) -> int:
        """Writing transactions are serial, so nobody else takes it."""
        last: int | None = self._sql.execute(select(func.max(table.c.id))).scalar_one()
        return (last or 0) + 1

    # Places in Slack
    @property
    def _moment(self) -> dict[str, int]:
        """The parameters NOW and LEASE_NOW."""
        return {"now": micros(self.now), "lease_now": micros(self._batch.stamp.lease_now)}

    def _lease(
        self, places: Places, these: Sequence[int], lease: str, lasting: timedelta
    ) -> list[RowMapping]:
        if not these:
            return []
        until = micros(self._batch.stamp.lease_now + lasting)
        rows = self._write(places.lease, {"these": these, "by": lease, "until": until}).mappings().all()
        return sorted(rows, key=lambda row: row[places.key])

    def _save_progress(
        self,
        places: Places,
        which: int,
        values: dict[str, Any],
        *,
        lease: str | None,
        keep_lease: timedelta | None,
    ) -> bool:
        """False when the lease is another's by now: then nothing is stored."""
        ends = {"lease": None, "leased_until": NEVER}
        if keep_lease:
            ends = {"leased_until": micros(self._batch.stamp.lease_now + keep_lease)}
        asked = {"which": which, "mine": lease, "since": values.pop("stale_since")}
        told = {"up_to": values["projected"], "told_to": values.get("shown")}
        return self._write(places.progress, values | ends | asked | told).rowcount == 1
