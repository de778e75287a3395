"""What the tools say is held against scope, standard and on-call people; what is out of coverage is kept, and why.

A tool's answer is kept with its age. One that is not whole adds, and removes nothing.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, TypeVar

from bot.domain.answers import Age, Known, Subject, spent_by_tool
from bot.domain.component import MEASURES, Component, Measure, unite
from bot.domain.coverage import Assessment, Interval, Run, State, assess, not_assessed, sum_up
from bot.domain.errors import SocmonError
from bot.domain.evidence import Actor, Entry, Fact, timestamp
from bot.domain.follow_up import FollowUp, Outcome, gap_of, gap_subject
from bot.domain.monitor import MetricReading, Monitor
from bot.domain.monitor_change import MonitorChange, changes
from bot.domain.oncall import StoredRoster
from bot.domain.packed_answers import (
    monitor_row,
    pack_monitors,
    pack_readings,
    pack_services,
    unpack_monitors,
    unpack_readings,
    unpack_services,
)
from bot.domain.paging import Service, Services
from bot.domain.person import READERS, RESPONDERS, Person, Role
from bot.domain.route import Routes, folded_end
from bot.domain.scope import InScope, Scope, lines
from bot.domain.spending import Billed, Spent
from bot.domain.standard import Standard
from bot.ports import Records
from bot.procedures import follow_up
from bot.procedures.review_standard import standard_due

Item = TypeVar("Item")

MOST_ENTRIES = 500
"""Gaps of one run that have an entry each; of more (a tool has failed) so many share one, with their digest."""
PAGE = 2000  # rows that are read at once: some 20 ms
MOST_CALLED = 5000
MOST_DRAWN = 500
"""Components that a picture for Slack draws one by one; of more it draws figures, without reading them all."""
SHARERS = RESPONDERS | {Role.ADMIN}
SPACES = ("host", "instance", "name", "guid", "arn")
_SYSTEM = Actor(kind="system")


class NoCoverage(SocmonError):
    """Coverage has never been assessed."""

    def __init__(self) -> None:
        super().__init__(
            "Coverage has not been assessed yet: it takes a scope (`socmon scope`), and a tool that is connected with"
            " rights to read its metrics and monitors. It is assessed every 15 minutes; `socmon doctor` tests the"
            " rights."
        )


class NotInScope(SocmonError):
    """Nothing in scope has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Nothing in scope is called “{name}”. `socmon scope` lists what is; a name or an identity like"
            " host:web-1 will do."
        )


class Outrun(SocmonError):
    """Another assessment was kept between the look at the records and this one's end; this one was dropped."""

    def __init__(self) -> None:
        super().__init__(
            "Another assessment was kept at the same moment, so this one was dropped: it would have told the same gaps"
            " twice. `/socmon coverage` shows the other one."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What an assessment goes on from: the revision of the scope, 0 for none, and what each tool has said, packed.

    `newest` is when the newest assessment was made.
    """

    newest: datetime | None
    scope: int
    metrics: Mapping[str, bytes]
    monitors: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnRecord(Before):
    """All that an assessment is made of, for one that asks no tool: what is in scope by key, as the tools know it."""

    entries: Mapping[str, InScope]
    services: Mapping[str, bytes]
    roster: StoredRoster | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A tool's answers, merged with what it said before and packed; and what has changed of its monitors.

    They stay packed until they are looked at, one tool after the other: unpacked they take a hundred times the memory.
    """

    provider: str
    metrics: Age
    monitors: Age
    packed_metrics: bytes
    packed_monitors: bytes
    changes: tuple[MonitorChange, ...]

    @property
    def ages(self) -> tuple[tuple[Age, bytes], ...]:
        return (self.metrics, self.packed_metrics), (self.monitors, self.packed_monitors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paged:
    """What a paging tool said of its services, merged with what it said before."""

    provider: str
    services: Known[Service]
    asked_at: datetime

    @property
    def ages(self) -> tuple[tuple[Age, bytes], ...]:
        known = self.services
        age = Age(
            provider=self.provider,
            subject=Subject.SERVICES,
            asked_at=self.asked_at,
            whole_at=known.whole_at,
            reason=known.reason,
            calls=known.calls,
        )
        return ((age, pack_services(known)),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What an assessment has changed. `lost` are the monitors that watch less than before, `settled` the follow-ups."""

    run: Run
    opened: int
    closed: int
    lost: tuple[MonitorChange, ...]
    settled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageAnswer:
    """The answer to `/socmon coverage`. `gaps` are those from `start` on; `component` is set when one was asked for.

    `entries` are the components of the gaps by key, `tasks` the follow-ups that are open about them.
    """

    run: Run
    ages: tuple[Age, ...]
    gaps: tuple[Interval, ...]
    now: datetime
    time_to_live: timedelta
    entries: Mapping[str, InScope]
    tasks: Mapping[tuple[str, Measure], FollowUp]
    overdue: int
    start: int = 0
    component: InScope | None = None
    standard_due: tuple[str, ...] = ()
    """What is to be mended about the written standard."""
    spent: tuple[tuple[str, Spent, int], ...] = ()
    """As of `_spent`."""

    @property
    def counts(self) -> Mapping[State, int]:
        """How many cells are out of coverage, by state."""
        totals = {state: self.run.total(state) for state in (State.GAP, State.UNKNOWN)}
        return {state: number for state, number in totals.items() if number}


@dataclass(frozen=True, slots=True, kw_only=True)
class CellAnswer:
    """How one cell stands: out of coverage with its gap, or covered; `task` is the newest follow-up about it."""

    entry: InScope
    measure: Measure
    gap: Interval | None
    task: FollowUp | None
    run: Run
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything in scope, and each cell of it that is out of coverage; without `entries` there are figures only."""

    run: Run
    entries: tuple[InScope, ...]
    out: Mapping[tuple[str, Measure], Interval]
    ages: tuple[Age, ...]
    now: datetime
    spent: tuple[tuple[str, Spent, int], ...] = ()
    """As of `_spent`."""


def before(records: Records) -> Before:
    revisions, newest = records.scope_revisions(most=1), records.latest_run()
    return Before(
        newest=newest.at if newest else None,
        scope=revisions[0].id if revisions else 0,
        metrics=records.answers(Subject.METRICS),
        monitors=records.answers(Subject.MONITORS),
    )


def on_record(records: Records) -> OnRecord:
    known, scope = before(records), records.scope()
    seen = pages(lambda after: records.in_sight(after=after, most=PAGE))
    return OnRecord(
        newest=known.newest,
        scope=known.scope,
        metrics=known.metrics,
        monitors=known.monitors,
        entries=as_known(scope.entries, seen) if scope else {},
        services=records.answers(Subject.SERVICES),
        roster=records.latest_roster(),
    )


def pages(page: Callable[[int], Mapping[int, Item]]) -> Iterator[Item]:
    """All of what comes in pages, each beginning after a number."""
    after = 0
    while some := page(after):
        yield from some.values()
        after = max(some)


def ages(records: Records) -> list[Age]:
    return list(records.ages())


def has_scope(records: Records) -> bool:
    """Whether there is a revision of it, if only an empty one."""
    return bool(records.scope_revisions(most=1))


def scope_page(records: Records, revision: int, after: int) -> Mapping[int, InScope]:
    """Number → what is in scope; the next ones. In pages: no read takes long."""
    return records.scope_entries(revision, after=after, most=PAGE)


def sight_page(records: Records, after: int) -> Mapping[int, Component]:
    """Number → what a tool sees; the next ones."""
    return records.in_sight(after=after, most=PAGE)


def as_known(scope: Iterable[InScope], seen: Iterable[Component]) -> dict[str, InScope]:
    """What is in scope by its key there, in their order, each with every identity and tag that the tools know."""
    return {
        line.entry.component.key: InScope(
            component=line.component,
            owner=line.entry.owner,
            criticality=line.entry.criticality,
            exclusion=line.entry.exclusion,
        )
        for line in lines(list(scope), unite(seen))
        if line.entry
    }


def seen_by(
    entries: Mapping[str, InScope], provider: str, tools: Collection[str], now: datetime
) -> list[Component]:
    """What the tool is asked about: what it has seen, and what no tool has."""
    return [
        one.component
        for one in entries.values()
        if one.counts(now) and (provider in one.component.sources or one.component.sources.isdisjoint(tools))
    ]


def on_call(records: Records) -> tuple[StoredRoster | None, Mapping[str, bytes]]:
    """Who is on call, and what the paging tools have said of their services, packed."""
    return records.latest_roster(), records.answers(Subject.SERVICES)


def routes(
    stored: StoredRoster | None,
    now: datetime,
    *,
    approved: Collection[str],
    services: Mapping[str, str],
    own: Collection[str],
    team: str,
) -> Routes:
    """A roster that is out of date says nothing about who is on call now."""
    known = Routes(
        approved=frozenset(map(folded_end, approved)),
        services={folded_end(service): called for service, called in services.items()},
        own=frozenset(own),
        team=team,
    )
    if stored is None:
        return known
    if stored.is_stale(now):
        return replace(
            known, unsure=f"Who is on call was last known at {stored.checked_at:%Y-%m-%d %H:%M} UTC."
        )
    return replace(known, roster=stored.roster)


def with_services(
    routes: Routes, told: Sequence[Known[Service]], now: datetime, time_to_live: timedelta
) -> Routes:
    """The routes, with what the paging tools say of their services; one that is too old says nothing."""
    if not told:
        return routes
    unsure = " ".join(
        one.reason or "What it said of its services is too old."
        for one in told
        if not one.is_whole(now, time_to_live)
    )
    every = tuple(service for one in told for _, service in one.items(now, time_to_live))
    return replace(routes, paging=Services(every=every, unsure=unsure))


def services_before(packed: bytes | None) -> Known[Service]:
    return unpack_services(packed) if packed else Known()


def known_before(
    packed: bytes | None, packed_monitors: bytes | None
) -> tuple[Known[MetricReading], Known[Monitor]]:
    return (
        unpack_readings(packed) if packed else Known(),
        unpack_monitors(packed_monitors) if packed_monitors else Known(),
    )


def tell(
    provider: str,
    before: tuple[Known[MetricReading], Known[Monitor]],
    metrics: Known[MetricReading],
    monitors: Known[Monitor],
    *,
    asked_at: datetime,
    components: int = 0,
    billed: Mapping[Subject, tuple[Billed, ...]] | None = None,
) -> Told:
    """Pack what a tool said, and find what changed of its monitors; at the first answer everything merely begins.

    `components` is about how many it was asked.
    """
    _, old = before
    found = changes(_all(old), _all(monitors), complete=not monitors.reason) if old.whole_at else []

    def age(subject: Subject, known: Known[Any]) -> Age:
        return Age(
            provider=provider,
            subject=subject,
            asked_at=asked_at,
            whole_at=known.whole_at,
            reason=known.reason,
            calls=known.calls,
            components=components,
            billed=(billed or {}).get(subject, ()),
        )

    return Told(
        provider=provider,
        metrics=age(Subject.METRICS, metrics),
        monitors=age(Subject.MONITORS, monitors),
        packed_metrics=pack_readings(metrics),
        packed_monitors=pack_monitors(monitors),
        changes=tuple(found),
    )


def look(
    entries: Mapping[str, InScope],
    told: Sequence[Told],
    *,
    standard: Standard,
    routes: Routes,
    now: datetime,
    time_to_live: timedelta,
) -> Assessment:
    """Every cell, by what was told."""
    return assess(
        entries,
        readings={one.provider: unpack_readings(one.packed_metrics) for one in told},
        monitors={one.provider: unpack_monitors(one.packed_monitors) for one in told},
        standard=standard,
        routes=routes,
        now=now,
        time_to_live=time_to_live,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Of what an assessment changes as much as one transaction takes. `many`: it is one of several.

    `after` is when the newest assessment was made when this one, `run`, began.
    """

    begun: tuple[Interval, ...]
    ended: tuple[Interval, ...]
    ranked: tuple[Interval, ...]
    many: bool
    run: Run
    after: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an assessment changes: its figures, and what began or ended to be out of coverage.

    `ranked` goes on as it was, and its component has another criticality. `after` is when the newest assessment was
    made when this one began.
    """

    run: Run
    begun: tuple[Interval, ...]
    ended: tuple[Interval, ...]
    ranked: tuple[Interval, ...]
    after: datetime | None

    def parts(self) -> Iterator[Part]:
        """Small ones: when a tool falls silent, all of its cells change, and alerts do not wait for them.

        What ends and what begins of the same cell is in the same one, so that it never looks covered in between.
        """
        left = {(one.key, one.measure): one for one in self.ended}
        for begun in _pieces(self.begun):
            before = (left.pop((one.key, one.measure), None) for one in begun)
            yield self._part(begun=begun, ended=tuple(one for one in before if one))
        for ended in _pieces(tuple(left.values())):
            yield self._part(ended=ended)
        for ranked in _pieces(self.ranked):
            yield self._part(ranked=ranked)

    def _part(
        self,
        *,
        begun: tuple[Interval, ...] = (),
        ended: tuple[Interval, ...] = (),
        ranked: tuple[Interval, ...] = (),
    ) -> Part:
        many = max(len(self.begun), len(self.ended)) > MOST_ENTRIES
        return Part(begun=begun, ended=ended, ranked=ranked, many=many, run=self.run, after=self.after)

    @property
    def summary(self) -> "Summary":
        opened, closed = (
            sum(each.measure is not None for each in every) for every in (self.begun, self.ended)
        )
        return Summary(run=self.run, opened=opened, closed=closed, after=self.after)


def _pieces(every: tuple[Interval, ...]) -> Iterator[tuple[Interval, ...]]:
    return (every[start : start + MOST_ENTRIES] for start in range(0, len(every), MOST_ENTRIES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The figures of an assessment, and how many cells it opened and closed."""

    run: Run
    opened: int
    closed: int
    after: datetime | None


def open_page(records: Records, last: Interval | None = None) -> list[Interval]:
    """The next ones that are out of coverage. In pages: no read takes long."""
    after = (last.key, last.measure or "") if last else ("", "")
    return records.open_intervals(after=after, most=PAGE)


def compare(
    found: Assessment,
    before: Iterable[Interval],
    *,
    standard: Standard,
    scope: int,
    after: datetime | None,
) -> Change:
    """Pure: it takes seconds, in which the writer has alerts to take.

    `after` is when the newest assessment was made when this one began.
    """
    run, out = sum_up(found, standard, scope)
    ended, ranked = [], []
    same = set()
    for one in before:
        now = out.get((one.key, one.measure))
        if now is not None and now.sort == one.sort:
            same.add((one.key, one.measure))
            if now.criticality is not one.criticality:
                ranked.append(now)
        else:
            ended.append(one)
    return Change(
        run=run,
        begun=tuple(one for at, one in out.items() if at not in same),
        ended=tuple(ended),
        ranked=tuple(ranked),
        after=after,
    )


def keep_part(records: Records, part: Part) -> int:
    """What began or ended to be out of coverage, and in the log that it did. Returns how many follow-ups that settled.

    Raises Outrun.
    """
    _be_the_only_one(records, part.after)
    records.rank_intervals(part.ranked)
    records.save_intervals(part.ended, part.begun)
    for what, every in (("opened", part.begun), ("closed", part.ended)):
        _log_each(records, what, [each for each in every if each.measure], many=part.many)
    return _settle(records, part)


def keep(
    records: Records,
    summary: Summary,
    told: Sequence[Told],
    paged: Sequence[Paged] = (),
    *,
    settled: int = 0,
) -> Kept:
    """Store the answers and the run, when all parts are kept; what has changed of monitors, too. It is in the log.

    `settled` is how many follow-ups the parts have settled. Raises Outrun.
    """
    _be_the_only_one(records, summary.after)
    ages = [each for one in told for each in one.ages] + [each for one in paged for each in one.ages]
    for age, body in ages:
        records.save_answer(age, body)
    if gone := {age.provider for age in records.ages()} - {age.provider for age, _ in ages}:
        records.forget_answers(gone)
    every = [each for one in told for each in one.changes]
    records.add_monitor_changes(every)
    run = replace(summary.run, spent=spent_by_tool(age for age, _ in ages))
    records.add_run(run)
    _log(records, run, summary, [age for age, _ in ages])
    for each in every:
        records.log(_change_entry(each))
    lost = tuple(each for each in every if each.losses)
    return Kept(run=run, opened=summary.opened, closed=summary.closed, lost=lost, settled=settled)


def _be_the_only_one(records: Records, after: datetime | None) -> None:
    newest = records.latest_run()
    if (newest.at if newest else None) != after:
        raise Outrun


def untold_losses(records: Records, *, most: int) -> list[tuple[int, MonitorChange]]:
    """By number, the oldest changes of monitors that watch less since, of which nobody has been told."""
    return records.untold_losses(most=most)


def losses_told(records: Records, ids: Collection[int]) -> None:
    """A message with these stands in Slack, or may."""
    records.losses_told(ids)


def coverage(
    records: Records,
    name: str = "",
    *,
    time_to_live: timedelta,
    by: Person | None = None,
    start: int = 0,
    most: int,
) -> CoverageAnswer:
    """How it stands, at once from the records: `most` gaps from a place on, the most critical first.

    With the `name` of a component, all of its cells. Raises NotPermitted, NoCoverage and NotInScope.
    """
    run = _latest(records, by)
    component = _named(records, name) if name else None
    gaps = _gaps_of(records, component, run) if component else records.urgent_gaps(start=start, most=most)
    keys = {each.key for each in gaps}
    found = {key: records.scope_entry(key) for key in sorted(keys)}
    tasks = {place: one for one in records.open_follow_ups() if (place := gap_of(one.subject))}
    return CoverageAnswer(
        run=run,
        ages=tuple(records.ages()),
        gaps=tuple(gaps),
        now=records.now,
        time_to_live=time_to_live,
        entries={key: entry for key, entry in found.items() if entry},
        tasks={place: one for place, one in tasks.items() if place[0] in keys},
        overdue=sum(one.is_overdue(records.now) for one in tasks.values()),
        start=start,
        component=component,
        standard_due=standard_due(records),
        spent=_spent(records),
    )


def cell(records: Records, key: str, measure: Measure, *, by: Person) -> CellAnswer:
    """How one cell stands, for whoever has it rechecked. Raises NotPermitted, NoCoverage and NotInScope."""
    run = _latest(records, by)
    entry = records.scope_entry(key)
    if entry is None:
        raise NotInScope(key)
    gaps = {each.measure: each for each in _gaps_of(records, entry, run)}
    return CellAnswer(
        entry=entry,
        measure=measure,
        gap=gaps.get(measure),
        task=records.latest_follow_up(gap_subject(key, measure)),
        run=run,
        now=records.now,
    )


def shared(records: Records, run: Run, *, channel: str, picture: str, by: Person) -> None:
    """Somebody has shown the picture with this digest to a channel. Raises NotPermitted."""
    by.require(SHARERS, "share the coverage")
    records.log(
        Entry(
            type="coverage.shared",
            actor=Actor(kind="slack", team=by.team, user=by.user, role=by.role),
            subject={"coverage": "all", "channel": channel},
            facts={"picture": picture, "assessed_at": timestamp(run.at), "digest": run.digest},
        )
    )


def _latest(records: Records, by: Person | None) -> Run:
    if by:
        by.require(READERS, "see the coverage")
    run = records.latest_run()
    if run is None:
        raise NoCoverage
    return run


def _gaps_of(records: Records, one: InScope, run: Run) -> list[Interval]:
    key = one.component.key
    if one.counts(records.now) and not _was_assessed(records, run, key):
        return [not_assessed(key, measure, records.now) for measure in MEASURES[one.component.kind]]
    return [each for each in records.open_intervals(key=key) if each.measure]


def _settle(records: Records, part: Part) -> int:
    """What is covered now, or need not be any more, closes the follow-ups about it. Returns how many."""
    over = {(one.key, one.measure) for one in part.ended} - {(one.key, one.measure) for one in part.begun}
    run, settled = part.run, 0
    for one in records.open_follow_ups():
        place = gap_of(one.subject)
        if place is None or place not in over:
            continue
        outcome = Outcome.MENDED if _was_assessed(records, run, place[0]) else Outcome.OUT_OF_SCOPE
        facts: dict[str, Fact] = {"assessed_at": timestamp(run.at), "scope": run.scope}
        follow_up.close(records, one, outcome, proof=run.digest, facts=facts)
        settled += 1
    return settled


def picture_for(records: Records, by: Person) -> Picture:
    """As `picture`, for somebody in Slack; of very many components only the figures.

    Raises NotPermitted and NoCoverage.
    """
    run = _latest(records, by)
    if run.components > MOST_DRAWN:
        return Picture(run=run, entries=(), out={}, ages=tuple(records.ages()), now=records.now)
    return picture(records)


def picture(records: Records) -> Picture:
    """All that is in scope and what of it is out of coverage. Raises NoCoverage."""
    run, scope = _latest(records, None), _scope(records)
    out = {(each.key, each.measure): each for each in records.open_intervals() if each.measure is not None}
    if fresh := _fresh(records, run, scope):
        for one in scope.entries:
            if one.component.key in fresh:
                for measure in MEASURES[one.component.kind]:
                    out[one.component.key, measure] = not_assessed(one.component.key, measure, records.now)
    return Picture(
        run=run,
        entries=scope.entries,
        out=out,
        ages=tuple(records.ages()),
        now=records.now,
        spent=_spent(records),
    )


def _spent(records: Records) -> tuple[tuple[str, Spent, int], ...]:
    """(tool, what its newest answers took, how many requests its newest inventory took)."""
    inventory = {one.source: one.calls for one in records.heard()}
    by_tool = spent_by_tool(records.ages())
    return tuple((provider, one, inventory.get(provider, 0)) for provider, one in by_tool.items())


def _fresh(records: Records, run: Run, scope: Scope) -> set[str]:
    """What counts now and did not when coverage was last assessed: new in scope, or its exclusion is over."""
    then = scope if run.scope == scope.revision.id else records.scope(run.scope)
    assessed = {one.component.key for one in then.entries if one.counts(run.at)} if then else set()
    return {one.component.key for one in scope.entries if one.counts(records.now)} - assessed


def _scope(records: Records) -> Scope:
    scope = records.scope()
    if scope is None:
        raise NoCoverage
    return scope


def _was_assessed(records: Records, run: Run, key: str) -> bool:
    then = records.scope_entry(key, revision=run.scope)
    return then is not None and then.counts(run.at)


def _named(records: Records, name: str) -> InScope:
    """By its key at once; by another of its names, by what it is called."""
    wanted = name.casefold()
    for key in (name, wanted, *(f"{space}:{wanted}" for space in SPACES)):
        if (found := records.scope_entry(key)) is not None:
            return found
    # What JSON escapes is not found as text.
    plain = name.isascii() and not set(name) & {'"', "\\"}
    candidates = records.scope_entries_with(name, most=MOST_CALLED) if plain else _scope(records).entries
    for one in candidates:
        names = {str(each).casefold() for each in one.component.identities}
        values = {each.value.casefold() for each in one.component.identities}
        if wanted == one.component.name.casefold() or wanted in names or wanted in values:
            return one
    raise NotInScope(name)


def _all(known: Known[Monitor]) -> list[Monitor]:
    return [one for layer in known.layers for one in layer.items]


def _log(records: Records, run: Run, summary: Summary, ages: Sequence[Age]) -> None:
    facts: dict[str, Fact] = {
        "scope": run.scope,
        "standard": run.standard,
        "digest": run.digest,
        "components": run.components,
        "excluded": run.excluded,
        **{state.value: run.total(state) for state in State},
        "opened": summary.opened,
        "closed": summary.closed,
        "tools": [
            {
                "provider": age.provider,
                "subject": age.subject.value,
                "whole": not age.reason,
                "calls": age.calls,
                "components": age.components,
                "billed": [{"of": each.of, "units": each.units, "usd": str(each.usd)} for each in age.billed],
            }
            for age in ages
        ],
    }
    records.log(Entry(type="coverage.assessed", actor=_SYSTEM, subject={"coverage": "all"}, facts=facts))


def _log_each(records: Records, what: str, every: Sequence[Interval], *, many: bool) -> None:
    if many and every:
        lines = sorted(f"{one.key}\0{one.measure}\0{' '.join(one.sort)}" for one in every)
        facts: dict[str, Fact] = {
            "number": len(every),
            "digest": f"sha256:{sha256(chr(10).join(lines).encode()).hexdigest()}",
        }
        records.log(
            Entry(type=f"coverage.gaps_{what}", actor=_SYSTEM, subject={"coverage": "all"}, facts=facts)
        )
        return
    for one in every:
        records.log(
            Entry(
                type=f"coverage.gap_{what}",
                actor=_SYSTEM,
                subject={"component": one.key, "measure": str(one.measure)},
                facts={
                    "state": one.state.value,
                    "why": [f"{each.question}: {each.why}" for each in one.shortfalls],
                    "monitor": one.monitor,
                    "since": one.since.isoformat(timespec="seconds").replace("+00:00", "Z"),
                },
            )
        )


def _change_entry(change: MonitorChange) -> Entry:
    one = change.monitor
    return Entry(
        type="monitor.changed",
        actor=Actor(kind="provider", user=one.provider),
        subject={"provider": one.provider, "monitor": one.id},
        facts={
            "losses": [each.value for each in change.losses],
            "before": _digest(change.before),
            "after": _digest(change.after),
        },
    )


def _digest(one: Monitor | None) -> str:
    return f"sha256:{sha256(json.dumps(monitor_row(one)).encode()).hexdigest()}" if one else ""
