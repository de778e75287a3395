"""The real application, called over ASGI, with a fake Slack on loopback."""

import hashlib
import hmac
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.adapters.system import SystemClock
from bot.app import Socmon
from bot.procedures.receive_alert import receive_alert
from bot.providers import all_providers
from bot.providers.contract import Samples
from bot.settings import load_settings
from tests.providers.deliveries import Pages
from tests.reports import delivery, report
from tests.slack_server import SlackServer, slack_server
from tests.world import ROUTES, MovableClock, begin_with_schema

SIGNING_SECRET = "a-signing-secret-for-tests"
CONFIG = """\
[slack]
alerts_channel = "C0ALERTS"
[roles]
responders = ["U1SAM"]
engineering_lead = ["U1LEAD"]
admins = ["U1ADMIN"]
"""

Build = Callable[..., Socmon]


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with slack_server() as server:
        server.users = {user: {"profile": {}} for user in ("U1SAM", "U1LEAD", "U1OUT")}
        yield server


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(scope="session")
def samples() -> dict[str, Samples]:
    return {name: provider.samples() for name, provider in all_providers().items()}


@pytest.fixture
def build(tmp_path: Path, clock: MovableClock, samples: dict[str, Samples]) -> Iterator[Build]:
    """Builds a socmon that every provider's samples can reach; `settings` are further environment variables."""
    built: list[Socmon] = []

    def make(database_url: str = "", *, tables: str = "", clock: Any = clock, **settings: str) -> Socmon:
        if not database_url:
            begin_with_schema(tmp_path / "data" / "socmon.db")
        config = tmp_path / "socmon.toml"
        config.write_text(
            CONFIG + (tables or "".join(_table(name, one.table) for name, one in samples.items()))
        )
        environ = {
            "SOCMON_CONFIG": str(config),
            "SOCMON_DATA_DIR": str(tmp_path / "data"),
            "SOCMON_DATABASE_URL": database_url,
            "SOCMON_LOG_KEY_FILE": str(tmp_path / "log.key"),
        }
        for one in samples.values():
            environ |= one.environ
        pages = Pages({url: body for one in samples.values() for url, body in one.pages.items()})
        built.append(
            Socmon(settings=load_settings(environ | settings, all_providers()), clock=clock, network=pages)
        )
        return built[-1]

    yield make
    for each in built:
        each.close()


@pytest.fixture
async def linked(build: Build, slack: SlackServer) -> Socmon:
    """With one alert, A-1, and Slack over HTTP. Bolt looks at the machine's clock, so this one does too."""
    token = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": SIGNING_SECRET, "SLACK_API_URL": slack.url}
    built = build(clock=SystemClock(), **token)
    await built.records.write(receive_alert, delivery(report()), routes=ROUTES)
    return built


def _table(name: str, table: Any) -> str:
    lines = [f"{key} = {value!r}".replace("'", '"') for key, value in table.items()]
    return "\n".join([f"[providers.{name}]", *lines, ""])


def browser(socmon: Socmon) -> httpx.AsyncClient:
    """Speaks to the application without a network; an exception in it is a 500."""
    transport = httpx.ASGITransport(app=socmon.asgi(), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://socmon")


def signed(body: bytes, *, at: str | None = None, secret: str = SIGNING_SECRET) -> dict[str, str]:
    timestamp = str(int(SystemClock().now().timestamp())) if at is None else at
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": f"v0={digest}",
        "content-type": "application/x-www-form-urlencoded",
    }
