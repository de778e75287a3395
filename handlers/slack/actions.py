"""Buttons and menus on an alert. Acknowledge the click, call one procedure, show what came of it."""

from collections.abc import Awaitable, Callable
from functools import partial

from slack_bolt.async_app import AsyncApp

from bot.adapters.slack import forms
from bot.adapters.slack import interactions as do
from bot.adapters.slack.timeline import timeline_view
from bot.adapters.slack.views import View
from bot.domain.alert import Act
from bot.domain.person import READERS
from bot.procedures import respond_to_alert
from bot.procedures.keep_draft import open_call, open_form
from bot.procedures.review_alerts import alert_history
from handlers.slack.desk import Body, Desk, Do, Refuse, Say, on_press
from handlers.slack.home import refresh_home

SNOOZE_MINUTES = 30


def register(app: AsyncApp, desk: Desk) -> None:
    acts: dict[str, Do] = {
        do.ACKNOWLEDGE: acknowledge,
        do.SNOOZE: snooze,
        do.WAKE: wake,
        do.TAKE_OVER: take_over,
        do.NO_ACTION: close_without_action,
        do.ESCALATE: open_escalation,
        do.RESOLVE: open_with(Act.RESOLVE, forms.resolve_form),
        do.MORE: choose_from_menu,
        do.EARLIER: turn_page,
        do.LATER: turn_page,
    }
    for action_id, act in acts.items():
        app.action(action_id)(callback(desk, act))


def callback(desk: Desk, act: Do) -> Callable[..., Awaitable[None]]:
    """What a pressed button or menu entry does to an alert, and so perhaps to their Home."""
    press = on_press(desk, act)

    async def clicked(ack: Say, body: Body, respond: Say) -> None:
        await press(ack, body, respond)
        await refresh_home(desk, body)

    return clicked


async def acknowledge(desk: Desk, body: Body, value: str, _refuse: Refuse) -> None:
    target, person = do.read_value(value), await desk.person(body)
    await desk.records.write(respond_to_alert.acknowledge, target.alert_id, by=person)


async def snooze(desk: Desk, body: Body, value: str, _refuse: Refuse) -> None:
    target, person = do.read_value(value), await desk.person(body)
    await desk.records.write(
        respond_to_alert.snooze, target.alert_id, by=person, minutes=SNOOZE_MINUTES, seen=target.version
    )


async def wake(desk: Desk, body: Body, value: str, _refuse: Refuse) -> None:
    target, person = do.read_value(value), await desk.person(body)
    await desk.records.write(respond_to_alert.wake, target.alert_id, by=person, seen=target.version)


async def release(desk: Desk, body: Body, value: str, _refuse: Refuse) -> None:
    target, person = do.read_value(value), await desk.person(body)
    await desk.records.write(respond_to_alert.release, target.alert_id, by=person, seen=target.version)


async def take_over(desk: Desk, body: Body, value: str, _refuse: Refuse) -> None:
    target, person = do.read_value(value), await desk.person(body)
    await desk.records.write(respond_to_alert.take_over, target.alert_id, by=person, seen=target.version)


async def close_without_action(desk: Desk, body: Body, value: str, _refuse: Refuse) -> None:
    target, person = do.read_value(value), await desk.person(body)
    await desk.records.write(
        respond_to_alert.resolve_without_action, target.alert_id, by=person, policy=desk.no_action
    )


async def open_escalation(desk: Desk, body: Body, value: str, refuse: Refuse) -> None:
    """The form says who will be called, since somebody may be woken."""

    async def make() -> View:
        target, person = do.read_value(value), await desk.person(body)
        alert, draft, call = await desk.records.read(
            open_call, target.alert_id, by=person, reach=await desk.reach()
        )
        now, title = desk.clock.now(), desk.title(alert)
        view = forms.escalate_form(alert, now=now, provider_title=title, called=call.called)
        return forms.with_draft(view, draft)

    await desk.open(body, make(), refuse)


async def open_snooze(desk: Desk, body: Body, value: str, refuse: Refuse) -> None:
    morning = desk.policy.next_morning(desk.clock.now())
    await open_with(Act.SNOOZE, partial(forms.snooze_form, morning=morning))(desk, body, value, refuse)


def open_with(act: Act, form: Callable[..., View]) -> Do:
    """Opens the form that does `act`, with what the person had begun to write in it."""

    async def make(desk: Desk, body: Body, value: str) -> View:
        target, person = do.read_value(value), await desk.person(body)
        alert, draft = await desk.records.read(open_form, target.alert_id, act, by=person)
        view = form(alert, now=desk.clock.now(), provider_title=desk.title(alert))
        return forms.with_draft(view, draft)

    async def show(desk: Desk, body: Body, value: str, refuse: Refuse) -> None:
        await desk.open(body, make(desk, body, value), refuse)

    return show


async def open_timeline(desk: Desk, body: Body, value: str, refuse: Refuse) -> None:
    target = do.read_value(value)
    await desk.open(body, _timeline(desk, body, target.alert_id, page=None), refuse)


async def turn_page(desk: Desk, body: Body, value: str, _refuse: Refuse) -> None:
    page, target = do.read_command(value)
    view = await _timeline(desk, body, target.alert_id, page=int(page) if page.isdigit() else 0)
    await desk.update(body["view"], view)


async def choose_from_menu(desk: Desk, body: Body, value: str, refuse: Refuse) -> None:
    name, target = do.read_command(value)
    act = MENU.get(name)
    if act is None:
        raise do.UnknownControl
    await act(desk, body, target.value, refuse)


MENU: dict[str, Do] = {
    do.SNOOZE_30: snooze,
    do.SNOOZE_FOR: open_snooze,
    do.REASSIGN: open_with(Act.REASSIGN, forms.reassign_form),
    do.ESCALATE_NOW: open_escalation,
    do.CLOSE_NO_ACTION: close_without_action,
    do.WAKE_NOW: wake,
    do.RELEASE: release,
    do.NOTE: open_with(Act.NOTE, forms.note_form),
    do.AMEND: open_with(Act.AMEND, forms.amend_form),
    do.REOPEN: open_with(Act.REOPEN, forms.reopen_form),
    do.TIMELINE: open_timeline,
}


async def _timeline(desk: Desk, body: Body, alert_id: int, *, page: int | None) -> View:
    person = await desk.person(body)
    person.require(READERS, "read alerts")
    alert, moments, left_out = await desk.records.read(alert_history, alert_id)
    return timeline_view(alert, moments, left_out=left_out, provider_title=desk.title(alert), page=page)
