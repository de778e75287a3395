"""Every v1 call about a fleet is one that Datadog's own OpenAPI description allows: Prism checks each request.

v2 has no description of its own here: its client builds those requests.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from bot.providers.datadog.fleet import DatadogFleet
from tests.fake_datadog import FakeDatadog
from tests.fake_pagerduty import serving
from tests.prism import running_prism
from tests.tls import go_direct

pytestmark = pytest.mark.nightly  # Prism takes its time to read the description

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@dataclass
class Prism:
    """What was asked with the status of each answer, and what Prism found wrong; `examples` are passed on."""

    fake: FakeDatadog
    examples: bool = False
    asked: list[tuple[str, int]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def prism_url(fixtures_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    description = fixtures_dir / "openapi" / "datadog-v1-openapi.yaml"
    with running_prism(description, tmp_path_factory.mktemp("prism"), asks="/api/v1/hosts") as url:
        yield url


@pytest.fixture
def prism(prism_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Prism]:
    go_direct(monkeypatch)
    seen = Prism(fake=FakeDatadog(now=NOW))

    async def passed_on(request: web.Request) -> web.Response:
        if not request.path.startswith("/api/v1/"):
            return await seen.fake.serve(request)
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        async with (
            ClientSession() as session,
            session.get(f"{prism_url}{request.path_qs}", headers=headers) as answer,
        ):
            seen.asked.append((request.path, answer.status))
            if found := answer.headers.get("sl-violations"):
                seen.violations.append(f"{request.path_qs}: {found}")
            if seen.examples:
                return web.Response(
                    body=await answer.read(), status=answer.status, content_type="application/json"
                )
        return await seen.fake.serve(request)

    with serving(passed_on, None) as url:
        seen.fake.url = url
        yield seen


def test_each_call_is_one_that_datadog_describes(prism: Prism) -> None:
    prism.fake.host("web-1")
    prism.fake.monitor(message="@slack-Main-ops @pagerduty-Ops @webhook-socmon @kim@example.com")
    prism.fake.channels["Main"] = ["ops"]
    fleet = DatadogFleet(settings=prism.fake.settings(slack_accounts=("Main",)))

    assert (fleet.list_components(NOW).reason, fleet.list_monitors(NOW).reason) == ("", "")

    assert prism.violations == []
    assert {status for _, status in prism.asked} == {200}
    assert {path.split("/")[3] + path.partition("integration")[2][:4] for path, _ in prism.asked} == {
        *("hosts", "monitor", "integration/sla", "integration/pag", "integration/web")
    }


def test_the_descriptions_own_examples_can_be_read(prism: Prism) -> None:
    prism.examples = True
    fleet = DatadogFleet(settings=prism.fake.settings())
    hosts, monitors = fleet.list_components(NOW), fleet.list_monitors(NOW)
    assert [(one.complete, one.reason, len(one.items)) for one in (hosts, monitors)] == [
        (True, "", 1),
        (True, "", 1),
    ]
