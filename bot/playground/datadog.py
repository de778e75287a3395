"""A small Datadog that remembers a fleet: hosts, deployments, monitors, and what keeps these from speaking.

It knows no HTTP: `answer` takes a request and gives (status, body). With `refuses` it knows no key any more, and with
`loses_a_page` its list of hosts ends before all were told. The answers of hosts, monitors, notification rules
and webhooks have the fields of DataDog/datadog-api-client-python's cassettes; those of containers, timeseries,
downtimes, users and integrations the fields of its models.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from bot.playground.graphs import draw_graph, wave

Body = dict[str, Any]
Query = Mapping[str, str]

API_KEY = "an api key"
APP_KEY = "an app key"
INTEGRATION = "/api/v1/integration"
DASHBOARD = "/api/v1/dashboard"
SNAPSHOTS = "/snapshot/view/dd-snapshots-prod"
REMEMBERED = timedelta(hours=3)
"""How long a host is listed after it was last heard: https://docs.datadoghq.com/api/latest/hosts/"""
_QUERY = re.compile(r"(?:\w+:)?(?P<metric>[\w.]+)\{(?P<scope>[^}]*)\}(?: by \{(?P<by>[^}]*)\})?")
_STATES = {"Triggered": "Alert", "Re-Triggered": "Alert", "No Data": "No Data", "Recovered": "OK"}


@dataclass
class FakeDatadog:
    """`clock` is asked for every time. `silent` and `stale` are (host, metric) pairs, `webhooks` addresses by name.

    `stopped` are the hosts whose agent is silent, with the time (ISO 8601) since when.
    """

    clock: Callable[[], datetime]
    hosts: list[Body] = field(default_factory=list)
    groups: list[Body] = field(default_factory=list)
    monitors: list[Body] = field(default_factory=list)
    downtimes: list[Body] = field(default_factory=list)
    rules: list[Body] = field(default_factory=list)
    users: list[Body] = field(default_factory=list)
    channels: dict[str, list[str]] = field(default_factory=dict)
    services: set[str] = field(default_factory=set)
    webhooks: dict[str, str] = field(default_factory=dict)
    dashboards: list[Body] = field(default_factory=list)
    address: str = ""
    """Under which its snapshots are found."""
    silent: set[tuple[str, str]] = field(default_factory=set)
    stale: set[tuple[str, str]] = field(default_factory=set)
    stopped: dict[str, str] = field(default_factory=dict)
    refuses: bool = False
    loses_a_page: bool = False

    # What is kept over a restart
    def dump(self) -> Body:
        """Everything, as JSON."""
        sets = {name: sorted(getattr(self, name)) for name in _SETS}
        return {name: getattr(self, name) for name in _KEPT} | sets

    def restore(self, stored: Body) -> None:
        for name in _KEPT:
            setattr(self, name, stored.get(name, getattr(self, name)))
        for name in _SETS:
            setattr(self, name, {tuple(one) if isinstance(one, list) else one for one in stored[name]})

    # What it is asked
    def answer(self, path: str, query: Query, headers: Mapping[str, str], body: Any) -> tuple[int, Any]:
        """`headers` by their names in lower case; `body` is the JSON of a POST."""
        keys = headers.get("dd-api-key"), headers.get("dd-application-key")
        if self.refuses or keys != (API_KEY, APP_KEY):
            return 403, {"errors": ["Forbidden"]}
        found = self._found(path, query, body)
        return (404, {"errors": ["Not found"]}) if found is None else (200, found)

    def _found(self, path: str, query: Query, body: Any) -> Any:
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
            "/api/v1/dashboard": lambda: self._dashboards(int(query["start"]), int(query["count"])),
            "/api/v1/query": lambda: self._points(query["query"], int(query["from"]), int(query["to"])),
            "/api/v1/graph/snapshot": lambda: self._snapshot(query),
        }
        if path.startswith(f"{DASHBOARD}/"):
            return next((one for one in self.dashboards if path == f"{DASHBOARD}/{one['id']}"), None)
        return rows[path]() if path in rows else None

    def _hosts(self, start: int, count: int) -> Body:
        forgotten = self.clock() - REMEMBERED
        known = [one for one in self.hosts if self._heard(one["host_name"]) > forgotten]
        told = known[:-1] if self.loses_a_page else known
        return host_list(told[start : start + count], of=len(known))

    def _heard(self, host: str) -> datetime:
        """When it was last heard."""
        return datetime.fromisoformat(self.stopped[host]) if host in self.stopped else self.clock()

    def _downtimes(self, start: int, count: int) -> Body:
        return {"data": self.downtimes[start : start + count]}

    def _users(self, query: Query) -> Body:
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
        url = self.webhooks.get(name)
        return {"name": name, "url": url, "encode_as": "json"} if url else None

    # Dashboards and their graphs
    def _dashboards(self, start: int, count: int) -> Body:
        """Without what is on them: that is asked one by one."""
        told = [
            {name: value for name, value in one.items() if name not in {"widgets", "template_variables"}}
            for one in self.dashboards
        ]
        return {"dashboards": told[start : start + count]}

    def _points(self, queries: str, start: int, end: int) -> Body:
        """A value a minute of every host that a query is about, as long as it is heard."""
        series = []
        for query in _QUERY.finditer(queries):
            metric, scope, by = query["metric"], query["scope"], query["by"] or ""
            wanted = {tag for tag in scope.split(",") if tag != "*"}
            for one in self.hosts:
                name, tags = one["host_name"], set(one["tags_by_source"]["Datadog"])
                if not wanted <= tags or (name, metric) in self.silent:
                    continue
                until = min(end, int(self._heard(name).timestamp()))
                until -= 900 if (name, metric) in self.stale else 0
                points = [[at * 1000, wave(name, metric, at)] for at in range(start, until + 1, 60)]
                told = f"host:{name}" if "host" in by else scope
                series.append({"metric": metric, "scope": told, "pointlist": points, "tag_set": [told]})
        return {"status": "ok", "query": queries, "series": series, "error": ""}

    def _snapshot(self, query: Query) -> Body:
        """Its address tells what to draw: nothing has to be remembered."""
        asked = {name: query[name] for name in ("start", "end", "title", "graph_def", "width", "height")}
        url = f"{self.address}{SNAPSHOTS}/org-321813/graph.png?{urlencode(asked)}"
        return {"snapshot_url": url, "graph_def": query["graph_def"]}

    def picture(self, query: Query) -> bytes:
        """The snapshot at such an address, as PNG."""
        asked = [one["q"] for one in json.loads(query["graph_def"])["requests"]]
        rows = [
            row
            for each in asked
            for row in self._points(each, int(query["start"]), int(query["end"]))["series"]
        ]
        lines = {row["scope"].removeprefix("host:"): row["pointlist"] for row in rows}
        span = int(query["start"]) * 1000, int(query["end"]) * 1000
        return draw_graph(query["title"], lines, span, size=(int(query["width"]), int(query["height"])))

    def _series(self, asked: Any) -> Body:
        [metric, by] = re.fullmatch(r"avg:([\w.]+)\{\*\} by \{(.*)\}", asked["queries"][0]["query"]).groups()  # type: ignore[union-attr]
        times = list(range(asked["from"], asked["to"], asked["interval"]))
        names = [one["host_name"] for one in self.hosts] if by == "host" else []
        series, values = [], []
        for name in names:
            if (name, metric) not in self.silent:
                until = self._heard(name).timestamp() * 1000
                known = sum(at <= until for at in times)
                heard = min(known, len(times) - (15 if (name, metric) in self.stale else 1))
                series.append({"group_tags": [f"host:{name}"], "query_index": 0, "unit": None})
                values.append([1.5] * heard + [None] * (len(times) - heard))
        for group in self.groups if by != "host" else []:
            tags = [f"{name}:{value}" for name, value in group["attributes"]["tags"].items()]
            series.append({"group_tags": tags, "query_index": 0, "unit": None})
            values.append([1] * len(times))
        attributes = {"series": series, "times": times, "values": values}
        return {"data": {"id": "0", "type": "timeseries_response", "attributes": attributes}}

    # What happens there
    def adopt(self, told: Mapping[str, str]) -> None:
        """A problem of which the bot is told elsewhere (by a sample) stands here as well."""
        state = _STATES.get(told["transition"])
        if state is None or told["title"].startswith("[TEST]"):
            return
        number = int(told["monitor_id"])
        found = next((one for one in self.monitors if one["id"] == number), None) or self.monitor(
            id=number,
            name=told["title"].rpartition("] ")[2],
            message=told["text"],
            query=told["query"],
            priority=int(told["priority"][1:]),
            options={"thresholds": {}, "silenced": {}, "notify_no_data": True},
            state={"groups": {}},
        )
        groups, at = found["state"]["groups"], int(self.clock().timestamp())
        if state == "OK":
            groups.pop(told["scope"], None)
        else:
            since = "last_nodata_ts" if state == "No Data" else "last_triggered_ts"
            groups[told["scope"]] = {"name": told["scope"], "status": state, since: at}

    # What is there
    def dashboard(self, title: str, graphs: Mapping[str, str], **facts: Any) -> Body:
        """`graphs` are queries by their titles."""
        number = len(self.dashboards)
        widgets = [
            {
                "id": 4_000_000 + 100 * number + at,
                "definition": {
                    "title": name,
                    "type": "timeseries",
                    "requests": [
                        {
                            "response_format": "timeseries",
                            "queries": [{"data_source": "metrics", "name": "query1", "query": query}],
                            "formulas": [{"formula": "query1"}],
                            "display_type": "line",
                        }
                    ],
                },
            }
            for at, (name, query) in enumerate(graphs.items())
        ]
        identity = f"{_letters(number)}-abc-{_letters(number)}"
        made = {
            "id": identity,
            "title": title,
            "description": None,
            "author_handle": "ana@northwind.example",
            "author_name": None,
            "layout_type": "ordered",
            "url": f"/dashboard/{identity}/{title.lower().replace(' ', '-')}",
            "is_read_only": False,
            "template_variables": [],
            "widgets": widgets,
            "created_at": "2026-05-03T13:03:44.905085+00:00",
            "modified_at": "2026-05-03T13:03:44.905085+00:00",
        } | facts
        self.dashboards.append(made)
        return made

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
                "last_reported_time": int(self.clock().timestamp()),
                "tags_by_source": {"Datadog": [*tags, f"host:{name}"]},
            }
            | facts
        )

    def deployment(self, cluster: str, namespace: str, name: str) -> None:
        tags = {"kube_cluster_name": cluster, "kube_namespace": namespace, "kube_deployment": name}
        self.groups.append({"type": "container_group", "id": name, "attributes": {"count": 3, "tags": tags}})

    def monitor(self, **facts: Any) -> Body:
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
        start = self.clock() - timedelta(hours=1)
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


def host_list(page: list[Body], *, of: int) -> Body:
    counted = {"total_returned": len(page), "total_matching": of}
    return {"host_list": page, "exact_total_matching": True, **counted}


_SETS = ("services", "silent", "stale")
_KEPT = (
    *("dashboards", "hosts", "groups", "monitors", "downtimes", "rules", "users", "channels", "webhooks"),
    *("stopped", "refuses", "loses_a_page"),
)


def _page(rows: list[Any], number: int, size: int) -> list[Any]:
    return rows[number * size : (number + 1) * size]


def _letters(number: int) -> str:
    """As in Datadog's ids: "aaa", "aab" and so on."""
    return "".join(chr(97 + number // 26**place % 26) for place in (2, 1, 0))
