"""Example deliveries as the Webhooks integration sends them with socmon's payload template."""

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from bot.providers.contract import Sample, SampleKind
from bot.providers.datadog.template import TEMPLATE
from bot.providers.problems import Problem, imagine

SECRET = "sample-secret-of-datadog-0123456789abcdef"  # noqa: S105 - made up

_STATES = {
    SampleKind.TRIGGERED: ("Triggered", "error"),
    SampleKind.REPEATED: ("Re-Triggered", "error"),
    SampleKind.RECOVERED: ("Recovered", "success"),
    SampleKind.NO_DATA: ("No Data", "error"),
    SampleKind.TEST: ("Triggered", "error"),
    SampleKind.GARBAGE: ("Muddled", "error"),  # no transition that Datadog documents
}


class DatadogSamples:
    """Signed example deliveries."""

    environ: Mapping[str, str] = {"SOCMON_WEBHOOK_SECRET_DATADOG": SECRET}
    table: Mapping[str, Any] = {}
    pages: Mapping[str, bytes] = {}

    def sample(self, kind: SampleKind, *, problem: int, episode: int, at: datetime) -> Sample:
        body = json.dumps(_values(kind, imagine(problem), episode, at), ensure_ascii=False).encode()
        return Sample(headers={"content-type": "application/json", "x-socmon-token": SECRET}, body=body)


def _values(kind: SampleKind, about: Problem, episode: int, at: datetime) -> dict[str, Any]:
    transition, alert_type = _STATES[kind]
    milliseconds = int(at.timestamp() * 1000)
    monitor = 1_400_000 + about.number % 5
    scope = f"env:{about.environment},host:{about.component}"
    average = f"avg(last_{about.minutes}m):avg:{about.metric}{{env:{about.environment}}} by {{host}}"
    link = f"https://app.datadoghq.com/event/event?id={_number(kind, about, episode, at)}"
    prefix = "[TEST] " if kind is SampleKind.TEST else ""
    values = {
        "$ID": _number(kind, about, episode, at),
        "$ALERT_ID": str(monitor),
        "$ALERT_CYCLE_KEY": _number("cycle", about, episode),
        "$AGGREG_KEY": sha256(f"{monitor}|{scope}".encode()).hexdigest()[:32],
        "$ALERT_TRANSITION": transition,
        "$ALERT_TYPE": alert_type,
        "$EVENT_TYPE": "query_alert_monitor",
        "$ALERT_PRIORITY": f"P{about.number % 3 + 1}",
        "$ALERT_STATUS": f"{about.metric} over {scope} was {about.sign} {about.threshold} on average during the"
        f" last {about.minutes}m.",
        "$EVENT_TITLE": f"{prefix}[{transition} on {{host:{about.component}}}] {about.title}",
        "$ALERT_SCOPE": scope,
        "$ALERT_METRIC": about.metric,
        "$ALERT_QUERY": f"{average} {about.sign} {about.threshold}",
        "$HOSTNAME": about.component,
        "$TAGS": f"env:{about.environment},host:{about.component},monitor,team:platform,service:{about.component[5:]}",
        "$TEXT_ONLY_MSG": f"{about.advice}\n\nRunbook: {about.runbook}\n\nNow {about.value}. @webhook-socmon",
        "$LINK": link,
        "$SNAPSHOT": f"https://p.datadoghq.com/snapshot/view/dd-snapshots-prod/org_1/{at:%Y-%m-%d}/{monitor}.png",
        "$DATE": str(milliseconds),
        "$LAST_UPDATED": str(milliseconds),
        "$ORG_ID": "11023",
    }
    return {key: values.get(str(variable), variable) for key, variable in TEMPLATE.items()}


def _number(*parts: object) -> str:
    """A number like Datadog's 19-digit event ids, the same for the same parts."""
    return str(int(sha256(repr(parts).encode()).hexdigest()[:15], 16) + 7 * 10**18)
