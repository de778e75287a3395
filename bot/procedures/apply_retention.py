"""Forget the bodies of old deliveries, and say so in the log. Leaves and hashes stay, so every proof holds."""

from datetime import timedelta

from bot.domain.evidence import Actor, Entry
from bot.ports import Records


def forget_old_bodies(records: Records, *, days: int) -> int:
    """Returns how many bodies were forgotten."""
    before = records.now - timedelta(days=days)
    number = records.drop_bodies(before)
    if number:
        facts: dict[str, str | int] = {"before": before.date().isoformat(), "number": number}
        records.log(
            Entry(type="retention.purged", actor=Actor(kind="system"), subject={}, facts=facts, private={})
        )
    return number
