"""Alerts as a webhook contact point of Grafana 12 sends them, signed with their time."""

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from bot.providers.contract import Sample, SampleKind
from bot.providers.grafana.settings import SIGNATURE_HEADER, TIMESTAMP_HEADER
from bot.providers.problems import Problem, imagine

SECRET = "sample-secret-of-grafana-0123456789abcdef0"  # noqa: S105 - made up, and public
NEVER = "0001-01-01T00:00:00Z"  # Go's zero time: the alert has not ended

_SITE = "https://grafana.example.com"
_SEVERITIES = ("critical", "high", "warning")


class GrafanaSamples:
    """Signed example deliveries. An episode is named by its start, so a source remembers when it first told of one."""

    environ: Mapping[str, str] = {"SOCMON_WEBHOOK_SECRET_GRAFANA": SECRET}
    table: Mapping[str, Any] = {"timestamp_header": TIMESTAMP_HEADER}
    pages: Mapping[str, bytes] = {}

    def __init__(self) -> None:
        self._began: dict[tuple[int, int], datetime] = {}

    def sample(self, kind: SampleKind, *, problem: int, episode: int, at: datetime) -> Sample:
        began = self._began.setdefault((problem, episode), at)
        if kind is SampleKind.RECOVERED and began == at:
            began = self._began[problem, episode] = at - timedelta(minutes=5)
        return signed(_group(kind, imagine(problem), began, at), at=at)


def signed(body: Mapping[str, Any], *, at: datetime, secret: str = SECRET) -> Sample:
    """A delivery of `body`, signed as Grafana does when the contact point has a “Timestamp Header”."""
    raw = json.dumps(body, ensure_ascii=False).encode()
    seconds = str(int(at.timestamp()))
    signature = hmac.new(secret.encode(), f"{seconds}:".encode() + raw, sha256).hexdigest()
    headers = {
        "content-type": "application/json",
        "user-agent": "Grafana",
        SIGNATURE_HEADER.lower(): signature,
        TIMESTAMP_HEADER.lower(): seconds,
    }
    return Sample(headers=headers, body=raw)


def _group(kind: SampleKind, about: Problem, began: datetime, at: datetime) -> dict[str, Any]:
    alert = _alert(kind, about, began, at)
    return {
        "receiver": "socmon",
        "status": alert["status"],
        "orgId": 1,
        "alerts": [alert],
        "groupLabels": {"alertname": alert["labels"]["alertname"]},
        "commonLabels": alert["labels"],
        "commonAnnotations": alert["annotations"],
        "externalURL": f"{_SITE}/",
        "version": "1",
        "groupKey": f'{{}}:{{alertname="{alert["labels"]["alertname"]}"}}',
        "truncatedAlerts": 0,
        "title": f"[{alert['status'].upper()}:1] {about.title}",
        "state": "ok" if kind is SampleKind.RECOVERED else "alerting",
        "message": about.title,
    }


def _alert(kind: SampleKind, about: Problem, began: datetime, at: datetime) -> dict[str, Any]:
    recovered = kind is SampleKind.RECOVERED
    path = f"/alerting/grafana/rule{about.number}/view?orgId=1"
    return {
        "status": "muddled" if kind is SampleKind.GARBAGE else "resolved" if recovered else "firing",
        "labels": _labels(kind, about),
        "annotations": {
            "summary": about.title,
            "description": f"{about.condition}. {about.advice}",
            "runbook_url": about.runbook,
        },
        # A rule that loses its data says since when; it is blind from now on.
        "startsAt": _time(at if kind is SampleKind.NO_DATA else began),
        "endsAt": _time(at) if recovered else NEVER,
        "values": None if kind is SampleKind.NO_DATA else _values(about, recovered),
        "valueString": "" if kind is SampleKind.NO_DATA else f"[ var='A' labels={{}} value={about.value} ]",
        "generatorURL": f"{_SITE}{path}",
        # Grafana's comes from the labels; here a rule that loses its data keeps it, so that it is the same problem.
        "fingerprint": sha256(f"{about.component}/{about.kind}".encode()).hexdigest()[:16],
        "silenceURL": f"{_SITE}/alerting/silence/new?alertmanager=grafana",
        "dashboardURL": f"{_SITE}/d/socmon{about.number}",
        "panelURL": f"{_SITE}/d/socmon{about.number}?viewPanel=1",
        "imageURL": "",
    }


def _values(about: Problem, recovered: bool) -> dict[str, float]:  # noqa: FBT001 - two states, one caller
    return {"A": float(about.value.removesuffix(about.unit)), "C": int(not recovered)}


def _labels(kind: SampleKind, about: Problem) -> dict[str, str]:
    labels = {
        "alertname": f"{about.kind.title()} of {about.environment}",
        "grafana_folder": "Platform",
        "instance": about.component,
        "severity": _SEVERITIES[about.number % len(_SEVERITIES)],
        "team": "platform",
    }
    if kind is SampleKind.TEST:
        return labels | {"alertname": "TestAlert", "instance": "Grafana"}
    if kind is SampleKind.NO_DATA:
        return labels | {"alertname": "DatasourceNoData", "rulename": labels["alertname"], "ref_id": "A"}
    return labels


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
