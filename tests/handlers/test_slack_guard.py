"""POST /slack/events, with the real Bolt behind it: only Slack is heard, and each of its requests once."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from bot.adapters.slack import interactions as do
from bot.adapters.system import SystemClock
from bot.app import Socmon
from bot.domain.alert import Response
from bot.procedures.receive_alert import receive_alert
from handlers.http import LARGEST_SLACK_BODY
from tests.handlers.conftest import SIGNING_SECRET, Build, browser, signed
from tests.reports import delivery, report
from tests.slack_server import TEAM, SlackServer
from tests.world import ROUTES


@pytest.fixture
async def socmon(build: Build, slack: SlackServer) -> Socmon:
    """With one alert to click at. Bolt looks at the machine's clock, so this one does too."""
    token = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": SIGNING_SECRET, "SLACK_API_URL": slack.url}
    built = build(clock=SystemClock(), **token)
    await built.records.write(receive_alert, delivery(report()), routes=ROUTES)
    return built


@pytest.fixture
async def client(socmon: Socmon) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(socmon) as opened:
        yield opened


def click(slack: SlackServer, user: str = "U1SAM") -> bytes:
    """“Acknowledge”, pressed on the alert's message."""
    payload = {
        "type": "block_actions",
        "team": {"id": TEAM},
        "user": {"id": user, "team_id": TEAM},
        "api_app_id": "A1",
        "trigger_id": "1.1",
        "container": {"type": "message", "channel_id": "C0ALERTS", "message_ts": "1.1"},
        "channel": {"id": "C0ALERTS"},
        "message": {"ts": "1.1"},
        "response_url": f"{slack.url}response_url",
        "actions": [
            {"action_id": do.ACKNOWLEDGE, "block_id": "b", "value": do.Target(1, 1).value, "type": "button"}
        ],
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


def response(socmon: Socmon) -> Response:
    found: Response = socmon.records.read_now(lambda records: records.alert(1)).response
    return found


def happened(socmon: Socmon) -> list[str]:
    return [moment.kind for moment in socmon.records.read_now(lambda records: records.timeline(1))]


async def until(holds: Callable[[], object]) -> None:
    """Bolt answers at once and acts afterwards."""
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - nobody is told when Bolt is done
            await asyncio.sleep(0.01)


async def test_a_signed_click_acts(socmon: Socmon, slack: SlackServer, client: httpx.AsyncClient) -> None:
    """The whole way: signature, Bolt, who it is, the procedure, the record."""
    answer = await client.post("/slack/events", content=click(slack), headers=signed(click(slack)))

    assert answer.status_code == 200
    await until(lambda: response(socmon) is Response.ACKNOWLEDGED)


NOW = str(int(SystemClock().now().timestamp()))
OLD = str(int(SystemClock().now().timestamp()) - 360)
EARLY = str(int(SystemClock().now().timestamp()) + 3600)
BODY = b"payload=%7B%22type%22%3A+%22block_actions%22%7D"
FORGED: dict[str, dict[str, Any]] = {
    "no headers": {"content-type": "application/x-www-form-urlencoded"},
    "no signature": signed(BODY) | {"x-slack-signature": ""},
    "no timestamp": signed(BODY) | {"x-slack-request-timestamp": ""},
    "a timestamp that is no number": signed(BODY, at="abc"),
    "a timestamp in other digits": signed(BODY) | {"x-slack-request-timestamp": "١٧٦٤٠٠٠٠٠٠".encode()},
    "a timestamp of thirty digits": signed(BODY, at=str(10**30)),
    "a negative timestamp": signed(BODY, at=f"-{NOW}"),
    "a timestamp with a fraction": signed(BODY, at=f"{NOW}.5"),
    "a timestamp in other notation": signed(BODY, at="1e9"),
    "six minutes old": signed(BODY, at=OLD),
    "from the future": signed(BODY, at=EARLY),
    "another secret": signed(BODY, secret="another"),
    "another body's": signed(b"payload=%7B%7D"),
    "not hex": signed(BODY) | {"x-slack-signature": "v0=" + "z" * 64},
    "too short": signed(BODY) | {"x-slack-signature": "v0=ab"},
    "another version": signed(BODY)
    | {"x-slack-signature": signed(BODY)["x-slack-signature"].replace("v0", "v1")},
    "not text": signed(BODY) | {"x-slack-signature": b"v0=\xff\xfe"},
}


@pytest.mark.parametrize("headers", FORGED.values(), ids=FORGED.keys())
async def test_whatever_slack_did_not_sign_is_refused(
    socmon: Socmon, client: httpx.AsyncClient, headers: Any
) -> None:
    """401, never an error of ours, and nothing happens."""
    answer = await client.post("/slack/events", content=BODY, headers=headers)

    assert answer.status_code == 401
    assert happened(socmon) == ["triggered"]


async def test_a_replay_does_nothing(
    socmon: Socmon, slack: SlackServer, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same signed request again, within Slack's five minutes: answered, and without effect."""
    body, handled = click(slack), count_calls(socmon, monkeypatch)
    headers = signed(body)
    answers = [await client.post("/slack/events", content=body, headers=headers) for _ in range(3)]
    await until(lambda: response(socmon) is Response.ACKNOWLEDGED)

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len(handled) == 1
    assert slack.given("response_url") == [], "nobody is told that it was done already"


async def test_a_replay_that_overtakes_does_nothing_either(
    socmon: Socmon, slack: SlackServer, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three copies at once: one is handled."""
    body, handled = click(slack), count_calls(socmon, monkeypatch, seconds=0.05)
    headers = signed(body)
    posts = [client.post("/slack/events", content=body, headers=headers) for _ in range(3)]
    answers = await asyncio.gather(*posts)
    await until(lambda: response(socmon) is Response.ACKNOWLEDGED)

    assert [answer.status_code for answer in answers] == [200] * 3
    assert len(handled) == 1


def count_calls(socmon: Socmon, monkeypatch: pytest.MonkeyPatch, *, seconds: float = 0) -> list[Any]:
    """What reaches Bolt, each after so many seconds."""
    assert socmon.bolt is not None
    handled: list[Any] = []
    dispatch = socmon.bolt.async_dispatch

    async def noted(request: Any) -> Any:
        handled.append(request)
        await asyncio.sleep(seconds)
        return await dispatch(request)

    monkeypatch.setattr(socmon.bolt, "async_dispatch", noted)
    return handled


async def test_a_refused_request_does_not_use_the_signature_up(
    socmon: Socmon, slack: SlackServer, client: httpx.AsyncClient
) -> None:
    """Somebody sends another body under a true signature first: the genuine request still acts."""
    headers = signed(click(slack))
    forged = await client.post("/slack/events", content=BODY, headers=headers)
    genuine = await client.post("/slack/events", content=click(slack), headers=headers)

    assert (forged.status_code, genuine.status_code) == (401, 200)
    await until(lambda: response(socmon) is Response.ACKNOWLEDGED)


async def test_a_large_body_is_refused_before_it_fills_the_memory(client: httpx.AsyncClient) -> None:
    """With a content-length, with an impossible one, or without."""
    read = []

    async def endless() -> AsyncIterator[bytes]:
        for number in range(500):
            read.append(number)
            yield b"x" * 65536

    answers = [await client.post("/slack/events", content=endless(), headers=signed(b""))]
    for length in (str(LARGEST_SLACK_BODY + 1), "9" * 30, "abc"):
        headers = signed(b"") | {"content-length": length}
        answers.append(await client.post("/slack/events", content=b"", headers=headers))

    assert [answer.status_code for answer in answers] == [413] * 4
    assert len(read) * 65536 < LARGEST_SLACK_BODY * 3


async def test_a_body_that_never_ends_is_given_up(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Headers that only look signed hold no connection for ever."""
    monkeypatch.setattr("handlers.http.BODY_SECONDS", 0.05)

    async def dripping() -> AsyncIterator[bytes]:
        yield b"payload="
        await asyncio.sleep(5)

    answer = await client.post("/slack/events", content=dripping(), headers=signed(b""))

    assert answer.status_code == 413


async def test_without_a_signing_secret_there_is_no_such_address(build: Build, slack: SlackServer) -> None:
    """Socket Mode needs none."""
    socmon = build(SLACK_BOT_TOKEN="xoxb-1", SLACK_API_URL=slack.url)

    async with browser(socmon) as client:
        assert (await client.post("/slack/events", content=BODY, headers=signed(BODY))).status_code == 404


async def test_a_person_without_a_role_changes_nothing(
    socmon: Socmon, slack: SlackServer, client: httpx.AsyncClient
) -> None:
    """The click is genuine, the person is known, and is told who may."""
    body = click(slack, "U1OUT")
    answer = await client.post("/slack/events", content=body, headers=signed(body))
    await until(lambda: slack.given("response_url"))

    assert answer.status_code == 200
    assert "<@U1SAM>" in slack.given("response_url")[0]["text"]
    assert happened(socmon) == ["triggered"]
