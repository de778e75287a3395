"""People are asked about what was found: all of it in one message, once a day at most; and leads about exclusions."""

from typing import Any

from bot.adapters.slack.scope_message import prompt_message, request_message
from bot.domain.scope import ExclusionRequest
from bot.procedures import exclude_component, take_inventory
from jobs.tell_people import direct_channels, say

ABOUT = "the scope"
NOBODY = "scope:approver"
"""The subject of "nobody can approve an exclusion"."""


async def ask_about_scope(parts: Any) -> str:
    if not parts.settings.slack.connected:
        return "Slack is not connected"
    asked = 0
    for request in await parts.records.read(exclude_component.untold_requests):
        asked += await _ask_for_approval(parts, request)
    prompt = await parts.records.read(take_inventory.prompt)
    if not prompt:
        return f"{asked} exclusions"
    channel = parts.settings.config.slack.validation_channel
    places = [channel] if channel else await direct_channels(parts, await parts.directory.leads(), ABOUT)
    if not await say(parts, places, prompt_message(prompt), ABOUT):
        return f"{asked} exclusions; the findings wait, since Slack took no message"
    await parts.records.write(take_inventory.prompt_told, [one.id for one in prompt])
    return f"{asked} exclusions, {len(prompt)} findings"


async def _ask_for_approval(parts: Any, request: ExclusionRequest) -> bool:
    approvers = await parts.directory.approvers(besides=request.requested_by)
    if not approvers:
        await parts.operators.report(
            NOBODY,
            f"Nobody can approve the exclusion that <@{request.requested_by}> asks for: who asks may not approve, and"
            " Slack knows no other lead. Name a backup lead under [roles].",
        )
        return False
    await parts.operators.mended(NOBODY)
    places = await direct_channels(parts, approvers, ABOUT)
    if not await say(parts, places, request_message(request), ABOUT):
        return False
    await parts.records.write(exclude_component.request_told, request.id)
    return True
