"""Example deliveries as Alertmanager's webhook receiver sends them."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from bot.providers.alertmanager.webhook import TEST_LABEL
from bot.providers.contract import Sample, SampleKind
from bot.providers.problems import Problem, imagine

SECRET = "sample-secret-of-alertmanager-0123456789abcdef"  # noqa: S105 - made up

NEVER = "0001-01-01T00:00:00Z"  # Go's zero time: the alert has not ended
_SEVERITIES = ("critical", "error", "warning")


class AlertmanagerSamples:
    """Signed example deliveries. Alertmanager knows no state "no data": a rule with absent() is one like any other.

    An episode is named by its start, so a source remembers when it first told of one.
    """

    environ: Mapping[str, str] = {"SOCMON_WEBHOOK_SECRET_ALERTMANAGER": SECRET}
    table: Mapping[str, Any] = {}
    pages: Mapping[str, bytes] = {}

    def __init__(self) -> None:
        self._started: dict[tuple[int, int], datetime] = {}

    def sample(self, kind: SampleKind, *, problem: int, episode: int, at: datetime) -> Sample:
        earlier = timedelta(minutes=5 if kind is SampleKind.RECOVERED else 0)
        started_at = self._started.setdefault((problem, episode), at - earlier)
        group = _group(kind, imagine(problem), started_at, at)
        body = json.dumps(group, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        headers = {
            "content-type": "application/json",
            "user-agent": "Alertmanager/0.28.1",
            "authorization": f"Bearer {SECRET}",
        }
        return Sample(headers=headers, body=body)


def _group(kind: SampleKind, about: Problem, started_at: datetime, at: datetime) -> dict[str, Any]:
    alert = _alert(kind, about, started_at, at)
    common = {name: alert["labels"][name] for name in ("alertname", "env")}
    return {
        "receiver": "socmon",
        "status": alert["status"],
        "alerts": [alert],
        "groupLabels": common,
        "commonLabels": alert["labels"],
        "commonAnnotations": alert["annotations"],
        "externalURL": "https://alertmanager.example.com",
        "version": "4",
        "groupKey": f'{{}}/{{env="{about.environment}"}}:{{alertname="{common["alertname"]}"}}',
        "truncatedAlerts": 0,
    }


def _alert(kind: SampleKind, about: Problem, started_at: datetime, at: datetime) -> dict[str, Any]:
    recovered = kind is SampleKind.RECOVERED
    labels = {
        "alertname": f"{about.kind.title()}Threshold",
        "env": about.environment,
        "instance": f"{about.component}:9100",
        "job": "node",
        "severity": _SEVERITIES[about.number % 3],
        "team": "platform",
    }
    metric = about.metric.replace(".", "_")
    average = f'avg_over_time({metric}{{env="{about.environment}"}}[{about.minutes}m])'
    expression = f"{average} {about.sign} {about.threshold}"
    if kind is SampleKind.NO_DATA:
        expression = f'absent_over_time({metric}{{instance="{about.component}:9100"}}[{about.minutes}m])'
    if kind is SampleKind.TEST:
        labels[TEST_LABEL] = "true"
    return {
        "status": "muddled" if kind is SampleKind.GARBAGE else "resolved" if recovered else "firing",
        "labels": labels,
        "annotations": {
            "summary": about.title,
            "description": f"{about.condition}. {about.advice}",
            "runbook_url": about.runbook,
            "value": about.value,
        },
        "startsAt": _go_time(started_at),
        "endsAt": _go_time(at) if recovered else NEVER,
        "generatorURL": "https://prometheus.example.com/graph?"
        + urlencode({"g0.expr": expression, "g0.tab": "1"}),
        "fingerprint": sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16],
    }


def _go_time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
