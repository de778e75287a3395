"""Which issues are open, as NerdGraph's documentation describes the answers.

No public schema and no other server exists, so nothing here proves that New Relic takes the query.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from bot.domain.alert import Change, Severity
from bot.providers.contract import Secrets
from bot.providers.newrelic.alerts import NewRelicAlerts
from bot.providers.newrelic.settings import NewRelicSettings
from tests.fake_pagerduty import serving
from tests.tls import go_direct

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
THEN = int(NOW.timestamp() * 1000) - 3_600_000


@dataclass
class NerdGraph:
    pages: list[Any] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(await request.json())
        self.keys.add(request.headers.get("API-Key"))
        return web.json_response(self.pages[min(len(self.asked), len(self.pages)) - 1])

    def alerts(self) -> NewRelicAlerts:
        settings = NewRelicSettings(secrets=Secrets(), api_key="a user key", account=1, api_url=self.url)
        return NewRelicAlerts(settings=settings)


@pytest.fixture
def nerdgraph(monkeypatch: pytest.MonkeyPatch) -> Iterator[NerdGraph]:
    go_direct(monkeypatch)
    made = NerdGraph()
    with serving(made.answer, None) as url:
        made.url = url
        yield made


def page(*issues: Any, cursor: str | None = None) -> dict[str, Any]:
    listed = {"issues": list(issues), "nextCursor": cursor}
    return {"data": {"actor": {"account": {"aiIssues": {"issues": listed}}}}}


def issue(number: int = 1, **facts: Any) -> dict[str, Any]:
    known = {
        "issueId": f"0ea2df1c-adab-45d2-aae0-00000000000{number}",
        "state": "ACTIVATED",
        "priority": "CRITICAL",
        "title": ["CPU of prod-db-1 is high"],
        "conditionName": ["High CPU"],
        "policyName": ["Platform"],
        "entityNames": ["prod-db-1"],
        "createdAt": THEN,
        "activatedAt": THEN,
        "mutingState": "NOT_MUTED",
        "deepLinkUrl": "https://radar-api.service.newrelic.com/accounts/1/issues/x",
    }
    return known | facts


def test_open_issues_of_every_page(nerdgraph: NerdGraph) -> None:
    nerdgraph.pages = [
        page(issue(1), issue(2, state="CREATED"), cursor="more"),
        page(issue(3, state="CLOSED")),
    ]

    pulled = nerdgraph.alerts().list_open(NOW)

    assert (pulled.complete, pulled.calls, nerdgraph.keys) == (True, 2, {"a user key"})
    assert [one["variables"]["cursor"] for one in nerdgraph.asked] == [None, "more"]
    first, second = pulled.items
    assert (first.reported.change, first.reported.severity) == (Change.TRIGGERED, Severity.SEV1)
    assert first.reported.dedup_key == issue(1)["issueId"]
    assert first.reported.component == "prod-db-1"
    assert first.reported.occurred_at == datetime.fromtimestamp(THEN / 1000, UTC)
    assert (first.quiet, second.quiet) == (False, True)


def test_a_muted_issue_is_quiet(nerdgraph: NerdGraph) -> None:
    nerdgraph.pages = [page(issue(mutingState="FULLY_MUTED"))]
    assert [one.quiet for one in nerdgraph.alerts().list_open(NOW).items] == [True]


@pytest.mark.parametrize(
    "answer",
    [
        {"errors": [{"message": "Access denied"}], "data": None},
        {"data": {"actor": {"account": None}}},
        {"data": {"actor": {"account": {"aiIssues": {"issues": {"issues": None}}}}}},
        [],
    ],
)
def test_an_answer_that_says_nothing_is_not_complete(nerdgraph: NerdGraph, answer: Any) -> None:
    nerdgraph.pages = [answer]
    pulled = nerdgraph.alerts().list_open(NOW)
    assert (pulled.complete, pulled.items) == (False, ())
    assert "New Relic did not say which issues are open: NerdGraph answered" in pulled.reason
