"""`/socmon …`, signed as Slack signs it: answered to the person who asks, and to nobody else."""

import asyncio
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from bot.adapters.system import SystemClock
from bot.app import Socmon
from bot.domain.errors import Unavailable
from bot.procedures.receive_alert import receive_alert
from tests.handlers.conftest import SIGNING_SECRET, Build, browser, signed
from tests.reports import delivery, report
from tests.slack_server import TEAM, SlackServer
from tests.world import ROUTES

EVIL = "<!channel> <@U1SAM> <https://evil.example|click>"


@pytest.fixture
async def socmon(build: Build, slack: SlackServer) -> Socmon:
    token = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": SIGNING_SECRET, "SLACK_API_URL": slack.url}
    built = build(clock=SystemClock(), **token)
    await built.records.write(receive_alert, delivery(report(title=f"High CPU {EVIL}")), routes=ROUTES)
    return built


async def ask(socmon: Socmon, slack: SlackServer, text: str, user: str = "U1SAM") -> dict[str, Any]:
    """What the person who types `/socmon text` is shown."""
    command = {
        "command": "/socmon",
        "text": text,
        "user_id": user,
        "team_id": TEAM,
        "channel_id": "C0GENERAL",
        "trigger_id": "1.1",
        "response_url": f"{slack.url}response_url",
    }
    body = urlencode(command).encode()
    before = len(slack.given("response_url"))
    async with browser(socmon) as client:
        answer: httpx.Response = await client.post("/slack/events", content=body, headers=signed(body))
    assert answer.status_code == 200
    async with asyncio.timeout(5):
        while len(slack.given("response_url")) == before:  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0.01)
    told = slack.given("response_url")[-1]
    assert told["response_type"] == "ephemeral"
    return told


ANSWERS = {
    "": "log open",
    "help": "log open",
    "log": "A-1",
    "log open": "A-1",
    "log a-1": "A-1",
    "LOG 30d": "A-1",
    'log "7d"': "A-1",
    'log "7d': "know the alerts",
    "status": "Generic",
    "stauts": "Did you mean `/socmon status`?",
    "coverage": "Coverage has not been assessed yet",
    "log yesterday": "yesterday",
    "log A-99": "A-99",
}


@pytest.mark.parametrize(("text", "words"), ANSWERS.items(), ids=lambda value: value or "nothing")
async def test_each_question_has_an_answer(socmon: Socmon, slack: SlackServer, text: str, words: str) -> None:
    """Also a mistyped one; and no words from outside call or link anybody."""
    told = await ask(socmon, slack, text)

    shown = str(told["blocks"]) + told["text"]
    assert words in shown
    assert "<!channel>" not in shown
    assert "<https://evil" not in shown


@pytest.mark.parametrize("text", [f"log {EVIL}", f"{EVIL}", f"log 7d csv {EVIL}"])
async def test_what_somebody_types_calls_nobody(socmon: Socmon, slack: SlackServer, text: str) -> None:
    """An answer may quote it, and does nothing else with it."""
    told = await ask(socmon, slack, text)

    assert "<!channel>" not in str(told)
    assert "<https://evil" not in str(told)


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_the_log_as_a_file_goes_to_the_person_alone(
    socmon: Socmon, slack: SlackServer, form: str
) -> None:
    """Into a direct message, not into the channel where it was asked for."""
    told = await ask(socmon, slack, f"log open {form}")

    [upload] = slack.given("files.completeUploadExternal")
    assert upload["channel_id"] == "DU1SAM"
    assert upload["initial_comment"] == "Alert log: open"
    assert f".{form}" in told["text"]
    assert b"A-1" in slack.given("upload")[0]["raw"]


async def test_whoever_has_no_role_reads_nothing(socmon: Socmon, slack: SlackServer) -> None:
    """Help is for everybody; the log and the status are for roles."""
    for text in ("log", "status", "log 7d csv"):
        told = await ask(socmon, slack, text, user="U1OUT")
        assert "High CPU" not in str(told)
        assert "<@U1SAM>" in str(told)
    assert "log open" in str(await ask(socmon, slack, "help", user="U1OUT"))
    assert slack.given("files.completeUploadExternal") == []


async def test_while_the_database_is_away_that_is_the_answer(
    socmon: Socmon, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a fault of unknown kind."""

    async def away(*_: Any, **__: Any) -> Any:
        raise Unavailable("The database does not answer.")

    monkeypatch.setattr(socmon.records, "read", away)

    assert "The database does not answer." in str(await ask(socmon, slack, "log"))
