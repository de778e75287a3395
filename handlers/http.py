"""The routes, and the guards in front of Slack's requests."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message

from bot.ports import Clock
from handlers.confirm import Confirming
from handlers.deployments import Gate
from handlers.health import Health
from handlers.webhooks import Intake

REPLAY_SECONDS = 600
MOST_REMEMBERED = 10_000
LARGEST_SLACK_BODY = 1024 * 1024
BODY_SECONDS = 15
FORGED_SECONDS = 600
MOST_FORGED = 3
SIGNATURE = "slack:signature"
MISFIT = (
    "Requests that should come from Slack are refused, since their signatures are wrong: every click and command goes"
    " unanswered. Mend: set SLACK_SIGNING_SECRET to the app's signing secret (Basic Information) and restart, and check"
    " this machine's clock. If both are right, somebody else sends these requests, and they do no harm."
)

Handle = Callable[[Request], Awaitable[Response]]


def routes(
    *, intake: Intake, gate: Gate, health: Health, confirming: Confirming, slack: "SlackGuard | None"
) -> list[BaseRoute]:
    """Every fixed route. Without a signing secret there is no /slack/events: Socket Mode needs none."""
    found: list[BaseRoute] = [
        Route("/webhooks/{provider}", intake.handle, methods=["POST"]),
        Route("/deployments", gate.handle, methods=["POST"]),
        Route("/confirm/{token}", confirming.show),
        Route("/confirm/{token}", confirming.confirm, methods=["POST"]),
        Route("/healthz", health.healthz),
        Route("/readyz", health.readyz),
        Route("/metrics", health.metrics),
    ]
    if slack:
        found.append(Route("/slack/events", slack.handle, methods=["POST"]))
    return found


class SlackGuard:
    """In front of Bolt: what it answers with 500 (a timestamp that is no number) is refused, and a replay does nothing.

    Bolt accepts the same signed request twice within five minutes; every signature is taken once here. When nothing but
    wrong signatures comes, the secret is wrong: that is reported. Forged requests among good ones are only refused.
    """

    def __init__(
        self,
        handle: Handle,
        clock: Clock,
        *,
        report: Callable[[str, str], Awaitable[None]],
        mended: Callable[[str], Awaitable[None]],
    ) -> None:
        self._handle, self._clock, self._report, self._mended = handle, clock, report, mended
        self._taken: OrderedDict[str, float] = OrderedDict()
        self._badly_signed: list[float] = []
        self._well_signed: float | None = None

    async def handle(self, request: Request) -> Response:
        timestamp = request.headers.get("x-slack-request-timestamp", "")
        signature = request.headers.get("x-slack-signature", "")
        length = request.headers.get("content-length", "0")
        if not re.fullmatch(r"[0-9]{1,12}", timestamp) or not re.fullmatch(r"v0=[0-9a-f]{64}", signature):
            return PlainTextResponse("This request is not signed by Slack.\n", 401)
        if not re.fullmatch(r"[0-9]{1,7}", length) or int(length) > LARGEST_SLACK_BODY:
            return PlainTextResponse("The body is too large.\n", 413)
        body = await _capped_body(request)
        if body is None:
            return PlainTextResponse("The body is too large, or did not come in time.\n", 413)
        if signature in self._taken:
            return PlainTextResponse("", 200)
        self._remember(signature)  # now, so that a copy which overtakes this request finds it
        answer = await self._handle(_again(request, body))
        if answer.status_code >= 400:
            self._taken.pop(signature, None)
        await self._heed(well_signed=answer.status_code != 401)
        return answer

    async def _heed(self, *, well_signed: bool) -> None:
        now = self._clock.monotonic()
        if not well_signed:
            self._badly_signed = [at for at in self._badly_signed if now - at < FORGED_SECONDS] + [now]
            if len(self._badly_signed) >= MOST_FORGED and not self._works(now):
                self._badly_signed = []
                await self._report(SIGNATURE, MISFIT)
            return
        worked, self._well_signed = self._works(now), now
        if not worked:
            await self._mended(SIGNATURE)

    def _works(self, now: float) -> bool:
        return self._well_signed is not None and now - self._well_signed < FORGED_SECONDS

    def _remember(self, signature: str) -> None:
        now = self._clock.monotonic()
        self._taken[signature] = now
        while self._taken:
            oldest = next(iter(self._taken))
            if len(self._taken) <= MOST_REMEMBERED and now - self._taken[oldest] < REPLAY_SECONDS:
                return
            del self._taken[oldest]


async def _capped_body(request: Request) -> bytes | None:
    """None when it is too large, takes too long, or the connection ended before the body did."""
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > LARGEST_SLACK_BODY:
                    return None
    except (ClientDisconnect, TimeoutError):
        return None
    return body


def _again(request: Request, body: bytes) -> Request:
    """The same request, whose body can be read once more."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, receive)
