"""People act: each act becomes a signed request to the bot, as Slack would send it, and its reply is carried out."""

from dataclasses import dataclass
from typing import Any

from bot.playground import payloads
from bot.playground.block_kit import elements_of
from bot.playground.bot_line import BotLine, Reply
from bot.playground.errors import SlackError
from bot.playground.forms import Given, problems, state_values, typed_value
from bot.playground.messages import Message
from bot.playground.people import BOT_USER, COMMAND, SLACKBOT
from bot.playground.responses import show_response
from bot.playground.tickets import ResponseAddress
from bot.playground.transcript import Transcript
from bot.playground.typed_text import typed_text
from bot.playground.view_stacks import View
from bot.playground.workspace import Workspace

TROUBLE = "We had some trouble connecting. Try again?"

Result = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an act happens: in a message, in an open modal, or in App Home."""

    channel: str = ""
    ts: str = ""
    view_id: str = ""


class Interactions:
    """Sends what people do in the workspace to the bot."""

    def __init__(self, workspace: Workspace, transcript: Transcript, line: BotLine, *, own_url: str) -> None:
        self._workspace = workspace
        self._transcript = transcript
        self._line = line
        self._own_url = own_url

    # What people do
    async def click(
        self, user_id: str, place: Place, *, block_id: str, action_id: str, raw: Any, given: Given
    ) -> Result:
        """Use a button, menu, picker … in a message or a view."""
        user = self._workspace.user(user_id)
        blocks, part, trigger_id = self._place(user_id, place)
        element = _find_element(blocks, block_id, action_id)
        value = typed_value(element, raw)
        action = {
            "action_id": action_id,
            "block_id": block_id,
            **value,
            "type": element["type"],
            "action_ts": self._workspace.new_ts(),
        }
        state = state_values(blocks, given)
        if "view" in part:
            part["view"]["state"] = {"values": state}
        payload = payloads.block_actions(
            user, trigger_id=trigger_id, container=part["container"], state=state, action=action
        )
        reply = await self._interact(payload | part)
        return _result(reply)

    async def options(self, user_id: str, place: Place, block_id: str, action_id: str, query: str) -> Result:
        """Ask the bot what an external menu offers."""
        _, part, _ = self._place(user_id, place)
        payload = payloads.block_suggestion(
            self._workspace.user(user_id), block_id=block_id, action_id=action_id, value=query
        )
        reply = await self._interact(payload | part)
        offered = reply.json()
        return _result(reply) | (offered if isinstance(offered, dict) else {"options": []})

    async def submit(self, user_id: str, view_id: str, given: Given) -> Result:
        """Send a modal. The answer's `errors` say, by block, what has to be changed."""
        view = self._own_view(user_id, view_id)
        values = state_values(view.blocks, given)
        if wrong := problems(view.blocks, values):
            return {"ok": False, "errors": wrong}
        view.values = values
        trigger_id = self._workspace.tickets.trigger(user_id, view.id)
        reply = await self._interact(
            payloads.view_submission(self._workspace.user(user_id), view, trigger_id)
        )
        if reply.error:
            return {"ok": False, "error": reply.error, "text": TROUBLE}
        return self._carry_out(user_id, view, reply)

    async def close(self, user_id: str, view_id: str) -> Result:
        """Close a modal, and with it all below it if the modal says so."""
        view = self._own_view(user_id, view_id)
        closed = [view]
        if view.clear_on_close:
            closed = list(reversed(self._workspace.views.stacks.get(user_id, [])))
            self._workspace.views.clear(user_id)
        elif self._workspace.views.top(user_id) is view:
            self._workspace.views.pop(user_id)
        self._workspace.tell_views(user_id)
        user = self._workspace.user(user_id)
        for each in closed:
            if each.notify_on_close:
                await self._interact(payloads.view_closed(user, each, is_cleared=view.clear_on_close))
        return {"ok": True}

    async def shortcut(self, user_id: str, callback_id: str, place: Place) -> Result:
        """Use a shortcut, on a message if `place` names one."""
        user = self._workspace.user(user_id)
        trigger_id, action_ts = self._workspace.tickets.trigger(user_id), self._workspace.new_ts()
        if not place.ts:
            return _result(await self._interact(payloads.shortcut(user, callback_id, trigger_id, action_ts)))
        message = self._workspace.message(place.channel, place.ts)
        payload = payloads.message_action(
            user,
            callback_id,
            message=message.as_slack(metadata=False),
            channel=self._workspace.channel(place.channel),
            trigger_id=trigger_id,
            response_url=self._response_url(user_id, message),
            action_ts=action_ts,
        )
        return _result(await self._interact(payload))

    async def write(self, user_id: str, channel_id: str, text: str, thread_ts: str | None = None) -> Result:
        """Send what stands in the composer: a slash command, or a message."""
        channel = self._workspace.channel(channel_id)
        if channel.archived or user_id not in channel.members:
            raise SlackError("is_archived" if channel.archived else "not_in_channel")
        if not text.startswith("/"):
            message = self._workspace.say(user_id, channel_id, typed_text(text, self._workspace), thread_ts)
            return {"ok": True, "ts": message.ts}
        command, _, rest = text.partition(" ")
        if thread_ts:
            return self._slackbot(
                user_id, channel_id, f"{command} is not supported in threads. Sorry!", thread_ts
            )
        return await self.command(user_id, channel_id, command, rest.strip())

    async def command(self, user_id: str, channel_id: str, command: str, text: str) -> Result:
        """Use a slash command."""
        if command in {"/invite", "/remove"}:
            return self._membership(user_id, channel_id, command, text)
        if command != COMMAND:
            return self._slackbot(
                user_id, channel_id, f"`{command}` is not a valid command. Try `{COMMAND} help`."
            )
        address = ResponseAddress(user=user_id, channel=channel_id, issued_at=self._workspace.now())
        form = payloads.slash_command(
            self._workspace.user(user_id),
            self._workspace.channel(channel_id),
            command=command,
            text=typed_text(text, self._workspace, labels=True),
            trigger_id=self._workspace.tickets.trigger(user_id),
            response_url=self._address_url(address),
        )
        reply = await self._line.command(form, f"{command} {text}".strip())
        return self._show_reply(reply, address, command)

    async def open_home(self, user_id: str, tab: str = "home") -> Result:
        """Open the app's Home or Messages tab."""
        user, channel = self._workspace.user(user_id), self._workspace.direct(user_id)
        home = self._workspace.views.homes.get(user_id)
        event = payloads.app_home_opened(user, channel, tab, home, self._workspace.new_ts())
        return _result(await self.event(event))

    async def event(self, event: dict[str, Any]) -> Reply:
        """Tell the bot of an event."""
        payload = payloads.event_callback(event, int(self._workspace.now().timestamp()))
        return await self._line.event(payload, event["type"])

    async def verify_url(self, challenge: str) -> bool:
        """Whether the bot's address answers Slack's challenge."""
        reply = await self._line.event(payloads.url_verification(challenge), "url_verification")
        answer = reply.json()
        given = answer.get("challenge") if isinstance(answer, dict) else reply.text
        return not reply.error and given == challenge

    # What comes back
    def _carry_out(self, user_id: str, view: View, reply: Reply) -> Result:
        """Do what the bot answered to a submitted view."""
        said = reply.json()
        answer: dict[str, Any] = said if isinstance(said, dict) else {}
        try:
            if answer.get("response_action") == "errors":
                return _field_errors(view, answer.get("errors"))
            self._move_views(user_id, view, answer)
        except SlackError as error:
            self._refuse("view_submission", error)
            return {"ok": False, "error": error.error, "text": TROUBLE}
        self._workspace.tell_views(user_id)
        return {"ok": True}

    def _move_views(self, user_id: str, view: View, answer: dict[str, Any]) -> None:
        views = self._workspace.views
        match answer.get("response_action"):
            case None:
                if views.top(user_id) is view:
                    views.pop(user_id)
            case "clear":
                views.clear(user_id)
            case "update":
                views.update(view, answer.get("view", {}))
            case "push":
                views.push(user_id, answer.get("view", {}))
            case other:
                raise SlackError("invalid_arguments", f"unknown response_action {other}")

    def _show_reply(self, reply: Reply, address: ResponseAddress, command: str) -> Result:
        if reply.error:
            text = f"{command} failed with the error “{reply.error}”."
            return self._slackbot(address.user, address.channel, text) | {"ok": False, "error": reply.error}
        if not reply.text.strip():
            return {"ok": True}
        answer = reply.json()
        try:
            given = answer if isinstance(answer, dict) else {"text": reply.text}
            show_response(self._workspace, address, given)
        except SlackError as error:
            self._refuse(command, error)
            text = f"{command} failed with the error “{error.error}”."
            return self._slackbot(address.user, address.channel, text) | {"ok": False, "error": error.error}
        return {"ok": True}

    def _slackbot(self, user_id: str, channel_id: str, text: str, thread_ts: str | None = None) -> Result:
        self._workspace.whisper(
            Message(
                ts=self._workspace.new_ts(),
                channel=channel_id,
                user=SLACKBOT,
                text=text,
                only_for=user_id,
                thread_ts=thread_ts,
            )
        )
        return {"ok": True}

    def _membership(self, user_id: str, channel_id: str, command: str, text: str) -> Result:
        if text.lstrip("@").lower() != "socmon":
            return self._slackbot(user_id, channel_id, f"Here `{command} @socmon` is all there is.")
        if command == "/invite":
            self._workspace.join(channel_id, BOT_USER)
            return self._slackbot(user_id, channel_id, f"<@{BOT_USER}> is in this channel now.")
        self._workspace.leave(channel_id, BOT_USER)
        return self._slackbot(user_id, channel_id, f"<@{BOT_USER}> has left this channel.")

    # Where it happens
    def _place(self, user_id: str, place: Place) -> tuple[list[dict[str, Any]], dict[str, Any], str]:
        """The blocks there, the payload's part that tells where, and a trigger id."""
        if place.view_id:
            view = self._own_view(user_id, place.view_id)
            trigger_id = self._workspace.tickets.trigger(user_id, view.id)
            return view.blocks, payloads.from_view(view), trigger_id
        message = self._workspace.ephemeral(user_id, place.ts) or self._workspace.message(
            place.channel, place.ts
        )
        channel = self._workspace.channel(message.channel)
        url = self._response_url(user_id, message)
        shown = message.as_slack(self._workspace.replies(message), metadata=False)
        part = payloads.from_message(message, shown, channel, url)
        return message.blocks, part, self._workspace.tickets.trigger(user_id)

    def _own_view(self, user_id: str, view_id: str) -> View:
        view = self._workspace.views.find(view_id)
        if view.user != user_id:
            raise SlackError("not_found", "this view belongs to somebody else")
        return view

    def _response_url(self, user_id: str, message: Message) -> str:
        return self._address_url(
            ResponseAddress(
                user=user_id,
                channel=message.channel,
                issued_at=self._workspace.now(),
                ts=message.ts,
                thread_ts=message.thread_ts,
                ephemeral=message.only_for is not None,
            )
        )

    def _address_url(self, address: ResponseAddress) -> str:
        return f"{self._own_url}/playground/respond/{self._workspace.tickets.address(address)}"

    async def _interact(self, payload: dict[str, Any]) -> Reply:
        return await self._line.interact(payload, _about(payload))

    def _refuse(self, about: str, error: SlackError) -> None:
        """Note that a reply was not acceptable."""
        now = self._workspace.now()
        messages = error.details.get("response_metadata", {}).get("messages", [])
        detail = "; ".join(messages) or about
        entry = self._transcript.add("in", "reply", at=now, until=now, error=error.error, about=detail)
        self._workspace.tell("request", entry.as_json())


def _result(reply: Reply) -> Result:
    return {"ok": False, "error": reply.error, "text": TROUBLE} if reply.error else {"ok": True}


def _field_errors(view: View, errors: Any) -> Result:
    """The bot's objections; they must name input blocks of the view, or Slack shows none of them."""
    known = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not errors.keys() <= known:
        raise SlackError("invalid_arguments", "errors must name the view's input blocks")
    return {"ok": False, "errors": {block_id: str(text) for block_id, text in errors.items()}}


def _find_element(blocks: list[dict[str, Any]], block_id: str, action_id: str) -> dict[str, Any]:
    for block in blocks:
        for element in elements_of(block):
            if block.get("block_id") == block_id and element.get("action_id") == action_id:
                return element
    raise SlackError("not_found", f"there is no element {action_id} in block {block_id} any more")


def _about(payload: dict[str, Any]) -> str:
    detail = payload.get("callback_id") or payload.get("view", {}).get("callback_id") or ""
    if payload.get("actions"):
        detail = payload["actions"][0]["action_id"]
    return f"{payload['type']} {detail}".strip()
