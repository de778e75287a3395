"""Units of work that share a transaction, made so on purpose."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from bot.adapters.database.writer import Database
from bot.ports import Records

Unit = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


def unit(procedure: Callable[..., Any], *args: Any, **kwargs: Any) -> Unit:
    return procedure, args, kwargs


async def in_one_batch(database: Database, *units: Unit) -> list[Any]:
    """Run the units in one transaction: they queue up while another unit keeps the writer busy. Returns what came of
    each: its result, or what it raised."""
    busy, go_on = threading.Event(), threading.Event()

    def keep_busy(_: Records) -> None:
        busy.set()
        assert go_on.wait(30)

    first = asyncio.ensure_future(database.write(keep_busy))
    assert await asyncio.to_thread(busy.wait, 30)
    waiting = [asyncio.ensure_future(database.write(each, *args, **kwargs)) for each, args, kwargs in units]
    await asyncio.sleep(0)  # each puts its work into the queue
    go_on.set()
    await first
    return await asyncio.gather(*waiting, return_exceptions=True)
