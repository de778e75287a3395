"""PagerDuty tells one event of one incident in each delivery, signed with the subscription's secret.

Events and their data: https://developer.pagerduty.com/docs/webhooks-overview
Signatures: https://developer.pagerduty.com/docs/verifying-webhook-signatures
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.domain.alert import Change, Reported
from bot.domain.delivery import TEST_NOTIFICATION
from bot.domain.errors import Refused, Unreadable
from bot.domain.tool import Done, ToolAct
from bot.providers.contract import (
    Reading,
    Request,
    Webhook,
    instant,
    key_of,
    line,
    parse_object,
    text,
)
from bot.providers.pagerduty.incident import (
    Data,
    component_of,
    details_of,
    name_of,
    names_of,
    priority_of,
    severity_of_incident,
    table,
    url_of,
)
from bot.providers.pagerduty.settings import PagerDutySettings

MOST_SIGNATURES = 10


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
    data = table(event.get("data"))
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
        component=component_of(data),
        severity=severity_of_incident(data),
        url=url_of(data.get("html_url")),
        text=details_of(data),
        said=f"{verb} in PagerDuty{_by(event)}",
        done=_done(event, kind, data),
    )


def _update(event: Data, kind: str, incident: str, data: Data, request: Request) -> Reported:
    return Reported(
        change=Change.UPDATED,
        dedup_key=key_of(incident),
        occurred_at=instant(event.get("occurred_at"), received_at=request.received_at),
        title=line(data.get("title")),
        severity=severity_of_incident(data),
        said=text(_UPDATES[kind](event, data)),
        raised_to=priority_of(data),
        done=_done(event, kind, data),
    )


def _done(event: Data, kind: str, data: Data) -> Done | None:
    """What a person did. PagerDuty names an integration, or nobody, when none did."""
    agent = table(event.get("agent"))
    if kind not in _ACTS or not text(agent.get("type")).startswith("user") or not text(agent.get("id"), 200):
        return None
    assignees = data.get("assignees")
    to = table(assignees[0]) if isinstance(assignees, list) and assignees else {}
    return Done(
        act=_ACTS[kind],
        account=text(agent["id"], 200),
        name=name_of(agent),
        to=(text(to["id"], 200), name_of(to)) if text(to.get("id")) else None,
        text=text(data.get("content"), 3000),
    )


def _ignored(event: Data, kind: str, reason: str) -> Reported:
    data = table(event.get("data"))
    return Reported(
        change=Change.UPDATED,
        dedup_key=key_of(kind),
        title=kind,
        said=line(data.get("message")) or name_of(data),
        ignored=reason,
    )


def _incident(data: Data) -> str:
    """The id of the incident: the data itself, or what the note, responder or status update belongs to."""
    about = data if data.get("type") == "incident" else table(data.get("incident"))
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


def _by(event: Data) -> str:
    """Who did it. PagerDuty names nobody when an event rule, a timeout or the monitoring tool did."""
    agent = name_of(event.get("agent"))
    return f" by {agent}" if agent else " automatically"


def _acknowledged(event: Data, data: Data) -> str:  # noqa: ARG001 - all updates are asked alike
    return f"acknowledged in PagerDuty{_by(event)}"


def _unacknowledged(event: Data, data: Data) -> str:  # noqa: ARG001
    return f"acknowledgement taken back in PagerDuty{_by(event)}"


def _escalated(event: Data, data: Data) -> str:
    return f"escalated in PagerDuty{_to(names_of(data.get('assignees')))}{_by(event)}"


def _reassigned(event: Data, data: Data) -> str:
    return f"reassigned in PagerDuty{_to(names_of(data.get('assignees')))}{_by(event)}"


def _delegated(event: Data, data: Data) -> str:
    return f"delegated in PagerDuty{_to(name_of(data.get('escalation_policy')))}{_by(event)}"


def _annotated(event: Data, data: Data) -> str:
    cut = " (PagerDuty left out the rest)" if data.get("trimmed") is True else ""
    return f"note in PagerDuty{_by(event)}: {text(data.get('content'), 3000)}{cut}"


def _status_update(event: Data, data: Data) -> str:
    cut = " (PagerDuty left out the rest)" if data.get("trimmed") is True else ""
    return f"status update in PagerDuty{_by(event)}: {text(data.get('message'), 3000)}{cut}"


def _priority_updated(event: Data, data: Data) -> str:
    priority = name_of(data.get("priority"))
    return f"priority {f'set to {priority}' if priority else 'taken away'} in PagerDuty{_by(event)}"


def _responder_added(event: Data, data: Data) -> str:
    asked = name_of(data.get("user")) or name_of(data.get("escalation_policy")) or "somebody"
    message = line(data.get("message"), 1000)
    return f"{asked} asked in PagerDuty to help{_by(event)}{f': {message}' if message else ''}"


def _responder_replied(event: Data, data: Data) -> str:
    who = name_of(data.get("user")) or name_of(event.get("agent")) or "somebody"
    message = line(data.get("message"), 1000)
    answer = line(data.get("state"), 40) or "replied"
    return f"{who} answered the request for help in PagerDuty: {answer}{f' ({message})' if message else ''}"


def _to(whom: str) -> str:
    return f" to {whom}" if whom else ""


_ACTS = {
    "incident.acknowledged": ToolAct.ACKNOWLEDGE,
    "incident.annotated": ToolAct.NOTE,
    "incident.delegated": ToolAct.REASSIGN,
    "incident.escalated": ToolAct.ESCALATE,
    "incident.reassigned": ToolAct.REASSIGN,
    "incident.resolved": ToolAct.RESOLVE,
}
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
