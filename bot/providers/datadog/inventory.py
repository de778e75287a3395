"""Which hosts and Kubernetes deployments Datadog sees now.

Hosts are those that reported within three hours: https://docs.datadoghq.com/api/latest/hosts/
Containers are counted by deployment, since one container lives too briefly to be in scope:
https://docs.datadoghq.com/api/latest/containers/
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from datadog_api_client.v1.api.hosts_api import HostsApi
from datadog_api_client.v2.api.containers_api import ContainersApi

from bot.domain.component import Component, Identity, Kind
from bot.domain.errors import ToolSilent
from bot.providers.contract import Pulled, line
from bot.providers.datadog.client import MOST_PAGES, Data, Visit
from bot.providers.datadog.settings import DatadogSettings

PAGE = 1000
SERVICE_TAGS = ("kube_cluster_name", "kube_namespace", "kube_deployment")
_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")


def list_components(settings: DatadogSettings, at: datetime) -> Pulled[Component]:
    with Visit(settings) as visit:
        found = [*_hosts(visit), *_services(visit)]
        return visit.answer(found, at)


def service_identity(tags: Mapping[str, str]) -> Identity:
    """A deployment's name: clusters may share names of namespaces and deployments."""
    return Identity("name", "/".join(tags.get(name, "") for name in SERVICE_TAGS))


def host_identity(name: str) -> Identity:
    """A machine in AWS may be known by nothing but its id."""
    return Identity("instance" if _INSTANCE.fullmatch(name) else "host", name)


def tags_of(written: Iterable[object]) -> dict[str, str]:
    """From "name:value" each; several values of a name stand side by side, a tag without a value has ""."""
    found: dict[str, list[str]] = {}
    for tag in written:
        name, _, value = str(tag).partition(":")
        if value not in found.setdefault(name, []):
            found[name].append(value)
    return {name: ",".join(sorted(values)) for name, values in found.items()}


def _hosts(visit: Visit) -> list[Component]:
    api = HostsApi(visit.client)  # type: ignore[no-untyped-call]
    totals = [0]

    def page(number: int) -> object:
        answer = visit.ask(
            "which hosts exist",
            "hosts_read",
            api.list_hosts,
            start=number * PAGE,
            count=PAGE,
            include_hosts_metadata=False,
        )
        if (answer or {}).get("exact_total_matching"):
            totals.append(int(answer.get("total_matching") or 0))
        return (answer or {}).get("host_list")

    rows, whole = visit.every("which hosts exist", page, size=PAGE)
    # Hosts that come and go between two pages move the others across the edge.
    if whole and len(rows) < (most := max(totals)):
        visit.note(
            f"Datadog counts {most:,} hosts and listed {len(rows):,}: some slipped between two pages."
            " socmon asks again at the next collection."
        )
    return [_host(row) for row in rows if row.get("name") or row.get("host_name")]


def _host(row: Data) -> Component:
    name = line(row.get("host_name") or row.get("name"), 255).lower()
    by_source = row.get("tags_by_source") or {}
    tags = tags_of(tag for given in by_source.values() for tag in given or ())
    names = {
        name,
        *(line(given, 255).lower() for given in (row.get("name"), *(row.get("aliases") or ())) if given),
    }
    return Component(
        kind=Kind.HOST,
        name=name,
        identities=frozenset(map(host_identity, names)),
        sources=frozenset({"datadog"}),
        account=tags.get("aws_account", tags.get("account_id", "")).partition(",")[0],
        region=tags.get("region", "").partition(",")[0],
        tags={**tags, "host": ",".join(sorted({name, *filter(None, tags.get("host", "").split(","))}))},
    )


def _services(visit: Visit) -> list[Component]:
    api = ContainersApi(visit.client)  # type: ignore[no-untyped-call]
    about, cursor, found = "which containers run", "", list[Data]()
    for _ in range(MOST_PAGES):
        arguments = {"page_cursor": cursor} if cursor else {}
        try:
            answer = visit.ask(
                about,
                "",
                api.list_containers,
                group_by=",".join(SERVICE_TAGS),
                page_size=PAGE,
                **arguments,
            )
        except ToolSilent as error:
            visit.note(str(error))
            break
        rows = (answer or {}).get("data") or []
        found += rows
        cursor = (((answer or {}).get("meta") or {}).get("pagination") or {}).get("next_cursor") or ""
        if not (cursor and rows):
            break
    else:
        visit.note(
            f"Datadog did not say all of {about}: {len(found):,} groups were read, and no more asked for."
        )
    return [service for row in found if (service := _service(row))]


def _service(row: Data) -> Component | None:
    """None for containers that belong to no deployment."""
    given = (row.get("attributes") or {}).get("tags") or {}
    tags = {name: line(given.get(name), 255) for name in SERVICE_TAGS}
    if not tags["kube_deployment"]:
        return None
    return Component(
        kind=Kind.SERVICE,
        name=f"{tags['kube_namespace']}/{tags['kube_deployment']}",
        identities=frozenset({service_identity(tags)}),
        sources=frozenset({"datadog"}),
        tags=tags,
    )
