"""The playground's Datadog on loopback, in which a test can plant faults."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from aiohttp import web

from bot.playground import datadog
from bot.playground.datadog import API_KEY, APP_KEY, Body, host_list
from bot.providers.contract import Secrets
from bot.providers.datadog.settings import DatadogSettings
from tests.fake_pagerduty import serving

KEYS = {"dd-api-key": API_KEY, "dd-application-key": APP_KEY}


class FakeDatadog(datadog.FakeDatadog):
    """`faults` are statuses that a path answers first, one a request; what was asked for is remembered in `asked`.

    A fault's key is the path, with "?page" after it for all but the first page. `garbage` is what a path answers
    instead of anything sensible. `loses` is a host that leaves the list once its first page was read. Any keys will do.
    `snapshots` are the bodies and statuses with which snapshots are answered first.
    """

    def __init__(self, now: datetime) -> None:
        super().__init__(clock=lambda: self.now)
        self.now = now
        self.faults: dict[str, list[int]] = {}
        self.garbage: dict[str, Any] = {}
        self.loses = ""
        self.asked: list[str] = []
        self.snapshots: list[bytes | int] = []
        self.url = ""

    def settings(self, **facts: Any) -> DatadogSettings:
        known = {"api_key": API_KEY, "app_key": APP_KEY, "api_url": self.url}
        return DatadogSettings(secrets=Secrets(), **known | facts)

    async def serve(self, request: web.Request) -> web.Response:
        query = request.query
        later = next(
            (name for name in ("start", "page", "page[offset]", "page[number]") if name in query), ""
        )
        key = f"{request.path}?page" if later and query[later] != "0" else request.path
        self.asked.append(key)
        if waiting := self.faults.get(key):
            headers = {"X-RateLimit-Reset": "1"}
            return web.json_response({"errors": ["no"]}, status=waiting.pop(0), headers=headers)
        if request.path in self.garbage:
            return web.json_response(self.garbage[request.path])
        if request.path.startswith(datadog.SNAPSHOTS):
            return await self._drawn(query)
        body = await request.json() if request.method == "POST" else {}
        status, said = self.answer(request.path, query, KEYS, body)
        return web.json_response(said, status=status)

    async def _drawn(self, query: Any) -> web.Response:
        answer: bytes | int = self.snapshots.pop(0) if self.snapshots else self.picture(query)
        if isinstance(answer, int):
            return web.Response(status=answer)
        return web.Response(body=answer, content_type="image/png")

    def _hosts(self, start: int, count: int) -> Body:
        if start or not self.loses:
            return super()._hosts(start, count)
        # The next pages move up by one: the first of the second page is read by nobody.
        page, known = self.hosts[:count], len(self.hosts)
        self.hosts = [one for one in self.hosts if one["name"] != self.loses]
        return host_list(page, of=known)


@contextmanager
def fake_datadog(now: datetime) -> Iterator[FakeDatadog]:
    made = FakeDatadog(now)
    with serving(made.serve, None) as url:
        made.url = made.address = url
        yield made
