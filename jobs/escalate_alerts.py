"""Alerts that wait for somebody call them, by the policy: whose they are, the next level, the lead."""

import asyncio
from typing import Any

from bot.procedures.escalate_alert import alerts_to_escalate, escalate_alert

AT_ONCE = 100


async def escalate_alerts(parts: Any) -> str:
    policy = parts.settings.escalation
    found: list[int] = []
    after: int | None = 0
    while after is not None:  # in pages, since a long read would hold up the writer
        page, after = await parts.records.read(alerts_to_escalate, policy, after=after)
        found += page
    if not found:
        return "nobody to call"
    reach, steps = await parts.reach(), 0
    for start in range(0, len(found), AT_ONCE):
        taken = [
            parts.records.write(escalate_alert, each, policy=policy, reach=reach)
            for each in found[start : start + AT_ONCE]
        ]
        steps += sum(await asyncio.gather(*taken))
    if steps:
        parts.wake()
    return f"{steps} steps taken"
