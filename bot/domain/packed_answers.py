"""What the tools said of metrics, monitors and services, as bytes and back: a compressed JSON text each.

A fleet of 100,000 has half a million readings, which nobody asks for one by one: as rows they would keep the writer
from the alerts for seconds, every quarter of an hour.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from bot.domain.alert import Severity
from bot.domain.answers import Known, Layer
from bot.domain.component import Identity, Measure
from bot.domain.monitor import Comparator, MetricReading, Monitor, Mute, Target, TargetKind, Watches
from bot.domain.paging import Service, ServiceState

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LEVEL = 1  # of compression: the fastest, a tenth of the size


def pack_readings(known: Known[MetricReading]) -> bytes:
    return _pack(known, _reading_row)


def unpack_readings(packed: bytes) -> Known[MetricReading]:
    content = _content(packed)
    again = _Again()
    return _known(content, lambda row: _row_reading(row, again))


def pack_monitors(known: Known[Monitor]) -> bytes:
    return _pack(known, monitor_row)


def unpack_monitors(packed: bytes) -> Known[Monitor]:
    return _known(_content(packed), row_monitor)


def pack_services(known: Known[Service]) -> bytes:
    return _pack(known, lambda one: asdict(one) | {"ends": sorted(one.ends)})


def unpack_services(packed: bytes) -> Known[Service]:
    return _known(
        _content(packed),
        lambda row: Service(**row | {"state": ServiceState(row["state"]), "ends": frozenset(row["ends"])}),
    )


def _pack(known: Known[Any], row: Callable[[Any], Any]) -> bytes:
    content = {
        "whole_at": _micros(known.whole_at),
        "reason": known.reason,
        "calls": known.calls,
        "layers": [
            {"as_of": _micros(layer.as_of), "items": list(map(row, layer.items))} for layer in known.layers
        ],
    }
    return zlib.compress(orjson.dumps(content), _LEVEL)


def _content(packed: bytes) -> Mapping[str, Any]:
    found: Mapping[str, Any] = orjson.loads(zlib.decompress(packed))
    return found


def _known(content: Mapping[str, Any], item: Callable[[Any], Any]) -> Known[Any]:
    return Known(
        layers=tuple(
            Layer(as_of=_instant(layer["as_of"]) or _EPOCH, items=tuple(map(item, layer["items"])))
            for layer in content["layers"]
        ),
        whole_at=_instant(content["whole_at"]),
        reason=content["reason"],
        calls=content["calls"],
    )


def _reading_row(one: MetricReading) -> list[Any]:
    identity = one.identity
    return [
        identity.space,
        identity.value,
        one.measure,
        one.metric,
        _micros(one.last_at),
        one.interval.total_seconds(),
    ]


@dataclass(slots=True)
class _Again:
    """What many readings have in common, made once: half a million of them take half the memory then."""

    identities: dict[tuple[str, str], Identity] = field(default_factory=dict)
    metrics: dict[str, str] = field(default_factory=dict)
    instants: dict[int, datetime | None] = field(default_factory=dict)
    intervals: dict[float, timedelta] = field(default_factory=dict)


def _row_reading(row: list[Any], again: _Again) -> MetricReading:
    space, value, measure, metric, last_at, interval = row
    if (identity := again.identities.get((space, value))) is None:
        identity = again.identities[space, value] = Identity(space, value)
    if last_at not in again.instants:
        again.instants[last_at] = _instant(last_at)
    if interval not in again.intervals:
        again.intervals[interval] = timedelta(seconds=interval)
    return MetricReading(
        identity=identity,
        measure=Measure(measure),
        metric=again.metrics.setdefault(metric, metric),
        last_at=again.instants[last_at],
        interval=again.intervals[interval],
    )


def monitor_row(one: Monitor) -> dict[str, Any]:
    """A monitor as JSON, also for its history."""
    return {
        "provider": one.provider,
        "id": one.id,
        "name": one.name,
        "url": one.url,
        "metric": one.metric,
        "measure": one.measure,
        **_watches_row(one.watches),
        "comparator": one.comparator,
        "threshold": None if one.threshold is None else str(one.threshold),
        "window": one.window.total_seconds(),
        "severity": one.severity,
        "enabled": one.enabled,
        "silenced": one.silenced,
        "mutes": [_watches_row(each.watches) | {"why": each.why} for each in one.mutes],
        "alerts_on_no_data": one.alerts_on_no_data,
        "no_data_window": None if one.no_data_window is None else one.no_data_window.total_seconds(),
        "targets": [
            [each.kind, each.name, list(each.reaches), each.recovery, each.dead] for each in one.targets
        ],
        "modified_at": _micros(one.modified_at),
        "modified_by_tool": one.modified_by_tool,
        "query": one.query,
    }


def row_monitor(row: Mapping[str, Any]) -> Monitor:
    return Monitor(
        provider=row["provider"],
        id=row["id"],
        name=row["name"],
        url=row["url"],
        metric=row["metric"],
        measure=Measure(row["measure"]) if row["measure"] else None,
        watches=_row_watches(row),
        comparator=Comparator(row["comparator"]),
        threshold=None if row["threshold"] is None else Decimal(row["threshold"]),
        window=timedelta(seconds=row["window"]),
        severity=Severity(row["severity"]) if row["severity"] else None,
        enabled=row["enabled"],
        silenced=row["silenced"],
        mutes=tuple(Mute(watches=_row_watches(each), why=each["why"]) for each in row["mutes"]),
        alerts_on_no_data=row["alerts_on_no_data"],
        no_data_window=_seconds(row.get("no_data_window")),
        targets=tuple(
            Target(kind=TargetKind(kind), name=name, reaches=tuple(reaches), recovery=recovery, dead=dead)
            for kind, name, reaches, recovery, dead in row["targets"]
        ),
        modified_at=_instant(row["modified_at"]),
        modified_by_tool=row["modified_by_tool"],
        query=row["query"],
    )


def _watches_row(watches: Watches) -> dict[str, Any]:
    return {
        "identities": sorted([each.space, each.value] for each in watches.identities),
        "tags": dict(watches.tags),
        "without": dict(watches.without),
        "unreadable": watches.unreadable,
        "part": watches.part,
        "parts": sorted(watches.parts),
    }


def _row_watches(row: Mapping[str, Any]) -> Watches:
    return Watches(
        identities=frozenset(Identity(*each) for each in row["identities"]),
        tags=row["tags"],
        without=row["without"],
        unreadable=row["unreadable"],
        part=row.get("part", ""),
        parts=frozenset(row.get("parts", ())),
    )


def _seconds(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)


def _micros(at: datetime | None) -> int | None:
    return None if at is None else (at - _EPOCH) // _MICROSECOND


def _instant(value: int | None) -> datetime | None:
    return None if value is None else _EPOCH + timedelta(microseconds=value)
