"""What Terraform is about to do, from `terraform show -json PLANFILE`.

The format is https://developer.hashicorp.com/terraform/internals/json-format (format_version 1.x). Read are
`resource_changes` with `change` (`actions`, `before`, `after`, `after_unknown`, and what is marked as sensitive of
them), and of `configuration` the references of each expression: only they tell which resource a value comes from that
is not known yet. A plan holds secrets in the clear: what is marked as sensitive is dropped here, and of the rest
nothing is kept but what a component or a monitor is made of.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from bot.adapters.inventory.rows import MOST_LETTERS, Problem, components
from bot.adapters.inventory.terraform import TYPES, row_of
from bot.domain.deployment import Deployment, Part, Proposed
from bot.domain.plan import Fate, Resource

_VERSION = re.compile(r"1\.[0-9]{1,4}")
_FATES = {
    ("no-op",): Fate.KEPT,
    ("create",): Fate.CREATED,
    ("update",): Fate.CHANGED,
    ("delete",): Fate.DELETED,
    ("delete", "create"): Fate.REPLACED,
    ("create", "delete"): Fate.REPLACED,
    ("create", "forget"): Fate.REPLACED,
}
_SHOW = "Give what `terraform show -json PLANFILE` writes, of a plan made by `terraform plan -out=PLANFILE`."
MOST_REFERRED = 50
"""A value that comes from more instances of a resource than this comes from none in particular."""


def read_plan(file: str, content: bytes, digest: str) -> tuple[Deployment | None, list[Problem]]:
    """(what the plan would do, what is wrong with the file): the first is None when anything is."""
    try:
        plan = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        return None, [Problem(f"{file}:{error.lineno}", f"it is not JSON: {error.msg}. {_SHOW}")]
    if wrong := _unusable(plan):
        return None, [Problem(file, f"{wrong} {_SHOW}")]
    try:
        resources = tuple(_resources(plan))
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        why = f"it does not have the documented form ({type(error).__name__})."
        return None, [Problem(file, f"{why} {_SHOW}")]
    proposed, wrong_after = _components(file, resources, _as_it_will_be)
    standing, wrong_before = _components(file, resources, _as_it_was)
    problems = list(dict.fromkeys([*wrong_after, *wrong_before]))
    if problems:
        return None, problems
    return Deployment(
        source="terraform plan",
        digest=digest,
        proposed=tuple(proposed),
        standing=tuple(standing),
        resources=resources,
        skipped=sum(one.type not in TYPES and one.fate is not Fate.KEPT for one in resources),
    ), []


def _unusable(plan: Any) -> str:
    if not isinstance(plan, dict):
        return "it is JSON, and no plan of Terraform."
    version = plan.get("format_version")
    if not isinstance(version, str) or "planned_values" not in plan:
        return "it is no plan of Terraform." if "version" not in plan else "it is a state, and no plan."
    if not _VERSION.fullmatch(version):
        return f"its format version is {version[:20]}, and 1.x can be read."
    if plan.get("errored") is True:
        return "Terraform itself failed while it made this plan (errored), so the plan is not whole."
    return ""


def _resources(plan: Mapping[str, Any]) -> Iterator[Resource]:
    managed = [
        told
        for told in plan.get("resource_changes") or ()
        # Not what is only looked at, or forgotten while it runs on, or has its successor in its place already.
        if told.get("mode") == "managed"
        and tuple(told["change"]["actions"]) in _FATES
        and not told.get("deposed")
    ]
    references = _References((plan.get("configuration") or {}).get("root_module") or {}, managed)
    for told in managed:
        change, address = told["change"], str(told["address"])
        fate = _FATES[tuple(change["actions"])]
        if len(address) > MOST_LETTERS or not address.isprintable():
            raise ValueError("an address")
        yield Resource(
            address=address,
            type=str(told["type"]),
            fate=fate,
            before=_table(_open(change.get("before"), change.get("before_sensitive"))),
            after=_table(_open(change.get("after"), change.get("after_sensitive"))),
            unknown=_table(change.get("after_unknown")),
            refers=references.of(told) if fate not in {Fate.DELETED, Fate.KEPT} else {},
        )


def _table(value: Any) -> dict[str, Any]:
    if value is not None and not isinstance(value, dict):
        raise TypeError("attributes")
    return value or {}


def _open(value: Any, sensitive: Any) -> Any:
    """The value without what is marked as sensitive; lists keep their length."""
    if sensitive is True:
        return None
    if isinstance(value, dict) and isinstance(sensitive, dict):
        return {name: _open(each, sensitive.get(name)) for name, each in value.items()}
    if isinstance(value, list) and isinstance(sensitive, list):
        marks = [*sensitive, *([None] * (len(value) - len(sensitive)))]
        return [_open(each, mark) for each, mark in zip(value, marks, strict=False)]
    return value


# Where values come from
@dataclass(frozen=True, slots=True)
class _Module:
    """A module of the configuration. `call` is how it is called, `calls` are the modules that it calls."""

    call: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Any]
    calls: Mapping[str, "_Module"]


class _References:
    """Which planned resources a value comes from: through variables and outputs of modules, down to an instance.

    Of `aws_instance.web[count.index].id` a plan tells only `aws_instance.web` and `count.index`: then it is the one
    with the same index. Local values are not told at all, so what goes through them leads nowhere.
    """

    def __init__(self, root: Mapping[str, Any], managed: Iterable[Mapping[str, Any]]) -> None:
        self._root = _module(root, {})
        # (its module's path, its name) → the module's instance → its own key → its address
        self._planned: dict[tuple[tuple[str, ...], str], dict[str, dict[Any, str]]] = {}
        for told in managed:
            place = str(told.get("module_address") or "")
            at = (_path(place), f"{told['type']}.{told['name']}")
            self._planned.setdefault(at, {}).setdefault(place, {})[told.get("index")] = str(told["address"])

    def of(self, told: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        """For each attribute of a resource the addresses that it comes from."""
        place = str(told.get("module_address") or "")
        path = _path(place)
        modules = self._modules(path)
        resource = modules[-1].resources.get(f"{told['type']}.{told['name']}") if modules else None
        found = {}
        for name, expression in ((resource or {}).get("expressions") or {}).items():
            names, index = _of_instance(expression, resource or {}, told.get("index"))
            if addresses := tuple(dict.fromkeys(self._follow(names, path, place, index, set()))):
                found[name] = addresses
        return found

    def _modules(self, path: Sequence[str]) -> list[_Module]:
        """From the root to the one at this path; empty when the configuration does not tell of it."""
        found = [self._root]
        for name in path:
            if name not in found[-1].calls:
                return []
            found.append(found[-1].calls[name])
        return found

    def _follow(
        self, names: Sequence[str], path: tuple[str, ...], place: str, index: Any, met: set[Any]
    ) -> Iterator[str]:
        modules = self._modules(path)
        for name in names if modules else ():
            if (name, place, index) in met:
                continue
            met.add((name, place, index))
            match _STEP.findall(name):
                case ["var", variable, *_] if path:
                    call = modules[-1].call
                    given = (call.get("expressions") or {}).get(_bare(variable))
                    names_there, index_there = _of_instance(given, call, _key(place))
                    yield from self._follow(names_there, path[:-1], _outer(place), index_there, met)
                case ["module", called, output, *_]:
                    inner = modules[-1].calls.get(_bare(called))
                    if inner is not None:
                        made = _named((inner.outputs.get(_bare(output)) or {}).get("expression"))
                        inside = f"{place}.module.{called}".removeprefix(".")
                        yield from self._follow(made, (*path, _bare(called)), inside, index, met)
                case [kind, label, *_]:  # data sources, local values and the like are no planned resources
                    yield from self._instances(kind, label, path, place, index)
                case _:
                    pass

    def _instances(
        self, kind: str, label: str, path: tuple[str, ...], place: str, index: Any
    ) -> Iterator[str]:
        """Those in the same instance of the module, or in all where that is not told; with this key, if one has it."""
        places = self._planned.get((path, f"{kind}.{_bare(label)}"), {})
        for there in [places[place]] if place in places else list(places.values())[:MOST_REFERRED]:
            key = _key(label) if "[" in label else index
            if key is not None and key in there:
                yield there[key]
            elif len(there) <= MOST_REFERRED:
                yield from there.values()


def _module(told: Mapping[str, Any], call: Mapping[str, Any]) -> _Module:
    return _Module(
        call=call,
        resources={
            f"{one['type']}.{one['name']}": one
            for one in told.get("resources") or ()
            if one.get("mode") == "managed"
        },
        outputs=told.get("outputs") or {},
        calls={
            name: _module(each.get("module") or {}, each)
            for name, each in (told.get("module_calls") or {}).items()
        },
    )


def _of_instance(expression: Any, owner: Mapping[str, Any], key: Any) -> tuple[list[str], Any]:
    """(what an expression names, the key of the instance when it goes by that); `owner` may have a for_each."""
    names = _named(expression)
    if any(name.startswith("each.value") for name in names):
        names = [*names, *_named(owner.get("for_each_expression"))]
    return names, key if any(name.startswith(("count.", "each.")) for name in names) else None


def _named(expression: Any) -> list[str]:
    """All references in an expression, also in those of nested blocks; each only as long as it was written."""
    if isinstance(expression, list):
        return [name for each in expression for name in _named(each)]
    if not isinstance(expression, dict):
        return []
    told = expression.get("references")
    if isinstance(told, list) and all(isinstance(one, str) for one in told):
        # "a.b.id" is followed by "a.b": the same again, with less said.
        return [one for at, one in enumerate(told) if not at or not _continues(told[at - 1], one)]
    return [name for each in expression.values() for name in _named(each)]


def _continues(longer: str, shorter: str) -> bool:
    return longer.startswith((f"{shorter}.", f"{shorter}["))


# A step of a reference or an address, with its key: web, web[0], web["a.b"].
_STEP = re.compile(r'[\w-]+(?:\[(?:"(?:[^"\\]|\\.)*"|[0-9]+)\])?')


def _path(place: str) -> tuple[str, ...]:
    """The names of the modules in an address such as `module.a["x"].module.b`."""
    return tuple(_bare(step) for step in _STEP.findall(place)[1::2])


def _outer(place: str) -> str:
    return ".".join(_STEP.findall(place)[:-2])


def _key(place: str) -> Any:
    """The key of an instance, of the last step."""
    _, bracket, key = _STEP.findall(place)[-1].partition("[")
    return orjson.loads(key.removesuffix("]")) if bracket else None


def _bare(label: str) -> str:
    return label.partition("[")[0]


# Components
def _components(
    file: str,
    resources: Iterable[Resource],
    side: Callable[[Resource], tuple[Part, Mapping[str, Any]] | None],
) -> tuple[list[Proposed], list[Problem]]:
    """Those that the plan makes or changes, or those that stand now, by their attributes on that side of it."""
    found = [
        (
            one.address,
            part,
            row_of(one.type, attributes, where=f"{file} ({one.address})", address=one.address),
        )
        for one in resources
        if one.type in TYPES and (told := side(one)) is not None
        for part, attributes in [told]
    ]
    entries, problems = components([row for _, _, row in found])
    if problems:
        return [], problems
    return [
        Proposed(address=address, item=item, part=part)
        for (address, part, _), item in zip(found, entries, strict=True)
    ], []


def _as_it_will_be(one: Resource) -> tuple[Part, Mapping[str, Any]] | None:
    part = _part(one)
    return None if part in {None, Part.LEAVING} else (part or Part.NEW, one.after)


def _as_it_was(one: Resource) -> tuple[Part, Mapping[str, Any]] | None:
    part = _part(one)
    return None if part in {None, Part.NEW} else (part or Part.LEAVING, one.before)


def _part(one: Resource) -> Part | None:
    match one.fate:
        case Fate.CREATED:
            return Part.NEW
        case Fate.REPLACED:
            return Part.REPLACED
        case Fate.CHANGED:
            _, named, _ = TYPES[one.type]
            renamed = bool(named) and one.before.get(named) != one.after.get(named)
            return Part.RENAMED if renamed else Part.CHANGED
        case Fate.DELETED:
            return Part.LEAVING
        case Fate.KEPT:
            return None
