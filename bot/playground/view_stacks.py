"""The modals people have open, at most three on top of each other, and everybody's App Home."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from bot.playground.block_kit import MOST_VIEW_BYTES, view_problems, view_size, with_ids
from bot.playground.errors import SlackError
from bot.playground.people import APP, BOT, TEAM

DEEPEST = 3


@dataclass(slots=True, kw_only=True)
class View:
    """A modal or an App Home, as its owner `user` sees it."""

    id: str
    user: str
    type: str
    hash: str
    blocks: list[dict[str, Any]]
    title: dict[str, Any] | None = None
    submit: dict[str, Any] | None = None
    close: dict[str, Any] | None = None
    callback_id: str = ""
    external_id: str = ""
    private_metadata: str = ""
    clear_on_close: bool = False
    notify_on_close: bool = False
    previous_view_id: str | None = None
    root_view_id: str = ""
    values: dict[str, Any] = field(default_factory=dict)

    def as_slack(self) -> dict[str, Any]:
        """The view as the Web API and the interaction payloads give it."""
        hidden = {"user", "values"}
        shown = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in hidden}
        shown |= {
            "team_id": TEAM,
            "app_id": APP,
            "bot_id": BOT,
            "app_installed_team_id": TEAM,
            "state": {"values": self.values},
        }
        if self.type == "home":
            for name in ("submit", "close", "title"):
                shown.pop(name)
        return shown


class ViewStacks:
    """Who has which views open. `now_ts` names the moment of a change, for the hash."""

    def __init__(self, now_ts: Callable[[], str]) -> None:
        self._now_ts = now_ts
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}

    def open(self, user: str, given: dict[str, Any]) -> View:
        """Show a modal to the user, in place of whatever was open."""
        view = self._modal(user, given)
        self.stacks[user] = [view]
        return view

    def push(self, user: str, given: dict[str, Any]) -> View:
        """Lay a modal on top of the open one; raises SlackError."""
        stack = self.stacks.get(user, [])
        if not stack:
            raise SlackError("not_found", "there is no open view to push onto")
        if len(stack) >= DEEPEST:
            raise SlackError("push_limit_reached")
        view = self._modal(user, given)
        view.previous_view_id, view.root_view_id = stack[-1].id, stack[0].id
        stack.append(view)
        return view

    def update(self, view: View, given: dict[str, Any], known_hash: str = "") -> View:
        """Replace what a view shows; raises SlackError, hash_conflict when it has changed since `known_hash`."""
        if known_hash and known_hash != view.hash:
            raise SlackError("hash_conflict")
        self._check(given, view.type)
        for name in _GIVEN:
            setattr(view, name, _shown(given, name))
        view.hash = self._new_hash()
        view.values = {}
        return view

    def publish(self, user: str, given: dict[str, Any], known_hash: str = "") -> View:
        """Replace a person's App Home; raises SlackError."""
        home = self.homes.get(user)
        if home is not None:
            return self.update(home, given, known_hash)
        self._check(given, "home")
        home = self._new(user, given)
        self.homes[user] = home
        return home

    def find(self, view_id: str = "", external_id: str = "") -> View:
        """An open view or a home by its id or the app's own name for it; raises SlackError."""
        for view in [*self.homes.values(), *(view for stack in self.stacks.values() for view in stack)]:
            if (view_id and view.id == view_id) or (external_id and view.external_id == external_id):
                return view
        raise SlackError("not_found")

    def top(self, user: str) -> View | None:
        stack = self.stacks.get(user)
        return stack[-1] if stack else None

    def pop(self, user: str) -> None:
        """Close the topmost view."""
        stack = self.stacks.get(user, [])
        if stack:
            stack.pop()

    def clear(self, user: str) -> None:
        """Close all views."""
        self.stacks.pop(user, None)

    def _modal(self, user: str, given: dict[str, Any]) -> View:
        self._check(given, "modal")
        taken = {view.external_id for stack in self.stacks.values() for view in stack}
        if given.get("external_id") and given["external_id"] in taken:
            raise SlackError("duplicate_external_ids")
        return self._new(user, given)

    def _new(self, user: str, given: dict[str, Any]) -> View:
        view_id = f"V{secrets.token_hex(5).upper()}"
        shown = {name: _shown(given, name) for name in _GIVEN}
        return View(
            id=view_id, user=user, type=given["type"], hash=self._new_hash(), root_view_id=view_id, **shown
        )

    def _check(self, given: Any, kind: str) -> None:
        if view_size(given) > MOST_VIEW_BYTES:
            raise SlackError("view_too_large")
        problems = view_problems(given)
        if not problems and given["type"] != kind:
            problems = [f"must be a {kind} view [json-pointer:/view/type]"]
        if problems:
            raise SlackError("invalid_arguments", *problems)

    def _new_hash(self) -> str:
        return f"{self._now_ts().split('.')[0]}.{secrets.token_hex(4)}"


_GIVEN = (
    "blocks",
    "title",
    "submit",
    "close",
    "callback_id",
    "external_id",
    "private_metadata",
    "clear_on_close",
    "notify_on_close",
)
_DEFAULTS: dict[str, Any] = {
    "callback_id": "",
    "external_id": "",
    "private_metadata": "",
    "clear_on_close": False,
    "notify_on_close": False,
}


def _shown(given: dict[str, Any], name: str) -> Any:
    if name == "blocks":
        return with_ids(given["blocks"])
    value = given.get(name)
    return _DEFAULTS.get(name) if value is None else value
