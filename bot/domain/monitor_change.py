"""What changed of a monitor between two looks, and whether it watches less than before."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from bot.domain.component import Measure
from bot.domain.monitor import Monitor, TargetKind
from bot.domain.standard import Rule, at_least_as_strict


class Loss(StrEnum):
    """A way in which a monitor came to watch less."""

    WEAKENED = "weakened"
    MUTED = "muted"
    DISABLED = "disabled"
    DELETED = "deleted"
    UNROUTED = "unrouted"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorChange:
    """`before` is None for a new monitor, `after` for one that is gone."""

    before: Monitor | None
    after: Monitor | None

    @property
    def monitor(self) -> Monitor:
        found = self.after or self.before
        assert found is not None, "one of the two is there"  # noqa: S101 - by construction
        return found

    @property
    def losses(self) -> dict[Loss, str]:
        """Each with what it was and what it is now: “> 85 → > 95”."""
        if self.before is None:
            return {}
        if self.after is None:
            return {Loss.DELETED: f"{_told(self.before)} → deleted"}
        return dict(_losses(self.before, self.after))


def changes(before: Iterable[Monitor], after: Iterable[Monitor], *, complete: bool) -> list[MonitorChange]:
    """By id. Only a complete answer shows that a monitor is gone."""
    old, new = _by_id(before), _by_id(after)
    found = [
        MonitorChange(before=old.get(name), after=one)
        for name, one in new.items()
        if name not in old or _same(old[name]) != _same(one)
    ]
    gone = [MonitorChange(before=one, after=None) for name, one in old.items() if name not in new]
    return [*found, *gone] if complete else found


def _by_id(monitors: Iterable[Monitor]) -> Mapping[str, Monitor]:
    return {one.id: one for one in monitors}


def _same(one: Monitor) -> Monitor:
    """Without the date, which some tools set without a change, and what there is beside what it watches."""
    watches = replace(one.watches, parts=frozenset()) if one.watches.parts else one.watches
    return replace(one, modified_at=None, modified_by_tool=True, watches=watches)


def _losses(old: Monitor, new: Monitor) -> Iterator[tuple[Loss, str]]:
    if old.enabled and not new.enabled:
        yield Loss.DISABLED, "enabled → disabled"
    if new.silenced and not old.silenced:
        yield Loss.MUTED, f"sending → {new.silenced}"
    if _weaker(old, new):
        yield Loss.WEAKENED, f"{_told(old)} → {_told(new)}"
    if len(_live(new)) < len(_live(old)):
        yield Loss.UNROUTED, f"{_ends(old)} → {_ends(new)}"
    elif unclosed := sorted(name for _, name in _closing(old) & _live(new) - _closing(new)):
        yield Loss.UNROUTED, f"{', '.join(unclosed)} told of recoveries → not told"


def _ends(one: Monitor) -> str:
    return ", ".join(f"{each.name} (dead)" if each.dead else each.name for each in one.targets) or "nobody"


def _live(one: Monitor) -> set[tuple[TargetKind, str]]:
    return {(each.kind, each.name) for each in one.targets if not each.dead}


def _closing(one: Monitor) -> set[tuple[TargetKind, str]]:
    """Those that open something, and hear when it is over."""
    opens = {TargetKind.PAGERDUTY, TargetKind.WEBHOOK}
    told = {(each.kind, each.name) for each in one.targets if each.recovery and each.kind in opens}
    return told & _live(one)


def _weaker(old: Monitor, new: Monitor) -> bool:
    if new.window > old.window or (old.alerts_on_no_data and not new.alerts_on_no_data):
        return True
    if old.alerts_on_no_data and _lost_after(new) > _lost_after(old):
        return True
    if old.threshold is None:
        return old.comparator is not new.comparator
    as_it_was = Rule(comparator=old.comparator, threshold=old.threshold, window=old.window)
    return not at_least_as_strict(old.measure or Measure.CPU, as_it_was, new.comparator, new.threshold)


def _lost_after(one: Monitor) -> timedelta:
    return one.no_data_window or one.window


def _told(one: Monitor) -> str:
    threshold = "" if one.threshold is None else f" {one.threshold}"
    minutes = _lost_after(one) / timedelta(minutes=1)
    no_data = f", no data for {minutes:g} min too" if one.alerts_on_no_data else ""
    return f"{one.comparator}{threshold} for {one.window / timedelta(minutes=1):g} min{no_data}"
