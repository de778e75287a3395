"""What one Web API method needs (scopes, tier) and how it is called."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.playground.arguments import Arguments
from bot.playground.errors import SlackError
from bot.playground.rate_limits import Tier
from bot.playground.workspace import Workspace

Answer = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call: the workspace, the arguments, and the address at which the bot reaches the playground."""

    workspace: Workspace
    arguments: Arguments
    own_url: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A Web API method. One of `scopes` is enough; none means that a token is all it takes."""

    run: Callable[[Call], Answer]
    tier: Tier
    scopes: tuple[str, ...] = ()
    public: bool = False


def page(found: Sequence[T], call: Call, *, default: int = 100) -> tuple[Sequence[T], str]:
    """One page of a list, and the cursor of the next one ("" at the end)."""
    limit = call.arguments.number("limit", default, least=1, most=1000, error="invalid_limit")
    start = _offset(call.arguments.text("cursor"))
    end = start + limit
    return found[start:end], _cursor(end) if end < len(found) else ""


def _cursor(offset: int) -> str:
    return urlsafe_b64encode(f"next:{offset}".encode()).decode()


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(urlsafe_b64decode(cursor.encode()).decode().removeprefix("next:"))
    except ValueError as error:
        raise SlackError("invalid_cursor") from error
