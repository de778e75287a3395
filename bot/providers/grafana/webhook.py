"""Grafana reports groups of alerts; each alert of a group counts for itself.

From Grafana 12 on a contact point can sign its bodies; before that, a password or token is all there is. The body:
https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from bot.domain.alert import Change, Reported, Severity
from bot.domain.delivery import TEST_NOTIFICATION
from bot.domain.errors import Refused, Unreadable
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
from bot.providers.grafana.legacy import read_legacy
from bot.providers.grafana.settings import GrafanaSettings

SIGNATURE_SECONDS = 300

_SECONDS = re.compile(r"[0-9]{1,12}")

_CHANGES = {"firing": Change.TRIGGERED, "resolved": Change.RECOVERED}
# The alerts that Grafana raises itself when a rule's query gives nothing or fails; the rule's name is in `rulename`.
# https://grafana.com/docs/grafana/latest/alerting/fundamentals/alert-rule-evaluation/nodata-and-error-states/
_BLIND = {"DatasourceNoData", "DatasourceError"}
# Why a "resolved" alert is none: the series went away, or the rule was paused, changed or deleted. Nothing got better.
# https://grafana.com/docs/grafana/latest/alerting/fundamentals/alert-rule-evaluation/stale-alert-instances/
_NOT_RECOVERED = {"MissingSeries", "NoData", "Error", "Paused", "RuleDeleted", "Updated"}
# What the contact point's “Test” button sends. With labels of one's own it bears another name, and is known by its
# group: that of a real alert begins with the route's matchers, "{…}:{…}".
_TEST_NAME = "TestAlert"
_TEST_RECEIVER = "test"
_ROUTE = "{"
_COMPONENT_LABELS = (
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
_PLUMBING = ("__", "grafana_", "datasource_uid", "ref_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class GrafanaWebhook(Webhook):
    """Checks and reads what a webhook contact point sends."""

    settings: GrafanaSettings

    def check_headers(self, headers: Mapping[str, str]) -> str:
        self.settings.secrets.require("grafana")
        if headers.get(self.settings.signature_header):
            return ""  # it covers the body
        if self.settings.timestamp_header:
            raise Refused(
                "missing signature",
                f"This request has no {self.settings.signature_header}. Set the HMAC secret in the contact point.",
            )
        return check_shared_secret("grafana", self.settings.secrets, headers, {Way.BEARER, Way.BASIC})

    async def authenticate(self, request: Request) -> str:
        return self.check_headers(request.headers) or self._check_signature(request)

    def read(self, request: Request) -> Reading:
        body = parse_object(request.body)
        if "alerts" not in body and "ruleId" in body:
            return Reading(alerts=(read_legacy(body),))
        alerts, faults = [], []
        found_alerts = _alerts(body)
        for found in found_alerts[:MOST_ALERTS]:
            try:
                alerts.append(_reported(found, body, request.received_at))
            except Unreadable as error:
                faults.append(str(error))
        if not alerts:
            raise Unreadable(faults[0])
        return Reading(alerts=tuple(alerts), gap=_gap(body, len(found_alerts), faults))

    def _check_signature(self, request: Request) -> str:
        timestamp, signature = self._timestamp(request), request.headers[self.settings.signature_header]
        if not self.settings.secrets.signed(timestamp + request.body, [signature]):
            raise Refused(
                "bad signature",
                "The signature does not belong to this body and SOCMON_WEBHOOK_SECRET_GRAFANA. Correct the secret"
                " in the contact point, and see that its “Timestamp Header” is our timestamp_header.",
            )
        if timestamp and abs(request.received_at.timestamp() - int(timestamp[:-1])) > SIGNATURE_SECONDS:
            raise Refused(
                "expired", "The signature is over five minutes old, or from the future. Check the clocks."
            )
        return "hmac with time" if timestamp else "hmac"

    def _timestamp(self, request: Request) -> bytes:
        """What stands before the body in the signed text: `<Unix seconds>:`, or nothing."""
        if not self.settings.timestamp_header:
            return b""
        given = request.headers.get(self.settings.timestamp_header, "").strip()
        if not _SECONDS.fullmatch(given):
            raise Refused(
                "missing signature", f"This request has no usable {self.settings.timestamp_header}."
            )
        return f"{given}:".encode()


def _alerts(body: Mapping[str, Any]) -> list[Any]:
    """The group's alerts, at least one; raises Unreadable."""
    alerts = body.get("alerts")
    if not isinstance(alerts, list):
        raise Unreadable(
            "The body has no list of alerts. Remove the custom payload from Grafana's contact point."
        )
    if not alerts:
        raise Unreadable("The body's list of alerts is empty.")
    return alerts


def _gap(body: Mapping[str, Any], found: int, faults: list[str]) -> str:
    """What did not become an alert. With “Max Alerts” in the contact point, Grafana leaves out what is over it."""
    said = []
    left_out = body.get("truncatedAlerts")
    if isinstance(left_out, int) and left_out > 0:
        said.append(f"Grafana left out {_count(left_out)} (“Max Alerts” of the contact point).")
    if found > MOST_ALERTS:
        said.append(f"Of {found} alerts in this delivery, only the first {MOST_ALERTS} were read.")
    if faults:
        said.append(f"{_count(len(faults))} of this delivery could not be read: {faults[0]}")
    return " ".join(said)


def _count(number: int) -> str:
    return "1 alert" if number == 1 else f"{number} alerts"


def _reported(alert: Any, body: Mapping[str, Any], received_at: datetime) -> Reported:
    if not isinstance(alert, dict):
        raise Unreadable("An alert is not an object.")
    labels, annotations = _strings(alert.get("labels")), _strings(alert.get("annotations"))
    fingerprint = _fingerprint(alert, labels)
    change = _change(alert, labels, annotations)
    ended = alert.get("status") == "resolved"
    return Reported(
        change=change,
        # Each Grafana, and each organisation in it, counts its fingerprints for itself.
        dedup_key=key_of(fingerprint, text(body.get("orgId"), 40), text(body.get("externalURL"), 2000)),
        occurrence=_occurrence(alert, fingerprint),
        occurred_at=instant(alert.get("endsAt" if ended else "startsAt"), received_at=received_at),
        # It may fire on with its old start after a “resolved”.
        current=not ended,
        title=_title(labels, annotations, body),
        component=_component(labels),
        condition=line(labels.get("rulename") or labels.get("alertname")),
        value=_value(alert),
        severity=severity_of(labels.get("severity") or labels.get("priority", "")) or Severity.SEV3,
        url=_url(alert),
        runbook=web_address(annotations.get("runbook_url")),
        text=_text(labels, annotations),
        ignored=TEST_NOTIFICATION if _is_test(labels, body) else "",
    )


def _change(alert: Mapping[str, Any], labels: Mapping[str, str], annotations: Mapping[str, str]) -> Change:
    change = _CHANGES.get(text(alert.get("status"), 40))
    if change is None:
        said = line(alert.get("status"), 40)
        raise Unreadable(f"An alert has the status “{said}”; socmon knows firing and resolved.")
    if change is Change.TRIGGERED:
        return Change.NO_DATA if labels.get("alertname") in _BLIND else change
    return Change.NO_DATA if annotations.get("grafana_state_reason") in _NOT_RECOVERED else change


def _fingerprint(alert: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    if fingerprint := text(alert.get("fingerprint"), 200):
        return fingerprint
    if not labels:
        raise Unreadable("An alert has neither fingerprint nor labels, so nothing tells it from others.")
    return sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16]


def _occurrence(alert: Mapping[str, Any], fingerprint: str) -> str | None:
    """When it went off. A resolved alert that Grafana no longer remembers starts when it ends: that says nothing."""
    started, ended = text(alert.get("startsAt"), 100), text(alert.get("endsAt"), 100)
    return key_of(fingerprint, started) if started and started != ended else None


def _is_test(labels: Mapping[str, str], body: Mapping[str, Any]) -> bool:
    is_routed = text(body.get("groupKey"), 100).startswith(_ROUTE)
    return labels.get("alertname") == _TEST_NAME or (body.get("receiver") == _TEST_RECEIVER and not is_routed)


def _title(labels: Mapping[str, str], annotations: Mapping[str, str], body: Mapping[str, Any]) -> str:
    name = labels.get("alertname", "")
    if name in _BLIND and labels.get("rulename"):
        return line(f"{'No data' if name == 'DatasourceNoData' else 'Query fails'}: {labels['rulename']}")
    return line(annotations.get("summary") or name or body.get("title")) or "Grafana alert"


def _component(labels: Mapping[str, str]) -> str:
    name = next((label for label in _COMPONENT_LABELS if labels.get(label)), "")
    value = labels.get(name, "")
    host, colon, port = value.rpartition(":")
    return line(host if name == "instance" and colon and port.isdigit() and "/" not in host else value, 200)


def _value(alert: Mapping[str, Any]) -> str:
    """What the rule's queries and expressions gave: {"B": 22, "C": 1}, or in older versions only the text of it."""
    values = alert.get("values")
    if isinstance(values, dict) and values:
        shown = [f"{line(name, 40)} = {_number(number)}" for name, number in list(values.items())[:5]]
        return line(", ".join(shown), 200)
    return line(alert.get("valueString"), 200)


def _number(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else line(value, 40)


def _url(alert: Mapping[str, Any]) -> str:
    """The nearest place to look. Without a root URL Grafana makes relative links, which lead nowhere from Slack."""
    links = (web_address(alert.get(name)) for name in ("panelURL", "dashboardURL", "generatorURL"))
    return next(filter(None, links), "")


def _text(labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
    """What people should read, then the severity if we do not know the word, then the labels."""
    said = [annotations.get("description") or annotations.get("message") or ""]
    severity = labels.get("severity", "")
    if severity and severity_of(severity) is None:
        said.append(f"Severity in Grafana: {severity}")
    shown = sorted((name, value) for name, value in labels.items() if not name.startswith(_PLUMBING))
    said.append(", ".join(f"{name}={value}" for name, value in shown))
    return text("\n\n".join(filter(None, said)))


def _strings(value: object) -> dict[str, str]:
    """Labels or annotations: a flat object of strings."""
    if not isinstance(value, dict):
        return {}
    return {text(name, 200): text(content) for name, content in value.items() if text(content)}
