"""Snoozes that are over end: the alert is shown as before, and its owner sees it again."""

from typing import Any

from bot.procedures.respond_to_alert import wake_due_alerts


async def wake_alerts(parts: Any) -> str:
    woken = await parts.records.write(wake_due_alerts)
    if woken:
        parts.wake()
    return f"{woken} woken"
