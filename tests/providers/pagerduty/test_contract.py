"""Every call that socmon makes is one that PagerDuty's own OpenAPI description allows: Prism checks each request.

Prism (Node) serves the description; a TLS server on loopback, whose authority only the test trusts, passes on to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from pagerduty import RestApiV2Client, UrlError

from bot.domain.errors import ToolRefused
from bot.domain.paging import ServiceState
from bot.domain.tool import Account, Author, ToolAct, VendorWrite
from bot.providers.contract import Secrets
from bot.providers.pagerduty.alerts import PagerDutyAlerts
from bot.providers.pagerduty.client import open_client
from bot.providers.pagerduty.services import PagerDutyServices
from bot.providers.pagerduty.settings import PagerDutySettings
from tests.fake_pagerduty import serving
from tests.prism import running_prism
from tests.tls import trust

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SAM = Account(id="PXPGF42", email="earline@example.com")


@dataclass
class Prism:
    """What was asked, with the status of each answer, and what Prism found wrong with a request."""

    url: str = ""
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    instead: dict[str, Any] = field(default_factory=dict)
    """Path → an answer in place of the description's example, once Prism has taken the request."""

    def calls(self) -> set[str]:
        return {f"{method} {path.split('/')[1]}" for method, path, _ in self.asked}


@pytest.fixture(scope="module")
def prism_url(fixtures_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    description = fixtures_dir / "openapi" / "pagerduty-rest-openapiv3.json"
    with running_prism(description, tmp_path_factory.mktemp("prism"), asks="/users") as url:
        yield url


@pytest.fixture
def prism(prism_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Prism]:
    seen = Prism()

    async def passed_on(request: web.Request) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        # The description asks for this, and describes answers of another type: Prism would find none to give.
        assert headers["Accept"] == "application/vnd.pagerduty+json;version=2"
        headers["Accept"] += ", application/json"
        async with (
            ClientSession(auto_decompress=False) as session,
            session.request(
                request.method, f"{prism_url}{request.path_qs}", headers=headers, data=await request.read()
            ) as answer,
        ):
            body, status = await answer.read(), answer.status
            seen.asked.append((request.method, request.path, status))
            if found := answer.headers.get("sl-violations"):
                seen.violations.append(f"{request.method} {request.path}: {found}")
            if status < 300 and request.path in seen.instead:
                return web.json_response(seen.instead[request.path])
            return web.Response(body=body, status=status, content_type="application/json")

    certificate = tmp_path / "authority.pem"
    with serving(passed_on, certificate) as url:
        trust(monkeypatch, certificate)
        seen.url = url
        yield seen


def test_asking_for_open_incidents(prism: Prism) -> None:
    prism.instead["/incidents"] = {"incidents": [_incident()], "more": False, "limit": 100, "offset": 0}

    pulled = _alerts(prism, services=("PIJ90N7",)).list_open(NOW)

    assert (pulled.reason, pulled.complete) == ("", True)
    [one] = pulled.items
    assert one.reported.dedup_key == "PT4KHLK"
    assert one.acknowledged is not None
    assert one.acknowledged.account == "PXPGF42"
    _all_valid(prism)


def test_asking_for_the_services(prism: Prism) -> None:
    """The description's example has references only, which show no key."""
    pulled = PagerDutyServices(settings=_settings(prism)).list_services(NOW)

    assert (pulled.reason, pulled.complete, pulled.calls) == ("", True, 1)
    [one] = pulled.items
    assert (one.id, one.state, one.policy) == ("PIJ90N7", ServiceState.ACTIVE, "PT20YPA")
    assert one.hides_keys
    _all_valid(prism)


@pytest.mark.parametrize("action", list(ToolAct))
@pytest.mark.parametrize("sender", [SAM, replace(SAM, is_author=False)], ids=["as themselves", "as socmon"])
def test_telling_each_act(prism: Prism, action: ToolAct, sender: Account) -> None:
    """Whoever does it: the incident is looked at, changed in a person's name, and noted."""
    prism.instead["/incidents/PT4KHLK"] = {"incident": _incident(status="triggered")}
    prism.instead["/users"] = {"users": [{"id": "PXPGF42", "email": "kim@example.com"}]}
    texts = {ToolAct.SNOOZE: (NOW + timedelta(minutes=30)).isoformat(), ToolAct.ESCALATE: "2"}
    write = _write(action, texts.get(action, "U1KIM"))
    kim = Author(user="U1KIM", name="Kim", email="kim@example.com")

    did = _alerts(prism).tell(write, account=sender, note="Sam in Slack (A-1): done", whom=kim, at=NOW)

    assert did
    assert "GET incidents" in prism.calls()
    assert prism.calls() & {"PUT incidents", "POST incidents"}
    _all_valid(prism)


def test_recognising_a_person_and_the_next_level(prism: Prism) -> None:
    prism.instead["/incidents/PT4KHLK"] = {"incident": _incident(status="triggered")}
    prism.instead["/users"] = {"users": [{"id": "PXPGF42", "email": "Sam@example.com"}]}
    alerts = _alerts(prism)
    assert alerts.recognise(Author(user="U1", name="Sam", email="sam@example.com")).id == "PXPGF42"
    assert alerts.recognise(Author(user="U1", name="Sam", account="PXPGF42")).is_author
    alerts.tell(_write(ToolAct.ESCALATE, ""), account=SAM, note="", whom=None, at=NOW)
    assert prism.calls() >= {"GET users", "GET oncalls", "PUT incidents"}
    _all_valid(prism)


def test_prism_does_refuse_what_the_description_does_not_allow(prism: Prism) -> None:
    """Else all of the above would prove nothing: without From no incident may be changed."""
    with open_client(_settings(prism)) as client:
        answer = client.put("/incidents/PT4KHLK", json={"incident": {"status": "acknowledged"}})
    assert answer.status_code == 422
    with pytest.raises(ToolRefused):
        _alerts(prism).tell(
            _write(ToolAct.NOTE, ""), account=Account(id="", email="no address"), note="", whom=None, at=NOW
        )


def test_the_client_speaks_tls_only() -> None:
    with pytest.raises(UrlError):
        RestApiV2Client("key", base_url="http://127.0.0.1")


def _all_valid(prism: Prism) -> None:
    assert prism.violations == []
    assert prism.asked
    assert [one for one in prism.asked if one[2] >= 400] == []


def _settings(prism: Prism, **more: Any) -> PagerDutySettings:
    return PagerDutySettings(secrets=Secrets(), key="a-key", api_url=prism.url, **more)


def _alerts(prism: Prism, **more: Any) -> PagerDutyAlerts:
    return PagerDutyAlerts(settings=_settings(prism, **more))


def _write(action: ToolAct, text: str) -> VendorWrite:
    return VendorWrite(
        id=1,
        provider="pagerduty",
        alert_id=1,
        target="PT4KHLK",
        action=action,
        person="U1SAM",
        text=text,
        at=NOW,
        next_at=NOW,
    )


def _incident(status: str = "acknowledged") -> dict[str, Any]:
    who = {"id": "PXPGF42", "type": "user_reference", "summary": "Earline Greenholt"}
    return {
        "id": "PT4KHLK",
        "title": "The server is on fire.",
        "created_at": "2026-11-23T21:30:42Z",
        "status": status,
        "service": {"id": "PIJ90N7", "type": "service_reference", "summary": "My Mail Service"},
        "assignments": [{"at": "2026-11-23T21:30:42Z", "assignee": who}],
        "acknowledgements": [{"at": "2026-11-23T21:32:42Z", "acknowledger": who}],
        "escalation_policy": {"id": "PT20YPA", "type": "escalation_policy_reference"},
        "urgency": "high",
    }
