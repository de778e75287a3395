"""Which Slack channels are archived: what is sent there is read by nobody."""

import logging
from collections.abc import AsyncIterator, Collection
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.web import NoAnswer, RateLimited, SlackSaysNo, answer_of
from bot.domain.route import folded_end

log = logging.getLogger(__name__)

PAGE = 1000
MOST_PAGES = 20  # Slack allows so many a minute: https://docs.slack.dev/reference/methods/conversations.list


class Channels:
    """When Slack does not answer, what it said last stands."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._archived: frozenset[str] = frozenset()

    async def archived(self, ends: Collection[str]) -> frozenset[str]:
        """Those of these ends of routes (names or ids of channels, and others) that are archived, as they compare."""
        wanted = {folded_end(end) for end in ends if "@" not in end.lstrip("@") and ":" not in end}
        if not wanted:
            return frozenset()
        found = set[str]()
        try:
            async for channel in self._every():
                names = {folded_end(str(channel.get(key) or "")) for key in ("id", "name")}
                if channel.get("is_archived"):
                    found |= names & wanted
        except (SlackSaysNo, RateLimited, NoAnswer) as error:
            log.warning("Slack did not say which channels are archived: %s", error)
            return self._archived
        self._archived = frozenset(found)
        return self._archived

    async def _every(self) -> AsyncIterator[dict[str, Any]]:
        cursor = ""
        for _ in range(MOST_PAGES):
            answer = await answer_of(
                self._client.conversations_list(
                    types="public_channel,private_channel",
                    exclude_archived=False,
                    limit=PAGE,
                    cursor=cursor or None,
                )
            )
            for channel in answer.get("channels") or ():
                yield channel
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return
