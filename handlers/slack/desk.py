"""What the Slack callbacks share: who is speaking, where the records are, and how a refusal is told."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.directory import Directory
from bot.adapters.slack.text import own_words
from bot.domain.alert import Alert
from bot.domain.errors import SocmonError
from bot.domain.person import Person
from bot.ports import Clock, RecordKeeper, Records
from bot.procedures.report_status import Sources

log = logging.getLogger(__name__)

Body = Mapping[str, Any]
Say = Callable[..., Awaitable[Any]]

SORRY = (
    "socmon failed while doing this, so nothing may have changed. Look at the alert, then try again; if it happens"
    " twice, tell an admin: the log of socmon names the fault."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Handed to every callback.

    `titles` are the providers' names; `wake` tells the projector of changes; `report` makes trouble known.
    """

    records: RecordKeeper
    directory: Directory
    client: AsyncWebClient
    clock: Clock
    titles: Mapping[str, str]
    sources: Sources
    version: str
    wake: Callable[[], None]
    report: Callable[[str, str], Awaitable[None]]

    async def person(self, body: Body) -> Person:
        """Who clicked. Raises NotPermitted when Slack cannot be asked."""
        user = body["user"]
        team = user.get("team_id") or (body.get("team") or {}).get("id") or ""
        return await self.directory.person(user["id"], team)

    async def alert(self, alert_id: int) -> Alert:
        """Raises UnknownAlert."""
        return await self.records.read(read_alert, alert_id)

    def title(self, alert: Alert) -> str:
        return self.titles.get(alert.provider, alert.provider)

    async def attempt(self, work: Awaitable[Any], refuse: Callable[[str], Awaitable[Any]]) -> None:
        """Do it, or tell the person why not, in a message only they see."""
        try:
            await work
        except SocmonError as error:
            await refuse(own_words(str(error)))
        except Exception:
            log.exception("a Slack callback failed")
            await refuse(SORRY)
        else:
            self.wake()

    async def open(
        self, trigger_id: str, view: dict[str, Any], refuse: Callable[[str], Awaitable[Any]]
    ) -> None:
        """Open a form; Slack gives three seconds for it."""
        try:
            await self.client.views_open(trigger_id=trigger_id, view=view)
        except SlackApiError as error:
            if error.response.get("error") not in {"expired_trigger_id", "exchanged_trigger_id"}:
                raise
            await refuse(
                "Slack timed out while it opened the form. Nothing changed: press the button once more."
            )


def read_alert(records: Records, alert_id: int) -> Alert:
    return records.alert(alert_id)
