"""GET /healthz, /readyz, /metrics: alive, ready for intake, and the figures.

readyz is 503 only when the database cannot be written, migrations are behind, or we drain. Trouble with Slack or a
vendor is `degraded` in its body: a dead token must never take intake out of the load balancer.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import shake_256
from math import nan

from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.domain.errors import SocmonError, Unavailable
from bot.domain.heartbeat import Pulse, Watch
from bot.ports import Clock, RecordKeeper, Records
from bot.procedures.show_alert import lag

SLOW_LAG_SECONDS = 60
FRESH_SECONDS = 10  # how long a write that went through stands for others
PROBE_SECONDS = 5
ROOM = shake_256(b"room").hexdigest(16 * 1024)  # a large delivery; no engine can compress it

LAGGING = Gauge("socmon_slack_lagging_threads", "Threads in Slack that lag behind the records")
LAG_SECONDS = Gauge("socmon_slack_lag_seconds", "Since when the oldest lagging thread lags")
LOG_SIZE = Gauge("socmon_log_entries", "Entries in the evidence log")
CHECKPOINT_AGE = Gauge(
    "socmon_checkpoint_age_seconds", "Since the last signed checkpoint; NaN before the first"
)
WAITING = Gauge("socmon_records_waiting", "Units of work that wait for a transaction")
PROBLEMS = Gauge("socmon_problems", "What an operator has to mend")
TROUBLE = Gauge("socmon_tool_trouble", "1 while a tool cannot be told or asked", ["provider"])
LAST_SEEN = Gauge("socmon_source_last_seen_seconds", "Since a source was last heard", ["provider"])
SILENT = Gauge("socmon_source_silent", "1 while a source is silent for longer than is normal", ["provider"])
AUDIT_OK = Gauge("socmon_self_audit_ok", "1 while the last self-audit found all well; NaN before the first")
PING_OK = Gauge(
    "socmon_ping_last_ok_timestamp", "When the outside last took word that all is well; NaN for never"
)
TOOL = "tool:"


@dataclass(slots=True)
class Rehearsal:
    """The write that readyz tried last."""

    write: asyncio.Future[None] | None = None
    at: float = 0.0

    def standing(self, now: float) -> asyncio.Future[None] | None:
        """The one that answers for whoever asks now: it is under way, or went through a moment ago."""
        if self.write is None or not self.write.done():
            return self.write
        fresh = self.write.exception() is None and now - self.at < FRESH_SECONDS
        return self.write if fresh else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """`draining` and `current` are asked at each probe: whether we are stopping, whether the schema is up to date."""

    records: RecordKeeper
    clock: Clock
    draining: Callable[[], bool]
    current: Callable[[], bool]
    waiting: Callable[[], int]
    _rehearsal: Rehearsal = field(default_factory=Rehearsal)

    async def healthz(self, _request: Request) -> Response:
        """The event loop turns."""
        return PlainTextResponse("ok\n")

    async def readyz(self, _request: Request) -> Response:
        if self.draining():
            return JSONResponse({"ready": False, "why": "stopping"}, 503)
        if not self.current():
            return JSONResponse(
                {"ready": False, "why": "migrations are behind: run `socmon db upgrade`"}, 503
            )
        try:
            await self._rehearsed()
            state = await self.records.read(probe)
        except SocmonError as error:
            return JSONResponse({"ready": False, "why": str(error)}, 503)
        degraded = [text for _, _, text in state.problems]
        behind = self._seconds_since(state.lag_since)
        if behind > SLOW_LAG_SECONDS:
            degraded.append(f"Slack lags behind by {behind:.0f} s with {state.lagging} threads.")
        return JSONResponse({"ready": True, "degraded": degraded})

    async def _rehearsed(self) -> None:
        """Raises Unavailable when nothing can be written. However many ask, one write is under way."""
        last, now = self._rehearsal, self.clock.monotonic()
        write = last.standing(now)
        if write is None:
            write = last.write = asyncio.ensure_future(self.records.write(rehearse))
            last.at = now
        try:
            await asyncio.wait_for(asyncio.shield(write), PROBE_SECONDS)
        except TimeoutError as error:
            raise Unavailable(f"The database has not taken a write within {PROBE_SECONDS} s.") from error

    async def metrics(self, _request: Request) -> Response:
        WAITING.set(self.waiting())
        try:
            state = await self.records.read(probe)
        except SocmonError:
            for unknown in (LAGGING, LAG_SECONDS, LOG_SIZE, CHECKPOINT_AGE, PROBLEMS, AUDIT_OK):
                unknown.set(nan)
        else:
            LAGGING.set(state.lagging)
            LAG_SECONDS.set(self._seconds_since(state.lag_since))
            LOG_SIZE.set(state.log_size)
            CHECKPOINT_AGE.set(self._seconds_since(state.checkpoint_at) if state.checkpoint_at else nan)
            PROBLEMS.set(len(state.problems))
            TROUBLE.clear()
            self._set_watch(state)
            for subject, _, _ in state.problems:
                if subject.startswith(TOOL):
                    TROUBLE.labels(subject.split(":")[1]).set(1)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    def _set_watch(self, state: "State") -> None:
        LAST_SEEN.clear()
        SILENT.clear()
        for provider in {one.provider for one in state.pulses}:
            own = [one for one in state.pulses if one.provider == provider]
            heard = [one.heard_at for one in own if one.heard_at]
            LAST_SEEN.labels(provider).set(self._seconds_since(min(heard)) if heard else nan)
            SILENT.labels(provider).set(any(one.silent_at for one in own))
        watch = state.watch
        AUDIT_OK.set(not watch.faults if watch and watch.audited_at else nan)
        PING_OK.set(watch.pinged_at.timestamp() if watch and watch.pinged_at else nan)

    def _seconds_since(self, at: datetime | None) -> float:
        return max(0.0, (self.clock.now() - at).total_seconds()) if at else 0.0


def rehearse(records: Records) -> None:
    """Write as much as a large delivery takes, and remove it in the same transaction: a full disk is noticed."""
    records.set_problem("rehearsal", ROOM)
    records.clear_problem("rehearsal")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    problems: list[tuple[str, datetime, str]]
    lagging: int
    lag_since: datetime | None
    log_size: int
    checkpoint_at: datetime | None
    pulses: list[Pulse]
    watch: Watch | None


def probe(records: Records) -> State:
    """What the probes report."""
    lagging, since = lag(records)
    last = records.last_checkpoint()
    return State(
        problems=records.problems(),
        lagging=lagging,
        lag_since=since,
        log_size=records.tree()[1].size,
        checkpoint_at=last[1] if last else None,
        pulses=records.pulses(),
        watch=records.watch(),
    )
