"""Whether a component would alert: which monitor serves it best, and what is wrong with that one."""

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from bot.domain.answers import Known
from bot.domain.arrivals import Arrivals, Signal
from bot.domain.component import Identity, Kind, Measure
from bot.domain.monitor import Comparator, Monitor, Target, Watches, shares
from bot.domain.route import Routes, reaches_nobody
from bot.domain.scope import Criticality, InScope
from bot.domain.shortfall import UNKNOWN_WHYS, Question, Shortfall, Why
from bot.domain.standard import Rule, Standard
from bot.domain.strictness import FAR, shortcoming


class _Judged(NamedTuple):
    """A monitor as it serves components of one kind and criticality; the lower the rank, the nearer it comes."""

    rank: int
    monitor: Monitor
    shortfalls: tuple[Shortfall, ...]


class _Bucket:
    """Monitors of one measure that are found by the same name or tag. Judged once a kind, the best one first.

    Those of one component are asked for once, and the verdict on tens of thousands is not kept.
    """

    __slots__ = ("judged", "monitors")

    def __init__(self, *, shared: bool) -> None:
        self.monitors: list[Monitor] = []
        self.judged: dict[tuple[Kind, Criticality], list[_Judged]] | None = {} if shared else None


Buckets = dict[Measure, _Bucket]
_FINE, _UNROUTED, _UNARRIVED = 0, 1, 1000


class Watching:
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
        self._by_identity: dict[Identity, Buckets] = {}
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
        if watches.unreadable and not (watches.identities or watches.tags):
            # It may be about anything of its tool.
            self._unreadable.setdefault((one.provider, measure), one)
        elif watches.identities:
            for identity in watches.identities:
                named = self._by_identity.setdefault(identity, {})
                named.setdefault(measure, _Bucket(shared=False)).monitors.append(one)
        elif watches.tags:
            name, values = min(watches.tags.items(), key=lambda tag: usage[tag])
            for value in _each(values):
                filed = self._by_tag.setdefault((name, value), {})
                filed.setdefault(measure, _Bucket(shared=True)).monitors.append(one)
        else:
            self._of_all.setdefault(measure, _Bucket(shared=True)).monitors.append(one)

    def nearby(self, item: InScope) -> list[Buckets]:
        """Where monitors of this component can be, whatever they measure."""
        by_identity, by_tag = self._by_identity, self._by_tag
        found = [by_identity[name] for name in item.component.identities if name in by_identity]
        if by_tag:
            # One monitor may be found twice here, which does no harm.
            found += [
                by_tag[name, value]
                for known in (item.component, *item.component.parts.values())
                for name, values in known.tags.items()
                for value in _each(values)
                if (name, value) in by_tag
            ]
        return [*found, self._of_all] if self._of_all else found

    def verdict(
        self,
        item: InScope,
        measure: Measure,
        nearby: list[Buckets],
        signal: Signal,
    ) -> tuple[Monitor | None, tuple[Shortfall, ...]]:
        """(the monitor that serves, or the nearest one; what is wrong with it)."""
        kind = item.component.kind
        rules = self._standard.alternatives(kind, measure)
        if not rules:
            return None, ()
        best = self._best(item, measure, rules, nearby, signal)
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

    def _best(
        self,
        item: InScope,
        measure: Measure,
        rules: tuple[Rule, ...],
        nearby: list[Buckets],
        signal: Signal,
    ) -> _Judged | None:
        """The one that comes nearest of those that watch it."""
        best: _Judged | None = None
        pieces: list[_Judged] = []
        for buckets in nearby:
            bucket = buckets.get(measure)
            if bucket is None:
                continue
            for judged in self._judged(bucket, item, measure, rules):
                if best is not None and judged.rank >= best.rank:
                    break
                if _is_watched(judged.monitor, item, signal.seers):
                    if judged.monitor.watches.part:
                        pieces.append(_unless_muted(judged, item))
                    else:
                        best = self._where_it_arrives(_unless_muted(judged, item), best, signal)
        for whole in map(_put_together, _by_parts(pieces)):
            best = self._where_it_arrives(whole, best, signal)
        return best

    def _where_it_arrives(self, judged: _Judged, best: _Judged | None, signal: Signal) -> _Judged | None:
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
            self._shortfalls[one.provider, one.metric, arrives] = (
                _perhaps_unarrived(one, signal.arrivals) if arrives is None else _unarrived(one)
            )
        return _Judged(rank, one, (self._shortfalls[one.provider, one.metric, arrives], *judged.shortfalls))

    def _judged(
        self, bucket: _Bucket, item: InScope, measure: Measure, rules: tuple[Rule, ...]
    ) -> list[_Judged]:
        sort = (item.component.kind, item.criticality)
        if bucket.judged is not None and (known := bucket.judged.get(sort)) is not None:
            return known
        least = self._standard.severity(*sort)
        found = [self._judge(one, measure, rules, least) for one in bucket.monitors]
        if len(found) > 1:
            found.sort(key=lambda judged: (judged.rank, judged.monitor.id))
        if bucket.judged is not None:
            bucket.judged[sort] = found
        return found

    def _judge(self, one: Monitor, measure: Measure, rules: tuple[Rule, ...], least: str | None) -> _Judged:
        if one.watches.unreadable:
            return _Judged(2 * FAR[Why.UNREADABLE], one, (self._unread(one),))
        rank, threshold = min(
            (shortcoming(one, measure, rule, least) for rule in rules), key=lambda each: each[0]
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
                says=f"“{one.name}” in {one.provider} cannot be taken for watching it: {one.watches.unreadable}",
                mend="Correct the monitor, or watch this component with another one.",
            )
        return self._shortfalls["unread", one.provider, one.id]


_WORD = re.compile(r"[^\s,;|()\[\]{}<>\"'“”]+")


def _measures(one: Monitor) -> tuple[Measure, ...]:
    """A monitor of lost signals tells about uptime, whatever signal it is."""
    if one.comparator is Comparator.ABSENT and one.measure is not Measure.UPTIME:
        return (Measure.UPTIME,)
    return (one.measure,) if one.measure is not None else ()


def _is_watched(one: Monitor, item: InScope, seers: tuple[str, ...]) -> bool:
    """By the names and tags that its tool knows: one that does not see the component cannot find it by tags."""
    watches, known = one.watches, item.component.as_known_to(one.provider)
    if watches.identities:
        if watches.identities.isdisjoint(known.identities):
            return False
    elif one.provider not in seers and one.provider not in item.component.sources:
        return False
    tags = known.tags
    for name, value in watches.tags.items():
        if (has := tags.get(name)) != value and not shares(has, value):
            return False
    # Loops, since a generator a cell takes longer than the comparison.
    for name, value in watches.without.items():  # noqa: SIM110
        if shares(tags.get(name), value):
            return False
    return True


def _unless_muted(judged: _Judged, item: InScope) -> _Judged:
    """A monitor may be silent for a part of what it watches, and serve the rest."""
    one = judged.monitor
    if not one.mutes:
        return judged
    known = item.component.as_known_to(one.provider)
    why = next((mute.why for mute in one.mutes if mute.watches.sees(known)), None)
    if why is None:
        return judged
    shortfall = Shortfall(
        question=Question.THRESHOLD,
        why=Why.SILENCED,
        says=f"“{one.name}” in {one.provider} sends nothing for it ({why.rstrip('.')}).",
        mend="Lift the silence.",
    )
    return _Judged(judged.rank + 2 * FAR[Why.SILENCED], one, (shortfall, *judged.shortfalls))


def _unarrived(one: Monitor) -> Shortfall:
    return Shortfall(
        question=Question.THRESHOLD,
        why=Why.NOT_ARRIVING,
        says=f"It is watched in {one.provider}, and there {one.metric} does not arrive.",
        mend="Watch it in the tool that gets its metric, or see that the metric arrives.",
    )


def _perhaps_unarrived(one: Monitor, arrivals: Arrivals) -> Shortfall:
    return Shortfall(
        question=Question.THRESHOLD,
        why=Why.NO_ANSWER,
        says=f"It is watched in {one.provider}, and nobody can tell whether {one.metric} arrives there."
        f" {arrivals.why_untold(one.provider)}",
        mend="Mend the connection to the tool; `socmon doctor` tests it.",
    )


def _by_parts(pieces: Sequence[_Judged]) -> Iterable[Sequence[_Judged]]:
    """Those that watch parts of the same whole, in one tool."""
    found: dict[Hashable, list[_Judged]] = {}
    for one in pieces:
        found.setdefault((one.monitor.provider, one.monitor.watches.parts), []).append(one)
    return found.values()


def _put_together(pieces: Sequence[_Judged]) -> _Judged:
    """Of a component that has several parts all have to be watched: it is served as well as the worst of them."""
    best: dict[str, _Judged] = {}
    for one in sorted(pieces, key=lambda each: each.rank):
        best.setdefault(one.monitor.watches.part, one)
    worst = max(best.values(), key=lambda one: one.rank)
    unwatched = worst.monitor.watches.parts - best.keys()
    if not unwatched:
        return worst
    near = worst.monitor
    shortfall = Shortfall(
        question=Question.THRESHOLD,
        why=Why.PARTLY,
        says=f"“{near.name}” in {near.provider} watches a part of it, {near.watches.part}; nothing watches"
        f" {', '.join(sorted(unwatched)[:_MOST_PARTS])}.",
        mend="Watch each part, or watch it with a monitor that does not tell them apart and goes by the worst.",
    )
    return _Judged(worst.rank + 2 * FAR[Why.PARTLY], near, (shortfall, *worst.shortfalls))


_MOST_PARTS = 5


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
