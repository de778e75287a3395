"""What scope is: the components that are monitored on purpose, reviewed by a person; and what is left out, and why.

Scope is compared with what the tools see. They see a component when it shares an identity with one of theirs, or, where
the inventory gives it nothing but a name, when exactly one of that kind is called so.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.component import Component, Identity, Kind, Known, parts_of, unite, united_sources

REVIEW_EVERY = timedelta(days=90)
EXPIRES_SOON = timedelta(days=14)
LONGEST_EXCLUSION = timedelta(days=366)
PROMPT_EVERY = timedelta(days=1)
REMIND_EVERY = timedelta(days=7)


class Criticality(StrEnum):
    """How much it matters when it fails; with the kind it decides an alert's severity."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """A component that is left out on purpose, and until when. Whoever asks for it does not approve it."""

    reason: str
    requested_by: str
    approved_by: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InScope:
    """A component of the approved inventory. `owner` is a team or a person, as people write it."""

    component: Component
    owner: str = ""
    criticality: Criticality = Criticality.MEDIUM
    exclusion: Exclusion | None = None

    def counts(self, at: datetime) -> bool:
        """Whether it has to be covered now: an exclusion that has expired excludes nothing."""
        return self.exclusion is None or at >= self.exclusion.until


# What the tools see
@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A component as one source sees it. `id` is 0 before it is stored; `gone_at` is when it was no longer there."""

    id: int = 0
    source: str
    component: Component
    first_seen: datetime
    last_seen: datetime
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """When a source was asked what exists, and when its answer was last whole. `reason` says why the last was not.

    `calls` is how many requests that took.
    """

    source: str
    asked_at: datetime
    complete_at: datetime | None = None
    reason: str = ""
    calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a source's answer changes of what was known of it.

    `seen` are to be stored, whole; `gone` are numbers of sightings; `renamed` are (old name, component).
    """

    source: str
    as_of: datetime
    seen: tuple[Sighting, ...] = ()
    gone: tuple[int, ...] = ()
    renamed: tuple[tuple[str, Component], ...] = ()

    def pages(self, most: int) -> Iterator["News"]:
        """The same in pieces, so that none of them keeps the records busy for long."""
        for start in range(0, max(len(self.seen), len(self.gone), len(self.renamed)), most):
            some = slice(start, start + most)
            yield replace(self, seen=self.seen[some], gone=self.gone[some], renamed=self.renamed[some])


def news(
    source: str, known: Sequence[Sighting], told: Iterable[Component], *, complete: bool, as_of: datetime
) -> News:
    """What is new in an answer. Only a complete one proves that something is gone."""
    there_first = sorted(known, key=lambda one: one.gone_at is not None)
    told_before = Known((one.component, one) for one in there_first)
    seen: list[Sighting] = []
    renamed: list[tuple[str, Component]] = []
    gone: list[int] = []
    met: set[int] = set()
    own = frozenset({source})
    for component in unite(each if each.sources == own else replace(each, sources=own) for each in told):
        same = [one for one in told_before.same_as(component) if one.id not in met]
        met.update(one.id for one in same)
        if not same:
            seen.append(Sighting(source=source, component=component, first_seen=as_of, last_seen=as_of))
            continue
        # Two that turn out to be one go on as the one that was seen first.
        before, *doubled = sorted(same, key=lambda one: (one.first_seen, one.id))
        gone += [one.id for one in doubled if one.gone_at is None]
        if not complete:  # that it no longer has a name is an absence, too
            was = [one.component.identities for one in same if one.gone_at is None]
            component = replace(component, identities=component.identities.union(*was))  # noqa: PLW2901
        seen.append(replace(before, component=component, last_seen=as_of, gone_at=None))
        if before.component.name != component.name:
            renamed.append((before.component.name, component))
    if complete:
        gone += [one.id for one in known if one.id not in met and one.gone_at is None]
    return News(source=source, as_of=as_of, seen=tuple(seen), gone=tuple(gone), renamed=tuple(renamed))


def present(sightings: Iterable[Sighting]) -> list[Component]:
    """What exists, as far as the tools have said: what one of them still sees."""
    return unite(one.component for one in sightings if one.gone_at is None)


# Scope and what is seen, line by line
@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the scope document: what is in scope, what the tools see of it, or both. At least one is there."""

    entry: InScope | None = None
    seen: Component | None = None

    @property
    def component(self) -> Component:
        """Its name and kind as people gave them, its identities as everybody knows them."""
        if self.entry is None or self.seen is None:
            given = self.entry.component if self.entry else self.seen
            assert given  # noqa: S101 - a line without both is made by nobody
            return given
        own, seen = self.entry.component, self.seen
        tags = {**seen.tags, **own.tags} if own.tags else seen.tags
        # What is the same is shared: with a large fleet it adds up.
        as_seen = own.identities <= seen.identities
        return Component(
            kind=own.kind,
            name=own.name,
            identities=seen.identities if as_seen else own.identities | seen.identities,
            sources=united_sources(own.sources, seen.sources),
            account=own.account or seen.account,
            region=own.region or seen.region,
            tags=tags,
            # What people call it, and what it was called once, is not what a tool finds it by now.
            parts=seen.parts if as_seen and tags == seen.tags else parts_of([seen]),
        )


def lines(scope: Sequence[InScope], seen: Sequence[Component]) -> list[Line]:
    """Every component in scope with what the tools see of it, by key; then what they see and nobody put in scope."""
    by_identity = {name: at for at, one in enumerate(seen) for name in one.identities}
    by_name: dict[tuple[Kind, str], list[int]] = defaultdict(list)
    for at, one in enumerate(seen):
        by_name[one.kind, one.name.casefold()].append(at)
    certain = {
        by_identity[name]
        for one in scope
        for name in one.component.identities
        if name.is_given_once and name in by_identity
    }
    found, met = [], set[int]()
    for entry in sorted(scope, key=lambda one: one.component.key):
        own = entry.component
        near = {by_identity[name] for name in own.identities if name in by_identity}
        mine = _mine(own, {at: seen[at] for at in near}) or _rebuilt(near - certain)
        if not mine and only_named(own):
            called = [at for at in by_name[own.kind, own.name.casefold()] if _may_lie_there(own, seen[at])]
            mine = called if len(called) == 1 else []
        met.update(mine)
        together = [seen[at] for at in sorted(mine)]
        found.append(Line(entry=entry, seen=_as_one(own, together) if together else None))
    return [*found, *(Line(seen=one) for at, one in enumerate(seen) if at not in met)]


def _mine(own: Component, near: Mapping[int, Component]) -> list[int]:
    """Which of those that share a name are this: the surest first, and none that contradicts what is sure."""
    proofs, mine = own.proofs, list[int]()
    sure = {
        at for at, one in near.items() if any(name.is_given_once for name in own.identities & one.identities)
    }
    for at, one in sorted(near.items(), key=lambda each: (each[0] not in sure, each[1].key)):
        if at in sure or proofs.isdisjoint(one.proofs):
            mine.append(at)
            proofs |= one.proofs
    return mine


def _rebuilt(near: set[int]) -> list[int]:
    """The machine itself is gone, and another one has its host name now: it was made anew."""
    return list(near) if len(near) == 1 else []


def _may_lie_there(own: Component, seen: Component) -> bool:
    """Whether account and region say nothing else, as far as both are known."""
    both = ((own.account, seen.account), (own.region, seen.region))
    return all(mine == theirs for mine, theirs in both if mine and theirs)


def only_named(component: Component) -> bool:
    """Whether nothing but people's own name for it is known."""
    return all(name.space == "name" for name in component.identities)


def _as_one(own: Component, together: Sequence[Component]) -> Component:
    if len(together) == 1:
        return together[0]
    link = replace(together[0], identities=own.identities, sources=frozenset(), tags={})
    linked = [replace(one, identities=one.identities | link.identities) for one in together]
    return replace(unite(linked)[0], parts=parts_of(together))


# Two scopes
@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """From one scope to another; `changed` are (before, after)."""

    added: tuple[InScope, ...] = ()
    removed: tuple[InScope, ...] = ()
    changed: tuple[tuple[InScope, InScope], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def difference(before: Iterable[InScope], after: Iterable[InScope]) -> Difference:
    """What shares an identity is the same component."""
    older = sorted(before, key=lambda one: one.component.key)
    known = Known((one.component, one) for one in older)
    added, changed, met = [], [], set[str]()
    for entry in sorted(after, key=lambda one: one.component.key):
        same = [one for one in known.same_as(entry.component) if one.component.key not in met]
        if not same:
            added.append(entry)
            continue
        met.add(same[0].component.key)
        if same[0] != entry:
            changed.append((same[0], entry))
    removed = [one for one in older if one.component.key not in met]
    return Difference(added=tuple(added), removed=tuple(removed), changed=tuple(changed))


def changed_fields(before: InScope, after: InScope) -> list[str]:
    """In words: “owner a → b”."""
    facts = (
        ("name", before.component.name, after.component.name),
        ("kind", before.component.kind, after.component.kind),
        ("owner", before.owner or "nobody", after.owner or "nobody"),
        ("criticality", before.criticality, after.criticality),
        ("account", before.component.account or "none", after.component.account or "none"),
        ("region", before.component.region or "none", after.component.region or "none"),
        ("exclusion", _told(before.exclusion), _told(after.exclusion)),
    )
    told = [f"{name} {old} → {new}" for name, old, new in facts if old != new]
    for word, names in (
        ("also known as", after.component.identities - before.component.identities),
        ("no longer known as", before.component.identities - after.component.identities),
    ):
        if names:
            told.append(f"{word} {', '.join(map(str, sorted(names)))}")
    return told or ["tags"]


def _told(exclusion: Exclusion | None) -> str:
    return f"until {exclusion.until:%Y-%m-%d}" if exclusion else "none"


def take_in(
    scope: Sequence[InScope], given: Sequence[InScope], *, replacing: bool, unrated: Collection[str] = ()
) -> list[InScope]:
    """The scope after an inventory was imported. What it does not name stays, unless it replaces everything.

    Exclusions stay: a file cannot approve one. So do owner, account and region where the file gives none, criticality
    of what is `unrated` (by the file's key), and identities that are known besides the file's, unless the file gives
    them to another component.
    """
    known = Known((one.component, one) for one in scope)
    claimed = {name for entry in given for name in entry.component.identities}
    after: dict[str, InScope] = {} if replacing else {one.component.key: one for one in scope}
    taken = set[str]()
    for entry in given:
        same = [each for each in known.same_as(entry.component) if each.component.key not in taken]
        for each in same:
            taken.add(each.component.key)
            after.pop(each.component.key, None)
        besides = frozenset[Identity]().union(*(each.component.identities for each in same)) - claimed
        before = same[0] if same else entry
        own = replace(
            entry.component,
            identities=entry.component.identities | besides,
            account=entry.component.account or before.component.account,
            region=entry.component.region or before.component.region,
        )
        after[own.key] = InScope(
            component=own,
            owner=entry.owner or before.owner,
            criticality=before.criticality if entry.component.key in unrated else entry.criticality,
            exclusion=next((each.exclusion for each in same if each.exclusion), None),
        )
    return list(after.values())


def from_tags(component: Component) -> InScope:
    """As it goes into scope when somebody adds what a tool found: owner and criticality as its tags say."""
    tags = {name.casefold(): value for name, value in component.tags.items()}
    owner = next((tags[name] for name in ("owner", "team") if tags.get(name)), "")
    level = tags.get("criticality", "").casefold()
    criticality = Criticality(level) if level in set(Criticality) else Criticality.MEDIUM
    return InScope(component=component, owner=owner, criticality=criticality)


# What was found out
class FindingKind(StrEnum):
    NEW = "new"  # a tool sees it, and nobody has put it in scope
    VANISHED = "vanished"  # in scope, and every tool that saw it says it is gone
    RENAMED = "renamed"  # in scope, and a tool calls it by another name than before


class Reply(StrEnum):
    """What became of a finding."""

    ADDED = "added"
    EXCLUSION = "exclusion"  # somebody has asked for one
    NOT_OURS = "not_ours"
    REMOVED = "removed"
    NAMED = "named"  # the new name was taken
    KEPT = "kept"  # it keeps the name it has
    OVER = "over"  # it is no longer so


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something for a person to decide. `before` is the old name of what was renamed; `id` is 0 before it is stored."""

    id: int = 0
    kind: FindingKind
    component: Component
    at: datetime
    before: str = ""
    told_at: datetime | None = None
    reply: Reply | None = None
    replied_by: str = ""
    replied_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.reply is None

    def is_about(self, other: Component) -> bool:
        return self.component.is_same(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What to put down: new findings, those whose component is seen otherwise now, and the numbers that are over."""

    new: tuple[Finding, ...]
    again: tuple[Finding, ...]
    over: tuple[int, ...]

    def pages(self, most: int) -> Iterator["Found"]:
        """The same in pieces, so that none of them keeps the records busy for long."""
        for start in range(0, max(len(self.new), len(self.again), len(self.over)), most):
            some = slice(start, start + most)
            yield replace(self, new=self.new[some], again=self.again[some], over=self.over[some])


def find(
    scope: Sequence[InScope], sightings: Sequence[Sighting], findings: Sequence[Finding], at: datetime
) -> Found:
    """New and vanished components, each found once; what is no longer so is over.

    What was added once and has left the scope since is new again; what is not ours stays so.
    """
    mapped = lines(scope, present(sightings))
    strangers = [line.component for line in mapped if line.entry is None]
    missing = [line.component for line in mapped if line.entry and line.seen is None]
    # What was taken for two, and is one, is not gone: each of its names is still seen.
    there = {name for one in sightings if one.gone_at is None for name in one.component.identities}
    went = Known(
        (one.component, one.gone_at)
        for one in sightings
        if one.gone_at and not there.issuperset(one.component.identities)
    )
    called = _called_when_gone(sightings)
    asked = Known(
        (one.component, one)
        for one in findings
        if one.kind is FindingKind.NEW and (one.is_open or one.reply is Reply.NOT_OURS)
    )
    told_gone = Known((one.component, one.at) for one in findings if one.kind is FindingKind.VANISHED)
    fresh, again, over = [], [], set(_over(findings, strangers, missing, scope, sightings))
    for one in strangers:
        before = asked.same_as(one)
        waiting = [each for each in before if each.is_open and each.id not in over]
        if not before:
            fresh.append(Finding(kind=FindingKind.NEW, component=one, at=at))
        elif waiting:
            # Two that turn out to be one are asked about once.
            over.update(each.id for each in waiting[1:])
            again += [replace(each, component=one) for each in waiting[:1] if each.component != one]
    for one in missing:
        gone = max(went.same_as(one), default=None)
        if gone is None and only_named(one):
            gone = called.get(_called(one))
        if gone and not any(each >= gone for each in told_gone.same_as(one)):
            fresh.append(Finding(kind=FindingKind.VANISHED, component=one, at=at))
    return Found(new=tuple(fresh), again=tuple(again), over=tuple(sorted(over)))


def _called_when_gone(sightings: Iterable[Sighting]) -> dict[tuple[Kind, str], datetime]:
    """When what was called so was last found gone."""
    went: dict[tuple[Kind, str], datetime] = {}
    for one in sightings:
        if one.gone_at:
            name = _called(one.component)
            went[name] = max(one.gone_at, went.get(name, one.gone_at))
    return went


def _called(component: Component) -> tuple[Kind, str]:
    """For what people know by nothing else."""
    return component.kind, component.name.casefold()


def _over(
    findings: Iterable[Finding],
    strangers: Iterable[Component],
    missing: Iterable[Component],
    scope: Iterable[InScope],
    sightings: Iterable[Sighting],
) -> Iterator[int]:
    waiting = [one for one in findings if one.is_open]
    if not waiting:
        return
    called = Known((one.component, one.component.name) for one in sightings if one.gone_at is None)
    ours = Known((one.component, one.component.name) for one in scope)
    still = {
        FindingKind.NEW: Known((one, one.name) for one in strangers),
        FindingKind.VANISHED: Known((one, one.name) for one in missing),
    }
    for one in waiting:
        if one.kind is FindingKind.RENAMED:
            own = ours.same_as(one.component)
            so = (
                bool(own)
                and one.component.name not in own
                and one.component.name in called.same_as(one.component)
            )
        else:
            so = bool(still[one.kind].same_as(one.component))
        if not so:
            yield one.id


def renamed(
    scope: Sequence[InScope],
    told: Iterable[tuple[str, Component]],
    findings: Sequence[Finding],
    at: datetime,
) -> list[Finding]:
    """Of what a source calls otherwise than before, that which is in scope; two tools that say the same say it once."""
    known = Known((one.component, one) for one in scope)
    said = [one for one in findings if one.kind is FindingKind.RENAMED and one.is_open]
    fresh: list[Finding] = []
    for old, component in told:
        entry = next(iter(known.same_as(component)), None)
        again = any(
            each.is_about(component) and each.component.name == component.name for each in [*said, *fresh]
        )
        if entry and entry.component.name != component.name and not again:
            fresh.append(Finding(kind=FindingKind.RENAMED, component=component, at=at, before=old))
    return fresh


def prompt_due(findings: Iterable[Finding], now: datetime) -> bool:
    """Whether people are to be asked now: once a day at most, and about the same things once a week."""
    waiting = [one for one in findings if one.is_open]
    last = max((one.told_at for one in waiting if one.told_at), default=None)
    if not waiting or (last and now - last < PROMPT_EVERY):
        return False
    return any(one.told_at is None for one in waiting) or last is None or now - last >= REMIND_EVERY


# Revisions and their reviews
class Change(StrEnum):
    """How a revision came about."""

    IMPORTED = "imported"
    ADDED = "added"
    REMOVED = "removed"
    EXCLUDED = "excluded"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A state of the scope. `by` is a Slack user id, "" for the terminal; `document` the digest of what was read."""

    id: int
    at: datetime
    by: str
    change: Change
    added: int = 0
    removed: int = 0
    changed: int = 0
    reviewed_at: datetime | None = None
    reviewed_by: str = ""
    document: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusionRequest:
    """Somebody asks to leave a component out. `approved` is None until another one has decided."""

    id: int
    component: Component
    reason: str
    until: datetime
    requested_by: str
    at: datetime
    finding: int | None = None
    told_at: datetime | None = None
    decided_by: str = ""
    decided_at: datetime | None = None
    approved: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The scope as it stands, or stood at a revision. `review` is the revision that was reviewed last."""

    revision: Revision
    entries: tuple[InScope, ...]
    review: Revision | None = None

    def due(self, now: datetime) -> list[str]:
        """What waits for a review, as sentences."""
        found = []
        if self.review is None or self.review.reviewed_at is None:
            found.append("The scope has never been reviewed.")
        elif now - self.review.reviewed_at >= REVIEW_EVERY:
            found.append(f"The last review is more than {REVIEW_EVERY.days} days old.")
        if self.review and self.review.id != self.revision.id:
            found.append(f"The scope has changed since revision {self.review.id} was reviewed.")
        ends = [one.exclusion.until for one in self.entries if one.exclusion]
        if over := sum(end <= now for end in ends):
            found.append(
                f"{over:,} exclusions are over: these components have to be covered again."
                if over > 1
                else "An exclusion is over: this component has to be covered again."
            )
        if soon := sum(now < end <= now + EXPIRES_SOON for end in ends):
            found.append(
                f"{_some(soon, 'exclusion ends', 'exclusions end')} within {EXPIRES_SOON.days} days."
            )
        if unowned := sum(not one.owner for one in self.entries):
            found.append(f"{_some(unowned, 'component has', 'components have')} no owner.")
        return found


def _some(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
