"""How AWS names its resources: the ARN that makes one a component, and the dimensions that its metrics bear."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from bot.domain.component import Component, Identity, Kind

_ARN = re.compile(r"arn:(aws[a-z-]{0,20}):([a-z0-9-]+):([a-z0-9-]*):([0-9]*):(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Resource:
    """A sort of resource. `path` is the end of its ARN, with its dimensions in braces.

    `values` are the patterns of those whose values tell this sort from another.
    """

    kind: Kind
    service: str
    path: str
    values: tuple[tuple[str, str], ...] = ()

    @property
    def dimensions(self) -> tuple[str, ...]:
        return tuple(re.findall(r"\{(\w+)\}", self.path))

    def fits(self, dimensions: Mapping[str, str]) -> bool:
        """Whether these (and perhaps others) are the dimensions of such a resource."""
        return all(name in dimensions for name in self.dimensions) and all(
            re.fullmatch(pattern, dimensions[name]) for name, pattern in self.values
        )

    def arn(self, dimensions: Mapping[str, str], *, partition: str, region: str, account: str) -> str:
        return f"arn:{partition}:{self.service}:{region}:{account}:{self.path.format(**dimensions)}"


INSTANCE = Resource(kind=Kind.HOST, service="ec2", path="instance/{InstanceId}")
VOLUME = Resource(kind=Kind.VOLUME, service="ec2", path="volume/{VolumeId}")
DATABASE = Resource(kind=Kind.DATABASE, service="rds", path="db:{DBInstanceIdentifier}")
DATABASE_CLUSTER = Resource(kind=Kind.CLUSTER, service="rds", path="cluster:{DBClusterIdentifier}")
ECS_SERVICE = Resource(kind=Kind.SERVICE, service="ecs", path="service/{ClusterName}/{ServiceName}")
EKS_CLUSTER = Resource(kind=Kind.CLUSTER, service="eks", path="cluster/{ClusterName}")
FUNCTION = Resource(kind=Kind.FUNCTION, service="lambda", path="function:{FunctionName}")
CACHE = Resource(kind=Kind.CACHE, service="elasticache", path="cluster:{CacheClusterId}")
APPLICATION_BALANCER = Resource(
    kind=Kind.LOAD_BALANCER,
    service="elasticloadbalancing",
    path="loadbalancer/{LoadBalancer}",
    values=(("LoadBalancer", r"app/[^/]+/[^/]+"),),
)
NETWORK_BALANCER = Resource(
    kind=Kind.NETWORK_LOAD_BALANCER,
    service="elasticloadbalancing",
    path="loadbalancer/{LoadBalancer}",
    values=(("LoadBalancer", r"net/[^/]+/[^/]+"),),
)

RESOURCES = (
    INSTANCE,
    VOLUME,
    DATABASE,
    DATABASE_CLUSTER,
    ECS_SERVICE,
    EKS_CLUSTER,
    FUNCTION,
    CACHE,
    APPLICATION_BALANCER,
    NETWORK_BALANCER,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A resource by its ARN."""

    identity: Identity
    resource: Resource
    region: str
    account: str
    dimensions: Mapping[str, str] = field(default_factory=dict)


def named(component: Component) -> Named | None:
    """The resource that a component is, by the first of its ARNs that is one; None when AWS does not know it."""
    for identity in sorted(component.identities):
        if identity.space == "arn" and (found := _read(identity)):
            return found
    return None


def _read(identity: Identity) -> Named | None:
    arn = _ARN.fullmatch(identity.value)
    if not arn:
        return None
    _, service, region, account, path = arn.groups()
    for resource in RESOURCES:
        match = _pattern(resource).fullmatch(path) if resource.service == service else None
        if match:
            return Named(
                identity=identity,
                resource=resource,
                region=region,
                account=account,
                dimensions=match.groupdict(),
            )
    return None


@lru_cache(maxsize=len(RESOURCES))
def _pattern(resource: Resource) -> re.Pattern[str]:
    values = dict(resource.values)
    parts = re.split(r"\{(\w+)\}", resource.path)  # text, name, text, name, …
    return re.compile(
        "".join(
            f"(?P<{part}>{values.get(part, '[^/:]+')})" if place % 2 else re.escape(part)
            for place, part in enumerate(parts)
        )
    )
