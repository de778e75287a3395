"""What a tool says, for tests: a report and a delivery, each test naming only what it is about."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from bot.domain.alert import Cause, Change, Reported, Resolution
from bot.domain.delivery import Delivery
from bot.domain.person import Person, Role

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SAM = Person(team="T1", user="U1SAM", roles=frozenset({Role.RESPONDER}))
KIM = Person(team="T1", user="U1KIM", roles=frozenset({Role.RESPONDER}))
LEAD = Person(team="T1", user="U1LEAD", roles=frozenset({Role.LEAD}))
NOTE = Resolution(
    found="A runaway query held the lock", done="Killed the query, added a limit", cause=Cause.CAPACITY
)

_deliveries = count(1)


def report(key: str = "cpu/prod-db-1", change: Change = Change.TRIGGERED, **facts: Any) -> Reported:
    """One alert as a tool reports it."""
    return Reported(change=change, dedup_key=key, **({"title": "CPU high", "component": "prod-db-1"} | facts))


def delivery(*alerts: Reported, **facts: Any) -> Delivery:
    """A genuine delivery with these alerts, and an id of its own."""
    given = {
        "provider": "generic",
        "delivery_id": f"delivery-{next(_deliveries)}",
        "received_at": START,
        "verified_by": "test",
        "body": b'{"made": "up"}',
        "alerts": alerts,
    }
    return Delivery(**(given | facts))  # type: ignore[arg-type]
