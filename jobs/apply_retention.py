"""Whole deliveries are kept as long as the configuration says; the log and its hashes are kept for good."""

from typing import Any

from bot.procedures.apply_retention import forget_old_bodies


async def apply_retention(parts: Any) -> str:
    days = parts.settings.config.retention.bodies_days
    return f"{await parts.records.write(forget_old_bodies, days=days)} bodies forgotten"
