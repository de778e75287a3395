"""How the playground's fleet page makes the bot look, and gets to know what its records say."""

import asyncio
from datetime import timedelta
from hashlib import sha256
from typing import Any

from bot.adapters.inventory import read_inventory
from bot.app import Socmon
from bot.domain.component import MEASURES
from bot.domain.coverage import State
from bot.playground.app import Playground
from bot.procedures import assess_coverage, change_scope, review_scope
from bot.procedures.assess_coverage import NoCoverage, Picture

INVENTORY = "inventory.yaml"
PAUSE, MOST_TRIES = 0.2, 10  # seconds, in which a run that is under way may end
LOOKS = ("collect-on-call", "collect-inventory", "collect-coverage", "announce-losses", "ask-about-scope")
"""What a look at the fleet is, by the names of the jobs; each goes by what the one before it has brought."""


def connect(playground: Playground, socmon: Socmon) -> None:
    """The page's button makes this socmon look, and the page shows what its records then say."""
    if playground.fleet is None:
        return

    async def look() -> None:
        if await socmon.records.read(review_scope.in_scope) == []:
            await _import(socmon)
        for job in LOOKS:
            for _ in range(MOST_TRIES):
                if await socmon.ticker.run_now(job) is not None:
                    break
                # It is run once a minute at most, and a visitor need not wait for the next one.
                playground.turn_clock_on(timedelta(minutes=1))
                await asyncio.sleep(PAUSE)

    async def coverage() -> dict[str, Any] | None:
        try:
            return _told(await socmon.records.read(assess_coverage.picture))
        except NoCoverage:
            return None

    playground.fleet.look, playground.fleet.coverage = look, coverage


async def _import(socmon: Socmon) -> None:
    """What `socmon scope import inventory.yaml` does."""
    path = socmon.settings.data_dir / INVENTORY
    content = path.read_bytes()
    entries = read_inventory([(path, content)]).entries
    prepared = await socmon.records.read(change_scope.prepare_import, entries, replacing=False)
    files = {INVENTORY: f"sha256:{sha256(content).hexdigest()}"}
    await socmon.records.write(
        change_scope.import_inventory, prepared, replacing=False, files=files, operator=""
    )


def _told(picture: Picture) -> dict[str, Any]:
    """As the page takes it."""
    counting = sorted(
        (one for one in picture.entries if one.counts(picture.now)),
        key=lambda one: (one.component.kind, one.component.name),
    )
    names = {one.component.key: one.component.name for one in counting}
    states = {place: gap.state for place, gap in picture.out.items()}
    return {
        "assessed_at": picture.run.at.timestamp(),
        "rows": [
            {
                "name": one.component.name,
                "kind": one.component.kind,
                "cells": [
                    [measure, states.get((one.component.key, measure), State.COVERED)]
                    for measure in MEASURES[one.component.kind]
                ],
            }
            for one in counting
        ],
        "gaps": [
            {
                "name": names[gap.key],
                "measure": gap.measure,
                "why": " ".join(each.says for each in gap.shortfalls),
            }
            for gap in picture.out.values()
            if gap.key in names
        ],
    }
