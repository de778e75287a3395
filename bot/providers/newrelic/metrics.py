"""Where New Relic keeps each measure, and when it last heard it: one NRQL query an event type for all components.

Attributes: https://docs.newrelic.com/docs/infrastructure/infrastructure-data/infrastructure-events-attributes/ and
https://docs.newrelic.com/docs/infrastructure/infrastructure-data/dimensional-metrics/ (names in `Metric`)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bot.domain.component import Component, Identity, Kind, Measure
from bot.domain.errors import ToolSilent
from bot.domain.monitor import MetricReading
from bot.providers.contract import Pulled, instant
from bot.providers.newrelic.inventory import service_identity
from bot.providers.newrelic.nerdgraph import Data, Visit
from bot.providers.newrelic.settings import NewRelicSettings

NEEDED = "access to the account's data"
MOST_FACETS = 5000  # what LIMIT MAX means: https://docs.newrelic.com/docs/nrql/nrql-syntax-clauses-functions/
PERCENT = Decimal(100)
QUERY = """\
query ($account: Int!, $nrql: Nrql!) {
  actor { account(id: $account) { nrql(query: $nrql, timeout: 30) { results } } }
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """An attribute that says something of a measure.

    Its value in the measure's unit is `offset` + `scale` × the attribute; no `scale` means that it cannot be
    converted. `read` is whether it tells that the measure is reported: one attribute for each measure.
    """

    event: str
    attribute: str
    kind: Kind
    measure: Measure
    scale: Decimal | None = Decimal(1)
    offset: Decimal = Decimal(0)
    read: bool = False


def _free(event: str, attribute: str, measure: Measure) -> Metric:
    """What is left of 100 per cent."""
    return Metric(
        event=event, attribute=attribute, kind=Kind.HOST, measure=measure, scale=Decimal(-1), offset=PERCENT
    )


_HOST, _SERVICE = Kind.HOST, Kind.SERVICE
METRICS: tuple[Metric, ...] = (
    Metric(event="SystemSample", attribute="cpuPercent", kind=_HOST, measure=Measure.CPU, read=True),
    _free("SystemSample", "cpuIdlePercent", Measure.CPU),
    Metric(
        event="SystemSample", attribute="memoryUsedPercent", kind=_HOST, measure=Measure.MEMORY, read=True
    ),
    _free("SystemSample", "memoryFreePercent", Measure.MEMORY),
    Metric(event="SystemSample", attribute="diskUsedPercent", kind=_HOST, measure=Measure.DISK, read=True),
    _free("SystemSample", "diskFreePercent", Measure.DISK),
    Metric(event="SystemSample", attribute="uptime", kind=_HOST, measure=Measure.UPTIME, read=True),
    Metric(event="StorageSample", attribute="diskUsedPercent", kind=_HOST, measure=Measure.DISK),
    _free("StorageSample", "diskFreePercent", Measure.DISK),
    Metric(
        event="NetworkSample",
        attribute="receiveBytesPerSecond",
        kind=_HOST,
        measure=Measure.NETWORK,
        read=True,
    ),
    Metric(event="NetworkSample", attribute="transmitBytesPerSecond", kind=_HOST, measure=Measure.NETWORK),
    Metric(event="Metric", attribute="host.cpuPercent", kind=_HOST, measure=Measure.CPU),
    Metric(event="Metric", attribute="host.disk.usedPercent", kind=_HOST, measure=Measure.DISK),
    Metric(event="Metric", attribute="host.uptime", kind=_HOST, measure=Measure.UPTIME),
    Metric(
        event="K8sContainerSample",
        attribute="cpuUsedCores",
        kind=_SERVICE,
        measure=Measure.CPU,
        scale=None,
        read=True,
    ),
    Metric(event="K8sContainerSample", attribute="cpuCoresUtilization", kind=_SERVICE, measure=Measure.CPU),
    Metric(
        event="K8sContainerSample",
        attribute="memoryUsedBytes",
        kind=_SERVICE,
        measure=Measure.MEMORY,
        scale=None,
        read=True,
    ),
    Metric(
        event="K8sContainerSample",
        attribute="memoryWorkingSetUtilization",
        kind=_SERVICE,
        measure=Measure.MEMORY,
    ),
    Metric(
        event="K8sContainerSample", attribute="timestamp", kind=_SERVICE, measure=Measure.UPTIME, read=True
    ),
)
"""What is read, and what conditions may be about instead of it."""

BY_NAME: Mapping[tuple[str, str], Metric] = {(one.event, one.attribute): one for one in METRICS}

_FACETS: Mapping[Kind, tuple[str, ...]] = {
    Kind.HOST: ("entityGuid",),
    Kind.SERVICE: ("clusterName", "namespaceName", "deploymentName"),
}


def read_metrics(
    settings: NewRelicSettings, components: Sequence[Component], at: datetime
) -> Pulled[MetricReading]:
    visit = Visit(settings)
    found: list[MetricReading] = []
    for event in dict.fromkeys(metric.event for metric in METRICS if metric.read):
        metrics = [metric for metric in METRICS if metric.read and metric.event == event]
        ours = [one for one in components if one.kind is metrics[0].kind]
        if ours:
            try:
                rows, whole = _rows(visit, event, metrics)
            except ToolSilent as error:
                visit.note(str(error))
            else:
                for metric in metrics:
                    found += _readings(metric, ours, _newest(metric, rows, at), whole=whole)
    return visit.answer(found, at)


def _rows(visit: Visit, event: str, metrics: Iterable[Metric]) -> tuple[Sequence[Data], bool]:
    """A row a component, and whether all of them are there."""
    selected = ", ".join(
        f"filter(latest(timestamp), WHERE {one.attribute} IS NOT NULL) AS '{one.measure}'" for one in metrics
    )
    facets = ", ".join(_FACETS[next(iter(metrics)).kind])
    about = f"who reports {event}"
    rows = visit.ask(
        about,
        NEEDED,
        QUERY,
        "account.nrql.results",
        nrql=f"FROM {event} SELECT {selected} FACET {facets} SINCE 30 minutes ago LIMIT MAX",
    )
    if not isinstance(rows, list):
        raise ToolSilent(f"New Relic did not say {about}: its answer cannot be read. It is asked again.")
    whole = len(rows) < MOST_FACETS
    if not whole:
        visit.note(
            f"New Relic did not say all of {about}: it names {MOST_FACETS:,} at most."
            " Divide the components among accounts."
        )
    return rows, whole


def _newest(metric: Metric, rows: Iterable[Data], at: datetime) -> Mapping[Identity, datetime | None]:
    found: dict[Identity, datetime | None] = {}
    for row in rows:
        facet = row.get("facet")
        names = [str(one) for one in (facet if isinstance(facet, list) else [facet]) if one]
        if len(names) == len(_FACETS[metric.kind]):
            identity = service_identity(names) if metric.kind is Kind.SERVICE else Identity("guid", names[0])
            found[identity] = instant(row.get(str(metric.measure)), received_at=at)
    return found


def _readings(
    metric: Metric,
    components: Iterable[Component],
    newest: Mapping[Identity, datetime | None],
    *,
    whole: bool,
) -> Iterable[MetricReading]:
    """A component that New Relic knows and that is not in a whole answer has no value: that too is a fact."""
    for component in components:
        heard = [one for one in sorted(component.identities) if one in newest]
        if heard or (whole and "newrelic" in component.sources):
            times = [time for one in heard if (time := newest[one])]
            yield MetricReading(
                identity=heard[0] if heard else min(component.identities, key=lambda one: one.rank),
                measure=metric.measure,
                metric=f"{metric.event}.{metric.attribute}",
                last_at=max(times, default=None),
            )
