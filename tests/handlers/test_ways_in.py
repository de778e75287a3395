"""A way in from Slack that is dead is seen: in status, in readyz, and by the operators."""

from collections.abc import AsyncIterator

import httpx
import pytest

from bot.adapters.slack import interactions as do
from bot.adapters.slack import socket as socket_module
from bot.adapters.system import SystemClock
from bot.app import Socmon
from bot.domain.alert import Response
from handlers.http import FORGED_SECONDS
from tests.handlers.conftest import SIGNING_SECRET, Build, signed
from tests.handlers.test_socket_mode import socket_server
from tests.slack_requests import click, send, until
from tests.slack_server import BROKEN, CUT, SlackServer, says
from tests.world import MovableClock

BODY = b"payload=%7B%22type%22%3A+%22block_actions%22%7D"


def problems(socmon: Socmon) -> list[str]:
    return [subject for subject, _, _ in socmon.records.read_now(lambda records: records.problems())]


def over_socket(build: Build, slack: SlackServer) -> Socmon:
    token = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_API_URL": slack.url}
    return build(clock=SystemClock(), **token)


# Socket Mode


async def test_a_refused_app_token_is_a_problem_until_it_connects(
    build: Build, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told at once, tried again by itself, and gone from status when it works."""
    monkeypatch.setattr(socket_module, "LOOK_SECONDS", 0.05)
    slack.always["apps.connections.open"] = says("invalid_auth")
    async with socket_server() as socket:
        slack.socket_url = socket.url
        socmon = over_socket(build, slack)
        app = socmon.asgi()
        async with app.router.lifespan_context(app):
            await until(lambda: problems(socmon))
            during = problems(socmon)
            await until(lambda: "invalid_auth" in str(slack.messages))
            await until(lambda: len(slack.sent("apps.connections.open")) >= 3)
            del slack.always["apps.connections.open"]
            await until(lambda: not problems(socmon))

    assert during == ["slack:socket"]
    assert len([each for each in slack.messages if each["channel"] == "DU1ADMIN"]) == 1, "told once"


async def test_a_short_silence_alarms_nobody(
    build: Build, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two attempts without an answer, then it works."""
    monkeypatch.setattr(socket_module, "LOOK_SECONDS", 0.05)
    slack.fail("apps.connections.open", BROKEN, CUT)
    async with socket_server() as socket:
        slack.socket_url = socket.url
        socmon = over_socket(build, slack)
        app = socmon.asgi()
        async with app.router.lifespan_context(app):
            await until(socket.open.is_set)

    assert slack.messages == []


async def test_a_connection_that_ends_is_made_anew(
    build: Build, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a new address: Slack's are good for one connection."""
    monkeypatch.setattr(socket_module, "LOOK_SECONDS", 0.05)
    async with socket_server() as socket:
        slack.socket_url = socket.url
        socmon = over_socket(build, slack)
        app = socmon.asgi()
        async with app.router.lifespan_context(app):
            await until(socket.open.is_set)
            socket.open.clear()
            await socket.hang_up()
            await until(socket.open.is_set)

    assert len(slack.sent("apps.connections.open")) == 2


# HTTP


@pytest.fixture
async def client(linked: Socmon, clock: MovableClock) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to one and the same guard, whose clock the test moves."""
    linked.clock = clock
    transport = httpx.ASGITransport(app=linked.asgi())
    async with httpx.AsyncClient(transport=transport, base_url="http://socmon") as opened:
        yield opened


async def post(client: httpx.AsyncClient, secret: str, times: int = 1) -> None:
    for number in range(times):
        body = BODY + b"&n=%d" % number
        await client.post("/slack/events", content=body, headers=signed(body, secret=secret))


async def test_a_wrong_signing_secret_is_a_problem_until_a_good_request_comes(
    linked: Socmon, client: httpx.AsyncClient
) -> None:
    """One forged request is nothing; three and no good one is a secret that does not fit."""
    await post(client, "wrong", 2)
    before = problems(linked)
    await post(client, "wrong")
    during = problems(linked)
    await post(client, SIGNING_SECRET)

    assert (before, during, problems(linked)) == ([], ["slack:signature"], [])


async def test_forged_requests_among_good_ones_alarm_nobody(
    linked: Socmon, client: httpx.AsyncClient, clock: MovableClock
) -> None:
    """Anybody can send them; they are refused. When the good ones stay away it is another matter."""
    await post(client, SIGNING_SECRET)
    await post(client, "wrong", 5)
    amid = problems(linked)
    clock.move(FORGED_SECONDS + 1)
    await post(client, "wrong", 3)

    assert (amid, problems(linked)) == ([], ["slack:signature"])


async def test_bad_signatures_far_apart_alarm_nobody(
    linked: Socmon, client: httpx.AsyncClient, clock: MovableClock
) -> None:
    """A scanner that comes by each day."""
    for _ in range(5):
        await post(client, "wrong")
        clock.move(FORGED_SECONDS)

    assert problems(linked) == []


# The first click


async def test_the_first_click_counts_even_if_slack_stumbles(linked: Socmon, slack: SlackServer) -> None:
    """auth.test fails once after the start: the person is told, and the click after it acts."""
    slack.fail("auth.test", BROKEN)
    await send(linked, click(slack, do.ACKNOWLEDGE, do.Target(1, 1).value))
    await until(lambda: slack.given("response_url"))
    await send(linked, click(slack, do.ACKNOWLEDGE, do.Target(1, 1).value))
    await until(lambda: linked.records.read_now(lambda r: r.alert(1)).response is Response.ACKNOWLEDGED)

    assert "Try again" in slack.given("response_url")[0]["text"]


async def test_no_ids_of_the_bot_are_needed_to_hear_people(linked: Socmon, slack: SlackServer) -> None:
    """Bolt itself asks Slack nothing: the one auth.test is ours, which tells whose workspace it is."""
    await send(linked, click(slack, do.ACKNOWLEDGE, do.Target(1, 1).value))
    await until(lambda: linked.records.read_now(lambda r: r.alert(1)).response is Response.ACKNOWLEDGED)

    assert slack.sent("auth.test") == ["auth.test"]
