"""Example deliveries as a workflow sends them with socmon's message template."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from bot.providers.contract import Sample, SampleKind
from bot.providers.newrelic.webhook import SAMPLE_CREATED_AT, SAMPLE_ISSUES
from bot.providers.problems import Problem, imagine

SECRET = "sample-secret-of-newrelic-0123456789abcdef"  # noqa: S105 - made up

_STATES = {
    SampleKind.TRIGGERED: ("ACTIVATED", "STATE_CHANGE"),
    SampleKind.REPEATED: ("ACTIVATED", "INCIDENT_ADDED"),
    SampleKind.RECOVERED: ("CLOSED", "INCIDENT_CLOSED"),
    SampleKind.NO_DATA: ("ACTIVATED", "STATE_CHANGE"),
    SampleKind.TEST: ("ACTIVATED", "INCIDENT_ADDED"),
    SampleKind.GARBAGE: ("SIMMERING", "STATE_CHANGE"),  # no state that New Relic documents
}
_PRIORITIES = ("CRITICAL", "HIGH", "MEDIUM")


class NewRelicSamples:
    """Signed example deliveries. New Relic knows no state "no data": a lost signal is an issue like any other."""

    environ: Mapping[str, str] = {"SOCMON_WEBHOOK_SECRET_NEWRELIC": SECRET}
    table: Mapping[str, Any] = {}
    pages: Mapping[str, bytes] = {}

    def sample(self, kind: SampleKind, *, problem: int, episode: int, at: datetime) -> Sample:
        body = json.dumps(_values(kind, imagine(problem), episode, at), ensure_ascii=False).encode()
        return Sample(headers={"content-type": "application/json", "x-socmon-token": SECRET}, body=body)


def _values(kind: SampleKind, about: Problem, episode: int, at: datetime) -> dict[str, Any]:
    state, trigger = _STATES[kind]
    now = int(at.timestamp() * 1000)
    issue = str(uuid5(NAMESPACE_URL, f"https://one.newrelic.com/{about.number}/{episode}"))
    guid = f"MzU2NDIwNnxJTkZSQXxOQXw{uuid5(NAMESPACE_URL, about.component).hex[:20]}"
    side = "above" if about.above else "below"
    told = f"query result is {side} {about.threshold}"
    if kind is SampleKind.NO_DATA:
        told = "signal lost"
    values: dict[str, Any] = {
        "v": 1,
        "issueId": issue,
        "state": state,
        "trigger": trigger,
        "priority": _PRIORITIES[about.number % 3],
        "title": f"{about.component} {told} for {about.minutes} minutes on '{about.title}'",
        "conditionName": [f"{about.title}: {about.condition}"],
        "conditionFamilyId": [4_100_000 + about.number % 5],
        "policyName": [f"{about.environment.title()} infrastructure"],
        "entities": [about.component],
        "guids": [guid],
        "runbook": about.runbook,
        "url": f"https://radar-api.service.newrelic.com/accounts/3564206/issues/{issue}?notifier=WEBHOOK",
        "chart": f"https://gorgon.nr-assets.net/image/{uuid5(NAMESPACE_URL, issue)}?config.legend.enabled=false",
        "createdAt": now,
        "updatedAt": now,
        "closedAt": now if kind is SampleKind.RECOVERED else None,
        "acknowledgedBy": None,
        "workflow": "socmon",
    }
    if kind is SampleKind.TEST:
        values |= {
            "issueId": SAMPLE_ISSUES[0],
            "createdAt": int(SAMPLE_CREATED_AT),
            "updatedAt": int(SAMPLE_CREATED_AT),
        }
    return values
