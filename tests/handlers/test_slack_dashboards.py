"""Dashboards in Slack, over HTTP: chosen, captured, shown with the picture, and reviewed by a person."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.adapters.slack import interactions as do
from bot.adapters.system import SystemClock
from bot.app import Socmon
from bot.domain.dashboard import Review
from bot.providers.datadog.dashboards import DatadogDashboards
from jobs.show_dashboards import show_dashboards
from tests.fake_datadog import FakeDatadog, fake_datadog
from tests.handlers.conftest import SIGNING_SECRET, Build
from tests.handlers.test_slack_commands import ask
from tests.handlers.test_slack_scope import press, shown
from tests.slack_requests import click, send, submission, until
from tests.slack_server import SlackServer, says


@pytest.fixture
def datadog() -> Iterator[FakeDatadog]:
    with fake_datadog(datetime.now(UTC)) as fake:
        fake.monitor()
        fake.host("web-1", "env:prod")
        fake.dashboard("prod-overview", {"CPU": "avg:system.cpu.user{env:prod} by {host}"})
        yield fake


@pytest.fixture
def socmon(build: Build, slack: SlackServer, datadog: FakeDatadog) -> Socmon:
    environ = {
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_API_URL": slack.url,
    }
    built = build(clock=SystemClock(), tables="[providers.generic]\n", **environ)
    built.boards["datadog"] = DatadogDashboards(settings=datadog.settings(), pause=0)
    return built


async def captured(socmon: Socmon, slack: SlackServer) -> dict[str, Any]:
    """The message that shows a new picture to the lead."""
    await ask(socmon, slack, "dashboards capture", "U1SAM")
    assert await show_dashboards(socmon) == "1 of 1 shown"
    assert await show_dashboards(socmon) == "nothing to show"
    return slack.parents("DU1LEAD")[-1]


async def test_from_the_choice_to_the_review(
    socmon: Socmon, slack: SlackServer, datadog: FakeDatadog
) -> None:
    datadog.now = datetime.now(UTC)
    assert "No dashboard is chosen" in shown(await ask(socmon, slack, "dashboards", "U1LEAD"))
    assert "You can't choose dashboards" in shown(await ask(socmon, slack, "dashboards choose", "U1SAM"))
    listed = await ask(socmon, slack, "dashboards choose prod", "U1LEAD")
    [choose] = [block["accessory"] for block in listed["blocks"] if "accessory" in block]
    chosen = await press(socmon, slack, choose, "U1LEAD")
    assert "is looked at each week" in shown(chosen)

    slack.fail("chat.postMessage", says("invalid_blocks"))  # Slack still looks at the file
    message = await captured(socmon, slack)
    assert slack.given("upload")[0]["raw"].startswith(b"\x89PNG")
    [image] = [block for block in message["blocks"] if block["type"] == "image"]
    [row] = [block for block in message["blocks"] if block["type"] == "actions"]
    assert [each["text"]["text"] for each in row["elements"]] == ["Reviewed, nothing unusual", "Follow up…"]
    assert "organisation 321813" in shown(message)
    reviewed, _ = row["elements"]

    clicked = click(slack, reviewed["action_id"], reviewed["value"], user="U1OUT") | {"message": message}
    await send(socmon, clicked)
    await until(lambda: "You can't review dashboards" in json.dumps(slack.given("response_url")))
    clicked = click(slack, reviewed["action_id"], reviewed["value"], user="U1LEAD") | {"message": message}
    await send(socmon, clicked)
    await until(lambda: slack.given("chat.update"))
    after = slack.given("chat.update")[-1]
    assert "Reviewed by <@U1LEAD>, nothing unusual" in shown(after)
    assert image in after["blocks"]
    assert not [block for block in after["blocks"] if block["type"] == "actions"]
    assert "reviewed by <@U1LEAD>: nothing unusual" in shown(await ask(socmon, slack, "dashboards"))
    assert "No picture waits" in shown(await ask(socmon, slack, "dashboards review"))


async def test_to_follow_up(socmon: Socmon, slack: SlackServer, datadog: FakeDatadog) -> None:
    """The form opens a task for somebody, and the message says so."""
    datadog.now = datetime.now(UTC)
    listed = await ask(socmon, slack, "dashboards choose", "U1LEAD")
    [choose] = [block["accessory"] for block in listed["blocks"] if "accessory" in block]
    await press(socmon, slack, choose, "U1LEAD")
    message = await captured(socmon, slack)
    [row] = [block for block in message["blocks"] if block["type"] == "actions"]
    asked = row["elements"][1]

    clicked = click(slack, asked["action_id"], asked["value"]) | {"message": message}
    await send(socmon, clicked)
    await until(lambda: slack.given("views.open"))
    form = slack.given("views.open")[-1]["view"]
    filled = submission(
        do.DASHBOARD_FORM, {"note": "CPU climbs since Monday"}, private_metadata=form["private_metadata"]
    )
    values = filled["view"]["state"]["values"]
    values["owner"] = {"owner": {"type": "users_select", "selected_user": "U1SAM"}}
    due = next(block for block in form["blocks"] if block.get("block_id") == "due")
    values["due"] = {"due": {"type": "datepicker", "selected_date": due["element"]["initial_date"]}}
    answer = await send(socmon, filled)

    assert "F-1 is on record" in answer.text
    await until(lambda: slack.given("chat.update"))
    assert "who asks to follow up" in shown(slack.given("chat.update")[-1])
    [one] = await socmon.records.read(lambda records: records.latest_captures())
    assert one.review is Review.FOLLOW_UP
