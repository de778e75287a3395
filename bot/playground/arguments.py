"""The arguments of one Web API call, from the query, a form or a JSON body."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from bot.playground.errors import SlackError


def read_arguments(query: str, content_type: str, body: bytes) -> dict[str, Any]:
    """All arguments of a request; the body's win over the query's. Raises SlackError."""
    arguments: dict[str, Any] = dict(parse_qsl(query, keep_blank_values=True))
    if not body:
        return arguments
    if content_type.startswith("application/json"):
        return arguments | _json_object(body)
    if content_type.startswith("application/x-www-form-urlencoded"):
        try:
            return arguments | dict(parse_qsl(body.decode(), keep_blank_values=True))
        except UnicodeDecodeError as error:
            raise SlackError("invalid_form_data") from error
    raise SlackError("missing_post_type" if not content_type else "invalid_post_type")


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError as error:
        raise SlackError("invalid_json") from error
    if not isinstance(value, dict):
        raise SlackError("json_not_object")
    return value


class Arguments:
    """Typed access to the arguments; whatever does not fit is `invalid_arguments`, with the reason."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = {name: value for name, value in given.items() if value is not None}

    def has(self, name: str) -> bool:
        return name in self._given

    def text(self, name: str, default: str = "") -> str:
        value = self._given.get(name, default)
        if isinstance(value, (dict, list)):
            raise SlackError("invalid_arguments", f"must be a string [json-pointer:/{name}]")
        return str(value)

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise SlackError("invalid_arguments", f"missing required field: {name}")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        if name not in self._given:
            return default
        return str(self._given[name]).lower() in {"1", "true"}

    def number(
        self, name: str, default: int, *, least: int, most: int, error: str = "invalid_arguments"
    ) -> int:
        try:
            value = int(self.text(name, str(default)))
        except ValueError as problem:
            raise SlackError(error, f"must be an integer [json-pointer:/{name}]") from problem
        if not least <= value <= most:
            raise SlackError(error, f"must be between {least} and {most} [json-pointer:/{name}]")
        return value

    def structure(self, name: str, *, error: str = "invalid_arguments") -> Any:
        """A JSON value, given as such or as a string that holds it; None when it is not given."""
        value = self._given.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError as problem:
            raise SlackError(error, f"must be JSON [json-pointer:/{name}]") from problem
