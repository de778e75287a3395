"""The database is held by somebody else, or gone, or back again: socmon says “send again” and goes on by itself."""

import asyncio
import itertools
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from bot.adapters.database import engine, writer
from bot.adapters.database.engine import sqlite_module
from bot.adapters.database.writer import Database, Work
from bot.adapters.system import SystemClock
from bot.domain.delivery import Receipt
from bot.domain.errors import Unavailable
from bot.domain.schedule import Due
from bot.ports import Records
from bot.procedures import respond_to_alert
from bot.procedures.keep_schedule import claim_due, last_run
from bot.procedures.receive_alert import receive_alert
from tests.adapters.database.batches import in_one_batch, unit
from tests.postgres import NoPostgres, Server, frozen, running_server
from tests.reports import SAM, START, delivery, report
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


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A PostgreSQL that the test may stop."""
    try:
        with running_server() as server:
            yield server
    except NoPostgres as error:
        pytest.skip(str(error))


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


# A PostgreSQL that hangs: the machine answers, the server does not


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for as long as in earnest."""
    monkeypatch.setattr(engine, "ANSWER_SECONDS", 0.6)
    monkeypatch.setattr(writer, "DEADLINE", 1.0)
    monkeypatch.setattr(writer, "CLOSE_SECONDS", 0.3)


async def test_a_server_that_hangs_says_send_again_and_recovers(own_server: Server, hurried: None) -> None:
    """Writers and readers are told within the deadline; when the server goes on, so does socmon."""
    del hurried
    database = open_database(f"{own_server.url}postgres", SystemClock())
    await receive(database, "before")
    await database.read(lambda records: records.problems())

    with frozen(own_server.processes()):
        started = time.monotonic()
        results = await asyncio.gather(
            *(receive(database, f"p{number}") for number in range(3)),
            *(database.read(lambda records: records.problems()) for _ in range(8)),
            return_exceptions=True,
        )
        took = time.monotonic() - started

    assert {type(result) for result in results} == {Unavailable}
    assert took < 3
    await until_recorded(database)
    await asyncio.to_thread(database.close)


async def test_a_hung_line_does_not_outlive_its_server(own_server: Server, hurried: None) -> None:
    """After a fail-over the old server may hang for ever: socmon cuts the line, and goes on at the new one."""
    del hurried
    database = open_database(f"{own_server.url}postgres", SystemClock())
    await receive(database, "before")
    with database.writing.connect() as connection:
        backend = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()

    with frozen([backend]):
        await until_recorded(database)
        await asyncio.to_thread(database.close)


async def test_nobody_can_tell_what_becomes_of_a_write_past_the_deadline(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be recorded yet, so the answer does not claim that nothing was."""
    monkeypatch.setattr(writer, "DEADLINE", 0.2)
    go_on = threading.Event()
    slow = asyncio.ensure_future(database.write(lambda _: go_on.wait(20)))
    late = asyncio.ensure_future(receive(database, "late"))

    with pytest.raises(Unavailable, match="may or may not have been recorded"):
        await late
    go_on.set()
    with pytest.raises(Unavailable):
        await slow

    monkeypatch.undo()
    assert await receive(database, "next") == 2


async def test_a_stop_does_not_wait_for_a_server_that_hangs(own_server: Server, hurried: None) -> None:
    """Letting go takes a moment, not for ever, and leaves no thread waiting."""
    del hurried
    database = open_database(f"{own_server.url}postgres", SystemClock())
    await database.read(lambda records: records.problems())
    with frozen(own_server.processes()):
        attempts = [
            asyncio.ensure_future(one)
            for one in (receive(database, "p"), database.read(lambda records: records.problems()))
        ]
        await asyncio.sleep(0.1)
        started = time.monotonic()
        await asyncio.to_thread(database.close)
        took = time.monotonic() - started
        results = await asyncio.gather(*attempts, return_exceptions=True)

    assert took < 2
    assert {type(result) for result in results} == {Unavailable}


async def until_recorded(database: Database) -> None:
    async with asyncio.timeout(20):
        while True:
            with suppress(Unavailable):
                await receive(database, "afterwards")
                return


# A COMMIT that was carried out, and whose answer was lost


def note_and_claim() -> list[Any]:
    return [
        unit(respond_to_alert.add_note, 1, by=SAM, text="Restarted the second node"),
        unit(claim_due, "validate", Due(run=START)),
    ]


async def story(database: Database) -> tuple[list[str], str]:
    """What stands of the two units: the alert's moments, and the state of the due time."""
    moments = await database.read(lambda records: records.timeline(1))
    run = await database.read(last_run, "validate")
    return [moment.kind for moment in moments], run[1] if run else ""


def lose_a_commit(
    database: Database, monkeypatch: pytest.MonkeyPatch, *, carried_out: bool, later: int = 0
) -> None:
    """The next COMMIT (or one later) fails, after it was carried out or before."""
    dialect = database.writing.dialect
    commit, number = dialect.do_commit, itertools.count()

    def lose(connection: Any) -> None:
        if next(number) != later:
            commit(connection)
            return
        if carried_out:
            commit(connection)
        raise dialect.dbapi.OperationalError("the connection is lost")  # type: ignore[union-attr]

    monkeypatch.setattr(dialect, "do_commit", lose)


@pytest.mark.parametrize("carried_out", [True, False])
@pytest.mark.parametrize("together", [True, False], ids=["one batch", "alone"])
async def test_a_commit_whose_answer_is_lost_counts_once(
    database: Database, monkeypatch: pytest.MonkeyPatch, *, carried_out: bool, together: bool
) -> None:
    """Whether or not it was carried out: the note stands once, and the due time belongs to whoever claimed it."""
    await receive(database, "p")
    units = note_and_claim() if together else note_and_claim()[1:]
    # The next commit is that of the unit which keeps the writer busy meanwhile.
    lose_a_commit(database, monkeypatch, carried_out=carried_out, later=1)

    results = await in_one_batch(database, *units)

    alone_and_not_stored = not together and not carried_out
    assert isinstance(results[-1], Unavailable) == alone_and_not_stored
    assert alone_and_not_stored or results[-1] is True
    assert await story(database) == (
        ["triggered", "noted"] if together else ["triggered"],
        "" if alone_and_not_stored else "running",
    )


async def test_other_replicas_do_not_hide_that_a_batch_was_stored(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between a COMMIT and the question whether it was carried out, other replicas have stored batches of their own."""
    database, other = (open_database(postgres_url, SystemClock()) for _ in range(2))
    await receive(database, "p")
    ask = database._was_stored  # noqa: SLF001

    def ask_late() -> bool:
        other_work = Work(receive_alert, (delivery(report("other")),), {"routes": ROUTES}, None, None)  # type: ignore[arg-type]
        other._transact([other_work])  # noqa: SLF001
        return ask()

    monkeypatch.setattr(database, "_was_stored", ask_late)
    lose_a_commit(database, monkeypatch, carried_out=True)

    assert await database.write(claim_due, "validate", Due(run=START))
    database.close()
    other.close()


async def test_a_line_that_is_cut_between_a_commit_and_its_answer(postgres_url: str) -> None:
    """As a fail-over or a proxy does it: the server commits, and its answer never arrives."""
    with cutting_proxy(postgres_url) as (url, cut_next_commit):
        database = open_database(url, SystemClock())
        await receive(database, "p")
        cut_next_commit.set()

        results = await asyncio.gather(
            *(database.write(each, *args, **kwargs) for each, args, kwargs in note_and_claim())
        )

        assert not cut_next_commit.is_set()
        assert results[1] is True
        assert await story(database) == (["triggered", "noted"], "running")
        database.close()


async def test_when_nobody_can_tell_whether_it_was_stored_the_answer_says_so(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is gone for good in the middle of a commit: nothing is redone, nothing is claimed."""
    await receive(database, "p")

    def gone() -> bool:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(database, "_was_stored", gone)
    lose_a_commit(database, monkeypatch, carried_out=True)

    with pytest.raises(Unavailable, match="may or may not have been recorded"):
        await receive(database, "q")
    assert len(await database.read(lambda records: records.find_alerts())) == 2


@contextmanager
def cutting_proxy(url: str) -> Iterator[tuple[str, threading.Event]]:
    """Passes everything on, until the event is set: then the next COMMIT reaches the server, and its answer nobody."""
    target = make_url(url)
    cut_next_commit = threading.Event()

    def serve(client: socket.socket) -> None:
        with client, socket.create_connection((target.host, target.port)) as server:
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    if not (data := ready.recv(65536)):
                        return
                    (server if ready is client else client).sendall(data)
                    if ready is client and b"COMMIT" in data and cut_next_commit.is_set():
                        server.recv(65536)
                        cut_next_commit.clear()
                        return

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        port = listener.getsockname()[1]
        yield target.set(port=port).render_as_string(hide_password=False), cut_next_commit
        listener.shutdown(socket.SHUT_RDWR)
