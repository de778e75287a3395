"""What exists is taken from the tools, what is in scope from people; each change is a revision, and a lead reviews it.

An answer that is not whole adds what it tells and takes nothing away. What nobody has put in scope, what is gone and
what is called otherwise is put before people, once each.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from hashlib import sha256

from bot.domain.component import Component
from bot.domain.errors import IllegalAct, SocmonError, ThinNote, Unfit
from bot.domain.evidence import Actor, Entry, Fact, canonical
from bot.domain.person import LEADS, READERS, RESPONDERS, Person, Role
from bot.domain.scope import (
    LONGEST_EXCLUSION,
    Change,
    Criticality,
    Difference,
    Exclusion,
    ExclusionRequest,
    Finding,
    FindingKind,
    Found,
    Heard,
    InScope,
    Line,
    News,
    Reply,
    Revision,
    Scope,
    Sighting,
    difference,
    from_tags,
    lines,
    present,
    prompt_due,
    renamed,
    take_in,
)
from bot.ports import Records

KEEPERS = RESPONDERS | {Role.ADMIN}
TRUSTED = LEADS | {Role.ADMIN}
ASK_EVERY = timedelta(minutes=58)  # it is looked every few minutes
MOST_NAMED = 100
SHORTEST_REASON = 10


class NoScope(SocmonError):
    """Nobody has said yet what is in scope."""

    def __init__(self) -> None:
        super().__init__(
            "No component is in scope yet. Import the approved inventory with `socmon scope import FILE`, or add what"
            " the tools find: `/socmon scope` shows it."
        )


class UnknownComponent(SocmonError):
    """No component has this name or identity, or several have."""


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
        return [one for one in self.findings if one.is_open]

    def lines(self) -> list[Line]:
        return lines(self.entries, present(self.sightings))


# What the tools see
def take_turn(records: Records, source: str) -> bool:
    """Whether it is time to ask this source; then nobody else asks it for an hour."""
    known = next((one for one in records.heard() if one.source == source), None)
    if known and timedelta(0) <= records.now - known.asked_at < ASK_EVERY:
        return False
    reason = known.reason if known else "It has not answered yet."
    records.save_heard(Heard(source=source, asked_at=records.now, reason=reason))
    return True


def ask_anew(records: Records) -> None:
    """Something was deployed: each source's hour is over, so that it is asked at the next look."""
    for one in records.heard():
        records.save_heard(replace(one, asked_at=min(one.asked_at, records.now - ASK_EVERY)))


def sightings(records: Records, *, after: int = 0) -> list[Sighting]:
    """A page, of what all sources see and saw; empty at the end."""
    return records.sightings(after=after)


def take_news(records: Records, news: News) -> None:
    """Keep what a source's answer changes, in pieces; what is gone is gone since then."""
    records.save_sightings(news.seen)
    records.sightings_gone(news.gone, news.as_of)
    new = sum(not one.id for one in news.seen)
    if new or news.gone:
        facts = {"seen": len(news.seen), "new": new, "gone": len(news.gone)}
        records.log(_of_system("inventory.changed", {"provider": news.source}, facts))
    if news.renamed:
        scope = records.scope()
        found = renamed(scope.entries if scope else (), news.renamed, records.findings(), records.now)
        _keep(records, found)


def take_answer(records: Records, heard: Heard) -> None:
    """When the source was asked, and whether it told everything."""
    records.save_heard(heard)


def standing(records: Records, *, by: Person | None = None) -> Standing:
    """Everything; raises NotPermitted. With very many components ask `sightings` for them page by page."""
    if by:
        by.require(READERS, "see the monitoring scope")
    return Standing(
        scope=records.scope(),
        sightings=tuple(_every_sighting(records)),
        heard=tuple(records.heard()),
        findings=tuple(records.findings()),
        requests=tuple(records.exclusion_requests()),
        now=records.now,
    )


def in_scope(records: Records) -> list[InScope]:
    """What has to be covered now, each with every identity that the tools know it by."""
    scope, now = records.scope(), records.now
    entries = [one for one in scope.entries if one.counts(now)] if scope else []
    mapped = lines(entries, present(_every_sighting(records))) if entries else []
    return [replace(line.entry, component=line.component) for line in mapped if line.entry]


def scope_and_findings(records: Records) -> tuple[tuple[InScope, ...], list[Finding]]:
    scope = records.scope()
    return scope.entries if scope else (), records.findings()


def keep_findings(records: Records, found: Found) -> None:
    """New and vanished components; what is over is no longer asked about."""
    _keep(records, found.new)
    _over(records, [one for each in found.over if (one := records.finding(each)).is_open])


def _keep(records: Records, found: Sequence[Finding]) -> None:
    records.save_findings(found)
    for start in range(0, len(found), MOST_NAMED):
        some = found[start : start + MOST_NAMED]
        listed = [[one.kind.value, one.component.key] for one in some]
        records.log(_of_system("inventory.found", {}, {"found": listed}))


def prompt(records: Records) -> list[Finding]:
    """What people are to be asked now, all of it; empty when it is not the time."""
    waiting = open_findings(records)
    return waiting if prompt_due(waiting, records.now) else []


def prompt_told(records: Records, asked: Iterable[int]) -> None:
    """A message with these stands in Slack, or may."""
    told = [records.finding(each) for each in asked]
    records.save_findings([replace(one, told_at=records.now) for one in told])


def open_findings(records: Records) -> list[Finding]:
    return records.findings(waiting=True)


def untold_requests(records: Records) -> list[ExclusionRequest]:
    """Exclusions that nobody was asked to approve yet."""
    return [one for one in records.exclusion_requests() if one.told_at is None]


def request_told(records: Records, request_id: int) -> None:
    records.save_exclusion_request(replace(records.exclusion_request(request_id), told_at=records.now))


# What people decide
@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What an import would change, the digest of that, and the revision that it starts from; 0 for none."""

    start: int
    made: Difference
    digest: str


def prepare_import(records: Records, inventory: Sequence[InScope], *, replacing: bool) -> Import:
    """Only looks, so that a long comparison keeps nobody from writing."""
    scope = records.scope()
    before = scope.entries if scope else ()
    made = difference(before, take_in(before, inventory, replacing=replacing))
    return Import(start=scope.revision.id if scope else 0, made=made, digest=_digest(made))


def import_inventory(
    records: Records, prepared: Import, *, replacing: bool, files: Mapping[str, str], operator: str
) -> Revision:
    """The approved inventory, from a terminal. `files` are their digests by name, `operator` who ran the command.

    It still has to be reviewed by a lead. Raises Settled when the scope has changed since it was looked at.
    """
    newest = records.scope_revisions(most=1)
    if (newest[0].id if newest else 0) != prepared.start:
        raise Settled(
            "The scope was changed at the same moment. Nothing was imported. Run the command again."
        )
    facts: dict[str, Fact] = {"via": "terminal", "files": dict(files), "replacing": replacing}
    actor = Actor(kind="system")
    private = {"difference": prepared.digest, **({"operator": operator} if operator else {})}
    made = prepared.made
    revision = _revise(records, Change.IMPORTED, made, actor=actor, by="", facts=facts, private=private)
    told = [*made.added, *(after for _, after in made.changed)]
    listed = {name for one in told for name in one.component.identities}
    found = [one for one in open_findings(records) if one.kind is FindingKind.NEW]
    _over(records, [one for one in found if one.component.identities & listed])
    return revision


def add_found(records: Records, finding_ids: Sequence[int], *, by: Person) -> Revision:
    """Put what tools found into scope; owner and criticality as its tags say. Raises NotPermitted and Settled."""
    by.require(KEEPERS, "put components in scope")
    found = [_undecided(records, each, FindingKind.NEW) for each in finding_ids]
    made = Difference(added=_not_yet(records, [from_tags(one.component) for one in found]))
    revision = _revise(records, Change.ADDED, made, actor=_actor(by), by=by.user)
    _reply(records, found, Reply.ADDED, by)
    return revision


def waiting_new(records: Records, *, up_to: int) -> list[int]:
    """The numbers of the new components that wait, up to the newest one that was on screen."""
    return [one.id for one in open_findings(records) if one.kind is FindingKind.NEW and one.id <= up_to]


def add(
    records: Records, words: str, *, owner: str = "", criticality: str = "", by: Person
) -> tuple[Revision, InScope]:
    """Put a component that a tool sees into scope, or change its owner and criticality there.

    Raises NotPermitted, UnknownComponent and Unfit.
    """
    by.require(KEEPERS, "put components in scope")
    line = _line(standing(records), words)
    before = line.entry
    entry = before or from_tags(line.component)
    after = replace(
        entry,
        owner=owner or entry.owner,
        criticality=_criticality(criticality) if criticality else entry.criticality,
    )
    if before == after:
        raise Settled(f"{after.component.name} is in scope already, just so. Nothing changed.")
    made = Difference(changed=((before, after),)) if before else Difference(added=(after,))
    revision = _revise(records, Change.ADDED, made, actor=_actor(by), by=by.user)
    waiting = [one for one in open_findings(records) if one.kind is FindingKind.NEW]
    _reply(records, [one for one in waiting if one.shares(after.component)], Reply.ADDED, by)
    return revision, after


def not_ours(records: Records, finding_id: int, *, by: Person) -> Finding:
    """What a tool found is somebody else's: nobody is asked about it again. Raises NotPermitted and Settled."""
    by.require(TRUSTED, "say that a component is not ours")
    found = _undecided(records, finding_id, FindingKind.NEW)
    _reply(records, [found], Reply.NOT_OURS, by)
    _log(records, "inventory.not_ours", by, {"component": found.component.key})
    return found


def remove_vanished(records: Records, finding_id: int, *, by: Person) -> Revision:
    """What is gone leaves the scope. Raises NotPermitted and Settled."""
    by.require(TRUSTED, "take components out of scope")
    found = _undecided(records, finding_id, FindingKind.VANISHED)
    entry = _entry_of(records, found.component)
    made = Difference(removed=(entry,))
    reason = f"No tool sees it any more, as found at {_iso(found.at)}"
    revision = _revise(
        records, Change.REMOVED, made, actor=_actor(by), by=by.user, private={"reason": reason}
    )
    _reply(records, [found], Reply.REMOVED, by)
    return revision


def take_name(records: Records, finding_id: int, *, by: Person) -> Revision:
    """What a tool calls otherwise is called so in scope, too. Raises NotPermitted and Settled."""
    by.require(KEEPERS, "rename components in scope")
    found = _undecided(records, finding_id, FindingKind.RENAMED)
    entry = _entry_of(records, found.component)
    after = replace(entry, component=replace(entry.component, name=found.component.name))
    made = Difference(changed=((entry, after),))
    revision = _revise(records, Change.RENAMED, made, actor=_actor(by), by=by.user)
    _reply(records, [found], Reply.NAMED, by)
    return revision


def remove(records: Records, words: str, *, reason: str, by: Person) -> Revision:
    """Take a component out of scope. While a tool sees it, people are asked about it again.

    Raises NotPermitted, UnknownComponent and ThinNote.
    """
    by.require(TRUSTED, "take components out of scope")
    _check_reason(reason)
    line = _line(standing(records), words)
    if line.entry is None:
        raise Settled(f"{line.component.name} is not in scope. Nothing changed.")
    revision = _revise(
        records,
        Change.REMOVED,
        Difference(removed=(line.entry,)),
        actor=_actor(by),
        by=by.user,
        private={"reason": reason},
    )
    asked = [one for one in records.findings() if one.kind is FindingKind.NEW]
    _over(records, [one for one in asked if one.shares(line.component)])
    return revision


def component_to_exclude(
    records: Records, words: str, *, finding: int | None = None, by: Person
) -> Component:
    """The one that somebody wants to leave out, by name or as it was found.

    Raises NotPermitted, UnknownComponent, UnknownFinding and Settled.
    """
    by.require(KEEPERS, "ask for an exclusion")
    if finding is None:
        return _line(standing(records), words).component
    found = records.finding(finding)
    if not found.is_open:
        raise _settled(found)
    return _line_of(records, found.component).component


def request_exclusion(
    records: Records, words: str, *, reason: str, until: datetime, finding: int | None, by: Person
) -> ExclusionRequest:
    """Ask to leave a component out until a day; another person, a lead, has to approve it.

    Raises NotPermitted, UnknownComponent, Settled, ThinNote and Unfit.
    """
    component = component_to_exclude(records, words, finding=finding, by=by)
    _check_reason(reason)
    _check_until(until, records.now)
    if any(one.component.identities & component.identities for one in records.exclusion_requests()):
        raise Settled(f"An exclusion of {component.name} waits for its approval already. Nothing changed.")
    request = ExclusionRequest(
        id=0,
        component=component,
        reason=reason,
        until=until,
        requested_by=by.user,
        at=records.now,
        finding=finding,
    )
    request = replace(request, id=records.save_exclusion_request(request))
    facts = {"until": _iso(until)}
    _log(
        records,
        "exclusion.requested",
        by,
        {"component": component.key, "request": request.id},
        facts=facts,
        private={"reason": reason},
    )
    return request


def decide_exclusion(records: Records, request_id: int, *, approved: bool, by: Person) -> ExclusionRequest:
    """A lead who did not ask for it approves or declines. Raises NotPermitted and Settled."""
    by.require(LEADS, "approve exclusions")
    request = records.exclusion_request(request_id)
    if request.decided_at:
        done = "approved" if request.approved else "declined"
        raise Settled(f"<@{request.decided_by}> has {done} this already. Nothing changed.")
    if request.requested_by == by.user:
        raise IllegalAct(
            "You asked for this exclusion, so another lead has to approve it: nobody approves their own. Nothing"
            " changed."
        )
    if approved and request.until <= records.now:
        raise Settled(f"It was asked for until {request.until:%Y-%m-%d}, which is over. Nothing changed.")
    decided = replace(request, decided_by=by.user, decided_at=records.now, approved=approved)
    records.save_exclusion_request(decided)
    _log(
        records,
        "exclusion.approved" if approved else "exclusion.declined",
        by,
        {"component": request.component.key, "request": request.id},
        facts={"requested_by": request.requested_by, "until": _iso(request.until)},
    )
    if approved:
        _exclude(records, decided, by)
    return decided


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
    _log(records, "scope.reviewed", by, {"revision": revision}, facts=facts)
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
    ours = [one.component for one in stands.findings if one.reply is Reply.NOT_OURS]
    strange = {name for one in ours for name in one.identities}
    found = stands.lines()
    return ScopeDifference(
        since=older.revision if older else None,
        revision=stands.scope.revision if stands.scope else None,
        made=difference(older.entries if older else (), stands.entries),
        not_in_scope=tuple(
            line.component for line in found if line.entry is None and not line.component.identities & strange
        ),
        not_seen=tuple(line.entry for line in found if line.entry and line.seen is None),
        heard=stands.heard,
    )


def document_digest(document: bytes) -> str:
    return f"sha256:{sha256(document).hexdigest()}"


# How it is put down
def _every_sighting(records: Records) -> list[Sighting]:
    seen: list[Sighting] = []
    while page := records.sightings(after=seen[-1].id if seen else 0):
        seen += page
    return seen


def _exclude(records: Records, request: ExclusionRequest, by: Person) -> None:
    line = _line_of(records, request.component)
    exclusion = Exclusion(
        reason=request.reason,
        requested_by=request.requested_by,
        approved_by=by.user,
        until=request.until,
    )
    entry = line.entry or from_tags(line.component)
    after = replace(entry, exclusion=exclusion)
    made = Difference(changed=((entry, after),)) if line.entry else Difference(added=(after,))
    _revise(
        records,
        Change.EXCLUDED,
        made,
        actor=_actor(by),
        by=by.user,
        facts={"request": request.id, "until": _iso(request.until)},
        private={"reason": request.reason},
    )
    found = [one for one in open_findings(records) if one.shares(request.component)]
    _reply(records, found, Reply.EXCLUSION, by)


def _revise(
    records: Records,
    change: Change,
    made: Difference,
    *,
    actor: Actor,
    by: str,
    facts: Mapping[str, Fact] | None = None,
    private: Mapping[str, str] | None = None,
) -> Revision:
    """A new revision and its entry in the log. What exactly changed is committed to by digest: owners are people."""
    revision = records.add_revision(change, made, by=by)
    keys = [one.component.key for one in (*made.added, *made.removed, *(after for _, after in made.changed))]
    told: dict[str, Fact] = {
        "change": change.value,
        "added": len(made.added),
        "removed": len(made.removed),
        "changed": len(made.changed),
        "components": keys[:MOST_NAMED],
        **(facts or {}),
    }
    committed = dict(private or {})
    if "difference" not in committed:
        committed["difference"] = _digest(made)
    subject = {"revision": revision.id}
    records.log(Entry(type="scope.changed", actor=actor, subject=subject, facts=told, private=committed))
    return revision


def _digest(made: Difference) -> str:
    return sha256(canonical(_told(made))).hexdigest()


def _told(made: Difference) -> Fact:
    return {
        "added": [_facts(one) for one in made.added],
        "removed": [_facts(one) for one in made.removed],
        "changed": [[_facts(before), _facts(after)] for before, after in made.changed],
    }


def _facts(one: InScope) -> Fact:
    own, out = one.component, one.exclusion
    return {
        "component": own.key,
        "name": own.name,
        "kind": own.kind.value,
        "identities": sorted(map(str, own.identities)),
        "account": own.account,
        "region": own.region,
        "owner": one.owner,
        "criticality": one.criticality.value,
        "exclusion": [out.reason, out.requested_by, out.approved_by, _iso(out.until)] if out else None,
    }


def _not_yet(records: Records, entries: Sequence[InScope]) -> tuple[InScope, ...]:
    """Raises Settled for what is in scope already."""
    scope = records.scope()
    known = {name for one in (scope.entries if scope else ()) for name in one.component.identities}
    for entry in entries:
        if entry.component.identities & known:
            raise Settled(f"{entry.component.name} is in scope already. Nothing changed.")
    if not entries:
        raise Settled("Nothing new waits any more. Nothing changed.")
    return tuple(entries)


def _entry_of(records: Records, component: Component) -> InScope:
    scope = records.scope()
    for line in lines(scope.entries if scope else (), [component]):
        if line.entry and line.seen:
            return line.entry
    raise Settled(f"{component.name} is not in scope any more. Nothing changed.")


def _undecided(records: Records, finding_id: int, kind: FindingKind) -> Finding:
    found = records.finding(finding_id)
    if not found.is_open or found.kind is not kind:
        raise _settled(found)
    if any(found.shares(one.component) for one in records.exclusion_requests()):
        raise Settled(f"An exclusion of {found.component.name} waits for its approval. Nothing changed.")
    return found


def _settled(found: Finding) -> Settled:
    who = (
        f"<@{found.replied_by}> has decided about"
        if found.replied_by
        else "Nothing is to be decided any more about"
    )
    return Settled(f"{who} {found.component.name}. Nothing changed.")


def _reply(records: Records, found: Iterable[Finding], reply: Reply, by: Person) -> None:
    records.save_findings(
        [replace(one, reply=reply, replied_by=by.user, replied_at=records.now) for one in found]
    )


def _over(records: Records, found: Iterable[Finding]) -> None:
    """It is no longer so; when it is so again, it is found again."""
    records.save_findings([replace(one, reply=Reply.OVER, replied_at=records.now) for one in found])


def _line(stands: Standing, words: str) -> Line:
    """The component that goes by this key, identity or name. Raises UnknownComponent."""
    every = stands.lines()
    asked = words.strip()
    for line in every:
        if line.component.key == asked:
            return line
    asked = asked.casefold()
    named = [
        line
        for line in every
        if line.component.name.casefold() == asked
        or any(asked in {str(name).casefold(), name.value.casefold()} for name in line.component.identities)
    ]
    if len(named) == 1:
        return named[0]
    if named:
        keys = ", ".join(line.component.key for line in named[:5])
        raise UnknownComponent(
            f"{len(named)} components go by “{words}”: {keys}. Nothing changed. Name one of these instead."
        )
    names = {line.component.name for line in every}
    near = get_close_matches(words, names, n=1, cutoff=0.5)
    advice = f"Did you mean “{near[0]}”?" if near else "`/socmon scope` sends the list of what there is."
    raise UnknownComponent(f"No component goes by “{words}”. {advice}")


def _line_of(records: Records, component: Component) -> Line:
    """Where it stands by now; as it was found, when no tool sees it any more."""
    every = standing(records).lines()
    same = (line for line in every if line.component.identities & component.identities)
    return next(same, Line(seen=component))


def _criticality(word: str) -> Criticality:
    try:
        return Criticality(word.casefold())
    except ValueError as error:
        raise Unfit(
            "criticality", f"Criticality is high, medium or low, and not “{word}”. Nothing changed."
        ) from error


def _check_reason(reason: str) -> None:
    if len(reason.strip()) < SHORTEST_REASON:
        raise ThinNote(
            "reason", f"Write at least {SHORTEST_REASON} characters: an auditor has to understand it later."
        )


def _check_until(until: datetime, now: datetime) -> None:
    if until <= now:
        raise Unfit("until", "An exclusion ends in the future. Choose a later day.")
    if until > now + LONGEST_EXCLUSION:
        raise Unfit(
            "until", "An exclusion lasts a year at most. Choose an earlier day; it can be asked for again."
        )


def _log(
    records: Records,
    kind: str,
    by: Person,
    subject: Mapping[str, str | int],
    *,
    facts: Mapping[str, Fact] | None = None,
    private: Mapping[str, str] | None = None,
) -> None:
    records.log(Entry(type=kind, actor=_actor(by), subject=subject, facts=facts or {}, private=private or {}))


def _of_system(kind: str, subject: Mapping[str, str | int], facts: Mapping[str, Fact]) -> Entry:
    return Entry(type=kind, actor=Actor(kind="system"), subject=subject, facts=facts)


def _actor(by: Person) -> Actor:
    return Actor(kind="slack", team=by.team, user=by.user, role=by.role)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
