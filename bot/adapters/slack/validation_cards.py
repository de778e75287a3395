"""Posts the messages about a week, each once, and keeps them in step with what becomes of it.

A message is put down before it is posted, so that after a crash or a lost answer it is looked for first. Where Slack
lets nobody look (a direct message, without a history scope), it may then stand there twice. Whatever Slack does not
take now, the job that tells of validations tries again.
"""

import asyncio
import logging
from datetime import timedelta

from bot.adapters.slack.validation_message import reminder_line, validation_message
from bot.adapters.slack.web import GONE, NoAnswer, RateLimited, SlackSaysNo, SlackWeb
from bot.domain.attestation import Reminder
from bot.domain.errors import SocmonError
from bot.domain.validation_copy import Copy
from bot.ports import RecordKeeper
from bot.procedures import show_validation
from bot.procedures.validate_monitoring import for_message

log = logging.getLogger(__name__)

MARGIN = timedelta(hours=1)  # between our clock and Slack's, when looking for a message


class ValidationCards:
    """One per process."""

    def __init__(self, *, records: RecordKeeper, web: SlackWeb) -> None:
        self._records, self._web = records, web
        self._one_at_a_time = asyncio.Lock()
        self._working: set[asyncio.Task[int]] = set()

    async def send(self, why: Reminder, channel: str) -> bool:
        """True when it stands there. Never raises for Slack's sake."""
        copy, tried = await self._records.write(show_validation.on_its_way, why, channel)
        if copy.ts:
            return True
        shown = await self._records.read(for_message, why.week)
        message = validation_message(shown, reminder_line(why.kind, shown.record))
        try:
            ts = await self._find(copy) if tried else None
            ts = ts or await self._web.post(channel, message, key=copy.key)
        except (SlackSaysNo, RateLimited, NoAnswer) as error:
            log.warning(
                "%s did not take the message about %s, it is tried again: %s", channel, why.week, error
            )
            return False
        await self._records.write(show_validation.it_shows, copy, ts, shown)
        return True

    def soon(self) -> None:
        """Catch up, behind what is done now."""
        work = asyncio.create_task(self.catch_up())
        self._working.add(work)
        work.add_done_callback(self._working.discard)

    async def catch_up(self) -> int:
        """Every message that shows what is over follows. Returns how many did. Never raises for Slack's sake."""
        followed = 0
        async with self._one_at_a_time:  # of two at once the slower would put back what the faster has shown
            try:
                for copy, shown in await self._records.read(show_validation.behind):
                    message = validation_message(shown, reminder_line(copy.kind, shown.record))
                    try:
                        await self._web.update(copy.channel, copy.ts, message, key=copy.key)
                    except SlackSaysNo as error:
                        log.warning(
                            "the message about %s in %s stays behind: %s", copy.week, copy.channel, error
                        )
                        if error.error not in GONE:
                            continue
                    await self._records.write(show_validation.it_shows, copy, copy.ts, shown)
                    followed += 1
            except (RateLimited, NoAnswer, SocmonError) as error:
                log.warning("messages about validations stay behind for now: %s", error)
        return followed

    async def _find(self, copy: Copy) -> str | None:
        """None when Slack has none, or lets nobody look."""
        try:
            oldest = (copy.at - MARGIN).timestamp()
            return await self._web.find(copy.channel, key=copy.key, oldest=oldest)
        except SlackSaysNo as error:
            log.warning(
                "the message about %s in %s may stand there twice: %s", copy.week, copy.channel, error
            )
            return None
