"""Every job and when it runs, in one table; and the ticker that lets each due time run once, in whichever replica.

APScheduler only ticks, in every replica, and is never the truth. The truth is the job ledger: one row per job and due
time. At each tick a job looks back to its newest row, so a due time that passed while nothing ran, or whose run died
with its process, is found and treated by the job's catch-up rule. From one tick to the next only what runs here is
remembered, so a clock that is put right is noticed at the next tick.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from prometheus_client import Counter

from bot.domain.errors import SocmonError
from bot.domain.schedule import CatchUp, RunStatus, lateness, owed
from bot.domain.slot import Rhythm
from bot.ports import Clock, RecordKeeper
from bot.procedures import keep_schedule
from jobs.announce_losses import announce_losses
from jobs.apply_retention import apply_retention
from jobs.ask_about_scope import ask_about_scope
from jobs.capture_dashboards import capture_dashboards
from jobs.collect_coverage import collect_coverage
from jobs.collect_inventory import collect_inventory
from jobs.collect_on_call import collect_on_call
from jobs.escalate_alerts import escalate_alerts
from jobs.reconcile import reconcile
from jobs.refresh_homes import refresh_homes
from jobs.remind_of_standard import remind_of_standard
from jobs.remind_owners import remind_owners
from jobs.send_notices import send_notices
from jobs.show_dashboards import show_dashboards
from jobs.sign_checkpoint import sign_checkpoint
from jobs.suggest_tuning import suggest_tuning
from jobs.tell_of_validations import tell_of_validations
from jobs.tell_operators import tell_operators
from jobs.validate_monitoring import validate_monitoring
from jobs.wake_alerts import wake_alerts

log = logging.getLogger(__name__)

COVERAGE = "collect-coverage"
DASHBOARDS = "capture-dashboards"
"""Those that people can have run out of turn."""
TICK_SECONDS = 5
MOST_MISSED = 1000
LONGEST_RUN = timedelta(minutes=10)
DEAD_AFTER = timedelta(
    minutes=15
)  # a run that was claimed longer ago than the longest takes, and has not ended
RUNS = Counter("socmon_job_runs_total", "Job runs by job and status", ["job", "status"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`run` returns one line about what it did. `every` is when it is due, in the configured time zone."""

    name: str
    every: BaseTrigger
    says: str
    catch_up: CatchUp
    run: Callable[[Any], Awaitable[str]]


def all_jobs(timezone: Any, rhythm: Rhythm | None = None) -> tuple[Job, ...]:
    """The table of all jobs. `rhythm` is when validations open.

    None of them before 01:00 local time: on the day after the clocks went forward APScheduler (3.11) skips that hour.
    A validation may be configured to: then the job that tells of it opens it, minutes later.
    """
    rhythm = rhythm or Rhythm()
    return (
        _often("wake-alerts", wake_alerts, seconds=30, says="every 30 s"),
        _often("collect-on-call", collect_on_call, minutes=5, says="every 5 min"),
        _often(COVERAGE, collect_coverage, minutes=15, says="every 15 min"),
        _often("announce-losses", announce_losses, seconds=30, says="every 30 s"),
        _often("remind-owners", remind_owners, minutes=1, says="every minute"),
        _often(
            "collect-inventory",
            collect_inventory,
            minutes=5,
            says="every 5 min, each tool once an hour",
        ),
        _often("ask-about-scope", ask_about_scope, minutes=1, says="every minute"),
        _often("escalate-alerts", escalate_alerts, seconds=15, says="every 15 s"),
        _often("send-notices", send_notices, seconds=15, says="every 15 s"),
        _often("refresh-homes", refresh_homes, seconds=15, says="every 15 s"),
        _often("reconcile", reconcile, minutes=5, says="every 5 min"),
        _often("sign-checkpoint", sign_checkpoint, minutes=1, says="every minute"),
        _often("suggest-tuning", suggest_tuning, minutes=1, says="every minute"),
        _often("tell-operators", tell_operators, seconds=30, says="every 30 s"),
        _often("tell-of-validations", tell_of_validations, minutes=5, says="every 5 min"),
        Job(
            name="validate-monitoring",
            every=CronTrigger(
                day_of_week=rhythm.opens.day,
                hour=rhythm.opens.at.hour,
                minute=rhythm.opens.at.minute,
                timezone=rhythm.zone,
            ),
            says=f"{rhythm.opens} {rhythm.zone}",
            catch_up=CatchUp.ALL,
            run=validate_monitoring,
        ),
        Job(
            name="remind-of-standard",
            every=CronTrigger(hour=9, minute=15, timezone=timezone),
            says=f"daily at 09:15 {timezone}, each reminder once a week",
            catch_up=CatchUp.LATEST,
            run=remind_of_standard,
        ),
        Job(
            # Half an hour before the weekly validation opens.
            name=DASHBOARDS,
            every=CronTrigger(day_of_week="mon", hour=8, minute=30, timezone=timezone),
            says=f"Mondays at 08:30 {timezone}",
            catch_up=CatchUp.ALL,
            run=capture_dashboards,
        ),
        _often("show-dashboards", show_dashboards, minutes=1, says="every minute"),
        Job(
            name="apply-retention",
            every=CronTrigger(hour=3, minute=30, timezone=timezone),
            says=f"daily at 03:30 {timezone}",
            catch_up=CatchUp.LATEST,
            run=apply_retention,
        ),
    )


def _often(name: str, run: Callable[[Any], Awaitable[str]], *, says: str, **every: int) -> Job:
    """A job that only keeps things going: of the due times it missed, the newest is enough."""
    trigger = IntervalTrigger(**every, start_date=_MIDNIGHT, timezone="UTC")
    return Job(name=name, every=trigger, says=says, catch_up=CatchUp.LATEST, run=run)


class Soon(BaseTrigger):  # type: ignore[misc]
    """The next tick, from now on. An IntervalTrigger would count every tick that a leap of the clock left out."""

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime:
        return now + timedelta(seconds=TICK_SECONDS)


class Ticker:
    """Looks every few seconds what is due. `parts` is what the jobs get: the composition root's parts.

    `alone` says that no other process runs jobs, so that a run which nobody here holds has died.
    """

    def __init__(
        self, jobs: Sequence[Job], *, records: RecordKeeper, clock: Clock, parts: Any, alone: bool = False
    ) -> None:
        self._jobs, self._records, self._clock, self._parts = jobs, records, clock, parts
        self._alone = alone
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._running: set[asyncio.Task[str]] = set()
        self._held: set[tuple[str, datetime]] = set()  # claimed here, and the end is not yet on record
        self._ended: dict[tuple[str, datetime], tuple[RunStatus, str]] = {}  # of those, what came of them

    @property
    def housekeeping(self) -> list[str]:
        """The jobs that only keep things going: of their missed due times nobody keeps a record."""
        return [job.name for job in self._jobs if job.catch_up is CatchUp.LATEST]

    def start(self) -> None:
        ticking = self._scheduler.add_job(
            self.tick, Soon(), max_instances=1, coalesce=True, misfire_grace_time=None
        )
        self._scheduler.start()
        self._keeper = asyncio.create_task(_keep_ticking(ticking))

    async def stop(self) -> None:
        self._keeper.cancel()
        self._scheduler.shutdown(wait=False)
        if self._running:
            await asyncio.wait(self._running, timeout=2)

    async def tick(self) -> None:
        """Run whatever is due and nobody else has claimed."""
        await self._record_ends()
        for job in self._jobs:
            try:
                await self._look(job)
            except SocmonError as error:
                log.warning("%s: the ledger could not be reached: %s", job.name, error)

    async def run_now(self, name: str) -> str | None:
        """Run a job out of turn, and return what it did, in a line.

        None when it was not run: it is under way in some replica, or was begun in this very minute.
        """
        job = next(one for one in self._jobs if one.name == name)
        now = self._clock.now()
        due_at = now.replace(second=0, microsecond=0)
        if (name, due_at) in self._held:
            return None
        # Held before it is claimed: a tick in between would take it for the run of a process that has died.
        self._held.add((name, due_at))
        claimed = await self._records.write(
            keep_schedule.claim_now, name, due_at, dead_before=now - DEAD_AFTER
        )
        if not claimed:
            self._held.discard((name, due_at))
            return None
        return await self._run(job, due_at)

    async def _look(self, job: Job) -> None:
        now = self._clock.now()
        dead_before = _END_OF_TIME if self._alone else now - DEAD_AFTER
        newest, dead = await self._standing(job, now, dead_before)
        if newest is None:
            await self._records.write(keep_schedule.seed_schedule, job.name, now)
            newest = now
        passed, _ = due_times(job.every, newest, now)
        dead = [at for at in dead if (job.name, at) not in self._held]
        due = owed(passed, job.catch_up, dead=dead, newest=newest)
        if due.run is None and not due.missed:
            return
        claimed = await self._records.write(keep_schedule.claim_due, job.name, due, dead_before=dead_before)
        if claimed and due.run is not None:
            self._held.add((job.name, due.run))
            task = asyncio.create_task(self._run(job, due.run))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _standing(
        self, job: Job, now: datetime, dead_before: datetime
    ) -> tuple[datetime | None, list[datetime]]:
        """What the ledger says, rid of what a wrong clock has left there."""
        newest, dead = await self._records.read(keep_schedule.standing, job.name, dead_before=dead_before)
        if newest is None or newest <= now + keep_schedule.SKEW:
            return newest, dead
        if number := await self._records.write(keep_schedule.forget_future, job.name):
            log.warning(
                "%s: %s runs on record were yet to come, up to %s: the clock was put back, or was wrong. They were"
                " forgotten, and will run when they are due.",
                job.name,
                number,
                newest,
            )
        return await self._records.read(keep_schedule.standing, job.name, dead_before=dead_before)

    async def _run(self, job: Job, due_at: datetime) -> str:
        late = lateness(due_at, self._clock.now())
        try:
            async with asyncio.timeout(LONGEST_RUN.total_seconds()):
                detail, status = await job.run(self._parts), RunStatus.DONE
        except Exception as error:
            log.exception("%s failed; its next due time runs as usual", job.name)
            detail, status = f"{type(error).__name__}: {error}", RunStatus.FAILED
        RUNS.labels(job.name, status).inc()
        self._ended[job.name, due_at] = status, detail + late
        await self._record_ends()
        return detail

    async def _record_ends(self) -> None:
        """Those that the records do not take now are tried again at the next tick: their runs are over."""
        for (name, due_at), (status, detail) in list(self._ended.items()):
            try:
                await self._records.write(keep_schedule.finish, name, due_at, status=status, detail=detail)
            except SocmonError as error:
                log.warning("%s: the end of its run at %s could not be recorded yet: %s", name, due_at, error)
            else:
                self._ended.pop((name, due_at), None)
                self._held.discard((name, due_at))


async def _keep_ticking(ticking: Any) -> None:
    """APScheduler waits for a time on the wall: when that clock is put back, it would wait until then."""
    while True:
        await asyncio.sleep(TICK_SECONDS)
        now = datetime.now(UTC)
        if ticking.next_run_time > now + timedelta(seconds=2 * TICK_SECONDS):
            log.warning("the clock was put back; ticking on")
            ticking.modify(next_run_time=now)


def due_times(every: BaseTrigger, since: datetime, now: datetime) -> tuple[list[datetime], datetime | None]:
    """The due times after `since` up to `now`, oldest first (the newest thousand), and the next one after. In UTC."""
    if isinstance(every, IntervalTrigger):
        since = max(since, now - MOST_MISSED * every.interval)
    passed: list[datetime] = []
    at = _following(every, since)
    while at is not None and at <= now:
        passed.append(at)
        if len(passed) > MOST_MISSED:
            del passed[0]
        at = _following(every, at)
    return passed, at


def _following(every: BaseTrigger, after: datetime) -> datetime | None:
    """The trigger knows time zones. When the clocks go back an hour comes twice: its second coming is not due again."""
    at: datetime | None = every.get_next_fire_time(None, after + _INSTANT)
    while at is not None and at.fold:
        at = every.get_next_fire_time(None, at.astimezone(UTC) + _INSTANT)
    return at.astimezone(UTC) if at else None


_INSTANT = timedelta(microseconds=1)
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)
_MIDNIGHT = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
