"""Buttons and menus on an alert. Acknowledge the click, call one procedure, show what came of it."""

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.adapters.slack import forms
from bot.adapters.slack import interactions as do
from bot.adapters.slack.timeline import timeline_view
from bot.adapters.slack.views import already_resolved_view
from bot.domain.alert import Act, Alert
from bot.domain.person import PERMISSIONS, READERS
from bot.procedures import respond_to_alert
from bot.procedures.review_alerts import alert_history
from handlers.slack.desk import Body, Desk, Say

SNOOZE_MINUTES = 30


def register(app: AsyncApp, desk: Desk) -> None:
    acts: dict[str, Callable[[Desk, Body, str, Say], Awaitable[None]]] = {
        do.ACKNOWLEDGE: acknowledge,
        do.SNOOZE: snooze,
        do.WAKE: wake,
        do.RESOLVE: open_resolve_form,
        do.MORE: choose_from_menu,
        do.EARLIER: turn_page,
        do.LATER: turn_page,
    }
    for action_id, act in acts.items():
        app.action(action_id)(_callback(desk, act))


def _callback(
    desk: Desk, act: Callable[[Desk, Body, str, Say], Awaitable[None]]
) -> Callable[..., Awaitable[None]]:
    async def callback(ack: Say, body: Body, respond: Say) -> None:
        await ack()
        refuse = _ephemeral(desk, body, respond)
        await desk.attempt(act(desk, body, chosen(body), refuse), refuse)

    return callback


def chosen(body: Body) -> str:
    """The value of the pressed button or the chosen menu entry."""
    action = body["actions"][0]
    return str(action.get("value") or (action.get("selected_option") or {}).get("value") or "")


def _ephemeral(desk: Desk, body: Body, respond: Say) -> Callable[[str], Awaitable[Any]]:
    async def tell(text: str) -> None:
        if body.get("response_url") or body.get("response_urls"):
            await respond(text=text, response_type="ephemeral", replace_original=False)
        else:  # a button inside a form or App Home has no message to answer at
            await desk.client.chat_postMessage(channel=body["user"]["id"], text=text)

    return tell


async def acknowledge(desk: Desk, body: Body, value: str, _refuse: Say) -> None:
    target = do.read_value(value)
    await desk.records.write(respond_to_alert.acknowledge, target.alert_id, by=await desk.person(body))


async def snooze(desk: Desk, body: Body, value: str, _refuse: Say) -> None:
    target = do.read_value(value)
    person = await desk.person(body)
    await desk.records.write(respond_to_alert.snooze, target.alert_id, by=person, minutes=SNOOZE_MINUTES)


async def wake(desk: Desk, body: Body, value: str, _refuse: Say) -> None:
    target = do.read_value(value)
    await desk.records.write(respond_to_alert.wake, target.alert_id, by=await desk.person(body))


async def release(desk: Desk, body: Body, value: str, _refuse: Say) -> None:
    target = do.read_value(value)
    await desk.records.write(respond_to_alert.release, target.alert_id, by=await desk.person(body))


async def open_resolve_form(desk: Desk, body: Body, value: str, refuse: Say) -> None:
    alert = await _for(desk, body, value, Act.RESOLVE)
    if alert.is_open:
        view = forms.resolve_form(alert, now=desk.clock.now(), provider_title=desk.title(alert))
    else:
        view = already_resolved_view(alert)
    await desk.open(body["trigger_id"], view, refuse)


async def open_note_form(desk: Desk, body: Body, value: str, refuse: Say) -> None:
    alert = await _for(desk, body, value, Act.NOTE)
    view = forms.note_form(alert, now=desk.clock.now(), provider_title=desk.title(alert))
    await desk.open(body["trigger_id"], view, refuse)


async def open_amend_form(desk: Desk, body: Body, value: str, refuse: Say) -> None:
    alert = await _for(desk, body, value, Act.AMEND)
    view = forms.amend_form(alert, now=desk.clock.now(), provider_title=desk.title(alert))
    await desk.open(body["trigger_id"], view, refuse)


async def open_reopen_form(desk: Desk, body: Body, value: str, refuse: Say) -> None:
    alert = await _for(desk, body, value, Act.REOPEN)
    view = forms.reopen_form(alert, now=desk.clock.now(), provider_title=desk.title(alert))
    await desk.open(body["trigger_id"], view, refuse)


async def open_timeline(desk: Desk, body: Body, value: str, refuse: Say) -> None:
    view = await _timeline(desk, body, do.read_value(value).alert_id, page=None)
    await desk.open(body["trigger_id"], view, refuse)


async def turn_page(desk: Desk, body: Body, value: str, _refuse: Say) -> None:
    page, target = do.read_command(value)
    view = await _timeline(desk, body, target.alert_id, page=int(page) if page.isdigit() else 0)
    await desk.client.views_update(view_id=body["view"]["id"], hash=body["view"]["hash"], view=view)


async def choose_from_menu(desk: Desk, body: Body, value: str, refuse: Say) -> None:
    name, target = do.read_command(value)
    act = MENU.get(name)
    if act is None:
        raise do.UnknownControl
    await act(desk, body, target.value, refuse)


MENU: dict[str, Callable[[Desk, Body, str, Say], Awaitable[None]]] = {
    do.SNOOZE_30: snooze,
    do.WAKE_NOW: wake,
    do.RELEASE: release,
    do.NOTE: open_note_form,
    do.AMEND: open_amend_form,
    do.REOPEN: open_reopen_form,
    do.TIMELINE: open_timeline,
}


async def _for(desk: Desk, body: Body, value: str, act: Act) -> Alert:
    """The alert a form is about, if the person may do what the form does; better told now than after they wrote it."""
    person = await desk.person(body)
    person.require(PERMISSIONS[act], f"{act} alerts")
    return await desk.alert(do.read_value(value).alert_id)


async def _timeline(desk: Desk, body: Body, alert_id: int, *, page: int | None) -> dict[str, Any]:
    person = await desk.person(body)
    person.require(READERS, "read alerts")
    alert, moments, left_out = await desk.records.read(alert_history, alert_id)
    return timeline_view(alert, moments, left_out=left_out, provider_title=desk.title(alert), page=page)
