"""A projector, its database and its Slack, new for each test."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.adapters.slack.stage import Stage
from tests.slack_server import SlackServer, slack_server
from tests.world import MovableClock, open_database


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with slack_server() as server:
        yield server


@pytest.fixture
async def stage(sqlite_url: str, slack: SlackServer) -> AsyncIterator[Stage]:
    clock = MovableClock()
    database = open_database(sqlite_url, clock)
    made = Stage(database, slack, clock)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.3)) as session:
        made.client.session = session
        yield made
    database.close()
