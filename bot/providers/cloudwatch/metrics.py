"""Where CloudWatch keeps what is measured, and how new its newest value is.

The metrics of each service, with their dimensions:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html
Those that an agent sends bear dimensions of its own choice, so they are looked up first:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/metrics-collected-by-CloudWatch-agent.html
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from functools import cache
from itertools import chain, islice
from typing import Any

from bot.domain.component import Component, Measure
from bot.domain.monitor import MetricReading
from bot.providers.cloudwatch.aws import Place
from bot.providers.cloudwatch.resources import (
    APPLICATION_BALANCER,
    CACHE,
    DATABASE,
    DATABASE_CLUSTER,
    ECS_SERVICE,
    EKS_CLUSTER,
    FUNCTION,
    INSTANCE,
    NETWORK_BALANCER,
    VOLUME,
    Named,
    Resource,
    named,
)

PERIOD = timedelta(minutes=5)
WINDOW = timedelta(hours=3)  # as far back as ListMetrics knows what is active
MOST_QUERIES = 500  # of one GetMetricData
SISTERS = {"docdb": "AWS/DocDB", "neptune": "AWS/Neptune"}
"""Engines that RDS tells of, and that keep the metrics of AWS/RDS in a namespace of their own."""


class Unit(Enum):
    """How the numbers of a metric become those of its measure."""

    AS_IS = auto()  # free memory and storage too, in bytes: of how many CloudWatch does not know
    PERCENT_FREE = auto()  # used is what is left of 100
    MILLISECONDS = auto()
    OTHER = auto()  # a queue's length, connections: no standard can be compared with it


class Use(Enum):
    """What a metric is good for."""

    BOTH = auto()
    READING = auto()  # it shows that values arrive; an alarm on it is about something else
    ALARMS = auto()  # it has values only while something is wrong, so their absence says nothing


class Source(Enum):
    """Who sends it, which decides whether it has to be looked up."""

    SERVICE = auto()  # AWS itself, always with the dimensions of the table
    ADD_ON = auto()  # AWS, once somebody has switched it on; with the dimensions of the table
    AGENT = auto()  # with the dimensions of the table, and any others


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kept:
    """A metric of a resource. `beside` are the dimensions that it bears beside the resource's own.

    Each row of the table is equal to itself alone: comparing all fields took half the time of a large fleet.
    """

    resource: Resource
    measure: Measure
    namespace: str
    metric: str
    statistic: str = "Average"
    unit: Unit = Unit.AS_IS
    use: Use = Use.BOTH
    source: Source = Source.SERVICE
    beside: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.namespace} {self.metric}"

    @property
    def looked_up(self) -> bool:
        return bool(self.beside) or self.source is not Source.SERVICE

    def owner(self, dimensions: Mapping[str, str]) -> tuple[str, ...]:
        """Whose it is, by the values of the resource's own dimensions."""
        return tuple(dimensions[name] for name in self.resource.dimensions)

    def fits(self, dimensions: Mapping[str, str]) -> bool:
        """Whether these are the dimensions that this metric of such a resource bears."""
        exact = {*self.resource.dimensions, *self.beside}
        return self.resource.fits(dimensions) and (self.source is Source.AGENT or set(dimensions) == exact)


def _kept(
    resource: Resource,
    measure: Measure,
    name: str,
    statistic: str = "Average",
    *,
    unit: Unit = Unit.AS_IS,
    use: Use = Use.BOTH,
    source: Source = Source.SERVICE,
    beside: tuple[str, ...] = (),
) -> Kept:
    namespace, _, metric = name.partition(" ")
    return Kept(
        resource=resource,
        measure=measure,
        namespace=namespace,
        metric=metric,
        statistic=statistic,
        unit=unit,
        use=use,
        source=source,
        beside=beside,
    )


_NODE = ("CacheNodeId",)
_TARGETS = ("TargetGroup",)

KEPT = (
    _kept(INSTANCE, Measure.CPU, "AWS/EC2 CPUUtilization"),
    _kept(INSTANCE, Measure.MEMORY, "CWAgent mem_used_percent", source=Source.AGENT),
    _kept(
        INSTANCE, Measure.MEMORY, "CWAgent Memory % Committed Bytes In Use", source=Source.AGENT
    ),  # on Windows
    _kept(INSTANCE, Measure.DISK, "CWAgent disk_used_percent", source=Source.AGENT),
    _kept(
        INSTANCE,
        Measure.DISK,
        "CWAgent LogicalDisk % Free Space",
        source=Source.AGENT,
        unit=Unit.PERCENT_FREE,
    ),  # on Windows
    _kept(INSTANCE, Measure.NETWORK, "AWS/EC2 NetworkIn"),
    _kept(INSTANCE, Measure.NETWORK, "AWS/EC2 NetworkOut", use=Use.ALARMS),
    _kept(INSTANCE, Measure.UPTIME, "AWS/EC2 StatusCheckFailed", "Maximum"),
    _kept(INSTANCE, Measure.UPTIME, "AWS/EC2 StatusCheckFailed_Instance", "Maximum", use=Use.ALARMS),
    _kept(INSTANCE, Measure.UPTIME, "AWS/EC2 StatusCheckFailed_System", "Maximum", use=Use.ALARMS),
    # A volume does not know how full it is: the machine's agent does.
    _kept(VOLUME, Measure.DISK, "AWS/EBS VolumeQueueLength", unit=Unit.OTHER),
    _kept(VOLUME, Measure.DISK, "AWS/EBS VolumeStalledIOCheck", "Maximum", unit=Unit.OTHER, use=Use.ALARMS),
    _kept(DATABASE, Measure.CPU, "AWS/RDS CPUUtilization"),
    _kept(DATABASE, Measure.MEMORY, "AWS/RDS FreeableMemory"),
    _kept(DATABASE, Measure.DISK, "AWS/RDS FreeStorageSpace"),
    _kept(DATABASE, Measure.DISK, "AWS/RDS FreeLocalStorage"),  # Aurora
    _kept(DATABASE, Measure.NETWORK, "AWS/RDS NetworkReceiveThroughput"),
    _kept(DATABASE, Measure.NETWORK, "AWS/RDS NetworkTransmitThroughput", use=Use.ALARMS),
    _kept(DATABASE, Measure.UPTIME, "AWS/RDS DatabaseConnections", unit=Unit.OTHER),
    _kept(DATABASE, Measure.UPTIME, "AWS/RDS EngineUptime", "Minimum"),  # Aurora and its sisters
    _kept(DATABASE_CLUSTER, Measure.CPU, "AWS/RDS CPUUtilization"),
    _kept(DATABASE_CLUSTER, Measure.MEMORY, "AWS/RDS FreeableMemory"),
    _kept(DATABASE_CLUSTER, Measure.UPTIME, "AWS/RDS DatabaseConnections", unit=Unit.OTHER),
    _kept(DATABASE_CLUSTER, Measure.UPTIME, "AWS/RDS EngineUptime", "Minimum"),
    # Of the cluster and of each of its nodes.
    _kept(CACHE, Measure.CPU, "AWS/ElastiCache CPUUtilization"),
    _kept(CACHE, Measure.CPU, "AWS/ElastiCache CPUUtilization", beside=_NODE, use=Use.ALARMS),
    _kept(CACHE, Measure.CPU, "AWS/ElastiCache EngineCPUUtilization", use=Use.ALARMS),
    _kept(CACHE, Measure.CPU, "AWS/ElastiCache EngineCPUUtilization", beside=_NODE, use=Use.ALARMS),
    _kept(CACHE, Measure.MEMORY, "AWS/ElastiCache DatabaseMemoryUsagePercentage"),
    _kept(
        CACHE, Measure.MEMORY, "AWS/ElastiCache DatabaseMemoryUsagePercentage", beside=_NODE, use=Use.ALARMS
    ),
    _kept(CACHE, Measure.MEMORY, "AWS/ElastiCache FreeableMemory"),  # Memcached
    _kept(CACHE, Measure.NETWORK, "AWS/ElastiCache NetworkBytesIn"),
    _kept(CACHE, Measure.UPTIME, "AWS/ElastiCache CurrConnections", unit=Unit.OTHER),
    _kept(ECS_SERVICE, Measure.CPU, "AWS/ECS CPUUtilization"),
    _kept(ECS_SERVICE, Measure.MEMORY, "AWS/ECS MemoryUtilization"),
    # As many samples a minute as tasks run; Container Insights counts them itself.
    _kept(ECS_SERVICE, Measure.UPTIME, "AWS/ECS CPUUtilization", "SampleCount"),
    _kept(ECS_SERVICE, Measure.UPTIME, "ECS/ContainerInsights RunningTaskCount", source=Source.ADD_ON),
    _kept(EKS_CLUSTER, Measure.CPU, "ContainerInsights node_cpu_utilization", source=Source.ADD_ON),
    _kept(EKS_CLUSTER, Measure.MEMORY, "ContainerInsights node_memory_utilization", source=Source.ADD_ON),
    _kept(EKS_CLUSTER, Measure.UPTIME, "ContainerInsights cluster_failed_node_count", source=Source.ADD_ON),
    _kept(FUNCTION, Measure.ERRORS, "AWS/Lambda Errors", "Sum"),
    _kept(FUNCTION, Measure.LATENCY, "AWS/Lambda Duration", unit=Unit.MILLISECONDS),
    _kept(FUNCTION, Measure.THROTTLES, "AWS/Lambda Throttles", "Sum"),
    # Codes are counted only when they occur, requests whenever there are any.
    _kept(APPLICATION_BALANCER, Measure.ERRORS, "AWS/ApplicationELB RequestCount", "Sum", use=Use.READING),
    _kept(
        APPLICATION_BALANCER,
        Measure.ERRORS,
        "AWS/ApplicationELB HTTPCode_ELB_5XX_Count",
        "Sum",
        use=Use.ALARMS,
    ),
    _kept(
        APPLICATION_BALANCER,
        Measure.ERRORS,
        "AWS/ApplicationELB HTTPCode_Target_5XX_Count",
        "Sum",
        use=Use.ALARMS,
    ),
    _kept(APPLICATION_BALANCER, Measure.LATENCY, "AWS/ApplicationELB TargetResponseTime"),
    _kept(
        APPLICATION_BALANCER, Measure.HEALTHY_TARGETS, "AWS/ApplicationELB HealthyHostCount", beside=_TARGETS
    ),
    _kept(
        APPLICATION_BALANCER,
        Measure.HEALTHY_TARGETS,
        "AWS/ApplicationELB UnHealthyHostCount",
        beside=_TARGETS,
        unit=Unit.OTHER,
        use=Use.ALARMS,
    ),
    _kept(NETWORK_BALANCER, Measure.ERRORS, "AWS/NetworkELB TCP_Target_Reset_Count", "Sum"),
    _kept(NETWORK_BALANCER, Measure.HEALTHY_TARGETS, "AWS/NetworkELB HealthyHostCount", beside=_TARGETS),
    _kept(
        NETWORK_BALANCER,
        Measure.HEALTHY_TARGETS,
        "AWS/NetworkELB UnHealthyHostCount",
        beside=_TARGETS,
        unit=Unit.OTHER,
        use=Use.ALARMS,
    ),
)
"""Where each measure of each sort of resource is. Where several are, whichever has the newest value counts."""

_PARTS = ("path", "instance", "device")
"""What an agent tells file systems apart by, on Linux and on Windows."""
_NO_DISKS = frozenset(
    {"tmpfs", "devtmpfs", "ramfs", "squashfs", "overlay", "iso9660", "efivarfs", "fuse.lxcfs"}
)
"""Without a disk of their own, or full by nature."""

Dimensions = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One metric of one resource, with all its dimensions."""

    of: Named
    kept: Kept
    dimensions: Dimensions


def read_metrics(place: Place, components: Iterable[Component], at: datetime) -> list[MetricReading]:
    """The newest value of each measure of those components that lie in this account and region.

    A metric that is known there and had no value in the last three hours has no time. One that was never sent has no
    reading at all.
    """
    here = [
        one
        for one in map(named, components)
        if one and (one.account, one.region) == (place.account, place.region)
    ]
    sisters = dict(_sisters(place, here))
    active, quiet = _look_up(place, here)
    newest = _newest(place, chain(_fixed(here, sisters), active), at)
    found: dict[tuple[str, Measure], MetricReading] = {}
    for one, last_at in chain(newest, ((each, None) for each in quiet)):
        reading = MetricReading(
            identity=one.of.identity,
            measure=one.kept.measure,
            metric=one.kept.name,
            last_at=last_at,
            interval=PERIOD,
        )
        key = (one.of.identity.value, one.kept.measure)
        if key not in found or _later(last_at, found[key].last_at):
            found[key] = reading
    return list(found.values())


def list_dimensions(place: Place, kept: Kept, *, active: bool) -> Iterator[dict[str, str]]:
    """The dimensions with which a metric exists: was sent in the last two weeks, or about three hours when `active`."""
    recently: dict[str, Any] = {"RecentlyActive": "PT3H"} if active else {}
    for one in place.every(
        "cloudwatch",
        "list_metrics",
        "Metrics",
        Namespace=kept.namespace,
        MetricName=kept.metric,
        **recently,
    ):
        yield {each["Name"]: each["Value"] for each in one.get("Dimensions", ())}


def part_of(kept: Kept, dimensions: Mapping[str, str]) -> str:
    """Which file system, node or target group these dimensions are of; "" for the whole, and for what is no disk."""
    if kept.source is not Source.AGENT:
        return " ".join(dimensions[name] for name in kept.beside)
    if dimensions.get("fstype", "").lower() in _NO_DISKS:
        return ""
    return next((dimensions[name] for name in _PARTS if dimensions.get(name)), "")


def _fixed(here: Iterable[Named], sisters: Mapping[str, str]) -> Iterator[Series]:
    """What has the dimensions of the table, one at a time: a large fleet has hundreds of thousands."""
    for one in here:
        namespace, dimensions = sisters.get(one.identity.value), tuple(one.dimensions.items())
        for kept in _readable(one.resource):
            if not kept.looked_up:
                its = replace(kept, namespace=namespace) if namespace else kept
                yield Series(of=one, kept=its, dimensions=dimensions)


def _sisters(place: Place, here: Iterable[Named]) -> Iterator[tuple[str, str]]:
    """The namespace of each database that is kept apart, by its ARN, which does not tell."""
    resources = {one.resource for one in here}
    for resource, operation, key, arn in (
        (DATABASE, "describe_db_instances", "DBInstances", "DBInstanceArn"),
        (DATABASE_CLUSTER, "describe_db_clusters", "DBClusters", "DBClusterArn"),
    ):
        if resource in resources:
            for told in place.every("rds", operation, key, size=100):
                if told["Engine"] in SISTERS:
                    yield told[arn], SISTERS[told["Engine"]]


@cache
def _readable(resource: Resource) -> tuple[Kept, ...]:
    return tuple(kept for kept in KEPT if kept.resource is resource and kept.use is not Use.ALARMS)


def _look_up(place: Place, here: Sequence[Named]) -> tuple[list[Series], list[Series]]:
    """What is active of the metrics that have to be looked up; and what is known, and no longer active."""
    wanted = {
        (kept, tuple(one.dimensions.values())): one
        for one in here
        for kept in _readable(one.resource)
        if kept.looked_up
    }
    active = _known(place, wanted, active=True)
    have = {(one.of.identity, one.kept.measure) for one in active}
    without = {key: one for key, one in wanted.items() if (one.identity, key[0].measure) not in have}
    return active, _known(place, without, active=False)


def _known(
    place: Place, wanted: Mapping[tuple[Kept, tuple[str, ...]], Named], *, active: bool
) -> list[Series]:
    found: dict[tuple[str, Kept], list[Dimensions]] = {}
    owners = {one.identity.value: one for one in wanted.values()}
    for kept in dict.fromkeys(kept for kept, _ in wanted):
        for dimensions in list_dimensions(place, kept, active=active):
            if kept.fits(dimensions) and (owner := wanted.get((kept, kept.owner(dimensions)))):
                of_one = found.setdefault((owner.identity.value, kept), [])
                of_one.append(tuple(dimensions.items()))
    return [
        Series(of=owners[owner], kept=kept, dimensions=one)
        for (owner, kept), every in found.items()
        for one in _roots(every)
    ]


def _roots(every: Sequence[Dimensions]) -> Sequence[Dimensions]:
    """An agent sends all its file systems together, so the root's says enough, when there is one."""
    return [one for one in every if ("path", "/") in one] or every


def _newest(place: Place, series: Iterator[Series], at: datetime) -> Iterator[tuple[Series, datetime | None]]:
    """Each with the end of its newest period that has a value; nothing about those that CloudWatch did not answer."""
    seconds = int(PERIOD.total_seconds())
    start = datetime.fromtimestamp(int((at - WINDOW).timestamp()) // seconds * seconds, UTC)
    while batch := {f"m{number}": one for number, one in enumerate(islice(series, MOST_QUERIES))}:
        queries = [_query(name, one, seconds) for name, one in batch.items()]
        failures = len(place.aws.failures)
        place.aws.metrics_asked += len(queries)
        times: dict[str, list[datetime]] = {}
        whole: dict[str, bool] = {}
        for result in place.every(
            "cloudwatch",
            "get_metric_data",
            "MetricDataResults",
            MetricDataQueries=queries,
            StartTime=start,
            EndTime=at,
            ScanBy="TimestampDescending",
        ):
            times.setdefault(result["Id"], []).extend(result.get("Timestamps", ()))
            whole[result["Id"]] = result.get("StatusCode") == "Complete"
        for name, one in batch.items():
            if newest := max(times.get(name, ()), default=None):
                yield one, min(newest.astimezone(UTC) + PERIOD, at)
            elif whole.get(name):
                yield one, None
        if len(place.aws.failures) > failures:
            return
        if cut := sum(not whole.get(name) for name in batch):
            place.incomplete("cloudwatch:GetMetricData", f"{cut} of {len(batch)} metrics were left out")


def _query(name: str, one: Series, seconds: int) -> dict[str, Any]:
    dimensions = [{"Name": key, "Value": value} for key, value in one.dimensions]
    metric = {"Namespace": one.kept.namespace, "MetricName": one.kept.metric, "Dimensions": dimensions}
    stat = {"Metric": metric, "Period": seconds, "Stat": one.kept.statistic}
    return {"Id": name, "MetricStat": stat, "ReturnData": True}


def _later(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and (other is None or one > other)
