"""What a component is: one thing that runs, however many tools see it and whatever each of them calls it.

Tools name the same machine by instance id, host name, ARN or guid. Each name is an identity; what shares one is one
component, unless it has two names of a sort that nobody gives twice: two machines in two clusters may both be called
web-1. Its key is the strongest of its identities, so it stays the same when another tool begins to see it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Kind(StrEnum):
    """What sort of thing it is; what has to be measured follows from it."""

    HOST = "host"  # a server, virtual or not, and a node of Kubernetes
    VOLUME = "volume"
    DATABASE = "database"  # one instance of a managed one
    CACHE = "cache"
    SERVICE = "service"  # of containers: an ECS service, a Kubernetes deployment
    CLUSTER = "cluster"
    CONTAINER = "container"
    FUNCTION = "function"
    LOAD_BALANCER = "load_balancer"
    NETWORK_LOAD_BALANCER = "network_load_balancer"  # of connections: it sees no requests, and so no latency


class Measure(StrEnum):
    """What is measured of a component; each tool has its own names for it."""

    CPU = "cpu"
    MEMORY = "memory"
    DISK = "disk"
    NETWORK = "network"
    UPTIME = "uptime"
    ERRORS = "errors"
    LATENCY = "latency"
    THROTTLES = "throttles"
    HEALTHY_TARGETS = "healthy_targets"


MEASURES: Mapping[Kind, tuple[Measure, ...]] = {
    Kind.HOST: (Measure.CPU, Measure.MEMORY, Measure.DISK, Measure.NETWORK, Measure.UPTIME),
    Kind.VOLUME: (Measure.DISK,),
    Kind.DATABASE: (Measure.CPU, Measure.MEMORY, Measure.DISK, Measure.NETWORK, Measure.UPTIME),
    Kind.CACHE: (Measure.CPU, Measure.MEMORY, Measure.NETWORK, Measure.UPTIME),
    Kind.SERVICE: (Measure.CPU, Measure.MEMORY, Measure.UPTIME),
    Kind.CLUSTER: (Measure.CPU, Measure.MEMORY, Measure.UPTIME),
    Kind.CONTAINER: (Measure.CPU, Measure.MEMORY, Measure.UPTIME),
    Kind.FUNCTION: (Measure.ERRORS, Measure.LATENCY, Measure.THROTTLES),
    Kind.LOAD_BALANCER: (Measure.ERRORS, Measure.LATENCY, Measure.HEALTHY_TARGETS),
    Kind.NETWORK_LOAD_BALANCER: (Measure.ERRORS, Measure.HEALTHY_TARGETS),
}
"""What counts for each kind: the five core metrics, or what it has in their place."""

_GIVEN_ONCE = frozenset({"arn", "instance", "guid"})
_STRENGTH = {space: at for at, space in enumerate(("arn", "instance", "guid", "host", "name"))}
"""Kinds of identities, the strongest first: what nobody gives twice, then what people choose."""


class Identity(NamedTuple):
    """One name of a component: `space` says who gives it ("arn", "instance", "guid", "host", "name").

    A host name is in lower case, as DNS does not tell them apart (RFC 4343); "name" is what people call it in their
    inventory. A tuple, since a fleet has hundreds of thousands of them, and a dataclass is slow to make, to hash and
    to compare.
    """

    space: str
    value: str

    def __str__(self) -> str:
        return f"{self.space}:{self.value}"

    @classmethod
    def parse(cls, text: str) -> "Identity":
        """From "space:value"; what names no known space is a "name"."""
        space, colon, value = text.partition(":")
        known = bool(colon) and space in _STRENGTH
        if known and space == "host":
            return cls(space, value.lower())
        return cls(space, value) if known else cls("name", text)

    @property
    def rank(self) -> tuple[int, str]:
        return _rank(self)

    @property
    def is_given_once(self) -> bool:
        """Whether nobody else can have it; people may call two things alike."""
        return self.space in _GIVEN_ONCE

    @property
    def is_nobodys(self) -> bool:
        """Whether every machine has it."""
        return self in _NOBODYS


def _rank(one: tuple[str, str]) -> tuple[int, str]:
    return _STRENGTH.get(one[0], len(_STRENGTH)), one[1]


_NOBODYS = frozenset(
    Identity("host", name)
    for name in (
        "localhost",
        "localhost.localdomain",
        "localhost4",
        "localhost6",
        "ip6-localhost",
        "127.0.0.1",
        "::1",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A thing that runs. `identities` has at least one; `sources` are the providers (or files) that know it.

    `account` and `region` are where it lies, "" where that means nothing. `tags` are the tools' own, later ones win;
    several values of one tag stand side by side with commas between them. `parts` is what each source by itself knows
    of it now, where that differs from the whole; it is not kept.
    """

    kind: Kind
    name: str
    identities: frozenset[Identity]
    sources: frozenset[str] = frozenset()
    account: str = ""
    region: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, "Component"] = field(default_factory=lambda: _NO_PARTS, compare=False, repr=False)

    def as_known_to(self, source: str) -> "Component":
        """By its own names and tags: one tool's tags say nothing of what another one calls by the same word."""
        return self.parts.get(source, self)

    @property
    def key(self) -> str:
        """The strongest identity, as text."""
        if len(self.identities) == 1:
            (only,) = self.identities
            return f"{only.space}:{only.value}"
        return str(min(self.identities, key=_rank))

    @property
    def proofs(self) -> frozenset[str]:
        """The spaces in which it has a name that nobody gives twice."""
        found = frozenset(name.space for name in self.identities if name.is_given_once)
        return _PROOFS.setdefault(found, found)  # the same few of very many components

    def is_same(self, other: "Component") -> bool:
        """Whether both are one thing: by a name that nobody gives twice, or a chosen one that nothing contradicts."""
        shared = self.identities & other.identities
        if not shared or any(name.is_given_once for name in shared):
            return bool(shared)
        return self.proofs.isdisjoint(other.proofs)


_key = attrgetter("key")

_PROOFS: dict[frozenset[str], frozenset[str]] = {}


class Known(Generic[T]):
    """Things that have a component, to be found by another one that is the same."""

    def __init__(self, things: Iterable[tuple[Component, T]]) -> None:
        self._things = list(things)
        self._by_name: dict[Identity, list[int]] = defaultdict(list)
        for at, (component, _) in enumerate(self._things):
            for name in component.identities:
                self._by_name[name].append(at)

    def same_as(self, component: Component) -> list[T]:
        """In the order they were given."""
        near = {at for name in component.identities for at in self._by_name.get(name, ())}
        return [self._things[at][1] for at in sorted(near) if self._things[at][0].is_same(component)]


_NO_PARTS: Mapping[str, Component] = {}
"""One for all: a large fleet has hundreds of thousands of components without any."""


def unite(components: Iterable[Component]) -> list[Component]:
    """What shares an identity is one component, whoever sees it and in whatever order; sorted by key.

    A host name that would make one of two ARNs, instance ids or guids names neither of them. The kind and name are
    those of the part with the strongest identity.
    """
    every = list(components)
    leaders, void = _leaders(every)
    parts: dict[int, list[Component]] = {}
    for leader, component in zip(leaders, every, strict=True):
        parts.setdefault(leader, []).append(component)
    del every
    united = []
    while parts:  # of a large fleet: what is merged can go
        _, same = parts.popitem()
        united.append(_without(void, _one(same)))
    return sorted(united, key=_key)


def _leaders(every: Sequence[Component]) -> tuple[list[int], set[Identity]]:
    """For each the number of one that all of the same have, and the names that name none of two."""
    leader = list(range(len(every)))
    proofs = [one.proofs for one in every]

    def find(at: int) -> int:
        while leader[at] != at:
            leader[at] = leader[leader[at]]
            at = leader[at]
        return at

    first: dict[Identity, int] = {}
    shared: dict[Identity, list[int]] = {}
    for at, component in enumerate(every):
        for name in component.identities:
            if (other := first.setdefault(name, at)) != at:
                shared.setdefault(name, [other]).append(at)
    void = {name for name in _NOBODYS if name in first}
    del first  # of a large fleet this is much
    for name in sorted(shared, key=_rank):
        groups = sorted({find(at) for at in shared[name]})
        proven = [space for at in groups for space in proofs[at]]
        if name in void or (not name.is_given_once and len(proven) > len(set(proven))):
            void.add(name)
            groups = [at for at in groups if not proofs[at]]
        for at in groups[1:]:
            leader[at] = groups[0]
            proofs[groups[0]] |= proofs[at]
    return [find(at) for at in range(len(every))], void


def _without(void: set[Identity], one: Component) -> Component:
    """What has nothing but such a name keeps it."""
    if not one.proofs or void.isdisjoint(one.identities):
        return one
    return replace(one, identities=one.identities - void)


def parts_of(same: Iterable[Component]) -> Mapping[str, Component]:
    """What each source knows of one component, of what they know together."""
    found: dict[str, list[Component]] = {}
    for one in same:
        for source in sorted(one.sources):
            found.setdefault(source, []).append(one.as_known_to(source))
    return {source: _together(each) for source, each in found.items()}


def _one(same: Sequence[Component]) -> Component:
    if len(same) == 1:
        return same[0]
    one = _together(same)
    return replace(one, parts=parts_of(same)) if len(one.sources) > 1 else one


def _together(same: Sequence[Component]) -> Component:
    if len(same) == 1:
        return same[0]
    ordered = sorted(same, key=lambda one: (min(map(_rank, one.identities)), one.name))
    best, *others = ordered
    tags: dict[str, str] = {}
    for one in reversed(ordered):
        tags.update(one.tags)
    return Component(
        kind=best.kind,
        name=best.name,
        identities=best.identities.union(*(one.identities for one in others)),
        sources=united_sources(*(one.sources for one in ordered)),
        account=next((one.account for one in ordered if one.account), ""),
        region=next((one.region for one in ordered if one.region), ""),
        tags=tags,
    )


@cache
def united_sources(*sources: frozenset[str]) -> frozenset[str]:
    """There are few of these, and each of a large fleet's components has one."""
    return frozenset[str]().union(*sources)
