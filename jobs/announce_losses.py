"""Monitors that watch less than before are told, old → new, in the validation channel: whenever Slack takes it."""

import logging
from typing import Any

from bot.adapters.slack.coverage_message import lost_message
from bot.adapters.slack.web import LostAnswer, RateLimited, SlackSaysNo
from bot.procedures import assess_coverage

log = logging.getLogger(__name__)

MOST = 500  # in one message; it names the first of them, and counts the others


async def announce_losses(parts: Any) -> str:
    slack = parts.settings.config.slack
    if not parts.settings.slack.connected:
        return "Slack is not connected"
    untold = await parts.records.read(assess_coverage.untold_losses, most=MOST)
    if not untold:
        return "nothing watches less"
    message = lost_message([change for _, change in untold], titles=parts.titles)
    try:
        await parts.web.say(slack.validation_channel or slack.alerts_channel, message)
    except LostAnswer as error:  # it may stand there: it is not said twice
        log.warning("the changed monitors may not have been announced: %s", error)
    except (SlackSaysNo, RateLimited) as error:
        log.warning("%s changed monitors wait to be announced: %s", len(untold), error)
        return f"{len(untold)} wait"
    await parts.records.write(assess_coverage.losses_told, [number for number, _ in untold])
    return f"{len(untold)} announced"
