"""`/socmon test`: what it lists, what it begins, and the form that does the same."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.adapters.slack import interactions as do
from bot.domain.test_alert import Mode
from bot.playground.block_kit import message_problems, view_problems
from bot.procedures import test_alerting
from tests.fake_pagerduty import fake_pagerduty
from tests.handlers.test_slack_commands import ask
from tests.slack_requests import click, send, submission, until
from tests.slack_server import SlackServer
from tests.test_alert_rig import Ahead, Rig, rig, staff


@pytest.fixture
async def there(tmp_path: Path, slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    clock = Ahead()
    with fake_pagerduty(clock.now, tmp_path, monkeypatch) as pagerduty:
        staff(pagerduty)
        async with rig(tmp_path, slack, pagerduty, clock) as made:
            yield made


async def test_the_command_lists_sends_and_says_what_is_wrong(there: Rig, slack: SlackServer) -> None:
    before = await ask(there.socmon, slack, "test")
    begun = await ask(there.socmon, slack, "test pagerduty prod-db-1")
    again = await ask(there.socmon, slack, "test pagerduty")
    unknown = await ask(there.socmon, slack, "test pigeons")
    odd = await ask(there.socmon, slack, "test pagerduty quiet now please")
    lead = await ask(there.socmon, slack, "test pagerduty live now no time")
    for _ in range(2):
        await there.follow(await there.socmon.records.read(test_alerting.known, 1))
    after = await ask(there.socmon, slack, "test list")

    assert "never tested" in json.dumps(before)
    assert "Test T-1" in json.dumps(begun)
    assert "T-1 is under way" in json.dumps(again)
    assert "There is no path" in json.dumps(unknown)
    assert "Nothing was sent" in json.dumps(odd)
    assert "You can't send a page without consent" in json.dumps(lead)
    assert "quiet: under way" in json.dumps(after)
    for message in (before, begun, after):
        assert message_problems(message["blocks"]) == []


async def test_the_form_begins_one(there: Rig, slack: SlackServer) -> None:
    await send(there.socmon, click(slack, do.TEST_OPEN, "test"))
    await until(lambda: slack.given("views.open"))
    view = slack.given("views.open")[0]["view"]
    assert view_problems(view) == []
    state = {
        "path": {"path": {"selected_option": {"value": "pagerduty"}}},
        "component": {"component": {"value": " prod-db-1 "}},
        "mode": {"mode": {"selected_option": {"value": "live"}}},
    }
    sent = await send(there.socmon, submission(do.TEST_FORM, {}, state={"values": state}))

    assert sent.status_code == 200
    test = await there.socmon.records.read(test_alerting.known, 1)
    assert (test.path, test.component, test.mode, test.asked_by) == (
        "pagerduty",
        "prod-db-1",
        Mode.LIVE,
        "U1SAM",
    )
