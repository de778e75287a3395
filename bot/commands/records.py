"""The records for commands: most only look, some change them; all work beside a running server."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from bot import __version__
from bot.adapters.database.engine import in_reach, reading_engine, writing_engine
from bot.adapters.database.migrate import is_current, refuse_newer
from bot.adapters.database.records import Batch, Stamp, Unit
from bot.adapters.database.writer import Database
from bot.adapters.system import SystemClock, SystemRandomness
from bot.domain.errors import WrongSettings
from bot.ports import Records
from bot.settings import Settings


@contextmanager
def existing_database(settings: Settings) -> Iterator[Engine]:
    if settings.sqlite_path is not None and not settings.sqlite_path.exists():
        raise WrongSettings(
            f"There is no database at {settings.sqlite_path}. Start socmon once, or set SOCMON_DATA_DIR to where it"
            " lies."
        )
    engine = reading_engine(settings.database_url)
    try:
        with in_reach(engine):
            if not is_current(engine):
                with engine.connect() as connection:
                    refuse_newer(connection)
                raise WrongSettings(
                    "The database was written by an older version of socmon. Run `socmon db upgrade` first."
                )
            yield engine
    finally:
        engine.dispose()


@contextmanager
def records_of(settings: Settings) -> Iterator[Callable[..., Any]]:
    """A function that runs a procedure on the records as they stand, without touching them."""
    clock, randomness = SystemClock(), SystemRandomness()
    now = clock.now()
    stamp = Stamp(now=now, lease_now=now, boot="", mono_ns=0, node="", code="", token=randomness.token)
    with existing_database(settings) as engine:

        def ask(procedure: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            with engine.connect() as connection, connection.begin():
                records: Records = Unit(Batch(connection, stamp, writing=False))
                return procedure(records, *args, **kwargs)

        yield ask


@contextmanager
def records_to_change(settings: Settings) -> Iterator[Callable[..., Any]]:
    """A function that runs a procedure in a transaction of its own; a server may run beside it and sees it at once."""
    with existing_database(settings) as reading:
        database = Database(
            writing_engine(settings.database_url),
            reading,
            clock=SystemClock(),
            randomness=SystemRandomness(),
            node=socket.gethostname(),
            code=f"socmon {__version__}",
        )

        def change(procedure: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            async def write() -> Any:
                return await database.write(procedure, *args, **kwargs)

            return asyncio.run(write())

        try:
            yield change
        finally:
            database.close()


def when(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if at else "never"


def plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
