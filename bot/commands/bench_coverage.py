"""`socmon bench coverage`: a fleet in the real records is assessed, and the answer to `/socmon coverage` is made.

Each size has processes of its own, so that memory is its own.
"""

import asyncio
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.adapters.database.engine import describe
from bot.adapters.slack.coverage_message import GAPS_A_PAGE, coverage_message
from bot.app import Socmon
from bot.commands.bench_fleet import TOOLS, BenchFleet, approved, components, most_mib, recompute
from bot.domain.coverage import State
from bot.domain.oncall import ContactMethod, InSlack, Level, Responder, Roster, Shift, Team
from bot.domain.oncall import Kind as Way
from bot.domain.route import Routes
from bot.domain.scope import Change, Difference, Sighting
from bot.ports import Records
from bot.procedures import assess_coverage
from bot.procedures.assess_coverage import Part, Summary, Told
from bot.settings import Settings
from jobs.collect_coverage import Asked, look_around

GOALS = {"recompute_s": 5.0, "answer_s": 2.0, "memory_mib": 400.0, "ratio": 15.0}
"""`ratio` is of the times for ten times as many components; the others are for the larger of them."""
AT_ONCE = 2000  # rows in one transaction of the filling


def coverage(sizes: Sequence[int], settings_in: Callable[[str], Settings]) -> dict[str, Any]:
    """`settings_in(folder)` makes the settings of a socmon whose data lie there."""
    found = {}
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="socmon-bench-") as folder:
            settings = settings_in(folder)
            _in_a_process(_fill, settings, size)
            found[size] = _in_a_process(_measure, settings, size)
    small, large = min(sizes), max(sizes)
    first, last = found[small], found[large]
    ratio = round(last["recompute"]["total_s"] / first["recompute"]["total_s"] / (large / small) * 10, 1)
    met = {
        "recompute_s": last["recompute"]["total_s"],
        "answer_s": last["answer_s"],
        "memory_mib": last["memory_mib"]["together"],
        "ratio": ratio,
    }
    return {
        "what": "coverage",
        "database": last.pop("database"),
        **{
            f"{size} components": {k: v for k, v in each.items() if k != "database"}
            for size, each in found.items()
        },
        "goals": {
            name: f"{met[name]} of at most {goal:g}: {'met' if met[name] <= goal else 'MISSED'}"
            for name, goal in GOALS.items()
        },
    }


def _in_a_process(work: Callable[..., Any], *args: Any) -> Any:
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(sending, work, args))
    process.start()
    sending.close()
    try:
        return receiving.recv()
    finally:
        process.join()


def _run(sending: Any, work: Callable[..., Any], args: tuple[Any, ...]) -> None:
    sending.send(asyncio.run(work(*args)))


async def _fill(settings: Settings, size: int) -> None:
    socmon = Socmon(settings=settings)
    for start in range(0, size, AT_ONCE):
        await socmon.records.write(_add, start, min(start + AT_ONCE, size))
    socmon.close()


def _add(records: Records, start: int, end: int) -> None:
    records.add_revision(Change.IMPORTED, Difference(added=tuple(approved(start, end))), by="")
    for tool in TOOLS:
        seen = components(tool, start, end)
        records.save_sightings(
            [
                Sighting(source=tool, component=one, first_seen=records.now, last_seen=records.now)
                for one in seen
            ]
        )


async def _measure(settings: Settings, size: int) -> dict[str, Any]:
    socmon = Socmon(settings=settings)
    asked = Asked(
        fleets={tool: BenchFleet(source=tool, size=size, standard=socmon.standard) for tool in TOOLS},
        standard=socmon.standard,
        routes=_routes(),
        time_to_live=socmon.coverage_time_to_live,
        clock=socmon.clock,
    )
    whole = await _kept(socmon, look_around, asked)
    again = await _kept(socmon, recompute, asked)
    silent = await _kept(socmon, recompute, replace(asked, time_to_live=timedelta(0)))
    start = time.perf_counter()
    answer = await socmon.records.read(
        assess_coverage.coverage, time_to_live=socmon.coverage_time_to_live, most=GAPS_A_PAGE
    )
    coverage_message(answer, titles=socmon.titles)
    answered = time.perf_counter() - start
    facts = describe(socmon.records.reading)
    socmon.close()
    beside = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # of the largest of the three
    memory = {"server": most_mib() or 0, "beside": round(beside)}
    return {
        "cells": again.pop("cells"),
        "recompute": again,
        "all_asked_anew": whole,
        "all_tools_silent": silent,
        "answer_s": round(answered, 3),
        "memory_mib": memory | {"together": sum(memory.values())},
        "database": facts,
    }


async def _kept(socmon: Socmon, work: Callable[..., Any], asked: Asked) -> dict[str, Any]:
    """As the job does it: what comes from the other process is kept, part by part."""
    start, keeping, longest = time.perf_counter(), 0.0, 0.0
    told, found, cells = list[Told](), dict[str, Any](), dict[str, int]()

    async def keep(procedure: Callable[..., Any], *args: Any) -> Any:
        nonlocal keeping, longest
        began = time.perf_counter()
        kept = await socmon.records.write(procedure, *args)
        took = time.perf_counter() - began
        keeping, longest = keeping + took, max(longest, took)
        return kept

    async for piece in socmon.records.apart(work, asked):
        if isinstance(piece, Told):
            told.append(piece)
        elif isinstance(piece, Part):
            await keep(assess_coverage.keep_part, piece)
        elif isinstance(piece, Summary):
            kept = await keep(assess_coverage.keep, piece, told)
            cells = {state.value: kept.run.total(state) for state in State}
        else:
            found |= piece
    return {
        "cells": cells,
        "total_s": round(time.perf_counter() - start, 2),
        **found,
        "keep_s": round(keeping, 2),
        "longest_transaction_ms": round(longest * 1000),
    }


def _routes() -> Routes:
    """Everything ends in a channel that somebody who is on call reads."""
    phone = ContactMethod(kind=Way.PHONE, end="…1", rings_after=0)
    somebody = Responder(id="1", name="Somebody", slack="U1", in_slack=InSlack.ACTIVE, methods=(phone,))
    team = Team(
        name="ops",
        source="bench",
        policy="ops",
        levels=(Level(number=1, delay_minutes=5, targets=("1",)),),
        shifts=(Shift(responder="1", level=1, start=None, end=None),),
    )
    return Routes(
        approved=frozenset({"ops"}), team="ops", roster=Roster(teams=(team,), responders=(somebody,))
    )
