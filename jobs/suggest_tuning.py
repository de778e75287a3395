"""Alerts that come and go are found; the lead is told once of each, so that its monitor can be changed."""

from typing import Any

from bot.procedures import suggest_tuning as procedures


async def suggest_tuning(parts: Any) -> str:
    if not await parts.records.read(procedures.is_anything_flapping):
        return "nothing flaps"
    suggested = await parts.records.write(procedures.suggest_tuning, leads=await parts.directory.leads())
    parts.wake()
    return f"{suggested} suggested to the lead"
