"""Long looks at the records happen in a process of their own; what they find comes back piece by piece."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing
from typing import Any

import pytest

from bot.adapters.database.apart import WorkFailed
from bot.domain.scope import Change, Difference
from bot.ports import Records
from tests.world import Ledger

Read = Callable[..., Any]


def revisions(records: Records, most: int) -> int:
    return len(records.scope_revisions(most=most))


def look(read: Read, most: int) -> Iterator[Any]:
    yield os.getpid()
    yield read(revisions, most)
    time.sleep(600)


def fail(read: Read) -> Iterator[Any]:
    yield read(revisions, 1)
    raise KeyError("secret")


def die(_read: Read) -> Iterator[Any]:
    yield 0
    os._exit(3)


async def test_the_records_are_read_there_and_whoever_leaves_ends_it(database_url: str) -> None:
    ledger = Ledger(database_url)
    ledger.write(lambda records: records.add_revision(Change.IMPORTED, Difference(), by=""))

    async with aclosing(ledger.database.apart(look, 5)) as pieces:
        process, found = await anext(pieces), await anext(pieces)

    assert (process == os.getpid(), found) == (False, 1)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    ledger.database.close()


@pytest.mark.parametrize(("work", "says"), [(fail, "KeyError"), (die, "enough memory")])
async def test_what_goes_wrong_there_is_told(sqlite_url: str, work: Any, says: str) -> None:
    ledger = Ledger(sqlite_url)

    pieces = ledger.database.apart(work)
    assert await anext(pieces) == 0
    with pytest.raises(WorkFailed, match=says) as told:
        await anext(pieces)

    assert "secret" not in str(told.value)
    ledger.database.close()
