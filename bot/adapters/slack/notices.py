"""Direct messages: all that waits for one person in one message, with the buttons to do something about it."""

import logging
from collections.abc import Mapping
from datetime import datetime

from bot.adapters.slack.blocks import Message, quick_buttons
from bot.adapters.slack.elements import Block, actions, context, section
from bot.adapters.slack.text import date, slack_text
from bot.adapters.slack.web import LostAnswer, NoAnswer, RateLimited, SlackSaysNo, SlackWeb
from bot.adapters.slack.words import look, number, some, state, subject
from bot.domain.alert import NoAction
from bot.domain.escalation import Policy
from bot.domain.notice import Bundle, NoticeKind, Waiting
from bot.ports import Clock, RecordKeeper
from bot.procedures import send_notices

log = logging.getLogger(__name__)

MOST_LISTED = 10
MOST_PEOPLE = 20  # in one round

# Slack's words for an account that takes no message.
NOBODY_THERE = frozenset(
    {"user_not_found", "user_disabled", "user_not_visible", "users_not_found", "cannot_dm_bot"}
)

# Why somebody is told, in the words of the message.
WHY: dict[str, str] = {
    NoticeKind.UNACKNOWLEDGED: "nobody has acknowledged it",
    NoticeKind.ESCALATED: "somebody asks for your help",
    NoticeKind.NOTE_MISSING: "its resolution note is missing",
    NoticeKind.ASSIGNED: "it was handed to you",
    NoticeKind.AWAKE: "its snooze is over",
    "flapping": "it comes and goes, so its monitor may need a change",
}


def bundle_message(
    bundle: Bundle, *, now: datetime, titles: Mapping[str, str], no_action: NoAction
) -> Message:
    """The most severe ones with their buttons, and how many more there are."""
    count = len(bundle.waiting)
    head = f"{some(count, 'alert')} {'waits' if count == 1 else 'wait'} for you"
    listed = bundle.waiting[:MOST_LISTED]
    blocks: list[Block] = [section(f"*{head}*")]
    for one in listed:
        blocks += [section(_told(one, now, titles)), actions(quick_buttons(one.alert, no_action))]
    if count > len(listed):
        blocks.append(context(f"… and {some(count - len(listed), 'more alert')}: `/socmon log open`"))
    first = "; ".join(_line(one) for one in listed[:3])
    return Message(text=f"{head}: {first}", blocks=blocks)


class Messenger:
    """Sends the bundles that are due, one after the other; `titles` are the providers' names."""

    def __init__(
        self,
        *,
        records: RecordKeeper,
        web: SlackWeb,
        clock: Clock,
        titles: Mapping[str, str],
        policy: Policy,
        no_action: NoAction,
    ) -> None:
        self._records, self._web, self._clock, self._titles = records, web, clock, titles
        self._policy, self._no_action = policy, no_action

    async def send_due(self) -> int:
        """Returns how many were sent. What was not is owed still; trouble of Slack's ends the round."""
        bundles = await self._records.write(send_notices.take_bundles, self._policy, most=MOST_PEOPLE)
        sent = 0
        while bundles:
            try:
                sent += await self._send(bundles[0])
            except (RateLimited, NoAnswer, SlackSaysNo) as error:
                log.warning("%s direct messages wait: %s", len(bundles), error)
                for bundle in bundles:
                    await self._records.write(send_notices.bundle_refused, bundle)
                break
            bundles = bundles[1:]
        return sent

    async def _send(self, bundle: Bundle) -> bool:
        """False when it may have arrived, or never can. Raises when it certainly did not arrive, and may later."""
        message = bundle_message(
            bundle, now=self._clock.now(), titles=self._titles, no_action=self._no_action
        )
        try:
            channel = await self._web.direct_channel(bundle.user)
            await self._web.say(channel, message)
        except LostAnswer as error:
            log.warning("a direct message may not have arrived: %s", error)
            return False  # tried again when another message is allowed, with what waits then
        except SlackSaysNo as error:
            if error.error not in NOBODY_THERE:
                raise
            log.warning("%s takes no direct message (%s); the thread has called them", bundle.user, error)
            await self._records.write(send_notices.bundle_hopeless, bundle)
            return False
        await self._records.write(send_notices.bundle_sent, bundle)
        return True


def _told(one: Waiting, now: datetime, titles: Mapping[str, str]) -> str:
    alert = one.alert
    component = f"{slack_text(alert.component, 60)} — " if alert.component else ""
    source = slack_text(titles.get(alert.provider, alert.provider), 40)
    why = "".join(f" · {WHY[kind]}" for kind in one.kinds if kind in WHY)
    return (
        f"{look(alert, now)} *{number(alert)} · {alert.severity} · {state(alert, now)}*{why}\n"
        f"{component}{subject(alert)} · {source} · {date(alert.triggered_at)} · <#{one.channel}>"
    )


def _line(one: Waiting) -> str:
    alert = one.alert
    component = f"{slack_text(alert.component, 60)} — " if alert.component else ""
    why = "".join(f", {WHY[kind]}" for kind in one.kinds if kind in WHY)
    return f"{number(alert)} {alert.severity} {component}{subject(alert)}{why}"
