"""What coverage is: for each component and measure, whether it reports, would alert, and whom that would reach.

A cell is covered when all three hold. What nobody can tell is unknown, and never covered. Everything here is pure: what
the tools said comes with its age, and the moment is given. The work is linear in components, readings and monitors.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from sys import intern
from typing import NamedTuple

from bot.domain.answers import Known
from bot.domain.arrivals import Arrivals, Signal
from bot.domain.component import MEASURES, Kind, Measure
from bot.domain.monitor import MetricReading, Monitor, Reports
from bot.domain.route import Routes
from bot.domain.scope import Criticality, InScope
from bot.domain.shortfall import UNKNOWN_WHYS, Question, Shortfall, Why
from bot.domain.spending import Spent
from bot.domain.standard import Standard
from bot.domain.watching import Watching


class State(StrEnum):
    COVERED = "covered"
    GAP = "gap"
    UNKNOWN = "unknown"


class Cell(NamedTuple):
    """One measure of one component. `provider` says that it reports, `monitor` is the one that serves, or the nearest.

    `shortfalls` are empty exactly when it is covered.
    """

    key: str
    item: InScope
    measure: Measure
    state: State
    reports: Reports
    provider: str
    monitor: Monitor | None
    shortfalls: tuple[Shortfall, ...]

    def holds(self, question: Question) -> bool:
        """A route is one of a monitor: without one that watches, nothing is routed."""
        if question is Question.ROUTED and self.monitor is None and not self.holds(Question.THRESHOLD):
            return False
        return all(each.question is not question for each in self.shortfalls)


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """Every cell of what is in scope, component by component; `excluded` are the keys left out on purpose.

    The cells are made while somebody goes through them, anew each time: all at once they would fill the memory.
    """

    at: datetime
    cells: Collection[Cell]
    excluded: tuple[str, ...] = ()

    @cached_property
    def counts(self) -> Mapping[State, int]:
        found = dict.fromkeys(State, 0)
        for cell in self.cells:
            found[cell.state] += 1
        return found

    @cached_property
    def gaps(self) -> list[Cell]:
        """What is not covered, also what nobody knows."""
        return [cell for cell in self.cells if cell.state is not State.COVERED]


def assess(
    in_scope: Mapping[str, InScope],
    *,
    readings: Mapping[str, Known[MetricReading]],
    monitors: Mapping[str, Known[Monitor]],
    standard: Standard,
    routes: Routes,
    now: datetime,
    time_to_live: timedelta,
) -> Assessment:
    """Every cell of what counts now; `in_scope` is by the key that a component has in the scope.

    `readings` and `monitors` have every tool that could know, also a silent one.
    """
    counting = {key: item for key, item in in_scope.items() if item.counts(now)}
    excluded = tuple(sorted(in_scope.keys() - counting.keys()))
    arrivals = Arrivals(counting.values(), readings, now, time_to_live)
    watching = Watching(monitors, standard, routes, now, time_to_live)
    return Assessment(at=now, cells=_Cells(counting, arrivals, watching), excluded=excluded)


class _Cells(Collection[Cell]):
    def __init__(self, counting: Mapping[str, InScope], arrivals: Arrivals, watching: Watching) -> None:
        self._counting, self._arrivals, self._watching = counting, arrivals, watching

    def __len__(self) -> int:
        return sum(len(MEASURES[item.component.kind]) for item in self._counting.values())

    def __contains__(self, cell: object) -> bool:
        return any(cell == each for each in self)

    def __iter__(self) -> Iterator[Cell]:
        for at, (key, item) in enumerate(self._counting.items()):
            yield from _cells_of(at, key, item, self._arrivals, self._watching)


def _cells_of(at: int, key: str, item: InScope, arrivals: Arrivals, watching: Watching) -> Iterator[Cell]:
    """`at` is the number of the component's bytes."""
    kind, seers = item.component.kind, arrivals.seers(item.component.sources)
    nearby = watching.nearby(item)
    for measure in MEASURES[kind]:
        byte = arrivals.place(at, measure)
        reports, provider, not_reporting = arrivals.verdict(byte, seers, measure)
        monitor, short = watching.verdict(
            item, measure, nearby, Signal(byte, seers, arrivals, reports is Reports.REPORTING)
        )
        if not_reporting is None and not short:
            yield Cell(key, item, measure, State.COVERED, reports, provider, monitor, ())
            continue
        shortfalls = short if not_reporting is None else (not_reporting, *short)
        proven = any(each.why not in UNKNOWN_WHYS for each in shortfalls)
        state = State.GAP if proven else State.UNKNOWN
        yield Cell(key, item, measure, state, reports, provider, monitor, shortfalls)


# What is kept over time


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Time for which a cell was out of coverage; `until` is None while it is. `measure` None is the whole component.

    `shortfalls` are as they stood when it began: another kind of shortfall begins another interval. `criticality` is
    the component's at the newest assessment.
    """

    key: str
    measure: Measure | None
    state: State
    since: datetime
    until: datetime | None = None
    shortfalls: tuple[Shortfall, ...] = ()
    monitor: str = ""
    criticality: Criticality = Criticality.MEDIUM

    @property
    def rank(self) -> int:
        """0 is what has to be mended first."""
        return list(Criticality).index(self.criticality)

    @property
    def kinds(self) -> str:
        """Its shortfalls without their texts: “reports:silent|threshold:no monitor”."""
        return "|".join(self.sort[1:])

    @property
    def sort(self) -> tuple[str, ...]:
        """What it is an interval of; what ends it when it changes."""
        return (self.state, *sorted({f"{each.question}:{each.why}" for each in self.shortfalls}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One assessment on record, of a revision of the scope. `tally` counts cells; `digest` is of all of them.

    `spent` is what each tool's answers took.
    """

    at: datetime
    scope: int
    standard: str
    components: int
    excluded: int
    tally: Mapping[tuple[Kind, Measure], Mapping[State, int]]
    digest: str
    spent: Mapping[str, Spent] = field(default_factory=dict[str, Spent])

    def total(self, state: State) -> int:
        return sum(each.get(state, 0) for each in self.tally.values())


Out = Mapping[tuple[str, Measure | None], Interval]


def sum_up(found: Assessment, standard: Standard, scope: int) -> tuple[Run, Out]:
    """Its figures, and what is out of coverage as of it: each cell, and each component that has one."""
    counts: dict[tuple[Kind, Measure, State], int] = defaultdict(int)
    out: dict[tuple[str, Measure | None], Interval] = {}
    digest, components, before = sha256(), 0, ""
    for cell in found.cells:
        key, measure, state = cell.key, cell.measure, cell.state
        counts[cell.item.component.kind, measure, state] += 1
        digest.update(f"{key}\0{measure}\0{state}\n".encode())
        if key != before:
            components, before = components + 1, key
        if state is not State.COVERED:
            _put(out, cell, found.at)
    tally: dict[tuple[Kind, Measure], dict[State, int]] = {}
    for (kind, measure, state), number in counts.items():
        tally.setdefault((kind, measure), {})[state] = number
    run = Run(
        at=found.at,
        scope=scope,
        standard=standard.digest,
        components=components,
        excluded=len(found.excluded),
        tally=tally,
        digest=f"sha256:{digest.hexdigest()}",
    )
    return run, out


def _put(out: dict[tuple[str, Measure | None], Interval], cell: Cell, at: datetime) -> None:
    out[cell.key, cell.measure] = Interval(
        key=cell.key,
        measure=cell.measure,
        state=cell.state,
        since=at,
        shortfalls=cell.shortfalls,
        monitor=intern(f"{cell.monitor.provider}:{cell.monitor.id}") if cell.monitor else "",
        criticality=cell.item.criticality,
    )
    whole = out.get((cell.key, None))
    if whole is None or (whole.state is State.UNKNOWN and cell.state is State.GAP):
        out[cell.key, None] = Interval(
            key=cell.key, measure=None, state=cell.state, since=at, criticality=cell.item.criticality
        )


def not_assessed(key: str, measure: Measure, now: datetime) -> Interval:
    """A cell that came into scope after the newest assessment: nobody knows it yet."""
    return Interval(
        key=key,
        measure=measure,
        state=State.UNKNOWN,
        since=now,
        shortfalls=(
            Shortfall(
                question=Question.REPORTS,
                why=Why.NO_ANSWER,
                says="It came into scope after the last assessment.",
                mend="It is assessed within 15 minutes.",
            ),
        ),
    )
