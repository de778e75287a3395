"""When jobs run: once per due time, over clock changes and downtime, in whichever replica."""

import asyncio
import time
from collections.abc import Iterator
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


def ticker(database: Database, clock: MovableClock, journal: Journal, *jobs: Job) -> Ticker:
    return Ticker(jobs, records=database, clock=clock, parts=journal)


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
