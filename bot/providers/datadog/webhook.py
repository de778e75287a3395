"""Datadog reports what its monitors see: our payload template, Datadog's default one, and common others.

Datadog signs nothing; a shared secret in a header is the only proof of who sends.
Variables and their values: https://docs.datadoghq.com/integrations/webhooks/
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.domain.alert import Change, Reported, Severity
from bot.domain.errors import Unreadable
from bot.providers.contract import (
    Reading,
    Request,
    Way,
    Webhook,
    check_shared_secret,
    instant,
    key_of,
    line,
    parse_object,
    text,
    web_address,
)
from bot.providers.datadog.settings import DatadogSettings
from bot.providers.datadog.template import salvage

# The names under which templates send a variable: ours, then those named after the variable, then other known ones.
NAMES = {
    "id": ("id", "event_id"),
    "monitor_id": ("monitor_id", "alert_id"),
    "cycle": ("cycle", "alert_cycle_key"),
    "transition": ("transition", "alert_transition"),
    "type": ("type", "alert_type"),
    "priority": ("priority", "alert_priority", "severity"),
    "status": ("status", "alert_status"),
    "title": ("title", "event_title", "alert_title"),
    "scope": ("scope", "alert_scope", "scopes"),
    "query": ("query", "alert_query"),
    "host": ("host", "hostname"),
    "tags": ("tags", "event_tags"),
    "text": ("text", "text_only_msg", "body", "event_msg"),
    "link": ("link", "url"),
    "date": ("date",),
    "last_updated": ("last_updated",),
}

# "Renotify" is missing on purpose: it says only that the state lasts, and the title says which.
TRANSITIONS = {
    "triggered": Change.TRIGGERED,
    "re-triggered": Change.TRIGGERED,
    "warn": Change.TRIGGERED,
    "re-warn": Change.TRIGGERED,
    "no data": Change.NO_DATA,
    "re-no data": Change.NO_DATA,
    "recovered": Change.RECOVERED,
}
PRIORITIES = {
    "P1": Severity.SEV1,
    "P2": Severity.SEV2,
    "P3": Severity.SEV3,
    "P4": Severity.SEV4,
    "P5": Severity.SEV4,
}

# "Test Notifications" of a monitor: https://docs.datadoghq.com/monitors/notify/#test-notifications
_TEST = "TEST"
_NONE = frozenset({"null", "NULL", "Null"})
_UNRENDERED = re.compile(r"\$[A-Z][A-Z0-9_]*")
_GROUP = re.compile(r"\[([^\[\]]{1,600})\]\s{0,4}")
_STATE = re.compile(r"([a-z-]{1,20}(?: data)?)(?: on \{(.{0,500})\})?", re.IGNORECASE)
_MONITOR_LINK = re.compile(r"/monitors[#/](\d{1,20})")
_RUNBOOK = re.compile(r"(?im)^[ \t>*_-]{0,8}runbook[ \t:*_]{1,8}(https?://\S{1,500})")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatadogWebhook(Webhook):
    """Checks and reads what the Webhooks integration sends."""

    settings: DatadogSettings

    def check_headers(self, headers: Mapping[str, str]) -> str:
        return check_shared_secret("datadog", self.settings.secrets, headers, {Way.TOKEN, Way.BASIC})

    async def authenticate(self, request: Request) -> str:
        return self.check_headers(request.headers)

    def read(self, request: Request) -> Reading:
        event = _Event.read(_parse(request.body))
        return Reading(
            delivery_id=event.delivery_id,
            alerts=(_reported(event, request.received_at),),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Title:
    """Datadog's titles begin with groups: "[P1] [Triggered on {host:prod-db-1}] High CPU".

    Only the first one can say that it is a test; a later one is of the monitor's own name.
    """

    name: str
    is_test: bool = False
    state: str = ""
    scope: str = ""
    priority: str = ""

    @classmethod
    def read(cls, title: str) -> "_Title":
        state = scope = priority = ""
        group = _GROUP.match(title)
        is_test = group is not None and group[1].strip().upper() == _TEST
        name = title[group.end() :] if group and is_test else title
        while group := _GROUP.match(name):
            word = group[1].strip()
            if word.upper() in PRIORITIES:
                priority = word.upper()
            elif not state and (said := _STATE.fullmatch(word)) and said[1].lower() in TRANSITIONS:
                state, scope = said[1].lower(), said[2] or ""
            else:
                break  # the monitor's own name begins with a bracket
            name = name[group.end() :]
        return cls(name=name, is_test=is_test, state=state, scope=scope, priority=priority)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """The values of one delivery; "" for what it does not say."""

    values: dict[str, str] = field(default_factory=dict)
    title: _Title

    @classmethod
    def read(cls, fields: dict[str, Any]) -> "_Event":
        values = {name: _given(fields, names) for name, names in NAMES.items()}
        return cls(values=values, title=_Title.read(line(values["title"], 1500)))

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    @property
    def delivery_id(self) -> str:
        parts = [self[name] for name in ("cycle", "transition", "last_updated", "id")]
        return key_of(*parts) if all(parts) else ""

    @property
    def scope(self) -> str:
        """The tags of what triggered, in an order of ours, so that one group of a monitor has one key."""
        tags = (self["scope"] or self.title.scope).split(",")
        return ",".join(sorted(tag.strip() for tag in tags if tag.strip()))

    @property
    def monitor(self) -> str:
        """What names the monitor: its number, else its name."""
        link = _MONITOR_LINK.search(self["link"]) or _MONITOR_LINK.search(self["text"])
        if number := self["monitor_id"] or (link[1] if link else ""):
            return number
        if not self.title.name:
            raise Unreadable(
                "This delivery names no monitor: neither $ALERT_ID nor $EVENT_TITLE is in it."
                " Paste socmon's payload template into the webhook in Datadog."
            )
        return f"title:{line(self.title.name)}"

    @property
    def change(self) -> Change:
        word = self["transition"].lower()
        if word == "renotify":
            return TRANSITIONS.get(self.title.state, Change.TRIGGERED)
        change = TRANSITIONS.get(word or self.title.state)
        if change:
            return change
        if word:
            raise Unreadable(
                f"Datadog reports the transition “{line(self['transition'], 60)}”, which socmon does not know."
            )
        raise Unreadable(
            "This delivery does not say what happened: $ALERT_TRANSITION is not in it. If a monitor sent it, paste"
            " socmon's payload template into the webhook in Datadog; events that no monitor sent are not read."
        )

    @property
    def severity(self) -> Severity:
        priority = self["priority"].upper()
        if known := PRIORITIES.get(priority) or PRIORITIES.get(self.title.priority):
            return known
        # $ALERT_TYPE is error, warning, info or success; a recovery's "success" says nothing of how bad it was.
        by_type = {"error": Severity.SEV2, "warning": Severity.SEV3, "info": Severity.SEV4}
        if known := by_type.get(self["type"].lower()):
            return known
        transition = self["transition"].lower() or self.title.state
        return Severity.SEV2 if transition in {"triggered", "re-triggered"} else Severity.SEV3

    @property
    def component(self) -> str:
        """The host, else the one tag the alert is about, else all of its scope."""
        scope = self.scope
        if host := self["host"] or _tag("host", scope):
            return line(host, 200)
        if scope in {"", "*"}:
            return line(_tag("host", self["tags"]), 200)
        return line(scope if "," in scope else scope.partition(":")[2] or scope, 200)


def _reported(event: _Event, received_at: datetime) -> Reported:
    if event.title.is_test:
        return Reported(
            change=Change.TRIGGERED,
            dedup_key=key_of("test", event["monitor_id"], event.scope),
            title=line(event.title.name),
            ignored="test notification",
        )
    body = event["text"].replace("%%%", "").strip()
    runbook = _RUNBOOK.search(body) if "runbook" in body.lower() else None
    status = event["status"]
    return Reported(
        change=event.change,
        dedup_key=key_of(event.monitor, event.scope),
        occurrence=key_of(event["cycle"]) or None,
        occurred_at=instant(event["date"], received_at=received_at)
        or instant(event["last_updated"], received_at=received_at),
        title=line(event.title.name),
        component=event.component,
        condition=line(event["query"] or status, 500),
        severity=event.severity,
        url=web_address(event["link"]),
        runbook=web_address(runbook[1].rstrip(").,>")) if runbook else "",
        text=text(f"{status}\n\n{body}" if status and status not in body else body),
    )


def _tag(name: str, tags: str) -> str:
    """The value of the tag called `name` in a comma-separated list, or ""."""
    found = (tag.strip().partition(":") for tag in tags.split(","))
    return next((value for key, _, value in found if key == name), "")


def _parse(body: bytes) -> dict[str, Any]:
    try:
        return parse_object(body)
    except Unreadable as error:
        salvaged = salvage(body)
        if salvaged is None:
            raise Unreadable(
                f"{error} A quote or line break in a monitor's text can do this: if it happens again, remove it there."
            ) from error
        return salvaged


def _given(fields: dict[str, Any], names: tuple[str, ...]) -> str:
    """What is first given under these names, or "".

    Datadog leaves unknown variables as they are, and writes "null" for none.
    """
    for name in names:
        if (given := fields.get(name)) is not None:
            value = text(given, 8000)
            if value and value not in _NONE and not _UNRENDERED.fullmatch(value):
                return value
    return ""
