"""`/socmon …`: questions, answered to the person who asks. Acting on alerts is done by buttons, where the alert is."""

import shlex
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.adapters.slack import interactions as do
from bot.adapters.slack.answers import export_sent, fault, help_message, refusal, unknown_command
from bot.adapters.slack.blocks import Message
from bot.adapters.slack.log_message import log_message, record_message
from bot.adapters.slack.status_message import status_message
from bot.adapters.slack.text import slack_text
from bot.domain.alert import Alert
from bot.domain.alert_log import log_rows, summary, to_csv, to_json
from bot.domain.errors import SocmonError
from bot.domain.person import READERS, Person
from bot.procedures.report_status import report_status
from bot.procedures.review_alerts import alert_history, alert_log
from handlers.slack import coverage
from handlers.slack.dashboards import dashboards
from handlers.slack.desk import Body, Desk, Refuse, Say, log, pressed
from handlers.slack.oncall import oncall
from handlers.slack.scope import scope
from handlers.slack.standard import standard
from handlers.slack.test_alerts import test
from handlers.slack.validation import validate

Answer = Callable[[Desk, Person, list[str]], Awaitable[Message]]
Later = Callable[[Refuse], Awaitable[None]]


def register(app: AsyncApp, desk: Desk) -> None:
    async def command(ack: Say, command: Body, respond: Say) -> None:
        await ack()

        async def tell(message: Message) -> Any:
            return await respond(text=message.text, blocks=message.blocks, response_type="ephemeral")

        message, later = await _answer(desk, command)
        await tell(message)
        if later:
            await desk.attempt(later(tell), tell)

    app.command("/socmon")(command)
    for action_id, form in ((do.EXPORT_CSV, "csv"), (do.EXPORT_JSON, "json")):
        app.action(action_id)(_export_button(desk, form))


async def _answer(desk: Desk, command: Body) -> tuple[Message, Later | None]:
    """What is answered at once, and what is done behind the answer."""
    try:
        words = split(command.get("text", ""))
        name = words[0].lower() if words else "help"
        if name not in ANSWERS:
            return unknown_command(name), None
        person = await desk.directory.person(command["user_id"], command["team_id"])
        message = await ANSWERS[name](desk, person, words[1:])
        if name != "coverage":
            return message, None
        return message, partial(coverage.afterwards, desk, person, words[1:], command["channel_id"])
    except SocmonError as error:
        return refusal(error), None
    except Exception:  # noqa: BLE001 - logged whole, and told to the person
        log.exception("a command failed")
        return fault(), None


def split(text: str) -> list[str]:
    """The words of a command, quotes honoured; an unclosed quote is a character like others."""
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


async def _help(_desk: Desk, _person: Person, _words: list[str]) -> Message:
    return help_message()


async def _status(desk: Desk, person: Person, _words: list[str]) -> Message:
    person.require(READERS, "see socmon's status")
    return status_message(await desk.records.read(report_status, desk.sources, version=desk.version))


async def _log(desk: Desk, person: Person, words: list[str]) -> Message:
    person.require(READERS, "read the alert log")
    forms = [word.lower().lstrip("-") for word in words if word.lower().lstrip("-") in {"csv", "json"}]
    asked = " ".join(word for word in words if word.lower().lstrip("-") not in {"csv", "json"}) or "7d"
    if forms:
        return await export(desk, person, asked, forms[0])
    alerts = await _every_alert(desk, person, asked)
    if asked.lower().startswith("a") and alerts:
        alert, moments, left_out = await desk.records.read(alert_history, alerts[0].id)
        title, now = desk.title(alert), desk.clock.now()
        return record_message(alert, moments, left_out=left_out, provider_title=title, now=now)
    return log_message(alerts, figures=summary(alerts), asked=asked, now=desk.clock.now())


ANSWERS: dict[str, Answer] = {
    "help": _help,
    "status": _status,
    "log": _log,
    "oncall": oncall,
    "coverage": coverage.coverage,
    "dashboards": dashboards,
    "scope": scope,
    "standard": standard,
    "test": test,
    "validate": validate,
}


async def export(desk: Desk, person: Person, asked: str, form: str) -> Message:
    """The log as a file in a direct message: what is for one person's eyes does not go to a channel."""
    rows = log_rows(await _every_alert(desk, person, asked))
    content = to_csv(rows) if form == "csv" else to_json(rows)
    name = f"alert-log-{desk.clock.now():%Y%m%d-%H%M}.{form}"
    opened: Any = await desk.client.conversations_open(users=[person.user])
    await desk.client.files_upload_v2(
        channel=opened["channel"]["id"],
        filename=name,
        title=name,
        content=content,
        initial_comment=f"Alert log: {slack_text(asked, 60)}",
    )
    return export_sent(name, len(rows))


async def _every_alert(desk: Desk, person: Person, asked: str) -> list[Alert]:
    alerts: list[Alert] = []
    while page := await desk.records.read(
        alert_log, asked, user=person.user, before=alerts[-1].id if alerts else None
    ):
        alerts += page
    return alerts


def _export_button(desk: Desk, form: str) -> Callable[..., Awaitable[None]]:
    async def callback(ack: Say, body: Body, respond: Say) -> None:
        await ack()
        tell = desk.teller(body, respond)

        async def send() -> None:
            person = await desk.person(body)
            person.require(READERS, "export the alert log")
            _, asked = pressed(body) or ("", "")
            await tell(await export(desk, person, asked, form))

        await desk.attempt(send(), tell)

    return callback
