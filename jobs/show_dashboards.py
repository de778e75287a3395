"""New pictures of dashboards are shown where people review them: in the validation channel, else to the leads."""

import asyncio
import logging
from typing import Any

from bot.adapters.slack.pictures import show_picture
from bot.domain.errors import SocmonError
from bot.procedures import review_dashboards
from jobs.tell_people import direct_channels

log = logging.getLogger(__name__)


async def show_dashboards(parts: Any) -> str:
    if not parts.settings.slack.connected:
        return "Slack is not connected"
    owed = await parts.records.read(review_dashboards.to_show)
    if not owed:
        return "nothing to show"
    channel = parts.settings.config.slack.validation_channel
    leads = [] if channel else await parts.directory.leads()
    places = [channel] if channel else await direct_channels(parts, leads, "dashboards")
    told = 0
    for one in owed:
        try:
            content = await asyncio.to_thread(parts.artifacts.read, one.picture)
        except SocmonError as error:
            log.warning("the picture of %s cannot be shown: %s", one.dashboard.key, error)
            continue
        said = [
            await show_picture(parts.web, parts.clock, place, one, content, titles=parts.titles)
            for place in places
        ]
        if any(said):
            await parts.records.write(review_dashboards.shown, one.id)
            told += 1
    return f"{told} of {len(owed)} shown"
