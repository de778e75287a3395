"""What a bot says back to an interaction: the reply to a command, or a post to its response address."""

from typing import Any

from bot.playground.errors import SlackError
from bot.playground.messages import Message
from bot.playground.methods.chat import read_content
from bot.playground.people import BOT_USER
from bot.playground.tickets import ResponseAddress
from bot.playground.workspace import Workspace


def show_response(workspace: Workspace, address: ResponseAddress, given: dict[str, Any]) -> None:
    """Carry out one response; raises SlackError.

    A slash command has no original message, so `replace_original` adds a message there, as it does in Slack
    (slackapi/bolt-js#2287, slackapi/bolt-python#1268).
    """
    if given.get("delete_original") and address.ts:
        _delete_original(workspace, address)
        return
    content = read_content(str(given.get("text") or ""), given)
    metadata = given.get("metadata")
    if given.get("replace_original") and address.ts:
        _replace_original(workspace, address, content)
        return
    message = Message(
        ts=workspace.new_ts(),
        channel=address.channel,
        user=BOT_USER,
        thread_ts=given.get("thread_ts") or address.thread_ts,
        metadata=metadata if isinstance(metadata, dict) else None,
        **content,
    )
    if given.get("response_type") == "in_channel":
        workspace.post(message)
    else:
        message.only_for = address.user
        workspace.whisper(message)


def _replace_original(workspace: Workspace, address: ResponseAddress, content: dict[str, Any]) -> None:
    ts = address.ts or ""
    if address.ephemeral:
        old = workspace.dismiss(address.user, ts)
        thread_ts = old.thread_ts if old else address.thread_ts
        replaced = Message(ts=ts, channel=address.channel, user=BOT_USER, thread_ts=thread_ts, **content)
        replaced.only_for = address.user
        workspace.whisper(replaced)
        return
    message = workspace.message(address.channel, ts)
    if message.user != BOT_USER:
        raise SlackError("cant_update_message")
    message.text, message.blocks = content["text"], content["blocks"]
    message.attachments = content["attachments"]
    workspace.edited(message)


def _delete_original(workspace: Workspace, address: ResponseAddress) -> None:
    ts = address.ts or ""
    if address.ephemeral:
        workspace.dismiss(address.user, ts)
    else:
        workspace.delete(workspace.message(address.channel, ts))
