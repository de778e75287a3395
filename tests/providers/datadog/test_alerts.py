"""Which monitors alert: answers in the form of Datadog's recordings, read by its own client."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from bot.domain.alert import Change, Severity
from bot.domain.comparison import OpenAlert
from bot.providers.contract import Pulled, Secrets
from bot.providers.datadog import client
from bot.providers.datadog.alerts import DatadogAlerts
from bot.providers.datadog.settings import DatadogSettings
from tests.fake_pagerduty import serving
from tests.tls import go_direct

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
THEN = int(NOW.timestamp()) - 3600


@dataclass
class Datadog:
    monitors: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    keys: set[tuple[str | None, str | None]] = field(default_factory=set)
    status: int = 200
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.query))
        self.keys.add((request.headers.get("DD-API-KEY"), request.headers.get("DD-APPLICATION-KEY")))
        if self.status != 200:
            return web.json_response({"errors": ["Forbidden"]}, status=self.status)
        start = int(request.query["page"]) * int(request.query["page_size"])
        return web.json_response(self.monitors[start : start + int(request.query["page_size"])])

    def pull(self, **settings: Any) -> Pulled[OpenAlert]:
        given = {"api_key": "an api key", "app_key": "an app key", "api_url": self.url} | settings
        return DatadogAlerts(settings=DatadogSettings(secrets=Secrets(), **given)).list_open(NOW)


@pytest.fixture
def datadog(monkeypatch: pytest.MonkeyPatch) -> Iterator[Datadog]:
    go_direct(monkeypatch)
    monkeypatch.setattr(client, "BACKOFF", 0)
    made = Datadog()
    with serving(made.answer, None) as url:
        made.url = url
        yield made


def monitor(number: int = 7, **facts: Any) -> dict[str, Any]:
    known = {
        "id": number,
        "type": "query alert",
        "name": "CPU is high",
        "message": "Look at it. @webhook-socmon @slack-ops",
        "query": "avg(last_5m):avg:system.cpu.user{env:production} by {host} > 85",
        "options": {"thresholds": {"critical": 85.0}, "silenced": {}, "notify_no_data": True},
        "priority": 1,
        "overall_state": "Alert",
        "matching_downtimes": [],
        "state": {"groups": {"host:db-1,env:production": group("host:db-1,env:production")}},
    }
    return known | facts


def group(name: str, status: str = "Alert") -> dict[str, Any]:
    return {"name": name, "status": status, "last_triggered_ts": THEN, "last_nodata_ts": THEN}


def test_each_group_is_a_problem_with_the_key_of_its_webhooks(datadog: Datadog) -> None:
    groups = {
        name: group(name, status)
        for name, status in (("host:b,env:p", "Alert"), ("host:c", "No Data"), ("host:d", "OK"))
    }
    datadog.monitors = [monitor(state={"groups": groups})]

    pulled = datadog.pull()

    assert (pulled.complete, pulled.reason, pulled.calls) == (True, "", 1)
    alert, no_data = pulled.items
    assert alert.reported.dedup_key == "7|env:p,host:b"
    assert (alert.reported.component, alert.reported.severity) == ("b", Severity.SEV1)
    assert alert.reported.occurred_at == datetime.fromtimestamp(THEN, UTC)
    assert no_data.reported.change is Change.NO_DATA
    assert datadog.keys == {("an api key", "an app key")}


def test_a_monitor_without_groups_may_go_by_three_names(datadog: Datadog) -> None:
    """Webhooks write the query's tags, an asterisk or nothing as its scope."""
    datadog.monitors = [monitor(state={"groups": {"*": group("*")}})]
    [one] = datadog.pull().items
    assert one.keys == ("7|env:production", "7|*", "7|")


@pytest.mark.parametrize(
    "facts",
    [
        {"message": "@slack-ops only"},
        {"message": "@webhook-socmon-staging"},
        {"options": {"silenced": {"*": None}}},
        {"matching_downtimes": [{"id": 1, "scope": ["*"], "start": THEN}]},
        {"options": {"notify_no_data": False}, "state": {"groups": {"host:a": group("host:a", "No Data")}}},
    ],
    ids=["routed elsewhere", "another webhook", "silenced", "in a downtime", "no data and no word of it"],
)
def test_what_datadog_would_not_tell_us_is_quiet(datadog: Datadog, facts: dict[str, Any]) -> None:
    datadog.monitors = [monitor(**facts)]
    assert [one.quiet for one in datadog.pull().items] == [True]


def test_every_page_is_asked_for(datadog: Datadog) -> None:
    datadog.monitors = [monitor(number) for number in range(1, 151)]
    pulled = datadog.pull()
    assert (len(pulled.items), pulled.calls) == (150, 2)
    assert [one["page"] for one in datadog.asked] == ["0", "1"]
    assert not any(one.quiet for one in datadog.pull(webhook="*").items)


def test_a_refusal_is_no_answer(datadog: Datadog) -> None:
    datadog.status = 403
    pulled = datadog.pull()
    assert (pulled.complete, pulled.items) == (False, ())
    assert pulled.reason == "Datadog did not say which monitors alert: it answered 403."


@pytest.mark.nightly  # its client tries for twelve seconds
def test_nobody_there(datadog: Datadog) -> None:
    pulled = datadog.pull(api_url="http://127.0.0.1:1")
    assert not pulled.complete
    assert "no answer" in pulled.reason
