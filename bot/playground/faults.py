"""Ways in which Slack and PagerDuty can fail, on for a number of calls or of seconds, or until switched off."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.playground.errors import SlackError
from bot.playground.people import BOT_USER
from bot.playground.workspace import Workspace


class Kind(StrEnum):
    """What goes wrong."""

    RATE_LIMIT = "rate_limit"  # 429 + Retry-After
    DOWN = "down"  # `mode`: error (500), close (the connection), timeout (no answer)
    LOSE_ANSWER = "lose_answer"  # the call is carried out, its answer never arrives
    SLOW = "slow"  # `delay` seconds before each answer
    REVOKED_TOKEN = "revoked_token"  # noqa: S105 - a fault's name
    MISSING_SCOPE = "missing_scope"  # `scope` is withdrawn
    ARCHIVE_CHANNEL = "archive_channel"  # `channel`
    REMOVE_BOT = "remove_bot"  # the bot, from `channel`
    PAGERDUTY_DOWN = "pagerduty_down"  # it answers 503, and tells of nothing


MODES = ("error", "close", "timeout")


@dataclass(slots=True, kw_only=True)
class Fault:
    """One fault that is on. `method` narrows it to one Web API method; None means for all."""

    kind: Kind
    times: int | None = None
    until: datetime | None = None
    method: str | None = None
    mode: str = "error"
    delay: float = 2.0
    retry_after: int = 2
    scope: str = "channels:history"
    channel: str = "C0ALERTS"

    def as_json(self, now: datetime) -> dict[str, Any]:
        left = None if self.until is None else max(0, round((self.until - now).total_seconds()))
        names = ("kind", "times", "method", "mode", "delay", "retry_after", "scope", "channel")
        return {name: getattr(self, name) for name in names} | {"seconds_left": left}


class Faults:
    """The faults that are on at the moment."""

    def __init__(self, workspace: Workspace, changed: Callable[[], None] = lambda: None) -> None:
        self._workspace = workspace
        self._changed = changed
        self._on: list[Fault] = []

    @property
    def on(self) -> list[Fault]:
        self._expire()
        return list(self._on)

    def start(self, fault: Fault) -> None:
        """Switch a fault on, in place of one of its kind for the same channel, scope and method."""
        self.stop(fault)
        self._on.append(fault)
        self._apply(fault)
        self._changed()

    def stop(self, like: Fault) -> None:
        """Switch off the faults of this kind, for the same channel, scope and method."""
        for fault in [fault for fault in self._on if _same(fault, like)]:
            self._end(fault)
        self._changed()

    def clear(self) -> None:
        for fault in list(self._on):
            self._end(fault)
        self._changed()

    def take(self, kind: Kind, method: str) -> Fault | None:
        """The fault that hits this call, if any; it is used up by one."""
        self._expire()
        for fault in self._on:
            if fault.kind is kind and fault.method in {None, method}:
                self._use(fault)
                return fault
        return None

    def is_on(self, kind: Kind) -> bool:
        return any(fault.kind is kind for fault in self.on)

    def withdrawn_scopes(self) -> set[str]:
        return {fault.scope for fault in self.on if fault.kind is Kind.MISSING_SCOPE}

    def _use(self, fault: Fault) -> None:
        if fault.times is None:
            return
        fault.times -= 1
        if fault.times <= 0:
            self._end(fault)
        self._changed()

    def _expire(self) -> None:
        now = self._workspace.now()
        over = [fault for fault in self._on if fault.until is not None and fault.until <= now]
        for fault in over:
            self._end(fault)
        if over:
            self._changed()

    def _apply(self, fault: Fault) -> None:
        if fault.kind is Kind.ARCHIVE_CHANNEL:
            self._workspace.archive(fault.channel)
        elif fault.kind is Kind.REMOVE_BOT:
            self._workspace.leave(fault.channel, BOT_USER)

    def _end(self, fault: Fault) -> None:
        if fault in self._on:
            self._on.remove(fault)
        if fault.kind is Kind.ARCHIVE_CHANNEL:
            self._workspace.archive(fault.channel, archived=False)
        elif fault.kind is Kind.REMOVE_BOT:
            self._workspace.join(fault.channel, BOT_USER)


def read_fault(given: dict[str, Any], now: datetime) -> Fault:
    """A fault as a page or a test asks for it; raises SlackError, which says what does not fit."""
    try:
        fault = Fault(kind=Kind(given["kind"]))
        fault.times = int(given["times"]) if given.get("times") else None
        fault.until = now + timedelta(seconds=float(given["seconds"])) if given.get("seconds") else None
        fault.delay = float(given.get("delay", fault.delay))
        fault.retry_after = int(given.get("retry_after", fault.retry_after))
    except (KeyError, TypeError, ValueError) as error:
        kinds = ", ".join(Kind)
        raise SlackError(
            "invalid_fault", f"{error}; `kind` is one of {kinds}, the rest are numbers"
        ) from error
    posts_only = "chat.postMessage" if fault.kind is Kind.LOSE_ANSWER else None
    fault.method = given.get("method") or posts_only
    fault.mode = given.get("mode", fault.mode)
    fault.scope = given.get("scope", fault.scope)
    fault.channel = given.get("channel", fault.channel)
    if fault.mode not in MODES:
        raise SlackError("invalid_fault", f"`mode` is one of {', '.join(MODES)}")
    return fault


def _same(one: Fault, other: Fault) -> bool:
    return (one.kind, one.method, one.scope, one.channel) == (
        other.kind,
        other.method,
        other.scope,
        other.channel,
    )
