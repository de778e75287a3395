"""What is expected to be heard, and what socmon's audit of itself needs to know of the records."""

import json
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, func, select

from bot.adapters.database import tables
from bot.adapters.database.part import Part
from bot.adapters.database.rows import instant, micros
from bot.adapters.database.tables import alert, checkpoint, delivery, head, intake_count, job_run, leaf
from bot.domain.heartbeat import Fault, Pulse, Watch

_MICROSECOND = timedelta(microseconds=1)


class WatchPart(Part):
    """`bot.ports.WatchRecords`."""

    def pulses(self) -> list[Pulse]:
        query = select(tables.pulse).order_by(tables.pulse.c.provider, tables.pulse.c.key)
        return [_pulse(row) for row in self._sql.execute(query).mappings()]

    def pulse(self, provider: str, key: str) -> Pulse | None:
        this = (tables.pulse.c.provider == provider) & (tables.pulse.c.key == key)
        row = self._sql.execute(select(tables.pulse).where(this)).mappings().one_or_none()
        return _pulse(row) if row else None

    def save_pulse(self, pulse: Pulse) -> None:
        self.drop_pulse(pulse.provider, pulse.key)
        days = {day.isoformat(): length // _MICROSECOND for day, length in pulse.longest.items()}
        self._write(
            tables.pulse.insert().values(
                provider=pulse.provider,
                key=pulse.key,
                name=pulse.name,
                first_at=micros(pulse.first_at),
                heard_at=micros(pulse.heard_at),
                gaps=pulse.gaps,
                longest=json.dumps(days),
                minutes=pulse.minutes,
                ended_at=micros(pulse.ended_at),
                silent_at=micros(pulse.silent_at),
                told_at=micros(pulse.told_at),
            )
        )

    def drop_pulse(self, provider: str, key: str) -> None:
        this = (tables.pulse.c.provider == provider) & (tables.pulse.c.key == key)
        self._write(tables.pulse.delete().where(this))

    def watch(self) -> Watch | None:
        row = self._sql.execute(select(tables.watch)).mappings().one_or_none()
        return _watch(row) if row else None

    def save_watch(self, watch: Watch) -> None:
        self._write(tables.watch.delete())
        self._write(
            tables.watch.insert().values(
                id=1,
                listening_since=micros(watch.listening_since),
                looked_at=micros(watch.looked_at),
                audited_at=micros(watch.audited_at),
                faults=json.dumps([[one.check, one.says] for one in watch.faults]),
                counted_to=watch.counted_to,
                triggered=watch.triggered,
                reopened=watch.reopened,
                checked=watch.checked,
                checked_since=micros(watch.checked_since),
                pinged_at=micros(watch.pinged_at),
                ping_problem=watch.ping_problem,
            )
        )

    def given_numbers(self) -> tuple[int, int]:
        row = self._sql.execute(select(head.c.alerts, head.c.deliveries)).one()
        return row.alerts, row.deliveries

    def newest_numbers(self) -> tuple[int, int]:
        newest = (self._sql.execute(select(func.max(table.c.id))).scalar_one() for table in (alert, delivery))
        alerts, deliveries = newest
        return alerts or 0, deliveries or 0

    def counted(self, kind: str, results: Collection[str]) -> int:
        these = (intake_count.c.kind == kind) & intake_count.c.result.in_(results)
        return int(self._sql.execute(select(func.sum(intake_count.c.number)).where(these)).scalar_one() or 0)

    def count_entries(self, kind: str, start: int, end: int) -> int:
        these = (leaf.c.seq >= start) & (leaf.c.seq < end) & (leaf.c.type == kind)
        return self._sql.execute(select(func.count()).select_from(leaf).where(these)).scalar_one()

    def checkpoint_within(self, after: int, up_to: int) -> tuple[int, bytes] | None:
        these = (checkpoint.c.size > after) & (checkpoint.c.size <= up_to)
        query = select(checkpoint.c.size, checkpoint.c.note).where(these)
        row = self._sql.execute(query.order_by(checkpoint.c.size.desc()).limit(1)).one_or_none()
        return (row.size, bytes(row.note)) if row else None

    def last_done(self, job: str) -> datetime | None:
        done = (job_run.c.job == job) & (job_run.c.status == "done")
        at: int | None = self._sql.execute(select(func.max(job_run.c.due_at)).where(done)).scalar_one()
        return instant(at)


def _pulse(row: RowMapping) -> Pulse:
    days: dict[str, int] = json.loads(row["longest"])
    return Pulse(
        provider=row["provider"],
        key=row["key"],
        name=row["name"],
        first_at=instant(row["first_at"]),
        heard_at=instant(row["heard_at"]),
        gaps=row["gaps"],
        longest={date.fromisoformat(day): length * _MICROSECOND for day, length in days.items()},
        minutes=row["minutes"],
        ended_at=instant(row["ended_at"]),
        silent_at=instant(row["silent_at"]),
        told_at=instant(row["told_at"]),
    )


def _watch(row: RowMapping) -> Watch:
    faults: list[Any] = json.loads(row["faults"])
    return Watch(
        listening_since=instant(row["listening_since"]),
        looked_at=instant(row["looked_at"]),
        audited_at=instant(row["audited_at"]),
        faults=tuple(Fault(check=check, says=says) for check, says in faults),
        counted_to=row["counted_to"],
        triggered=row["triggered"],
        reopened=row["reopened"],
        checked=bytes(row["checked"]),
        checked_since=instant(row["checked_since"]),
        pinged_at=instant(row["pinged_at"]),
        ping_problem=row["ping_problem"],
    )
