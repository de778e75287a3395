"""Whole deliveries are kept as long as the configuration says; the log and its hashes are kept for good."""

from typing import Any

from bot.procedures.apply_retention import forget_old_bodies, forget_old_runs
from bot.procedures.keep_draft import forget_old_drafts


async def apply_retention(parts: Any) -> str:
    days, bodies, runs = parts.settings.config.retention.bodies_days, 0, 0
    place: int | None = 0
    while place is not None:
        number, place = await parts.records.write(forget_old_bodies, days=days, after=place)
        bodies += number
    while number := await parts.records.write(forget_old_runs, parts.ticker.housekeeping):
        runs += number
    drafts = await parts.records.write(forget_old_drafts)
    return f"{bodies} bodies, {runs} job runs and {drafts} drafts forgotten"
