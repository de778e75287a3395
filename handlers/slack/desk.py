"""What the Slack callbacks share: who is speaking, where the records are, how a form is opened and a refusal told."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.answers import SORRY, fault, form_timed_out, refusal
from bot.adapters.slack.blocks import Message
from bot.adapters.slack.directory import Directory
from bot.adapters.slack.homes import Homes
from bot.adapters.slack.validation_cards import ValidationCards
from bot.adapters.slack.views import View, error_view, waiting_view
from bot.domain.alert import Alert, NoAction
from bot.domain.attestation import Separation
from bot.domain.errors import SocmonError, Unidentified
from bot.domain.escalation import Policy
from bot.domain.person import Person
from bot.domain.standard import Standard
from bot.ports import Artifacts, Clock, Randomness, RecordKeeper
from bot.procedures.escalate_alert import Reach
from bot.procedures.report_status import Sources
from bot.providers.contract import Dashboards

log = logging.getLogger(__name__)

# Slack waits three seconds for the answer to a form, and lets a form open for three seconds after the click.
IDENTITY_SECONDS = 2.0
OPENING_SECONDS = 1.0

Body = Mapping[str, Any]
Say = Callable[..., Awaitable[Any]]
Refuse = Callable[[Message], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Handed to every callback.

    `titles` are the providers' names; `zone` is the time zone that people mean here; `wake` tells the projector of
    changes; `report` makes trouble known; `reach` says who there is to call; `homes` publishes App Home; `artifacts`
    keeps documents; `coverage_time_to_live` is how long a tool's last good answer about coverage stands; `recheck`
    asks the tools about coverage and returns what came of it, None when that was done or begun within the minute;
    `boards` are the tools that have dashboards, by name, and `capture` takes pictures of those chosen, as `recheck`;
    `standard` is the written one that coverage goes by, `shipped_standard` the one that comes with socmon;
    `randomness` makes nonces; `validation_zone` is where the lead is, `separation` the policy for who attests, `cards`
    keeps the messages about validations in step.
    """

    records: RecordKeeper
    directory: Directory
    client: AsyncWebClient
    clock: Clock
    titles: Mapping[str, str]
    zone: ZoneInfo
    sources: Sources
    version: str
    wake: Callable[[], None]
    report: Callable[[str, str], Awaitable[None]]
    reach: Callable[[], Awaitable[Reach]]
    policy: Policy
    no_action: NoAction
    homes: Homes
    coverage_time_to_live: timedelta
    artifacts: Artifacts
    recheck: Callable[[], Awaitable[str | None]]
    boards: Mapping[str, Dashboards]
    capture: Callable[[], Awaitable[str | None]]
    validation_channel: str
    standard: Standard
    shipped_standard: Standard
    randomness: Randomness
    validation_zone: ZoneInfo
    separation: Separation
    cards: ValidationCards

    async def person(self, body: Body) -> Person:
        """Who clicked. Raises Unidentified."""
        return await self.directory.person(*account(body))

    async def person_in_time(self, body: Body) -> Person:
        """Who sent a form that Slack waits for the answer to. Raises Unidentified."""
        return await self.in_time(*account(body))

    async def in_time(self, user: str, team: str) -> Person:
        """Somebody whom such a form names. Raises Unidentified."""
        return await self.directory.person_within(IDENTITY_SECONDS, user, team)

    async def reach_in_time(self) -> Reach:
        """Who there is to call, for a form that Slack waits for the answer to. Raises Unidentified."""
        try:
            return await asyncio.wait_for(self.reach(), IDENTITY_SECONDS)
        except TimeoutError as error:
            raise Unidentified("Slack did not say in time who there is to call") from error

    def title(self, alert: Alert) -> str:
        return self.titles.get(alert.provider, alert.provider)

    def teller(self, body: Body, respond: Say) -> Refuse:
        """How to tell something to the person who clicked, and to nobody else."""

        async def tell(message: Message) -> None:
            said: dict[str, Any] = {"text": message.text, "blocks": message.blocks}
            if body.get("response_url") or body.get("response_urls"):
                await respond(**said, response_type="ephemeral", replace_original=False)
            else:  # a button inside a form or App Home has no message to answer at
                await self.client.chat_postMessage(channel=body["user"]["id"], **said)

        return tell

    async def attempt(self, work: Awaitable[Any], refuse: Refuse) -> None:
        """Do it, or tell the person why not, in a message only they see."""
        try:
            await work
        except SocmonError as error:
            await refuse(refusal(error))
        except Exception:
            log.exception("a Slack callback failed")
            await refuse(fault())
        else:
            self.wake()

    async def open(self, body: Body, making: Coroutine[Any, Any, View], refuse: Refuse) -> None:
        """Open a view in the time that Slack gives for it; what takes longer replaces a view that says so.

        Raises what `making` raises, as long as nothing is open yet.
        """
        made = asyncio.create_task(making)
        await asyncio.wait([made], timeout=OPENING_SECONDS)
        in_time = made.done()
        view = made.result() if in_time else waiting_view()
        try:
            opened: Any = await self.client.views_open(trigger_id=body["trigger_id"], view=view)
        except SlackApiError as error:
            made.cancel()
            if error.response.get("error") not in {"expired_trigger_id", "exchanged_trigger_id"}:
                raise
            await refuse(form_timed_out(pressed(body)))
            return
        if not in_time:
            await self.update(opened["view"], await _or_why_not(made))

    async def update(self, shown: Mapping[str, Any], view: View) -> None:
        """Replace an open view, unless the person has closed it or gone on meanwhile."""
        try:
            await self.client.views_update(view_id=shown["id"], hash=shown["hash"], view=view)
        except SlackApiError as error:
            if error.response.get("error") not in {"hash_conflict", "not_found"}:
                raise


async def _or_why_not(made: Awaitable[View]) -> View:
    try:
        return await made
    except SocmonError as error:
        return error_view(str(error))
    except Exception:
        log.exception("a view could not be made")
        return error_view(SORRY)


def account(body: Body) -> tuple[str, str]:
    """(user, team) of whoever clicked."""
    user = body["user"]
    return user["id"], user.get("team_id") or (body.get("team") or {}).get("id") or ""


def pressed(body: Body) -> tuple[str, str] | None:
    """(action id, value) of the pressed button or the chosen menu entry; None for a shortcut."""
    if "actions" not in body:
        return None
    action = body["actions"][0]
    value = action.get("value") or (action.get("selected_option") or {}).get("value") or ""
    return str(action["action_id"]), str(value)


Do = Callable[[Desk, Body, str, Refuse], Awaitable[None]]


def on_press(desk: Desk, act: Do) -> Callable[[Say, Body, Say], Awaitable[None]]:
    """Answers a pressed button or menu entry at once, then does `act` with its value."""

    async def press(ack: Say, body: Body, respond: Say) -> None:
        await ack()
        refuse = desk.teller(body, respond)
        _, value = pressed(body) or ("", "")
        await desk.attempt(act(desk, body, value, refuse), refuse)

    return press
