"""What Slack sends when people do something, signed, and a short way to wait for what comes of it."""

import asyncio
import itertools
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx

from bot.adapters.slack import interactions as do
from bot.app import Socmon
from tests.handlers.conftest import browser, signed
from tests.slack_server import TEAM, SlackServer

_numbers = itertools.count(1)


async def send(socmon: Socmon, payload: dict[str, Any]) -> httpx.Response:
    """To /slack/events, as an interaction, a command or an event."""
    if payload.get("type") == "event_callback":
        body, kind = json.dumps(payload).encode(), "application/json"
    else:
        given = payload if "command" in payload else {"payload": json.dumps(payload)}
        body, kind = urlencode(given).encode(), "application/x-www-form-urlencoded"
    async with browser(socmon) as client:
        return await client.post("/slack/events", content=body, headers=signed(body) | {"content-type": kind})


async def until(holds: Callable[[], object], seconds: float = 30) -> None:
    """Bolt answers at once and acts afterwards; on a busy machine long afterwards."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - nobody is told when Bolt is done
            await asyncio.sleep(0.01)


def click(slack: SlackServer, action: str, value: str, user: str = "U1SAM") -> dict[str, Any]:
    """A button of the alert's message."""
    return _interaction("block_actions", user) | {
        "container": {"type": "message", "channel_id": "C0ALERTS", "message_ts": "1.1"},
        "channel": {"id": "C0ALERTS"},
        "message": {"ts": "1.1"},
        "response_url": f"{slack.url}response_url",
        "actions": [{"action_id": action, "block_id": "b", "value": value, "type": "button"}],
    }


def click_in(kind: str, action: str, value: str, user: str = "U1SAM") -> dict[str, Any]:
    """A button of a view: "home" or "modal"."""
    return _interaction("block_actions", user) | {
        "container": {"type": "view", "view_id": "V1"},
        "view": {"id": "V1", "hash": "h1", "type": kind},
        "actions": [{"action_id": action, "block_id": "b", "value": value, "type": "button"}],
    }


def submission(form: str, values: dict[str, str], user: str = "U1SAM", **view: Any) -> dict[str, Any]:
    """A form, filled in and sent."""
    return _interaction("view_submission", user) | {"view": _view(form, values, **view)}


def closed(form: str, values: dict[str, str], user: str = "U1SAM", **view: Any) -> dict[str, Any]:
    """A form, filled in and closed."""
    return _interaction("view_closed", user) | {"view": _view(form, values, **view), "is_cleared": False}


def shortcut(slack: SlackServer, message: dict[str, Any], user: str = "U1SAM") -> dict[str, Any]:
    """“Add to alert record” on a message of the alerts channel."""
    return _interaction("message_action", user) | {
        "callback_id": do.ADD_NOTE_SHORTCUT,
        "channel": {"id": "C0ALERTS"},
        "message": message,
        "message_ts": message["ts"],
        "response_url": f"{slack.url}response_url",
    }


def event(kind: str, **facts: Any) -> dict[str, Any]:
    """Something that Slack tells by itself."""
    return {
        "type": "event_callback",
        "team_id": TEAM,
        "api_app_id": "A1",
        "event": {"type": kind, **facts},
        "event_id": f"E{next(_numbers)}",
        "event_time": 1,
        "authorizations": [],
    }


def _interaction(kind: str, user: str) -> dict[str, Any]:
    return {
        "type": kind,
        "team": {"id": TEAM},
        "user": {"id": user, "team_id": TEAM},
        "api_app_id": "A1",
        "trigger_id": f"1.{next(_numbers)}",
    }


def _view(form: str, values: dict[str, str], **view: Any) -> dict[str, Any]:
    typed = {
        name: {
            name: {"selected_option": {"value": value}} if name in {"cause", "alert"} else {"value": value}
        }
        for name, value in values.items()
    }
    return {
        "id": "V1",
        "type": "modal",
        "callback_id": form,
        "private_metadata": do.Target(1, 1).metadata,
        "blocks": [{"type": "input", "block_id": name, "element": {"action_id": name}} for name in values],
        "state": {"values": typed},
        "hash": "h",
        **view,
    }
