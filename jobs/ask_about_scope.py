"""People are asked about what was found: all of it in one message, once a day at most; and leads about exclusions."""

import logging
from typing import Any

from bot.adapters.slack.blocks import Message
from bot.adapters.slack.scope_message import prompt_message, request_message
from bot.adapters.slack.web import LostAnswer, NoAnswer, RateLimited, SlackSaysNo
from bot.domain.scope import ExclusionRequest
from bot.procedures import exclude_component, take_inventory

log = logging.getLogger(__name__)

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
    places = [channel] if channel else await _direct(parts, await parts.directory.leads())
    if not await _say(parts, places, prompt_message(prompt)):
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
    if not await _say(parts, await _direct(parts, approvers), request_message(request)):
        return False
    await parts.records.write(exclude_component.request_told, request.id)
    return True


async def _direct(parts: Any, users: list[str]) -> list[str]:
    """Where direct messages to them go; those whom Slack does not let be reached are left out."""
    places = []
    for user in users:
        try:
            places.append(await parts.web.direct_channel(user))
        except (SlackSaysNo, RateLimited, NoAnswer) as error:
            log.warning("%s takes no direct message about the scope: %s", user, error)
    return places


async def _say(parts: Any, places: list[str], message: Message) -> bool:
    """True when it stands somewhere, or may: it is not said twice."""
    said = False
    for place in places:
        try:
            await parts.web.say(place, message)
        except LostAnswer as error:
            log.warning("a message about the scope may not have arrived: %s", error)
        except (SlackSaysNo, RateLimited) as error:
            log.warning("%s took no message about the scope: %s", place, error)
            continue
        said = True
    return said
