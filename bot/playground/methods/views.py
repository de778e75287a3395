"""views.*: open, push and update modals, publish App Home."""

from typing import Any

from bot.playground.errors import SlackError
from bot.playground.methods.method import Answer, Call, Method
from bot.playground.rate_limits import Tier
from bot.playground.view_stacks import View


def open_view(call: Call) -> Answer:
    view = _given(call)
    trigger = call.workspace.tickets.redeem(_trigger_id(call))
    opened = call.workspace.views.open(trigger.user, view)
    _tell(call, opened)
    return {"view": opened.as_slack()}


def push_view(call: Call) -> Answer:
    view = _given(call)
    trigger = call.workspace.tickets.redeem(_trigger_id(call))
    pushed = call.workspace.views.push(trigger.user, view)
    _tell(call, pushed)
    return {"view": pushed.as_slack()}


def update_view(call: Call) -> Answer:
    arguments = call.arguments
    view = call.workspace.views.find(arguments.text("view_id"), arguments.text("external_id"))
    call.workspace.views.update(view, _given(call), arguments.text("hash"))
    _tell(call, view)
    return {"view": view.as_slack()}


def publish_view(call: Call) -> Answer:
    user = call.workspace.user(call.arguments.required("user_id"))
    home = call.workspace.views.publish(user.id, _given(call), call.arguments.text("hash"))
    _tell(call, home)
    return {"view": home.as_slack()}


def _given(call: Call) -> Any:
    view = call.arguments.structure("view")
    if view is None:
        raise SlackError("invalid_arguments", "missing required field: view")
    return view


def _trigger_id(call: Call) -> str:
    trigger_id = call.arguments.text("trigger_id")
    if not trigger_id:
        raise SlackError("invalid_arguments", "missing required field: trigger_id")
    return trigger_id


def _tell(call: Call, view: View) -> None:
    if view.type == "home":
        call.workspace.tell("home", {"view": view.as_slack()}, user=view.user)
    else:
        call.workspace.tell_views(view.user)


METHODS = {
    "views.open": Method(run=open_view, tier=Tier.FOUR),
    "views.push": Method(run=push_view, tier=Tier.FOUR),
    "views.update": Method(run=update_view, tier=Tier.FOUR),
    "views.publish": Method(run=publish_view, tier=Tier.FOUR),
}
