"""Whole deliveries are kept as long as the configuration says; the log and its hashes are kept for good."""

from typing import Any

from bot.procedures.apply_retention import forget_old_bodies, forget_old_runs
from bot.procedures.keep_draft import forget_old_drafts
from bot.procedures.send_notices import forget_old_notices
from bot.procedures.show_home import forget_unseen_homes


async def apply_retention(parts: Any) -> str:
    days, bodies, runs = parts.settings.config.retention.bodies_days, 0, 0
    place: int | None = 0
    while place is not None:
        number, place = await parts.records.write(forget_old_bodies, days=days, after=place)
        bodies += number
    while number := await parts.records.write(forget_old_runs, parts.ticker.housekeeping):
        runs += number
    drafts = await parts.records.write(forget_old_drafts)
    notices = await parts.records.write(forget_old_notices)
    homes = await parts.records.write(forget_unseen_homes)
    return f"{bodies} bodies, {runs} job runs, {drafts} drafts, {notices} notices and {homes} App Homes forgotten"
