"""/healthz, /readyz, /metrics: what a load balancer, a person and Prometheus are told."""

import asyncio
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.app import Socmon
from bot.domain.errors import Unavailable
from bot.procedures.receive_alert import receive_alert
from bot.procedures.seal_log import seal_log
from bot.procedures.show_alert import report_problem
from handlers import health
from tests.handlers.conftest import Build, browser
from tests.reports import delivery, report
from tests.world import ROUTES, MovableClock


async def get(socmon: Socmon, path: str) -> tuple[int, Any]:
    async with browser(socmon) as client:
        answer = await client.get(path)
    is_json = answer.headers["content-type"] == "application/json"
    return answer.status_code, answer.json() if is_json else answer.text


async def away(*_: Any, **__: Any) -> Any:
    raise Unavailable("The database does not answer.")


def figures(text: str) -> dict[str, float]:
    """Metric (with its labels) → value, as Prometheus reads it."""
    return {
        f"{sample.name}{sample.labels or ''}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_healthy_socmon_is_ready(build: Build, database_url: str) -> None:
    """Alive, ready, and nothing to say."""
    socmon = build(database_url)

    assert await get(socmon, "/healthz") == (200, "ok\n")
    assert await get(socmon, "/readyz") == (200, {"ready": True, "degraded": []})


async def test_it_is_not_ready_while_it_stops(build: Build) -> None:
    """The load balancer sends new requests elsewhere; it is still alive."""
    socmon = build()
    socmon.draining = True

    status, told = await get(socmon, "/readyz")

    assert (status, told["ready"]) == (503, False)
    assert (await get(socmon, "/healthz"))[0] == 200


async def test_it_is_not_ready_while_migrations_are_behind(build: Build) -> None:
    """And says what to run."""
    socmon = build()
    socmon.current = False

    status, told = await get(socmon, "/readyz")

    assert (status, "socmon db upgrade" in told["why"]) == (503, True)


async def test_it_is_not_ready_while_nothing_can_be_recorded(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that can be read but not written is not enough."""
    socmon = build()
    monkeypatch.setattr(socmon.records, "write", away)

    status, told = await get(socmon, "/readyz")

    assert (status, told) == (503, {"ready": False, "why": "The database does not answer."})
    assert (await get(socmon, "/healthz"))[0] == 200


async def test_it_is_not_ready_while_the_disk_is_full(build: Build) -> None:
    """What fits into the last free page is no proof; and when there is room again, it is ready at once."""
    socmon = build()
    async with browser(socmon) as client:
        with socmon.records.writing.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        full = await client.get("/readyz")
        with socmon.records.writing.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        empty = await client.get("/readyz")

    assert (full.status_code, full.json()["ready"]) == (503, False)
    assert (empty.status_code, empty.json()) == (200, {"ready": True, "degraded": []})


async def test_readyz_writes_for_real_and_seldom(
    build: Build, database_url: str, clock: MovableClock
) -> None:
    """However many probes there are, a write in ten seconds is enough; and it leaves nothing behind."""
    socmon = build(database_url)
    batches: list[str] = []

    async def ask(client: httpx.AsyncClient) -> None:
        assert {
            one.status_code for one in await asyncio.gather(*(client.get("/readyz") for _ in range(5)))
        } == {200}
        with socmon.records.reading.connect() as connection:
            batches.append(connection.exec_driver_sql("SELECT batches FROM head").scalar_one())

    async with browser(socmon) as client:
        await ask(client)
        await ask(client)
        clock.move(11)
        await ask(client)

    assert batches[0] != "{}"
    assert [batches[1] == batches[0], batches[2] == batches[0]] == [True, False]
    assert await socmon.records.read(lambda records: records.problems()) == []


async def test_a_probe_is_answered_while_the_database_hangs(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a probe that waits does not let others wait behind it."""
    monkeypatch.setattr(health, "PROBE_SECONDS", 0.1)
    socmon, calls = build(), []

    async def hang(*_: Any) -> None:
        calls.append(1)
        await asyncio.sleep(30)

    monkeypatch.setattr(socmon.records, "write", hang)
    async with browser(socmon) as client:
        answers = await asyncio.gather(*(client.get("/readyz") for _ in range(5)))

    assert {(one.status_code, one.json()["why"]) for one in answers} == {
        (503, "The database has not taken a write within 0.1 s.")
    }
    assert len(calls) == 1


async def test_trouble_with_slack_never_takes_intake_away(build: Build, clock: MovableClock) -> None:
    """A dead token and a Slack that lags are told in the body, with 200."""
    socmon = build()
    await socmon.records.write(report_problem, "slack:token", "Slack refuses our token.")
    await socmon.records.write(receive_alert, delivery(report()), routes=ROUTES)
    clock.move(90)

    status, told = await get(socmon, "/readyz")

    assert (status, told["ready"]) == (200, True)
    assert told["degraded"] == ["Slack refuses our token.", "Slack lags behind by 90 s with 1 threads."]


async def test_metrics_are_what_prometheus_reads(build: Build, clock: MovableClock) -> None:
    """Counters by source, and how far Slack and the checkpoints are behind; no words from outside."""
    socmon = build()
    async with browser(socmon) as client:
        await client.post("/webhooks/generic", json={"status": "triggered"})
    await socmon.records.write(receive_alert, delivery(report()), routes=ROUTES)
    await socmon.records.write(seal_log, seal=socmon.key)
    await socmon.records.write(report_problem, "slack:token", "Slack refuses our token.")
    clock.move(90)

    status, text = await get(socmon, "/metrics")

    found = figures(text)
    assert status == 200
    assert found["socmon_slack_lagging_threads"] == 1
    assert found["socmon_slack_lag_seconds"] == 90
    assert found["socmon_checkpoint_age_seconds"] == 90
    assert found["socmon_log_entries"] == 1
    assert found["socmon_problems"] == 1
    assert found["socmon_deliveries_total{'provider': 'generic', 'result': 'refused'}"] >= 1
    assert "prod-db-1" not in text


async def test_metrics_do_not_guess_while_the_database_is_away(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process's own figures are told; of the records nothing is known, and nothing old is shown."""
    socmon = build()
    await socmon.records.write(receive_alert, delivery(report()), routes=ROUTES)
    await get(socmon, "/metrics")
    monkeypatch.setattr(socmon.records, "read", away)

    status, text = await get(socmon, "/metrics")

    found = figures(text)
    assert status == 200
    assert found["socmon_log_entries"] != found["socmon_log_entries"]
    assert found["socmon_slack_lag_seconds"] != found["socmon_slack_lag_seconds"]
    assert found["socmon_records_waiting"] == 0
