"""The one writer of this process: many waiting units of work share one transaction and one fsync (group commit).

When a batch fails to store, its units are redone one by one, so that only the faulty one fails. A unit whose procedure
raises drops its own changes and lets the rest of the batch be. A COMMIT that fails may have been carried out, and only
its answer lost: before anything is redone, the head row is asked whether the batch stands.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.adapters.database.apart import apart
from bot.adapters.database.checkpointer import checkpointer_for
from bot.adapters.database.engine import give_up
from bot.adapters.database.records import Batch, Stamp, Unit, stands
from bot.domain.delivery import Delivery
from bot.domain.errors import Unavailable
from bot.domain.tool import ToolAct
from bot.ports import Clock, Randomness, Records

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

LARGEST_BATCH = 128
LONGEST_QUEUE = 5_000
FEW = 8  # a larger batch is a sign of load
GATHER_SECONDS, GATHER_STEP = 0.015, 0.0005
STEP = timedelta(seconds=1)
MAYBE = (
    "so this may or may not have been recorded. Send it again: a delivery counts once however often it comes. Before"
    " you repeat a note, look whether it stands."
)
DEADLINE = 10.0  # of a caller; senders themselves give up after 5 to 15 s
CLOSE_SECONDS = 1.5
GIVE_UP_SECONDS = 0.5  # what notices within 0.1 s that it need not wait any more; only a connect takes longer
LONG_WAIT = 1.0  # a batch that failed later than this ran into a time-out, and so would each of its units


@dataclass(slots=True)
class Work:
    """A procedure that waits for its transaction, and what came of it."""

    procedure: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class Database:
    """`bot.ports.RecordKeeper` over SQLAlchemy. `node` and `code` name this replica and version in the evidence.

    `outward` is what each tool takes from socmon: of other acts no word to it is put down.
    """

    def __init__(
        self,
        writing: Engine,
        reading: Engine,
        *,
        clock: Clock,
        randomness: Randomness,
        node: str,
        code: str,
        outward: Mapping[str, frozenset[ToolAct]] | None = None,
    ) -> None:
        self.writing, self.reading = writing, reading
        self._clock, self._randomness = clock, randomness
        self._node, self._code, self._outward = node, code, outward or {}
        self._boot = randomness.token(8).hex()
        self._skew = Skew(clock)
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._closing = False
        self._last = 0  # so many units the last batch held
        self._committing = ""  # the batch whose COMMIT was tried last
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="records-reader")
        self._thread = threading.Thread(target=self._run, name="records-writer", daemon=True)
        self._thread.start()
        self._checkpointer = checkpointer_for(writing)

    @property
    def waiting(self) -> int:
        """How many units of work wait for a transaction."""
        return self._queue.qsize()

    async def write(
        self, procedure: Callable[Concatenate[Records, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        if self._closing:
            raise Unavailable("socmon is stopping, so nothing was recorded. Send again in a few seconds.")
        if self._queue.qsize() >= LONGEST_QUEUE:
            raise Unavailable("Too many requests wait for the database. Send again in a few seconds.")
        loop = asyncio.get_running_loop()
        work = Work(procedure, args, kwargs, loop, loop.create_future())
        self._queue.put(work)
        deadline = loop.call_later(DEADLINE, _give_up, work.future)  # at a third of the cost of a time-out
        try:
            result: T = await work.future
        finally:
            deadline.cancel()
        return result

    async def read(
        self, procedure: Callable[Concatenate[Records, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        loop = asyncio.get_running_loop()
        reading = loop.run_in_executor(self._readers, lambda: self.read_now(procedure, *args, **kwargs))
        limit = asyncio.timeout(DEADLINE)
        try:
            async with limit:
                return await reading
        except TimeoutError as error:
            if not limit.expired():  # the procedure's own
                raise
            raise Unavailable(
                f"The database has not answered within {DEADLINE:.0f} s. Ask again in a while."
            ) from error

    def read_now(
        self, procedure: Callable[Concatenate[Records, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """`read` for callers without an event loop."""
        try:
            with self.reading.connect() as connection, connection.begin():
                return procedure(
                    Unit(Batch(connection, self._stamp(connection), writing=False)), *args, **kwargs
                )
        except SQLAlchemyError as error:
            raise _explained(error, "The database cannot be read") from error

    def apart(self, work: Callable[..., Iterator[Any]], *args: Any) -> AsyncGenerator[Any, None]:
        """What `work(read, …)` yields, in a process of its own; `read(procedure, …)` is `read_now` there.

        For what takes seconds of the processor, or much memory.
        """
        url = self.reading.url.render_as_string(hide_password=False)
        return apart(url, self._clock, work, *args)

    def close(self) -> None:
        """Finish what waits, then let go of the connections. A database that hangs is not waited for."""
        self._closing = True
        self._queue.put(None)
        self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive():
            log.warning("the database does not answer, so what still waited for it was left undone")
        for engine in (self.writing, self.reading):
            give_up(engine)
        readers = threading.Thread(
            target=self._readers.shutdown,
            kwargs={"cancel_futures": True},
            name="records-closing",
            daemon=True,
        )
        readers.start()
        for thread in (self._thread, readers):
            thread.join(GIVE_UP_SECONDS)
        if self._checkpointer:
            self._checkpointer.stop()
        self.writing.dispose()
        self.reading.dispose()

    def _stamp(self, connection: Connection) -> Stamp:
        now = self._clock.now()
        return Stamp(
            now=now,
            lease_now=now + self._skew.behind(connection),
            boot=self._boot,
            mono_ns=int(self._clock.monotonic() * 1e9),
            node=self._node,
            code=self._code,
            token=self._randomness.token,
            outward=self._outward,
        )

    def _run(self) -> None:
        ending = False
        while not ending:
            batch, ending = self._next_batch()
            if batch:
                self._last = len(batch)
                self._write_all(batch)
                _answer(batch)

    def _next_batch(self) -> tuple[list[Work], bool]:
        """Wait for one unit, then take along all that wait already; (batch, whether the end was asked for)."""
        batch: list[Work] = []
        try:
            work = self._queue.get()
            if self._last > FEW:
                self._let_gather()
            while work is not None:
                batch.append(work)
                if len(batch) == LARGEST_BATCH:
                    return batch, False
                work = self._queue.get_nowait()
        except queue.Empty:
            return batch, False
        return batch, True

    def _let_gather(self) -> None:
        """Wait until as many wait as the last batch held, since under load their requests are being read just now.

        Reading them takes Python's lock, as writing does: side by side each slows the other, and many small batches
        commit more often. One after the other, 64 senders get their answers a quarter sooner.
        """
        ending = time.monotonic() + GATHER_SECONDS
        while self._queue.qsize() < self._last - 1 and time.monotonic() < ending:
            time.sleep(GATHER_STEP)

    def _write_all(self, batch: list[Work]) -> None:
        started = self._clock.monotonic()
        try:
            self._transact(batch)
        except BaseException as error:  # noqa: BLE001 - the thread must outlive every fault of a unit
            took = self._clock.monotonic() - started
            explained = _explained(error, "The database did not store this")
            try:
                if self._was_stored():
                    return
            except SQLAlchemyError as silence:
                explained = Unavailable(f"The database went away in the middle of a commit, {MAYBE}")
                explained.__cause__ = silence
                _fail(batch, explained)
                return
            if len(batch) == 1 or (took > LONG_WAIT and isinstance(explained, Unavailable)):
                _fail(batch, explained)
                return
            for work in batch:
                work.result = work.error = None
                self._write_all([work])

    def _was_stored(self) -> bool:
        """Whether the batch that just failed stands all the same."""
        if not self._committing:
            return False
        with self.writing.connect() as connection, connection.begin():
            return stands(connection, self._boot, self._committing)

    def _transact(self, works: list[Work]) -> None:
        self._committing = ""
        with self.writing.connect() as connection, connection.begin():
            batch = Batch(connection, self._stamp(connection), writing=True)
            batch.look_up([one for work in works for one in work.args if isinstance(one, Delivery)])
            for work in works:
                unit = Unit(batch)
                try:
                    work.result = work.procedure(unit, *work.args, **work.kwargs)
                except SQLAlchemyError:
                    raise
                except Exception as error:
                    if unit.has_written:  # what it changed by SQL goes only with the transaction
                        raise
                    work.error = error
                else:
                    unit.keep()
            self._committing = batch.flush()


def _give_up(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.set_exception(Unavailable(f"The database has not answered within {DEADLINE:.0f} s, {MAYBE}"))


class Skew:
    """How far this process's clock is behind the database server's. Measured at first, and again when the clock steps.

    SQLite has no server: its one process agrees with itself.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._behind = timedelta(0)
        self._measured: datetime | None = None

    def behind(self, connection: Connection) -> timedelta:
        if connection.dialect.name != "postgresql":
            return self._behind
        # Where the wall clock stood when the steady one began: it moves only when the wall clock steps.
        began = self._clock.now() - timedelta(seconds=self._clock.monotonic())
        if self._measured is None or abs(began - self._measured) > STEP:
            there: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
            self._behind, self._measured = there - self._clock.now(), began
        return self._behind


def _explained(error: BaseException, what: str) -> BaseException:
    """Trouble of the database itself is the sender's cue to send again; anything else is a fault of what was sent."""
    if not isinstance(error, DBAPIError | PoolTimeout) or isinstance(error, DataError | IntegrityError):
        return error
    unavailable = Unavailable(f"{what} ({type(error).__name__}). Nothing was recorded; send again.")
    unavailable.__cause__ = error
    return unavailable


def _fail(batch: list[Work], error: BaseException) -> None:
    for work in batch:
        work.result, work.error = None, error


def _answer(batch: list[Work]) -> None:
    """Hand the results over, with one wake-up per event loop."""
    for loop in {work.loop for work in batch}:
        works = [work for work in batch if work.loop is loop]
        try:
            loop.call_soon_threadsafe(_settle, works)
        except RuntimeError:  # the loop has ended: nobody waits any more
            continue


def _settle(works: list[Work]) -> None:
    for work in works:
        if work.future.done():  # the caller gave up; the records stand all the same
            continue
        if isinstance(work.error, StopIteration):  # no future takes one
            work.future.set_exception(RuntimeError("A procedure raised StopIteration."))
        elif work.error is not None:
            work.future.set_exception(work.error)
        else:
            work.future.set_result(work.result)
