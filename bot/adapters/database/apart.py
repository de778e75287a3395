"""Long looks at the records in a process of their own: they keep neither Python's lock nor their memory from alerts."""

import gc
import logging
import multiprocessing
import os
import signal
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from sqlalchemy import Engine

from bot.adapters.database.engine import reading_engine
from bot.adapters.database.records import Batch, Stamp, Unit
from bot.adapters.threads import in_thread
from bot.domain.errors import SocmonError
from bot.logs import set_up_logging
from bot.ports import Clock

log = logging.getLogger(__name__)

NICE = 5  # alerts come first


class WorkFailed(SocmonError):
    """The other process could not do it."""


async def apart(
    url: str, clock: Clock, work: Callable[..., Iterator[Any]], *args: Any
) -> AsyncGenerator[Any, None]:
    """What `work(read, …)` yields there, piece by piece; `read(procedure, …)` is a transaction of its own each time.

    Work, arguments and pieces are pickled. A piece is unpickled at once, which holds everything up: keep them small.
    """
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(sending, url, clock, work, args), daemon=True)
    await in_thread(process.start)
    sending.close()
    try:
        while (piece := await in_thread(_next, receiving)) is not None:
            kind, content = piece
            if kind == "failed":
                raise WorkFailed(content)
            yield content
    finally:
        process.terminate()
        await in_thread(process.join)
        receiving.close()


def _next(receiving: Connection) -> tuple[str, Any] | None:
    """None at the end."""
    try:
        piece: tuple[str, Any] | None = receiving.recv()
    except EOFError:
        return "failed", "The process that was to do it ended without a word. Has the machine enough memory?"
    return piece


def _run(
    sending: Connection, url: str, clock: Clock, work: Callable[..., Iterator[Any]], args: tuple[Any, ...]
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one ends it
    os.nice(NICE)
    set_up_logging()
    # Here are millions of objects and hardly a cycle: walking over all of them took a third of the time.
    gc.set_threshold(100_000, 50, 1000)
    engine = reading_engine(url)
    with suppress(BrokenPipeError):  # nobody waits any more
        try:
            for piece in work(partial(_read, engine, clock), *args):
                sending.send(("piece", piece))
        except SocmonError as error:
            sending.send(("failed", str(error)))
        except Exception as error:
            log.exception("work in a process of its own failed")
            fault = f"socmon could not do it ({type(error).__name__}). The log has more; please report this."
            sending.send(("failed", fault))
        else:
            sending.send(None)
    engine.dispose()


def _read(engine: Engine, clock: Clock, procedure: Callable[..., Any], *args: Any, **facts: Any) -> Any:
    with engine.connect() as connection, connection.begin():
        return procedure(Unit(Batch(connection, _stamp(clock.now()), writing=False)), *args, **facts)


def _stamp(now: datetime) -> Stamp:
    """For reading: nothing is written under it."""
    return Stamp(now=now, lease_now=now, boot="", mono_ns=0, node="", code="", token=os.urandom)
