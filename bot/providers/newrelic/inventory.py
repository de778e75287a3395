"""Which hosts and Kubernetes deployments report to New Relic.

https://docs.newrelic.com/docs/apis/nerdgraph/examples/nerdgraph-entities-api-tutorial/
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from bot.domain.component import Component, Identity, Kind
from bot.providers.contract import Pulled, line
from bot.providers.newrelic.nerdgraph import Data, Visit
from bot.providers.newrelic.settings import NewRelicSettings

NEEDED = "access to the account's infrastructure"
KINDS = {"HOST": Kind.HOST, "KUBERNETES_DEPLOYMENT": Kind.SERVICE}
SERVICE_TAGS = ("k8s.clusterName", "k8s.namespaceName", "k8s.deploymentName")
QUERY = """\
query ($search: String!, $cursor: String) {
  actor { entitySearch(query: $search) { results(cursor: $cursor) {
    nextCursor
    entities { guid name domain type entityType accountId reporting tags { key values } }
  } } }
}"""
_HOST_TAGS = ("hostname", "fullHostname", "host.hostname")
_INSTANCE_TAGS = ("instanceId", "ec2InstanceId", "aws.ec2InstanceId", "host.id")
_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")


def list_components(settings: NewRelicSettings, at: datetime) -> Pulled[Component]:
    visit = Visit(settings)
    kinds = ", ".join(f"'{kind}'" for kind in KINDS)
    rows, whole = visit.every(
        "which hosts exist",
        NEEDED,
        QUERY,
        "entitySearch.results",
        "entities",
        search=f"domain = 'INFRA' AND type IN ({kinds}) AND reporting = 'true' AND accountId = {settings.account}",
    )
    found = [component for row in rows if (component := _component(row))]
    return Pulled(items=tuple(found), complete=whole, as_of=at, calls=visit.calls, reason=visit.reason)


def service_identity(names: Iterable[str]) -> Identity:
    """A deployment's name, of its cluster, namespace and own one: the same as other tools make of it."""
    return Identity("name", "/".join(names))


def _component(row: Data) -> Component | None:
    kind, guid, name = KINDS.get(str(row.get("type"))), line(row.get("guid"), 255), line(row.get("name"), 255)
    if not (kind and guid and name):
        return None
    tags = {
        line(tag.get("key"), 255): ",".join(sorted({line(one, 255) for one in tag.get("values") or ()}))
        for tag in row.get("tags") or ()
    }
    identities = {Identity("guid", guid)}
    if kind is Kind.HOST:
        identities |= _names(name, tags)
    elif all(tags.get(one) for one in SERVICE_TAGS):
        identities.add(service_identity(tags[one] for one in SERVICE_TAGS))
        name = f"{tags['k8s.namespaceName']}/{tags['k8s.deploymentName']}"
    return Component(
        kind=kind,
        name=name,
        identities=frozenset(identities),
        sources=frozenset({"newrelic"}),
        account=tags.get("awsAccountId", tags.get("aws.accountId", "")),
        region=tags.get("awsRegion", tags.get("aws.awsRegion", "")),
        tags=tags,
    )


def _names(name: str, tags: Mapping[str, str]) -> set[Identity]:
    hosts = {name, *(tags[tag] for tag in _HOST_TAGS if tag in tags)}
    instances = {tags[tag] for tag in _INSTANCE_TAGS if _INSTANCE.fullmatch(tags.get(tag, ""))}
    return {
        *(Identity("host", one.lower()) for one in hosts if "," not in one),
        *(Identity("instance", one) for one in instances),
    }
