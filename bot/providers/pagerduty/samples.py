"""Incident events as a PagerDuty v3 webhook subscription would send them."""

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from bot.providers.contract import Sample, SampleKind
from bot.providers.problems import Problem, imagine

SECRET = "sample-secret-of-pagerduty-0123456789abcdef"  # noqa: S105 - made up, and public

_SITE = "https://example.pagerduty.com"
_PAT = {
    "id": "PPAT001",
    "type": "user_reference",
    "summary": "Pat Example",
    "html_url": f"{_SITE}/users/PPAT001",
}
_PRIORITIES = ("P1", "P2", "P3", "")


class PagerDutySamples:
    """Signed example deliveries.

    An incident is a problem of its own in PagerDuty, so a later episode of a problem is its incident, reopened. A
    lost signal is an incident like any other.
    """

    environ: Mapping[str, str] = {"SOCMON_WEBHOOK_SECRET_PAGERDUTY": SECRET}
    table: Mapping[str, Any] = {}
    pages: Mapping[str, bytes] = {}

    def __init__(self) -> None:
        self._began: dict[tuple[int, int], datetime] = {}

    def sample(self, kind: SampleKind, *, problem: int, episode: int, at: datetime) -> Sample:
        event = {
            "id": str(uuid5(NAMESPACE_URL, f"{kind}/{problem}/{episode}/{at.isoformat()}")),
            "occurred_at": _time(at),
            "client": None,
        }
        if kind is SampleKind.TEST:
            return signed(event | _ping())
        if kind in {SampleKind.TRIGGERED, SampleKind.REPEATED, SampleKind.NO_DATA}:
            self._began.setdefault((problem, episode), at)
        reopened_at = _time(self._began.get((problem, episode), at)) if episode > 0 else ""
        incident = _incident(imagine(problem), kind, reopened_at)
        if kind is SampleKind.GARBAGE:
            del incident["id"]
        told = {"event_type": _event_type(kind, episode), "resource_type": "incident", "agent": _PAT}
        return signed(event | told | {"data": incident})


def signed(event: Mapping[str, Any], *, secret: str = SECRET) -> Sample:
    """A delivery of `event`, signed as PagerDuty does."""
    body = json.dumps({"event": event}, ensure_ascii=False).encode()
    headers = {
        "content-type": "application/json",
        "user-agent": "PagerDuty-Webhook/V3.0",
        "x-webhook-id": str(event.get("id", "")),
        "x-pagerduty-signature": f"v1={hmac.new(secret.encode(), body, sha256).hexdigest()}",
    }
    return Sample(headers=headers, body=body)


def _event_type(kind: SampleKind, episode: int) -> str:
    if kind is SampleKind.RECOVERED:
        return "incident.resolved"
    return "incident.reopened" if episode > 0 else "incident.triggered"


def _ping() -> dict[str, Any]:
    data = {"message": "Hello from your friend Pagey!", "type": "ping"}
    return {"event_type": "pagey.ping", "resource_type": "pagey", "agent": None, "data": data}


def _incident(about: Problem, kind: SampleKind, reopened_at: str) -> dict[str, Any]:
    incident_id = f"PINC{about.number:04d}"
    priority = _PRIORITIES[about.number % len(_PRIORITIES)]
    lost = kind is SampleKind.NO_DATA
    reopened = {"reopened_at": reopened_at} if reopened_at else {}
    return reopened | {
        "id": incident_id,
        "type": "incident",
        "self": f"https://api.pagerduty.com/incidents/{incident_id}",
        "html_url": f"{_SITE}/incidents/{incident_id}",
        "number": about.number,
        "status": "resolved" if kind is SampleKind.RECOVERED else "triggered",
        "incident_key": f"{about.component}/{about.kind}",
        "created_at": "2026-01-05T08:00:00Z",
        "title": f"No data: {about.metric} of {about.component}"
        if lost
        else f"{about.title}: {about.condition}",
        "service": {"id": f"PSVC{about.number:04d}", "type": "service_reference", "summary": about.component},
        "assignees": [_PAT],
        "escalation_policy": {"id": "PESC001", "type": "escalation_policy_reference", "summary": "Platform"},
        "teams": [],
        "priority": {"id": f"PPRI{priority}", "type": "priority_reference", "summary": priority}
        if priority
        else None,
        "urgency": "high" if about.number % 2 else "low",
        "conference_bridge": None,
        "resolve_reason": None,
    }


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
