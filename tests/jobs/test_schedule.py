"""When jobs run: once per due time, over clock changes and downtime, in whichever replica."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import select

from bot.adapters.database.rows import instant
from bot.adapters.database.tables import job_run
from bot.adapters.database.writer import Database
from bot.domain.errors import Unavailable
from bot.domain.schedule import CatchUp
from jobs import schedule
from jobs.schedule import Job, Ticker, all_jobs, due_times
from tests.world import MovableClock, open_database

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


class Journal:
    """The parts that a test's jobs get: a list to write into."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.failing = False


def job(every: BaseTrigger, *, catch_up: CatchUp = CatchUp.LATEST, name: str = "job") -> Job:
    async def run(parts: Journal) -> str:
        parts.runs.append(name)
        if parts.failing:
            raise OSError("no disk")
        return f"run {len(parts.runs)}"

    return Job(name=name, every=every, says="", catch_up=catch_up, run=run)


WEEKLY = CronTrigger(day_of_week="mon", hour=9, timezone=BERLIN)
MINUTELY = IntervalTrigger(minutes=1, start_date=datetime(2026, 1, 1, tzinfo=UTC), timezone=UTC)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(START)


@pytest.fixture
def database(sqlite_url: str, clock: MovableClock) -> Iterator[Database]:
    opened = open_database(sqlite_url, clock)
    yield opened
    opened.close()


def ticker(
    database: Database, clock: MovableClock, journal: Journal, *jobs: Job, alone: bool = False
) -> Ticker:
    return Ticker(jobs, records=database, clock=clock, parts=journal, alone=alone)


async def tick(*tickers: Ticker) -> None:
    """All look at once; returns when what they started has ended."""
    await asyncio.gather(*(each.tick() for each in tickers))
    for each in tickers:
        await asyncio.gather(*each._running)  # noqa: SLF001


def ledger(database: Database) -> list[tuple[datetime, str, str]]:
    query = select(job_run).order_by(job_run.c.due_at)
    with database.reading.connect() as connection:
        return [(instant(row.due_at), row.status, row.detail) for row in connection.execute(query)]


# Clocks that change


def due_days(
    every: BaseTrigger, zone: ZoneInfo, first: date, days: int, *, step: timedelta
) -> list[datetime]:
    """The local due times within some days, found as the ticker finds them: from one look to the next."""
    last = now = datetime(first.year, first.month, first.day, tzinfo=zone).astimezone(UTC)
    found: list[datetime] = []
    while now < last + timedelta(days=days):
        now += step
        passed, _ = due_times(every, found[-1] if found else last, now)
        found += passed
    return [at.astimezone(zone) for at in found]


CHANGES = {
    "Helsinki, autumn": (ZoneInfo("Europe/Helsinki"), date(2026, 10, 23)),
    "Berlin, spring": (BERLIN, date(2026, 3, 27)),
    "Berlin, autumn": (BERLIN, date(2026, 10, 23)),
    "New York, spring": (NEW_YORK, date(2026, 3, 6)),
    "New York, autumn": (NEW_YORK, date(2026, 10, 30)),
}


@pytest.mark.parametrize(
    "step", [timedelta(minutes=17), timedelta(days=2)], ids=["while it runs", "after a pause"]
)
@pytest.mark.parametrize(("hour", "minute"), [(3, 30), (2, 30), (1, 30)])
@pytest.mark.parametrize(("zone", "first"), CHANGES.values(), ids=CHANGES.keys())
def test_a_daily_job_runs_once_on_each_local_day(
    zone: ZoneInfo, first: date, hour: int, minute: int, step: timedelta
) -> None:
    """Also on the day that has 23 or 25 hours, and at an hour that this day has twice or not at all."""
    every = CronTrigger(hour=hour, minute=minute, timezone=zone)

    found = due_days(every, zone, first, 6, step=step)

    assert [at.date() for at in found] == [first + timedelta(days=day) for day in range(6)]


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK], ids=str)
@pytest.mark.parametrize("first", [date(2026, 3, 1), date(2026, 10, 11)], ids=str)
def test_a_weekly_job_runs_every_monday_at_nine(zone: ZoneInfo, first: date) -> None:
    """By the clock on the wall, in the weeks around a change as in others."""
    every = CronTrigger(day_of_week="mon", hour=9, timezone=zone)

    found = due_days(every, zone, first, 35, step=timedelta(hours=5))

    assert [(at.weekday(), at.hour, at.minute) for at in found] == [(0, 9, 0)] * 5


# Downtime


def test_a_new_job_owes_nothing(database: Database, clock: MovableClock) -> None:
    """At its first look its history begins."""
    journal = Journal()
    asyncio.run(tick(ticker(database, clock, journal, job(WEEKLY, catch_up=CatchUp.ALL))))

    assert journal.runs == []
    assert ledger(database) == [(START, "done", "")]


async def test_after_three_weeks_the_newest_due_time_runs_and_the_others_are_missed(
    database: Database, clock: MovableClock
) -> None:
    """A weekly validation: each missed Monday has its record, and nobody is asked three times at once."""
    weekly = job(WEEKLY, catch_up=CatchUp.ALL)
    await tick(ticker(database, clock, Journal(), weekly))
    clock.move(timedelta(weeks=3).total_seconds())
    journal = Journal()
    restarted = ticker(database, clock, journal, weekly)

    await tick(restarted)
    await tick(restarted)

    assert journal.runs == ["job"]
    assert [(at.astimezone(BERLIN).isoformat()[:16], status) for at, status, _ in ledger(database)[1:]] == [
        ("2026-11-30T09:00", "missed"),
        ("2026-12-07T09:00", "missed"),
        ("2026-12-14T09:00", "done"),
    ]


async def test_after_three_weeks_a_minutely_job_runs_once(database: Database, clock: MovableClock) -> None:
    """Thirty thousand missed minutes are one run, and looking for them holds nobody up."""
    minutely = job(MINUTELY)
    await tick(ticker(database, clock, Journal(), minutely))
    clock.move(timedelta(weeks=3).total_seconds() + 7)
    journal = Journal()
    restarted = ticker(database, clock, journal, minutely)

    started = time.process_time()
    await tick(restarted)
    took = time.process_time() - started

    assert journal.runs == ["job"]
    assert [(at, status) for at, status, _ in ledger(database)[1:]] == [(START + timedelta(weeks=3), "done")]
    assert took < 0.5


async def test_while_it_runs_every_due_time_is_run(database: Database, clock: MovableClock) -> None:
    """Minute by minute, looked at every few seconds, and no more often than due."""
    journal = Journal()
    running = ticker(database, clock, journal, job(MINUTELY))
    for _ in range(37):
        await tick(running)
        clock.move(5)

    assert journal.runs == ["job"] * 3
    assert [at.minute for at, status, _ in ledger(database)[1:] if status == "done"] == [1, 2, 3]


# Faults


async def test_a_job_that_fails_is_on_record_and_runs_again_when_it_is_due(
    database: Database, clock: MovableClock
) -> None:
    """One bad run stops nothing, and says why."""
    journal = Journal()
    other = job(MINUTELY, name="other")
    running = ticker(database, clock, journal, job(MINUTELY), other)
    await tick(running)
    journal.failing = True
    clock.move(60)
    await tick(running)
    journal.failing = False
    clock.move(60)
    await tick(running)

    assert sorted(journal.runs) == ["job", "job", "other", "other"]
    assert [
        (status, detail) for at, status, detail in ledger(database) if at == START + timedelta(minutes=1)
    ] == [("failed", "OSError: no disk")] * 2
    assert [status for at, status, _ in ledger(database) if at == START + timedelta(minutes=2)] == [
        "done"
    ] * 2


async def test_a_slow_job_does_not_hold_up_others(database: Database, clock: MovableClock) -> None:
    """Each runs by itself."""
    stuck, journal = asyncio.Event(), Journal()

    async def wait(_: Any) -> str:
        await stuck.wait()
        return "at last"

    slow = Job(name="slow", every=MINUTELY, says="", catch_up=CatchUp.LATEST, run=wait)
    running = ticker(database, clock, journal, slow, job(MINUTELY))
    await running.tick()
    clock.move(60)
    await running.tick()
    await asyncio.sleep(0.05)

    assert journal.runs == ["job"]
    stuck.set()
    await tick(running)
    assert {detail for _, _, detail in ledger(database)} == {"", "at last", "run 1"}


async def test_a_ledger_out_of_reach_stops_no_clock(sqlite_url: str, clock: MovableClock) -> None:
    """While the database is gone nothing runs, nothing is raised, and afterwards the due time is made up for."""
    database, journal = open_database(sqlite_url, clock), Journal()
    running = ticker(database, clock, journal, job(MINUTELY), job(MINUTELY, name="other"))
    await tick(running)
    clock.move(60)
    healthy, running._records = running._records, Unreachable()  # noqa: SLF001
    await tick(running)
    nothing_yet = list(journal.runs)
    running._records = healthy  # noqa: SLF001

    await tick(running)

    assert (nothing_yet, sorted(journal.runs)) == ([], ["job", "other"])
    database.close()


class Unreachable:
    """A database that does not answer."""

    async def write(self, *_: Any, **__: Any) -> Any:
        raise Unavailable("no answer")

    read = write


async def test_the_end_of_a_run_that_cannot_be_recorded_is_logged(
    database: Database, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The run has happened; that its row says `running` for ever needs a word in the log."""
    running = ticker(database, clock, Journal(), job(MINUTELY))
    await tick(running)
    clock.move(60)
    gone = asyncio.Event()

    async def lose_the_database(_: Any) -> str:
        running._records = Unreachable()  # noqa: SLF001
        gone.set()
        return "done"

    running._jobs = [Job(name="job", every=MINUTELY, says="", catch_up=CatchUp.LATEST, run=lose_the_database)]  # noqa: SLF001
    await tick(running)

    assert gone.is_set()
    assert "job" in caplog.text


async def test_an_end_that_could_not_be_recorded_is_recorded_later(
    sqlite_url: str, clock: MovableClock
) -> None:
    """The run is over: as soon as the records answer, they say so, and it is not run again."""
    database, journal = open_database(sqlite_url, clock), Journal()
    running = ticker(database, clock, journal, job(MINUTELY), alone=True)
    await tick(running)
    clock.move(60)
    await running.tick()
    healthy, running._records = running._records, Unreachable()  # noqa: SLF001
    await asyncio.gather(*running._running)  # noqa: SLF001
    running._records = healthy  # noqa: SLF001
    unrecorded = ledger(database)[-1][1]

    await tick(running)

    assert (unrecorded, ledger(database)[-1][1], journal.runs) == ("running", "done", ["job"])
    database.close()


async def test_a_run_that_hangs_is_ended_and_on_record(
    database: Database, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No run takes longer than agreed, so another replica may count on it that an old claim is nobody's."""
    monkeypatch.setattr(schedule, "LONGEST_RUN", timedelta(milliseconds=10))
    running = ticker(database, clock, Journal(), replace(job(MINUTELY), run=hang))
    await tick(running)
    clock.move(60)
    await tick(running)

    assert [row[1:] for row in ledger(database)[1:]] == [("failed", "TimeoutError: ")]


# Runs whose process died


async def hang(_: Any) -> str:
    await asyncio.sleep(30)
    return ""


async def claim_and_die(database: Database, clock: MovableClock, each: Job) -> None:
    """Between the claim and the end of the run there is a kill -9."""
    dying = ticker(database, clock, Journal(), replace(each, run=hang))
    await dying.tick()
    for task in dying._running:  # noqa: SLF001
        task.cancel()


async def seeded(database: Database, clock: MovableClock, each: Job) -> None:
    """The job is known, and its first Monday has come."""
    await tick(ticker(database, clock, Journal(), each))
    clock.move((datetime(2026, 11, 30, 8, 0, 2, tzinfo=UTC) - clock.now()).total_seconds())


async def test_after_a_kill_the_only_process_runs_the_due_time_at_its_start(
    database: Database, clock: MovableClock
) -> None:
    """A weekly validation is not lost to a kill in the middle, and its record says how late it was."""
    weekly = job(WEEKLY, catch_up=CatchUp.ALL)
    await seeded(database, clock, weekly)
    await claim_and_die(database, clock, weekly)
    clock.move(90)
    journal = Journal()
    restarted = ticker(database, clock, journal, weekly, alone=True)

    await tick(restarted)
    await tick(restarted)

    assert journal.runs == ["job"]
    assert [(status, detail) for _, status, detail in ledger(database)[1:]] == [
        ("done", "run 1; begun 0:01:32 late")
    ]


async def test_another_replica_takes_over_when_no_run_takes_that_long(
    database_url: str, clock: MovableClock
) -> None:
    """Before that the first may still be at work."""
    database = open_database(database_url, clock)
    weekly = job(WEEKLY, catch_up=CatchUp.ALL)
    await seeded(database, clock, weekly)
    await claim_and_die(database, clock, weekly)
    journals = [Journal(), Journal()]
    others = [ticker(database, clock, journal, weekly) for journal in journals]

    clock.move(14 * 60)
    await tick(*others)
    too_early = journals[0].runs + journals[1].runs
    clock.move(2 * 60)
    await tick(*others)

    assert too_early == []
    assert journals[0].runs + journals[1].runs == ["job"]
    assert ledger(database)[1][1:] == ("done", "run 1; begun 0:16:02 late")
    database.close()


async def test_a_due_time_that_died_before_a_newer_one_is_missed(
    database: Database, clock: MovableClock
) -> None:
    """Two weeks later the newest Monday runs; the one that died is on record as missed, as is the one in between."""
    weekly = job(WEEKLY, catch_up=CatchUp.ALL)
    await seeded(database, clock, weekly)
    await claim_and_die(database, clock, weekly)
    clock.move(timedelta(weeks=2).total_seconds())

    await tick(ticker(database, clock, Journal(), weekly, alone=True))

    assert [status for _, status, _ in ledger(database)[1:]] == ["missed", "missed", "done"]


async def test_nobody_asks_for_a_minute_that_died_before_another(
    database: Database, clock: MovableClock
) -> None:
    """Where only the newest counts it is not run again, and its row does not say `running` for ever."""
    minutely = job(MINUTELY)
    await tick(ticker(database, clock, Journal(), minutely))
    clock.move(60)
    await claim_and_die(database, clock, minutely)
    journal = Journal()
    other = ticker(database, clock, journal, minutely)
    for _ in range(20):
        clock.move(60)
        await tick(other)

    assert len(journal.runs) == 20
    assert [status for _, status, _ in ledger(database)[1:]] == ["missed", *["done"] * 20]


# Clocks that are wrong


async def test_a_clock_that_was_ahead_stops_nothing_when_it_is_put_right(
    database: Database, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    """One look under a clock of next year; afterwards each minute runs as before, and after a restart too."""
    journal = Journal()
    running = ticker(database, clock, journal, job(MINUTELY))
    await tick(running)
    clock.at += timedelta(days=400)
    await tick(running)
    clock.at -= timedelta(days=400)
    under_the_wrong_clock = len(journal.runs)

    for _ in range(10):
        clock.move(60)
        await tick(running)
    restarted = ticker(database, clock, journal, job(MINUTELY))
    for _ in range(10):
        clock.move(60)
        await tick(restarted)

    assert (under_the_wrong_clock, len(journal.runs)) == (1, 21)
    assert all(at <= clock.now() for at, _, _ in ledger(database))
    assert "the clock was put back, or was wrong" in caplog.text


async def test_a_wrong_clock_takes_no_monday_away(database: Database, clock: MovableClock) -> None:
    """The Mondays of next year that it called missed are forgotten, and run when they come."""
    weekly, journal = job(WEEKLY, catch_up=CatchUp.ALL), Journal()
    running = ticker(database, clock, journal, weekly)
    await tick(running)
    clock.at += timedelta(days=400)
    await tick(running)
    clock.at -= timedelta(days=400)
    journal.runs.clear()

    for _ in range(3 * 7 * 24):
        clock.move(3600)
        await tick(running)

    assert len(journal.runs) == 3
    assert {status for _, status, _ in ledger(database)} == {"done"}


async def test_a_clock_that_is_put_back_stops_no_minute(database: Database, clock: MovableClock) -> None:
    """Three hours back: those minutes come again, and nobody waits for three hours."""
    journal = Journal()
    running = ticker(database, clock, journal, job(MINUTELY))
    await tick(running)
    clock.move(timedelta(hours=3).total_seconds())
    for _ in range(5):
        await tick(running)
        clock.move(60)
    clock.at -= timedelta(hours=3)
    journal.runs.clear()

    for _ in range(10):
        clock.move(60)
        await tick(running)

    assert len(journal.runs) == 10


async def test_a_replica_with_a_wrong_clock_makes_no_other_run_twice(postgres_url: str) -> None:
    """Whose clock is a day behind does not take the others' runs for runs of tomorrow."""
    now = datetime.now(UTC)
    right, behind = MovableClock(now), MovableClock(now - timedelta(days=1))
    databases = [open_database(postgres_url, clock) for clock in (right, behind)]
    journals = [Journal(), Journal()]
    tickers = [
        ticker(database, clock, journal, job(MINUTELY))
        for database, clock, journal in zip(databases, (right, behind), journals, strict=True)
    ]
    for _ in range(4):
        await tick(tickers[0])
        await tick(tickers[1])
        right.move(60)
        behind.move(60)

    assert [journal.runs for journal in journals] == [["job"] * 3, []]
    for database in databases:
        database.close()


async def test_a_clock_that_was_ahead_is_put_right_with_replicas(postgres_url: str) -> None:
    """The database's clock tells which runs are yet to come."""
    clock, journal = MovableClock(datetime.now(UTC)), Journal()
    database = open_database(postgres_url, clock)
    running = ticker(database, clock, journal, job(MINUTELY))
    await tick(running)
    clock.at += timedelta(days=400)
    await tick(running)
    clock.at -= timedelta(days=400)
    clock.move(60)
    await tick(running)

    assert journal.runs == ["job", "job"]
    assert len(ledger(database)) == 2
    database.close()


async def test_the_ticks_go_on_when_the_clock_is_put_back(
    database: Database, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """APScheduler waits for a time on the wall, which is suddenly three hours away."""
    monkeypatch.setattr(schedule, "TICK_SECONDS", 0.05)
    ticks: list[float] = []

    async def count() -> None:
        ticks.append(time.monotonic())

    running = ticker(database, clock, Journal())
    monkeypatch.setattr(running, "tick", count)
    running.start()
    await asyncio.sleep(0.2)
    before = len(ticks)
    [ticking] = running._scheduler.get_jobs()  # noqa: SLF001
    ticking.modify(next_run_time=datetime.now(UTC) + timedelta(hours=3))
    await asyncio.sleep(0.6)
    await running.stop()

    assert before
    assert len(ticks) > before + 2


def test_a_leap_of_the_clock_is_one_tick() -> None:
    """APScheduler would count the seven million ticks of 400 days, and answer nobody meanwhile."""
    now = datetime.now(UTC)

    assert schedule.Soon().get_next_fire_time(now - timedelta(days=400), now) > now


# Replicas


async def test_two_replicas_run_each_due_time_once(postgres_url: str, clock: MovableClock) -> None:
    """Both tick at the same moments; each minute runs in one of them."""
    databases = [open_database(postgres_url, clock) for _ in range(2)]
    journals = [Journal(), Journal()]
    tickers = [
        ticker(database, clock, journal, job(MINUTELY))
        for database, journal in zip(databases, journals, strict=True)
    ]
    for _ in range(11):
        await tick(*tickers)
        clock.move(60)

    assert len(journals[0].runs) + len(journals[1].runs) == 10
    assert [status for _, status, _ in ledger(databases[0])] == ["done"] * 11
    for database in databases:
        database.close()


# The real table


ZONES = [
    "Africa/Cairo",
    "America/New_York",
    "America/Santiago",
    "Asia/Beirut",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
]
ZONES += ["Europe/Berlin", "Europe/Helsinki", "Europe/London", "Pacific/Auckland"]


@pytest.mark.parametrize("zone", ZONES)
def test_the_daily_jobs_of_the_table_run_once_on_every_day_of_the_year(zone: str) -> None:
    """Wherever the company is; some clocks change at midnight, some by half an hour."""
    tables = [each for each in all_jobs(ZoneInfo(zone)) if each.says.startswith("daily")]
    begin = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone))
    year = [begin.date() + timedelta(days=day) for day in range(365)]

    for each in tables:
        passed, _ = due_times(each.every, begin.astimezone(UTC), begin.replace(year=2027).astimezone(UTC))
        assert [at.astimezone(ZoneInfo(zone)).date() for at in passed] == year
    assert tables


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, ZoneInfo("UTC")], ids=str)
def test_every_job_of_the_table_has_a_name_of_its_own_and_a_next_due_time(zone: ZoneInfo) -> None:
    """What `socmon jobs` lists."""
    table = all_jobs(zone)

    assert len({each.name for each in table}) == len(table)
    for each in table:
        passed, following = due_times(each.every, START, START)
        assert passed == []
        assert following is not None
        assert following > START


@pytest.mark.parametrize("alone", [True, False])
async def test_a_person_has_a_job_run_out_of_turn_once_a_minute(
    database: Database, clock: MovableClock, *, alone: bool
) -> None:
    """In all replicas together; the ticker takes it for no dead run, and its own due times stay."""
    journal, quarterly = Journal(), IntervalTrigger(minutes=15, start_date=START, timezone=UTC)
    first, second = (ticker(database, clock, journal, job(quarterly), alone=alone) for _ in range(2))
    clock.move(70)
    await tick(first)  # the job is new: nothing is owed before now

    clock.move(60)
    runs = await asyncio.gather(first.run_now("job"), second.run_now("job"), tick(first))
    again = await first.run_now("job")
    clock.move(60)
    later = await second.run_now("job")
    clock.move(900)
    await tick(first)

    assert sorted(map(str, runs)) == ["None", "None", "run 1"]
    assert (again, later) == (None, "run 2")
    assert journal.runs == ["job"] * 3
    assert [detail.partition(";")[0] for _, _, detail in ledger(database)] == ["", "run 1", "run 2", "run 3"]
