"""PagerDuty tells one event of one incident in each delivery, signed with the subscription's secret.

Events and their data: https://developer.pagerduty.com/docs/webhooks-overview
Signatures: https://developer.pagerduty.com/docs/verifying-webhook-signatures
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bot.domain.alert import Change, Reported, Severity
from bot.domain.delivery import TEST_NOTIFICATION
from bot.domain.errors import Refused, Unreadable
from bot.providers.contract import (
    Reading,
    Request,
    Webhook,
    instant,
    key_of,
    line,
    parse_object,
    severity_of,
    text,
    web_address,
)
from bot.providers.pagerduty.settings import PagerDutySettings

MOST_SIGNATURES = 10

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDutyWebhook(Webhook):
    """Checks and reads what a v3 webhook subscription sends."""

    settings: PagerDutySettings

    def check_headers(self, headers: Mapping[str, str]) -> str:
        self.settings.secrets.require("pagerduty")
        if not _signatures(headers):
            raise Refused(
                "missing signature",
                "This request has no X-PagerDuty-Signature of version v1. Let a v3 webhook subscription send it.",
            )
        return ""  # they cover the body

    async def authenticate(self, request: Request) -> str:
        self.check_headers(request.headers)
        if not self.settings.secrets.signed(request.body, _signatures(request.headers)):
            raise Refused(
                "bad signature",
                "The signature does not belong to this body and SOCMON_WEBHOOK_SECRET_PAGERDUTY. Set it to the secret"
                " that PagerDuty showed when the subscription was created.",
            )
        return "hmac"

    def read(self, request: Request) -> Reading:
        event = parse_object(request.body).get("event")
        if not isinstance(event, dict):
            raise Unreadable("The body has no event, so no v3 webhook subscription made it.")
        # The event's id is signed, unlike the header X-Webhook-Id: a replay cannot pass for a new delivery.
        return Reading(delivery_id=key_of(text(event.get("id"), 200)), alerts=(_read(event, request),))


def _signatures(headers: Mapping[str, str]) -> list[str]:
    """PagerDuty signs with the old and the new secret while a subscription's secret is being replaced."""
    given = [part.strip() for part in headers.get("x-pagerduty-signature", "").split(",")[:MOST_SIGNATURES]]
    return [signature[3:] for signature in given if signature.startswith("v1=")]


def _read(event: Data, request: Request) -> Reported:
    kind = text(event.get("event_type"), 100)
    if not kind:
        raise Unreadable("The event has no event_type.")
    if kind == "pagey.ping":
        return _ignored(event, kind, TEST_NOTIFICATION)
    if kind not in _STATES and kind not in _UPDATES:
        return _ignored(event, kind, "an event that says nothing about an alert")
    data = _table(event.get("data"))
    incident = _incident(data)
    read = _state if kind in _STATES else _update
    return read(event, kind, incident, data, request)


def _state(event: Data, kind: str, incident: str, data: Data, request: Request) -> Reported:
    change, verb = _STATES[kind]
    return Reported(
        change=change,
        dedup_key=key_of(incident),
        occurrence=_occurrence(event, kind, incident, data) if change is Change.TRIGGERED else None,
        occurred_at=instant(event.get("occurred_at"), received_at=request.received_at),
        title=line(data.get("title")) or f"PagerDuty incident {incident}",
        component=_name(data.get("service")),
        severity=_severity(data),
        url=_url(data.get("html_url")),
        text=_text(data),
        said=f"{verb} in PagerDuty{_by(event)}",
    )


def _update(event: Data, kind: str, incident: str, data: Data, request: Request) -> Reported:
    return Reported(
        change=Change.UPDATED,
        dedup_key=key_of(incident),
        occurred_at=instant(event.get("occurred_at"), received_at=request.received_at),
        title=line(data.get("title")),
        severity=_severity(data),
        said=text(_UPDATES[kind](event, data)),
        raised_to=_priority(data),
    )


def _ignored(event: Data, kind: str, reason: str) -> Reported:
    data = _table(event.get("data"))
    return Reported(
        change=Change.UPDATED,
        dedup_key=key_of(kind),
        title=kind,
        said=line(data.get("message")) or _name(data),
        ignored=reason,
    )


def _incident(data: Data) -> str:
    """The id of the incident: the data itself, or what the note, responder or status update belongs to."""
    about = data if data.get("type") == "incident" else _table(data.get("incident"))
    incident = text(about.get("id"), 200)
    if not incident:
        raise Unreadable("The event does not say which incident it is about.")
    return incident


def _occurrence(event: Data, kind: str, incident: str, data: Data) -> str:
    """The incident is the episode, until somebody reopens it."""
    reopened_at = text(data.get("reopened_at"), 40)
    if kind == "incident.reopened":
        reopened_at = reopened_at or text(event.get("occurred_at"), 40) or text(event.get("id"), 40)
    return key_of(incident, reopened_at) if reopened_at else key_of(incident)


def _severity(data: Data) -> Severity:
    """The priority where there is one (P1 to P5, or names like them), else the urgency: high pages people."""
    return _priority(data) or _URGENCIES.get(text(data.get("urgency"), 20), Severity.SEV3)


def _priority(data: Data) -> Severity | None:
    return severity_of(_name(data.get("priority")).replace("-", ""))


def _text(data: Data) -> str:
    facts = {
        "Assigned to": _names(data.get("assignees")),
        "Escalation policy": _name(data.get("escalation_policy")),
        "Priority": _name(data.get("priority")),
        "Urgency": line(data.get("urgency"), 20),
        "Incident key": line(data.get("incident_key")),
    }
    return "\n".join(f"{name}: {value}" for name, value in facts.items() if value)


def _url(value: object) -> str:
    """The incident's page, if it really is PagerDuty's."""
    address = web_address(value)
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return ""
    return address if address.startswith("https://") and host.endswith(".pagerduty.com") else ""


def _by(event: Data) -> str:
    """Who did it. PagerDuty names nobody when an event rule, a timeout or the monitoring tool did."""
    agent = _name(event.get("agent"))
    return f" by {agent}" if agent else " automatically"


def _acknowledged(event: Data, data: Data) -> str:  # noqa: ARG001 - all updates are asked alike
    return f"acknowledged in PagerDuty{_by(event)}"


def _unacknowledged(event: Data, data: Data) -> str:  # noqa: ARG001
    return f"acknowledgement taken back in PagerDuty{_by(event)}"


def _escalated(event: Data, data: Data) -> str:
    return f"escalated in PagerDuty{_to(_names(data.get('assignees')))}{_by(event)}"


def _reassigned(event: Data, data: Data) -> str:
    return f"reassigned in PagerDuty{_to(_names(data.get('assignees')))}{_by(event)}"


def _delegated(event: Data, data: Data) -> str:
    return f"delegated in PagerDuty{_to(_name(data.get('escalation_policy')))}{_by(event)}"


def _annotated(event: Data, data: Data) -> str:
    cut = " (PagerDuty left out the rest)" if data.get("trimmed") is True else ""
    return f"note in PagerDuty{_by(event)}: {text(data.get('content'), 3000)}{cut}"


def _status_update(event: Data, data: Data) -> str:
    cut = " (PagerDuty left out the rest)" if data.get("trimmed") is True else ""
    return f"status update in PagerDuty{_by(event)}: {text(data.get('message'), 3000)}{cut}"


def _priority_updated(event: Data, data: Data) -> str:
    priority = _name(data.get("priority"))
    return f"priority {f'set to {priority}' if priority else 'taken away'} in PagerDuty{_by(event)}"


def _responder_added(event: Data, data: Data) -> str:
    asked = _name(data.get("user")) or _name(data.get("escalation_policy")) or "somebody"
    message = line(data.get("message"), 1000)
    return f"{asked} asked in PagerDuty to help{_by(event)}{f': {message}' if message else ''}"


def _responder_replied(event: Data, data: Data) -> str:
    who = _name(data.get("user")) or _name(event.get("agent")) or "somebody"
    message = line(data.get("message"), 1000)
    answer = line(data.get("state"), 40) or "replied"
    return f"{who} answered the request for help in PagerDuty: {answer}{f' ({message})' if message else ''}"


def _to(whom: str) -> str:
    return f" to {whom}" if whom else ""


def _names(references: object) -> str:
    return ", ".join(filter(None, map(_name, references))) if isinstance(references, list) else ""


def _name(reference: object) -> str:
    return line(_table(reference).get("summary"), 200)


def _table(value: object) -> Data:
    return value if isinstance(value, dict) else {}


_URGENCIES = {"high": Severity.SEV2, "low": Severity.SEV4}
_STATES = {
    "incident.triggered": (Change.TRIGGERED, "triggered"),
    "incident.reopened": (Change.TRIGGERED, "reopened"),
    "incident.resolved": (Change.RECOVERED, "resolved"),
}
_UPDATES: dict[str, Callable[[Data, Data], str]] = {
    "incident.acknowledged": _acknowledged,
    "incident.unacknowledged": _unacknowledged,
    "incident.escalated": _escalated,
    "incident.reassigned": _reassigned,
    "incident.delegated": _delegated,
    "incident.annotated": _annotated,
    "incident.status_update_published": _status_update,
    "incident.priority_updated": _priority_updated,
    "incident.responder.added": _responder_added,
    "incident.responder.replied": _responder_replied,
}
