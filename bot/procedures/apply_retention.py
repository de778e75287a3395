"""Forget the bodies of old deliveries, and say so in the log. Leaves and hashes stay, so every proof holds."""

from collections.abc import Collection
from datetime import timedelta

from bot.domain.evidence import Actor, Entry, Fact, timestamp
from bot.ports import Records

RUNS = timedelta(days=30)


def forget_old_bodies(records: Records, *, days: int) -> int:
    """Returns how many bodies were forgotten."""
    before = records.now - timedelta(days=days)
    number = records.drop_bodies(before)
    if number:
        facts: dict[str, Fact] = {"before": timestamp(before), "number": number}
        records.log(
            Entry(type="retention.purged", actor=Actor(kind="system"), subject={}, facts=facts, private={})
        )
    return number


def forget_old_runs(records: Records, jobs: Collection[str]) -> int:
    """Of jobs that only keep things going, nobody asks after a month whether each run took place."""
    return records.drop_runs(jobs, records.now - RUNS)
