"""A row of an inventory, from whatever file, on its way to a component in scope."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from bot.domain.component import Component, Identity, Kind
from bot.domain.errors import SocmonError
from bot.domain.scope import Criticality, InScope

FIELDS = ("name", "kind", "owner", "criticality", "account", "region", "identities", "tags")
MOST_TOLD = 20
MOST_LETTERS = 500  # of a field

_ARN = re.compile(r"arn:aws[a-z-]*:[^:]*:[^:]*:[^:]*:.+")
_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")


@dataclass(frozen=True, slots=True)
class Problem:
    """`where` is the file and line, `says` what is wrong there and how to mend it."""

    where: str
    says: str


class WrongInventory(SocmonError):
    """A file cannot be taken; `so` says that nothing came of it."""

    def __init__(self, problems: Sequence[Problem], so: str = "Nothing was imported.") -> None:
        listed = [f"{one.where}: {one.says}" for one in problems[:MOST_TOLD]]
        if len(problems) > MOST_TOLD:
            listed.append(f"… and {len(problems) - MOST_TOLD} more.")
        super().__init__("\n".join([*listed, so]))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a file says of one component. `where` names its place for people."""

    where: str
    fields: Mapping[str, str] = field(default_factory=dict)
    identities: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


def components(rows: Sequence[Row]) -> tuple[list[InScope], list[Problem]]:
    """(each row's component, what is wrong); the first is of use only when nothing is."""
    entries, problems = [], []
    for row in rows:
        try:
            entries.append(_entry(row))
        except ValueError as error:
            problems.append(Problem(row.where, str(error)))
    return entries, problems


def unknown_field(name: str) -> str:
    near = get_close_matches(name.casefold(), FIELDS, n=1, cutoff=0.5)
    advice = f"Did you mean “{near[0]}”?" if near else f"Known here: {', '.join(FIELDS)}."
    return f"“{name}” is no field of a component. {advice}"


def identity(text: str) -> Identity:
    """As people write it: an ARN or an instance id as AWS shows it, else `space:value`, else a name.

    Raises ValueError for a name that every machine has.
    """
    if _ARN.fullmatch(text):
        return Identity("arn", text)
    if _INSTANCE.fullmatch(text):
        return Identity("instance", text)
    read = Identity.parse(text)
    if read.is_nobodys:
        raise ValueError(f"every machine calls itself “{read.value}”. Give the name that others know it by.")
    return read


def _entry(row: Row) -> InScope:
    """Raises ValueError."""
    given = row.fields
    for key, value in (*given.items(), *(("identity", each) for each in row.identities)):
        if len(value) > MOST_LETTERS:
            raise ValueError(f"its {key} has more than {MOST_LETTERS} characters. Shorten it.")
        if not value.isprintable():
            raise ValueError(f"its {key} holds a character that cannot be seen. Type it anew.")
    name = given.get("name", "")
    if not name:
        raise ValueError("it has no name. Give it one, as people call it.")
    kind = Kind(_one_of("kind", given.get("kind", ""), Kind))
    level = given.get("criticality", "")
    names = frozenset(map(identity, row.identities)) or _by_name(kind, name)
    return InScope(
        component=Component(
            kind=kind,
            name=name,
            identities=names,
            account=given.get("account", ""),
            region=given.get("region", ""),
            tags={_seen(tag): _seen(value) for tag, value in row.tags.items()},
        ),
        owner=given.get("owner", ""),
        criticality=Criticality(_one_of("criticality", level, Criticality)) if level else Criticality.MEDIUM,
    )


def _seen(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text[:MOST_LETTERS])


def _by_name(kind: Kind, name: str) -> frozenset[Identity]:
    """What has nothing but a name; people call a server by its host name, and a database as the balancer before it."""
    own = f"host:{name}" if kind is Kind.HOST else f"name:{kind}/{name.casefold()}"
    return frozenset({identity(own)})


def _one_of(what: str, word: str, known: type[Kind] | type[Criticality]) -> str:
    folded = word.casefold().replace(" ", "_").replace("-", "_")
    if folded in {each.value for each in known}:
        return folded
    listed = ", ".join(each.value for each in known)
    if not word:
        raise ValueError(f"it has no {what}. Give it one of {listed}.")
    near = get_close_matches(folded, [each.value for each in known], n=1, cutoff=0.5)
    advice = f"Did you mean “{near[0]}”?" if near else f"Known here: {listed}."
    raise ValueError(f"“{word}” is no {what}. {advice}")
