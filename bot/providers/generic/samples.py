"""Example deliveries in socmon's own JSON."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.providers.contract import Sample, SampleKind
from bot.providers.problems import Problem, imagine

SECRET = "sample-secret-of-generic-0123456789abcdef"  # noqa: S105 - made up

_STATUSES = {
    SampleKind.TRIGGERED: "triggered",
    SampleKind.REPEATED: "triggered",
    SampleKind.RECOVERED: "recovered",
    SampleKind.NO_DATA: "no_data",
    SampleKind.TEST: "test",
    SampleKind.GARBAGE: "muddled",
}
_SEVERITIES = ("critical", "high", "medium")


class GenericSamples:
    """Signed example deliveries."""

    environ: Mapping[str, str] = {"SOCMON_WEBHOOK_SECRET_GENERIC": SECRET}
    table: Mapping[str, Any] = {}
    pages: Mapping[str, bytes] = {}

    def sample(self, kind: SampleKind, *, problem: int, episode: int, at: datetime) -> Sample:
        body = json.dumps(_alert(kind, imagine(problem), episode, at), ensure_ascii=False).encode()
        return Sample(headers={"content-type": "application/json", "x-socmon-token": SECRET}, body=body)


def _alert(kind: SampleKind, about: Problem, episode: int, at: datetime) -> dict[str, Any]:
    return {
        "status": _STATUSES[kind],
        "dedup_key": f"{about.component}/{about.kind}",
        "occurrence": f"{about.component}/{about.kind}#{episode}",
        "title": about.title,
        "component": about.component,
        "severity": _SEVERITIES[about.number % 3],
        "condition": about.condition,
        "value": about.value,
        "url": f"https://monitoring.example.com/checks/{about.component}/{about.kind}",
        "runbook": about.runbook,
        "text": f"{about.advice}\n\nChecked every minute from two locations; {about.minutes} checks in a row told the"
        f" same. Environment: {about.environment}. Owner: platform team.",
        "occurred_at": at.isoformat(),
        "delivery_id": f"{kind}-{about.number}-{episode}-{at.isoformat()}",
    }
