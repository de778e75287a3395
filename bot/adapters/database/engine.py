"""Connections: SQLite with the safest journal its version allows, or PostgreSQL with synchronous commit.

SQLite older than 3.51.3 can lose commits in WAL mode when several connections are open (the WAL-reset bug, fixed in
3.51.3 with back-ports to 3.44.6 and 3.50.7): there the rollback journal is used, truncated, with synchronous=EXTRA.
"""

import math
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from bot.domain.errors import Unavailable

BUSY_MS = 5_000
LOCK_MS = 8_000
ANSWER_SECONDS = 9.0  # more than LOCK_MS: a lock that somebody holds is told from a server that hangs
READERS = 4
# A server that is gone without a word must not hold a writer, nor a stopped replica the head row.
NETWORK: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}

try:  # the wheel brings a SQLite without the WAL-reset bug; without it the standard library's one serves
    import pysqlite3.dbapi2 as bundled  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    bundled = sqlite3

sqlite_module: Any = max(sqlite3, bundled, key=lambda module: module.sqlite_version_info)


def journal_mode(version: tuple[int, int, int]) -> str:
    """The journal mode that cannot lose a commit on this SQLite: "wal" or "truncate"."""
    fixed = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51, 0) or (3, 44, 6) <= version < (3, 45, 0)
    return "wal" if fixed else "truncate"


def describe(engine: Engine) -> dict[str, str]:
    """Which engine, version and journal mode: every published figure names them."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
            sync = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
            names = {2: "full", 3: "extra"}
            return {
                "engine": "sqlite",
                "version": sqlite_module.sqlite_version,
                "journal_mode": str(mode),
                "synchronous": names.get(sync, str(sync)),
            }
        version = connection.exec_driver_sql("SHOW server_version").scalar_one()
        sync = connection.exec_driver_sql("SHOW synchronous_commit").scalar_one()
        fsync = connection.exec_driver_sql("SHOW fsync").scalar_one()
        return {
            "engine": "postgresql",
            "version": str(version),
            "synchronous_commit": str(sync),
            "fsync": str(fsync),
        }


@dataclass(slots=True)
class Patience:
    """How long an engine's connections to PostgreSQL wait for one answer, those that wait already included."""

    seconds: float = ANSWER_SECONDS

    @staticmethod
    def of(engine: Engine) -> "Patience":
        patience: Patience = engine.get_execution_options()["patience"]
        return patience


@contextmanager
def unhurried(engine: Engine) -> Iterator[None]:
    """For migrations, which may rewrite a large table."""
    patience = Patience.of(engine)
    usual, patience.seconds = patience.seconds, math.inf
    try:
        yield
    finally:
        patience.seconds = usual


def give_up(engine: Engine) -> None:
    """Whatever still waits for PostgreSQL fails now."""
    Patience.of(engine).seconds = 0.0


@contextmanager
def in_reach(engine: Engine) -> Iterator[None]:
    """For what a person started: trouble with the database becomes Unavailable, which says what to check."""
    try:
        yield
    except DBAPIError as error:
        where = engine.url.render_as_string(hide_password=True)
        why = str(error.orig).partition("\n")[0]
        raise Unavailable(
            f"The database {where} cannot be used: {why}. Check SOCMON_DATABASE_URL, or SOCMON_DATA_DIR, and the"
            " server."
        ) from error


def writing_engine(url: str, *, journal: str = "") -> Engine:
    """One connection whose transactions are serial: BEGIN IMMEDIATE in SQLite, a locked head row in PostgreSQL.

    `journal` forces a journal mode, for benchmarks and tests; without it the safe one for the version is used.
    """
    if make_url(url).get_backend_name() == "sqlite":
        _make_private(Path(str(make_url(url).database)))
    return _engine(url, size=1, journal=journal, begin="BEGIN IMMEDIATE", isolation="READ COMMITTED")


def reading_engine(url: str, *, journal: str = "") -> Engine:
    """A small pool for reads; no read transaction may last over 50 ms while SQLite uses the rollback journal."""
    return _engine(url, size=READERS, journal=journal, begin="BEGIN", isolation="REPEATABLE READ")


def _make_private(database: Path) -> None:
    """Deliveries lie in it as they came. SQLite gives the files beside it the same mode."""
    with suppress(OSError):  # it is there, or SQLite will say why it cannot be
        database.touch(mode=0o600, exist_ok=False)


def _engine(url: str, *, size: int, journal: str, begin: str, isolation: str) -> Engine:
    # Errors end in logs, and logs hold no bodies and no notes: hide_parameters.
    patience = Patience(ANSWER_SECONDS)
    pool: dict[str, Any] = {
        "pool_size": size,
        "max_overflow": 0,
        "hide_parameters": True,
        "execution_options": {"patience": patience},
    }
    if make_url(url).get_backend_name() != "sqlite":
        options = "-c synchronous_commit=on -c idle_in_transaction_session_timeout=10000"
        arguments = {
            "options": f"{options} -c lock_timeout={LOCK_MS}",
            "application_name": "socmon",
            "tcp_user_timeout": 10_000,
            **NETWORK,
        }
        engine = create_engine(
            url, isolation_level=isolation, pool_pre_ping=True, connect_args=arguments, **pool
        )

        @event.listens_for(engine, "do_connect")
        def _connect(_dialect: Any, _record: Any, words: Any, arguments: Any) -> Any:
            from bot.adapters.database.patience import (  # noqa: PLC0415 - psycopg only where it is used
                ImpatientConnection,
            )

            connection = ImpatientConnection.connect(*words, **arguments)
            connection.patience = patience
            if not patience.seconds:  # given up while it was being made: nobody would close it later
                connection.close()
            return connection

        return engine
    engine = create_engine(url, module=sqlite_module, connect_args={"timeout": BUSY_MS / 1000}, **pool)
    mode = journal or journal_mode(sqlite_module.sqlite_version_info)

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver's guess
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        cursor.execute(f"PRAGMA journal_mode={mode}")
        cursor.execute(f"PRAGMA synchronous={'FULL' if mode == 'wal' else 'EXTRA'}")
        # The checkpointer does this; 64 MiB is where the writer loses patience.
        cursor.execute("PRAGMA wal_autocheckpoint=16000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
