"""A direct message lists all that waits for one person, with buttons; Slack's troubles never make it two at once."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings

from bot.adapters.database.writer import Database
from bot.adapters.slack.notices import Messenger, bundle_message
from bot.adapters.slack.web import SlackWeb, web_client
from bot.domain.alert import Alert, NoAction, Severity
from bot.domain.escalation import Policy
from bot.domain.notice import Bundle, NoticeKind, Waiting
from bot.ports import Records
from bot.procedures.receive_alert import receive_alert
from tests.adapters.slack.examples import (
    ACKNOWLEDGED,
    NOW,
    RECOVERED,
    STATES,
    TRIGGERED,
    assert_message,
    hostile,
    labels,
)
from tests.reports import delivery, report
from tests.slack_server import BROKEN, CUT, LOST, SlackServer, says, slack_server, too_many
from tests.world import ROUTES, MovableClock, open_database

MILD = replace(
    RECOVERED,
    severity=Severity.SEV3,
    triggered_at=RECOVERED.triggered_at,
    recovered_at=RECOVERED.triggered_at,
)


def bundle(*alerts: Alert, kind: str = NoticeKind.UNACKNOWLEDGED) -> Bundle:
    waiting = tuple(Waiting(alert=alert, kinds=(kind,), channel="C0ALERTS") for alert in alerts)
    return Bundle(user="U0SAM", waiting=waiting, notices=(1,))


def message(*alerts: Alert, kind: str = NoticeKind.UNACKNOWLEDGED) -> Any:
    return bundle_message(
        bundle(*alerts, kind=kind), now=NOW, titles={"datadog": "Datadog"}, no_action=NoAction()
    )


@pytest.mark.parametrize("alert", [alert for alert in STATES.values() if alert.is_open])
@pytest.mark.parametrize("kind", [*NoticeKind, "something newer"])
def test_every_reason_is_a_message_slack_takes(alert: Alert, kind: str) -> None:
    made = message(alert, kind=kind)

    assert_message(made.text, made.blocks)
    assert made.text.startswith("1 alert waits for you: A-412 SEV1")


@pytest.mark.parametrize(
    ("alert", "buttons"),
    [
        (TRIGGERED, ["!Acknowledge", "Escalate now…"]),
        (ACKNOWLEDGED, ["!Resolve…", "Snooze 30 min"]),
        (RECOVERED, ["!Add resolution note…"]),
        (MILD, ["!Add resolution note…", "Recovered by itself, no action"]),
    ],
)
def test_the_likeliest_acts_are_buttons(alert: Alert, buttons: list[str]) -> None:
    assert labels(message(alert).blocks) == buttons


def test_a_storm_is_told_in_one_message() -> None:
    made = message(*(replace(TRIGGERED, id=number) for number in range(1, 501)))

    assert_message(made.text, made.blocks)
    assert made.text.startswith("500 alerts wait for you: A-1 ")
    assert "… and 490 more alerts" in made.blocks[-1]["elements"][0]["text"]


@settings(max_examples=40, deadline=None)
@given(hostile, hostile)
def test_hostile_words_do_nothing_in_it(title: str, component: str) -> None:
    made = message(replace(TRIGGERED, title=title, component=component))

    assert_message(made.text, made.blocks)


class Died(BaseException):
    """A process does not catch its end."""


class Desk:
    def __init__(
        self, database: Database, slack: SlackServer, session: aiohttp.ClientSession, clock: Any
    ) -> None:
        client = web_client("xoxb", slack.url)
        client.session = session
        self.database, self.clock = database, clock
        self.messenger = Messenger(
            records=database,
            web=SlackWeb(client),
            clock=clock,
            titles={},
            policy=Policy(quiet=None),
            no_action=NoAction(),
        )

    async def owe(self, *users: str) -> None:
        for user in users:
            await self.database.write(_owe, user)


def _owe(records: Records, user: str) -> None:
    records.owe_notice(user, 1, "unacknowledged")


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with slack_server() as server:
        yield server


@pytest.fixture
async def desk(sqlite_url: str, slack: SlackServer) -> AsyncIterator[Desk]:
    clock = MovableClock()
    database = open_database(sqlite_url, clock)
    await database.write(receive_alert, delivery(report()), routes=ROUTES)
    async with aiohttp.ClientSession() as session:
        yield Desk(database, slack, session, clock)
    database.close()


async def test_each_gets_their_own(desk: Desk, slack: SlackServer) -> None:
    await desk.owe("U1SAM", "U1KIM")

    assert [await desk.messenger.send_due(), await desk.messenger.send_due()] == [2, 0]
    assert [said["channel"] for said in slack.messages] == ["DU1SAM", "DU1KIM"]


@pytest.mark.parametrize("fault", [CUT, LOST, BROKEN])
async def test_after_a_lost_answer_it_is_sent_again_in_ten_minutes(
    desk: Desk, slack: SlackServer, fault: Any
) -> None:
    """It may have arrived; a second one at once would break the promise."""
    await desk.owe("U1SAM", "U1KIM")
    slack.fail("chat.postMessage", fault)
    assert await desk.messenger.send_due() == 1
    assert await desk.messenger.send_due() == 0

    desk.clock.move(600)
    assert await desk.messenger.send_due() == 1
    assert slack.messages[-1]["channel"] == "DU1SAM"


@pytest.mark.parametrize("fault", [too_many(30), says("invalid_auth"), says("missing_scope")])
async def test_what_slack_refused_waits_for_the_next_round(
    desk: Desk, slack: SlackServer, fault: Any
) -> None:
    """It certainly did not arrive, and neither did those behind it."""
    await desk.owe("U1SAM", "U1KIM")
    slack.fail("chat.postMessage", fault)
    assert await desk.messenger.send_due() == 0
    assert len(slack.sent("chat.postMessage")) == 1

    assert await desk.messenger.send_due() == 2


async def test_no_channel_no_message(desk: Desk, slack: SlackServer) -> None:
    """The message itself was never on its way."""
    await desk.owe("U1SAM")
    slack.fail("conversations.open", CUT)

    assert [await desk.messenger.send_due(), await desk.messenger.send_due()] == [0, 1]


async def test_an_account_that_takes_none_stops_nobody_else(desk: Desk, slack: SlackServer) -> None:
    await desk.owe("U1GONE", "U1KIM")
    slack.fail("conversations.open", says("user_disabled"))

    assert await desk.messenger.send_due() == 1
    desk.clock.move(3600)
    assert await desk.messenger.send_due() == 0


async def test_a_crash_in_the_middle_keeps_the_promise(
    desk: Desk, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message went out, and socmon died before it could say so."""
    await desk.owe("U1SAM")
    real = desk.database.write

    async def dies(procedure: Any, *args: Any, **kwargs: Any) -> Any:
        if procedure.__name__ == "bundle_sent":
            raise Died
        return await real(procedure, *args, **kwargs)

    with monkeypatch.context() as dying:
        dying.setattr(desk.database, "write", dies)
        with pytest.raises(Died):
            await desk.messenger.send_due()
    for _ in range(39):
        desk.clock.move(15)
        assert await desk.messenger.send_due() == 0
    desk.clock.move(15)

    assert await desk.messenger.send_due() == 1
    assert len(slack.messages) == 2
