"""The tools are asked what reports and what would alert; that is held against scope, standard and on-call people."""

import asyncio
import logging
from dataclasses import replace
from typing import Any

from prometheus_client import Counter, Gauge

from bot.adapters.threads import in_thread
from bot.domain.answers import Subject
from bot.domain.coverage import Interval, State
from bot.domain.spending import Spent
from bot.procedures import assess_coverage
from bot.procedures.assess_coverage import OnRecord, Paged, Told
from bot.providers.contract import Pulled

log = logging.getLogger(__name__)

SUBJECT = "coverage"
CALLS = Counter("socmon_coverage_calls_total", "Requests to a tool for coverage", ["provider", "subject"])
COST = Counter(
    "socmon_coverage_cost_usd_total", "What a vendor bills for coverage, at list prices, in USD", ["provider"]
)
CELLS = Gauge("socmon_coverage_cells", "Cells of the newest assessment by state", ["state"])


async def collect_coverage(parts: Any) -> str:
    """One tool that does not answer keeps no other one from being looked at."""
    before = await parts.records.read(assess_coverage.on_record)
    if not before.entries:
        return "nothing is in scope yet"
    if not parts.fleets:
        return "no tool is connected that can be asked"
    told, paged = await asyncio.gather(
        asyncio.gather(*(_ask(parts, name, before) for name in parts.fleets)),
        asyncio.gather(*(_ask_services(parts, name, before) for name in parts.paging)),
    )
    archived = await parts.archived_channels()
    now, standard = parts.clock.now(), parts.standard
    routes = parts.notification_routes(before.roster, now)
    time_to_live = parts.coverage_time_to_live
    found = await in_thread(
        assess_coverage.look,
        before.entries,
        told,
        standard=standard,
        routes=replace(
            assess_coverage.with_services(routes, [one.services for one in paged], now, time_to_live),
            archived=archived,
        ),
        now=now,
        time_to_live=time_to_live,
    )
    out: list[Interval] = []
    while page := await parts.records.read(assess_coverage.open_page, out[-1] if out else None):
        out += page
    change = await in_thread(assess_coverage.compare, found, out, standard=standard, scope=before.scope)
    kept = await parts.records.write(assess_coverage.keep, change, told, paged, after=before.newest)
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


async def _ask(parts: Any, name: str, before: OnRecord) -> Told:
    """Everything one tool says, in worker threads."""
    at = parts.clock.now()
    known = await in_thread(assess_coverage.known_before, before.metrics.get(name), before.monitors.get(name))
    fleet, components = parts.fleets[name], before.seen_by(name, parts.fleets, at)
    metrics, monitors = await asyncio.gather(
        _pull(name, at, fleet.read_metrics, components, at), _pull(name, at, fleet.list_monitors, at)
    )
    CALLS.labels(name, Subject.METRICS).inc(metrics.calls)
    CALLS.labels(name, Subject.MONITORS).inc(monitors.calls)
    await _watch_cost(parts, name, Spent(billed=(*metrics.billed, *monitors.billed)))
    await _make_known(parts, name, [metrics.reason, monitors.reason])

    def merged() -> Told:
        return assess_coverage.tell(
            name, known, _take(known[0], metrics), _take(known[1], monitors), asked_at=at
        )

    return replace(
        await in_thread(merged),
        components=len(components),
        billed={Subject.METRICS: metrics.billed, Subject.MONITORS: monitors.billed},
    )


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


async def _ask_services(parts: Any, name: str, before: OnRecord) -> Paged:
    """Whom a paging tool's services call."""
    at = parts.clock.now()
    pulled = await _pull(name, at, parts.paging[name].list_services, at)
    CALLS.labels(name, Subject.SERVICES).inc(pulled.calls)
    await _make_known(parts, name, [pulled.reason])
    known = assess_coverage.services_before(before.services.get(name))
    return Paged(provider=name, services=_take(known, pulled), asked_at=at)


async def _pull(name: str, at: Any, ask: Any, *asked: Any) -> Pulled[Any]:
    try:
        pulled: Pulled[Any] = await in_thread(ask, *asked)
    except Exception as error:
        log.exception("%s: its answer could not be read", name)
        fault = f"socmon could not read the answer of {name} ({type(error).__name__}); please report this."
        return Pulled(items=(), complete=False, as_of=at, reason=fault)
    return pulled


def _take(known: Any, pulled: Pulled[Any]) -> Any:
    return known.take(
        pulled.items,
        complete=pulled.complete,
        as_of=pulled.as_of,
        reason=pulled.reason,
        calls=pulled.calls,
    )


async def _make_known(parts: Any, name: str, reasons: list[str]) -> None:
    said = " ".join(dict.fromkeys(filter(None, reasons)))
    if said:
        title = parts.titles[name]
        await parts.operators.report(f"{SUBJECT}:{name}", f"{title} did not tell all of its coverage. {said}")
    else:
        await parts.operators.mended(f"{SUBJECT}:{name}")
