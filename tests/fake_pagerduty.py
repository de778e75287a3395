"""The playground's PagerDuty over TLS on loopback, in a thread of its own, so that a test may wait for its answers."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.playground.pagerduty import FakePagerDuty
from bot.playground.pagerduty_line import answer_of, api_runner
from bot.playground.tls import server_context
from tests.tls import trust


@dataclass(frozen=True, slots=True)
class Asked:
    """One request on the wire."""

    method: str
    path: str
    query: list[tuple[str, str]]


class WatchedPagerDuty(FakePagerDuty):
    """Its events and the requests are remembered; `faults[path]` are statuses that are used up one a call, before the
    true answer, and `garbage[path]` is a body in its place.
    """

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        super().__init__(now=now)
        self.url = ""
        self.asked: list[Asked] = []
        self.events: list[dict[str, Any]] = []
        self.hear = self.events.append
        self.faults: dict[str, list[int]] = defaultdict(list)
        self.garbage: dict[str, bytes] = {}

    def paths(self) -> list[str]:
        return [each.path for each in self.asked]

    async def serve(self, request: web.Request) -> web.Response:
        self.asked.append(Asked(request.method, request.path, list(request.query.items())))
        if self.faults[request.path]:
            status = self.faults[request.path].pop(0)
            return web.json_response({"error": {"message": "made up", "code": 1}}, status=status)
        if request.path in self.garbage:
            return web.Response(body=self.garbage[request.path], content_type="application/json")
        return web.json_response(**await answer_of(self, request))


@contextmanager
def serving(answer: Any, certificate: Path | None) -> Iterator[str]:
    """`answer` is an aiohttp handler; yields its address, which is plain http without a certificate."""
    started, stopping = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    where: list[str] = []

    async def serve() -> None:
        runner = api_runner(answer)
        await runner.setup()
        context = server_context(certificate) if certificate else None
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        where.append(f"http{'s' if context else ''}://127.0.0.1:{runner.addresses[0][1]}")
        started.set()
        await stopping.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield where[0]
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
        loop.close()


@contextmanager
def fake_pagerduty(
    now: Callable[[], datetime], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WatchedPagerDuty]:
    """A PagerDuty in which nobody works yet, and which this process trusts."""
    fake = WatchedPagerDuty(now=now)
    certificate = folder / "authority.pem"
    with serving(fake.serve, certificate) as fake.url:
        trust(monkeypatch, certificate)
        yield fake
