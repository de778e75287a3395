"""Forms that were sent. What is missing is told at its field; what is no longer possible, in place of the form."""

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.adapters.slack import forms
from bot.adapters.slack import interactions as do
from bot.adapters.slack.views import error_view
from bot.domain.errors import SocmonError, ThinNote
from bot.procedures import respond_to_alert
from handlers.slack.desk import SORRY, Body, Desk, Say, log

Send = Callable[[Desk, Body], Awaitable[Any]]


def register(app: AsyncApp, desk: Desk) -> None:
    sends: dict[str, Send] = {
        do.RESOLVE_FORM: resolve,
        do.AMEND_FORM: amend,
        do.NOTE_FORM: add_note,
        do.REOPEN_FORM: reopen,
        do.ADD_NOTE_FORM: add_message,
    }
    for callback_id, send in sends.items():
        app.view(callback_id)(_callback(desk, send))


def _callback(desk: Desk, send: Send) -> Callable[..., Awaitable[None]]:
    async def callback(ack: Say, body: Body) -> None:
        try:
            await send(desk, body)
        except ThinNote as error:
            await ack(response_action="errors", errors=forms.field_error(error))
        except SocmonError as error:
            await ack(response_action="update", view=error_view(str(error)))
        except Exception:  # noqa: BLE001 - logged whole, and told to the person
            log.exception("a form failed")
            await ack(response_action="update", view=error_view(SORRY))
        else:
            await ack()
            desk.wake()

    return callback


async def resolve(desk: Desk, body: Body) -> None:
    target = do.read_metadata(body["view"]["private_metadata"])
    resolution = forms.read_resolution(body["view"]["state"])
    person = await desk.person(body)
    await desk.records.write(respond_to_alert.resolve, target.alert_id, by=person, resolution=resolution)


async def amend(desk: Desk, body: Body) -> None:
    target = do.read_metadata(body["view"]["private_metadata"])
    resolution = forms.read_resolution(body["view"]["state"])
    person = await desk.person(body)
    await desk.records.write(respond_to_alert.amend, target.alert_id, by=person, resolution=resolution)


async def add_note(desk: Desk, body: Body) -> None:
    target = do.read_metadata(body["view"]["private_metadata"])
    text = forms.read_note(body["view"]["state"])
    await desk.records.write(
        respond_to_alert.add_note, target.alert_id, by=await desk.person(body), text=text
    )


async def reopen(desk: Desk, body: Body) -> None:
    target = do.read_metadata(body["view"]["private_metadata"])
    reason = forms.read_reopen(body["view"]["state"])
    await desk.records.write(
        respond_to_alert.reopen, target.alert_id, by=await desk.person(body), reason=reason
    )


async def add_message(desk: Desk, body: Body) -> None:
    alert_id, text = forms.read_add_note(body["view"]["state"])
    link = do.read_link(body["view"]["private_metadata"])
    person = await desk.person(body)
    await desk.records.write(respond_to_alert.add_note, alert_id, by=person, text=text, link=link)
