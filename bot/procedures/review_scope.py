"""What is in scope stands beside what the tools see; a lead reviews the document, its history and its changes."""

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from bot.domain.component import Component, Known
from bot.domain.errors import IllegalAct, SocmonError
from bot.domain.evidence import Actor, Entry, Fact
from bot.domain.person import LEADS, READERS, Person
from bot.domain.scope import (
    Difference,
    ExclusionRequest,
    Finding,
    Heard,
    InScope,
    Line,
    Reply,
    Revision,
    Scope,
    Sighting,
    difference,
    lines,
    present,
)
from bot.ports import Records
from bot.procedures.take_inventory import open_findings


class NoScope(SocmonError):
    """Nobody has said yet what is in scope."""

    def __init__(self) -> None:
        super().__init__(
            "No component is in scope yet. Import the approved inventory with `socmon scope import FILE`, or add what"
            " the tools find: `/socmon scope` shows it."
        )


class Settled(IllegalAct):
    """Somebody has decided this already, or it is no longer so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the scope stands: what is in it, what the tools see, and what waits for people."""

    scope: Scope | None
    sightings: tuple[Sighting, ...]
    heard: tuple[Heard, ...]
    findings: tuple[Finding, ...]
    requests: tuple[ExclusionRequest, ...]
    now: datetime

    @property
    def entries(self) -> tuple[InScope, ...]:
        return self.scope.entries if self.scope else ()

    @property
    def waiting(self) -> list[Finding]:
        """What nobody has done anything about; a request for an exclusion waits by itself."""
        asked = Known((one.component, one) for one in self.requests)
        return [one for one in self.findings if one.is_open and not asked.same_as(one.component)]

    def lines(self) -> list[Line]:
        return lines(self.entries, present(self.sightings))


def standing(records: Records, *, by: Person | None = None) -> Standing:
    """Everything; raises NotPermitted. With very many components ask `sightings` for them page by page."""
    if by:
        by.require(READERS, "see the monitoring scope")
    return Standing(
        scope=records.scope(),
        sightings=tuple(every_sighting(records)),
        heard=tuple(records.heard()),
        findings=tuple(records.findings()),
        requests=tuple(records.exclusion_requests()),
        now=records.now,
    )


def in_scope(records: Records) -> list[InScope]:
    """What has to be covered now, each with every identity that the tools know it by."""
    scope, now = records.scope(), records.now
    entries = [one for one in scope.entries if one.counts(now)] if scope else []
    mapped = lines(entries, present(every_sighting(records))) if entries else []
    return [replace(line.entry, component=line.component) for line in mapped if line.entry]


def review(records: Records, revision: int, *, document: str, by: Person) -> Revision:
    """A lead has read the document of this revision, whose bytes have this digest. Raises NotPermitted and Settled."""
    by.require(LEADS, "review the monitoring scope")
    scope = records.scope()
    if scope is None:
        raise NoScope
    if scope.revision.id != revision:
        raise Settled(
            f"This is the document of revision {revision}, and the scope is at revision {scope.revision.id} by now."
            " Nothing changed. Ask for the present document with `/socmon scope review`."
        )
    reviewed = records.save_scope_review(revision, by=by.user, document=document)
    facts: dict[str, Fact] = {
        "document": document,
        "components": len(scope.entries),
        "excluded": sum(not one.counts(records.now) for one in scope.entries),
        "findings": len(open_findings(records)),
    }
    actor = Actor(kind="slack", team=by.team, user=by.user, role=by.role)
    records.log(Entry(type="scope.reviewed", actor=actor, subject={"revision": revision}, facts=facts))
    return reviewed


def for_document(records: Records, *, by: Person | None = None) -> tuple[Standing, Scope]:
    """What the scope document is made of. Raises NotPermitted and NoScope."""
    stands = standing(records, by=by)
    if stands.scope is None:
        raise NoScope
    return stands, stands.scope


def history(records: Records, *, most: int, by: Person | None = None) -> list[Revision]:
    """The newest revisions first. Raises NotPermitted."""
    if by:
        by.require(READERS, "see the history of the scope")
    return records.scope_revisions(most=most)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeDifference:
    """What has changed since the last review, or since a revision; and where scope and tools differ now."""

    since: Revision | None
    revision: Revision | None
    made: Difference
    not_in_scope: tuple[Component, ...]
    not_seen: tuple[InScope, ...]
    heard: tuple[Heard, ...]


def differences(records: Records, *, since: int | None = None, by: Person | None = None) -> ScopeDifference:
    """Raises NotPermitted and UnknownRevision."""
    stands = standing(records, by=by)
    reviewed = stands.scope.review.id if stands.scope and stands.scope.review else None
    start = since if since is not None else reviewed
    older = records.scope(start) if start is not None else None
    strange = Known((one.component, one) for one in stands.findings if one.reply is Reply.NOT_OURS)
    found = stands.lines()
    return ScopeDifference(
        since=older.revision if older else None,
        revision=stands.scope.revision if stands.scope else None,
        made=difference(older.entries if older else (), stands.entries),
        not_in_scope=tuple(
            line.component for line in found if line.entry is None and not strange.same_as(line.component)
        ),
        not_seen=tuple(line.entry for line in found if line.entry and line.seen is None),
        heard=stands.heard,
    )


def document_digest(document: bytes) -> str:
    return f"sha256:{sha256(document).hexdigest()}"


def every_sighting(records: Records) -> list[Sighting]:
    seen: list[Sighting] = []
    while page := records.sightings(after=seen[-1].id if seen else 0):
        seen += page
    return seen
