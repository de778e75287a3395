"""A playground that a test can run, and a small bot to talk to it."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import uvicorn
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web import WebClient
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.playground import API_PATH, TOKEN, Playground, create_playground
from bot.providers.contract import Sample, SampleKind

SIGNING_SECRET = "a-signing-secret"
WEBHOOK_SECRET = "a-webhook-secret-0123456789"
START = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
ALL_SCOPES = (
    "chat:write",
    "users:read",
    "users:read.email",
    "usergroups:read",
    "files:write",
    "files:read",
    "im:write",
    "channels:read",
    "channels:join",
    "channels:history",
    "reactions:write",
    "pins:write",
    "bookmarks:write",
)


class HandClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class WallClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def advance(self, seconds: float) -> None:
        time.sleep(seconds)


class TinySamples:
    """A provider's samples, as small as can be: a secret header and a body that says what it is."""

    environ: Mapping[str, str] = {}
    table: Mapping[str, Any] = {}
    pages: Mapping[str, bytes] = {}

    def sample(self, kind: SampleKind, *, problem: int, episode: int, at: datetime) -> Sample:
        body = json.dumps({"kind": kind, "problem": problem, "episode": episode, "at": at.isoformat()})
        headers = {"content-type": "application/json", "x-webhook-secret": WEBHOOK_SECRET}
        return Sample(headers=headers, body=body.encode())


class Served:
    """An ASGI application on a port of its own, in a thread of its own."""

    def __init__(
        self, build: Callable[[str], tuple[list[BaseRoute], list[Playground]]], *, port: int | None = None
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        routes, self._playgrounds = build(self.url)
        self.loop: asyncio.AbstractEventLoop | None = None
        config = uvicorn.Config(
            Starlette(routes=routes, lifespan=self._lifespan),
            host="127.0.0.1",
            port=self.port,
            log_level="critical",
            ws="none",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        wait_until(lambda: self._server.started or not self._thread.is_alive(), what="the server is up")

    def stop(self) -> None:
        for playground in self._playgrounds:
            if self.loop is not None:
                self.loop.call_soon_threadsafe(playground.live.hang_up)
        self._server.should_exit = True
        self._thread.join(10)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self.loop = asyncio.get_running_loop()
        for playground in self._playgrounds:
            await playground.start()
        yield
        for playground in self._playgrounds:
            await playground.stop()


class Rig:
    """A playground and a bot in one server, and the calls a test makes.

    `bolt` gets its listeners from the test's own functions, when the server is already up.
    """

    def __init__(
        self,
        *,
        clock: HandClock | WallClock | None = None,
        rate_limits: bool = False,
        scopes: tuple[str, ...] = ALL_SCOPES,
        patience: float = 3.0,
    ) -> None:
        self.clock = clock or HandClock()
        self.deliveries: list[tuple[str, dict[str, Any]]] = []  # (provider, body) of the genuine ones
        self._options: dict[str, Any] = {"rate_limits": rate_limits, "scopes": scopes, "patience": patience}
        self.served = Served(self._build)
        self.url = self.served.url
        self.http = httpx.Client(base_url=f"{self.url}/playground/", timeout=20)

    def _build(self, url: str) -> tuple[list[BaseRoute], list[Playground]]:
        self.playground = create_playground(
            bot_url=url,
            signing_secret=SIGNING_SECRET,
            bot_token=TOKEN,
            samples={"tiny": TinySamples(), "other": TinySamples()},
            clock=self.clock,
            **self._options,
        )
        self._api_url = f"{url}{API_PATH}"
        self.new_bolt()
        routes = [
            Route("/slack/events", self._slack_events, methods=["POST"]),
            Route("/webhooks/{provider}", self._webhook, methods=["POST"]),
            *self.playground.routes,
        ]
        return routes, [self.playground]

    def new_bolt(self) -> AsyncApp:
        """A bot without any listeners."""
        client = AsyncWebClient(token=TOKEN, base_url=self._api_url, retry_handlers=[])
        self.bolt = AsyncApp(client=client, signing_secret=SIGNING_SECRET)
        return self.bolt

    async def _slack_events(self, request: Request) -> Response:
        return await AsyncSlackRequestHandler(self.bolt).handle(request)

    async def _webhook(self, request: Request) -> Response:
        if request.headers.get("x-webhook-secret") != WEBHOOK_SECRET:
            return JSONResponse({"error": "bad secret"}, status_code=401)
        body = await request.json()
        self.deliveries.append((request.path_params["provider"], body))
        return JSONResponse({"result": "accepted"}, status_code=202)

    def client(self, token: str = TOKEN) -> WebClient:
        """Slack's own client, pointed at the playground."""
        return WebClient(token=token, base_url=self._api_url, retry_handlers=[], timeout=10)

    def act(self, name: str, user: str = "U0SAM", **given: Any) -> dict[str, Any]:
        """A person does something."""
        result: dict[str, Any] = self.http.post(f"act/{name}", json={"user": user, **given}).json()
        return result

    def fault(self, **given: Any) -> httpx.Response:
        return self.http.post("faults", json=given)

    def transcript(self) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get("transcript").json()
        return found

    def state(self, user: str = "U0SAM") -> dict[str, Any]:
        found: dict[str, Any] = self.http.get("state", params={"user": user}).json()
        return found

    def channel(self, channel_id: str = "C0ALERTS", user: str = "U0SAM") -> dict[str, Any]:
        """A channel as one person's page shows it."""
        return next(channel for channel in self.state(user)["channels"] if channel["id"] == channel_id)

    def reset(self) -> None:
        """Everything as it was in the beginning."""
        self.http.post("reset", json={}).raise_for_status()
        self.deliveries.clear()
        self.new_bolt()

    def stop(self) -> None:
        self.http.close()
        self.served.stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def wait_until(check: Callable[[], object], *, what: str, seconds: float = 10) -> None:
    """Wait until the check is true; fails the test when it does not become so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s in vain until {what}")


def section(text: str = "hello", **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(action_id: str = "go", **more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "text": plain("Go"), "value": "1", **more}


def actions(*elements: dict[str, Any], block_id: str = "acts") -> dict[str, Any]:
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def text_input(block_id: str = "note", **more: Any) -> dict[str, Any]:
    element = {"type": "plain_text_input", "action_id": "text", **more}
    return {"type": "input", "block_id": block_id, "label": plain("Note"), "element": element}


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": "form",
        "title": plain("A form"),
        "submit": plain("Send"),
        "blocks": list(blocks) or [text_input()],
        **more,
    }


def home(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "home", "blocks": list(blocks) or [section()], **more}


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}
