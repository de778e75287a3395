"""The payloads Slack sends to an app, built from the workspace. Pure: in goes what happened, out comes the JSON."""

import secrets
from typing import Any

from bot.playground.messages import Message
from bot.playground.people import APP, BOT_USER, TEAM, TEAM_DOMAIN, Channel, User
from bot.playground.view_stacks import View

VERIFICATION_TOKEN = "playground-verification-token"  # noqa: S105 - Slack's deprecated field, worth nothing


def block_actions(
    user: User, *, trigger_id: str, container: dict[str, Any], state: dict[str, Any], action: dict[str, Any]
) -> dict[str, Any]:
    return _interaction("block_actions", user) | {
        "container": container,
        "trigger_id": trigger_id,
        "state": {"values": state},
        "actions": [action],
    }


def from_message(
    message: Message, shown: dict[str, Any], channel: Channel, response_url: str
) -> dict[str, Any]:
    """The part of a payload that says in which message it happened; an ephemeral one does not travel along."""
    container = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.only_for is not None,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    part = {"container": container, "channel": channel_ref(channel), "response_url": response_url}
    return part if message.only_for else part | {"message": shown}


def from_view(view: View) -> dict[str, Any]:
    return {"container": {"type": "view", "view_id": view.id}, "view": view.as_slack()}


def block_suggestion(user: User, *, block_id: str, action_id: str, value: str) -> dict[str, Any]:
    return _interaction("block_suggestion", user) | {
        "block_id": block_id,
        "action_id": action_id,
        "value": value,
    }


def view_submission(user: User, view: View, trigger_id: str) -> dict[str, Any]:
    return _interaction("view_submission", user) | {
        "trigger_id": trigger_id,
        "view": view.as_slack(),
        "response_urls": [],
    }


def view_closed(user: User, view: View, *, is_cleared: bool) -> dict[str, Any]:
    return _interaction("view_closed", user) | {
        "view": view.as_slack(),
        "is_cleared": is_cleared,
        "response_urls": [],
    }


def shortcut(user: User, callback_id: str, trigger_id: str, action_ts: str) -> dict[str, Any]:
    return _interaction("shortcut", user) | {
        "callback_id": callback_id,
        "trigger_id": trigger_id,
        "action_ts": action_ts,
    }


def message_action(
    user: User,
    callback_id: str,
    *,
    message: dict[str, Any],
    channel: Channel,
    trigger_id: str,
    response_url: str,
    action_ts: str,
) -> dict[str, Any]:
    return _interaction("message_action", user) | {
        "callback_id": callback_id,
        "trigger_id": trigger_id,
        "action_ts": action_ts,
        "channel": channel_ref(channel),
        "message_ts": message["ts"],
        "message": message,
        "response_url": response_url,
    }


def slash_command(
    user: User, channel: Channel, *, command: str, text: str, trigger_id: str, response_url: str
) -> dict[str, str]:
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": TEAM,
        "team_domain": TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": channel_ref(channel)["name"],
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }


def event_callback(event: dict[str, Any], event_time: int) -> dict[str, Any]:
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": TEAM,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{secrets.token_hex(5).upper()}",
        "event_time": event_time,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": BOT_USER,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{secrets.token_hex(8)}",
    }


def app_home_opened(
    user: User, channel: Channel, tab: str, view: View | None, event_ts: str
) -> dict[str, Any]:
    event: dict[str, Any] = {
        "type": "app_home_opened",
        "user": user.id,
        "channel": channel.id,
        "tab": tab,
        "event_ts": event_ts,
    }
    if view is not None:
        event["view"] = view.as_slack()
    return event


def url_verification(challenge: str) -> dict[str, Any]:
    return {"type": "url_verification", "token": VERIFICATION_TOKEN, "challenge": challenge}


def channel_ref(channel: Channel) -> dict[str, str]:
    return {"id": channel.id, "name": "directmessage" if channel.is_direct else channel.name}


def _interaction(kind: str, user: User) -> dict[str, Any]:
    return {
        "type": kind,
        "token": VERIFICATION_TOKEN,
        "api_app_id": APP,
        "team": {"id": TEAM, "domain": TEAM_DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": TEAM},
    }
