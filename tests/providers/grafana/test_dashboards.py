"""Grafana's dashboards: drawn by its renderer, where it has one; with its own word for what is wrong."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from bot.domain.dashboard import Trouble, Uncaptured
from bot.providers.contract import Secrets
from bot.providers.grafana.dashboards import GrafanaDashboards
from bot.providers.grafana.settings import GrafanaSettings
from tests.adapters.web.test_dashboard_pictures import graph
from tests.fake_pagerduty import serving

NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)


class FakeGrafana:
    """Answers with the fields of Grafana's HTTP API."""

    def __init__(self) -> None:
        self.renders = True
        self.refresh = "30s"
        self.asked: dict[str, str] = {}

    async def answer(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer a-token":
            return web.json_response({"message": "Invalid API key"}, status=401)
        told: dict[str, Any] = {
            "/api/org": {"id": 1, "name": "Northwind"},
            "/api/search": [
                {"uid": "abc", "title": "prod-overview", "type": "dash-db", "url": "/d/abc/prod"}
            ],
            "/api/frontend/settings": {"rendererAvailable": self.renders},
            "/api/dashboards/uid/abc": {
                "meta": {"url": "/d/abc/prod"},
                "dashboard": {"uid": "abc", "refresh": self.refresh},
            },
        }
        if request.path == "/render/d/abc/prod":
            self.asked = dict(request.query)
            return web.Response(body=graph(), content_type="image/png")
        found = told.get(request.path)
        return web.json_response(found or {"message": "Not found"}, status=200 if found else 404)


def test_what_the_renderer_draws() -> None:
    fake = FakeGrafana()
    with serving(fake.answer, None) as url:
        tool = GrafanaDashboards(settings=GrafanaSettings(secrets=Secrets(), url=url, token="a-token"))
        [one] = tool.list(NOW).items
        got = tool.capture(one, start=NOW - timedelta(hours=3), end=NOW)
        fake.refresh = ""
        warned = tool.capture(one, start=NOW - timedelta(hours=3), end=NOW)
        fake.renders = False
        with pytest.raises(Uncaptured, match="no image renderer"):
            tool.capture(one, start=NOW - timedelta(hours=3), end=NOW)
        stranger = GrafanaDashboards(settings=GrafanaSettings(secrets=Secrets(), url=url, token="b"))
        refused = stranger.list(NOW)
    assert (one.id, one.account) == ("abc", "organisation 1 (Northwind)")
    assert got.panels[0].picture == graph()
    assert (got.account, got.warnings) == (one.account, ())
    assert fake.asked["to"] == str(int(NOW.timestamp() * 1000))
    assert "auto-refresh" in warned.warnings[0]
    assert not refused.complete
    assert "GRAFANA_TOKEN" in refused.reason


def test_one_that_is_gone() -> None:
    fake = FakeGrafana()
    with serving(fake.answer, None) as url:
        tool = GrafanaDashboards(settings=GrafanaSettings(secrets=Secrets(), url=url, token="a-token"))
        [one] = tool.list(NOW).items
        lost: Any = type(one)(provider="grafana", id="zzz", title="gone")
        with pytest.raises(Uncaptured) as gone:
            tool.capture(lost, start=NOW - timedelta(hours=3), end=NOW)
    assert gone.value.trouble is Trouble.MISSING
