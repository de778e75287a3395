"""Storms in the database: one a channel, whoever looks; its digest adds up; a look costs little."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from bot.adapters.database.writer import Database
from bot.domain.alert import Change, Response, Severity, Source
from bot.domain.storm import StormRule
from bot.domain.thread import SlackRoute, SlackRoutes
from bot.procedures import respond_to_alert
from bot.procedures.receive_alert import receive_alert
from bot.procedures.show_storm import digest_shown, take_tasks, watch_storms
from tests.reports import NOTE, SAM, delivery, report
from tests.world import ROUTES, Ledger, MovableClock, open_database

RULE = StormRule()


async def rage(database: Database, number: int = 12, **facts: Any) -> None:
    alerts = [report(f"p{at}", **facts) for at in range(number)]
    await database.write(receive_alert, delivery(*alerts), routes=ROUTES)


def take(database: Database, lease: str = "x", **given: Any) -> Any:
    wanted: dict[str, Any] = {
        "busy_channels": [],
        "updates_allowed": True,
        "except_alerts": [],
        "storms": RULE,
    } | given
    return database.write(take_tasks, lease=lease, **wanted)


async def test_a_digest_is_posted_updated_and_in_step(database: Database, clock: MovableClock) -> None:
    """On both engines: taken, stored, announced; a change makes it lag again, after fifteen seconds it is taken."""
    await rage(database)
    [task] = await take(database)
    shown = task.thread.posted("1.1", revision=task.thread.revision, now=clock.now())
    assert await database.write(digest_shown, shown, task.news)
    assert (await database.read(lambda records: records.lag())) == (0, None)
    assert await take(database) == []

    await database.write(respond_to_alert.acknowledge, 3, by=SAM)
    assert (await database.read(lambda records: records.lag()))[0] == 1
    assert await take(database) == []
    clock.move(15)
    assert await take(database, updates_allowed=False) == []
    [again] = await take(database)
    assert (again.step, again.digest.waiting, again.news) == ("update", 11, ())


async def test_two_replicas_begin_one_storm_and_send_one_digest(
    postgres_url: str, clock: MovableClock
) -> None:
    """Both look at the same moment, again and again."""
    both = open_database(postgres_url, clock), open_database(postgres_url, clock)
    await rage(both[0])
    found: list[Any] = []
    for _ in range(5):
        found += await asyncio.gather(take(both[0], "one"), take(both[1], "other"))

    assert [task.thread.key for tasks in found for task in tasks] == ["S-1"]
    for each in both:
        each.close()


async def test_a_busy_channel_gets_no_digest_and_a_storm_in_hand_is_not_taken_again(
    database: Database,
) -> None:
    await rage(database)

    assert await take(database, busy_channels=["C0ALERTS"]) == []
    assert await take(database, except_storms=[1]) == []
    assert len(await take(database)) == 1


async def test_a_message_and_a_digest_do_not_go_to_one_channel_at_once(database: Database) -> None:
    """One message a second: the digest first, then the most severe."""
    await rage(database)
    await database.write(receive_alert, delivery(report("bad", severity=Severity.SEV1)), routes=ROUTES)

    assert [task.thread.key for task in await take(database)] == ["S-1"]
    assert [task.thread.key for task in await take(database)] == ["A-13"]


COMPONENTS = st.sampled_from(["", "db", "web", "cache", "queue"])
ALERTS = st.lists(
    st.tuples(COMPONENTS, st.sampled_from(list(Severity)), st.sampled_from(["", "ack", "res", "rec"])),
    min_size=1,
    max_size=25,
)


@given(ALERTS)
def test_a_digest_adds_up(alerts: list[tuple[str, Severity, str]]) -> None:
    """Its figures are those of its alerts, counted one by one; the first cause comes first, then the largest."""
    ledger = Ledger.shared()
    channel = ledger.fresh_key()
    routes = SlackRoutes(default=SlackRoute(channel=channel))
    keys = [ledger.fresh_key() for _ in alerts]
    reports = [
        report(key, component=component, severity=severity)
        for key, (component, severity, _) in zip(keys, alerts, strict=True)
    ]
    told = ledger.write(receive_alert, delivery(*reports), routes=routes)
    ids = [number for _, number, _ in told.alerts]
    for number, key, (_, _, act) in zip(ids, keys, alerts, strict=True):
        if act == "ack":
            ledger.write(respond_to_alert.acknowledge, number, by=SAM)
        if act == "res":
            ledger.write(respond_to_alert.resolve, number, by=SAM, resolution=NOTE)
        if act == "rec":
            ledger.write(receive_alert, delivery(report(key, Change.RECOVERED)), routes=routes)
    storm = ledger.write(lambda records: records.begin_storm(channel))
    ledger.write(lambda records: records.take_in(storm))
    ledger.write(lambda records: records.end_storm(storm.id))

    digest = ledger.read(lambda records: records.digest(storm.id))
    stored = [ledger.read(lambda records, each=each: records.alert(each)) for each in ids]
    assert (digest.alerts, digest.first.id, digest.newest) == (len(ids), ids[0], ids[-1])
    assert digest.waiting == sum(one.response is Response.TRIGGERED for one in stored)
    assert digest.acknowledged == sum(one.response is Response.ACKNOWLEDGED for one in stored)
    assert digest.resolved == sum(one.response is Response.RESOLVED for one in stored)
    assert digest.recovered == sum(one.is_open and one.source is Source.RECOVERED for one in stored)
    assert digest.components == len(digest.groups) == len({one.component for one in stored})
    assert sum(group.alerts for group in digest.groups) == len(ids)
    assert digest.groups[0].component == stored[0].component
    sizes = [group.alerts for group in digest.groups[1:]]
    assert sizes == sorted(sizes, reverse=True)
    for group in digest.groups:
        mine = [one for one in stored if one.component == group.component]
        assert group.worst == min(one.severity for one in mine)
        assert group.open == sum(one.is_open for one in mine)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("storm_id IS NULL AND (revision > projected OR latest > shown)", "thread_lag"),
        ("storm_id = 1 AND projected = 0", "thread_storm"),
        ("channel = 'C' ORDER BY alert_id DESC LIMIT 11", "thread_newest"),
    ],
)
async def test_no_look_reads_every_thread(
    sqlite_url: str, clock: MovableClock, query: str, index: str
) -> None:
    """Years of alerts make no look slower."""
    database = open_database(sqlite_url, clock)
    with database.reading.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN SELECT alert_id FROM thread WHERE {query}")  # noqa: S608
        assert index in str(plan.all())
    database.close()


async def test_the_queries_of_a_look_use_these_indexes(sqlite_url: str, clock: MovableClock) -> None:
    """As they are written, with their parameters: no scan of threads or alerts."""
    database = open_database(sqlite_url, clock)
    await rage(database)
    said: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        said.append((statement, parameters))

    event.listen(database.writing, "before_cursor_execute", note)
    await database.write(watch_storms, RULE)
    await take(database)
    event.remove(database.writing, "before_cursor_execute", note)
    scans = []
    with database.reading.connect() as connection:
        for statement, parameters in said:
            if statement.startswith(("SELECT", "UPDATE")):
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                scans += [
                    (row[3], statement)
                    for row in plan
                    if row[3] in {"SCAN thread", "SCAN alert"}  # without any index
                ]
    assert scans == []
    database.close()
