"""What a tool has said, each part with its age: a whole answer stands for itself, another one only adds."""

from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

from bot.domain.monitor import MetricReading, Monitor
from bot.domain.paging import Service
from bot.domain.spending import Billed, Spent, together

Item = TypeVar("Item", MetricReading, Monitor, Service)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer(Generic[Item]):
    """What a tool said at one moment."""

    as_of: datetime
    items: Collection[Item]


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


def _name_of(item: Any) -> Hashable:
    """What makes a later word about the same thing."""
    if isinstance(item, Monitor | Service):
        return item.id
    return item.identity, item.measure, item.metric


class Subject(StrEnum):
    """What a tool is asked for."""

    METRICS = "metrics"
    MONITORS = "monitors"
    SERVICES = "services"


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """How old a tool's answer is: when it was last asked, when it last told everything, and why not since.

    `calls`, `components` and `billed` are what the newest answer took.
    """

    provider: str
    subject: Subject
    asked_at: datetime
    whole_at: datetime | None
    reason: str = ""
    calls: int = 0
    components: int = 0
    billed: tuple[Billed, ...] = ()

    def stands(self, now: datetime, time_to_live: timedelta) -> bool:
        return self.whole_at is not None and now - self.whole_at <= time_to_live

    @property
    def spent(self) -> Spent:
        return Spent(calls=self.calls, components=self.components, billed=self.billed)


def spent_by_tool(ages: Iterable[Age]) -> dict[str, Spent]:
    """What each tool's newest answers took together."""
    by_tool: dict[str, list[Spent]] = {}
    for age in ages:
        by_tool.setdefault(age.provider, []).append(age.spent)
    return {provider: together(every) for provider, every in by_tool.items()}
