"""How a job tells people something in Slack that is no alert: where to, and whether it may have arrived."""

import logging
from collections.abc import Iterable
from typing import Any

from bot.adapters.slack.blocks import Message
from bot.adapters.slack.web import LostAnswer, NoAnswer, RateLimited, SlackSaysNo

log = logging.getLogger(__name__)


async def direct_channels(parts: Any, users: Iterable[str], about: str) -> list[str]:
    """Where direct messages to them go; those whom Slack does not let be reached are left out."""
    places = []
    for user in users:
        try:
            places.append(await parts.web.direct_channel(user))
        except (SlackSaysNo, RateLimited, NoAnswer) as error:
            log.warning("%s takes no direct message about %s: %s", user, about, error)
    return places


async def say(parts: Any, places: Iterable[str], message: Message, about: str) -> bool:
    """True when it stands somewhere, or may: it is not said twice."""
    said = False
    for place in places:
        try:
            await parts.web.say(place, message)
        except LostAnswer as error:
            log.warning("a message about %s may not have arrived: %s", about, error)
        except (SlackSaysNo, RateLimited) as error:
            log.warning("%s took no message about %s: %s", place, about, error)
            continue
        said = True
    return said
