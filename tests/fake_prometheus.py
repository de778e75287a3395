"""What Prometheus and Alertmanager answer on the wire, in the shapes of Debian's own; a test says what differs."""

from collections.abc import Mapping
from typing import Any

import pytest

from bot.providers.alertmanager import PROVIDER, asked
from bot.providers.alertmanager.fleet import PrometheusFleet
from bot.providers.alertmanager.settings import AlertmanagerSettings

CONFIG = """\
route: {receiver: socmon}
receivers: [{name: socmon, webhook_configs: [{url: <secret>, send_resolved: true}]}]
"""
RULE = {"type": "alerting", "name": "Down", "query": "up == 0", "duration": 0, "health": "ok", "labels": {}}
ANSWERS: Mapping[str, Any] = {
    "targets": {
        "activeTargets": [{"labels": {"job": "node", "instance": "web-1:9100"}, "scrapeInterval": "15s"}]
    },
    "query": {
        "resultType": "vector",
        "result": [
            {"metric": {"job": "node", "instance": "web-1:9100", "nodename": "web-1"}, "value": [0, "1"]}
        ],
    },
    "rules": {"groups": [{"name": "g", "file": "f", "rules": [RULE]}]},
    "alertmanagers": {"activeAlertmanagers": [{"url": "http://alertmanager:9093"}]},
    "status/config": {"yaml": "global: {}"},
    "status": {"config": {"original": CONFIG}},
    "silences": [],
}


def spoiled(monkeypatch: pytest.MonkeyPatch, **spoil: Any) -> PrometheusFleet:
    """A fleet whose answers on the wire are these; an error is raised."""

    def answer(url: str, *, headers: Mapping[str, str]) -> Any:
        assert headers == {"Authorization": "Basic c29jbW9uOnNlY3JldA=="}
        api, _, path = url.partition("/api/v")[2].partition("/")
        name = path.partition("?")[0]
        found = spoil.get(name.replace("/", "_"), ANSWERS[name])
        if isinstance(found, Exception):
            raise found
        if api == "2":
            return found
        return found if "status" in found else {"status": "success", "data": found}

    monkeypatch.setattr(asked, "ask", answer)
    monkeypatch.setattr(asked, "PAUSES", ())
    basic = "socmon:secret"
    settings: AlertmanagerSettings = PROVIDER.settings(
        {"url": "http://alertmanager:9093", "prometheus_url": "http://prometheus:9090"},
        {"SOCMON_ALERTMANAGER_BASIC": basic, "SOCMON_PROMETHEUS_BASIC": basic},
    )
    return PrometheusFleet(settings=settings)


def target(instance: str, **labels: str) -> dict[str, Any]:
    return {"labels": {"job": "node", "instance": instance, **labels}, "scrapeInterval": "15s"}


def series(instance: str, value: float = 1, **labels: str) -> dict[str, Any]:
    return {"metric": {"job": "node", "instance": instance, **labels}, "value": [0, str(value)]}


def scraped(*targets: dict[str, Any], at: float = 0) -> dict[str, Any]:
    """Answers in which these are scraped, and have told every measure at this moment."""
    told = [series(one["labels"]["instance"], at) for one in targets]
    return {
        "targets": {"activeTargets": list(targets)},
        "query": {"resultType": "vector", "result": told},
    }


def rules(*written: dict[str, Any]) -> dict[str, Any]:
    every = [{**RULE, "name": f"R{number}", **one} for number, one in enumerate(written)]
    return {"groups": [{"name": "g", "file": "/etc/prometheus/r.yml", "rules": every}]}


def routed(config: str) -> dict[str, Any]:
    return {"config": {"original": config}}


def silence(*matchers: tuple[str, str], regex: bool = False, state: str = "active") -> dict[str, Any]:
    return {
        "status": {"state": state},
        "matchers": [
            {"name": name, "value": value, "isRegex": regex, "isEqual": True} for name, value in matchers
        ],
        "createdBy": "kim",
        "comment": "work",
        "endsAt": "2026-11-24T05:00:00.000Z",
    }
