"""What runs in AWS: asked of each service itself, since the tagging API leaves out what has no tags.

Tags come with the answer where the service gives them, else from the tagging API, a hundred resources a request.
https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from bot.domain.component import Component, Identity, Kind
from bot.providers.cloudwatch.aws import Place
from bot.providers.cloudwatch.resources import ECS_SERVICE, EKS_CLUSTER, INSTANCE, VOLUME, Resource
from bot.providers.cloudwatch.settings import NAME
from bot.providers.contract import text

Data = Mapping[str, Any]

# Not those that are gone, or on their way: a machine that stands still still exists.
_STATES = ["pending", "running", "stopping", "stopped"]
_TAGGED_ELSEWHERE = {
    "ecs:service": "ecs",
    "eks:cluster": "eks",
    "lambda:function": "lambda",
    "elasticloadbalancing:loadbalancer": "elasticloadbalancing",
    "elasticache:cluster": "elasticache",
}


def list_components(place: Place) -> list[Component]:
    """Everything of the sorts that socmon knows how to watch, in one account and region."""
    found = [
        *_instances(place),
        *_volumes(place),
        *_databases(place),
        *_services(place),
        *_clusters(place),
        *_functions(place),
        *_balancers(place),
        *_caches(place),
    ]
    return _with_tags(place, found)


def _instances(place: Place) -> Iterator[Component]:
    states = [{"Name": "instance-state-name", "Values": _STATES}]
    for reservation in place.every("ec2", "describe_instances", "Reservations", size=1000, Filters=states):
        for one in reservation.get("Instances", ()):
            name = one["InstanceId"]
            arn = _arn(place, INSTANCE, InstanceId=name)
            # Its private DNS name is no identity: networks of the same addresses give the same one twice.
            yield _component(place, Kind.HOST, arn, name, _pairs(one.get("Tags")), Identity("instance", name))


def _volumes(place: Place) -> Iterator[Component]:
    for one in place.every("ec2", "describe_volumes", "Volumes", size=500):
        name = one["VolumeId"]
        yield _component(
            place, Kind.VOLUME, _arn(place, VOLUME, VolumeId=name), name, _pairs(one.get("Tags"))
        )


def _databases(place: Place) -> Iterator[Component]:
    """Neptune and DocumentDB too: RDS tells of them."""
    for one in place.every("rds", "describe_db_instances", "DBInstances", size=100):
        yield _component(
            place,
            Kind.DATABASE,
            one["DBInstanceArn"],
            one["DBInstanceIdentifier"],
            _pairs(one.get("TagList")),
        )
    for one in place.every("rds", "describe_db_clusters", "DBClusters", size=100):
        yield _component(
            place, Kind.CLUSTER, one["DBClusterArn"], one["DBClusterIdentifier"], _pairs(one.get("TagList"))
        )


def _services(place: Place) -> Iterator[Component]:
    for cluster_arn in place.every("ecs", "list_clusters", "clusterArns", size=100):
        cluster = cluster_arn.rpartition("/")[2]
        for old_or_new in place.every("ecs", "list_services", "serviceArns", size=100, cluster=cluster_arn):
            service = old_or_new.rpartition("/")[2]
            # ARNs of before 2019 leave the cluster out, which the metrics need.
            arn = _arn(place, ECS_SERVICE, ClusterName=cluster, ServiceName=service)
            yield _component(place, Kind.SERVICE, arn, f"{cluster}/{service}")


def _clusters(place: Place) -> Iterator[Component]:
    for name in place.every("eks", "list_clusters", "clusters", size=100):
        yield _component(place, Kind.CLUSTER, _arn(place, EKS_CLUSTER, ClusterName=name), name)


def _functions(place: Place) -> Iterator[Component]:
    for one in place.every("lambda", "list_functions", "Functions", size=50):
        yield _component(place, Kind.FUNCTION, one["FunctionArn"], one["FunctionName"])


def _balancers(place: Place) -> Iterator[Component]:
    for one in place.every("elbv2", "describe_load_balancers", "LoadBalancers", size=400):
        kind = Kind.NETWORK_LOAD_BALANCER if one.get("Type") == "network" else Kind.LOAD_BALANCER
        yield _component(place, kind, one["LoadBalancerArn"], one["LoadBalancerName"])


def _caches(place: Place) -> Iterator[Component]:
    """The nodes of replication groups are clusters of their own."""
    for one in place.every("elasticache", "describe_cache_clusters", "CacheClusters", size=100):
        yield _component(place, Kind.CACHE, one["ARN"], one["CacheClusterId"])


def _component(
    place: Place, kind: Kind, arn: str, name: str, tags: Mapping[str, str] | None = None, *more: Identity
) -> Component:
    return Component(
        kind=kind,
        name=(tags or {}).get("Name") or name,
        identities=frozenset({Identity("arn", arn), *more}),
        sources=frozenset({NAME}),
        account=place.account,
        region=place.region,
        tags=tags or {},
    )


def _with_tags(place: Place, found: Iterable[Component]) -> list[Component]:
    """With those of the services that do not give them, each asked for only where it runs something."""
    components = {one.key.removeprefix("arn:"): one for one in found}
    services = {arn.split(":")[2] for arn, one in components.items() if not one.tags}
    types = [name for name, service in _TAGGED_ELSEWHERE.items() if service in services]
    if types:
        for one in place.every(
            "resourcegroupstaggingapi",
            "get_resources",
            "ResourceTagMappingList",
            size=100,
            ResourceTypeFilters=types,
        ):
            # It remembers resources for a while that are gone.
            if component := components.get(one["ResourceARN"]):
                components[one["ResourceARN"]] = replace(component, tags=_pairs(one["Tags"]))
    return list(components.values())


def _arn(place: Place, resource: Resource, **dimensions: str) -> str:
    return resource.arn(dimensions, partition=place.partition, region=place.region, account=place.account)


def _pairs(tags: Iterable[Data] | None) -> dict[str, str]:
    return {text(one["Key"]): text(one["Value"]) for one in tags or ()}
