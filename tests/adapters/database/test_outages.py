"""The database is held by somebody else, or gone, or back again: socmon says “send again” and goes on by itself."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import create_engine, text

from bot.adapters.database import engine, writer
from bot.adapters.database.engine import sqlite_module
from bot.adapters.database.writer import Database
from bot.adapters.system import SystemClock
from bot.domain.delivery import Receipt
from bot.domain.errors import Unavailable
from bot.ports import Records
from bot.procedures.receive_alert import receive_alert
from tests.adapters.database.batches import in_one_batch, unit
from tests.postgres import NoPostgres, running_server
from tests.reports import delivery, report
from tests.world import ROUTES, open_database

WAIT_MS = 400


@pytest.fixture
def impatient(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A database whose writer waits for a lock only so long."""
    monkeypatch.setattr(engine, "BUSY_MS", WAIT_MS)
    monkeypatch.setattr(engine, "LOCK_MS", WAIT_MS)
    monkeypatch.setattr(writer, "LONG_WAIT", WAIT_MS / 2000)
    opened = open_database(database_url, SystemClock())
    yield opened
    opened.close()


@contextmanager
def held(url: str) -> Iterator[None]:
    """Somebody else has the write lock."""
    arguments: dict[str, Any] = {} if url.startswith("postgres") else {"module": sqlite_module}
    other = create_engine(url, **arguments)
    with other.connect() as connection:
        if other.dialect.name == "sqlite":
            connection.connection.driver_connection.isolation_level = None  # type: ignore[union-attr]
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("SELECT * FROM head FOR UPDATE"))
        yield
        connection.exec_driver_sql("ROLLBACK")
    other.dispose()


async def receive(database: Database, key: str) -> int | None:
    receipt = await database.write(receive_alert, delivery(report(key)), routes=ROUTES)
    return receipt.alerts[0][1]


async def test_a_held_database_says_send_again_and_recovers(impatient: Database, database_url: str) -> None:
    """While another program holds the lock nothing is accepted; afterwards everything is, and no number is lost."""
    with held(database_url), pytest.raises(Unavailable):
        await receive(impatient, "while it was held")

    assert await receive(impatient, "afterwards") == 1


async def test_a_whole_batch_waits_for_one_time_out_only(impatient: Database, database_url: str) -> None:
    """Many senders are told within a time-out or two, not one after the other."""
    with held(database_url):
        started = time.monotonic()
        results = await asyncio.gather(
            *(receive(impatient, f"p{n}") for n in range(20)), return_exceptions=True
        )
        took = time.monotonic() - started

    assert {type(result) for result in results} == {Unavailable}
    assert took < 6 * WAIT_MS / 1000


@pytest.mark.postgres
async def test_postgresql_restarts_in_the_middle() -> None:
    """Senders are told to send again for the gap, and socmon needs no restart of its own."""
    try:
        with running_server() as server:
            database = open_database(f"{server.url}postgres", SystemClock())
            assert await receive(database, "before") == 1

            server.stop("immediate")
            with pytest.raises(Unavailable):
                await receive(database, "during")
            with pytest.raises(Unavailable):
                await database.read(lambda records: records.problems())
            server.start()

            assert await receive(database, "after") == 2
            assert len(await database.read(lambda records: records.find_alerts())) == 2
            database.close()
    except NoPostgres as error:
        pytest.skip(str(error))


@pytest.mark.postgres
async def test_the_server_cuts_the_line_in_the_middle_of_a_transaction(postgres_url: str) -> None:
    """A fail-over ends the connection under a unit: its caller is told, and the others are redone."""
    database = open_database(postgres_url, SystemClock())

    def cut_off(records: Records) -> None:
        """As an administrator would, from another connection, once."""
        pid = records._sql.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()  # type: ignore[attr-defined] # noqa: SLF001
        with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(%s)", [pid])
        records.problems()

    results = await in_one_batch(
        database,
        unit(receive_alert, delivery(report("before")), routes=ROUTES),
        unit(cut_off),
        unit(receive_alert, delivery(report("after")), routes=ROUTES),
    )

    assert [type(result).__name__ for result in results] == ["Receipt", "Unavailable", "Receipt"]
    assert [results[0].alerts[0][1], results[2].alerts[0][1]] == [1, 2]
    database.close()


@pytest.mark.postgres
async def test_a_standby_says_send_again(postgres_url: str) -> None:
    """After a fail-over to a read-only server nothing can be recorded; that is the senders' cue, not their fault."""
    database = open_database(postgres_url, SystemClock())
    name = sql.Identifier(postgres_url.rpartition("/")[2])
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
    database.writing.dispose()

    with pytest.raises(Unavailable):
        await receive(database, "on a standby")
    database.close()


async def attempt(database: Database, key: str) -> type[object]:
    try:
        await database.write(receive_alert, delivery(report(key), body=b"x" * 100_000), routes=ROUTES)
    except Unavailable:
        return Unavailable
    return Receipt


async def test_a_disk_that_is_full_says_send_again_and_recovers(sqlite_url: str) -> None:
    """Nothing half is stored; when there is room again, socmon goes on by itself."""
    database = open_database(sqlite_url, SystemClock())
    with database.writing.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    results = [await attempt(database, f"p{number}") for number in range(30)]
    stored = len(await database.read(lambda records: records.find_alerts()))
    with database.writing.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")

    assert results[-1] is Unavailable
    assert stored == results.count(Receipt)
    assert await receive(database, "afterwards") == stored + 1
    await asyncio.to_thread(database.close)
