"""CloudWatch's dashboards: each metric widget as AWS draws it, beside the newest values of its metrics.

GetMetricWidgetImage draws metric widgets and nothing else (and is not in GovCloud), so tables of alarms and texts are
drawn by socmon. AWS bills 0.02 USD for a thousand metrics that are drawn: https://aws.amazon.com/cloudwatch/pricing/
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.domain.dashboard import Captured, Dashboard, Panel, Trouble, Uncaptured, newest_of
from bot.providers.cloudwatch.aws import Aws, Missing, Place
from bot.providers.cloudwatch.settings import CloudWatchSettings
from bot.providers.contract import EARLIEST, Pulled, line, text, understood

NAME = "cloudwatch"
MOST_GRAPHS = 24
MOST_METRICS = 100
WIDTH, HEIGHT = 560, 260
PERIOD = 300  # seconds, where a widget says nothing

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudWatchDashboards:
    """A dashboard belongs to an account, and draws from any region; its id is account/name."""

    settings: CloudWatchSettings

    def list(self, at: datetime) -> Pulled[Dashboard]:
        def ask() -> Pulled[Dashboard]:
            aws = Aws(self.settings)
            return aws.pulled([one for place in _accounts(aws) for one in _listed(place)], at)

        return understood("CloudWatch", ask, at)

    def capture(self, dashboard: Dashboard, *, start: datetime, end: datetime) -> Captured:
        aws = Aws(self.settings)
        account, _, name = dashboard.id.partition("/")
        places = {place.account: place for place in _accounts(aws)}
        if account not in places:
            _raise_failures(aws)
            raise Uncaptured(
                Trouble.WRONG_ACCOUNT,
                f"The dashboard is in account {account}, and socmon is let into {', '.join(places) or 'none'}.",
                "Add that account's role to [providers.cloudwatch], or choose the dashboard anew.",
            )
        try:
            return _captured(places[account], name, start, end)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            says = (
                f"CloudWatch's answer has a form that socmon does not know ({type(error).__name__}: {error})."
            )
            raise Uncaptured(Trouble.NO_PICTURE, says, "Report this as a fault of socmon.") from error


def _accounts(aws: Aws) -> Iterator[Place]:
    """Each account once: its dashboards are the same in all regions."""
    seen: set[str] = set()
    for place in aws.places():
        if place.account not in seen:
            seen.add(place.account)
            yield place


def _listed(place: Place) -> Iterator[Dashboard]:
    for row in place.every("cloudwatch", "list_dashboards", "DashboardEntries"):
        name = row["DashboardName"]
        yield Dashboard(
            provider=NAME,
            id=f"{place.account}/{name}",
            title=name,
            url=f"https://{place.region}.console.aws.amazon.com/cloudwatch/home?region={place.region}#dashboards:name={name}",
            account=place.account,
            modified_at=row.get("LastModified"),
        )


def _captured(place: Place, name: str, start: datetime, end: datetime) -> Captured:
    body = _body(place, name)
    widgets = body.get("widgets") or []
    panels: list[Panel] = []
    warnings: list[str] = []
    times: list[datetime | None] = []
    shows: set[str] = set()
    for widget in widgets[:MOST_GRAPHS]:
        properties = widget.get("properties") or {}
        kind, title = text(widget.get("type"), 40), line(properties.get("title"), 120)
        there = replace(place, region=text(properties.get("region"), 40) or place.region)
        match kind:
            case "metric":
                panels.append(_drawn(there, title or "metrics", properties, start, end))
                metrics = _metrics(properties)
                if metrics:
                    newest = _newest(there, metrics, start, end)
                    times.append(newest)
                    shows |= {value for one in metrics for value in one["Dimensions"].values()}
                    if newest is None:
                        warnings.append(f"“{title or 'metrics'}” has no value in this time.")
            case "alarm":
                panels.append(Panel(title=title or "alarms", lines=tuple(_alarms(there, properties))))
            case "text":
                said = text(properties.get("markdown"), 2000)
                panels.append(Panel(title=title or "text", lines=tuple(said.splitlines())))
            case _:
                lines = (f"CloudWatch draws no picture of this kind of widget ({kind}).",)
                panels.append(Panel(title=title or kind, lines=lines))
    if len(widgets) > MOST_GRAPHS:
        warnings.append(f"{len(widgets) - MOST_GRAPHS} more widgets are not on the picture.")
    _raise_failures(place.aws)
    return Captured(
        panels=tuple(panels),
        account=place.account,
        start=start,
        end=end,
        newest_at=newest_of(times),
        tells_age=bool(times),
        shows=frozenset(shows),
        warnings=tuple(warnings),
    )


def _body(place: Place, name: str) -> Any:
    try:
        for told in place.pages("cloudwatch", "get_dashboard", DashboardName=name):
            return json.loads(told["DashboardBody"])
    except Missing as error:
        raise _gone(name) from error
    _raise_failures(place.aws, name)
    raise _gone(name)


def _gone(name: str) -> Uncaptured:
    return Uncaptured(
        Trouble.MISSING,
        f"CloudWatch has no dashboard {name} any more.",
        "See whether it was deleted or renamed, and choose another one.",
    )


def _drawn(place: Place, title: str, properties: Data, start: datetime, end: datetime) -> Panel:
    """As it stands there; where AWS does not draw that view, as a time series."""
    asked = dict(properties) | {
        "width": WIDTH,
        "height": HEIGHT,
        "start": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "end": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        "timezone": "+0000",
        "title": f"{title} {end:%Y-%m-%dT%H:%MZ}",
    }
    for changed in ({}, {"view": "timeSeries", "stacked": False}):
        failures = len(place.aws.failures)
        wanted = json.dumps(asked | changed, default=str)
        for told in place.pages(
            "cloudwatch", "get_metric_widget_image", MetricWidget=wanted, OutputFormat="png"
        ):
            return Panel(title=title, picture=bytes(told["MetricWidgetImage"]))
        newer = place.aws.failures[failures:]
        if changed or not all(one.code in _NOT_DRAWN for one in newer):
            break
        del place.aws.failures[failures:]
    _raise_failures(place.aws)
    raise Uncaptured(
        Trouble.NO_PICTURE,
        f"CloudWatch sent no picture of “{title}”.",
        "Open the dashboard, and see what it shows.",
    )


def _metrics(properties: Data) -> Sequence[dict[str, Any]]:
    """What a widget draws, its short forms ("." and "...") written out; expressions are left out.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Metric-Widget-Structure.html
    """
    found: list[dict[str, Any]] = []
    before: list[str] = []
    for row in properties.get("metrics") or ():
        rest = [each for each in row if not isinstance(each, dict)]
        options = next((each for each in row if isinstance(each, dict)), {})
        if not rest:
            continue
        parts = _written_out([str(each) for each in rest], before)
        before = parts
        pairs = zip(parts[2::2], parts[3::2], strict=False)
        found.append(
            {
                "Namespace": parts[0],
                "MetricName": parts[1],
                "Dimensions": dict(pairs),
                "Stat": str(options.get("stat") or properties.get("stat") or "Average"),
                "Period": int(options.get("period") or properties.get("period") or PERIOD),
            }
        )
    return found[:MOST_METRICS]


def _written_out(parts: list[str], before: list[str]) -> list[str]:
    if "..." in parts:
        at = parts.index("...")
        after = parts[at + 1 :]
        middle = before[at : len(before) - len(after)]
        parts = [*parts[:at], *middle, *after]
    return [
        before[number] if each == "." and number < len(before) else each for number, each in enumerate(parts)
    ]


def _newest(
    place: Place, metrics: Iterable[dict[str, Any]], start: datetime, end: datetime
) -> datetime | None:
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": one["Namespace"],
                    "MetricName": one["MetricName"],
                    "Dimensions": [
                        {"Name": name, "Value": value} for name, value in one["Dimensions"].items()
                    ],
                },
                "Period": one["Period"],
                "Stat": one["Stat"],
            },
        }
        for number, one in enumerate(metrics)
    ]
    place.aws.metrics_asked += len(queries)
    rows = place.every(
        "cloudwatch",
        "get_metric_data",
        "MetricDataResults",
        MetricDataQueries=queries,
        StartTime=start,
        EndTime=end,
        ScanBy="TimestampDescending",
    )
    return newest_of([at for row in rows for at in row.get("Timestamps") or ()])


def _alarms(place: Place, properties: Data) -> Iterator[str]:
    """A line for each alarm of the table, its state first."""
    names = [str(arn).rpartition(":alarm:")[2] for arn in properties.get("alarms") or ()]
    if not names:
        yield "No alarm is on this list."
        return
    for page in place.pages("cloudwatch", "describe_alarms", AlarmNames=names[:100]):
        for alarm in (*(page.get("MetricAlarms") or ()), *(page.get("CompositeAlarms") or ())):
            since = alarm.get("StateUpdatedTimestamp")
            at = f" since {since:%Y-%m-%d %H:%M} UTC" if since else ""
            yield f"{alarm['StateValue']}  {alarm['AlarmName']}{at}"


def _raise_failures(aws: Aws, about: str = "") -> None:
    """Raises Uncaptured when anything that was asked failed."""
    if not aws.failures:
        return
    if about and aws.failures[-1].code in _GONE:
        raise _gone(about)
    told: Pulled[Dashboard] = aws.pulled((), EARLIEST)
    timed_out = any("timed out" in one.message.lower() for one in aws.failures)
    raise Uncaptured(
        Trouble.TIMED_OUT if timed_out else Trouble.SILENT, told.reason, "It is taken again next time."
    )


_GONE = {"DashboardNotFoundError", "ResourceNotFound"}
_NOT_DRAWN = {
    "InvalidParameterValue",
    "InvalidParameterCombination",
    "ValidationError",
    "ValidationException",
}
