"""Shows people the picture of a dashboard, with its review."""

import logging
from collections.abc import Mapping

from bot.adapters.slack.dashboard_message import picture_called, review_message
from bot.adapters.slack.web import (
    BAD_BLOCKS,
    LostAnswer,
    NoAnswer,
    RateLimited,
    SlackSaysNo,
    SlackWeb,
    answer_of,
)
from bot.domain.dashboard import Capture
from bot.ports import Clock

log = logging.getLogger(__name__)

TRIES = 4


async def show_picture(
    web: SlackWeb, clock: Clock, place: str, one: Capture, content: bytes, *, titles: Mapping[str, str]
) -> bool:
    """True when it stands there, or may: then it is not to be shown again."""
    try:
        sent = await answer_of(web.client.files_upload_v2(content=content, **picture_called(one)))
        message = review_message(one, titles=titles, file=str(sent["files"][0]["id"]))
        for tried in range(1, TRIES + 1):
            try:
                await web.say(place, message)
            except SlackSaysNo as error:
                # Slack looks at a new picture before it shows it.
                if error.error not in BAD_BLOCKS or tried == TRIES:
                    raise
                await clock.sleep(tried)
            else:
                break
    except LostAnswer as error:
        log.warning("a message about %s may not have arrived: %s", one.dashboard.key, error)
    except (SlackSaysNo, RateLimited, NoAnswer) as error:
        log.warning("%s took no picture of %s: %s", place, one.dashboard.key, error)
        return False
    return True
