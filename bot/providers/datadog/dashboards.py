"""Datadog's dashboards: each graph as a snapshot of its queries, beside the newest values of the same queries.

The whole dashboard as PDF takes a licence that not everybody has; snapshots of single graphs any valid key may take:
https://docs.datadoghq.com/api/latest/snapshots/ ("there is some delay before it is available", so its address is asked
until the same picture comes twice).
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from datadog_api_client.v1.api.dashboards_api import DashboardsApi
from datadog_api_client.v1.api.metrics_api import MetricsApi
from datadog_api_client.v1.api.monitors_api import MonitorsApi
from datadog_api_client.v1.api.snapshots_api import SnapshotsApi

from bot.domain.dashboard import Captured, Dashboard, Panel, Trouble, Uncaptured, newest_of
from bot.domain.errors import ToolSilent
from bot.providers.contract import EARLIEST, Pulled, instant, line, text, understood
from bot.providers.datadog.client import Data, Visit
from bot.providers.datadog.settings import DatadogSettings
from bot.providers.picture import picture

NAME = "datadog"
PAGE = 100
MOST_GRAPHS = 24
WIDTH, HEIGHT = 560, 240
TRIES = 12
PAUSE = 1.0
"""Seconds between looks for a snapshot."""
NOTES = {"note": "content", "free_text": "text"}
_PERMISSION = "dashboards_read"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatadogDashboards:
    """Preset dashboards are not listed: Datadog does not return them."""

    settings: DatadogSettings
    pause: float = PAUSE

    def list(self, at: datetime) -> Pulled[Dashboard]:
        return understood("Datadog", lambda: self._list(at), at)

    def capture(self, dashboard: Dashboard, *, start: datetime, end: datetime) -> Captured:
        with Visit(self.settings) as visit:
            try:
                return self._capture(visit, dashboard, start, end)
            except ToolSilent as error:
                raise Uncaptured(Trouble.SILENT, str(error), "It is taken again next time.") from error
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                says = f"Datadog's answer has a form that socmon does not know ({type(error).__name__})."
                raise Uncaptured(Trouble.NO_PICTURE, says, "Report this as a fault of socmon.") from error

    def _list(self, at: datetime) -> Pulled[Dashboard]:
        api: Any = DashboardsApi  # built for each visit
        with Visit(self.settings) as visit:
            made, about = api(visit.client), "which dashboards there are"

            def page(number: int) -> Any:
                asked = {"count": PAGE, "start": number * PAGE}
                answer = visit.ask(about, _PERMISSION, made.list_dashboards, **asked)
                return (answer or {}).get("dashboards")

            rows, whole = visit.every(about, page, size=PAGE)
            account = ""
            if rows:
                try:
                    account = _account(visit)
                except ToolSilent as error:
                    visit.note(str(error))
            return visit.answer((self._dashboard(row, account, at) for row in rows), at, complete=whole)

    def _dashboard(self, row: Data, account: str, at: datetime) -> Dashboard:
        path = text(row.get("url"), 500)
        site = self.settings.site or "datadoghq.com"
        return Dashboard(
            provider=NAME,
            id=text(row["id"], 100),
            title=line(row.get("title")) or text(row["id"], 100),
            url=f"https://app.{site}{path}" if path.startswith("/") else "",
            account=account,
            modified_at=instant(row.get("modified_at"), received_at=at),
        )

    def _capture(self, visit: Visit, dashboard: Dashboard, start: datetime, end: datetime) -> Captured:
        api: Any = DashboardsApi(visit.client)  # type: ignore[no-untyped-call]
        about = f"what is on {dashboard.title}"
        found = visit.ask(about, _PERMISSION, api.get_dashboard, dashboard_id=dashboard.id)
        if found is None:
            raise Uncaptured(
                Trouble.MISSING,
                "Datadog has no such dashboard any more (404).",
                "See whether it was deleted, and choose another one.",
            )
        widgets = list(_widgets(found.get("widgets") or ()))
        variables = _variables(found.get("template_variables") or ())
        panels: list[Panel] = []
        warnings: list[str] = []
        times: list[datetime | None] = []
        shows: set[str] = set()
        for widget in widgets[:MOST_GRAPHS]:
            graph = _graph(widget, variables)
            panels.append(self._panel(visit, graph, start, end))
            if not graph.queries:
                continue
            values = [_values(visit, query, start, end) for query in graph.queries]
            newest = newest_of([at for at, _ in values])
            times.append(newest)
            shows |= {name for _, names in values for name in names}
            if newest is None:
                warnings.append(f"“{graph.title}” has no value in this time.")
            if graph.is_reckoned:
                warnings.append(f"“{graph.title}” is drawn by its queries, without its formulas.")
        if len(widgets) > MOST_GRAPHS:
            warnings.append(f"{len(widgets) - MOST_GRAPHS} more widgets are not on the picture.")
        return Captured(
            panels=tuple(panels),
            account=_account(visit),
            start=start,
            end=end,
            newest_at=newest_of(times),
            tells_age=bool(times),
            shows=frozenset(shows),
            warnings=tuple(warnings),
        )

    def _panel(self, visit: Visit, graph: "_Graph", start: datetime, end: datetime) -> Panel:
        if not graph.queries:
            return Panel(title=graph.title, lines=graph.lines)
        api: Any = SnapshotsApi(visit.client)  # type: ignore[no-untyped-call]
        answer = visit.ask(
            f"where its snapshot of {graph.title} is",
            "",
            api.get_graph_snapshot,
            start=int(start.timestamp()),
            end=int(end.timestamp()),
            graph_def=graph.definition,
            title=f"{graph.title} {end:%Y-%m-%dT%H:%MZ}",
            width=WIDTH,
            height=HEIGHT,
        )
        url = text((answer or {}).get("snapshot_url"), 2000)
        return Panel(title=graph.title, picture=self._settled(url))

    def _settled(self, url: str) -> bytes:
        """The snapshot once it is there and changes no more."""
        last, why = b"", None
        for _ in range(TRIES):
            try:
                found = picture(url, headers={})
            except Uncaptured as error:
                if error.trouble not in _NOT_YET:
                    raise
                last, why = b"", error
            else:
                if found == last:
                    return found
                last, why = found, None
            time.sleep(self.pause)
        raise why or Uncaptured(
            Trouble.HALF_LOADED,
            f"The snapshot was still changing after {TRIES} looks.",
            "It is taken again next time; `/socmon dashboards capture` takes it now.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Graph:
    """A widget: queries where it draws metrics, else `lines` in its place."""

    title: str
    kind: str
    queries: tuple[str, ...] = ()
    is_reckoned: bool = False
    lines: tuple[str, ...] = ()

    @property
    def definition(self) -> str:
        """As the snapshot wants it (https://docs.datadoghq.com/dashboards/graphing_json/)."""
        asked = {"viz": self.kind, "requests": [{"q": query} for query in self.queries]}
        return json.dumps(asked, separators=(",", ":"))


def _widgets(rows: Any) -> Iterator[Data]:
    """All definitions; those in groups after another."""
    for row in rows:
        definition = row.get("definition") or {}
        if definition.get("type") in {"group", "powerpack"}:
            yield from _widgets(definition.get("widgets") or ())
        else:
            yield definition


def _graph(widget: Data, variables: Mapping[str, str]) -> _Graph:
    kind = text(widget.get("type"), 40)
    title = line(widget.get("title"), 120) or kind.replace("_", " ")
    if kind in NOTES:
        said = text(widget.get(NOTES[kind]), 2000)
        return _Graph(title=title, kind=kind, lines=tuple(said.splitlines()))
    requests = widget.get("requests")
    rows = [one for one in requests if isinstance(one, dict)] if isinstance(requests, list) else []
    queries = [_filled(query, variables) for one in rows for query in _queries(one)]
    if not queries:
        return _Graph(
            title=title, kind=kind, lines=(f"Datadog draws no picture of this kind of widget ({kind}).",)
        )
    return _Graph(
        title=title,
        kind="timeseries",  # also of a single value: how it came to that says more than the figure
        queries=tuple(queries),
        is_reckoned=any(_reckons(one) for one in rows),
    )


def _queries(request: Data) -> Iterator[str]:
    if isinstance(request.get("q"), str):
        yield request["q"]
    for one in request.get("queries") or ():
        if one.get("data_source") == "metrics" and isinstance(one.get("query"), str):
            yield one["query"]


def _reckons(request: Data) -> bool:
    names = {one.get("name") for one in request.get("queries") or ()}
    return any(one.get("formula") not in names for one in request.get("formulas") or ())


def _variables(rows: Any) -> Mapping[str, str]:
    """Name → the tag that stands for it, by its defaults; "*" where every one is shown."""
    found = {}
    for row in rows:
        defaults = row.get("defaults") or [row.get("default") or "*"]
        value, prefix = text(defaults[0], 200) or "*", text(row.get("prefix"), 200)
        found[text(row.get("name"), 100)] = f"{prefix}:{value}" if prefix and value != "*" else value
    return found


def _filled(query: str, variables: Mapping[str, str]) -> str:
    for name in sorted(variables, key=len, reverse=True):
        value = variables[name]
        query = query.replace(f"${name}.value", value.rpartition(":")[2])
        query = re.sub(rf"\${re.escape(name)}\b", lambda _found, value=value: value, query)  # type: ignore[misc]
    return query


def _values(visit: Visit, query: str, start: datetime, end: datetime) -> tuple[datetime | None, set[str]]:
    """(the time of the newest value of these queries, what they are of)."""
    api: Any = MetricsApi(visit.client)  # type: ignore[no-untyped-call]
    asked = {"_from": int(start.timestamp()), "to": int(end.timestamp()), "query": query}
    answer = visit.ask("what its graphs draw", "timeseries_query", api.query_metrics, **asked) or {}
    if answer.get("status") == "error" or answer.get("error"):
        raise ToolSilent(f"Datadog did not say what its graphs draw: {line(answer.get('error'), 200)}.")
    newest: datetime | None = None
    names: set[str] = set()
    for series in answer.get("series") or ():
        points = [at for at, value in series.get("pointlist") or () if value is not None]
        if points:
            at = datetime.fromtimestamp(max(points) / 1000, UTC)
            newest = max(newest or EARLIEST, at)
        tags = [*text(series.get("scope"), 2000).split(","), *(series.get("tag_set") or ())]
        names |= _names(tags)
    return newest, names


def _names(tags: list[Any]) -> set[str]:
    known = dict(tag.partition(":")[::2] for tag in map(str, tags) if ":" in tag)
    service = [known[name] for name in _SERVICE if known.get(name)]
    whole = {"/".join(service[at:]) for at in range(2)} if len(service) == len(_SERVICE) else set()
    return {known[name] for name in ("host", "instance-id") if known.get(name)} | whole


def _account(visit: Visit) -> str:
    """The organisation, as any monitor names it. Raises ToolSilent."""
    api: Any = MonitorsApi(visit.client)  # type: ignore[no-untyped-call]
    about = "which organisation it is"
    found = visit.ask(about, "monitors_read", api.list_monitors, page=0, page_size=1)
    number = found[0].get("org_id") if found else None
    if not number:
        raise ToolSilent(
            "Datadog did not say which organisation it is: it has no monitor that socmon may see. Make one."
        )
    return f"organisation {number}"


_NOT_YET = {Trouble.MISSING, Trouble.LOGIN, Trouble.BLANK, Trouble.HALF_LOADED, Trouble.NO_PICTURE}
"""What the store of snapshots answers before one is there: 403 and 404 among it."""
_SERVICE = ("kube_cluster_name", "kube_namespace", "kube_deployment")
