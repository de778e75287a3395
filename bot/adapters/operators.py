"""Trouble is put on record and told to those who run socmon: in Slack; when that is it, by e-mail and PagerDuty."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.adapters.mail import Email
from bot.adapters.slack.web import NoAnswer, RateLimited, SlackSaysNo, SlackWeb
from bot.domain.errors import SocmonError
from bot.ports import RecordKeeper
from bot.procedures import show_alert

log = logging.getLogger(__name__)

SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDuty:
    """`key` is an integration key of the Events API; `url` stands in for PagerDuty's own address."""

    key: str = field(default="", repr=False)
    url: str = ""


class Operators:
    """`admins` gives the Slack user ids to tell."""

    def __init__(
        self,
        *,
        records: RecordKeeper,
        web: SlackWeb,
        admins: Callable[[], Awaitable[list[str]]],
        email: Email,
        pagerduty: PagerDuty,
    ) -> None:
        self._records, self._web, self._admins = records, web, admins
        self._email, self._pagerduty = email, pagerduty

    async def report(self, subject: str, text: str) -> None:
        """The one way to make trouble known: on record, and the operators are alarmed if it is new. Never raises."""
        try:
            is_new = await self._records.write(show_alert.report_problem, subject, text)
        except SocmonError as error:
            log.warning("%s could not be put on record: %s", subject, error)
            return
        if is_new:
            log.error("%s: %s", subject, text)
            await self.tell_untold()

    async def tell_untold(self) -> int:
        """Alarm the operators about what nobody has been told of yet; returns how many troubles were told.

        What could not be told, since no way worked or socmon died on the way, is still owed.
        """
        told = 0
        try:
            for subject, text in await self._records.read(show_alert.untold_problems):
                if await self.alarm(subject, text):
                    await self._records.write(show_alert.problem_told, subject)
                    told += 1
        except SocmonError as error:
            log.warning("what is to be told could not be read from the records: %s", error)
        return told

    async def mended(self, subject: str) -> None:
        """It is no longer on record as trouble. Never raises: whoever finds it mended again says so again."""
        try:
            await self._records.write(show_alert.clear_problem, subject)
        except SocmonError as error:
            log.warning("%s is mended, which could not be put on record: %s", subject, error)

    async def alarm(self, subject: str, text: str) -> bool:
        """Tell everybody who can be reached; True when somebody was. Never raises."""
        told = [await self._by_slack(user, text) for user in await self._admins()]
        if any(told) and subject != "slack:token":
            return True
        for way in (self._by_email, self._by_pagerduty):
            try:
                told.append(await asyncio.to_thread(way, subject, text))
            except Exception:
                log.exception("the operators could not be told about %s in one of the ways", subject)
        return any(told)

    async def _by_slack(self, user: str, text: str) -> bool:
        try:
            await self._web.tell(user, text)
        except (SlackSaysNo, RateLimited, NoAnswer) as error:
            log.warning("%s could not be told in Slack: %s", user, error)
            return False
        except Exception:
            log.exception("%s could not be told in Slack", user)
            return False
        return True

    def _by_email(self, subject: str, text: str) -> bool:
        return self._email.send(f"socmon: {subject}", text, to=self._email.recipients)

    def _by_pagerduty(self, subject: str, text: str) -> bool:
        if not self._pagerduty.key:
            return False
        from pagerduty import EventsApiV2Client  # noqa: PLC0415 - only when it is needed

        with EventsApiV2Client(
            self._pagerduty.key,
            base_url=self._pagerduty.url.rstrip("/") or None,
            verify=ssl.create_default_context(),  # the library's own one knows no SSL_CERT_FILE
        ) as client:
            client.retry = {429: 2, 500: 2, 502: 2, 503: 2, 504: 2}
            client.timeout = SECONDS
            summary = f"socmon: {text}"[:1024]
            client.trigger(summary, "socmon", dedup_key=f"socmon:{subject}", severity="critical")
        return True
