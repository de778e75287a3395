"""The outside hears from socmon while it is well, why it is not, and nothing else; and nobody hears the address."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from bot.adapters.evidence.keys import LogKey
from bot.adapters.ping import Ping
from bot.domain.errors import Unavailable
from bot.procedures.audit_itself import state
from jobs.audit_itself import audit_itself
from tests.tls import go_direct
from tests.world import ORIGIN, MovableClock, open_database

SECRET = "5cc3ee91-the-secret"


class Outside:
    """What watches socmon, and what it was sent."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.status = 200
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._hear)
        self.server = TestServer(app)

    async def _hear(self, request: web.Request) -> web.Response:
        what = request.path.removeprefix(f"/{SECRET}")
        self.heard.append(f"{request.method} {what} {await request.text()}".strip())
        return web.Response(status=self.status)

    @property
    def url(self) -> str:
        return str(self.server.make_url(f"/{SECRET}"))


class Operators:
    def __init__(self) -> None:
        self.troubles: dict[str, str] = {}

    async def report(self, subject: str, text: str) -> None:
        self.troubles[subject] = text

    async def mended(self, subject: str) -> None:
        self.troubles.pop(subject, None)


@dataclass
class Parts:
    records: Any
    ping: Ping
    operators: Operators = field(default_factory=Operators)
    key: LogKey = field(default_factory=lambda: LogKey(ORIGIN, Ed25519PrivateKey.generate()))
    coverage_time_to_live: timedelta = timedelta(minutes=45)
    fleets: tuple[str, ...] = ()
    ticker: Any = field(default_factory=lambda: SimpleNamespace(jobs_due={}))
    settings: Any = field(default_factory=lambda: SimpleNamespace(slack=SimpleNamespace(connected=False)))


@pytest.fixture
async def outside(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Outside]:
    go_direct(monkeypatch)
    made = Outside()
    async with made.server:
        yield made


async def test_only_a_well_socmon_says_that_it_is(sqlite_url: str, outside: Outside) -> None:
    database = open_database(sqlite_url, MovableClock())
    parts = Parts(records=database, ping=Ping(url=SecretStr(outside.url)))
    said = [await audit_itself(parts)]
    await database.write(lambda records: records.set_problem("slack:token", "revoked"))
    said.append(await audit_itself(parts))
    troubles = dict(parts.operators.troubles)
    await database.write(lambda records: records.clear_problem("slack:token"))
    said.append(await audit_itself(parts))

    assert said == ["all is well", "not well: slack:token", "all is well"]
    assert outside.heard == [
        "GET",
        "POST /fail slack:token is in trouble; `socmon status` says more.",
        "GET",
    ]
    assert (list(troubles), parts.operators.troubles) == (["self-audit"], {})
    database.close()


async def test_one_that_only_takes_pings_hears_nothing_while_socmon_is_sick(
    sqlite_url: str, outside: Outside
) -> None:
    database = open_database(sqlite_url, MovableClock())
    ping = Ping(url=SecretStr(outside.url), plain=True)
    await database.write(lambda records: records.set_problem("slack:token", "revoked"))
    await ping.started()
    await audit_itself(Parts(records=database, ping=ping))

    assert outside.heard == []
    database.close()


async def test_records_that_cannot_be_read_are_told(outside: Outside) -> None:
    class Gone:
        async def read(self, *_: Any) -> None:
            raise Unavailable("The disk is full.")

    with pytest.raises(Unavailable):
        await audit_itself(Parts(records=Gone(), ping=Ping(url=SecretStr(outside.url))))
    assert outside.heard == ["POST /fail The records cannot be read or written."]


@pytest.mark.parametrize("fault", ["refused", "500", "not an address"])
async def test_a_ping_that_fails_is_known_and_its_address_is_not(
    sqlite_url: str, outside: Outside, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    caplog.set_level(logging.DEBUG)
    outside.status = 500
    url = {
        "refused": f"http://127.0.0.1:1/{SECRET}",
        "500": outside.url,
        "not an address": f"http://nowhere:99999/{SECRET}",
    }[fault]
    database = open_database(sqlite_url, MovableClock())
    parts = Parts(records=database, ping=Ping(url=SecretStr(url)))
    said = await audit_itself(parts)
    watch = await database.read(state)

    assert said.startswith("all is well; ")
    assert watch
    assert (watch.pinged_at, bool(watch.ping_problem)) == (None, True)
    server_side = [one for one in caplog.records if one.name.startswith("aiohttp.access")]
    ours = "".join(one.getMessage() for one in caplog.records if one not in server_side)
    assert SECRET not in f"{said} {watch} {ours} {parts!r}"
    database.close()
