"""The tools are asked what reports and what would alert; that is held against scope, standard and on-call people."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import Counter, Gauge

from bot.adapters.threads import in_thread
from bot.domain.answers import Known, Subject
from bot.domain.coverage import Interval, State
from bot.domain.route import Routes
from bot.domain.scope import InScope
from bot.domain.spending import Spent
from bot.domain.standard import Standard
from bot.ports import Clock
from bot.procedures import assess_coverage
from bot.procedures.assess_coverage import Before, Paged, Part, Summary, Told
from bot.providers.contract import Fleet, Pulled

log = logging.getLogger(__name__)

SUBJECT = "coverage"
CALLS = Counter("socmon_coverage_calls_total", "Requests to a tool for coverage", ["provider", "subject"])
COST = Counter(
    "socmon_coverage_cost_usd_total", "What a vendor bills for coverage, at list prices, in USD", ["provider"]
)
CELLS = Gauge("socmon_coverage_cells", "Cells of the newest assessment by state", ["state"])

NOTHING = "nothing is in scope yet"

Read = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What goes to the process that looks."""

    fleets: Mapping[str, Fleet]
    standard: Standard
    routes: Routes
    time_to_live: timedelta
    clock: Clock


async def collect_coverage(parts: Any) -> str:
    """One tool that does not answer keeps no other one from being looked at."""
    if not await parts.records.read(assess_coverage.has_scope):
        return NOTHING
    if not parts.fleets:
        return "no tool is connected that can be asked"
    roster, services = await parts.records.read(assess_coverage.on_call)
    paged = await asyncio.gather(*(_ask_services(parts, name, services.get(name)) for name in parts.paging))
    archived = await parts.archived_channels()
    now, time_to_live = parts.clock.now(), parts.coverage_time_to_live
    routes = parts.notification_routes(roster, now)
    asked = Asked(
        fleets=parts.fleets,
        standard=parts.standard,
        routes=replace(
            assess_coverage.with_services(routes, [one.services for one in paged], now, time_to_live),
            archived=archived,
        ),
        time_to_live=time_to_live,
        clock=parts.clock,
    )
    told: list[Told] = []
    settled = 0
    async with aclosing(parts.records.apart(look_around, asked)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Told):
                await _count(parts, piece)
                told.append(piece)
            elif isinstance(piece, Part):
                settled += await parts.records.write(assess_coverage.keep_part, piece)
            else:
                return await _keep(parts, piece, told, paged, settled)
    return NOTHING


async def _keep(parts: Any, summary: Summary, told: list[Told], paged: list[Paged], settled: int) -> str:
    kept = await parts.records.write(assess_coverage.keep, summary, told, paged, settled=settled)
    for state in State:
        CELLS.labels(state).set(kept.run.total(state))
    silent = [f"{one.provider}: {one.metrics.reason or one.monitors.reason}" for one in told]
    silent += [f"{one.provider}: {one.services.reason}" for one in paged]
    said = "; ".join(each for each in silent if not each.endswith(": "))
    figures = (
        f"{kept.run.total(State.COVERED)} cells covered, {kept.opened} gaps opened, {kept.closed} closed"
        + (f", {kept.settled} tasks done" if kept.settled else "")
        + (f", {len(kept.lost)} monitors watch less" if kept.lost else "")
    )
    return f"{figures}; {said}" if said else figures


async def _count(parts: Any, told: Told) -> None:
    for age in (told.metrics, told.monitors):
        CALLS.labels(told.provider, age.subject).inc(age.calls)
    await _watch_cost(parts, told.provider, Spent(billed=(*told.metrics.billed, *told.monitors.billed)))
    await _make_known(parts, told.provider, [told.metrics.reason, told.monitors.reason])


async def _watch_cost(parts: Any, name: str, spent: Spent) -> None:
    """Nothing is left out to save money: operators are told, and decide."""
    COST.labels(name).inc(float(spent.usd))
    subject = f"{SUBJECT}:cost:{name}"
    if spent.usd_a_month <= parts.coverage_budget:
        await parts.operators.mended(subject)
        return
    await parts.operators.report(
        subject,
        f"Asking {parts.titles[name]} about coverage costs about {spent.usd_a_month:,.0f} USD a month at list"
        f" prices, over the {parts.coverage_budget:,.0f} of [coverage] most_usd_per_month. Nothing is left out for"
        " that. Take what need not be watched out of scope, or raise the limit.",
    )


async def _ask_services(parts: Any, name: str, before: bytes | None) -> Paged:
    """Whom a paging tool's services call."""
    at = parts.clock.now()
    pulled = await in_thread(_pull, name, at, parts.paging[name].list_services, at)
    CALLS.labels(name, Subject.SERVICES).inc(pulled.calls)
    await _make_known(parts, name, [pulled.reason])
    known = _take(assess_coverage.services_before(before), pulled)
    return Paged(provider=name, services=known, asked_at=at)


async def _make_known(parts: Any, name: str, reasons: list[str]) -> None:
    said = " ".join(dict.fromkeys(filter(None, reasons)))
    if said:
        title = parts.titles[name]
        await parts.operators.report(f"{SUBJECT}:{name}", f"{title} did not tell all of its coverage. {said}")
    else:
        await parts.operators.mended(f"{SUBJECT}:{name}")


# In a process of its own: with many components it takes much memory, and seconds of the processor


def look_around(read: Read, asked: Asked) -> Iterator[Told | Part | Summary]:
    """What each tool says, then what that changes part by part, then the figures; nothing while nothing is in scope."""
    before = read(assess_coverage.before)
    entries = entries_of(read, before.scope)
    if not entries:
        return
    told = []
    for one in _ask_all(asked, entries, before):
        yield one
        told.append(one)
    yield from recompute(read, asked, before, entries, told)


def entries_of(read: Read, revision: int) -> dict[str, InScope]:
    """What is in scope by key, as the tools know it."""
    scope = assess_coverage.pages(lambda after: read(assess_coverage.scope_page, revision, after))
    return assess_coverage.as_known(
        scope, assess_coverage.pages(lambda after: read(assess_coverage.sight_page, after))
    )


def recompute(
    read: Read, asked: Asked, before: Before, entries: Mapping[str, InScope], told: list[Told]
) -> Iterator[Part | Summary]:
    found = assess_coverage.look(
        entries,
        told,
        standard=asked.standard,
        routes=asked.routes,
        now=asked.clock.now(),
        time_to_live=asked.time_to_live,
    )
    change = assess_coverage.compare(
        found, out(read), standard=asked.standard, scope=before.scope, after=before.newest
    )
    yield from change.parts()
    yield change.summary


def out(read: Read) -> Iterator[Interval]:
    """What is out of coverage, as kept before."""
    last = None
    while page := read(assess_coverage.open_page, last):
        yield from page
        last = page[-1]


def _ask_all(asked: Asked, entries: Mapping[str, InScope], before: Before) -> Iterator[Told]:
    """All at the same time, and each both of its questions; one that does not answer keeps no other from it."""
    with ThreadPoolExecutor(2 * len(asked.fleets)) as pool:
        yield from pool.map(lambda name: _ask(pool, name, asked, entries, before), asked.fleets)


def _ask(pool: Executor, name: str, asked: Asked, entries: Mapping[str, InScope], before: Before) -> Told:
    at, fleet = asked.clock.now(), asked.fleets[name]
    known = assess_coverage.known_before(before.metrics.get(name), before.monitors.get(name))
    monitors = pool.submit(_pull, name, at, fleet.list_monitors, at)
    components = assess_coverage.seen_by(entries, name, asked.fleets, at)
    metrics = _pull(name, at, fleet.read_metrics, components, at)
    return assess_coverage.tell(
        name,
        known,
        _take(known[0], metrics),
        _take(known[1], monitors.result()),
        asked_at=at,
        components=len(components),
        billed={Subject.METRICS: metrics.billed, Subject.MONITORS: monitors.result().billed},
    )


def _pull(name: str, at: datetime, ask: Callable[..., Pulled[Any]], *asked: Any) -> Pulled[Any]:
    try:
        return ask(*asked)
    except Exception as error:
        log.exception("%s: its answer could not be read", name)
        fault = f"socmon could not read the answer of {name} ({type(error).__name__}); please report this."
        return Pulled(items=(), complete=False, as_of=at, reason=fault)


def _take(known: Known[Any], pulled: Pulled[Any]) -> Known[Any]:
    return known.take(
        pulled.items,
        complete=pulled.complete,
        as_of=pulled.as_of,
        reason=pulled.reason,
        calls=pulled.calls,
    )
