"""An archived channel is read by nobody; what Slack said last stands while it is silent."""

from bot.adapters.slack.channels import Channels
from bot.adapters.slack.web import web_client
from tests.slack_server import BROKEN, slack_server


async def test_archived_channels_are_found_on_every_page() -> None:
    async with slack_server() as slack:
        slack.channels = {f"C{number}": {"name": f"room-{number}"} for number in range(5)}
        for number in (1, 4):
            slack.channels[f"C{number}"]["is_archived"] = True
        slack.pages = 2
        channels = Channels(web_client("xoxb-1", slack.url))

        none = await channels.archived(["oncall@example.com", "arn:aws:sns:eu-west-1:1:ops"])
        asked_for_none = slack.sent("conversations.list")
        found = await channels.archived(["#room-0", "@slack-Room-1", "C4", "#unknown"])
        slack.always["conversations.list"] = BROKEN
        silent = await channels.archived(["#room-1", "C4"])

    assert (none, asked_for_none) == (frozenset(), [])
    assert found == silent == {"room-1", "c4"}
