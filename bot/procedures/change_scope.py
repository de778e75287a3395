"""What is in scope is decided by people, by a file or a button at a time; each change is a revision."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from hashlib import sha256

from bot.domain.component import Component, Known
from bot.domain.errors import SocmonError, ThinNote, Unfit
from bot.domain.evidence import Actor, Entry, Fact, canonical
from bot.domain.person import LEADS, RESPONDERS, Person, Role
from bot.domain.scope import (
    Change,
    Criticality,
    Difference,
    Finding,
    FindingKind,
    InScope,
    Line,
    Reply,
    Revision,
    Scope,
    difference,
    from_tags,
    lines,
    take_in,
)
from bot.ports import Records
from bot.procedures.review_scope import Settled, Standing, standing
from bot.procedures.take_inventory import open_findings, over, undecided

KEEPERS = RESPONDERS | {Role.ADMIN}
TRUSTED = LEADS | {Role.ADMIN}
MOST_NAMED = 100
SHORTEST_REASON = 10


class UnknownComponent(SocmonError):
    """No component has this name or identity, or several have."""


# A file
@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What an import would change, the digest of that, and the revision that it starts from; 0 for none."""

    start: int
    made: Difference
    digest: str


def prepare_import(
    records: Records, inventory: Sequence[InScope], *, replacing: bool, unrated: Collection[str] = ()
) -> Import:
    """Only looks, so that a long comparison keeps nobody from writing. `unrated` as for `take_in`."""
    scope = records.scope()
    before = scope.entries if scope else ()
    made = difference(before, take_in(before, inventory, replacing=replacing, unrated=unrated))
    return Import(start=_number(scope), made=made, digest=_digest(made))


def import_inventory(
    records: Records, prepared: Import, *, replacing: bool, files: Mapping[str, str], operator: str
) -> Revision:
    """The approved inventory, from a terminal. `files` are their digests by name, `operator` who ran the command.

    It still has to be reviewed by a lead. Raises Settled when the scope has changed since it was looked at.
    """
    check_unchanged(records, prepared.start)
    facts: dict[str, Fact] = {"via": "terminal", "files": dict(files), "replacing": replacing}
    actor = Actor(kind="system")
    private = {"difference": prepared.digest, **({"operator": operator} if operator else {})}
    made = prepared.made
    revision = revise(records, Change.IMPORTED, made, actor=actor, by="", facts=facts, private=private)
    listed = Known((one.component, one) for one in (*made.added, *(after for _, after in made.changed)))
    found = [one for one in open_findings(records) if one.kind is FindingKind.NEW]
    over(records, [one for one in found if listed.same_as(one.component)])
    return revision


# What was found
def waiting_new(records: Records, *, up_to: int) -> list[int]:
    """The numbers of the new components that wait, up to the newest one that was on screen."""
    return [one.id for one in undecided(records) if one.kind is FindingKind.NEW and one.id <= up_to]


def add_found(records: Records, finding_ids: Sequence[int], *, by: Person) -> Revision:
    """Put what tools found into scope; owner and criticality as its tags say. Raises NotPermitted and Settled."""
    by.require(KEEPERS, "put components in scope")
    found = [_undecided(records, each, FindingKind.NEW) for each in finding_ids]
    made = Difference(added=_not_yet(records, [from_tags(one.component) for one in found]))
    revision = revise(records, Change.ADDED, made, actor=actor_of(by), by=by.user)
    reply_to(records, found, Reply.ADDED, by)
    return revision


def not_ours(records: Records, finding_id: int, *, by: Person) -> Finding:
    """What a tool found is somebody else's: nobody is asked about it again. Raises NotPermitted and Settled."""
    by.require(TRUSTED, "say that a component is not ours")
    found = _undecided(records, finding_id, FindingKind.NEW)
    reply_to(records, [found], Reply.NOT_OURS, by)
    log_act(records, "inventory.not_ours", by, {"component": found.component.key})
    return found


def remove_vanished(records: Records, finding_id: int, *, by: Person) -> Revision:
    """What is gone leaves the scope. Raises NotPermitted and Settled."""
    by.require(TRUSTED, "take components out of scope")
    found = _undecided(records, finding_id, FindingKind.VANISHED)
    entry = _entry_of(records, found.component)
    made = Difference(removed=(entry,))
    reason = f"No tool sees it any more, as found at {iso(found.at)}"
    revision = revise(
        records, Change.REMOVED, made, actor=actor_of(by), by=by.user, private={"reason": reason}
    )
    reply_to(records, [found], Reply.REMOVED, by)
    return revision


def take_name(records: Records, finding_id: int, *, by: Person) -> Revision:
    """What a tool calls otherwise is called so in scope, too. Raises NotPermitted and Settled."""
    by.require(KEEPERS, "rename components in scope")
    found = _undecided(records, finding_id, FindingKind.RENAMED)
    entry = _entry_of(records, found.component)
    after = replace(entry, component=replace(entry.component, name=found.component.name))
    made = Difference(changed=((entry, after),))
    revision = revise(records, Change.RENAMED, made, actor=actor_of(by), by=by.user)
    reply_to(records, [found], Reply.NAMED, by)
    return revision


def keep_name(records: Records, finding_id: int, *, by: Person) -> Finding:
    """It keeps the name that it has in scope. Raises NotPermitted and Settled."""
    by.require(KEEPERS, "name components in scope")
    found = _undecided(records, finding_id, FindingKind.RENAMED)
    reply_to(records, [found], Reply.KEPT, by)
    log_act(records, "inventory.name_kept", by, {"component": found.component.key})
    return found


# What somebody names
@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A component, with what the tools see of it, and the revision of the scope that it was found in; 0 for none.

    To find it among very many takes longer than anybody may keep the records from being written.
    """

    line: Line
    revision: int


def choose(records: Records, words: str, *, by: Person) -> Chosen:
    """The component that goes by this key, identity or name. Raises NotPermitted and UnknownComponent."""
    stands = standing(records, by=by)
    return Chosen(line=_line(stands, words), revision=_number(stands.scope))


def choose_again(records: Records, component: Component) -> Chosen:
    """Where it stands by now; as it was found, when no tool sees it any more."""
    stands = standing(records)
    same = (line for line in stands.lines() if line.component.is_same(component))
    return Chosen(line=next(same, Line(seen=component)), revision=_number(stands.scope))


def _number(scope: Scope | None) -> int:
    return scope.revision.id if scope else 0


def add(
    records: Records, chosen: Chosen, *, owner: str = "", criticality: str = "", by: Person
) -> tuple[Revision, InScope]:
    """Put a component that a tool sees into scope, or change its owner and criticality there.

    With neither, what was excluded has to be covered again. Raises NotPermitted, Unfit and Settled.
    """
    by.require(KEEPERS, "put components in scope")
    check_unchanged(records, chosen.revision)
    before = chosen.line.entry
    entry = before or from_tags(chosen.line.component)
    after = replace(
        entry,
        owner=owner or entry.owner,
        criticality=_criticality(criticality) if criticality else entry.criticality,
        exclusion=entry.exclusion if owner or criticality else None,
    )
    if before == after:
        raise Settled(f"{after.component.name} is in scope already, just so. Nothing changed.")
    made = Difference(changed=((before, after),)) if before else Difference(added=(after,))
    revision = revise(records, Change.ADDED, made, actor=actor_of(by), by=by.user)
    waiting = [one for one in open_findings(records) if one.kind is FindingKind.NEW]
    reply_to(records, [one for one in waiting if one.is_about(after.component)], Reply.ADDED, by)
    return revision, after


def remove(records: Records, chosen: Chosen, *, reason: str, by: Person) -> Revision:
    """Take a component out of scope. While a tool sees it, people are asked about it again.

    Raises NotPermitted, Settled and ThinNote.
    """
    by.require(TRUSTED, "take components out of scope")
    check_reason(reason)
    check_unchanged(records, chosen.revision)
    line = chosen.line
    if line.entry is None:
        raise Settled(f"{line.component.name} is not in scope. Nothing changed.")
    revision = revise(
        records,
        Change.REMOVED,
        Difference(removed=(line.entry,)),
        actor=actor_of(by),
        by=by.user,
        private={"reason": reason},
    )
    asked = [one for one in records.findings() if one.kind is FindingKind.NEW]
    over(records, [one for one in asked if one.is_about(line.component)])
    return revision


# How it is put down
def revise(
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
        "exclusion": [out.reason, out.requested_by, out.approved_by, iso(out.until)] if out else None,
    }


def log_act(
    records: Records,
    kind: str,
    by: Person,
    subject: Mapping[str, str | int],
    *,
    facts: Mapping[str, Fact] | None = None,
    private: Mapping[str, str] | None = None,
) -> None:
    records.log(
        Entry(type=kind, actor=actor_of(by), subject=subject, facts=facts or {}, private=private or {})
    )


def actor_of(by: Person) -> Actor:
    return Actor(kind="slack", team=by.team, user=by.user, role=by.role)


def reply_to(records: Records, found: Iterable[Finding], reply: Reply, by: Person) -> None:
    records.save_findings(
        [replace(one, reply=reply, replied_by=by.user, replied_at=records.now) for one in found]
    )


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


# What is no longer so
def check_unchanged(records: Records, revision: int) -> None:
    """Raises Settled when the scope is at another revision than this by now; 0 for none."""
    newest = records.scope_revisions(most=1)
    if (newest[0].id if newest else 0) != revision:
        raise Settled("Somebody changed the scope at the same moment. Nothing changed here. Try again.")


def _not_yet(records: Records, entries: Sequence[InScope]) -> tuple[InScope, ...]:
    """Raises Settled for what is in scope already."""
    scope = records.scope()
    known = Known((one.component, one) for one in (scope.entries if scope else ()))
    for entry in entries:
        if known.same_as(entry.component):
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
        raise settled(found)
    if any(found.is_about(one.component) for one in records.exclusion_requests()):
        raise Settled(f"An exclusion of {found.component.name} waits for its approval. Nothing changed.")
    return found


def settled(found: Finding) -> Settled:
    who = (
        f"<@{found.replied_by}> has decided about"
        if found.replied_by
        else "Nothing is to be decided any more about"
    )
    return Settled(f"{who} {found.component.name}. Nothing changed.")


def check_reason(reason: str) -> None:
    if len(reason.strip()) < SHORTEST_REASON:
        raise ThinNote(
            "reason", f"Write at least {SHORTEST_REASON} characters: an auditor has to understand it later."
        )


def _criticality(word: str) -> Criticality:
    try:
        return Criticality(word.casefold())
    except ValueError as error:
        raise Unfit(
            "criticality", f"Criticality is high, medium or low, and not “{word}”. Nothing changed."
        ) from error


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
