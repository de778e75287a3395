"""An alert, retold from its entries in the log: each replayed through the same table of steps that people go by.

So an alert's row can be compared with what the log says became of it. What the source is said to be travels in each
entry; what a tool called the alert is bound by one commitment, since it is text from outside.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from bot.domain.alert import Act, Alert, Cause, Resolution, Response, Severity, Source
from bot.domain.errors import IllegalAct, SocmonError
from bot.domain.evidence import Fact, canonical, timestamp

ACTS = {
    "acknowledged": Act.ACKNOWLEDGE,
    "snoozed": Act.SNOOZE,
    "woke": Act.WAKE,
    "released": Act.RELEASE,
    "reassigned": Act.REASSIGN,
    "taken_over": Act.TAKE_OVER,
    "escalated": Act.ESCALATE,
    "noted": Act.NOTE,
    "resolved": Act.RESOLVE,
    "amended": Act.AMEND,
    "reopened_as": Act.REOPEN,
}
OPENINGS = frozenset({"triggered", "reopened"})
SOURCE_WORDS = frozenset({"recovered", "refired", "no_data", "worsened", "updated", "told"})

CARRIED = (
    "provider",
    "title",
    "severity",
    "response",
    "source",
    "triggered_at",
    "owner",
    "acknowledged_at",
    "acknowledged_by",
    "recovered_at",
    "resolved_at",
    "resolved_by",
    "resolution",
    "amended_by",
    "snoozed_until",
    "flaps",
    "previous_id",
    "version",
)
DETAILS = ("dedup_key", "component", "condition", "url", "runbook", "text", "on_call")
NOT_CARRIED = ("occurrence", "value", "source_at", "repeats")
"""What repeats change, which have no entry of their own."""


class BrokenStory(SocmonError):
    """An alert's entries do not follow from each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One entry about an alert. `kind` is its type without "alert.", `texts` are its private texts by path."""

    kind: str
    at: datetime
    by: str
    facts: Mapping[str, Any]
    texts: Mapping[str, str]


def source_facts(alert: Alert) -> dict[str, Fact]:
    """What an entry says of the source's side of an alert."""
    recovered_at = timestamp(alert.recovered_at) if alert.recovered_at else None
    return {"severity": alert.severity, "source": alert.source, "recovered_at": recovered_at}


def details_of(alert: Alert) -> str:
    """Hex SHA-256 of what a tool called the alert and who was on call: what the path "details" commits to."""
    return sha256(canonical([getattr(alert, name) for name in DETAILS])).hexdigest()


def retell(alert: Alert | None, told: Told) -> Alert:
    """The alert after one more of its entries, None before the first; what no entry carries stays blank.

    Raises BrokenStory.
    """
    try:
        if alert is None:
            return _opened(told)
        if told.kind in SOURCE_WORDS:
            return _heard(alert, told)
        if act := ACTS.get(told.kind):
            until, to = _time(told, "until"), told.facts.get("to")
            return alert.after(act, by=told.by, at=told.at, until=until, to=to, resolution=_note(told))
    except (IllegalAct, KeyError, TypeError, ValueError) as error:
        raise BrokenStory(f"“{told.kind}” at {timestamp(told.at)} does not fit what came before") from error
    return alert


def differences(stored: Alert, told: Alert) -> list[str]:
    """The names of what the log tells otherwise than the row; times are compared to the millisecond, as logged."""
    return [name for name in CARRIED if _logged(getattr(stored, name)) != _logged(getattr(told, name))]


def _opened(told: Told) -> Alert:
    if told.kind not in OPENINGS:
        raise ValueError("an alert begins with another entry")
    facts = told.facts
    return Alert(
        id=0,
        provider=facts["provider"],
        dedup_key="",
        occurrence=None,
        title=told.texts.get("title", ""),
        component="",
        condition="",
        value="",
        severity=Severity(facts["severity"]),
        url="",
        runbook="",
        text="",
        response=Response.TRIGGERED,
        source=Source(facts["source"]),
        source_at=told.at,
        triggered_at=told.at,
        recovered_at=_time(told, "recovered_at"),
        previous_id=facts.get("previous"),
    )


def _heard(alert: Alert, told: Told) -> Alert:
    source = Source(told.facts["source"])
    return replace(
        alert,
        severity=Severity(told.facts["severity"]),
        source=source,
        recovered_at=_time(told, "recovered_at"),
        flaps=alert.flaps + (alert.source is Source.RECOVERED and source is Source.FIRING),
    )


def _time(told: Told, fact: str) -> datetime | None:
    text = told.facts.get(fact)
    return datetime.fromisoformat(text) if text else None


def _note(told: Told) -> Resolution | None:
    if "cause" not in told.facts:
        return None
    return Resolution(
        found=told.texts["found"],
        done=told.texts["done"],
        cause=Cause(told.facts["cause"]),
        security=told.facts["security"],
        follow_up=told.texts.get("follow_up", ""),
    )


def _logged(value: object) -> object:
    return timestamp(value) if isinstance(value, datetime) else value
