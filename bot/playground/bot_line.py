"""The line to the bot: signed HTTP requests, three seconds of patience, and events sent again when not taken."""

import asyncio
import hmac
import json
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bot.playground.transcript import Transcript
from bot.playground.workspace import Workspace

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
RETRY_DELAYS = (0.0, 60.0, 300.0)  # Slack sends an event that got no 2xx three more times


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the bot answered. `error` is Slack's word for what went wrong, empty when nothing did."""

    status: int = 0
    text: str = ""
    error: str = ""

    def json(self) -> Any:
        """The answer as JSON; None when it is empty or something else."""
        try:
            return json.loads(self.text) if self.text.strip() else None
        except ValueError:
            return None


class BotLine:
    """Sends requests to the bot's `POST /slack/events`, signed as Slack signs them."""

    def __init__(
        self,
        workspace: Workspace,
        transcript: Transcript,
        *,
        bot_url: str,
        signing_secret: str,
        patience: float,
    ) -> None:
        self._workspace = workspace
        self._transcript = transcript
        self._url = f"{bot_url.rstrip('/')}/slack/events"
        self._secret = signing_secret.encode()
        self._patience = aiohttp.ClientTimeout(total=patience)
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def interact(self, payload: dict[str, Any], about: str) -> Reply:
        """Send an interaction; `about` says what it is, for the request log."""
        return await self._send(FORM, urlencode({"payload": json.dumps(payload)}).encode(), about)

    async def command(self, form: dict[str, str], about: str) -> Reply:
        return await self._send(FORM, urlencode(form).encode(), about)

    async def event(self, payload: dict[str, Any], about: str) -> Reply:
        """Send an event. One that is not taken is sent again later."""
        body = json.dumps(payload).encode()
        reply = await self._send(JSON, body, about)
        if reply.error and payload["type"] == "event_callback":
            self._spawn(self._retry(body, about, reply.error))
        return reply

    async def _send(
        self, content_type: str, body: bytes, about: str, *, retry: int = 0, reason: str = ""
    ) -> Reply:
        headers = {"Content-Type": content_type, **self._signature(body)}
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason}
        started = self._workspace.now()
        reply = await self._exchange(body, headers)
        kind, _, detail = about.partition(" ")
        entry = self._transcript.add(
            "out",
            kind,
            at=started,
            until=self._workspace.now(),
            status=reply.status,
            error=reply.error,
            about=detail,
        )
        self._workspace.tell("request", entry.as_json())
        return reply

    def _signature(self, body: bytes) -> dict[str, str]:
        # Compared with the bot's own clock, so the playground's clock, which a test may stop, will not do.
        timestamp = str(int(time.time()))
        signed = hmac.new(self._secret, f"v0:{timestamp}:".encode() + body, sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={signed}"}

    async def _exchange(self, body: bytes, headers: dict[str, str]) -> Reply:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, timeout=self._patience
            ) as answer:
                return Reply(status=answer.status, text=await answer.text(), error=_http_error(answer.status))
        except TimeoutError:
            return Reply(error="operation_timeout")
        except (aiohttp.ClientError, OSError):
            return Reply(error="dispatch_failed")

    async def _retry(self, body: bytes, about: str, reason: str) -> None:
        slack_reason = "http_timeout" if reason == "operation_timeout" else "http_error"
        for number, delay in enumerate(RETRY_DELAYS, start=1):
            await asyncio.sleep(delay)
            reply = await self._send(JSON, body, about, retry=number, reason=slack_reason)
            if not reply.error:
                return

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _http_error(status: int) -> str:
    if status < 300:
        return ""
    return "http_client_error" if status < 500 else "http_service_error"
