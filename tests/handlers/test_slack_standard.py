"""From the written standard to its review on record, over HTTP."""

from dataclasses import replace

import pytest

from bot.adapters.system import SystemClock
from bot.app import Socmon
from bot.domain.component import Kind, Measure
from bot.domain.monitor import Comparator
from bot.procedures import review_standard
from jobs.remind_of_standard import remind_of_standard
from tests.fleets import rule
from tests.handlers.conftest import SIGNING_SECRET, Build
from tests.handlers.test_slack_commands import ask
from tests.handlers.test_slack_scope import buttons, press, shown
from tests.slack_server import SlackServer


@pytest.fixture
async def socmon(build: Build, slack: SlackServer) -> Socmon:
    token = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": SIGNING_SECRET, "SLACK_API_URL": slack.url}
    built = build(clock=SystemClock(), tables="[providers.generic]\n", **token)
    await built.records.write(review_standard.take_standard, built.standard)
    return built


async def test_a_lead_is_reminded_and_reviews_exactly_what_was_shown(
    socmon: Socmon, slack: SlackServer
) -> None:
    """Once a week; the document is kept, and a review is refused to others, and of an older text."""
    assert "never been reviewed" in await remind_of_standard(socmon)
    assert await remind_of_standard(socmon) == "nobody has to be reminded"
    [reminder] = slack.parents("DU1LEAD")
    told = await ask(socmon, slack, "standard")
    assert "cpu: &gt; 85% for 5 min" in shown(told)
    assert "SEV2 when high, SEV3 when medium, SEV4 when low" in shown(told)
    assert "As it ships" in shown(told)

    document = await press(socmon, slack, buttons(reminder, "Read it")[0], "U1LEAD")
    [reviewed] = buttons(document, "I have reviewed")
    assert "can't review the standard" in shown(await press(socmon, slack, reviewed, "U1SAM"))
    assert "on record" in shown(await press(socmon, slack, reviewed, "U1LEAD"))
    assert socmon.artifacts.read(socmon.standard.digest) == socmon.standard.document
    assert "<@U1LEAD>" in shown(await ask(socmon, slack, "standard"))
    forged = reviewed | {"value": f"sha256:{'0' * 64}"}
    assert "is not kept" in shown(await press(socmon, slack, forged, "U1LEAD"))

    stricter = {Kind.HOST: {Measure.CPU: (rule(Comparator.ABOVE, 70),)}}
    new = replace(socmon.standard, rules={**socmon.standard.rules, **stricter})
    await socmon.records.write(review_standard.take_standard, new)
    assert "changed since this was shown" in shown(await press(socmon, slack, reviewed, "U1LEAD"))
    history = shown(await ask(socmon, slack, "standard history"))
    assert "reviewed by <@U1LEAD>" in history
    assert "knows history, review, show" in shown(await ask(socmon, slack, "standard approve"))
