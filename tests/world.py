"""A small real world for tests: a database, a clock that tests move, and short ways to read and write."""

import atexit
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import NullPool, create_engine, inspect, select

from bot.adapters.database.engine import reading_engine, writing_engine
from bot.adapters.database.migrate import open_log, upgrade
from bot.adapters.database.tables import disclosure, leaf
from bot.adapters.database.writer import Database, Work
from bot.adapters.system import SystemRandomness
from bot.domain.alert import Alert
from bot.domain.retelling import Told, differences, retell
from bot.domain.thread import SlackRoute, SlackRoutes

ROUTES = SlackRoutes(default=SlackRoute(channel="C0ALERTS", on_call=("U1SAM",)))
ORIGIN = "localhost/socmon-test"


class MovableClock:
    """Stands still until a test moves it."""

    def __init__(self, at: datetime = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)) -> None:
        self.at = at
        self.elapsed = 1000.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        self.move(seconds)

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.elapsed += seconds


def begin_with_schema(path: Path) -> None:
    """What the migrations make of an empty file, where there is none yet: a thousand tests would run all of them."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(_migrated_file())


@cache
def _migrated_file() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "socmon.db"
        engine = writing_engine(f"sqlite:///{path}")
        upgrade(engine)
        engine.dispose()
        return path.read_bytes()


def _begin_with_schema_on_postgres(url: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    server, _, name = url.replace("+psycopg", "").rpartition("/")
    if name != "postgres" and not inspect(engine).has_table("alembic_version"):
        template = _migrated_template(url.rpartition("/")[0])
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(SQL("DROP DATABASE {}").format(Identifier(name)))
            made = SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template))
            connection.execute(made)


@cache
def _migrated_template(server: str) -> str:
    name = f"schema_{os.getpid()}"
    admin = psycopg.connect(f"{server.replace('+psycopg', '')}/postgres", autocommit=True)
    # The same server can stand behind two addresses.
    with admin, suppress(psycopg.errors.DuplicateDatabase):
        admin.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    engine = writing_engine(f"{server}/{name}")
    upgrade(engine)
    engine.dispose()
    return name


def open_database(url: str, clock: Any) -> Database:
    """A migrated database as the application opens it."""
    if url.startswith("sqlite"):
        begin_with_schema(Path(url.removeprefix("sqlite:///")))
    else:
        _begin_with_schema_on_postgres(url)
    writing = writing_engine(url)
    upgrade(writing)
    open_log(writing, ORIGIN, named=False)
    return Database(
        writing,
        reading_engine(url),
        clock=clock,
        randomness=SystemRandomness(),
        node="test",
        code="socmon test",
    )


def write_now(database: Database, procedure: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run a procedure in a transaction of its own, without an event loop. Raises what it raised."""
    work = Work(procedure, args, kwargs, None, None)  # type: ignore[arg-type]
    database._transact([work])  # noqa: SLF001 - the writer's own way, without its thread
    if work.error is not None:
        raise work.error
    return work.result


class Ledger:
    """The records without an event loop: every write is a transaction of its own."""

    def __init__(self, url: str) -> None:
        self.clock = MovableClock()
        self.database = open_database(url, self.clock)
        self._numbers = itertools.count(1)

    @staticmethod
    @cache
    def shared() -> "Ledger":
        """One database for all examples of a property: each takes keys of its own."""
        folder = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - memory, so that fsync costs nothing
        made = tempfile.mkdtemp(prefix="socmon-test-", dir=folder)
        atexit.register(shutil.rmtree, made, ignore_errors=True)
        return Ledger(f"sqlite:///{made}/ledger.db")

    def fresh_key(self) -> str:
        return f"problem-{next(self._numbers)}"

    def write(self, procedure: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Raises what the procedure raised."""
        self.clock.move(1)
        return write_now(self.database, procedure, *args, **kwargs)

    def read(self, procedure: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self.database.read_now(procedure, *args, **kwargs)

    def check_history(self, alert: Alert) -> None:
        """The log tells the alert's story: it begins once, and names every owner and every resolution."""
        moments = self.read(lambda records: records.timeline(alert.id))
        kinds = [moment.kind for moment in moments]
        assert kinds[0] in {"triggered", "reopened"}
        assert differences(alert, self.retold(alert.id)) == []
        assert kinds.count("resolved") == (alert.resolved_by is not None)
        assert all(moment.by for moment in moments)
        assert [moment.id for moment in moments] == sorted(moment.id for moment in moments)

    def retold(self, alert_id: int) -> Alert:
        """The alert as its entries tell it."""
        told: Alert | None = None
        with self.database.reading.connect() as connection:
            entries = connection.execute(
                select(leaf).where(leaf.c.alert_id == alert_id).order_by(leaf.c.seq)
            ).all()
            for row in entries:
                texts = connection.execute(select(disclosure).where(disclosure.c.seq == row.seq))
                content = json.loads(row.leaf)
                entry = Told(
                    kind=row.type.removeprefix("alert."),
                    at=datetime.fromisoformat(content["at"]),
                    by=row.by,
                    facts=content["facts"],
                    texts={text.path: text.value or "" for text in texts},
                )
                told = retell(told, entry)
        assert told is not None
        return told
