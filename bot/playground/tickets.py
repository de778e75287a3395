"""What Slack hands out for a short while: trigger ids and response addresses."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.playground.errors import SlackError

TRIGGER_LIFE = timedelta(seconds=3)
RESPONSE_LIFE = timedelta(minutes=30)
MOST_RESPONSES = 5


@dataclass(slots=True, kw_only=True)
class Trigger:
    """The right to open one view for one person. `view` is the modal it came from, which a push builds on."""

    user: str
    issued_at: datetime
    view: str | None = None
    used: bool = False


@dataclass(slots=True, kw_only=True)
class ResponseAddress:
    """Where a bot may answer an interaction: in `channel`, to `user`, about the message `ts`."""

    user: str
    channel: str
    issued_at: datetime
    ts: str | None = None
    thread_ts: str | None = None
    ephemeral: bool = False
    uses: int = 0


class Tickets:
    """The triggers and response addresses that are out. Old ones are forgotten as new ones are issued."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._triggers: dict[str, Trigger] = {}
        self._addresses: dict[str, ResponseAddress] = {}

    def trigger(self, user: str, view: str | None = None) -> str:
        self._forget()
        trigger_id = f"{secrets.randbelow(10**10)}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
        self._triggers[trigger_id] = Trigger(user=user, issued_at=self._now(), view=view)
        return trigger_id

    def redeem(self, trigger_id: str) -> Trigger:
        """Use a trigger id, once and within three seconds; raises SlackError."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if self._now() - trigger.issued_at > TRIGGER_LIFE:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger

    def address(self, address: ResponseAddress) -> str:
        """Issue a response address; returns the secret part of its URL."""
        self._forget()
        secret = secrets.token_urlsafe(18)
        self._addresses[secret] = address
        return secret

    def respond(self, secret: str) -> ResponseAddress:
        """Use a response address, at most five times within thirty minutes; raises SlackError."""
        address = self._addresses.get(secret)
        if address is None or self._now() - address.issued_at > RESPONSE_LIFE:
            raise SlackError("expired_url")
        if address.uses >= MOST_RESPONSES:
            raise SlackError("used_url")
        address.uses += 1
        return address

    def _forget(self) -> None:
        long_ago = self._now() - 2 * RESPONSE_LIFE
        for tickets in (self._triggers, self._addresses):
            for key in [key for key, ticket in tickets.items() if ticket.issued_at < long_ago]:
                del tickets[key]
