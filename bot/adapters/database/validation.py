"""The weekly validations: when they are due, what was shown, what was answered; and figures that they are made of."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table, func, insert, select, text, update

from bot.adapters.database.part import Part
from bot.adapters.database.rows import instant, micros
from bot.adapters.database.tables import (
    alert,
    attestation,
    coverage_interval,
    delegation,
    disposition,
    exclusion_request,
    finding,
    monitor_change,
    scope_revision,
    standard_version,
    validation,
    validation_copy,
    validation_facts,
    validation_reminder,
    validation_rhythm,
)
from bot.domain.attestation import (
    Attestation,
    Decided,
    Delegation,
    Disposition,
    Overlap,
    Reminder,
    Told,
)
from bot.domain.coverage import State
from bot.domain.monitor_change import MonitorChange
from bot.domain.packed_answers import row_monitor
from bot.domain.scope import Change, FindingKind
from bot.domain.shortfall import Question, Why
from bot.domain.slot import Rhythm, Slot, WeekTime
from bot.domain.validation import Ended, Facts, Validation
from bot.domain.validation_copy import Copy


class ValidationPart(Part):
    """`bot.ports.ValidationRecords`."""

    # When they are due
    def rhythms(self) -> list[Rhythm]:
        rows = self._sql.execute(select(validation_rhythm).order_by(validation_rhythm.c.number)).mappings()
        return [
            Rhythm(
                opens=WeekTime.read(row["opens"]),
                due=WeekTime.read(row["due"]),
                zone=row["zone"],
                at=instant(row["at"]),
                number=row["number"],
            )
            for row in rows
        ]

    def add_rhythm(self, rhythm: Rhythm) -> int:
        newest = self._sql.execute(select(func.max(validation_rhythm.c.number))).scalar_one() or 0
        row = {
            "number": newest + 1,
            "at": micros(rhythm.at),
            "opens": str(rhythm.opens),
            "due": str(rhythm.due),
            "zone": rhythm.zone,
        }
        self._write(insert(validation_rhythm).values(row))
        return int(row["number"])

    # The weeks
    def validation(self, week: str) -> Validation | None:
        return next(iter(self.validations(week, week)), None)

    def validations(self, first: str, last: str) -> list[Validation]:
        return self._validations((validation.c.week >= first) & (validation.c.week <= last))

    def unanswered_validations(self) -> list[Validation]:
        return self._validations(validation.c.missed_at.is_(None) & attestation.c.week.is_(None))

    def newest_week(self) -> str:
        by_now = validation.c.opens_at <= micros(self.now)
        return self._sql.execute(select(func.max(validation.c.week)).where(by_now)).scalar_one() or ""

    def save_validation(self, record: Validation) -> None:
        slot = record.slot
        row = {
            "start": micros(slot.start),
            "end": micros(slot.end),
            "opens_at": micros(slot.opens_at),
            "due_at": micros(slot.due_at),
            "closes_at": micros(slot.closes_at),
            "zone": slot.zone,
            "opened_at": micros(record.opened_at),
            "revision": record.revision,
            "digest": record.digest,
            "missed_at": micros(record.missed_at),
            "ended": record.ended,
            "reason": record.reason,
            "explained_by": record.explained_by,
            "explained_at": micros(record.explained_at),
        }
        self._put(validation, {"week": slot.week}, row)

    def facts(self, week: str, revision: int | None = None) -> Facts | None:
        of = select(validation_facts).where(validation_facts.c.week == week)
        of = of if revision is None else of.where(validation_facts.c.revision == revision)
        newest = of.order_by(validation_facts.c.revision.desc()).limit(1)
        row = self._sql.execute(newest).mappings().one_or_none()
        if row is None:
            return None
        return Facts(
            week=week, at=instant(row["at"]), document=row["document"].encode(), revision=row["revision"]
        )

    def add_facts(self, facts: Facts) -> None:
        row = {
            "week": facts.week,
            "revision": facts.revision,
            "at": micros(facts.at),
            "digest": facts.digest,
            "document": facts.document.decode(),
        }
        self._write(insert(validation_facts).values(row))

    def _validations(self, these: ColumnElement[bool]) -> list[Validation]:
        answered = [column.label(f"a_{column.name}") for column in attestation.c]
        joined = validation.outerjoin(attestation, attestation.c.week == validation.c.week)
        query = select(validation, *answered).select_from(joined).where(these).order_by(validation.c.week)
        rows = self._sql.execute(query).mappings().all()
        numbers = {int(each) for row in rows for each in (row["a_dispositions"] or "").split()}
        known = self._dispositions(disposition.c.id.in_(numbers)) if numbers else []
        by_number = {one.id: one for one in known}
        return [_validation(row, by_number) for row in rows]

    # The answers
    def save_attestation(self, one: Attestation) -> None:
        row = {
            "at": micros(one.at),
            "by": one.by,
            "role": one.role,
            "delegated_by": one.delegated_by,
            "revision": one.revision,
            "digest": one.digest,
            "is_late": one.is_late,
            "dispositions": " ".join(str(each.id) for each in one.dispositions),
            "overlaps": json.dumps([each.name for each in one.overlaps]),
            "cosigned_by": one.cosigned_by,
            "cosigned_at": micros(one.cosigned_at),
        }
        self._put(attestation, {"week": one.week}, row)

    def dispositions(self) -> list[Disposition]:
        return self._dispositions(disposition.c.ended_at.is_(None))

    def save_disposition(self, one: Disposition) -> int:
        times = {"until": micros(one.until), "at": micros(one.at), "ended_at": micros(one.ended_at)}
        return self._put_numbered(disposition, asdict(one) | times)

    def _dispositions(self, these: ColumnElement[bool]) -> list[Disposition]:
        query = select(disposition).where(these).order_by(disposition.c.id)
        return [_disposition(row) for row in self._sql.execute(query).mappings()]

    def delegations(self) -> list[Delegation]:
        rows = self._sql.execute(select(delegation).order_by(delegation.c.id)).mappings()
        return [Delegation(**_timed(row, "at", "until", "ended_at")) for row in rows]

    def save_delegation(self, one: Delegation) -> int:
        times = {"until": micros(one.until), "at": micros(one.at), "ended_at": micros(one.ended_at)}
        return self._put_numbered(delegation, asdict(one) | times)

    # Who is told
    def reminders(self, since: str) -> list[Reminder]:
        query = select(validation_reminder).where(validation_reminder.c.week >= since)
        order = (validation_reminder.c.at, validation_reminder.c.kind, validation_reminder.c.to)
        rows = self._sql.execute(query.order_by(*order)).mappings()
        return [
            Reminder(**_timed(row, "at", "tried_at", "sent_at") | {"kind": Told(row["kind"])}) for row in rows
        ]

    def save_reminder(self, one: Reminder) -> None:
        key = {"week": one.week, "kind": one.kind.value, "to": str(one.to)}
        times = {"at": micros(one.at), "tried_at": micros(one.tried_at), "sent_at": micros(one.sent_at)}
        self._put(validation_reminder, key, times)

    def validation_copies(self, since: str) -> list[Copy]:
        query = select(validation_copy).where(validation_copy.c.week >= since)
        rows = self._sql.execute(query.order_by(validation_copy.c.at)).mappings()
        return [Copy(**_timed(row, "at") | {"kind": Told(row["kind"])}) for row in rows]

    def save_validation_copy(self, one: Copy) -> None:
        key = {"week": one.week, "kind": one.kind.value, "channel": one.channel}
        self._put(validation_copy, key, {"at": micros(one.at), "ts": one.ts, "shown": one.shown})

    # Figures
    def hands_in(self, start: datetime, end: datetime) -> dict[Overlap, frozenset[str]]:
        revision, asked, version = scope_revision.c, exclusion_request.c, standard_version.c
        # An exclusion that was approved is a revision of the scope, too.
        changed = select(revision.by).where(revision.change != Change.EXCLUDED, revision.by != "")
        approved = select(asked.decided_by).where(asked.approved)
        queries = {
            Overlap.SCOPE: changed.where(revision.at.between(micros(start), micros(end))),
            Overlap.EXCLUSION: approved.where(asked.decided_at.between(micros(start), micros(end))),
            Overlap.STANDARD: select(version.reviewed_by).where(
                version.reviewed_at.between(micros(start), micros(end))
            ),
        }
        return {what: frozenset(self._sql.execute(query).scalars()) for what, query in queries.items()}

    def responders(self, start: datetime, end: datetime) -> frozenset[str]:
        within = (alert.c.triggered_at >= micros(start)) & (alert.c.triggered_at < micros(end))
        rows = self._sql.execute(
            select(alert.c.acknowledged_by, alert.c.resolved_by).where(within).distinct()
        )
        return frozenset(each for row in rows for each in row if each)

    def count_waiting(self) -> dict[FindingKind, int]:
        waiting = select(finding.c.kind, func.count()).where(finding.c.reply.is_(None))
        rows = self._sql.execute(waiting.group_by(finding.c.kind))
        return {FindingKind(kind): number for kind, number in rows}

    def count_shortfalls(self) -> dict[tuple[State, Question, Why], int]:
        cell = coverage_interval.c
        cells = select(cell.state, cell.kinds, func.count()).where(_OPEN_CELLS)
        found: dict[tuple[State, Question, Why], int] = {}
        for state, kinds, number in self._sql.execute(cells.group_by(cell.state, cell.kinds)):
            for kind in filter(None, kinds.split("|")):
                question, _, why = kind.partition(":")
                key = State(state), Question(question), Why(why)
                found[key] = found.get(key, 0) + number
        return found

    def monitor_changes(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, MonitorChange]]:
        within = (monitor_change.c.at >= micros(start)) & (monitor_change.c.at < micros(end))
        for row in self._sql.execute(select(monitor_change).where(within).order_by(monitor_change.c.id)):
            yield (
                instant(row.at),
                MonitorChange(
                    before=row_monitor(json.loads(row.before)) if row.before else None,
                    after=row_monitor(json.loads(row.after)) if row.after else None,
                ),
            )

    def _put(self, table: Table, key: Mapping[str, Any], row: Mapping[str, Any]) -> None:
        """In place of the one with this key, or new."""
        this = [table.c[name] == value for name, value in key.items()]
        if not row or not self._write(update(table).where(*this).values(row)).rowcount:
            self._write(insert(table).values({**row, **key}))

    def _put_numbered(self, table: Table, row: dict[str, Any]) -> int:
        number = int(row.pop("id")) or self._next_id(table)
        self._put(table, {"id": number}, row)
        return number


# As the index has it.
_OPEN_CELLS = text("ended_at IS NULL AND measure != ''")


def _timed(row: RowMapping, *times: str) -> dict[str, Any]:
    return dict(row) | {name: instant(row[name]) for name in times}


def _disposition(row: RowMapping) -> Disposition:
    return Disposition(**_timed(row, "until", "at", "ended_at") | {"decided": Decided(row["decided"])})


def _validation(row: RowMapping, dispositions: Mapping[int, Disposition]) -> Validation:
    slot = Slot(
        week=row["week"],
        start=instant(row["start"]),
        end=instant(row["end"]),
        opens_at=instant(row["opens_at"]),
        due_at=instant(row["due_at"]),
        closes_at=instant(row["closes_at"]),
        zone=row["zone"],
    )
    return Validation(
        slot=slot,
        opened_at=instant(row["opened_at"]),
        revision=row["revision"],
        digest=row["digest"],
        attestation=_attestation(row, dispositions) if row["a_week"] else None,
        missed_at=instant(row["missed_at"]),
        ended=Ended(row["ended"]) if row["ended"] else None,
        reason=row["reason"],
        explained_by=row["explained_by"],
        explained_at=instant(row["explained_at"]),
    )


def _attestation(row: RowMapping, dispositions: Mapping[int, Disposition]) -> Attestation:
    return Attestation(
        week=row["a_week"],
        at=instant(row["a_at"]),
        by=row["a_by"],
        role=row["a_role"],
        revision=row["a_revision"],
        digest=row["a_digest"],
        is_late=row["a_is_late"],
        delegated_by=row["a_delegated_by"],
        dispositions=tuple(dispositions[int(each)] for each in row["a_dispositions"].split()),
        overlaps=tuple(Overlap[each] for each in json.loads(row["a_overlaps"])),
        cosigned_by=row["a_cosigned_by"],
        cosigned_at=instant(row["a_cosigned_at"]),
    )
