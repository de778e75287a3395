"""What the tools see, findings, and the scope: each change is a revision, and an entry holds from one until another."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from sys import intern
from typing import Any

import orjson
from sqlalchemy import RowMapping, Table, insert, select, update

from bot.adapters.database.bulk import insert_rows, update_rows
from bot.adapters.database.part import Part
from bot.adapters.database.rows import instant, micros
from bot.adapters.database.tables import (
    exclusion_request,
    finding,
    heard,
    scope_entry,
    scope_revision,
    sighting,
)
from bot.domain.component import Component, Identity, Kind
from bot.domain.errors import UnknownExclusionRequest, UnknownFinding, UnknownRevision
from bot.domain.scope import (
    Change,
    Criticality,
    Difference,
    Exclusion,
    ExclusionRequest,
    Finding,
    FindingKind,
    Heard,
    InScope,
    Reply,
    Revision,
    Scope,
    Sighting,
)

MOST_KEYS = 1000  # in one statement


class ScopePart(Part):
    """`bot.ports.ScopeRecords`."""

    # What the tools see
    def sightings(self, *, after: int = 0, most: int = 1000) -> list[Sighting]:
        page = select(sighting).where(sighting.c.id > after).order_by(sighting.c.id).limit(most)
        return [_sighting(row) for row in self._sql.execute(page).mappings()]

    def in_sight(self, *, after: int, most: int) -> dict[int, Component]:
        table = sighting.c
        page = select(table.id, table.body).where(table.id > after, table.gone_at.is_(None))
        rows = self._sql.execute(page.order_by(table.id).limit(most))
        return {number: _component(orjson.loads(body)) for number, body in rows}

    def save_sightings(self, sightings: Sequence[Sighting]) -> None:
        number = self._next_id(sighting)
        new = [one for one in sightings if not one.id]
        self._insert(sighting, [_sighting_row(one) | {"id": number + at} for at, one in enumerate(new)])
        self._update(sighting, [_sighting_row(one) for one in sightings if one.id])

    def sightings_gone(self, ids: Collection[int], at: datetime) -> None:
        self._update(sighting, [{"id": each, "gone_at": micros(at)} for each in ids])

    def heard(self) -> list[Heard]:
        rows = self._sql.execute(select(heard).order_by(heard.c.source)).mappings()
        return [
            Heard(
                source=row["source"],
                asked_at=instant(row["asked_at"]),
                complete_at=instant(row["complete_at"]),
                reason=row["reason"],
                calls=row["calls"],
            )
            for row in rows
        ]

    def save_heard(self, news: Heard) -> None:
        known = {"asked_at": micros(news.asked_at), "reason": news.reason}
        if news.complete_at:  # else what it last said in full keeps its age
            known["complete_at"] = micros(news.complete_at)
        if news.calls:  # else nothing was answered yet
            known["calls"] = news.calls
        this = update(heard).where(heard.c.source == news.source)
        if not self._write(this.values(known)).rowcount:
            self._write(insert(heard).values({"source": news.source, "complete_at": None} | known))

    # What was found out
    def findings(self, *, waiting: bool = False) -> list[Finding]:
        asked = select(finding).order_by(finding.c.id)
        asked = asked.where(finding.c.reply.is_(None)) if waiting else asked
        return [_finding(row) for row in self._sql.execute(asked).mappings()]

    def finding(self, finding_id: int) -> Finding:
        row = self._sql.execute(select(finding).where(finding.c.id == finding_id)).mappings().one_or_none()
        if row is None:
            raise UnknownFinding(finding_id)
        return _finding(row)

    def save_findings(self, findings: Sequence[Finding]) -> None:
        number = self._next_id(finding)
        new = [one for one in findings if not one.id]
        self._insert(finding, [_finding_row(one) | {"id": number + at} for at, one in enumerate(new)])
        self._update(finding, [_finding_row(one) for one in findings if one.id])

    # The scope
    def scope(self, revision: int | None = None) -> Scope | None:
        newest = select(scope_revision).order_by(scope_revision.c.id.desc()).limit(1)
        asked = newest if revision is None else newest.where(scope_revision.c.id == revision)
        if revision is not None and revision.bit_length() > 31:  # no column holds it
            raise UnknownRevision(revision)
        row = self._sql.execute(asked).mappings().one_or_none()
        if row is None:
            if revision is None:
                return None
            raise UnknownRevision(revision)
        reviewed = newest.where(scope_revision.c.reviewed_at.is_not(None), scope_revision.c.id <= row["id"])
        review = self._sql.execute(reviewed).mappings().one_or_none()
        held = scope_entry.c.until.is_(None) | (scope_entry.c.until > row["id"])
        entries = select(scope_entry.c.body).where(scope_entry.c.since <= row["id"], held)
        return Scope(
            revision=_revision(row),
            entries=tuple(map(_entry, self._sql.execute(entries.order_by(scope_entry.c.key)).scalars())),
            review=_revision(review) if review else None,
        )

    def scope_entries(self, revision: int, *, after: int, most: int) -> dict[int, InScope]:
        table = scope_entry.c
        held = (table.since <= revision) & (table.until.is_(None) | (table.until > revision))
        page = select(table.id, table.body).where(table.id > after, held).order_by(table.id).limit(most)
        return {number: _entry(body) for number, body in self._sql.execute(page)}

    def scope_entry(self, key: str, *, revision: int | None = None) -> InScope | None:
        asked = select(scope_entry.c.body).where(scope_entry.c.key == key)
        if revision is None:
            asked = asked.where(scope_entry.c.until.is_(None))
        else:
            held = scope_entry.c.until.is_(None) | (scope_entry.c.until > revision)
            asked = asked.where(scope_entry.c.since <= revision, held)
        body = self._sql.execute(asked).scalar_one_or_none()
        return _entry(body) if body else None

    def scope_entries_with(self, text: str, *, most: int) -> list[InScope]:
        held = scope_entry.c.until.is_(None) & scope_entry.c.body.icontains(text, autoescape=True)
        bodies = self._sql.execute(
            select(scope_entry.c.body).where(held).order_by(scope_entry.c.key).limit(most)
        )
        return [_entry(body) for body in bodies.scalars()]

    def scope_revisions(self, *, most: int) -> list[Revision]:
        newest = select(scope_revision).order_by(scope_revision.c.id.desc()).limit(most)
        return [_revision(row) for row in self._sql.execute(newest).mappings()]

    def add_revision(self, change: Change, made: Difference, *, by: str) -> Revision:
        row: dict[str, Any] = {
            "id": self._next_id(scope_revision),
            "at": micros(self.now),
            "by": by,
            "change": change.value,
            "added": len(made.added),
            "removed": len(made.removed),
            "changed": len(made.changed),
        }
        self._write(insert(scope_revision).values(row))
        over = [one.component.key for one in (*made.removed, *(before for before, _ in made.changed))]
        for start in range(0, len(over), MOST_KEYS):
            these = scope_entry.c.key.in_(over[start : start + MOST_KEYS]) & scope_entry.c.until.is_(None)
            self._write(update(scope_entry).where(these).values(until=row["id"]))
        number = self._next_id(scope_entry)
        begun = [*made.added, *(after for _, after in made.changed)]
        rows = [
            {"id": number + at, "key": one.component.key, "since": row["id"], "body": _entry_body(one)}
            for at, one in enumerate(begun)
        ]
        self._insert(scope_entry, rows)
        return self._revision(row["id"])

    def save_scope_review(self, revision: int, *, by: str, document: str) -> Revision:
        reviewed = {"reviewed_at": micros(self.now), "reviewed_by": by, "document": document}
        self._write(update(scope_revision).where(scope_revision.c.id == revision).values(reviewed))
        return self._revision(revision)

    def _revision(self, revision: int) -> Revision:
        this = select(scope_revision).where(scope_revision.c.id == revision)
        return _revision(self._sql.execute(this).mappings().one())

    # Requests to leave something out
    def exclusion_requests(self) -> list[ExclusionRequest]:
        undecided = select(exclusion_request).where(exclusion_request.c.decided_at.is_(None))
        rows = self._sql.execute(undecided.order_by(exclusion_request.c.id)).mappings()
        return [_request(row) for row in rows]

    def exclusion_request(self, request_id: int) -> ExclusionRequest:
        this = select(exclusion_request).where(exclusion_request.c.id == request_id)
        row = self._sql.execute(this).mappings().one_or_none()
        if row is None:
            raise UnknownExclusionRequest(request_id)
        return _request(row)

    def save_exclusion_request(self, request: ExclusionRequest) -> int:
        row = _request_row(request)
        if not request.id:
            row["id"] = self._next_id(exclusion_request)
            self._insert(exclusion_request, [row])
        else:
            self._update(exclusion_request, [row])
        return int(row["id"])

    def _insert(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            self.has_written = self._batch.has_written = True
            insert_rows(self._sql, table, rows)

    def _update(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            self.has_written = self._batch.has_written = True
            update_rows(self._sql, table, rows, key="id")


def component_json(component: Component) -> dict[str, Any]:
    return {
        "kind": component.kind.value,
        "name": component.name,
        "identities": sorted(map(str, component.identities)),
        "sources": sorted(component.sources),
        "account": component.account,
        "region": component.region,
        "tags": dict(sorted(component.tags.items())),
    }


# A fleet asks for these hundreds of thousands of times; and what many components have in common is kept once.
_KINDS = {each.value: each for each in Kind}
_CRITICALITIES = {each.value: each for each in Criticality}


def _component(given: Mapping[str, Any]) -> Component:
    return Component(
        kind=_KINDS[given["kind"]],
        name=given["name"],
        identities=frozenset(map(_identity, given["identities"])),
        sources=_sources(tuple(given["sources"])),
        account=intern(given["account"]),
        region=intern(given["region"]),
        tags={name: intern(value) for name, value in given["tags"].items()},
    )


@cache
def _sources(names: tuple[str, ...]) -> frozenset[str]:
    """The few sets of sources that there are, made once each."""
    return frozenset(names)


def _identity(text: str) -> Identity:
    """Exactly as it was written: `Identity.parse` would take what people typed."""
    space, _, value = text.partition(":")
    return Identity(intern(space), value)


def _body(component: Component) -> str:
    return orjson.dumps(component_json(component)).decode()


def _sighting_row(one: Sighting) -> dict[str, Any]:
    return {
        "id": one.id,
        "source": one.source,
        "body": _body(one.component),
        "first_seen": micros(one.first_seen),
        "last_seen": micros(one.last_seen),
        "gone_at": micros(one.gone_at),
    }


def _sighting(row: RowMapping) -> Sighting:
    return Sighting(
        id=row["id"],
        source=row["source"],
        component=_component(orjson.loads(row["body"])),
        first_seen=instant(row["first_seen"]),
        last_seen=instant(row["last_seen"]),
        gone_at=instant(row["gone_at"]),
    )


def _finding_row(one: Finding) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind.value,
        "body": _body(one.component),
        "at": micros(one.at),
        "before": one.before,
        "told_at": micros(one.told_at),
        "reply": one.reply.value if one.reply else None,
        "replied_by": one.replied_by,
        "replied_at": micros(one.replied_at),
    }


def _finding(row: RowMapping) -> Finding:
    return Finding(
        id=row["id"],
        kind=FindingKind(row["kind"]),
        component=_component(orjson.loads(row["body"])),
        at=instant(row["at"]),
        before=row["before"],
        told_at=instant(row["told_at"]),
        reply=Reply(row["reply"]) if row["reply"] else None,
        replied_by=row["replied_by"],
        replied_at=instant(row["replied_at"]),
    )


def _revision(row: RowMapping) -> Revision:
    return Revision(
        id=row["id"],
        at=instant(row["at"]),
        by=row["by"],
        change=Change(row["change"]),
        added=row["added"],
        removed=row["removed"],
        changed=row["changed"],
        reviewed_at=instant(row["reviewed_at"]),
        reviewed_by=row["reviewed_by"] or "",
        document=row["document"] or "",
    )


def _entry_body(one: InScope) -> str:
    out = one.exclusion
    content = component_json(one.component) | {
        "owner": one.owner,
        "criticality": one.criticality.value,
        "exclusion": {
            "reason": out.reason,
            "requested_by": out.requested_by,
            "approved_by": out.approved_by,
            "until": micros(out.until),
        }
        if out
        else None,
    }
    return orjson.dumps(content).decode()


def _entry(body: str) -> InScope:
    given = orjson.loads(body)
    out = given["exclusion"]
    return InScope(
        component=_component(given),
        owner=intern(given["owner"]),
        criticality=_CRITICALITIES[given["criticality"]],
        exclusion=Exclusion(
            reason=out["reason"],
            requested_by=out["requested_by"],
            approved_by=out["approved_by"],
            until=instant(out["until"]),
        )
        if out
        else None,
    )


def _request_row(one: ExclusionRequest) -> dict[str, Any]:
    return {
        "id": one.id,
        "body": _body(one.component),
        "reason": one.reason,
        "until": micros(one.until),
        "requested_by": one.requested_by,
        "at": micros(one.at),
        "finding": one.finding,
        "told_at": micros(one.told_at),
        "decided_by": one.decided_by,
        "decided_at": micros(one.decided_at),
        "approved": one.approved,
    }


def _request(row: RowMapping) -> ExclusionRequest:
    return ExclusionRequest(
        id=row["id"],
        component=_component(orjson.loads(row["body"])),
        reason=row["reason"],
        until=instant(row["until"]),
        requested_by=row["requested_by"],
        at=instant(row["at"]),
        finding=row["finding"],
        told_at=instant(row["told_at"]),
        decided_by=row["decided_by"],
        decided_at=instant(row["decided_at"]),
        approved=row["approved"],
    )
