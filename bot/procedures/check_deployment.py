"""Before a deployment it is asked whether what it makes would be watched; afterwards it is on record, passed or not.

The tools' newest answers on record are held against what the plan makes and takes away of components and of monitors.
Nothing of a plan is kept but names, kinds and its digest: the rest may be secret.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from bot.domain.answers import Known, Layer
from bot.domain.component import Identity, Kind, Measure
from bot.domain.coverage import Cell, State, assess
from bot.domain.deployment import Circumstances, Deployment, Judged, Part, Phase, Proposed, Verdict
from bot.domain.evidence import Actor, Entry
from bot.domain.monitor import MetricReading, Monitor
from bot.domain.packed_answers import unpack_monitors, unpack_readings
from bot.domain.plan import Foreseen, Resource
from bot.domain.route import Routes
from bot.domain.scope import InScope
from bot.domain.shortfall import UNKNOWN_WHYS, Question
from bot.domain.standard import Standard
from bot.ports import Records
from bot.procedures.assess_coverage import OnRecord, services_before, with_services
from bot.procedures.take_inventory import ask_anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A connected tool, to the gate. `foresee` reads what a plan does to its monitors, of which some are on record.

    `collects` says whether it has a measure of such components from the start, without an agent or an add-on.
    """

    foresee: Callable[[Sequence[Resource], Mapping[str, Monitor], datetime], Foreseen]
    collects: Callable[[Kind, Measure], bool]


def judge(
    deployment: Deployment,
    before: OnRecord,
    tools: Mapping[str, Tool],
    *,
    standard: Standard,
    routes: Routes,
    now: datetime,
    time_to_live: timedelta,
) -> Verdict:
    """The gate's answer. Pure, for a thread of its own: with many components it takes seconds."""
    services = [services_before(packed) for packed in before.services.values()]
    called = with_services(routes, services, now, time_to_live)
    assessing = _Assessing(before, tools, standard, called, now, time_to_live)
    known: dict[str, Known[Monitor]] = {
        name: unpack_monitors(before.monitors[name]) if name in before.monitors else Known() for name in tools
    }
    foreseen = {
        name: tool.foresee(deployment.resources, _by_id(known[name]), now) for name, tool in tools.items()
    }
    after = {name: _as_planned(one, foreseen[name], now) for name, one in known.items()}
    names: dict[str, frozenset[Identity]] = {}
    for plan in foreseen.values():
        for address, identities in plan.names.items():
            names[address] = names.get(address, frozenset()) | identities
    return Verdict(
        deployment=deployment,
        at=now,
        scope=before.scope,
        standard=standard.digest,
        judged=tuple(assessing.judged(deployment, names, after)),
        losing=tuple(assessing.losing(deployment, known, after, foreseen)),
    )


def record(records: Records, verdict: Verdict, told: Circumstances) -> None:
    """Each question to the gate is an entry; so is each deployment, after which the tools are asked anew."""
    records.log(
        Entry(
            type="deployment.recorded" if told.phase is Phase.DEPLOYED else "deployment.checked",
            actor=Actor(kind="system"),
            subject={"deployment": verdict.deployment.digest},
            facts={
                "commit": told.commit,
                "environment": told.environment,
                "url": told.url,
                **verdict.facts(),
            },
        )
    )
    if told.phase is Phase.DEPLOYED:
        ask_anew(records)


class _Assessing:
    """One look at the records, for all components of a deployment."""

    def __init__(  # noqa: PLR0917 - as judge() has them
        self,
        before: OnRecord,
        tools: Mapping[str, Tool],
        standard: Standard,
        routes: Routes,
        now: datetime,
        time_to_live: timedelta,
    ) -> None:
        self._before, self._tools, self._now = before, tools, now
        self._rules: dict[str, Any] = {
            "standard": standard,
            "routes": routes,
            "now": now,
            "time_to_live": time_to_live,
        }
        self._known = {name: one for one in before.entries.values() for name in one.component.identities}
        self._seers: dict[Kind, frozenset[str]] = {}
        for one in before.entries.values():
            kind = one.component.kind
            self._seers[kind] = self._seers.get(kind, frozenset()) | one.component.sources & tools.keys()

    def judged(
        self,
        deployment: Deployment,
        names: Mapping[str, frozenset[Identity]],
        after: Mapping[str, Known[Monitor]],
    ) -> Iterable[Judged]:
        """What the deployment makes; a list may name what runs already, of which the tools tell everything."""
        judged = [one for one in deployment.proposed if one.part.is_judged]
        called = [names.get(one.address, frozenset()) | one.item.component.identities for one in judged]
        known = [self.in_scope(each) for each in called]
        running: dict[str, InScope] = {}
        coming: dict[str, InScope] = {}
        for at, (one, entry) in enumerate(zip(judged, known, strict=True)):
            if one.part is Part.LISTED and entry and entry.component.sources:
                running[str(at)] = _together(one.item, entry)
            else:
                coming[str(at)] = self._expected(_as_agreed(one.item, entry), called[at])
        cells: dict[str, list[Cell]] = {}
        for cell in (*self._cells(running, after, proven=True), *self._cells(coming, after, proven=False)):
            cells.setdefault(cell.key, []).append(cell)
        for at, (one, entry) in enumerate(zip(judged, known, strict=True)):
            own = tuple(cells.get(str(at), ()))
            yield Judged(
                proposed=one,
                cells=own,
                in_scope=entry is not None,
                excluded=not own,  # every kind has something to measure
                later=() if str(at) in running else tuple(self._later(own)),
            )

    def in_scope(self, called: Collection[Identity]) -> InScope | None:
        return next((self._known[name] for name in sorted(called) if name in self._known), None)

    def losing(
        self,
        deployment: Deployment,
        known: Mapping[str, Known[Monitor]],
        after: Mapping[str, Known[Monitor]],
        foreseen: Mapping[str, Foreseen],
    ) -> Iterable[Cell]:
        """What runs already and is watched now, and would not be: by lost monitors, or by tags of its own."""
        gone = {(name, each) for name, plan in foreseen.items() for each in plan.gone}
        now_so = {
            entry.component.key: (entry, one)
            for one in deployment.standing
            if (entry := self.in_scope(one.item.component.identities))
        }
        leaving = {key for key, (_, one) in now_so.items() if one.part is not Part.CHANGED}
        then_so = {one.address: one for one in deployment.proposed if one.part is Part.CHANGED}
        changed = {
            key: _retagged(entry, one, then_so[one.address])
            for key, (entry, one) in now_so.items()
            if one.address in then_so
        }
        if not gone and not changed:
            return
        lost = [
            one.watches
            for name, told in known.items()
            for one in _by_id(told).values()
            if (name, one.id) in gone and not one.watches.unreadable
        ]
        named = frozenset[Identity]().union(*(one.identities for one in lost))
        wide = any(not one.identities for one in lost)
        staying = {
            key: one
            for key, one in self._before.entries.items()
            if key not in leaving
            and (wide or key in changed or not named.isdisjoint(one.component.identities))
        }
        safe = {
            (cell.key, cell.measure): cell
            for cell in self._cells(staying, known, proven=True)
            if _is_watched(cell)
        }
        doubtful = {
            cell.key: staying[cell.key]
            for cell in safe.values()
            if cell.monitor and (cell.monitor.provider, cell.monitor.id) in gone
        } | changed
        for cell in self._cells(doubtful, after, proven=True):
            if (cell.key, cell.measure) in safe and not _is_watched(cell):
                yield _unproven(cell)

    def _cells(
        self, entries: Mapping[str, InScope], monitors: Mapping[str, Known[Monitor]], *, proven: bool
    ) -> tuple[Cell, ...]:
        """Each cell; unless it runs already, nothing is said of whether it reports."""
        if not entries:
            return ()
        readings: dict[str, Known[MetricReading]] = (
            self._readings if proven else {name: Known() for name in self._tools}
        )
        found = assess(entries, readings=readings, monitors=monitors, **self._rules).cells
        return tuple(found) if proven else tuple(map(_unproven, found))

    @cached_property
    def _readings(self) -> dict[str, Known[MetricReading]]:
        packed = self._before.metrics
        return {name: unpack_readings(packed[name]) if name in packed else Known() for name in self._tools}

    def _expected(self, item: InScope, called: frozenset[Identity]) -> InScope:
        """As the tools will know it: by those that see such components today, with its tags in their spelling."""
        own = item.component
        folded = {name.casefold(): value for name, value in own.tags.items()}
        return replace(
            item,
            component=replace(
                own,
                identities=called,
                sources=self._seers.get(own.kind, frozenset()),
                tags={**folded, **own.tags},
            ),
        )

    def _later(self, cells: Sequence[Cell]) -> Iterable[Measure]:
        for cell in cells:
            by = [cell.monitor.provider] if cell.monitor else list(self._tools)
            kind = cell.item.component.kind
            if not any(name in self._tools and self._tools[name].collects(kind, cell.measure) for name in by):
                yield cell.measure


def _by_id(known: Known[Monitor]) -> dict[str, Monitor]:
    return {one.id: one for layer in reversed(known.layers) for one in layer.items}


def _as_planned(known: Known[Monitor], plan: Foreseen, now: datetime) -> Known[Monitor]:
    """What the tool will say after the plan was applied; how much of it is known stays as it is."""
    gone = plan.gone | {one.id for one in plan.made}
    layers = [
        Layer(as_of=layer.as_of, items=tuple(one for one in layer.items if one.id not in gone))
        for layer in known.layers
    ]
    return replace(known, layers=(Layer(as_of=now, items=plan.made), *layers))


def _together(given: InScope, known: InScope) -> InScope:
    """What a list says of a component in scope, with what is known of it besides."""
    own, before = given.component, known.component
    return replace(
        known,
        component=replace(
            before,
            identities=before.identities | own.identities,
            tags={**before.tags, **own.tags},
        ),
    )


def _as_agreed(given: InScope, known: InScope | None) -> InScope:
    """What is in scope already under one of its names is as people agreed there."""
    if known is None:
        return given
    return replace(given, owner=known.owner, criticality=known.criticality, exclusion=known.exclusion)


def _retagged(entry: InScope, now: Proposed, then: Proposed) -> InScope:
    """With the tags that the plan gives it, and without those that it takes away; others are the tools' own."""
    old, new = now.item.component.tags, then.item.component.tags
    taken = {name.casefold() for name in old.keys() - new.keys()}
    kept = {name: value for name, value in entry.component.tags.items() if name.casefold() not in taken}
    folded = {name.casefold(): value for name, value in new.items()}
    return replace(entry, component=replace(entry.component, tags={**kept, **folded, **new}))


def _unproven(cell: Cell) -> Cell:
    """Without the question whether it reports."""
    short = tuple(one for one in cell.shortfalls if one.question is not Question.REPORTS)
    proven = any(one.why not in UNKNOWN_WHYS for one in short)
    return cell._replace(
        shortfalls=short, state=State.GAP if proven else State.UNKNOWN if short else State.COVERED
    )


def _is_watched(cell: Cell) -> bool:
    return cell.holds(Question.THRESHOLD) and cell.holds(Question.ROUTED)
