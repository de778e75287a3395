"""Leads are told that the written standard waits for its review: once a week at most, until somebody reviews it."""

from typing import Any

from bot.adapters.slack.standard_message import reminder_message
from bot.procedures import review_standard
from jobs.tell_people import direct_channels, say

ABOUT = "the standard"


async def remind_of_standard(parts: Any) -> str:
    if not parts.settings.slack.connected:
        return "Slack is not connected"
    why: str = await parts.records.read(review_standard.reminder)
    if not why:
        return "nobody has to be reminded"
    places = await direct_channels(parts, await parts.directory.leads(), ABOUT)
    if not await say(parts, places, reminder_message(why), ABOUT):
        return "Slack took no reminder; it is tried again"
    await parts.records.write(review_standard.reminded)
    return why
