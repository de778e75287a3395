"""A database as the application opens it, once on each engine."""

from collections.abc import Iterator

import pytest

from bot.adapters.database.writer import Database
from tests.world import MovableClock, open_database


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def database(database_url: str, clock: MovableClock) -> Iterator[Database]:
    opened = open_database(database_url, clock)
    yield opened
    opened.close()
