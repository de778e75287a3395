"""Forget the bodies of old deliveries, and say so in the log. Leaves and hashes stay, so every proof holds.

In pages: alerts wait for the writer meanwhile, and none of them may wait long.
"""

from collections.abc import Collection
from datetime import timedelta

from bot.domain.evidence import Actor, Entry, Fact, timestamp
from bot.ports import Records

RUNS = timedelta(days=30)
PAGE = 200


def forget_old_bodies(records: Records, *, days: int, after: int = 0) -> tuple[int, int | None]:
    """The next page of deliveries: (how many bodies were forgotten, the number to go on after; None at the end)."""
    before = records.now - timedelta(days=days)
    number, place = records.drop_bodies(before, after=after, most=PAGE)
    if number:
        facts: dict[str, Fact] = {"before": timestamp(before), "number": number}
        records.log(
            Entry(type="retention.purged", actor=Actor(kind="system"), subject={}, facts=facts, private={})
        )
    return number, place


def forget_old_runs(records: Records, jobs: Collection[str]) -> int:
    """Of jobs that only keep things going, nobody asks after a month whether each run took place.

    Returns how many runs were forgotten; none at the end.
    """
    return records.drop_runs(jobs, records.now - RUNS, most=PAGE)
