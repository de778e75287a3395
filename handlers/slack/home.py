"""App Home: published when it is opened, and again after whatever its owner does; and its own buttons."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.adapters.slack import interactions as do
from bot.adapters.slack.oncall_message import oncall_message
from bot.adapters.slack.status_message import status_message
from bot.adapters.slack.views import View, message_view
from bot.domain.person import READERS
from bot.procedures.check_on_call import who_is_on_call
from bot.procedures.report_status import report_status
from handlers.slack.desk import Body, Desk, Refuse, Say, account

Make = Callable[[Desk, Body], Coroutine[Any, Any, View]]


def register(app: AsyncApp, desk: Desk) -> None:
    async def opened(event: Body, body: Body) -> None:
        if event.get("tab", "home") == "home":
            await desk.homes.opened(event["user"], body.get("team_id") or "")

    app.event("app_home_opened")(opened)
    for action_id, make in ((do.SHOW_ON_CALL, _on_call), (do.SHOW_STATUS, _status)):
        app.action(action_id)(_opens(desk, make))


async def refresh_home(desk: Desk, body: Body) -> None:
    """What somebody did may have changed what waits for them."""
    await desk.homes.acted(*account(body))


def _opens(desk: Desk, make: Make) -> Callable[..., Awaitable[None]]:
    """A button that shows what a command would answer."""

    async def pressed(ack: Say, body: Body, respond: Say) -> None:
        await ack()
        refuse: Refuse = desk.teller(body, respond)
        await desk.attempt(desk.open(body, make(desk, body), refuse), refuse)

    return pressed


async def _on_call(desk: Desk, body: Body) -> View:
    person = await desk.person(body)
    answer = await desk.records.read(who_is_on_call, zone=desk.zone, by=person)
    return message_view("Who is on call", oncall_message(answer, titles=desk.titles))


async def _status(desk: Desk, body: Body) -> View:
    person = await desk.person(body)
    person.require(READERS, "see socmon's status")
    return message_view(
        "Status", status_message(await desk.records.read(report_status, desk.sources, version=desk.version))
    )
