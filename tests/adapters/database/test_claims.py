"""Who works on what: threads are leased with a fencing token, due times of jobs are claimed by inserting them."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.adapters.database.writer import Database
from bot.domain.alert import Severity
from bot.domain.schedule import Due, RunStatus
from bot.domain.thread import SlackRoute, SlackRoutes, Thread
from bot.ports import Records
from bot.procedures import keep_schedule, respond_to_alert
from bot.procedures.receive_alert import receive_alert
from tests.adapters.database.batches import in_one_batch, unit
from tests.reports import SAM, START, delivery, report
from tests.world import ROUTES, MovableClock, open_database

LEASE = timedelta(seconds=15)


@pytest.fixture
def replicas(postgres_url: str, clock: MovableClock) -> Iterator[tuple[Database, Database]]:
    """Two of them on one PostgreSQL, with one clock."""
    both = open_database(postgres_url, clock), open_database(postgres_url, clock)
    yield both
    for each in both:
        each.close()


def claim(records: Records, /, lease: str, **given: Any) -> list[Thread]:
    wanted: dict[str, Any] = {"busy_channels": [], "updates_allowed": True, "except_alerts": []} | given
    return records.claim_threads(lease=lease, lasting=LEASE, **wanted)


async def trigger(database: Database, key: str, **facts: Any) -> None:
    await database.write(receive_alert, delivery(report(key, **facts)), routes=ROUTES)


def posted(thread: Thread, ts: str) -> Thread:
    return thread.posted(ts, revision=thread.revision, moment=thread.shown)


def save(records: Records, /, thread: Thread) -> bool:
    return records.save_thread(thread)


async def test_a_thread_is_leased_by_one_replica_only(replicas: tuple[Database, Database]) -> None:
    """Both ask at the same moment, again and again: each thread goes to one of them."""
    one, other = replicas
    for number in range(10):
        await trigger(one, f"p{number}")
    won: list[int] = []
    for _ in range(10):
        claims = await asyncio.gather(one.write(claim, "one"), other.write(claim, "other"))
        won += [thread.alert_id for threads in claims for thread in threads]

    assert sorted(won) == list(range(1, 11))


async def test_a_lease_runs_out_and_its_holder_can_store_nothing_any_more(
    replicas: tuple[Database, Database], clock: MovableClock
) -> None:
    """A replica that was paused comes back and finds that another one has taken over."""
    one, other = replicas
    await trigger(one, "p")
    [paused] = await one.write(claim, "one")
    too_early = await other.write(claim, "other")
    clock.move(16)
    [taken_over] = await other.write(claim, "other")

    stored = await one.write(lambda records: records.save_thread(posted(paused, "1.0001")))

    assert (too_early, stored) == ([], False)
    assert await other.write(lambda records: records.save_thread(posted(taken_over, "2.0002")))
    assert (await one.read(lambda records: records.thread(1))).ts == "2.0002"


async def test_a_lease_can_be_kept_longer(replicas: tuple[Database, Database], clock: MovableClock) -> None:
    """Whoever is still at work renews, and nobody else comes in between."""
    one, other = replicas
    await trigger(one, "p")
    [thread] = await one.write(claim, "one")
    clock.move(14)
    await one.write(lambda records: records.save_thread(thread, keep_lease=LEASE))
    clock.move(14)

    assert await other.write(claim, "other") == []


async def test_progress_gives_the_lease_back(database: Database) -> None:
    """A thread that is in step again is not claimed; when it lags anew, anybody may take it at once."""
    await trigger(database, "p")
    [thread] = await database.write(claim, "one")
    await database.write(lambda records: records.save_thread(posted(thread, "1.0001")))
    in_step = await database.write(claim, "other")
    await database.write(respond_to_alert.acknowledge, 1, by=SAM)

    [again] = await database.write(claim, "other")
    assert in_step == []
    assert (again.lags, again.ts, again.revision) == (True, "1.0001", 2)


async def test_what_happens_while_a_message_is_sent_is_not_lost(
    database: Database, clock: MovableClock
) -> None:
    """The projector stores what it has shown; a change in the very same transaction makes the thread lag again."""
    await trigger(database, "p")
    [thread] = await database.write(claim, "one")
    clock.move(7)

    def store(records: Records) -> bool:
        return records.save_thread(posted(thread, "1.0001"))

    for units in ([unit(respond_to_alert.acknowledge, 1, by=SAM), unit(store)],):
        await in_one_batch(database, *units)

    number, since = await database.read(lambda records: records.lag())
    assert (number, since) == (1, START + timedelta(seconds=7))
    [again] = await database.write(claim, "one")
    assert again.revision == 2


async def test_the_most_severe_comes_first_and_parents_come_before_the_rest(database: Database) -> None:
    """In one channel: new alerts by severity, then changed parents, then replies."""
    await trigger(database, "answered")
    [thread] = await database.write(claim, "x")
    await database.write(lambda records: records.save_thread(posted(thread, "1.0001")))
    await database.write(respond_to_alert.acknowledge, 1, by=SAM)
    for key, severity in (("low", Severity.SEV4), ("high", Severity.SEV1), ("middle", Severity.SEV2)):
        await trigger(database, key, severity=severity)

    order = []
    for _ in range(5):
        [thread] = await database.write(claim, "x")
        told = thread.ts and thread.projected == thread.revision
        order.append((thread.alert_id, "reply" if told else "update" if thread.ts else "post"))
        after = (
            posted(thread, "2")
            if not thread.ts
            else thread.told(thread.latest)
            if told
            else thread.updated(2)
        )
        await database.write(save, after)

    assert order == [(3, "post"), (4, "post"), (2, "post"), (1, "update"), (1, "reply")]


async def test_an_alert_that_gets_worse_moves_up(database: Database) -> None:
    """Severity is the alert's present one, not the one it began with."""
    await trigger(database, "first", severity=Severity.SEV2)
    await trigger(database, "worse", severity=Severity.SEV4, occurred_at=START)
    later = START + timedelta(minutes=1)
    await trigger(database, "worse", severity=Severity.SEV1, occurred_at=later)

    [thread] = await database.write(claim, "x")
    assert thread.alert_id == 2


async def test_each_channel_has_its_own_queue_and_busy_ones_wait(database: Database) -> None:
    """One thread a channel at a time. A busy channel still gets its updates, which have a budget of their own."""
    routes = SlackRoutes(
        default=SlackRoute(channel="C0ONE"), rules=[SlackRoute(channel="C0TWO", component="two")]
    )
    for number, component in enumerate(("one", "two", "one")):
        given = delivery(report(f"p{number}", component=component))
        await database.write(receive_alert, given, routes=routes)

    both = await database.write(claim, "a")
    await database.write(lambda records: [records.save_thread(posted(thread, "1")) for thread in both])
    await database.write(respond_to_alert.acknowledge, 1, by=SAM)

    busy = await database.write(claim, "b", busy_channels=["C0ONE", "C0TWO"])
    assert sorted(thread.channel for thread in both) == ["C0ONE", "C0TWO"]
    assert [thread.alert_id for thread in busy] == [1]
    assert await database.write(claim, "c", busy_channels=["C0ONE"], updates_allowed=False) == []
    [next_one] = await database.write(claim, "c", updates_allowed=False, except_alerts=[1])
    assert next_one.alert_id == 3


async def test_a_thread_that_was_refused_waits_for_its_time(database: Database, clock: MovableClock) -> None:
    """And does not stand in the way of the next one meanwhile."""
    await trigger(database, "refused")
    await trigger(database, "next")
    [thread] = await database.write(claim, "x")
    retry_at = clock.now() + timedelta(seconds=30)
    await database.write(
        lambda records: records.save_thread(thread.refused("is_archived", retry_at=retry_at))
    )

    [following] = await database.write(claim, "x")
    clock.move(31)
    [again] = await database.write(claim, "y")
    assert (following.alert_id, again.alert_id, again.problem) == (2, 1, "is_archived")


async def test_what_the_last_process_was_doing_is_free_at_the_next_start(database: Database) -> None:
    """SQLite has one process: after a crash nobody waits for leases of the dead."""
    await trigger(database, "p")
    await database.write(claim, "dead")

    assert await database.write(lambda records: records.release_leases(look_after=LEASE)) == 1
    assert [thread.alert_id for thread in await database.write(claim, "alive")] == [1]


async def test_a_due_time_is_run_by_exactly_one_replica(replicas: tuple[Database, Database]) -> None:
    """Fifty due times, both replicas at once: each runs once, somewhere."""
    due = [START + timedelta(minutes=minute) for minute in range(50)]
    claims = await asyncio.gather(
        *(
            replica.write(keep_schedule.claim_due, "checkpoint", Due(run=at))
            for at in due
            for replica in replicas
        )
    )

    assert claims.count(True) == 50
    assert all(sum(claims[start : start + 2]) == 1 for start in range(0, 100, 2))


@pytest.mark.parametrize("status", [RunStatus.DONE, RunStatus.FAILED])
async def test_a_run_ends_on_record(database: Database, clock: MovableClock, status: RunStatus) -> None:
    """When it was due, when it ended, and how."""
    await database.write(keep_schedule.claim_due, "job", Due(run=START))
    running = await database.read(keep_schedule.last_run, "job")
    clock.move(5)
    await database.write(keep_schedule.finish, "job", START, status=status, detail="3 bodies forgotten")

    assert running == (START, RunStatus.RUNNING, None, "")
    ended = START + timedelta(seconds=5)
    assert await database.read(keep_schedule.last_run, "job") == (START, status, ended, "3 bodies forgotten")


async def test_missed_due_times_are_on_record_and_never_run(database: Database) -> None:
    """The newest runs late; the older ones are `missed` for good."""
    older = tuple(START - timedelta(days=7 * week) for week in (3, 2, 1))
    claimed = await database.write(keep_schedule.claim_due, "validate", Due(run=START, missed=older))

    again = [await database.write(keep_schedule.claim_due, "validate", Due(run=at)) for at in older]
    assert (claimed, again) == (True, [False, False, False])


async def test_a_new_job_owes_nothing_from_before(database: Database) -> None:
    """Its first start is its beginning; a second start does not begin it anew."""
    seeded = [
        await database.write(keep_schedule.seed_schedule, "new", START + timedelta(days=day))
        for day in (0, 1)
    ]
    last = await database.read(keep_schedule.last_run, "new")

    assert seeded == [True, False]
    assert last == (START, RunStatus.DONE, START, "")


class Fast(MovableClock):
    """A replica whose clock goes ahead of the others'."""

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=5)


async def test_a_replica_whose_clock_is_wrong_takes_no_thread_from_the_others(
    postgres_url: str, clock: MovableClock
) -> None:
    """Leases go by the database server's clock, also after a replica's own clock has been put right."""
    right, wrong = open_database(postgres_url, clock), open_database(postgres_url, Fast(clock.at))
    await trigger(right, "p")
    [thread] = await right.write(claim, "right")
    taken = await wrong.write(claim, "wrong")
    clock.at += timedelta(hours=1)  # a step: time has not passed
    taken += await right.write(claim, "another")

    assert taken == []
    assert await right.write(save, posted(thread, "1.0001"))
    right.close()
    wrong.close()
