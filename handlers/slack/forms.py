"""Forms that were sent or closed. One that cannot be taken stays open, with the reason at a field or on top of it."""

import asyncio
from collections.abc import Awaitable, Callable

from slack_bolt.async_app import AsyncApp

from bot.adapters.slack import forms
from bot.adapters.slack import interactions as do
from bot.adapters.slack.answers import SORRY
from bot.adapters.slack.views import View, error_view
from bot.domain.alert import Act
from bot.domain.errors import SocmonError, Unavailable, Unfit, Unidentified
from bot.procedures import respond_to_alert
from bot.procedures.keep_draft import keep_draft
from handlers.slack.coverage import assign_task
from handlers.slack.dashboards import follow_up
from handlers.slack.desk import Body, Desk, Say, account, log
from handlers.slack.home import refresh_home
from handlers.slack.oncall import link_account
from handlers.slack.scope import request_exclusion
from handlers.slack.test_alerts import send_from_form
from handlers.slack.validation import attest, explain, name_delegate, report_gap

Send = Callable[[Desk, Body], Awaitable[View | None]]
"""What is shown in the form's place, where nothing else shows that it was taken."""


def register(app: AsyncApp, desk: Desk) -> None:
    sends: dict[str, tuple[Send, Act | None]] = {
        do.RESOLVE_FORM: (resolve, Act.RESOLVE),
        do.AMEND_FORM: (amend, Act.AMEND),
        do.NOTE_FORM: (add_note, Act.NOTE),
        do.REOPEN_FORM: (reopen, Act.REOPEN),
        do.SNOOZE_FORM: (snooze, None),
        do.REASSIGN_FORM: (reassign, Act.REASSIGN),
        do.ESCALATE_FORM: (escalate, Act.ESCALATE),
        do.ADD_NOTE_FORM: (
            add_message,
            None,
        ),
        do.LINK_FORM: (link_account, None),
        do.EXCLUDE_FORM: (request_exclusion, None),
        do.TEST_FORM: (send_from_form, None),
        do.TASK_FORM: (assign_task, None),
        do.ATTEST_FORM: (attest, None),
        do.GAP_FORM: (report_gap, None),
        do.EXPLAIN_FORM: (explain, None),
        do.DELEGATE_FORM: (name_delegate, None),
        do.DASHBOARD_FORM: (follow_up, None),
    }
    for callback_id, (send, act) in sends.items():
        app.view(callback_id)(_sent(desk, send, act))
        if act:
            app.view_closed(callback_id)(_closed(desk, act))


def _sent(desk: Desk, send: Send, act: Act | None) -> Callable[..., Awaitable[None]]:
    async def callback(ack: Say, body: Body) -> None:
        try:
            view = await send(desk, body)
        except Unfit as error:
            await ack(response_action="errors", errors=forms.field_error(error))
        except (Unavailable, Unidentified) as error:  # worth sending again, as it is
            await ack(response_action="errors", errors=forms.first_field_error(body["view"], str(error)))
        except SocmonError as error:
            await ack(response_action="push", view=error_view(str(error)))
            if act:
                await _keep(desk, body, act)
        except Exception:  # noqa: BLE001 - logged whole, and told to the person
            log.exception("a form failed")
            await ack(response_action="errors", errors=forms.first_field_error(body["view"], SORRY))
        else:
            await (ack(response_action="update", view=view) if view else ack())
            desk.wake()
            await refresh_home(desk, body)

    return callback


def _closed(desk: Desk, act: Act) -> Callable[..., Awaitable[None]]:
    async def callback(ack: Say, body: Body) -> None:
        await ack()
        await _keep(desk, body, act)

    return callback


async def _keep(desk: Desk, body: Body, act: Act) -> None:
    """What was begun is kept; Slack does not always tell what stands in a form that is closed."""
    fields = forms.begun(body["view"])
    if not fields:
        return
    try:
        target = do.read_metadata(body["view"]["private_metadata"])
        await desk.records.write(keep_draft, target.alert_id, act, person=body["user"]["id"], fields=fields)
    except SocmonError as error:
        log.warning("a draft could not be kept: %s", error)


async def resolve(desk: Desk, body: Body) -> None:
    target, form = do.read_metadata(body["view"]["private_metadata"]), body["view"]["id"]
    note, person = forms.read_resolution(body["view"]["state"]), await desk.person_in_time(body)
    await desk.records.write(respond_to_alert.resolve, target.alert_id, by=person, resolution=note, form=form)


async def amend(desk: Desk, body: Body) -> None:
    target, form = do.read_metadata(body["view"]["private_metadata"]), body["view"]["id"]
    note, person = forms.read_resolution(body["view"]["state"]), await desk.person_in_time(body)
    await desk.records.write(respond_to_alert.amend, target.alert_id, by=person, resolution=note, form=form)


async def add_note(desk: Desk, body: Body) -> None:
    target, form = do.read_metadata(body["view"]["private_metadata"]), body["view"]["id"]
    text, person = forms.read_note(body["view"]["state"]), await desk.person_in_time(body)
    await desk.records.write(respond_to_alert.add_note, target.alert_id, by=person, text=text, form=form)


async def reopen(desk: Desk, body: Body) -> None:
    target, form = do.read_metadata(body["view"]["private_metadata"]), body["view"]["id"]
    reason, person = forms.read_reopen(body["view"]["state"]), await desk.person_in_time(body)
    await desk.records.write(respond_to_alert.reopen, target.alert_id, by=person, reason=reason, form=form)


async def snooze(desk: Desk, body: Body) -> None:
    target, form = do.read_metadata(body["view"]["private_metadata"]), body["view"]["id"]
    until = forms.read_snooze(body["view"]["state"], desk.clock.now())
    person = await desk.person_in_time(body)
    given = {"until": until, "seen": target.version, "form": form}
    await desk.records.write(respond_to_alert.snooze, target.alert_id, by=person, **given)


async def reassign(desk: Desk, body: Body) -> None:
    target, form = do.read_metadata(body["view"]["private_metadata"]), body["view"]["id"]
    user, reason = forms.read_reassign(body["view"]["state"])
    team = account(body)[1]
    person, to = await asyncio.gather(desk.person_in_time(body), desk.in_time(user, team))
    given = {"to": to, "reason": reason, "seen": target.version, "form": form}
    await desk.records.write(respond_to_alert.reassign, target.alert_id, by=person, **given)


async def escalate(desk: Desk, body: Body) -> None:
    target, form = do.read_metadata(body["view"]["private_metadata"]), body["view"]["id"]
    reason = forms.read_message(body["view"]["state"])
    person, reach = await asyncio.gather(desk.person_in_time(body), desk.reach_in_time())
    given = {"reach": reach, "reason": reason, "form": form}
    await desk.records.write(respond_to_alert.escalate_now, target.alert_id, by=person, **given)


async def add_message(desk: Desk, body: Body) -> None:
    link, form = do.read_link(body["view"]["private_metadata"]), body["view"]["id"]
    (alert_id, text), person = forms.read_add_note(body["view"]["state"]), await desk.person_in_time(body)
    await desk.records.write(respond_to_alert.add_note, alert_id, by=person, text=text, link=link, form=form)
