"""chat.*: post, update, whisper, delete, link."""

import json
from typing import Any

from bot.playground.block_kit import BROADCAST_WORD, message_problems, rings_everybody
from bot.playground.errors import SlackError
from bot.playground.messages import Message
from bot.playground.methods.method import Answer, Call, Method
from bot.playground.people import BOT_USER, Channel
from bot.playground.rate_limits import Tier

LONGEST_POST = 40_000  # longer ones are cut
LONGEST_UPDATE = 4_000
MOST_METADATA_BYTES = 8_000
MOST_ATTACHMENTS = 100


def post_message(call: Call) -> Answer:
    channel = _writable_channel(call)
    content = read_content(call.arguments.text("text"), _lists(call), call)
    message = call.workspace.post(
        Message(
            ts=call.workspace.new_ts(),
            channel=channel.id,
            user=BOT_USER,
            thread_ts=call.arguments.text("thread_ts") or None,
            broadcast=call.arguments.flag("reply_broadcast"),
            metadata=_metadata(call),
            **content,
        )
    )
    return {"channel": channel.id, "ts": message.ts, "message": message.as_slack()}


def update(call: Call) -> Answer:
    channel = call.workspace.channel(call.arguments.required("channel"))
    message = call.workspace.message(channel.id, call.arguments.required("ts"))
    if message.user != BOT_USER:
        raise SlackError("cant_update_message")
    _require_writable(channel)
    if len(call.arguments.text("text")) > LONGEST_UPDATE:
        raise SlackError("msg_too_long")
    # What is not given stays as it is; an empty list takes it away.
    stored = {"blocks": message.blocks, "attachments": message.attachments}
    given = {name: value for name, value in _lists(call).items() if value is not None}
    content = read_content(call.arguments.text("text", message.text), stored | given, call)
    message.text, message.blocks = content["text"], content["blocks"]
    message.attachments = content["attachments"]
    if call.arguments.has("metadata"):
        message.metadata = _metadata(call)
    call.workspace.edited(message)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": message.as_slack()}


def post_ephemeral(call: Call) -> Answer:
    channel = _writable_channel(call)
    user = call.workspace.user(call.arguments.required("user"))
    if user.id not in channel.members:
        raise SlackError("user_not_in_channel")
    content = read_content(call.arguments.text("text"), _lists(call), call)
    message = call.workspace.whisper(
        Message(
            ts=call.workspace.new_ts(),
            channel=channel.id,
            user=BOT_USER,
            only_for=user.id,
            thread_ts=call.arguments.text("thread_ts") or None,
            **content,
        )
    )
    return {"message_ts": message.ts}


def delete(call: Call) -> Answer:
    channel = call.workspace.channel(call.arguments.required("channel"))
    message = call.workspace.message(channel.id, call.arguments.required("ts"))
    if message.user != BOT_USER:
        raise SlackError("cant_delete_message")
    call.workspace.delete(message)
    return {"channel": channel.id, "ts": message.ts}


def get_permalink(call: Call) -> Answer:
    channel = call.workspace.channel(call.arguments.required("channel"))
    message = call.workspace.message(channel.id, call.arguments.required("message_ts"))
    link = f"{call.own_url}/playground/#/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}"
    return {"channel": channel.id, "permalink": link}


def read_content(text: str, lists: dict[str, Any], call: Call | None = None) -> dict[str, Any]:
    """A message's text, blocks and attachments, checked as Slack would; raises SlackError."""
    blocks, attachments = lists.get("blocks") or [], lists.get("attachments") or []
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    if problems := message_problems(blocks):
        raise SlackError("invalid_blocks", *problems, errors=problems)
    check_attachments(attachments)
    if not text.strip() and not blocks and not attachments:
        raise SlackError("no_text")
    if rings_everybody(text, blocks, attachments) or (call is not None and _names_everybody(call, text)):
        raise SlackError("restricted_action", "socmon never rings a whole channel: name one owner instead")
    return {"text": text[:LONGEST_POST], "blocks": blocks, "attachments": attachments}


def check_attachments(attachments: Any) -> None:
    if not isinstance(attachments, list) or not all(isinstance(item, dict) for item in attachments):
        raise SlackError("invalid_attachments")
    if len(attachments) > MOST_ATTACHMENTS:
        raise SlackError("too_many_attachments")
    for index, attachment in enumerate(attachments):
        if problems := message_problems(attachment.get("blocks") or [], f"/attachments/{index}/blocks"):
            raise SlackError("invalid_attachments", *problems, errors=problems)


def _names_everybody(call: Call, text: str) -> bool:
    parses = call.arguments.text("parse") == "full" or call.arguments.flag("link_names")
    return parses and bool(BROADCAST_WORD.search(text))


def _list(call: Call, name: str) -> Any:
    return call.arguments.structure(
        name, error=f"invalid_{name}_format" if name == "blocks" else "invalid_attachments"
    )


def _lists(call: Call) -> dict[str, Any]:
    return {"blocks": _list(call, "blocks"), "attachments": _list(call, "attachments")}


def _metadata(call: Call) -> dict[str, Any] | None:
    metadata = call.arguments.structure("metadata", error="invalid_metadata_format")
    if not metadata:
        return None
    well_formed = isinstance(metadata, dict) and isinstance(metadata.get("event_type"), str)
    if not well_formed or not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format", "needs an event_type and an event_payload")
    if len(json.dumps(metadata).encode()) > MOST_METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return {"event_type": metadata["event_type"], "event_payload": metadata["event_payload"]}


def _writable_channel(call: Call) -> Channel:
    reference = call.arguments.text("channel")
    if not reference:
        raise SlackError("channel_not_found")
    channel = call.workspace.channel(reference)
    _require_writable(channel)
    return channel


def _require_writable(channel: Channel) -> None:
    if channel.archived:
        raise SlackError("is_archived")
    if BOT_USER not in channel.members:
        raise SlackError("not_in_channel")


_WRITE = ("chat:write",)
METHODS = {
    "chat.postMessage": Method(run=post_message, tier=Tier.SPECIAL, scopes=_WRITE),
    "chat.update": Method(run=update, tier=Tier.THREE, scopes=_WRITE),
    "chat.postEphemeral": Method(run=post_ephemeral, tier=Tier.FOUR, scopes=_WRITE),
    "chat.delete": Method(run=delete, tier=Tier.THREE, scopes=_WRITE),
    "chat.getPermalink": Method(run=get_permalink, tier=Tier.SPECIAL),
}
