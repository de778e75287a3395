"""What a plan of Terraform says: each resource as it is and as it would be, and which others its values come from."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.domain.component import Identity
from bot.domain.monitor import Monitor


class Fate(StrEnum):
    """What the plan does with a resource."""

    KEPT = "kept"
    CREATED = "created"
    CHANGED = "changed"
    REPLACED = "replaced"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource. `before` and `after` are its attributes by the names of Terraform's provider, {} where it is not.

    What is known only after the plan was applied is left out of `after`, and so is what is marked as sensitive.
    `unknown` has the attributes that are not known, each True or with its parts that are not.
    `refers` has for each attribute the addresses of the planned resources that its value comes from.
    """

    address: str
    type: str
    fate: Fate
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    unknown: Mapping[str, Any] = field(default_factory=dict)
    refers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def stays(self) -> bool:
        return self.fate is not Fate.DELETED


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What the monitors of one tool come to by a plan.

    `made` are those that it makes or changes, as they will be; `gone` the ids, among those on record, that it changes
    or deletes. `names` are the identities by which the tool's monitors will know the components that the plan makes,
    by their addresses.
    """

    made: tuple[Monitor, ...] = ()
    gone: frozenset[str] = frozenset()
    names: Mapping[str, frozenset[Identity]] = field(default_factory=dict)


def touched(resources: Iterable[Resource], types: Collection[str]) -> list[Resource]:
    """Of these types, what the plan does anything with."""
    return [one for one in resources if one.type in types and one.fate is not Fate.KEPT]
