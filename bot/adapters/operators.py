"""Tells the people who run socmon about trouble: in Slack, and by e-mail and PagerDuty when Slack itself is the trouble."""

import asyncio
import logging
import smtplib
from collections.abc import Callable
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from bot.adapters.slack.web import NoAnswer, RateLimited, SlackSaysNo, SlackWeb
from bot.settings import Settings

log = logging.getLogger(__name__)

SECONDS = 10


class Operators:
    """`admins` gives the Slack user ids to tell."""

    def __init__(self, *, settings: Settings, web: SlackWeb, admins: Callable[[], list[str]]) -> None:
        self._settings, self._web, self._admins = settings, web, admins

    async def alarm(self, subject: str, text: str) -> None:
        """Tell everybody who can be reached. Never raises: the trouble is in the records and in readyz already."""
        told = [await self._by_slack(user, text) for user in self._admins()]
        if any(told) and subject != "slack:token":
            return
        for way in (self._by_email, self._by_pagerduty):
            try:
                await asyncio.to_thread(way, subject, text)
            except Exception:
                log.exception("the operators could not be told about %s in one of the ways", subject)

    async def _by_slack(self, user: str, text: str) -> bool:
        try:
            await self._web.tell(user, text)
        except (SlackSaysNo, RateLimited, NoAnswer) as error:
            log.warning("%s could not be told in Slack: %s", user, error)
            return False
        return True

    def _by_email(self, subject: str, text: str) -> None:
        url = urlsplit(self._settings.smtp_url.get_secret_value())
        table = self._settings.config.operators
        if not url.hostname or not table.emails:
            return
        message = EmailMessage()
        message["Subject"] = f"socmon: {subject}"
        message["From"] = table.email_from
        message["To"] = ", ".join(table.emails)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        kind = smtplib.SMTP_SSL if url.scheme == "smtps" else smtplib.SMTP
        with kind(url.hostname, url.port or (465 if url.scheme == "smtps" else 587), timeout=SECONDS) as smtp:
            smtp.ehlo()
            if url.scheme != "smtps" and smtp.has_extn("starttls"):
                smtp.starttls()
            if url.username:
                smtp.login(unquote(url.username), unquote(url.password or ""))
            smtp.send_message(message)

    def _by_pagerduty(self, subject: str, text: str) -> None:
        key = self._settings.operators_pagerduty_key.get_secret_value()
        if not key:
            return
        from pagerduty import EventsApiV2Client  # noqa: PLC0415 - only when it is needed

        client = EventsApiV2Client(key)
        if self._settings.pagerduty_events_url:
            client.url = self._settings.pagerduty_events_url
        client.retry = {429: 2, 500: 2, 502: 2, 503: 2, 504: 2}
        client.timeout = SECONDS
        client.trigger(f"socmon: {text}"[:1024], "socmon", dedup_key=f"socmon:{subject}", severity="critical")
