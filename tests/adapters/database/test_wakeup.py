"""Replicas wake each other when something in Slack may lag."""

import asyncio

import psycopg
import pytest

from bot.adapters.database import wakeup
from bot.adapters.database.wakeup import Wakeup
from bot.adapters.database.writer import Database
from bot.procedures.receive_alert import receive_alert, refuse_delivery
from tests.reports import delivery, report
from tests.world import ROUTES, MovableClock, open_database


@pytest.fixture
def replica(postgres_url: str) -> Database:
    return open_database(postgres_url, MovableClock())


async def test_an_alert_wakes_every_replica(
    postgres_url: str, replica: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, not at the next poll; also after the connection was lost."""
    monkeypatch.setattr(wakeup, "CHECK_SECONDS", 0.05)
    woken = asyncio.Event()
    listener = Wakeup(postgres_url, woken.set)
    listener.start()
    await _listening(postgres_url)
    await replica.write(receive_alert, delivery(report("first")), routes=ROUTES)
    await asyncio.wait_for(woken.wait(), 5)

    await _listening(postgres_url, cut=True)
    woken.clear()
    await replica.write(receive_alert, delivery(report("second")), routes=ROUTES)
    await asyncio.wait_for(woken.wait(), 5)

    await asyncio.to_thread(listener.stop)
    replica.close()


async def test_what_nobody_sees_wakes_nobody(
    postgres_url: str, replica: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused delivery changes nothing in Slack."""
    monkeypatch.setattr(wakeup, "CHECK_SECONDS", 0.05)
    woken = asyncio.Event()
    listener = Wakeup(postgres_url, woken.set)
    listener.start()
    await _listening(postgres_url)
    await replica.write(refuse_delivery, "generic", reason="bad secret")
    await asyncio.sleep(0.2)

    assert not woken.is_set()
    await asyncio.to_thread(listener.stop)
    replica.close()


async def test_sqlite_needs_none(sqlite_url: str) -> None:
    """One process wakes itself."""
    listener = Wakeup(sqlite_url, lambda: None)
    listener.start()
    listener.stop()


async def _listening(url: str, *, cut: bool = False) -> None:
    """Wait until somebody listens; with `cut`, after ending the connection of who does now."""
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as admin:
        before = set(admin.execute(query).fetchall()) if cut else set()
        for (pid,) in before:
            admin.execute("SELECT pg_terminate_backend(%s)", [pid])
        while not set(admin.execute(query).fetchall()) - before:  # noqa: ASYNC110 - PostgreSQL tells nobody
            await asyncio.sleep(0.02)
