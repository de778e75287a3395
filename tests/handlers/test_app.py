"""The whole application from start to stop, as uvicorn runs it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import select, update

from bot.adapters.database.tables import checkpoint, head, leaf
from bot.adapters.evidence.keys import LogKey
from bot.adapters.slack import projector, web
from bot.adapters.system import SystemClock
from bot.domain.errors import Unavailable, WrongSettings
from bot.domain.evidence import Frontier
from bot.procedures import show_alert
from bot.procedures.keep_schedule import last_run
from bot.procedures.receive_alert import receive_alert
from bot.procedures.seal_log import DamagedLog
from bot.providers.generic.samples import SECRET
from jobs.schedule import all_jobs
from tests.handlers.conftest import Build
from tests.reports import delivery, report
from tests.slack_server import LOST, SILENT_BUT_DONE, SlackServer, says
from tests.world import ROUTES, open_database

HEADERS = {"x-socmon-token": SECRET}
ALERT = {"status": "triggered", "dedup_key": "cpu/prod-db-1", "title": "High CPU"}


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(8):
        while not holds():  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0.01)


def connected(build: Build, slack: SlackServer, **settings: str) -> Any:
    token = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_API_URL": slack.url}
    return build(clock=SystemClock(), **token | settings)


async def send(app: Any, **alert: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://socmon") as client:
        return await client.post("/webhooks/generic", json=ALERT | alert, headers=HEADERS)


async def test_from_webhook_to_slack_to_a_signed_log(build: Build, slack: SlackServer) -> None:
    """An alert comes in and stands in Slack; when socmon stops, the log is signed to its end."""
    socmon = connected(build, slack)
    app = socmon.asgi()
    async with app.router.lifespan_context(app):
        assert (await send(app)).status_code == 202
        await until(slack.parents)
        await until(lambda: socmon.records.read_now(lambda records: records.lag())[0] == 0)

    reopened = open_database(socmon.settings.database_url, SystemClock())
    size = reopened.read_now(lambda records: records.tree())[1].size
    assert socmon.draining
    assert size == 4, "the standard, when validations are due, and the alert with its message"
    assert (reopened.read_now(lambda records: records.last_checkpoint()) or [None])[0] == size
    reopened.close()


async def test_slack_is_not_waited_for_longer_than_agreed(
    build: Build, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that hangs ends after its time-out, also over the connections that the app shares."""
    monkeypatch.setattr(web, "SECONDS", 0.2)
    monkeypatch.setattr(projector, "LOOK_UP_AFTER", 0.1)
    monkeypatch.setattr(projector, "POLL_SECONDS", 0.1)
    slack.fail("chat.postMessage", SILENT_BUT_DONE)
    socmon = connected(build, slack)
    app = socmon.asgi()
    async with app.router.lifespan_context(app):
        await send(app)
        await until(lambda: socmon.records.read_now(lambda records: records.thread(1)).ts)

    assert len(slack.parents()) == 1


async def test_a_dead_app_token_does_not_keep_intake_away(build: Build, slack: SlackServer) -> None:
    """Socket Mode cannot connect: socmon starts, takes alerts, and stops all the same."""
    slack.always["apps.connections.open"] = says("invalid_auth")
    socmon = connected(build, slack, SLACK_APP_TOKEN="xapp-1")
    app = socmon.asgi()
    async with asyncio.timeout(8), app.router.lifespan_context(app):
        assert (await send(app)).status_code == 202
        await until(lambda: slack.sent("apps.connections.open"))


async def test_without_a_token_alerts_are_recorded(build: Build, slack: SlackServer) -> None:
    """Before Slack is set up nothing is lost, and nothing is asked of Slack."""
    socmon = build(clock=SystemClock())
    app = socmon.asgi()
    async with app.router.lifespan_context(app):
        assert (await send(app)).status_code == 202

    assert slack.calls == []


async def test_a_stop_while_the_database_is_away_ends_cleanly(
    build: Build, slack: SlackServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last signature is missing, and that is said; nothing else is left behind."""
    socmon = connected(build, slack)
    app = socmon.asgi()

    async def away(*_: Any, **__: Any) -> Any:
        raise Unavailable("no answer")

    async with app.router.lifespan_context(app):
        monkeypatch.setattr(socmon.records, "write", away)

    assert "could not be signed" in caplog.text
    connected(build, slack)  # the database is free again


async def test_a_log_that_was_changed_is_not_signed_and_the_operators_hear_of_it(build: Build) -> None:
    """It is a problem for everybody to see, the job has failed, and alerts are still taken. Mended, it is gone."""
    socmon = build()
    await socmon.records.write(receive_alert, delivery(report()), routes=ROUTES)

    with socmon.records.writing.connect() as connection, connection.begin():
        kept = connection.exec_driver_sql("SELECT frontier FROM head").scalar_one()
        connection.execute(update(head).values(frontier=bytes(kept)[:8] + bytes(32)))
    with pytest.raises(DamagedLog):
        await socmon.seal()
    problems = socmon.records.read_now(lambda records: records.problems())
    taken = await send(socmon.asgi())
    with socmon.records.writing.connect() as connection, connection.begin():
        tree = Frontier.from_bytes(bytes(kept))
        rows = connection.execute(select(leaf.c.hash).where(leaf.c.seq >= tree.size).order_by(leaf.c.seq))
        tree.append_many(bytes(row.hash) for row in rows)
        connection.execute(update(head).values(frontier=tree.to_bytes()))

    assert [subject for subject, *_ in problems] == ["evidence:log"]
    assert taken.status_code == 202
    assert await socmon.seal() == 2
    assert socmon.records.read_now(lambda records: records.problems()) == []


async def test_another_log_key_is_refused_at_the_start(build: Build, tmp_path: Path) -> None:
    """Two keys that sign one log make it worthless; the message names both and says what to do."""
    first = build()
    await first.records.write(receive_alert, delivery(report()), routes=ROUTES)
    await first.seal()
    first.close()
    (tmp_path / "log.key").rename(tmp_path / "old.key")
    other = LogKey.open(tmp_path / "log.key", first.origin)

    with pytest.raises(WrongSettings) as refused:
        build()

    key_id = first.key.key_id.hex()
    assert f"signed by {first.origin}+{key_id}" in str(refused.value)
    assert other.vkey in str(refused.value)
    assert "SOCMON_LOG_KEY_FILE" in str(refused.value)


async def test_a_damaged_checkpoint_keeps_no_alert_away(build: Build) -> None:
    """It says nothing about the key. socmon starts; what it refuses is to sign."""
    first = build()
    await first.records.write(receive_alert, delivery(report()), routes=ROUTES)
    await first.seal()
    with first.records.writing.connect() as connection, connection.begin():
        connection.execute(update(checkpoint).values(note=b"anything\n"))
    first.close()

    second = build()

    assert (await send(second.asgi())).status_code == 202
    with pytest.raises(DamagedLog, match="cannot be trusted"):
        await second.seal()


async def test_after_a_crash_nobody_waits_for_the_leases_of_the_dead(
    build: Build, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's one process takes up what the last one was doing, as soon as Slack cannot carry it out any more."""
    monkeypatch.setattr(projector, "LOOK_UP_AFTER", 0.1)
    monkeypatch.setattr(show_alert, "SLACK_MAY_TAKE", timedelta(seconds=0.2))
    first = connected(build, slack)
    await first.records.write(receive_alert, delivery(report()), routes=ROUTES)
    slack.fail("chat.postMessage", LOST)
    [task] = await first.records.write(
        show_alert.take_tasks, lease="dead", busy_channels=[], updates_allowed=True, except_alerts=[]
    )
    with pytest.raises(web.NoAnswer):
        await first.web.post("C0ALERTS", first.projector._parent(task, task.thread), key="A-1")  # noqa: SLF001
    first.close()

    app = connected(build, slack).asgi()
    async with app.router.lifespan_context(app):
        await until(lambda: slack.sent("conversations.history"))

    assert len(slack.parents()) == 1


async def test_every_job_of_the_table_runs_with_the_parts_it_gets(build: Build) -> None:
    """Each says in one line what it did; the whole runs are in the ledger."""
    socmon = build()
    await socmon.records.write(receive_alert, delivery(report()), routes=ROUTES)
    await socmon.ticker.tick()
    socmon.clock.move(timedelta(days=401).total_seconds())  # type: ignore[attr-defined]
    await socmon.ticker.tick()
    await asyncio.gather(*socmon.ticker._running)  # noqa: SLF001

    runs = {job.name: socmon.records.read_now(last_run, job.name) for job in all_jobs(ZoneInfo("UTC"))}
    assert all(run and run[1] == "done" for run in runs.values())
    assert {name: (run or [""])[-1] for name, run in runs.items() if name != "sign-checkpoint"} == {
        "wake-alerts": "0 woken",
        "collect-coverage": "nothing is in scope yet",
        "collect-inventory": "no tool can be asked",
        "ask-about-scope": "Slack is not connected",
        "collect-on-call": "no teams are configured",
        "suggest-tuning": "nothing flaps",
        "watch-sources": "nobody is silent for longer than is normal",
        "audit-itself": "all is well",
        "tell-operators": "0 told",
        "escalate-alerts": "nobody to call",  # SEV3, at three in the morning
        "send-notices": "Slack is not connected",
        "reconcile": "no tool can be asked",
        "apply-retention": (
            "1 bodies, 21 job runs, 0 drafts, 0 notices and 0 App Homes forgotten; begun 23:30:00 late"
        ),
        "refresh-homes": "Slack is not connected",
        "remind-of-standard": "Slack is not connected; begun 17:45:00 late",
        "announce-losses": "Slack is not connected",
        "follow-test-alerts": "0 tests under way",
        "test-alerts": (
            "no path can be tested: `socmon test-alert setup` shows what it takes; begun 1 day, 17:00:00 late"
        ),
        "capture-dashboards": "no dashboard is chosen; begun 2 days, 18:30:00 late",
        "show-dashboards": "Slack is not connected",
        "remind-owners": "Slack is not connected",
        "tell-of-validations": "nothing opened, 0 weeks missed; Slack is not connected",
        "validate-monitoring": "nothing opened, 0 weeks missed; begun 2 days, 18:00:00 late",
    }
