"""The records without an event loop, new for each test."""

from collections.abc import Iterator

import pytest

from tests.world import Ledger


@pytest.fixture
def ledger(sqlite_url: str) -> Iterator[Ledger]:
    made = Ledger(sqlite_url)
    yield made
    made.database.close()
