"""What the tools said of metrics and monitors, how monitors changed, and when what was out of coverage."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, bindparam, case, delete, func, insert, select, update

from bot.adapters.database.bulk import insert_rows
from bot.adapters.database.part import Part
from bot.adapters.database.rows import MICROSECOND, instant, micros
from bot.adapters.database.tables import (
    coverage_answer,
    coverage_interval,
    coverage_run,
    monitor_change,
)
from bot.domain.answers import Age, Subject
from bot.domain.component import Kind, Measure
from bot.domain.coverage import Interval, Run, State
from bot.domain.monitor_change import MonitorChange
from bot.domain.packed_answers import monitor_row, row_monitor
from bot.domain.scope import Criticality
from bot.domain.shortfall import Question, Shortfall, Why
from bot.domain.spending import Billed, Spent


class CoveragePart(Part):
    """`bot.ports.CoverageRecords`."""

    def answers(self, subject: Subject) -> dict[str, bytes]:
        rows = self._sql.execute(select(coverage_answer).where(coverage_answer.c.subject == subject))
        return {row.provider: bytes(row.body) for row in rows}

    def ages(self) -> list[Age]:
        columns = [column for column in coverage_answer.c if column.name != "body"]
        order = (coverage_answer.c.provider, coverage_answer.c.subject)
        return [
            Age(
                provider=row.provider,
                subject=Subject(row.subject),
                asked_at=instant(row.asked_at),
                whole_at=instant(row.whole_at),
                reason=row.reason,
                calls=row.calls,
                components=row.components,
                billed=_billed(json.loads(row.billed)),
            )
            for row in self._sql.execute(select(*columns).order_by(*order))
        ]

    def save_answer(self, age: Age, body: bytes) -> None:
        same = (coverage_answer.c.provider == age.provider) & (coverage_answer.c.subject == age.subject)
        self._write(delete(coverage_answer).where(same))
        self._write(
            insert(coverage_answer).values(
                provider=age.provider,
                subject=age.subject.value,
                asked_at=micros(age.asked_at),
                whole_at=micros(age.whole_at),
                reason=age.reason,
                calls=age.calls,
                body=body,
                components=age.components,
                billed=json.dumps(_billed_rows(age.billed)),
            )
        )

    def forget_answers(self, providers: Collection[str]) -> None:
        self._write(delete(coverage_answer).where(coverage_answer.c.provider.in_(providers)))

    def add_monitor_changes(self, changes: Sequence[MonitorChange]) -> None:
        first = self._next_id(monitor_change)
        rows = [
            {
                "id": first + at,
                "provider": one.monitor.provider,
                "monitor": one.monitor.id,
                "at": micros(self.now),
                "before": json.dumps(monitor_row(one.before)) if one.before else None,
                "after": json.dumps(monitor_row(one.after)) if one.after else None,
                "untold": bool(one.losses),
            }
            for at, one in enumerate(changes)
        ]
        self.has_written = self._batch.has_written = True
        insert_rows(self._sql, monitor_change, rows)

    def monitor_history(self, provider: str, monitor: str) -> list[tuple[datetime, MonitorChange]]:
        of = (monitor_change.c.provider == provider) & (monitor_change.c.monitor == monitor)
        rows = self._sql.execute(select(monitor_change).where(of).order_by(monitor_change.c.id))
        return [(instant(row.at), _change(row)) for row in rows]

    def untold_losses(self, *, most: int) -> list[tuple[int, MonitorChange]]:
        query = select(monitor_change).where(monitor_change.c.untold).order_by(monitor_change.c.id)
        return [(row.id, _change(row)) for row in self._sql.execute(query.limit(most))]

    def losses_told(self, ids: Collection[int]) -> None:
        self._write(update(monitor_change).where(monitor_change.c.id.in_(ids)).values(untold=False))

    def add_run(self, run: Run) -> None:
        tally = [
            [kind, measure, {state.value: number for state, number in counts.items()}]
            for (kind, measure), counts in run.tally.items()
        ]
        self._write(
            insert(coverage_run).values(
                id=self._next_id(coverage_run),
                at=micros(run.at),
                scope=run.scope,
                standard=run.standard,
                components=run.components,
                excluded=run.excluded,
                tally=json.dumps(tally),
                digest=run.digest,
                spent=json.dumps(
                    [
                        [provider, one.calls, one.components, _billed_rows(one.billed)]
                        for provider, one in run.spent.items()
                    ]
                ),
            )
        )

    def latest_run(self) -> Run | None:
        row = self._sql.execute(
            select(coverage_run).order_by(coverage_run.c.id.desc()).limit(1)
        ).one_or_none()
        return _run(row) if row else None

    def open_intervals(
        self, *, key: str = "", after: tuple[str, str] = ("", ""), most: int | None = None
    ) -> list[Interval]:
        table = coverage_interval.c
        query = select(coverage_interval).where(table.ended_at.is_(None))
        if key:
            query = query.where(table.component == key)
        if after[0]:
            later = (table.component == after[0]) & (table.measure > after[1])
            query = query.where((table.component > after[0]) | later)
        query = query.order_by(table.component, table.measure)
        return [_interval(row) for row in self._sql.execute(query.limit(most) if most else query)]

    def urgent_gaps(self, *, start: int, most: int) -> list[Interval]:
        table = coverage_interval.c
        cells = select(coverage_interval).where(table.ended_at.is_(None), table.measure != "")
        # "gap" comes before "unknown", as it should.
        order = (table.rank, table.state, table.component, table.measure)
        return [_interval(row) for row in self._sql.execute(cells.order_by(*order).offset(start).limit(most))]

    def rank_intervals(self, ranked: Sequence[Interval]) -> None:
        if ranked:
            self.has_written = self._batch.has_written = True
            self._sql.execute(
                _RANK,
                [{"of": one.key, "what": one.measure or "", "now": one.rank} for one in ranked],
            )

    def save_intervals(self, ended: Sequence[Interval], begun: Sequence[Interval]) -> None:
        self.has_written = self._batch.has_written = True
        # Of a cell that begins, too: two assessments at the same time must not leave it open twice.
        if ending := {(one.key, one.measure or "") for one in (*ended, *begun)}:
            at = micros(self.now)
            self._sql.execute(_END, [{"of": key, "what": measure, "at": at} for key, measure in ending])
        insert_rows(
            self._sql,
            coverage_interval,
            [
                {
                    "component": one.key,
                    "measure": one.measure or "",
                    "began_at": micros(one.since),
                    "ended_at": None,
                    "state": one.state.value,
                    "monitor": one.monitor,
                    "kinds": one.kinds,
                    "shortfalls": json.dumps(
                        [[each.question, each.why, each.says, each.mend] for each in one.shortfalls]
                    ),
                    "rank": one.rank,
                }
                for one in begun
            ],
        )

    def time_out_of_coverage(self, start: datetime, end: datetime) -> Mapping[str, timedelta]:
        table, from_, to = coverage_interval.c, micros(start), micros(end)
        began = case((table.began_at < from_, from_), else_=table.began_at)
        ended = case((table.ended_at.is_(None), to), (table.ended_at > to, to), else_=table.ended_at)
        lasted = func.sum(ended - began)
        within = (table.began_at < to) & (table.ended_at.is_(None) | (table.ended_at > from_))
        rows = self._sql.execute(
            select(table.component, lasted).where(table.measure == "", within).group_by(table.component)
        )
        return {component: int(took) * MICROSECOND for component, took in rows}


def _run(row: Row[Any]) -> Run:
    return Run(
        at=instant(row.at),
        scope=row.scope,
        standard=row.standard,
        components=row.components,
        excluded=row.excluded,
        tally={
            (Kind(kind), Measure(measure)): {State(state): number for state, number in counts.items()}
            for kind, measure, counts in json.loads(row.tally)
        },
        digest=row.digest,
        spent={
            provider: Spent(calls=calls, components=components, billed=_billed(billed))
            for provider, calls, components, billed in json.loads(row.spent)
        },
    )


def _billed_rows(billed: Sequence[Billed]) -> list[list[Any]]:
    return [[each.of, each.units, str(each.price)] for each in billed]


def _billed(rows: Sequence[Sequence[Any]]) -> tuple[Billed, ...]:
    return tuple(Billed(of=of, units=units, price=Decimal(price)) for of, units, price in rows)


def _interval(row: Row[Any]) -> Interval:
    return Interval(
        key=row.component,
        measure=Measure(row.measure) if row.measure else None,
        state=State(row.state),
        since=instant(row.began_at),
        until=instant(row.ended_at),
        shortfalls=tuple(
            Shortfall(question=Question(question), why=Why(why), says=says, mend=mend)
            for question, why, says, mend in json.loads(row.shortfalls)
        ),
        monitor=row.monitor,
        criticality=list(Criticality)[row.rank],
    )


def _change(row: Row[Any]) -> MonitorChange:
    return MonitorChange(
        before=row_monitor(json.loads(row.before)) if row.before else None,
        after=row_monitor(json.loads(row.after)) if row.after else None,
    )


_OPEN = update(coverage_interval).where(
    coverage_interval.c.component == bindparam("of"),
    coverage_interval.c.measure == bindparam("what"),
    coverage_interval.c.ended_at.is_(None),
)
_END = _OPEN.values(ended_at=bindparam("at"))
_RANK = _OPEN.values(rank=bindparam("now"))
