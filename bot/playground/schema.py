"""Small checks that combine into a schema and report what is wrong as Slack does, with a JSON pointer."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Check = Callable[[Any, str], Iterator[str]]
Rule = Callable[[dict[str, Any], str], Iterator[str]]


def problem(what: str, pointer: str) -> str:
    return f"{what} [json-pointer:{pointer}]"


def string(most: int, least: int = 1) -> Check:
    def check(value: Any, pointer: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield problem("must be a string", pointer)
        elif len(value) > most:
            yield problem(f"must be less than {most + 1} characters", pointer)
        elif len(value) < least:
            yield problem(f"must be more than {least - 1} characters", pointer)

    return check


def pattern(expression: str, what: str) -> Check:
    compiled = re.compile(expression)

    def check(value: Any, pointer: str) -> Iterator[str]:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            yield problem(f"must be {what}", pointer)

    return check


def boolean(value: Any, pointer: str) -> Iterator[str]:
    if not isinstance(value, bool):
        yield problem("must be a boolean", pointer)


def integer(least: int, most: int) -> Check:
    def check(value: Any, pointer: str) -> Iterator[str]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield problem("must be an integer", pointer)
        elif not least <= value <= most:
            yield problem(f"must be between {least} and {most}", pointer)

    return check


def enum(*allowed: str) -> Check:
    def check(value: Any, pointer: str) -> Iterator[str]:
        if value not in allowed:
            yield problem(f"must be a valid enum value: {', '.join(allowed)}", pointer)

    return check


def items(each: Check, *, least: int, most: int) -> Check:
    def check(value: Any, pointer: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield problem("must be an array", pointer)
            return
        if len(value) > most:
            yield problem(f"no more than {most} items allowed", pointer)
        if len(value) < least:
            yield problem(f"must have at least {least} item{'s' * (least > 1)}", pointer)
        for index, item in enumerate(value):
            yield from each(item, f"{pointer}/{index}")

    return check


def structure(required: Mapping[str, Check], optional: Mapping[str, Check], *rules: Rule) -> Check:
    """An object with these fields and no others; `rules` see it whole, once its fields are in order."""
    known = {**required, **optional}

    def check(value: Any, pointer: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield problem("must provide an object", pointer)
            return
        found = [
            problem(f"missing required field: {name}", pointer)
            for name in required
            if value.get(name) is None
        ]
        for name, item in value.items():
            if name not in known:
                found.append(problem(f"invalid additional property: {name}", pointer))
            elif item is not None:
                found.extend(known[name](item, f"{pointer}/{name}"))
        if not found:
            for rule in rules:
                found.extend(rule(value, pointer))
        yield from found

    return check


def variants(kinds: Mapping[str, Check]) -> Check:
    """An object whose `type` says which of these it is."""

    def check(value: Any, pointer: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield problem("must provide an object", pointer)
        elif "type" not in value:
            yield problem("missing required field: type", pointer)
        elif value["type"] not in kinds:
            yield problem(f"unsupported type: {value['type']}", f"{pointer}/type")
        else:
            yield from kinds[value["type"]](value, pointer)

    return check


def exactly_one(*names: str) -> Rule:
    def rule(value: dict[str, Any], pointer: str) -> Iterator[str]:
        if sum(value.get(name) is not None for name in names) != 1:
            yield problem(f"must provide exactly one of: {', '.join(names)}", pointer)

    return rule


def at_least_one(*names: str) -> Rule:
    def rule(value: dict[str, Any], pointer: str) -> Iterator[str]:
        if not any(value.get(name) for name in names):
            yield problem(f"must provide at least one of: {', '.join(names)}", pointer)

    return rule
