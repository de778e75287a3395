"""Whole deliveries are kept as long as the configuration says; the log and its hashes are kept for good."""

from typing import Any

from bot.procedures.apply_retention import forget_old_bodies, forget_old_runs


async def apply_retention(parts: Any) -> str:
    days, bodies, runs = parts.settings.config.retention.bodies_days, 0, 0
    place: int | None = 0
    while place is not None:
        number, place = await parts.records.write(forget_old_bodies, days=days, after=place)
        bodies += number
    while number := await parts.records.write(forget_old_runs, parts.ticker.housekeeping):
        runs += number
    return f"{bodies} bodies and {runs} job runs forgotten"
