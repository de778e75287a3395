"""An entry's bytes read back, strictly: what two readers could read differently is no entry."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.evidence import VERSION, NotCanonical, commitment

FIELDS = frozenset({"v", "type", "log", "seq", "at", "actor", "subject", "prev", "commit"})
OBJECTS = ("actor", "subject", "commit", "facts")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def read_entry(leaf: bytes) -> dict[str, Any]:
    """The envelope's content, with every field that a check needs. Raises ValueError saying what is amiss."""
    try:
        content = json.loads(leaf.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(content, dict) or FIELDS - content.keys():
        raise ValueError("not an envelope")
    if content["v"] != VERSION:
        raise ValueError(f"version {content['v']!r}")
    content.setdefault("facts", {})
    if not isinstance(content["type"], str) or not all(isinstance(content[name], dict) for name in OBJECTS):
        raise ValueError("not an envelope")
    return content


def millis(at: object) -> int:
    """Milliseconds since 1970 of a time in an entry. Raises ValueError when it is none."""
    try:
        return (datetime.fromisoformat(at) - _EPOCH) // _MILLISECOND  # type: ignore[arg-type]
    except (TypeError, OverflowError) as error:
        raise ValueError(f"{at!r} is no time") from error


def matches(committed: str, salt: bytes | None, path: str, text: str | None) -> bool:
    """Whether the entry that holds this commitment was made about this text."""
    try:
        return salt is not None and text is not None and commitment(salt, path, text) == committed
    except NotCanonical:
        return False


def who(content: dict[str, Any]) -> str:
    """Who did it, as the timeline names them."""
    return content["actor"].get("user") or "socmon"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers may take different ones of two equal keys."""
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key stands twice")
    return content


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
