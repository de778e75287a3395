"""The playground's PagerDuty over TLS on loopback, in a thread of its own, so that a test may wait for its answers."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from multidict import MultiDict

from bot.playground.pagerduty import FakePagerDuty
from tests.tls import server_context, trust

KEY = "a-key-of-the-fake"


@contextmanager
def serving(answer: Any, certificate: Path | None) -> Iterator[str]:
    """`answer` is an aiohttp handler; yields its address, which is plain http without a certificate."""
    started, stopping = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    where: list[str] = []

    async def serve() -> None:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(application)
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
    now: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[FakePagerDuty, str]]:
    """A PagerDuty with Sam, Kim and the bot, and its address, which this process trusts."""
    fake = FakePagerDuty(now=now, key=KEY)
    fake.hire("PSAM", "Sam Rivera", "sam@example.com")
    fake.hire("PKIM", "Kim Lindqvist", "kim@example.com")
    fake.hire("PBOT", "socmon", "socmon@example.com")
    fake.put_on_call("PSAM", 1)
    fake.put_on_call("PKIM", 2)

    async def answer(request: web.Request) -> web.Response:
        query: MultiDict[str] = MultiDict(request.query)
        asked = {name: query.getall(name) for name in query}
        body = await request.json() if request.can_read_body else {}
        headers = {name.lower(): value for name, value in request.headers.items()}
        status, said = fake.answer(request.method, request.path, asked, headers, body)
        return web.json_response(said, status=status)

    certificate = folder / "authority.pem"
    with serving(answer, certificate) as url:
        trust(monkeypatch, certificate)
        yield fake, url
