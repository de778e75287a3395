"""PagerDuty's two ways: its REST API, with TLS on loopback, and the signed webhooks that it sends the bot."""

import asyncio
import json
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bot.playground.pagerduty import KEY, TEST_KEY, FakePagerDuty
from bot.playground.pagerduty_shapes import Body, subscription
from bot.playground.tls import server_context
from bot.providers.contract import Sample
from bot.providers.pagerduty.samples import signed

PATIENCE = 15.0


class PagerDutyLine:
    """Between a fake PagerDuty and the bot. The port is its own from the beginning; it is served after `start()`.

    `authority` is the certificate that whoever calls has to trust. `noted` hears of each webhook: its event type, and
    the status of the bot's answer (0 without one).
    """

    def __init__(self, fake: FakePagerDuty, *, folder: Path, bot_url: str) -> None:
        self.fake = fake
        self.noted: Callable[[str, int], None] = lambda _event, _status: None
        self._webhook = f"{bot_url.rstrip('/')}/webhooks/pagerduty"
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._socket.getsockname()[1]}"
        self.authority = folder / "pagerduty-authority.pem"
        self._events: asyncio.Queue[Body] = asyncio.Queue()
        fake.hear = self._hear
        fake.subscriptions = [subscription(self._webhook)]

    @property
    def environ(self) -> Mapping[str, str]:
        """What makes the bot ask and tell this PagerDuty."""
        return {
            "PAGERDUTY_API_KEY": KEY,
            "SOCMON_PAGERDUTY_URL": self.url,
            "SOCMON_PAGERDUTY_EVENTS_URL": self.url,
            "SOCMON_PAGERDUTY_TEST_KEY": TEST_KEY,
        }

    async def start(self) -> None:
        async def answer(request: web.Request) -> web.Response:
            return web.json_response(**await answer_of(self.fake, request))

        self._runner = api_runner(answer)
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket, ssl_context=server_context(self.authority)).start()
        self._telling = asyncio.create_task(self._tell())

    async def stop(self) -> None:
        self._telling.cancel()
        await asyncio.wait([self._telling])
        await self._runner.cleanup()

    def before(self, provider: str, sample: Sample) -> bool:
        """A sample is about to be sent to the bot: an incident it tells of stands in PagerDuty first.

        False when PagerDuty cannot send it.
        """
        if provider != "pagerduty":
            return True
        self.fake.adopt(json.loads(sample.body)["event"])
        return not self.fake.is_down()

    def _hear(self, event: Body) -> None:
        """What happens in an outage nobody is told of, then or later."""
        if not self.fake.is_down():
            self._events.put_nowait(event)

    async def _tell(self) -> None:
        """One after the other, so that what came first is heard first."""
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                event = await self._events.get()
                sample = signed(event)
                try:
                    async with session.post(
                        self._webhook, data=sample.body, headers=sample.headers
                    ) as answer:
                        status = answer.status
                except (TimeoutError, aiohttp.ClientError, OSError):
                    status = 0
                self.noted(event["event_type"], status)


def api_runner(answer: Callable[[web.Request], Any]) -> web.AppRunner:
    """All paths lead to this handler."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    return web.AppRunner(application, access_log=None)


async def answer_of(fake: FakePagerDuty, request: web.Request) -> Body:
    """The fake's answer to a request, as `web.json_response` takes it."""
    query = {name: request.query.getall(name) for name in request.query}
    headers = {name.lower(): value for name, value in request.headers.items()}
    body = await request.json() if request.can_read_body else {}
    status, said = fake.answer(request.method, request.path, query, headers, body)
    return {"data": said, "status": status}
