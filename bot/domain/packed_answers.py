"""What the tools said of metrics, monitors and services, as bytes and back: a head and pages, each compressed JSON.

A fleet of 100,000 has half a million readings, which nobody asks for one by one: as rows they would keep the writer
from the alerts for seconds, every quarter of an hour. Nor do they lie in memory all at once: they are unpacked page by
page, whenever somebody goes through them.
"""

import struct
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from itertools import islice
from sys import intern
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
_PAGE = 10_000
_LENGTH = struct.Struct(">I")
_NONE: Mapping[str, str] = {}  # of most monitors
_COMPARATORS = {each.value: each for each in Comparator}
_MEASURES = {each.value: each for each in Measure}


def pack_readings(known: Known[MetricReading]) -> bytes:
    return _pack(known, _reading_row)


def unpack_readings(packed: bytes) -> Known[MetricReading]:
    return _unpack(packed, _row_readings)


def pack_monitors(known: Known[Monitor]) -> bytes:
    return _pack(known, monitor_row)


def unpack_monitors(packed: bytes) -> Known[Monitor]:
    return _all_at_once(_unpack(packed, lambda rows: map(row_monitor, rows)))


class _Pages(Collection[Any]):
    """Items that are unpacked whenever somebody goes through them."""

    def __init__(self, pages: Sequence[bytes], size: int, unpack: Callable[[Any], Iterable[Any]]) -> None:
        self._pages, self._size, self._unpack = pages, size, unpack

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        for page in self._pages:
            yield from self._unpack(_content(page))

    def __contains__(self, item: object) -> bool:
        return any(item == each for each in self)


def pack_services(known: Known[Service]) -> bytes:
    return _pack(known, lambda one: asdict(one) | {"ends": sorted(one.ends)})


def unpack_services(packed: bytes) -> Known[Service]:
    return _all_at_once(_unpack(packed, lambda rows: map(_row_service, rows)))


def _row_service(row: Mapping[str, Any]) -> Service:
    return Service(**{**row, "state": ServiceState(row["state"]), "ends": frozenset(row["ends"])})


def _all_at_once(known: Known[Any]) -> Known[Any]:
    """For what is not so much, and gone through more than once."""
    return replace(known, layers=tuple(replace(each, items=tuple(each.items)) for each in known.layers))


def _pack(known: Known[Any], row: Callable[[Any], Any]) -> bytes:
    pages: list[bytes] = []
    layers = []
    for layer in known.layers:
        rest, before = map(row, layer.items), len(pages)
        while page := list(islice(rest, _PAGE)):
            pages.append(_bytes(page))
        layers.append([_micros(layer.as_of), len(layer.items), len(pages) - before])
    head = {
        "whole_at": _micros(known.whole_at),
        "reason": known.reason,
        "calls": known.calls,
        "layers": layers,
    }
    return b"".join(_LENGTH.pack(len(part)) + part for part in (_bytes(head), *pages))


def _unpack(packed: bytes, unpack: Callable[[Any], Iterable[Any]]) -> Known[Any]:
    head, *pages = _parts(packed)
    content = _content(head)
    layers: list[Layer[Any]] = []
    for as_of, size, number in content["layers"]:
        items = _Pages(pages[:number], size, unpack)
        pages = pages[number:]
        layers.append(Layer(as_of=_EPOCH + as_of * _MICROSECOND, items=items))
    return Known(
        layers=tuple(layers),
        whole_at=_instant(content["whole_at"]),
        reason=content["reason"],
        calls=content["calls"],
    )


def _parts(packed: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(packed):
        (length,) = _LENGTH.unpack_from(packed, at)
        at += _LENGTH.size + length
        yield packed[at - length : at]


def _bytes(content: Any) -> bytes:
    return zlib.compress(orjson.dumps(content), _LEVEL)


def _content(part: bytes) -> Any:
    return orjson.loads(zlib.decompress(part))


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


def _row_readings(rows: Iterable[list[Any]]) -> Iterator[MetricReading]:
    """What many readings have in common is made once: making it again takes most of the time."""
    measures, instants, intervals = _MEASURES, cache(_instant), cache(_interval)
    identity = Identity("", "")
    for space, value, measure, metric, last_at, interval in rows:
        if value != identity.value or space != identity.space:
            identity = Identity(space, value)
        yield MetricReading(
            identity=identity,
            measure=measures[measure],
            metric=metric,
            last_at=instants(last_at),
            interval=intervals(interval),
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
        provider=intern(row["provider"]),
        id=row["id"],
        name=row["name"],
        url=row["url"],
        metric=intern(row["metric"]),
        measure=_MEASURES[row["measure"]] if row["measure"] else None,
        watches=_row_watches(row),
        comparator=_COMPARATORS[row["comparator"]],
        threshold=None if row["threshold"] is None else Decimal(row["threshold"]),
        window=timedelta(seconds=row["window"]),
        severity=Severity(row["severity"]) if row["severity"] else None,
        enabled=row["enabled"],
        silenced=row["silenced"],
        mutes=tuple(Mute(watches=_row_watches(each), why=each["why"]) for each in row["mutes"]),
        alerts_on_no_data=row["alerts_on_no_data"],
        no_data_window=_seconds(row.get("no_data_window")),
        targets=_targets(
            *((kind, name, tuple(reaches), *more) for kind, name, reaches, *more in row["targets"])
        ),
        modified_at=_instant(row["modified_at"]),
        modified_by_tool=row["modified_by_tool"],
        query=row["query"],
    )


@lru_cache(1000)
def _targets(*rows: tuple[Any, ...]) -> tuple[Target, ...]:
    """Many monitors have the same."""
    return tuple(
        Target(kind=TargetKind(kind), name=name, reaches=reaches, recovery=recovery, dead=dead)
        for kind, name, reaches, recovery, dead in rows
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
        identities=frozenset(Identity(intern(space), value) for space, value in row["identities"]),
        tags=row["tags"] or _NONE,
        without=row["without"] or _NONE,
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


def _interval(value: float) -> timedelta:
    return timedelta(seconds=value)
