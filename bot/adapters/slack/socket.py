"""Socket Mode's connection: kept up for as long as socmon runs, and seen when it is not.

Slack's own client reconnects as well, but tells nobody why it cannot, and tries an address again that Slack gave for
one connection. So it only serves the connection here; when to make a new one is decided below.
"""

import asyncio
from collections.abc import Awaitable, Callable

from slack_sdk.socket_mode.aiohttp import SocketModeClient

from bot.adapters.slack.web import RateLimited, SlackSaysNo, answer_of

SUBJECT = "slack:socket"
LOOK_SECONDS = 2.0
CONNECT_SECONDS = 15.0
LONGEST_BACKOFF = 60.0
PATIENCE = 3  # attempts without an answer before anybody is alarmed; a “no” of Slack's is told at once


async def keep_connected(
    socket: SocketModeClient,
    *,
    report: Callable[[str, str], Awaitable[None]],
    mended: Callable[[str], Awaitable[None]],
) -> None:
    """Connect, and connect again whenever the connection is gone; runs until it is cancelled."""
    socket.default_auto_reconnect_enabled = socket.auto_reconnect_enabled = False
    failures = 0
    was_connected = False
    while True:
        wait = LOOK_SECONDS
        if not await socket.is_connected():
            was_connected = False
            try:
                await _connect(socket)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is reported and tried again
                failures += 1
                wait = min(LONGEST_BACKOFF, LOOK_SECONDS * 2 ** min(failures, 6))
                if isinstance(error, RateLimited):
                    wait = max(wait, error.seconds)
                if isinstance(error, SlackSaysNo) or failures >= PATIENCE:
                    await report(SUBJECT, _trouble(error))
        if not was_connected and await socket.is_connected():
            failures, was_connected = 0, True
            await mended(SUBJECT)
        await asyncio.sleep(wait)


async def _connect(socket: SocketModeClient) -> None:
    answer = await answer_of(socket.web_client.apps_connections_open(app_token=socket.app_token))
    socket.wss_uri = answer["url"]
    socket.last_ping_pong_time = None  # else the old connection's silence condemns the new one
    await asyncio.wait_for(socket.connect(), CONNECT_SECONDS)  # type: ignore[no-untyped-call]


def _trouble(error: Exception) -> str:
    return (
        f"Slack cannot reach socmon over Socket Mode ({str(error) or 'no connection in time'}), so no button, form or"
        " command works; alerts are recorded and shown all the same. Mend: check SLACK_APP_TOKEN (an app-level token"
        " with connections:write) and that Socket Mode is on in the app's settings, then restart."
    )
