"""PagerDuty's services: whom each calls, and why some call nobody. Their keys stay in PagerDuty."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.domain.answers import Known
from bot.domain.packed_answers import pack_services, unpack_services
from bot.domain.paging import Service, digest_of
from bot.playground.pagerduty import KEY
from bot.playground.pagerduty_shapes import service
from bot.providers.contract import Pulled, Secrets
from bot.providers.pagerduty.client import RETRIES
from bot.providers.pagerduty.services import PagerDutyServices
from bot.providers.pagerduty.settings import PagerDutySettings
from tests.fake_pagerduty import WatchedPagerDuty, fake_pagerduty

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
INTEGRATION = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def pagerduty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WatchedPagerDuty]:
    with fake_pagerduty(lambda: NOW, tmp_path, monkeypatch) as server:
        server.services["PSVC1"] = service("PSVC1", "Web Shop", "PT20YPA", INTEGRATION)
        yield server


async def services(server: WatchedPagerDuty, key: str = KEY) -> Pulled[Service]:
    settings = PagerDutySettings(secrets=Secrets(), key=key, api_url=server.url)
    return await asyncio.to_thread(PagerDutyServices(settings=settings, pause=0.001).list_services, NOW)


async def test_a_hundred_services_take_one_request(pagerduty: WatchedPagerDuty) -> None:
    for number in range(2, 152):
        pagerduty.services[f"P{number}"] = service(f"P{number}", f"Service {number}", "PT20YPA")

    pulled = await services(pagerduty)

    assert (len(pulled.items), pulled.complete, pulled.calls) == (151, True, 2)
    assert dict(pagerduty.asked[0].query)["include[]"] == "integrations"


async def test_a_key_is_kept_as_its_digest_only(pagerduty: WatchedPagerDuty) -> None:
    pulled = await services(pagerduty)
    [one] = pulled.items
    known: Known[Service] = Known()

    packed = pack_services(known.take(pulled.items, complete=True, as_of=NOW))

    assert one.ends == {digest_of(INTEGRATION)}
    assert not one.hides_keys
    assert INTEGRATION not in repr(one)
    assert [each for _, each in unpack_services(packed).items(NOW, NOW - NOW)] == [one]


@pytest.mark.parametrize(
    ("status", "urgency", "dead"),
    [
        ("active", "high", ""),
        ("critical", "high", ""),
        ("disabled", "high", "disabled there"),
        ("maintenance", "high", "maintenance window"),
        ("active", "low", "low urgency"),
    ],
)
async def test_a_service_that_calls_nobody_says_why(
    status: str, urgency: str, dead: str, pagerduty: WatchedPagerDuty
) -> None:
    pagerduty.services["PSVC1"] = service("PSVC1", "Web Shop", "PT20YPA", status=status, urgency=urgency)

    [one] = (await services(pagerduty)).items

    assert dead in one.dead
    assert bool(one.dead) == bool(dead)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda server: server.faults["/services"].extend([403]), "docs/providers/pagerduty.md"),
        (lambda server: server.faults["/services"].extend([503] * (RETRIES[503] + 1)), "503"),
        (lambda server: server.garbage.update({"/services": b"{}"}), "has no services"),
        (lambda server: server.services["PSVC1"].update(status="paused"), "form that socmon does not know"),
    ],
)
async def test_trouble_is_an_answer_that_is_not_whole(
    spoil: object, why: str, pagerduty: WatchedPagerDuty
) -> None:
    spoil(pagerduty)  # type: ignore[operator]

    pulled = await services(pagerduty)

    assert (pulled.items, pulled.complete) == ((), False)
    assert why in pulled.reason
