"""Each tool is asked what is open there, and what was missed in either direction is mended."""

import asyncio
import logging
from datetime import datetime
from typing import Any

from prometheus_client import Counter

from bot.domain.comparison import OpenAlert
from bot.procedures.compare_with_tool import compare_with_tool
from bot.procedures.show_alert import known_problems
from bot.providers.contract import Alerts, Pulled
from jobs.send_vendor_writes import trouble_with

log = logging.getLogger(__name__)

REPAIRS = Counter("socmon_repairs_total", "What a comparison with a tool had to mend", ["provider", "repair"])


async def reconcile(parts: Any) -> str:
    """One tool that does not answer keeps no other one from being compared."""
    said = await asyncio.gather(*(_compare(parts, name, tool) for name, tool in parts.tools.items()))
    if said:
        parts.wake()
    return "; ".join(said) or "no tool can be asked"


async def _ask(provider: str, tool: Alerts, at: datetime) -> Pulled[OpenAlert]:
    try:
        return await asyncio.to_thread(tool.list_open, at)
    except Exception as error:
        log.exception("%s: its answer could not be read", provider)
        fault = (
            f"socmon could not read what {provider} has open ({type(error).__name__}); please report this."
        )
        return Pulled(items=(), complete=False, as_of=at, reason=fault)


async def _compare(parts: Any, provider: str, tool: Alerts) -> str:
    pulled = await _ask(provider, tool, parts.clock.now())
    repairs = await parts.records.write(
        compare_with_tool,
        provider,
        pulled.items,
        complete=pulled.complete,
        as_of=pulled.as_of,
        covers=tool.covers,
        routes=parts.settings.slack_routes,
    )
    for kind, number in repairs.counts.items():
        REPAIRS.labels(provider, kind).inc(number)
    subject = trouble_with(provider)
    if pulled.complete:
        if subject in await parts.records.read(known_problems):
            await parts.operators.mended(subject)
        return f"{provider}: {repairs}"
    log.warning("%s could not be compared: %s", provider, pulled.reason)
    await parts.operators.report(
        subject,
        f"{pulled.reason} Alerts still arrive by webhook; what was missed cannot be found until it answers.",
    )
    return f"{provider}: not complete ({pulled.reason}){f' {repairs}' if repairs.counts else ''}"
