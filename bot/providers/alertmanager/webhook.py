"""Alertmanager reports groups of alerts; each alert of a group counts for itself.

Alertmanager signs nothing; a shared secret in a header is the only proof of who sends.
The body: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config and template.Data in
https://github.com/prometheus/alertmanager/blob/main/template/template.go (version "4"; version "3", until 0.4, had
no fingerprint).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.domain.alert import Change, Reported, Severity
from bot.domain.delivery import HEARTBEAT
from bot.domain.errors import Unreadable
from bot.providers.alertmanager.settings import AlertmanagerSettings
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
    parse_object,
    severity_of,
    text,
    web_address,
)

STATES = {"firing": Change.TRIGGERED, "resolved": Change.RECOVERED}
VERSIONS = ("", "3", "4")

# The label that names the machine or workload, most telling first. `instance` is host:port of the scraped exporter.
COMPONENT_LABELS = (
    "component",
    "host",
    "hostname",
    "node",
    "instance",
    "pod",
    "deployment",
    "service",
    "job",
)

TEST_LABEL = "socmon_test"
WHOSE_LABELS = ("cluster", "prometheus", "environment", "env", "namespace")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertmanagerWebhook(Webhook):
    """Checks and reads what a webhook receiver sends."""

    settings: AlertmanagerSettings

    def check_headers(self, headers: Mapping[str, str]) -> str:
        return check_shared_secret("alertmanager", self.settings.secrets, headers, {Way.BEARER, Way.BASIC})

    async def authenticate(self, request: Request) -> str:
        return self.check_headers(request.headers)

    def read(self, request: Request) -> Reading:
        group = parse_object(request.body)
        alerts, faults = [], []
        found_alerts = _alerts(group)
        for found in found_alerts[:MOST_ALERTS]:
            try:
                alerts.append(reported(found, group, request.received_at, heartbeat=self.settings.heartbeat))
            except Unreadable as error:
                faults.append(str(error))
        if not alerts:
            raise Unreadable(faults[0])
        return Reading(alerts=tuple(alerts), gap=_gap(group, len(found_alerts), faults))


def _alerts(group: dict[str, Any]) -> list[Any]:
    """The group's alerts, at least one; raises Unreadable."""
    alerts = group.get("alerts")
    if not isinstance(alerts, list):
        raise Unreadable(
            "The body has no list of alerts, so Alertmanager's webhook receiver did not make it."
        )
    if "orgId" in group:
        raise Unreadable("This body comes from Grafana. Let Grafana send it to /webhooks/grafana.")
    version = text(group.get("version"))
    if version not in VERSIONS:
        raise Unreadable(
            f"Alertmanager sends version “{line(version, 20)}” of its webhook body; socmon reads 3 and 4."
        )
    if not alerts:
        raise Unreadable("The body's list of alerts is empty.")
    return alerts


def _gap(group: dict[str, Any], found: int, faults: list[str]) -> str:
    """What did not become an alert. With `max_alerts` in the receiver, Alertmanager leaves out what is over it."""
    said = []
    left_out = group.get("truncatedAlerts")
    if isinstance(left_out, int) and left_out > 0:
        said.append(f"Alertmanager left out {_count(left_out)} (max_alerts).")
    if found > MOST_ALERTS:
        said.append(f"Of {found} alerts in this delivery, only the first {MOST_ALERTS} were read.")
    if faults:
        said.append(f"{_count(len(faults))} of this delivery could not be read: {faults[0]}")
    return " ".join(said)


def _count(number: int) -> str:
    return "1 alert" if number == 1 else f"{number} alerts"


def reported(alert: Any, group: dict[str, Any], received_at: datetime, *, heartbeat: str = "") -> Reported:
    """One alert of a group; the one whose `alertname` is `heartbeat` is no alert. Raises Unreadable."""
    if not isinstance(alert, dict):
        raise Unreadable("An alert is not an object.")
    labels, annotations = _strings(alert.get("labels")), _strings(alert.get("annotations"))
    if not labels:
        raise Unreadable("An alert has no labels, so nothing tells it from others.")
    change = _change(alert.get("status"))
    fingerprint = text(alert.get("fingerprint"), 200) or _fingerprint(labels)
    started_at = instant(alert.get("startsAt"), received_at=received_at)
    ended_at = instant(alert.get("endsAt"), received_at=received_at)
    name = labels.get("alertname", "")
    beats = bool(heartbeat) and name == heartbeat
    ignored = "test notification" if labels.get(TEST_LABEL, "").lower() == "true" else ""
    return Reported(
        change=change,
        dedup_key=key_of(fingerprint, text(group.get("externalURL"))),
        # One that Alertmanager is told of only when it ends starts when it ends: that says nothing of the episode.
        occurrence=key_of(fingerprint, started_at.isoformat())
        if started_at not in {None, ended_at}
        else None,
        occurred_at=ended_at if change is Change.RECOVERED else started_at,
        # After a “resolved” that came of lost contact with Prometheus, it fires on with its old start.
        current=change is Change.TRIGGERED,
        title=_whose(name, labels)
        if beats
        else line(
            annotations.get("summary") or annotations.get("message") or name or next(iter(labels.values()))
        ),
        component=_component(labels),
        condition=_condition(alert.get("generatorURL")) or line(name),
        value=line(annotations.get("value"), 60),
        severity=severity_of(labels.get("severity", "")) or Severity.SEV3,
        url=web_address(alert.get("generatorURL")) or web_address(group.get("externalURL")),
        runbook=web_address(annotations.get("runbook_url") or annotations.get("runbook")),
        text=_text(labels, annotations),
        ignored=ignored or (HEARTBEAT if beats else ""),
    )


def _whose(name: str, labels: dict[str, str]) -> str:
    """“Watchdog of prod”: each Prometheus has one of its own."""
    whose = next((labels[label] for label in WHOSE_LABELS if labels.get(label)), "")
    return line(f"{name} of {whose}" if whose else name, 100)


def _change(status: object) -> Change:
    change = STATES.get(text(status).lower())
    if change is None:
        raise Unreadable(f"An alert has the status “{line(status, 40)}”; socmon knows firing and resolved.")
    return change


def _fingerprint(labels: dict[str, str]) -> str:
    """What names the alert where Alertmanager does not say it (before 0.19): its labels, as in Alertmanager itself."""
    return sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16]


def _component(labels: dict[str, str]) -> str:
    name = next((label for label in COMPONENT_LABELS if labels.get(label)), "")
    value = labels.get(name, "")
    host, colon, port = value.rpartition(":")
    is_exporter = name == "instance" and colon and port.isdigit() and not host.startswith("http")
    return line(host if is_exporter else value, 200)


def _condition(generator_url: object) -> str:
    """The rule's expression, which Prometheus puts into the link to its graph: …/graph?g0.expr=up+%3D%3D+0."""
    try:
        query = urlsplit(web_address(generator_url)).query
        return line(parse_qs(query, max_num_fields=20).get("g0.expr", [""])[0], 500)
    except ValueError:
        return ""


def _text(labels: dict[str, str], annotations: dict[str, str]) -> str:
    """What people should read, then the severity if we do not know the word, then the labels."""
    said = [annotations.get("description") or annotations.get("message") or ""]
    severity = labels.get("severity", "")
    if severity and severity_of(severity) is None:
        said.append(f"Severity in Alertmanager: {severity}")
    said.append(", ".join(f"{name}={value}" for name, value in sorted(labels.items())))
    return text("\n\n".join(filter(None, said)))


def _strings(value: object) -> dict[str, str]:
    """Labels or annotations: a flat object of strings."""
    if not isinstance(value, dict):
        return {}
    return {text(name, 200): text(content) for name, content in value.items() if text(content)}
