"""`socmon coverage --refresh`: every tool is asked now, beside a running server; a bar tells how far that is."""

import asyncio
import socket
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Self

from bot import __version__
from bot.adapters.database.engine import writing_engine
from bot.adapters.database.writer import Database
from bot.adapters.system import SystemClock, SystemRandomness
from bot.app import notification_routes
from bot.commands.records import existing_database
from bot.domain.component import Component
from bot.domain.errors import SocmonError
from bot.domain.monitor import MetricReading, Monitor
from bot.domain.oncall import StoredRoster
from bot.domain.paging import Service
from bot.domain.route import Routes
from bot.domain.schedule import RunStatus
from bot.domain.standard import Standard
from bot.procedures import keep_schedule
from bot.providers import all_providers
from bot.providers.contract import Fleet, Paging, Pulled
from bot.settings import Settings
from bot.standard import read_standard
from jobs.collect_coverage import collect_coverage
from jobs.schedule import COVERAGE, DEAD_AFTER

WIDTH = 24
CLEAR = "\r\x1b[K"  # the line


class JustAsked(SocmonError):
    """The tools are not asked twice a minute; what stands in the records is shown."""

    def __init__(self) -> None:
        super().__init__(
            "The tools are being asked right now, or were within this minute, so they were not asked again: once a"
            " minute is the most. Leave out --refresh to see what is known, or try again in a minute."
        )


class Bar:
    """On a terminal's error stream, moved on by every answer of a tool; elsewhere there is none."""

    def __init__(self, whole: int) -> None:
        self._whole, self._done, self._lock = whole, 0, threading.Lock()
        self._shown = sys.stderr.isatty()

    def __enter__(self) -> Self:
        self._show("asking")
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write(CLEAR)

    def step(self, what: str) -> None:
        with self._lock:
            self._done += 1
            self._show(what)

    def say(self, line: str) -> None:
        with self._lock:
            sys.stderr.write(f"{CLEAR if self._shown else ''}{line}\n")

    def _show(self, what: str) -> None:
        if self._shown:
            full = WIDTH * self._done // max(self._whole, 1)
            sys.stderr.write(f"{CLEAR}[{'#' * full}{'-' * (WIDTH - full)}] {self._done}/{self._whole} {what}")
            sys.stderr.flush()


@dataclass(frozen=True)
class Watched:
    """A tool whose answers move the bar on."""

    fleet: Fleet
    title: str
    bar: Bar

    def list_components(self, at: datetime) -> Pulled[Component]:
        return self.fleet.list_components(at)

    def read_metrics(self, components: Sequence[Component], at: datetime) -> Pulled[MetricReading]:
        answer = self.fleet.read_metrics(components, at)
        self.bar.step(f"{self.title}: metrics")
        return answer

    def check_rights(self, at: datetime) -> Pulled[str]:
        return self.fleet.check_rights(at)

    def list_monitors(self, at: datetime) -> Pulled[Monitor]:
        answer = self.fleet.list_monitors(at)
        self.bar.step(f"{self.title}: monitors")
        return answer


@dataclass(frozen=True)
class WatchedPaging:
    """As `Watched`, of a tool that pages people."""

    paging: Paging
    title: str
    bar: Bar

    def list_services(self, at: datetime) -> Pulled[Service]:
        answer = self.paging.list_services(at)
        self.bar.step(f"{self.title}: services")
        return answer


@dataclass(frozen=True)
class Operators:
    """Trouble is told where the command runs; the server tells the operators when it meets it, too."""

    bar: Bar

    async def report(self, _subject: str, text: str) -> None:
        self.bar.say(f"! {text}")

    async def mended(self, _subject: str) -> None:
        pass


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the job needs of the composition root."""

    settings: Settings
    records: Database
    fleets: dict[str, Watched]
    paging: dict[str, WatchedPaging]
    titles: dict[str, str]
    standard: Standard
    clock: SystemClock
    operators: Operators

    @property
    def coverage_time_to_live(self) -> timedelta:
        return self.settings.coverage_time_to_live

    @property
    def coverage_budget(self) -> Decimal:
        return self.settings.config.coverage.most_usd_per_month

    def notification_routes(self, stored: StoredRoster | None, now: datetime) -> Routes:
        return notification_routes(self.settings, stored, now)


def refresh(settings: Settings) -> str:
    """Ask, assess and keep; returns what that did, in a line. Raises JustAsked."""
    known, clock = all_providers(), SystemClock()
    providers = settings.providers.items()
    fleets = {name: fleet for name, own in providers if (fleet := known[name].fleet(own))}
    pagers = {name: pager for name, own in providers if (pager := known[name].paging(own))}
    with existing_database(settings) as reading, Bar(2 * len(fleets) + len(pagers)) as bar:
        database = Database(
            writing_engine(settings.database_url),
            reading,
            clock=clock,
            randomness=SystemRandomness(),
            node=socket.gethostname(),
            code=f"socmon {__version__}",
        )
        parts = Parts(
            settings=settings,
            records=database,
            fleets={name: Watched(fleet, known[name].title, bar) for name, fleet in fleets.items()},
            paging={name: WatchedPaging(pager, known[name].title, bar) for name, pager in pagers.items()},
            titles={name: provider.title for name, provider in known.items()},
            standard=read_standard(settings.standard_file),
            clock=clock,
            operators=Operators(bar),
        )
        try:
            return asyncio.run(_refresh(parts))
        finally:
            database.close()


async def _refresh(parts: Parts) -> str:
    """Claimed as done: a server that is alone takes a run which goes on, and which it does not hold, for a dead one."""
    now = datetime.now(UTC)
    due_at = now.replace(second=0, microsecond=0)
    claimed = await parts.records.write(
        keep_schedule.claim_now, COVERAGE, due_at, dead_before=now - DEAD_AFTER, status=RunStatus.DONE
    )
    if not claimed:
        raise JustAsked
    did = await collect_coverage(parts)
    detail = f"{did}; by a command"
    await parts.records.write(keep_schedule.finish, COVERAGE, due_at, status=RunStatus.DONE, detail=detail)
    return did
