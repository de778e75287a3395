"""Where Datadog keeps each measure, and when it last heard it: one timeseries query a metric for all hosts at once.

https://docs.datadoghq.com/api/latest/metrics/query-timeseries-data-across-multiple-products/
Names and units: the metadata.csv of each check in https://github.com/DataDog/integrations-core (disk, network, system
core) and https://docs.datadoghq.com/integrations/system/
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from datadog_api_client.v2.api.metrics_api import MetricsApi
from datadog_api_client.v2.model.metrics_data_source import MetricsDataSource
from datadog_api_client.v2.model.metrics_timeseries_query import MetricsTimeseriesQuery
from datadog_api_client.v2.model.timeseries_formula_query_request import TimeseriesFormulaQueryRequest
from datadog_api_client.v2.model.timeseries_formula_request import TimeseriesFormulaRequest
from datadog_api_client.v2.model.timeseries_formula_request_attributes import (
    TimeseriesFormulaRequestAttributes,
)
from datadog_api_client.v2.model.timeseries_formula_request_queries import TimeseriesFormulaRequestQueries
from datadog_api_client.v2.model.timeseries_formula_request_type import TimeseriesFormulaRequestType

from bot.domain.component import Component, Identity, Kind, Measure
from bot.domain.errors import ToolSilent
from bot.domain.monitor import MetricReading
from bot.providers.contract import EARLIEST, Pulled
from bot.providers.datadog.client import Visit
from bot.providers.datadog.inventory import SERVICE_TAGS, host_identity, service_identity, tags_of
from bot.providers.datadog.settings import DatadogSettings

WINDOW = timedelta(minutes=30)
STEP = timedelta(minutes=1)
PERCENT = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric of Datadog's that says something of a measure.

    Its value in the measure's unit is `offset` + `scale` × the metric; no `scale` means that it cannot be converted
    (bytes without the total). `read` is whether it tells that the measure is reported: one metric for each measure.
    """

    name: str
    kind: Kind
    measure: Measure
    scale: Decimal | None = None
    offset: Decimal = Decimal(0)
    read: bool = False


METRICS: tuple[Metric, ...] = (
    Metric(name="system.cpu.user", kind=Kind.HOST, measure=Measure.CPU, scale=Decimal(1), read=True),
    Metric(name="system.cpu.idle", kind=Kind.HOST, measure=Measure.CPU, scale=Decimal(-1), offset=PERCENT),
    Metric(
        name="system.mem.pct_usable",
        kind=Kind.HOST,
        measure=Measure.MEMORY,
        scale=-PERCENT,
        offset=PERCENT,
        read=True,
    ),
    Metric(name="system.mem.usable", kind=Kind.HOST, measure=Measure.MEMORY),
    Metric(name="system.mem.free", kind=Kind.HOST, measure=Measure.MEMORY),
    Metric(name="system.mem.used", kind=Kind.HOST, measure=Measure.MEMORY),
    Metric(name="system.disk.in_use", kind=Kind.HOST, measure=Measure.DISK, scale=PERCENT, read=True),
    Metric(name="system.disk.utilized", kind=Kind.HOST, measure=Measure.DISK, scale=Decimal(1)),
    Metric(name="system.disk.free", kind=Kind.HOST, measure=Measure.DISK),
    Metric(name="system.disk.used", kind=Kind.HOST, measure=Measure.DISK),
    Metric(
        name="system.net.bytes_rcvd", kind=Kind.HOST, measure=Measure.NETWORK, scale=Decimal(1), read=True
    ),
    Metric(name="system.net.bytes_sent", kind=Kind.HOST, measure=Measure.NETWORK, scale=Decimal(1)),
    Metric(name="system.uptime", kind=Kind.HOST, measure=Measure.UPTIME, scale=Decimal(1), read=True),
    Metric(name="kubernetes.cpu.usage.total", kind=Kind.SERVICE, measure=Measure.CPU, read=True),
    Metric(name="kubernetes.memory.usage", kind=Kind.SERVICE, measure=Measure.MEMORY, read=True),
    Metric(name="kubernetes.memory.usage_pct", kind=Kind.SERVICE, measure=Measure.MEMORY, scale=PERCENT),
    Metric(
        name="kubernetes.containers.running",
        kind=Kind.SERVICE,
        measure=Measure.UPTIME,
        scale=Decimal(1),
        read=True,
    ),
)
"""What is read, and what monitors may be about instead of it."""

BY_NAME: Mapping[str, Metric] = {metric.name: metric for metric in METRICS}

_GROUPS: Mapping[Kind, tuple[str, ...]] = {Kind.HOST: ("host",), Kind.SERVICE: SERVICE_TAGS}


def read_metrics(
    settings: DatadogSettings, components: Sequence[Component], at: datetime
) -> Pulled[MetricReading]:
    found: list[MetricReading] = []
    with Visit(settings) as visit:
        for metric in METRICS:
            ours = [one for one in components if one.kind is metric.kind]
            if metric.read and ours:
                try:
                    found += _readings(metric, ours, _newest(visit, metric, at))
                except ToolSilent as error:
                    visit.note(str(error))
        return visit.answer(found, at)


def _newest(visit: Visit, metric: Metric, at: datetime) -> Mapping[Identity, datetime | None]:
    """Who has this metric, and the time of its newest value. Raises ToolSilent."""
    api: Any = MetricsApi(visit.client)  # type: ignore[no-untyped-call]
    about = f"who reports {metric.name}"
    answer = visit.ask(about, "timeseries_query", api.query_timeseries_data, body=query(metric, at))
    attributes = ((answer or {}).get("data") or {}).get("attributes") or {}
    times, series, values = (attributes.get(name) for name in ("times", "series", "values"))
    if answer is not None and answer.get("errors"):
        raise ToolSilent(f"Datadog did not say {about}: {answer['errors']}. It is asked again.")
    if not (isinstance(times, list) and isinstance(series, list) and isinstance(values, list)):
        raise ToolSilent(f"Datadog did not say {about}: its answer cannot be read. It is asked again.")
    if len(series) != len(values) or any(len(row or ()) != len(times) for row in values):
        raise ToolSilent(f"Datadog did not say {about}: its answer is cut short. It is asked again.")
    return {
        identity: _last(times, row)
        for one, row in zip(series, values, strict=True)
        if (identity := _identity(metric.kind, one.get("group_tags") or ()))
    }


def query(metric: Metric, at: datetime) -> Any:
    """One value a minute of everything that has this metric, of the last half an hour."""
    milliseconds = 1000
    asked: Any = MetricsTimeseriesQuery(
        data_source=MetricsDataSource.METRICS,
        name="a",
        query=f"avg:{metric.name}{{*}} by {{{','.join(_GROUPS[metric.kind])}}}",
    )
    attributes: Any = TimeseriesFormulaRequestAttributes(
        _from=int((at - WINDOW).timestamp()) * milliseconds,
        to=int(at.timestamp()) * milliseconds,
        interval=int(STEP.total_seconds()) * milliseconds,
        queries=TimeseriesFormulaRequestQueries([asked]),  # type: ignore[no-untyped-call]
    )
    kind = TimeseriesFormulaRequestType.TIMESERIES_REQUEST
    return TimeseriesFormulaQueryRequest(data=TimeseriesFormulaRequest(type=kind, attributes=attributes))


def _identity(kind: Kind, group: Iterable[object]) -> Identity | None:
    tags = tags_of(group)
    if kind is Kind.SERVICE:
        return service_identity(tags) if tags.get("kube_deployment") else None
    return host_identity(tags["host"].lower()) if tags.get("host") else None


def _last(times: Sequence[Any], values: Sequence[Any]) -> datetime | None:
    """The time of the newest value; nulls are no values."""
    for moment, value in zip(reversed(times), reversed(values), strict=True):
        if value is not None and isinstance(moment, int | float):
            found = datetime.fromtimestamp(moment / 1000, UTC)
            return found if found >= EARLIEST else None
    return None


def _readings(
    metric: Metric, components: Iterable[Component], newest: Mapping[Identity, datetime | None]
) -> Iterable[MetricReading]:
    """A component that Datadog knows and that is not in its answer has no value: that too is a fact."""
    for component in components:
        heard = [one for one in sorted(component.identities) if one in newest]
        if heard or "datadog" in component.sources:
            times = [time for one in heard if (time := newest[one])]
            identity = heard[0] if heard else min(component.identities, key=lambda one: one.rank)
            yield MetricReading(
                identity=identity,
                measure=metric.measure,
                metric=metric.name,
                last_at=max(times, default=None),
            )
