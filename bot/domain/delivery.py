"""What a delivery is: one inbound request from a monitoring tool, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.alert import Reported


class Result(StrEnum):
    """What became of a delivery. received = accepted + duplicate + refused + unreadable."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    UNREADABLE = "unreadable"


class Outcome(StrEnum):
    """What became of one alert inside an accepted delivery. reported = new + repeated + transition + ignored."""

    NEW = "new"
    REPEATED = "repeated"
    TRANSITION = "transition"
    IGNORED = "ignored"


TEST_NOTIFICATION = "test notification"
HEARTBEAT = "heartbeat"
"""An alert that always fires, so that its silence is the alarm; it is no alert itself."""
UNPROVEN = "nothing"
"""What verifies a message that lay in a queue, and was not believed. It is kept, since nobody can be told to stop."""
COMPARISON = "reconcile"
"""`verified_by` of what socmon found out by asking the tool itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A genuine request, whole. `delivery_id` is the same on every re-send.

    `named` says that it is the sender's own name for the delivery. Else it is made of the body, and of two equal
    bodies the second may be a re-send, or say that the problem is back.
    `verified_by` says how the sender proved itself ("hmac", "sns v2", "secret header").
    `gap`, when set, is why the body could not be read, or not whole; `unreadable` says that nothing of it could.
    """

    provider: str
    delivery_id: str
    received_at: datetime
    verified_by: str
    body: bytes
    alerts: tuple[Reported, ...] = ()
    gap: str = ""
    unreadable: bool = False
    named: bool = True

    @property
    def is_test(self) -> bool:
        """Nothing but a test notification, which proves the way here and is no alert."""
        return bool(self.alerts) and all(alert.ignored == TEST_NOTIFICATION for alert in self.alerts)

    @property
    def heartbeats(self) -> tuple[Reported, ...]:
        return tuple(alert for alert in self.alerts if alert.ignored == HEARTBEAT)

    @property
    def was_asked_for(self) -> bool:
        """No word of the tool's own accord: it does not show that the tool's deliveries arrive."""
        return self.verified_by == COMPARISON

    @property
    def keys(self) -> tuple[str, ...]:
        """The problems it speaks of, so that the records can look all of a batch up at once."""
        return tuple(alert.dedup_key for alert in self.alerts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What socmon made of a delivery: the result, and per alert (outcome, alert id or None, reason)."""

    result: Result
    alerts: tuple[tuple[Outcome, int | None, str], ...] = ()
