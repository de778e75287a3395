"""Damaged versions of a body: its bytes, and where it is JSON its values and keys."""

import json
from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any

WEIRD: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    10**30,
    1e308,
    "",
    " ",
    "null",
    "\ud800",
    "\x00\x1b[31m\u202e",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-23:59",
    "2026-13-99",
    "http://[",
    "https://a b",
    "javascript:alert(1)",
    "$ALERT_ID",
    "{{json state}}",
    "x" * 10_000,
    [],
    {},
    [[]],
    [{}],
    [None],
    {"a": {"b": []}},
    [1, "two", {"three": 3}],
]


def mutated(body: bytes, count: int) -> Iterator[bytes]:
    """`count` damaged versions of a body: its bytes, and where it is JSON its values and keys."""
    random = Random(body)
    for number in range(count):
        yield mutate_bytes(body, random) if number % 2 else mutate_json(body, random)


def mutate_bytes(body: bytes, random: Random) -> bytes:
    start = random.randrange(len(body))
    end = min(len(body), start + random.choice([1, 1, 2, 10, 200]))
    match random.randrange(5):
        case 0:
            return body[:start]
        case 1:
            return body[:start] + body[end:]
        case 2:
            return body[:start] + random.randbytes(end - start) + body[end:]
        case 3:
            return body[:end] + body[start:]
        case _:
            return (
                body[:start]
                + random.choice([b'"', b"\\", b"{", b"]", b",", b"\x00", b"\xff", b"1e999"])
                + body[end:]
            )


def mutate_json(body: bytes, random: Random) -> bytes:
    try:
        value = json.loads(body)
    except ValueError:
        return mutate_bytes(body, random)
    for _ in range(random.choice([1, 1, 1, 2, 5])):
        holder, key = random.choice(list(places(value)) or [(None, None)])
        if holder is None:
            return json.dumps(random.choice(WEIRD)).encode()
        if isinstance(holder, dict) and random.randrange(4) == 0:
            del holder[key]
        else:
            holder[key] = deepcopy(random.choice(WEIRD))
    return json.dumps(value, ensure_ascii=random.randrange(2) == 0).encode("utf-8", "surrogatepass")


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (object or list, key) in a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield value, key
        yield from places(inner)
