"""Connections: SQLite with the safest journal its version allows, or PostgreSQL with synchronous commit.

SQLite older than 3.51.3 can lose commits in WAL mode when several connections are open (the WAL-reset bug, fixed in
3.51.3 with back-ports to 3.44.6 and 3.50.7): there the rollback journal is used, truncated, with synchronous=EXTRA.
"""

import sqlite3
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url

BUSY_MS = 5_000
READERS = 4

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


def writing_engine(url: str, *, journal: str = "") -> Engine:
    """One connection whose transactions are serial: BEGIN IMMEDIATE in SQLite, a locked head row in PostgreSQL.

    `journal` forces a journal mode, for benchmarks and tests; without it the safe one for the version is used.
    """
    return _engine(url, size=1, begin="BEGIN IMMEDIATE", journal=journal)


def reading_engine(url: str, *, journal: str = "") -> Engine:
    """A small pool for reads; no read transaction may last over 50 ms while SQLite uses the rollback journal."""
    return _engine(url, size=READERS, begin="BEGIN", journal=journal)


def _engine(url: str, *, size: int, begin: str, journal: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        # A replica that is stopped while it holds the head row must not stop the others for ever.
        options = "-c synchronous_commit=on -c idle_in_transaction_session_timeout=10000 -c lock_timeout=8000"
        arguments = {"options": options, "connect_timeout": 5, "application_name": "socmon"}
        return create_engine(url, pool_size=size, max_overflow=0, pool_pre_ping=True, connect_args=arguments)
    engine = create_engine(
        url, module=sqlite_module, pool_size=size, max_overflow=0, connect_args={"timeout": BUSY_MS / 1000}
    )
    mode = journal or journal_mode(sqlite_module.sqlite_version_info)

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver's guess
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        cursor.execute(f"PRAGMA journal_mode={mode}")
        cursor.execute(f"PRAGMA synchronous={'FULL' if mode == 'wal' else 'EXTRA'}")
        # A larger write-ahead log means fewer, larger checkpoints: each holds up one batch of alerts.
        cursor.execute("PRAGMA wal_autocheckpoint=4000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
