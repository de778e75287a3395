"""A Datadog that answers in the shapes of its recordings, for the calls that describe a fleet; faults can be planted.

The answers of hosts, monitors, notification rules and webhooks have the fields of DataDog/datadog-api-client-python's
cassettes; those of containers, timeseries, downtimes, users and integrations the fields of its models.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from bot.providers.contract import Secrets
from bot.providers.datadog.settings import DatadogSettings
from tests.fake_pagerduty import serving

INTEGRATION = "/api/v1/integration"


@dataclass
class FakeDatadog:
    """`silent` and `stale` are (host, metric) pairs; `faults` are statuses that a path answers first, one a request.

    A fault's key is the path, with "?page" after it for all but the first page. `garbage` is what a path answers
    instead of anything sensible. `loses` is a host that leaves the list once its first page was read.
    """

    now: datetime
    hosts: list[dict[str, Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    monitors: list[dict[str, Any]] = field(default_factory=list)
    downtimes: list[dict[str, Any]] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)
    users: list[dict[str, Any]] = field(default_factory=list)
    channels: dict[str, list[str]] = field(default_factory=dict)
    services: set[str] = field(default_factory=set)
    webhooks: dict[str, str] = field(default_factory=dict)
    """Name → address."""
    silent: set[tuple[str, str]] = field(default_factory=set)
    stale: set[tuple[str, str]] = field(default_factory=set)
    faults: dict[str, list[int]] = field(default_factory=dict)
    garbage: dict[str, Any] = field(default_factory=dict)
    loses: str = ""
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def settings(self, **facts: Any) -> DatadogSettings:
        known = {"api_key": "an api key", "app_key": "an app key", "api_url": self.url}
        return DatadogSettings(secrets=Secrets(), **known | facts)

    async def answer(self, request: web.Request) -> web.Response:
        query = request.query
        later = next(
            (name for name in ("start", "page", "page[offset]", "page[number]") if name in query), ""
        )
        key = f"{request.path}?page" if later and query[later] != "0" else request.path
        self.asked.append(key)
        if waiting := self.faults.get(key):
            headers = {"X-RateLimit-Reset": "1"}
            return web.json_response({"errors": ["no"]}, status=waiting.pop(0), headers=headers)
        if request.path in self.garbage:
            return web.json_response(self.garbage[request.path])
        body = await request.json() if request.method == "POST" else {}
        found = self._found(request.path, query, body)
        if found is None:
            return web.json_response({"errors": ["Not found"]}, status=404)
        return web.json_response(found)

    def _found(self, path: str, query: Any, body: Any) -> Any:
        if path.startswith(INTEGRATION):
            return self._integration(path)
        rows: dict[str, Callable[[], Any]] = {
            "/api/v2/query/timeseries": lambda: self._series(body["data"]["attributes"]),
            "/api/v1/hosts": lambda: self._hosts(int(query["start"]), int(query["count"])),
            "/api/v2/containers": lambda: {
                "data": self.groups,
                "meta": {"pagination": {"type": "cursor_limit"}},
            },
            "/api/v1/monitor": lambda: _page(self.monitors, int(query["page"]), int(query["page_size"])),
            "/api/v2/downtime": lambda: self._downtimes(
                int(query["page[offset]"]), int(query["page[limit]"])
            ),
            "/api/v2/monitor/notification_rule": lambda: {
                "data": _page(self.rules, int(query.get("page", 0)), int(query["per_page"]))
            },
            "/api/v2/users": lambda: self._users(query),
        }
        return rows[path]() if path in rows else None

    def _hosts(self, start: int, count: int) -> Any:
        known = len(self.hosts)
        if start == 0 and self.loses:
            # The next pages move up by one: the first of the second page is read by nobody.
            page, self.hosts = self.hosts[:count], [one for one in self.hosts if one["name"] != self.loses]
        else:
            page = self.hosts[start : start + count]
        counted = {"total_returned": len(page), "total_matching": known}
        return {"host_list": page, "exact_total_matching": True, **counted}

    def _downtimes(self, start: int, count: int) -> Any:
        return {"data": self.downtimes[start : start + count]}

    def _users(self, query: Any) -> Any:
        wanted = query["filter[status]"].split(",")
        users = [one for one in self.users if one["attributes"]["status"] in wanted]
        return {"data": _page(users, int(query["page[number]"]), int(query["page[size]"]))}

    def _integration(self, path: str) -> Any:
        kind, name = path.removeprefix(f"{INTEGRATION}/").split("/")[0], path.rsplit("/", 1)[1]
        if kind == "slack":
            account = path.split("/")[-2]
            if account not in self.channels:
                return None
            return [{"name": f"#{one}", "display": {}} for one in self.channels[account]]
        if kind == "pagerduty":
            return {"service_name": name} if name in self.services else None
        return (
            {"name": name, "url": self.webhooks[name], "encode_as": "json"} if name in self.webhooks else None
        )

    def _series(self, asked: Any) -> Any:
        [metric, by] = re.fullmatch(r"avg:([\w.]+)\{\*\} by \{(.*)\}", asked["queries"][0]["query"]).groups()  # type: ignore[union-attr]
        times = list(range(asked["from"], asked["to"], asked["interval"]))
        names = [one["host_name"] for one in self.hosts] if by == "host" else []
        series, values = [], []
        for name in names:
            if (name, metric) not in self.silent:
                heard = len(times) - (15 if (name, metric) in self.stale else 1)
                series.append({"group_tags": [f"host:{name}"], "query_index": 0, "unit": None})
                values.append([1.5] * heard + [None] * (len(times) - heard))
        for group in self.groups if by != "host" else []:
            tags = [f"{name}:{value}" for name, value in group["attributes"]["tags"].items()]
            series.append({"group_tags": tags, "query_index": 0, "unit": None})
            values.append([1] * len(times))
        attributes = {"series": series, "times": times, "values": values}
        return {"data": {"id": "0", "type": "timeseries_response", "attributes": attributes}}

    def host(self, name: str, *tags: str, **facts: Any) -> None:
        self.hosts.append(
            {
                "name": name,
                "host_name": name,
                "aliases": [name],
                "id": len(self.hosts) + 1,
                "up": True,
                "is_muted": False,
                "mute_timeout": None,
                "apps": ["agent"],
                "sources": ["agent"],
                "last_reported_time": int(self.now.timestamp()),
                "tags_by_source": {"Datadog": [*tags, f"host:{name}"]},
            }
            | facts
        )

    def deployment(self, cluster: str, namespace: str, name: str) -> None:
        tags = {"kube_cluster_name": cluster, "kube_namespace": namespace, "kube_deployment": name}
        self.groups.append({"type": "container_group", "id": name, "attributes": {"count": 3, "tags": tags}})

    def monitor(self, **facts: Any) -> dict[str, Any]:
        made = {
            "id": 34822915 + len(self.monitors),
            "org_id": 321813,
            "type": "query alert",
            "name": "CPU is high",
            "message": "Look at it. @slack-ops",
            "tags": ["team:platform"],
            "query": "avg(last_5m):avg:system.cpu.user{env:prod} by {host} > 85",
            "options": {"thresholds": {"critical": 85.0}, "silenced": {}, "notify_no_data": True},
            "multi": True,
            "created": "2021-05-03T13:03:44.905085+00:00",
            "modified": "2026-05-03T13:03:44.905085+00:00",
            "priority": 2,
            "overall_state": "OK",
            "matching_downtimes": [],
        } | facts
        self.monitors.append(made)
        return made

    def downtime(self, scope: str, **about: Any) -> None:
        start = self.now - timedelta(hours=1)
        self.downtimes.append(
            {
                "type": "downtime",
                "id": f"aeefc6a8-15d8-11ee-a8ef-{len(self.downtimes):012d}",
                "attributes": {
                    "scope": scope,
                    "status": "active",
                    "monitor_identifier": about or {"monitor_tags": ["*"]},
                    "schedule": {"start": start.isoformat(), "end": None},
                    "canceled": None,
                },
            }
        )

    def rule(self, *tags: str, **facts: Any) -> None:
        self.rules.append(
            {
                "type": "monitor-notification-rule",
                "id": f"rule-{len(self.rules)}",
                "attributes": {"name": "a rule", "filter": {"tags": list(tags)}} | facts,
            }
        )

    def user(self, email: str, status: str) -> None:
        facts = {"email": email, "handle": email, "status": status, "disabled": status == "Disabled"}
        self.users.append({"type": "users", "id": email, "attributes": facts})


@contextmanager
def fake_datadog(now: datetime) -> Iterator[FakeDatadog]:
    made = FakeDatadog(now=now)
    with serving(made.answer, None) as url:
        made.url = url
        yield made


def _page(rows: list[Any], number: int, size: int) -> list[Any]:
    return rows[number * size : (number + 1) * size]
