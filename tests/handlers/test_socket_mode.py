"""Socket Mode: Slack's requests arrive over a WebSocket that socmon opened, and are answered there."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.handlers.conftest import Build
from tests.slack_server import SlackServer


@dataclass
class Socket:
    """Slack's end of the WebSocket."""

    url: str = ""
    open: asyncio.Event = field(default_factory=asyncio.Event)
    answers: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    _line: web.WebSocketResponse | None = None

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        self._line = web.WebSocketResponse()
        await self._line.prepare(request)
        await self._line.send_json({"type": "hello", "num_connections": 1})
        self.open.set()
        async for message in self._line:
            self.answers.put_nowait(json.loads(message.data))
        return self._line

    async def hang_up(self) -> None:
        assert self._line is not None
        await self._line.close()

    async def send(self, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
        """An envelope, and what came back for it."""
        assert self._line is not None
        await self._line.send_json({"type": kind, "envelope_id": "e-1", "payload": payload})
        return await asyncio.wait_for(self.answers.get(), 5)


@asynccontextmanager
async def socket_server() -> AsyncIterator[Socket]:
    socket = Socket()
    app = web.Application()
    app.router.add_get("/link", socket.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    socket.url = f"ws://{host}:{port}/link"
    try:
        yield socket
    finally:
        await runner.cleanup()


async def test_a_command_over_the_socket_is_acknowledged_and_answered(
    build: Build, slack: SlackServer
) -> None:
    """No public address: the command comes through the socket, its answer goes to the response address."""
    async with socket_server() as socket:
        slack.socket_url = socket.url
        socmon = build(SLACK_BOT_TOKEN="xoxb-1", SLACK_APP_TOKEN="xapp-1", SLACK_API_URL=slack.url)
        app = socmon.asgi()
        async with app.router.lifespan_context(app):
            await asyncio.wait_for(socket.open.wait(), 10)
            command = {
                "command": "/socmon",
                "text": "help",
                "user_id": "U1SAM",
                "team_id": "T1",
                "channel_id": "C0ALERTS",
                "response_url": f"{slack.url}respond",
                "trigger_id": "1.2",
            }
            answer = await socket.send("slash_commands", command)
            assert answer["envelope_id"] == "e-1"
            for _ in range(100):
                if slack.given("respond"):
                    break
                await asyncio.sleep(0.05)
        assert "/socmon" in json.dumps(slack.given("respond"))
