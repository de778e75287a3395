"""What a component is: one thing that runs, however many tools see it and whatever each of them calls it.

Tools name the same machine by instance id, host name, ARN or guid. Each name is an identity; what shares one is one
component. Its key is the strongest of its identities, so it stays the same when another tool begins to see it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import NamedTuple


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
}
"""What counts for each kind: the five core metrics, or what it has in their place."""

_STRENGTH = {space: at for at, space in enumerate(("arn", "instance", "guid", "host", "name"))}
"""Kinds of identities, the strongest first: what nobody gives twice, then what people choose."""


class Identity(NamedTuple):
    """One name of a component: `space` says who gives it ("arn", "instance", "guid", "host", "name"), in lower case.

    A host name is one within a company; "name" is what people call it in their inventory. A tuple, since a fleet has
    hundreds of thousands of them, and a dataclass is slow to make, to hash and to compare.
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
        return cls(space, value) if known else cls("name", text)

    @property
    def rank(self) -> tuple[int, str]:
        return _rank(self)


def _rank(one: tuple[str, str]) -> tuple[int, str]:
    return _STRENGTH.get(one[0], len(_STRENGTH)), one[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A thing that runs. `identities` has at least one; `sources` are the providers (or files) that know it.

    `account` and `region` are where it lies, "" where that means nothing. `tags` are the tools' own, later ones win;
    several values of one tag stand side by side with commas between them.
    """

    kind: Kind
    name: str
    identities: frozenset[Identity]
    sources: frozenset[str] = frozenset()
    account: str = ""
    region: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The strongest identity, as text."""
        if len(self.identities) == 1:
            (only,) = self.identities
            return f"{only.space}:{only.value}"
        return str(min(self.identities, key=_rank))


_key = attrgetter("key")


def unite(components: Iterable[Component]) -> list[Component]:
    """What shares an identity is one component, whoever sees it and in whatever order; sorted by key.

    The kind and name are those of the part with the strongest identity.
    """
    every = list(components)
    leader = list(range(len(every)))

    def find(at: int) -> int:
        while leader[at] != at:
            leader[at] = leader[leader[at]]
            at = leader[at]
        return at

    first: dict[Identity, int] = {}
    for at, component in enumerate(every):
        for name in component.identities:
            other = first.setdefault(name, at)
            if other != at:
                leader[find(at)] = find(other)
    parts: dict[int, list[Component]] = {}
    for at, component in enumerate(every):
        parts.setdefault(find(at), []).append(component)
    del every, first
    united = []
    while parts:  # of a large fleet: what is merged can go
        _, same = parts.popitem()
        united.append(_one(same))
    return sorted(united, key=_key)


def _one(same: Sequence[Component]) -> Component:
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
