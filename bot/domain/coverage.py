"""What coverage is: for each component and measure, whether it reports, would alert, and whom that would reach.

A cell is covered when all three hold. What nobody can tell is unknown, and never covered. Everything here is pure: what
the tools said comes with its age, and the moment is given. The work is linear in components, readings and monitors.
"""

import gc
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Any, Generic, NamedTuple, TypeVar

from bot.domain.component import MEASURES, Kind, Measure
from bot.domain.monitor import (
    Comparator,
    MetricReading,
    Monitor,
    Reports,
    Target,
    TargetKind,
    Watches,
    shares,
)
from bot.domain.oncall import InSlack, Responder, Roster
from bot.domain.scope import Criticality, InScope
from bot.domain.standard import LOWER, UPPER, Rule, Standard, at_least_as_strict

Item = TypeVar("Item", MetricReading, Monitor)


class State(StrEnum):
    COVERED = "covered"
    GAP = "gap"
    UNKNOWN = "unknown"


class Question(StrEnum):
    """What is asked of each cell."""

    REPORTS = "reports"
    THRESHOLD = "threshold"
    ROUTED = "routed"


class Why(StrEnum):
    """The kind of a gap."""

    STALE = "stale"
    SILENT = "silent"
    NOT_CONFIGURED = "not configured"
    NO_ANSWER = "tool did not answer"
    NO_MONITOR = "no monitor"
    ELSEWHERE = "watches another dimension"
    UNREADABLE = "unreadable filter"
    NOT_ARRIVING = "metric does not arrive there"
    NO_THRESHOLD = "no threshold to compare"
    OTHER_WAY = "fires the other way"
    TOO_WEAK = "threshold too weak"
    TOO_SLOW = "window too long"
    NO_DATA_IGNORED = "no data ignored"
    TOO_MILD = "severity below the standard"
    DISABLED = "disabled"
    SILENCED = "silenced"
    NO_TARGET = "no target"
    DEAD_TARGET = "dead target"
    NOT_APPROVED = "channel not approved"
    NO_TEAM = "service without a team"
    NOBODY = "nobody on call"
    UNREACHABLE = "on call and not reachable"
    NO_ROSTER = "on-call people unknown"


UNKNOWN_WHYS = frozenset({Why.NO_ANSWER, Why.NO_ROSTER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """Why one of the questions has no good answer. `says` is what and why, `mend` what to do next; both sentences."""

    question: Question
    why: Why
    says: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer(Generic[Item]):
    """What a tool said at one moment."""

    as_of: datetime
    items: Sequence[Item]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(Generic[Item]):
    """All that a tool has said of one thing, newest first. `whole_at` is when it last told everything, None for never.

    `reason` says why its newest answer was not whole, "" when it was. `calls` is what the newest one took.
    """

    layers: tuple[Layer[Item], ...] = ()
    whole_at: datetime | None = None
    reason: str = "It has not been asked yet."
    calls: int = 0

    def take(
        self, items: Sequence[Item], *, complete: bool, as_of: datetime, reason: str = "", calls: int = 0
    ) -> "Known[Item]":
        """A whole answer stands for itself. Another one adds, and removes nothing."""
        new: Layer[Item] = Layer(as_of=as_of, items=tuple(items))
        if complete:
            return Known(layers=(new,), whole_at=as_of, reason="", calls=calls)
        newer = {_name_of(item) for item in new.items}
        layers = [new]
        for layer in self.layers:
            rest = tuple(item for item in layer.items if _name_of(item) not in newer)
            layers.append(Layer(as_of=layer.as_of, items=rest))
        return Known(
            layers=tuple(layer for layer in layers if layer.items),
            whole_at=self.whole_at,
            reason=reason or "It did not tell everything.",
            calls=calls,
        )

    def is_whole(self, now: datetime, time_to_live: timedelta) -> bool:
        """Whether what it does not name is known not to be there."""
        return self.whole_at is not None and now - self.whole_at <= time_to_live

    def items(self, now: datetime, time_to_live: timedelta) -> Iterator[tuple[datetime, Item]]:
        """Everything that is young enough to be believed, with the moment it was said."""
        for layer in self.layers:
            if now - layer.as_of <= time_to_live:
                for item in layer.items:
                    yield layer.as_of, item


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """What decides whether a target reaches a person.

    `approved` are the channels that may be used; `services` PagerDuty's services and integration keys with the team
    that they call; both compared without case and without their signs. `own` are the ends at which socmon itself
    listens, and `team` whom it then calls. `roster` is None when nobody can tell who is on call, and `unsure` says why.
    """

    approved: frozenset[str] = frozenset()
    services: Mapping[str, str] = field(default_factory=dict)
    own: frozenset[str] = frozenset()
    team: str = ""
    roster: Roster | None = None
    unsure: str = "socmon does not know yet who is on call."


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
    """Every cell of what is in scope, by key of the component; `excluded` are the keys left out on purpose."""

    at: datetime
    cells: Sequence[Cell]
    excluded: tuple[str, ...] = ()

    @cached_property
    def counts(self) -> Mapping[State, int]:
        found = dict.fromkeys(State, 0)
        for cell in self.cells:
            found[cell.state] += 1
        return found

    @property
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
    with _collector_paused():
        return _assess(in_scope, readings, monitors, standard, routes, now, time_to_live)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Nothing here makes cycles, and the collector's walks over a million living objects took a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _assess(  # noqa: PLR0917 - as above
    every: Mapping[str, InScope],
    readings: Mapping[str, Known[MetricReading]],
    monitors: Mapping[str, Known[Monitor]],
    standard: Standard,
    routes: Routes,
    now: datetime,
    time_to_live: timedelta,
) -> Assessment:
    counting = {key: item for key, item in every.items() if item.counts(now)}
    excluded = tuple(sorted(every.keys() - counting.keys()))
    arrivals = _Arrivals(list(counting.values()), readings, now, time_to_live)
    watching = _Watching(monitors, standard, routes, now, time_to_live)
    cells: list[Cell] = []
    for at, (key, item) in enumerate(counting.items()):
        _assess_component(cells, _Place(at, key, item), arrivals, watching)
    return Assessment(at=now, cells=cells, excluded=excluded)


class _Place(NamedTuple):
    """A component, its key in the scope, and the number of its bytes."""

    at: int
    key: str
    item: InScope


def _assess_component(cells: list[Cell], place: _Place, arrivals: "_Arrivals", watching: "_Watching") -> None:
    at, key, item = place
    kind, seers = item.component.kind, arrivals.seers(item.component.sources)
    nearby = watching.nearby(item)
    for measure in MEASURES[kind]:
        byte = arrivals.place(at, measure)
        reports, provider, not_reporting = arrivals.verdict(byte, seers, measure)
        monitor, short = watching.verdict(
            item, measure, nearby, _Signal(byte, seers, arrivals, reports is Reports.REPORTING)
        )
        if not_reporting is None and not short:
            cells.append(Cell(key, item, measure, State.COVERED, reports, provider, monitor, ()))
            continue
        shortfalls = short if not_reporting is None else (not_reporting, *short)
        proven = any(each.why not in UNKNOWN_WHYS for each in shortfalls)
        state = State.GAP if proven else State.UNKNOWN
        cells.append(Cell(key, item, measure, state, reports, provider, monitor, shortfalls))


_MEASURES = {measure: at for at, measure in enumerate(Measure)}
_STATES = (Reports.NOT_CONFIGURED, Reports.SILENT, Reports.STALE, Reports.REPORTING)
_CODES = {state: code for code, state in enumerate(_STATES)}
_REPORTING = _CODES[Reports.REPORTING]


class _Arrivals:
    """Whether metrics arrive. A reading is judged as of when the tool gave it: between two looks nothing gets stale.

    One byte a cell and tool says how the best reading there stands; only those that do not report are kept beside.
    """

    def __init__(
        self,
        counting: Sequence[InScope],
        readings: Mapping[str, Known[MetricReading]],
        now: datetime,
        time_to_live: timedelta,
    ) -> None:
        self._known = readings
        self._whole = {name: known.is_whole(now, time_to_live) for name, known in readings.items()}
        self._measuring: set[str] = set()
        self._codes = {name: bytearray(len(counting) * len(_MEASURES)) for name in readings}
        self._failing: dict[tuple[str, int], MetricReading] = {}
        self._seers: dict[frozenset[str], tuple[str, ...]] = {}
        self._shortfalls: dict[Hashable, Shortfall] = {}
        # Pairs of texts, since a dataclass is slow to hash and to compare.
        whose = {
            (one.space, one.value): at
            for at, item in enumerate(counting)
            for one in item.component.identities
        }
        for name, known in readings.items():
            for as_of, reading in known.items(now, time_to_live):
                self._measuring.add(name)
                at = whose.get((reading.identity.space, reading.identity.value))
                if at is not None:
                    self._take(name, self.place(at, reading.measure), reading, _CODES[reading.state(as_of)])

    @staticmethod
    def place(at: int, measure: Measure) -> int:
        """Where a cell's byte stands."""
        return at * len(_MEASURES) + _MEASURES[measure]

    def _take(self, name: str, place: int, reading: MetricReading, code: int) -> None:
        codes = self._codes[name]
        if code > codes[place]:
            codes[place] = code
            if code != _REPORTING:
                self._failing[name, place] = reading

    def seers(self, sources: frozenset[str]) -> tuple[str, ...]:
        """The tools that could know the component: those that see it; of one that nobody sees, all."""
        found = self._seers.get(sources)
        if found is None:
            found = tuple(name for name in self._known if name in sources) or tuple(self._known)
            self._seers[sources] = found
        return found

    def verdict(
        self, place: int, seers: tuple[str, ...], measure: Measure
    ) -> tuple[Reports, str, Shortfall | None]:
        best, provider = 0, ""
        for name, codes in self._codes.items():
            if codes[place] > best:
                best, provider = codes[place], name
        if best == _REPORTING:
            return Reports.REPORTING, provider, None
        if silent := tuple(name for name in seers if not self._whole[name]):
            return Reports.UNKNOWN, "", self._shared(silent, measure)
        if provider:
            state = _STATES[best]
            return state, provider, _not_arriving(state, provider, self._failing[provider, place])
        return Reports.NOT_CONFIGURED, "", self._not_configured(seers, measure)

    def arrives(self, place: int, provider: str) -> bool | None:
        """Whether this tool gets the metric, so that its monitors can fire; None when nobody can tell.

        A tool that measures nothing itself (Prometheus' rules) is taken at its word.
        """
        codes = self._codes.get(provider)
        if codes is None or codes[place] == _REPORTING:
            return True
        if codes[place]:
            return False
        if not self._whole[provider]:
            return None
        return provider not in self._measuring

    def _shared(self, silent: tuple[str, ...], measure: Measure) -> Shortfall:
        if (silent, measure) not in self._shortfalls:
            why = " ".join(
                f"{name}: {self._known[name].reason or 'Its last answer is too old.'}" for name in silent
            )
            self._shortfalls[silent, measure] = Shortfall(
                question=Question.REPORTS,
                why=Why.NO_ANSWER,
                says=f"Nobody can tell whether its {measure} reports, since not every tool has answered. {why}",
                mend="Mend the connection to the tool; `socmon doctor` tests it.",
            )
        return self._shortfalls[silent, measure]

    def _not_configured(self, seers: tuple[str, ...], measure: Measure) -> Shortfall:
        if ("none", seers, measure) not in self._shortfalls:
            self._shortfalls["none", seers, measure] = Shortfall(
                question=Question.REPORTS,
                why=Why.NOT_CONFIGURED,
                says=f"No tool collects its {measure} (asked: {', '.join(seers) or 'none is connected'}).",
                mend="Turn the metric on in the agent or the integration of one of the tools.",
            )
        return self._shortfalls["none", seers, measure]


def _not_arriving(state: Reports, provider: str, reading: MetricReading) -> Shortfall:
    if state is Reports.STALE and reading.last_at is not None:
        says = (
            f"The last value of {reading.metric} in {provider} is of {reading.last_at.astimezone(UTC):%Y-%m-%d %H:%M}"
            f" UTC, older than two intervals of {reading.interval / timedelta(minutes=1):g} min."
        )
    else:
        says = f"{provider} knows {reading.metric} of it, and has no value."
    return Shortfall(
        question=Question.REPORTS,
        why=Why.STALE if state is Reports.STALE else Why.SILENT,
        says=says,
        mend="See that it runs, and that its agent or exporter does.",
    )


class _Signal(NamedTuple):
    """What is known of one cell's metric: where its bytes stand, and which tools could know it."""

    place: int
    seers: tuple[str, ...]
    arrivals: _Arrivals
    reports: bool


class _Judged(NamedTuple):
    """A monitor as it serves components of one kind and criticality; the lower the rank, the nearer it comes."""

    rank: int
    monitor: Monitor
    shortfalls: tuple[Shortfall, ...]


class _Bucket:
    """Monitors of one measure that are found by the same name or tag. Judged once a kind, the best one first."""

    __slots__ = ("judged", "monitors")

    def __init__(self) -> None:
        self.monitors: list[Monitor] = []
        self.judged: dict[tuple[Kind, Criticality], list[_Judged]] = {}


Buckets = dict[Measure, _Bucket]
_FINE, _UNROUTED, _UNARRIVED = 0, 1, 1000


class _Watching:
    """Which monitor serves a component best: found by identity and by tag, so that no cell looks at all of them."""

    def __init__(
        self,
        monitors: Mapping[str, Known[Monitor]],
        standard: Standard,
        routes: Routes,
        now: datetime,
        time_to_live: timedelta,
    ) -> None:
        self._standard, self._routes, self._now = standard, routes, now
        self._known = monitors
        self._whole = {name: known.is_whole(now, time_to_live) for name, known in monitors.items()}
        self._by_identity: dict[tuple[str, str], Buckets] = {}
        self._by_tag: dict[tuple[str, str], Buckets] = {}
        self._of_all: Buckets = {}
        self._unreadable: dict[tuple[str, Measure], Monitor] = {}
        self._ends: dict[tuple[Target, ...], Shortfall | None] = {}
        self._shortfalls: dict[Hashable, Shortfall] = {}
        self._every = [one for known in monitors.values() for _, one in known.items(now, time_to_live)]
        usage: dict[tuple[str, str], int] = {}
        for one in self._every:
            for tag in one.watches.tags.items():
                usage[tag] = usage.get(tag, 0) + 1
        for one in self._every:
            for measure in _measures(one):
                self._file(one, measure, usage)

    def _file(self, one: Monitor, measure: Measure, usage: Mapping[tuple[str, str], int]) -> None:
        watches = one.watches
        if watches.unreadable:
            self._unreadable.setdefault((one.provider, measure), one)
        elif watches.identities:
            for identity in watches.identities:
                named = self._by_identity.setdefault((identity.space, identity.value), {})
                named.setdefault(measure, _Bucket()).monitors.append(one)
        elif watches.tags:
            name, values = min(watches.tags.items(), key=lambda tag: usage[tag])
            for value in _each(values):
                filed = self._by_tag.setdefault((name, value), {})
                filed.setdefault(measure, _Bucket()).monitors.append(one)
        else:
            self._of_all.setdefault(measure, _Bucket()).monitors.append(one)

    def nearby(self, item: InScope) -> list[Buckets]:
        """Where monitors of this component can be, whatever they measure."""
        by_identity, by_tag = self._by_identity, self._by_tag
        names = [(one.space, one.value) for one in item.component.identities]
        found = [by_identity[name] for name in names if name in by_identity]
        if by_tag:
            found += [
                by_tag[name, value]
                for name, values in item.component.tags.items()
                for value in _each(values)
                if (name, value) in by_tag
            ]
        return [*found, self._of_all] if self._of_all else found

    def verdict(
        self,
        item: InScope,
        measure: Measure,
        nearby: list[Buckets],
        signal: "_Signal",
    ) -> tuple[Monitor | None, tuple[Shortfall, ...]]:
        """(the monitor that serves, or the nearest one; what is wrong with it)."""
        kind = item.component.kind
        rules = self._standard.alternatives(kind, measure)
        if not rules:
            return None, ()
        best: _Judged | None = None
        for buckets in nearby:
            bucket = buckets.get(measure)
            if bucket is None:
                continue
            for judged in self._judged(bucket, item, measure, rules):
                if best is not None and judged.rank >= best.rank:
                    break
                if _is_watched(judged.monitor, item, signal.seers):
                    best = self._where_it_arrives(_unless_muted(judged, item), best, signal)
        if best is not None and best.rank == _FINE:
            return best.monitor, ()
        if unknown := self._untold(measure, signal.seers):
            short = best.shortfalls if best else ()
            # Another monitor may stand in what was not told, so none of this is proven.
            return (best.monitor if best else None), (
                unknown,
                *(each for each in short if each.why in UNKNOWN_WHYS),
            )
        if best is None:
            return self._nearest(item, measure, signal.seers)
        return best.monitor, best.shortfalls

    def _where_it_arrives(self, judged: _Judged, best: _Judged | None, signal: "_Signal") -> _Judged | None:
        """A monitor without its metric never fires: it is the nearest only when there is no other."""
        if best is not None and judged.rank >= best.rank:
            return best
        one = judged.monitor
        arrives = signal.arrivals.arrives(signal.place, one.provider)
        # Where it reports to nobody, that is the reason, and said once.
        if arrives or not signal.reports:
            return judged
        rank = judged.rank + _UNARRIVED
        if best is not None and rank >= best.rank:
            return best
        if (one.provider, one.metric, arrives) not in self._shortfalls:
            self._shortfalls[one.provider, one.metric, arrives] = Shortfall(
                question=Question.THRESHOLD,
                why=Why.NO_ANSWER if arrives is None else Why.NOT_ARRIVING,
                says=f"It is watched in {one.provider}, and "
                + ("nobody can tell whether" if arrives is None else "there")
                + f" {one.metric} {'arrives there' if arrives is None else 'does not arrive'}.",
                mend="Watch it in the tool that gets its metric, or see that the metric arrives.",
            )
        return _Judged(rank, one, (self._shortfalls[one.provider, one.metric, arrives], *judged.shortfalls))

    def _judged(
        self, bucket: _Bucket, item: InScope, measure: Measure, rules: tuple[Rule, ...]
    ) -> list[_Judged]:
        sort = (item.component.kind, item.criticality)
        found = bucket.judged.get(sort)
        if found is None:
            least = self._standard.severity(*sort)
            found = sorted(
                (self._judge(one, measure, rules, least) for one in bucket.monitors),
                key=lambda judged: (judged.rank, judged.monitor.id),
            )
            bucket.judged[sort] = found
        return found

    def _judge(self, one: Monitor, measure: Measure, rules: tuple[Rule, ...], least: str | None) -> _Judged:
        rank, threshold = min(
            (_shortcoming(one, measure, rule, least) for rule in rules), key=lambda each: each[0]
        )
        if one.targets not in self._ends:
            self._ends[one.targets] = reaches_nobody(one.targets, self._routes, self._now)
        end = self._ends[one.targets]
        shortfalls = tuple(each for each in (threshold, end) if each)
        return _Judged(2 * rank + (_UNROUTED if end else _FINE), one, shortfalls)

    def _untold(self, measure: Measure, seers: tuple[str, ...]) -> Shortfall | None:
        silent = tuple(name for name in self._known if not self._whole[name] and (name in seers or not seers))
        if not silent:
            return None
        if ("untold", silent, measure) not in self._shortfalls:
            why = " ".join(
                f"{name}: {self._known[name].reason or 'Its last answer is too old.'}" for name in silent
            )
            self._shortfalls["untold", silent, measure] = Shortfall(
                question=Question.THRESHOLD,
                why=Why.NO_ANSWER,
                says=f"Nobody can tell whether a monitor watches its {measure}, since not all were told. {why}",
                mend="Mend the connection to the tool; `socmon doctor` tests it.",
            )
        return self._shortfalls["untold", silent, measure]

    def _nearest(
        self, item: InScope, measure: Measure, seers: tuple[str, ...]
    ) -> tuple[Monitor | None, tuple[Shortfall, ...]]:
        """Nothing watches it. Something may be meant to."""
        names = {item.component.name.casefold(), *(one.value.casefold() for one in item.component.identities)}
        for name in sorted(names):
            if (meant := self._by_name.get((name, measure))) is not None:
                return meant, (self._elsewhere(meant),)
        for name in seers:
            if (unread := self._unreadable.get((name, measure))) is not None:
                return unread, (self._unread(unread),)
        if ("no", measure) not in self._shortfalls:
            self._shortfalls["no", measure] = Shortfall(
                question=Question.THRESHOLD,
                why=Why.NO_MONITOR,
                says=f"No monitor watches its {measure}.",
                mend="Make one that meets the standard, or let one that exists watch this component as well.",
            )
        return None, (self._shortfalls["no", measure],)

    @cached_property
    def _by_name(self) -> dict[tuple[str, Measure], Monitor]:
        """Monitors by the words of their names, for those that are about something else than they are named after."""
        found: dict[tuple[str, Measure], Monitor] = {}
        for one in self._every:
            if not one.watches.unreadable:
                for measure in _measures(one):
                    for word in _WORD.findall(one.name.casefold()):
                        found.setdefault((word, measure), one)
        return found

    def _elsewhere(self, one: Monitor) -> Shortfall:
        return Shortfall(
            question=Question.THRESHOLD,
            why=Why.ELSEWHERE,
            says=f"“{one.name}” in {one.provider} is named after it, and watches {_told_watches(one.watches)}.",
            mend="Correct the monitor's filter or dimensions.",
        )

    def _unread(self, one: Monitor) -> Shortfall:
        if ("unread", one.provider, one.id) not in self._shortfalls:
            self._shortfalls["unread", one.provider, one.id] = Shortfall(
                question=Question.THRESHOLD,
                why=Why.UNREADABLE,
                says=f"Whether “{one.name}” in {one.provider} watches it cannot be read: {one.watches.unreadable}",
                mend="Write the monitor's filter with plain tags, or watch this component with another one.",
            )
        return self._shortfalls["unread", one.provider, one.id]


_WORD = re.compile(r"[^\s,;|()\[\]{}<>\"'“”]+")


def _measures(one: Monitor) -> tuple[Measure, ...]:
    """A monitor of lost signals tells about uptime, whatever signal it is."""
    if one.comparator is Comparator.ABSENT and one.measure is not Measure.UPTIME:
        return (Measure.UPTIME,)
    return (one.measure,) if one.measure is not None else ()


def _is_watched(one: Monitor, item: InScope, seers: tuple[str, ...]) -> bool:
    """Tags are of the tool that gave them: a tool that does not see the component cannot find it by them."""
    watches, component = one.watches, item.component
    if watches.identities:
        if watches.identities.isdisjoint(component.identities):
            return False
    elif one.provider not in seers and one.provider not in component.sources:
        return False
    tags = component.tags
    for name, value in watches.tags.items():
        if not shares(tags.get(name), value):
            return False
    # Loops, since a generator a cell takes longer than the comparison.
    for name, value in watches.without.items():  # noqa: SIM110
        if shares(tags.get(name), value):
            return False
    return True


def _unless_muted(judged: _Judged, item: InScope) -> _Judged:
    """A monitor may be silent for a part of what it watches, and serve the rest."""
    one = judged.monitor
    why = next((mute.why for mute in one.mutes if mute.watches.sees(item.component)), None)
    if why is None:
        return judged
    shortfall = Shortfall(
        question=Question.THRESHOLD,
        why=Why.SILENCED,
        says=f"“{one.name}” in {one.provider} sends nothing for it ({why.rstrip('.')}).",
        mend="Lift the silence.",
    )
    return _Judged(judged.rank + 2 * _FAR[Why.SILENCED], one, (shortfall, *judged.shortfalls))


def _each(values: str) -> list[str]:
    """The values of a tag, which may have several."""
    folded = values.casefold()
    return [value.strip() for value in folded.split(",")] if "," in folded else [folded]


def _told_watches(watches: Watches) -> str:
    parts = [
        *map(str, sorted(watches.identities)[:3]),
        *(f"{name}:{value}" for name, value in sorted(watches.tags.items())[:3]),
        *(f"not {name}:{value}" for name, value in sorted(watches.without.items())[:3]),
    ]
    return ", ".join(parts) or "everything that reports the metric to that tool"


# How far each shortcoming is from serving; a monitor has as many as it has.
_FAR = {
    Why.TOO_MILD: 1,
    Why.SILENCED: 2,
    Why.DISABLED: 4,
    Why.NO_DATA_IGNORED: 8,
    Why.TOO_SLOW: 16,
    Why.TOO_WEAK: 32,
    Why.NO_THRESHOLD: 64,
    Why.OTHER_WAY: 64,
}


def _shortcoming(
    one: Monitor, measure: Measure, rule: Rule, least: str | None
) -> tuple[int, Shortfall | None]:
    """(how far it is from this rule, all that is wrong with it as one shortfall)."""
    wrong = list(_wrong(one, measure, rule, least))
    if not wrong:
        return 0, None
    farthest = max(wrong, key=lambda each: _FAR[each[0]])
    shortfall = Shortfall(
        question=Question.THRESHOLD,
        why=farthest[0],
        says=f"“{one.name}” in {one.provider} {', and '.join(says for _, says, _ in wrong)}.",
        mend=" ".join(dict.fromkeys(mend for _, _, mend in wrong)),
    )
    return sum({_FAR[why] for why, _, _ in wrong}), shortfall


def _wrong(one: Monitor, measure: Measure, rule: Rule, least: str | None) -> Iterator[tuple[Why, str, str]]:
    """Each thing that keeps the monitor from being as strict as the rule: its kind, a part of a sentence, the mend."""
    yield from _wrong_threshold(one, measure, rule)
    if one.window > rule.window:
        yield (
            Why.TOO_SLOW,
            f"fires after {_minutes(one.window)} min, later than {_minutes(rule.window)} min",
            f"Shorten its window to {_minutes(rule.window)} min.",
        )
    if rule.no_data and not one.alerts_on_no_data and one.comparator is not Comparator.ABSENT:
        yield Why.NO_DATA_IGNORED, "stays quiet when no data arrives", "Let it alert on missing data."
    if not one.enabled:
        yield Why.DISABLED, "is disabled", "Enable it."
    if one.silenced:
        yield Why.SILENCED, f"sends nothing ({one.silenced.rstrip('.')})", "Lift the silence."
    if least and one.severity and one.severity > least:
        yield (
            Why.TOO_MILD,
            f"has severity {one.severity}, below the standard's {least}",
            f"Raise its severity to {least}.",
        )


def _wrong_threshold(one: Monitor, measure: Measure, rule: Rule) -> Iterator[tuple[Why, str, str]]:
    if rule.comparator is Comparator.ABSENT:
        if one.comparator is not Comparator.ABSENT and not one.alerts_on_no_data:
            yield Why.NO_DATA_IGNORED, "stays quiet when no data arrives", "Let it alert on missing data."
        return
    if one.comparator not in UPPER | LOWER or one.threshold is None:
        yield (
            Why.NO_THRESHOLD,
            "has no threshold that the standard could be compared with",
            f"Add one that fires {rule}.",
        )
    elif (one.comparator in UPPER) != (rule.comparator in UPPER):
        yield (
            Why.OTHER_WAY,
            f"fires {one.comparator} {one.threshold}, where the standard says {rule.comparator} {rule.threshold}",
            f"Add one that fires {rule}.",
        )
    elif not at_least_as_strict(measure, rule, one.comparator, one.threshold):
        sign = ">" if rule.comparator in UPPER else "<"
        yield (
            Why.TOO_WEAK,
            f"has a threshold that is too weak ({one.comparator} {one.threshold}; the standard says"
            f" {rule.comparator} {rule.threshold}, and {one.threshold} {sign} {rule.threshold})"
            if one.threshold != rule.threshold
            else f"fires {one.comparator} {one.threshold} only; the standard says {rule.comparator} {rule.threshold}",
            f"Set its threshold to {rule.comparator} {rule.threshold}.",
        )


def _minutes(window: timedelta) -> str:
    return f"{window / timedelta(minutes=1):g}"


# Where notifications end


def reaches_nobody(targets: tuple[Target, ...], routes: Routes, now: datetime) -> Shortfall | None:
    """None when one of the targets is alive, approved and reaches somebody on call; else why none does."""
    if not targets:
        return Shortfall(
            question=Question.ROUTED,
            why=Why.NO_TARGET,
            says="It notifies nobody: it has no target.",
            mend="Give it a target that calls the team on duty.",
        )
    wrong: list[Shortfall] = []
    for target in targets:
        found = _end(target, routes, now)
        if found is None:
            return None
        wrong.append(found)
    # What nobody can tell comes first: that one may reach somebody.
    first = next((each for each in wrong if each.why in UNKNOWN_WHYS), wrong[0])
    says = " ".join(dict.fromkeys(each.says for each in wrong[:_MOST_TARGETS]))
    return replace(first, says=says)


_MOST_TARGETS = 5


def _end(target: Target, routes: Routes, now: datetime) -> Shortfall | None:
    def shortfall(why: Why, says: str, mend: str) -> Shortfall:
        return Shortfall(question=Question.ROUTED, why=why, says=says, mend=mend)

    if target.dead:
        mend = "Mend the target, or send it elsewhere."
        return shortfall(
            Why.DEAD_TARGET, f"{target.kind} {target.name} reaches nobody: {_sentence(target.dead)}", mend
        )
    ends = (target.name, *target.reaches)
    folded = {folded_end(end) for end in ends}
    teams = _teams_of(folded, routes)
    if any(_is_own(end, routes.own) for end in ends):
        return _team_called(routes.team, f"{target.kind} {target.name}", routes, now, shortfall)
    if teams:
        return _team_called(teams[0], f"{target.kind} {target.name}", routes, now, shortfall)
    if folded & routes.approved and target.kind is not TargetKind.PAGERDUTY:
        return _anybody_called(target, routes, now, shortfall)
    if routes.roster and _on_call_by_mail(folded, routes.roster, now):
        return None
    return _leads_nowhere(target, shortfall)


def _leads_nowhere(target: Target, shortfall: "Make") -> Shortfall:
    if target.kind is TargetKind.PAGERDUTY:
        return shortfall(
            Why.NO_TEAM,
            f"PagerDuty {target.name} belongs to no team that socmon knows, so nobody can say whom it calls.",
            "Name its service or integration key with its team under [notifications.services].",
        )
    return shortfall(
        Why.NOT_APPROVED,
        f"{target.kind} {target.name} is not an approved channel.",
        "Send it to an approved one, or add this one to approved_channels under [notifications].",
    )


Make = Callable[[Why, str, str], Shortfall]


def _teams_of(folded: set[str], routes: Routes) -> list[str]:
    found = [routes.services[end] for end in sorted(folded) if end in routes.services]
    named = routes.roster.teams if routes.roster else ()
    return found + [team.name for team in named if team.policy and team.policy.casefold() in folded]


def _team_called(name: str, what: str, routes: Routes, now: datetime, shortfall: Make) -> Shortfall | None:
    if routes.roster is None:
        return shortfall(Why.NO_ROSTER, routes.unsure, "`/socmon oncall` shows what is known.")
    if not any(team.name == name for team in routes.roster.teams):
        says = f"{what} calls the team {name or '(none is set)'}, and nobody knows who is on call for it."
        return shortfall(Why.NO_ROSTER, says, "Add the team under [on_call], or name another one for it.")
    people = routes.roster.on_call(name, now)
    if not people:
        says = f"{what} calls {name}, where nobody is on call now."
        return shortfall(Why.NOBODY, says, "Fill the shift.")
    if not any(_is_reachable(each) for each in people):
        who = ", ".join(each.name for each in people)
        says = f"{what} calls {who} of {name}, who cannot be reached now."
        return shortfall(
            Why.UNREACHABLE, says, "`/socmon oncall` says what is wrong; mend it, or change the shift."
        )
    return None


def _anybody_called(target: Target, routes: Routes, now: datetime, shortfall: Make) -> Shortfall | None:
    """An approved channel is read by whoever is on call; when nobody is, by nobody."""
    if routes.roster is None:
        return shortfall(Why.NO_ROSTER, routes.unsure, "`/socmon oncall` shows what is known.")
    people = [each for team in routes.roster.teams for each in routes.roster.on_call(team.name, now)]
    if not people:
        says = f"Nobody is on call now who would see {target.kind} {target.name}."
        return shortfall(Why.NOBODY, says, "Fill the shift.")
    if target.kind is TargetKind.SLACK and not any(each.in_slack is InSlack.ACTIVE for each in people):
        says = f"Nobody who is on call now has an active Slack account to read {target.name} with."
        return shortfall(
            Why.UNREACHABLE, says, "`/socmon oncall` says what is wrong; mend it, or change the shift."
        )
    return None


def _is_reachable(person: Responder) -> bool:
    return person.reachable and person.in_slack is not InSlack.DEACTIVATED


def _on_call_by_mail(folded: set[str], roster: Roster, now: datetime) -> bool:
    return any(
        person.email and person.email.casefold() in folded and _is_reachable(person)
        for team in roster.teams
        for person in roster.on_call(team.name, now)
    )


def folded_end(end: str) -> str:
    """An end of a route as it is compared: “@slack-Ops”, “#ops” and “ops” are the same channel."""
    folded = end.strip().casefold().removeprefix("@")
    for prefix in ("slack-", "pagerduty-"):
        folded = folded.removeprefix(prefix)
    return folded.removeprefix("#")


def _is_own(end: str, own: frozenset[str]) -> bool:
    return any(end == one or end.startswith(f"{one.rstrip('/')}/") for one in own)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _name_of(item: Any) -> Hashable:
    """What makes a later word about the same thing."""
    if isinstance(item, Monitor):
        return item.id
    return item.identity, item.measure, item.metric


# What is kept over time


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Time for which a cell was out of coverage; `until` is None while it is. `measure` None is the whole component.

    `shortfalls` are as they stood when it began: another kind of shortfall begins another interval.
    """

    key: str
    measure: Measure | None
    state: State
    since: datetime
    until: datetime | None = None
    shortfalls: tuple[Shortfall, ...] = ()
    monitor: str = ""

    @property
    def sort(self) -> tuple[str, ...]:
        """What it is an interval of; what ends it when it changes."""
        return (self.state, *sorted({f"{each.question}:{each.why}" for each in self.shortfalls}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One assessment on record, of a revision of the scope. `tally` counts cells; `digest` is of all of them."""

    at: datetime
    scope: int
    standard: str
    components: int
    excluded: int
    tally: Mapping[tuple[Kind, Measure], Mapping[State, int]]
    digest: str

    def total(self, state: State) -> int:
        return sum(each.get(state, 0) for each in self.tally.values())


def intervals(found: Assessment) -> dict[tuple[str, Measure | None], Interval]:
    """What is out of coverage as of this assessment: each cell, and each component that has one."""
    out: dict[tuple[str, Measure | None], Interval] = {}
    for cell in found.gaps:
        monitor = f"{cell.monitor.provider}:{cell.monitor.id}" if cell.monitor else ""
        out[cell.key, cell.measure] = Interval(
            key=cell.key,
            measure=cell.measure,
            state=cell.state,
            since=found.at,
            shortfalls=cell.shortfalls,
            monitor=monitor,
        )
        whole = out.get((cell.key, None))
        if whole is None or (whole.state is State.UNKNOWN and cell.state is State.GAP):
            out[cell.key, None] = Interval(key=cell.key, measure=None, state=cell.state, since=found.at)
    return out


def run_of(found: Assessment, standard: Standard, scope: int) -> Run:
    tally: dict[tuple[Kind, Measure], dict[State, int]] = {}
    keys: set[str] = set()
    digest = sha256()
    for cell in found.cells:
        counts = tally.setdefault((cell.item.component.kind, cell.measure), {})
        counts[cell.state] = counts.get(cell.state, 0) + 1
        keys.add(cell.key)
        digest.update(f"{cell.key}\0{cell.measure}\0{cell.state}\n".encode())
    return Run(
        at=found.at,
        scope=scope,
        standard=standard.digest,
        components=len(keys),
        excluded=len(found.excluded),
        tally=tally,
        digest=f"sha256:{digest.hexdigest()}",
    )


class Subject(StrEnum):
    """What a tool is asked for."""

    METRICS = "metrics"
    MONITORS = "monitors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """How old a tool's answer is: when it was last asked, when it last told everything, and why not since."""

    provider: str
    subject: Subject
    asked_at: datetime
    whole_at: datetime | None
    reason: str = ""
    calls: int = 0

    def stands(self, now: datetime, time_to_live: timedelta) -> bool:
        return self.whole_at is not None and now - self.whole_at <= time_to_live


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
