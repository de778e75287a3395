"""A tool that socmon does not know by name reports alerts, in socmon's own JSON or in its own through a mapping.

The JSON is described in docs/providers/generic.schema.json.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.alert import Change, Reported, Severity
from bot.domain.errors import Unreadable
from bot.providers.contract import (
    MOST_ALERTS,
    Reading,
    Request,
    Way,
    Webhook,
    check_shared_secret,
    instant,
    key_of,
    line,
    nearest,
    parse_object,
    severity_of,
    text,
    web_address,
)
from bot.providers.generic.settings import ALERT_FIELDS, BODY_FIELDS, STATUSES, GenericSettings

CHANGES = {
    "triggered": Change.TRIGGERED,
    "recovered": Change.RECOVERED,
    "no_data": Change.NO_DATA,
    "updated": Change.UPDATED,
    "test": Change.TRIGGERED,
}

UNCUT = 1024 * 1024  # a name must not lose its end, where it may differ; key_of shortens it
MOST_FAULTS = 3  # said in the gap; the body is kept whole


@dataclass(frozen=True, slots=True, kw_only=True)
class GenericWebhook(Webhook):
    """Checks and reads what any tool sends."""

    settings: GenericSettings

    def check_headers(self, headers: Mapping[str, str]) -> str:
        return check_shared_secret("generic", self.settings.secrets, headers, {Way.TOKEN, Way.BEARER})

    async def authenticate(self, request: Request) -> str:
        return self.check_headers(request.headers)

    def read(self, request: Request) -> Reading:
        body = parse_object(request.body)
        alerts, faults = [], _unknown_fields(body, (*ALERT_FIELDS, *BODY_FIELDS), self.settings)
        found = self._alerts(body)
        if len(found) > MOST_ALERTS:
            faults.append(f"Of {len(found)} alerts in this delivery, only the first {MOST_ALERTS} were read.")
        for fields in found[:MOST_ALERTS]:
            try:
                reported, doubts = _reported(fields, self.settings, request.received_at)
            except Unreadable as error:
                faults.append(str(error))
            else:
                alerts.append(reported)
                faults += doubts
        if not alerts:
            raise Unreadable(faults[-1])
        # No delivery_id: some senders give one id for ever. In the body it tells two deliveries apart all the same.
        return Reading(alerts=tuple(alerts), gap=_gap(faults))

    def _alerts(self, body: dict[str, Any]) -> list[Any]:
        """The body's alerts, at least one; raises Unreadable."""
        alerts = _value("alerts", body, self.settings)
        if alerts is None:
            return [body]
        if not isinstance(alerts, list) or not alerts:
            raise Unreadable("“alerts” is not a list with an alert in it.")
        return alerts


def _reported(fields: Any, settings: GenericSettings, received_at: datetime) -> tuple[Reported, list[str]]:
    """The alert, and what is doubtful about it."""
    if not isinstance(fields, dict):
        raise Unreadable("An alert is not an object.")
    said = {name: _value(name, fields, settings) for name in ALERT_FIELDS}
    status = _status(said["status"], settings)
    key = key_of(text(said["dedup_key"], UNCUT))
    if not key and status != "test":
        raise Unreadable("An alert has no dedup_key, so nothing tells it from others.")
    words, severity = text(said["text"]), text(said["severity"], 60)
    if status == "updated" and not words:
        raise Unreadable(f"The update of “{line(key, 60)}” has no text that says what happened.")
    occurred_at = instant(said["occurred_at"], received_at=received_at)
    doubts = _unknown_fields(fields, (*ALERT_FIELDS, *BODY_FIELDS), settings)
    if said["occurred_at"] is not None and occurred_at is None:
        doubts.append(
            "An occurred_at is no possible time: write 2026-01-31T09:30:00Z, with an offset, or Unix time."
        )
    if not text(said["title"]) and status in {"triggered", "no_data"}:
        doubts.append(f"The alert “{line(key, 60)}” has no title.")
    if severity and severity_of(severity) is None:
        words = f"{words}\n\nSeverity at the sender: {severity}".strip()
    return Reported(
        change=CHANGES[status],
        dedup_key=key or "test",
        occurrence=key_of(text(said["occurrence"], UNCUT)) or None,
        occurred_at=occurred_at,
        title=line(said["title"]) or line(key),
        component=line(said["component"], 200),
        condition=line(said["condition"], 500),
        value=line(said["value"], 60),
        severity=severity_of(severity) or Severity.SEV3,
        url=web_address(said["url"]),
        runbook=web_address(said["runbook"]),
        text=words,
        said=line(words) if status == "updated" else "",
        raised_to=severity_of(severity) if status == "updated" else None,
        ignored="test notification" if status == "test" else "",
    ), doubts


def _status(value: Any, settings: GenericSettings) -> str:
    word = text(value, 60).lower()
    status = settings.statuses.get(word, word)
    if status in STATUSES:
        return status
    if not word:
        raise Unreadable("An alert does not say its status: triggered, recovered, no_data, updated or test.")
    raise Unreadable(
        f"An alert has the status “{line(word)}”, which socmon does not know."
        " Send one it knows, or map the word under [providers.generic.status]."
    )


def _value(name: str, body: dict[str, Any], settings: GenericSettings) -> Any:
    """What the body says under our name, or where the configuration maps it; None for nothing."""
    found: Any = body
    for part in settings.fields.get(name, (name,)):
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, list) and part.isdecimal() and int(part[:6]) < len(found):
            found = found[int(part[:6])]
        else:
            return None
    return found


def _unknown_fields(body: Any, known: tuple[str, ...], settings: GenericSettings) -> list[str]:
    """Misspelt fields of socmon's own JSON. With a mapping the JSON is the sender's, and holds what it likes."""
    if settings.fields:
        return []
    return [
        f"There is no field “{line(name, 60)}”.{nearest(name, known)}" for name in body if name not in known
    ][:1]


def _gap(faults: list[str]) -> str:
    said = list(dict.fromkeys(faults))
    more = len(said) - MOST_FAULTS
    return " ".join(said[:MOST_FAULTS]) + (f" And {more} more faults like these." if more > 0 else "")
