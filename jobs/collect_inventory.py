"""Each tool is asked once an hour what exists; what is new, gone or called otherwise is found."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from prometheus_client import Counter, Gauge

from bot.adapters.threads import in_thread
from bot.domain.component import Component
from bot.domain.scope import Heard, Sighting, find, news
from bot.procedures import take_inventory
from bot.providers.contract import Fleet, Pulled

log = logging.getLogger(__name__)

AT_ONCE = 500  # rows in one transaction, so that alerts do not wait for it

CALLS = Counter("socmon_inventory_calls_total", "Requests to a tool for its inventory", ["provider"])
COMPONENTS = Gauge("socmon_inventory_components", "Components a tool told of at last", ["provider"])


def trouble_with(provider: str) -> str:
    """The subject of "this tool does not say what exists"."""
    return f"inventory:{provider}"


async def collect_inventory(parts: Any) -> str:
    """One tool that does not answer keeps no other one from being asked, and its last good answer stands."""
    if not parts.fleets:
        return "no tool can be asked"
    turns = [name for name in parts.fleets if await parts.records.write(take_inventory.take_turn, name)]
    if not turns:
        return "every tool was asked within the hour"
    at = parts.clock.now()
    answers = await asyncio.gather(*(_ask(name, parts.fleets[name], at) for name in turns))
    known = await _known(parts)
    said = [await _take(parts, name, pulled, known) for name, pulled in zip(turns, answers, strict=True)]
    scope, findings = await parts.records.read(take_inventory.scope_and_findings)
    found = await in_thread(find, scope, await _known(parts), findings, at)
    for page in found.pages(AT_ONCE):
        await parts.records.write(take_inventory.keep_findings, page)
    return f"{'; '.join(said)}; {len(found.new)} found, {len(found.over)} over"


async def _ask(provider: str, fleet: Fleet, at: datetime) -> Pulled[Component]:
    try:
        return await in_thread(fleet.list_components, at)
    except Exception as error:
        log.exception("%s: its inventory could not be read", provider)
        fault = f"socmon could not read what {provider} has ({type(error).__name__}); please report this."
        return Pulled(items=(), complete=False, as_of=at, reason=fault)


async def _take(parts: Any, provider: str, pulled: Pulled[Component], every: Sequence[Sighting]) -> str:
    CALLS.labels(provider).inc(pulled.calls)
    known = [one for one in every if one.source == provider]
    fresh = await in_thread(news, provider, known, pulled.items, complete=pulled.complete, as_of=pulled.as_of)
    for page in fresh.pages(AT_ONCE):
        await parts.records.write(take_inventory.take_news, page)
    heard = Heard(
        source=provider,
        asked_at=pulled.as_of,
        complete_at=pulled.as_of if pulled.complete else None,
        reason="" if pulled.complete else pulled.reason,
        calls=pulled.calls,
    )
    await parts.records.write(take_inventory.take_answer, heard)
    if pulled.complete:
        COMPONENTS.labels(provider).set(len(fresh.seen))
        await parts.operators.mended(trouble_with(provider))
        return f"{provider}: {len(fresh.seen)} components, {len(fresh.gone)} gone"
    title = parts.titles.get(provider, provider)
    await parts.operators.report(
        trouble_with(provider),
        f"{title} did not say everything that exists, so nothing there is taken for gone. {pulled.reason}",
    )
    return f"{provider}: not complete ({pulled.reason})"


async def _known(parts: Any) -> list[Sighting]:
    """In pages: a long read would hold up the writer."""
    known: list[Sighting] = []
    while page := await parts.records.read(take_inventory.sightings, after=known[-1].id if known else 0):
        known += page
    return known
