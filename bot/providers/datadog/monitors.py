"""Datadog's monitors in the words of all tools, and what keeps them from speaking.

https://docs.datadoghq.com/api/latest/monitors/#get-all-monitors and
https://docs.datadoghq.com/api/latest/downtimes/#get-all-downtimes
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from datadog_api_client.v1.api.monitors_api import MonitorsApi
from datadog_api_client.v2.api.downtimes_api import DowntimesApi

from bot.domain.alert import Severity
from bot.domain.component import Kind, Measure
from bot.domain.monitor import Comparator, Monitor, Mute, Watches
from bot.providers.contract import Pulled, instant, line, text
from bot.providers.datadog.client import Data, Visit
from bot.providers.datadog.inventory import host_identity
from bot.providers.datadog.metrics import BY_NAME, METRICS, Metric
from bot.providers.datadog.routes import ALERT, NO_DATA, Routes, read_routes
from bot.providers.datadog.scopes import covers, read_scope
from bot.providers.datadog.settings import DatadogSettings

PAGE = 1000
DOWNTIMES_PAGE = 100
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "mo": 30 * 86400}
ALIVE = (
    "datadog.agent.up"  # the check that every agent sends: https://docs.datadoghq.com/monitors/types/host/
)

# time_aggr(last_5m):space_aggr:metric{filter} by {groups} > 85
# https://docs.datadoghq.com/api/latest/monitors/#create-a-monitor
_QUERY = re.compile(
    r"""\s*(?P<over>avg|sum|min|max|last)\(last_(?P<count>\d{1,5})(?P<unit>mo|[smhdw])\)\s*:\s*
        (?P<left>[^{}]*?)(?P<space>avg|sum|min|max|p\d{2,3})\s*:\s*(?P<metric>[\w.]+)\s*
        \{(?P<filter>[^{}]*)\}\s*(?:by\s*\{(?P<groups>[^{}]*)\})?(?P<right>[^{}<>]*?)
        (?P<sign>>=|<=|>|<)\s*(?P<threshold>-?[\d.]+(?:e[+-]?\d+)?)\s*""",
    re.VERBOSE | re.IGNORECASE,
)
# The parts of CPU time added up fire no later than the user's part alone.
_CPU_PARTS = re.compile(
    r"(?P<space>(?:avg|max|min):)(?P<user>system\.cpu\.user)(?P<of>\{[^{}]*\}(?:\s*by\s*\{[^{}]*\})?)"
    r"(?:\s*\+\s*(?P=space)system\.cpu\.(?:system|iowait|nice|stolen|guest|interrupt)(?P=of))+"
)
_FILL = re.compile(r"(?:\.(?:fill|rollup|as_rate|as_count)\([^()]*\))*", re.IGNORECASE)
_REST = re.compile(r"100\s*-\s*")
_FRACTION = re.compile(r"\)?\s*\*\s*100")
_ONE_MINUS = re.compile(r"\(\s*1\s*-\s*")
_CHECK = re.compile(
    r'\s*"(?P<check>[\w.]+)"(?P<rest>(?:\.\w+\([^()]*\))*)\.last\(\d+\)\.count_by_status\(\)\s*'
)
_CALL = re.compile(r"\.(over|exclude|by)\(([^()]*)\)")
_QUOTED = re.compile(r'"([^"]*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Downtime:
    """A downtime that is on now: `monitor` names one, `tags` all those that have them; `scope` as people write it."""

    monitor: str = ""
    tags: frozenset[str] = frozenset()
    scope: str = "*"
    until: str = ""

    def matches(self, monitor: Data) -> bool:
        if self.monitor:
            return self.monitor == text(monitor.get("id"), 40)
        return "*" in self.tags or bool(self.tags and self.tags <= _tags(monitor))

    @property
    def why(self) -> str:
        until = f" until {self.until}" if self.until else " without an end"
        return f"in a downtime for {self.scope}{until}. End it in Datadog under Monitors → Manage Downtimes."


def list_monitors(settings: DatadogSettings, at: datetime) -> Pulled[Monitor]:
    """Without the downtimes or the notification rules nothing is known for certain, so nothing is said then."""
    with Visit(settings) as visit:
        found, whole = _monitors(visit)
        downtimes, silence_known = _downtimes(visit)
        routes = read_routes(visit, settings, found)
        items: Iterable[Monitor] = ()
        if silence_known and routes.known:
            items = (read_monitor(one, downtimes, routes, settings, at) for one in found)
        return Pulled(
            items=tuple(items),
            complete=whole and silence_known and routes.known,
            as_of=at,
            calls=max(visit.calls, 1),
            reason=visit.reason,
        )


def _monitors(visit: Visit) -> tuple[list[Data], bool]:
    api: Any = MonitorsApi(visit.client)  # type: ignore[no-untyped-call]
    about, permission = "which monitors there are", "monitors_read"
    return visit.every(
        about,
        lambda number: visit.ask(
            about, permission, api.list_monitors, with_downtimes=True, page=number, page_size=PAGE
        ),
        size=PAGE,
    )


def _downtimes(visit: Visit) -> tuple[list[Downtime], bool]:
    api: Any = DowntimesApi(visit.client)  # type: ignore[no-untyped-call]
    about, permission = "which downtimes are on", "monitors_downtime"

    def page(number: int) -> object:
        answer = visit.ask(
            about,
            permission,
            api.list_downtimes,
            current_only=True,
            page_offset=number * DOWNTIMES_PAGE,
            page_limit=DOWNTIMES_PAGE,
        )
        return (answer or {}).get("data")

    rows, whole = visit.every(about, page, size=DOWNTIMES_PAGE)
    facts = [row.get("attributes") or {} for row in rows]
    return [_downtime(one) for one in facts if one.get("status", "active") == "active"], whole


def _downtime(facts: Data) -> Downtime:
    about = facts.get("monitor_identifier") or {}
    schedule = facts.get("schedule") or {}
    now = schedule.get("current_downtime") or schedule
    return Downtime(
        monitor=text(about.get("monitor_id"), 40),
        tags=frozenset(str(tag) for tag in about.get("monitor_tags") or ()),
        scope=line(facts.get("scope"), 200) or "*",
        until=line(now.get("end"), 25),
    )


def read_monitor(
    monitor: Data, downtimes: Sequence[Downtime], routes: Routes, settings: DatadogSettings, at: datetime
) -> Monitor:
    options = monitor.get("options") or {}
    number = text(monitor.get("id"), 40)
    priority = monitor.get("priority")
    told_of_no_data = (
        options.get("notify_no_data") is True
        or text(options.get("on_missing_data")) == "show_and_notify_no_data"
    )
    seen = _condition(monitor, told_of_no_data=told_of_no_data)
    silenced, mutes = _silence(seen.watches, [*_muted(monitor, at), *_matching(downtimes, monitor)])
    return Monitor(
        provider="datadog",
        id=number,
        name=line(monitor.get("name")),
        url=f"{_app(settings)}/monitors/{number}",
        metric=seen.metric,
        measure=seen.measure,
        watches=seen.watches,
        comparator=seen.comparator,
        threshold=seen.threshold,
        window=seen.window,
        severity=Severity(f"SEV{min(priority, 4)}") if isinstance(priority, int) and priority > 0 else None,
        enabled=text(monitor.get("draft_status")) != "draft",
        silenced=silenced,
        mutes=mutes,
        alerts_on_no_data=told_of_no_data,
        no_data_window=_no_data_window(options) if told_of_no_data else None,
        # That something is gone is told by missing data.
        targets=routes.of(monitor, NO_DATA if seen.measure is Measure.UPTIME else ALERT),
        modified_at=instant(monitor.get("modified"), received_at=at),
        query=text(monitor.get("query")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Condition:
    """What a monitor's query says. What cannot be compared with a standard is OTHER, without a threshold."""

    metric: str = ""
    measure: Measure | None = None
    watches: Watches = field(default_factory=Watches)
    comparator: Comparator = Comparator.OTHER
    threshold: Decimal | None = None
    window: timedelta = timedelta()


def _condition(monitor: Data, *, told_of_no_data: bool) -> _Condition:
    query = text(monitor.get("query"))
    if check := _CHECK.fullmatch(query):
        return _check(check, monitor, told_of_no_data=told_of_no_data)
    found = _QUERY.fullmatch(_CPU_PARTS.sub(r"\g<space>\g<user>\g<of>", query))
    if not found:
        # Anomalies, forecasts and other functions: told apart by the metric, without a threshold to compare.
        known = next((metric for metric in METRICS if f"{metric.name}{{" in query), None)
        return _Condition(
            metric=known.name if known else "",
            measure=known.measure if known else None,
            watches=Watches(
                unreadable="socmon cannot read a query of this form. Open the monitor in Datadog."
            ),
        )
    metric = BY_NAME.get(found["metric"])
    watches = _unaggregated(found, metric, _named(read_scope(found["filter"])))
    stated = _number(((monitor.get("options") or {}).get("thresholds") or {}).get("critical"))
    asked = _number(found["threshold"])
    if stated is not None and stated != asked:
        watches = replace(
            watches,
            unreadable=f"Its query says {found['sign']} {found['threshold']} and its options say {stated:f}."
            " Save the monitor again in Datadog with one threshold.",
        )
    comparator, threshold = _measured(found, metric, asked)
    return _Condition(
        metric=found["metric"],
        measure=metric.measure if metric else None,
        watches=watches,
        comparator=comparator,
        threshold=threshold,
        window=timedelta(seconds=int(found["count"]) * UNITS[found["unit"].lower()]),
    )


def _check(found: re.Match[str], monitor: Data, *, told_of_no_data: bool) -> _Condition:
    """A service check: https://docs.datadoghq.com/api/latest/monitors/#create-a-monitor ("Service check query")."""
    filters: list[str] = []
    for call, given in _CALL.findall(found["rest"]):
        written = _QUOTED.findall(given)
        filters += [tag for tag in written if call == "over" and tag != "*"]
        filters += [f"!{tag}" for tag in written if call == "exclude"]
    alive = found["check"] == ALIVE
    return _Condition(
        metric=found["check"],
        measure=Measure.UPTIME if alive else None,
        watches=_named(read_scope(",".join(filters))),
        comparator=Comparator.ABSENT if alive and told_of_no_data else Comparator.OTHER,
        window=_no_data_window(monitor.get("options") or {}) or timedelta(minutes=2),
    )


def _no_data_window(options: Data) -> timedelta | None:
    minutes = options.get("no_data_timeframe")
    return timedelta(minutes=minutes) if isinstance(minutes, int) and minutes > 0 else None


def _named(watches: Watches) -> Watches:
    """A filter by host names its components outright."""
    if "host" not in watches.tags:
        return watches
    hosts = frozenset(host_identity(name) for name in watches.tags["host"].split(","))
    rest = {name: value for name, value in watches.tags.items() if name != "host"}
    return replace(watches, identities=hosts, tags=rest)


def _unaggregated(found: re.Match[str], metric: Metric | None, watches: Watches) -> Watches:
    """One number for many components hides the one that is ill: only a query that tells them apart watches them."""
    groups = {name.strip() for name in (found["groups"] or "").split(",")}
    extreme = found["space"].lower() == ("min" if _below(found) else "max")
    if metric is None or watches.unreadable or extreme:
        return watches
    if metric.measure is Measure.DISK and "device" not in groups:
        return replace(
            watches,
            unreadable="It makes one number of all file systems: nothing says which is full. Group it by host and"
            " device.",
        )
    needed = "host" if metric.kind is Kind.HOST else "kube_deployment"
    told = needed in groups or (needed in watches.tags and "," not in watches.tags[needed])
    if told or len(watches.identities) == 1:
        return watches
    return replace(
        watches,
        unreadable=f"It makes one number of all components: nothing says which is ill. Group it by {needed}.",
    )


def _below(found: re.Match[str]) -> bool:
    return found["sign"].startswith("<")


def _measured(
    found: re.Match[str], metric: Metric | None, asked: Decimal | None
) -> tuple[Comparator, Decimal | None]:
    """The comparison in the unit of the measure; OTHER where it cannot be converted."""
    scale, offset = (metric.scale, metric.offset) if metric else (Decimal(1), Decimal(0))
    around = found["left"].strip(), _FILL.sub("", found["right"]).strip()
    inner: tuple[Decimal, Decimal] | None = None  # the query is inner[0] + inner[1] × the metric
    if around == ("", ""):
        inner = Decimal(0), Decimal(1)
    elif _REST.fullmatch(found["left"]) and not around[1]:
        inner = Decimal(100), Decimal(-1)
    elif around[0] == "" and _FRACTION.fullmatch(around[1]):
        inner = Decimal(0), Decimal(100)
    elif _ONE_MINUS.fullmatch(found["left"]) and _FRACTION.fullmatch(around[1]):
        inner = Decimal(100), Decimal(-100)
    # A sum grows with the number of values: it says nothing of how much is used.
    summed = "sum" in (found["over"].lower(), found["space"].lower())
    if inner is None or scale is None or asked is None or summed:
        return Comparator.OTHER, None
    value = (asked - inner[0]) / inner[1]
    comparator = Comparator(found["sign"])
    return (_TURNED[comparator] if inner[1] * scale < 0 else comparator), offset + scale * value


_TURNED = {
    Comparator.ABOVE: Comparator.BELOW,
    Comparator.AT_LEAST: Comparator.AT_MOST,
    Comparator.BELOW: Comparator.ABOVE,
    Comparator.AT_MOST: Comparator.AT_LEAST,
}


def _number(value: object) -> Decimal | None:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _matching(downtimes: Iterable[Downtime], monitor: Data) -> Iterator[Downtime]:
    yield from (one for one in downtimes if one.matches(monitor))


def _muted(monitor: Data, at: datetime) -> Iterator[Downtime]:
    """What the monitor itself tells of downtimes of the first version; an end that has passed is over."""
    for scope, end in ((monitor.get("options") or {}).get("silenced") or {}).items():
        if not isinstance(end, int) or end > at.timestamp():
            yield Downtime(scope=scope, until=_until(end, at))
    for one in monitor.get("matching_downtimes") or ():
        end = one.get("end")
        if not isinstance(end, int) or end > at.timestamp():
            yield Downtime(scope=",".join(one.get("scope") or ()) or "*", until=_until(end, at))


def _until(end: object, at: datetime) -> str:
    found = datetime.fromtimestamp(end, at.tzinfo) if isinstance(end, int) and end < 10**11 else None
    return f"{found:%Y-%m-%d %H:%M} UTC" if found else ""


def _silence(watches: Watches, downtimes: Iterable[Downtime]) -> tuple[str, tuple[Mute, ...]]:
    """Why all of the monitor is silent, else for which parts of it. A scope that cannot be read silences all."""
    mutes: list[Mute] = []
    tags = {**watches.tags, "host": ",".join(sorted(one.value for one in watches.identities))}
    for downtime in downtimes:
        scope = read_scope(downtime.scope)
        if scope.unreadable:
            return f"perhaps {downtime.why} Its scope cannot be read.", ()
        if covers(scope, replace(watches, tags=tags if watches.identities else watches.tags)):
            return downtime.why, ()
        if (mute := Mute(watches=_named(scope), why=downtime.why)) not in mutes:
            mutes.append(mute)
    return "", tuple(mutes)


def _tags(monitor: Data) -> frozenset[str]:
    return frozenset(str(tag) for tag in monitor.get("tags") or ())


def _app(settings: DatadogSettings) -> str:
    """Sites with a data centre in their name have no “app.” before it.

    https://docs.datadoghq.com/getting_started/site/
    """
    site = settings.site or "datadoghq.com"
    return f"https://{site}" if re.match(r"(us|ap|uk)\d\.datadoghq", site) else f"https://app.{site}"
