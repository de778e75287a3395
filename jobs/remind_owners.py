"""Whoever is to mend a gap is told: at once of a new task, each morning of what is due or overdue."""

import logging
from typing import Any
from zoneinfo import ZoneInfo

from bot.adapters.slack.follow_up_message import tasks_message
from bot.adapters.slack.web import LostAnswer, NoAnswer, RateLimited, SlackSaysNo
from bot.procedures import follow_up

log = logging.getLogger(__name__)


async def remind_owners(parts: Any) -> str:
    """One message a person; whom Slack does not let be told is tried again at the next due time."""
    if not parts.settings.slack.connected:
        return "Slack is not connected"
    owed = await parts.records.read(follow_up.to_tell, ZoneInfo(parts.settings.config.timezone))
    told = 0
    for owner, tasks in owed.items():
        try:
            channel = await parts.web.direct_channel(owner)
            await parts.web.say(channel, tasks_message(tasks, now=parts.clock.now()))
        except LostAnswer as error:
            log.warning("a reminder may not have arrived: %s", error)
        except (SlackSaysNo, RateLimited, NoAnswer) as error:
            log.warning("%s could not be reminded: %s", owner, error)
            continue
        await parts.records.write(follow_up.told, tasks)
        told += 1
    return f"{told} of {len(owed)} told"
