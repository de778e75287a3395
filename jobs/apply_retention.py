"""Whole deliveries are kept as long as the configuration says; the log and its hashes are kept for good."""

from typing import Any

from bot.procedures.apply_retention import forget_old_bodies, forget_old_runs
from bot.procedures.keep_draft import forget_old_drafts
from bot.procedures.send_notices import forget_old_notices


async def apply_retention(parts: Any) -> str:
    bodies = await parts.records.write(forget_old_bodies, days=parts.settings.config.retention.bodies_days)
    runs = await parts.records.write(forget_old_runs, parts.ticker.housekeeping)
    drafts = await parts.records.write(forget_old_drafts)
    notices = await parts.records.write(forget_old_notices)
    return f"{bodies} bodies, {runs} job runs, {drafts} drafts and {notices} notices forgotten"
