"""Each chosen dashboard is captured: a picture that is believed is kept, and any other leaves the reason on record."""

import asyncio
import logging
from dataclasses import replace
from typing import Any

from bot.adapters.threads import in_thread
from bot.adapters.web.pixels import look
from bot.adapters.web.sheet import draw
from bot.domain.dashboard import (
    PAGE,
    Capture,
    Captured,
    Dashboard,
    Trouble,
    Uncaptured,
    check_captured,
    check_size,
)
from bot.procedures import review_dashboards
from bot.procedures.review_dashboards import kept, refused

log = logging.getLogger(__name__)

AT_ONCE = 4
SECONDS = 100.0
"""For one dashboard. Twenty of them, four at once, are done within the ten minutes of a job."""


async def capture_dashboards(parts: Any) -> str:
    """One dashboard that fails keeps no other one from being captured."""
    table = parts.settings.config.dashboards
    await parts.records.write(review_dashboards.take_pages, table.page_dashboards)
    chosen, entries = await parts.records.read(review_dashboards.to_capture)
    if not chosen:
        return "no dashboard is chosen"
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(dashboard: Dashboard) -> Capture:
        async with gate:
            made = await _capture(parts, dashboard, entries)
        stored: Capture = await parts.records.write(review_dashboards.keep_capture, made)
        return stored

    done = await asyncio.gather(*map(one, chosen))
    told = "; ".join(f"{each.dashboard.title}: {each.trouble}" for each in done if each.trouble)
    figures = f"{sum(each.is_kept for each in done)} of {len(done)} captured"
    return f"{figures}; {told}" if told else figures


async def _capture(parts: Any, dashboard: Dashboard, entries: Any) -> Capture:
    """A picture that is kept, or the trouble."""
    rules, at = parts.settings.config.dashboards.rules, parts.clock.now()
    try:
        async with asyncio.timeout(SECONDS):
            got = await _ask(parts, dashboard, start=at - rules.window, end=at)
        at = parts.clock.now()
        for panel in got.panels:
            if panel.picture:
                await in_thread(look, panel.picture)
        check_captured(dashboard, got, rules, at)
        made = kept(dashboard, got, entries, rules, at=at)
        tool = parts.titles.get(dashboard.provider, dashboard.provider)
        content = await in_thread(lambda: draw(made, got.panels, tool=tool))
        check_size(len(content))
        return replace(made, picture=await in_thread(parts.artifacts.keep, content), size=len(content))
    except Uncaptured as why:
        return refused(dashboard, why, rules, at=at)
    except TimeoutError:
        says = f"The tool did not give its picture within {SECONDS:g} s."
        mend = "See whether the dashboard is slow there; a smaller one, or fewer hours, may help."
        return refused(dashboard, Uncaptured(Trouble.TIMED_OUT, says, mend), rules, at=at)
    except Exception as error:
        log.exception("%s could not be captured", dashboard.key)
        says = f"socmon failed while it took the picture ({type(error).__name__})."
        mend = "Report this as a fault of socmon; its log tells more."
        return refused(dashboard, Uncaptured(Trouble.NO_PICTURE, says, mend), rules, at=at)


async def _ask(parts: Any, dashboard: Dashboard, **window: Any) -> Captured:
    if dashboard.provider == PAGE:
        seen: Captured = await parts.browser.capture(dashboard, **window)
        return seen
    tool = parts.boards.get(dashboard.provider)
    if tool is None:
        raise Uncaptured(
            Trouble.SILENT,
            f"{parts.titles.get(dashboard.provider, dashboard.provider)} is not connected any more.",
            "Connect it again, or leave the dashboard out: `/socmon dashboards`.",
        )
    got: Captured = await in_thread(lambda: tool.capture(dashboard, **window))
    return got
