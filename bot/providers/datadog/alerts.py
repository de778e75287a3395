"""Datadog's monitors that are not OK, group by group.

https://docs.datadoghq.com/api/latest/monitors/#get-all-monitors
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from datadog_api_client import ApiClient
from datadog_api_client.exceptions import OpenApiException
from datadog_api_client.v1.api.monitors_api import MonitorsApi
from urllib3.exceptions import HTTPError

from bot.domain.alert import Change, Reported, Severity
from bot.domain.comparison import OpenAlert
from bot.providers.contract import EARLIEST, Alerts, Pulled, key_of, line, text
from bot.providers.datadog.client import configuration
from bot.providers.datadog.settings import DatadogSettings

PAGE = 100
MOST_PAGES = 200
STATES = {"Alert": Change.TRIGGERED, "Warn": Change.TRIGGERED, "No Data": Change.NO_DATA}
WHOLE = frozenset({"", "*", "total"})  # what the one group of a monitor without groups is called
_SCOPE = re.compile(r"\{([^{}]{0,500})\}")

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatadogAlerts(Alerts):
    settings: DatadogSettings

    def list_open(self, at: datetime) -> Pulled[OpenAlert]:
        found: list[OpenAlert] = []
        page, reason = 0, ""
        try:
            with ApiClient(configuration(self.settings)) as client:
                monitors: Any = MonitorsApi(client)  # type: ignore[no-untyped-call]
                for page in range(MOST_PAGES):
                    listed = monitors.list_monitors(
                        group_states="alert,warn,no data", with_downtimes=True, page=page, page_size=PAGE
                    )
                    for monitor in listed:
                        found += self._open(monitor.to_dict(), at)
                    if len(listed) < PAGE:
                        break
                else:
                    reason = (
                        f"Datadog has more than {PAGE * MOST_PAGES} monitors, and no more were asked for."
                    )
        except (OpenApiException, HTTPError, OSError, ValueError) as error:
            status = getattr(error, "status", None)
            why = f"it answered {status}" if status else f"no answer ({type(error).__name__})"
            reason = f"Datadog did not say which monitors alert: {why}."
        return Pulled(items=tuple(found), complete=not reason, as_of=at, calls=page + 1, reason=reason)

    def _open(self, monitor: Data, at: datetime) -> Iterator[OpenAlert]:
        groups = (monitor.get("state") or {}).get("groups") or {}
        for name, group in groups.items():
            change = STATES.get(str(group.get("status") or ""))
            if change:
                yield self._group(monitor, str(group.get("name") or name), group, change, at)

    def _group(self, monitor: Data, name: str, group: Data, change: Change, at: datetime) -> OpenAlert:
        number = text(monitor.get("id"), 40)
        scopes = _scopes(name, text(monitor.get("query")))
        since = group.get("last_nodata_ts" if change is Change.NO_DATA else "last_triggered_ts")
        priority = monitor.get("priority")
        keys = [key_of(number, scope) for scope in scopes]
        report = Reported(
            change=change,
            dedup_key=keys[0],
            occurred_at=_time(since, at),
            current=True,
            title=line(monitor.get("name")),
            component=_component(scopes[0]),
            condition=line(monitor.get("query"), 500),
            severity=Severity(f"SEV{min(priority, 4)}") if isinstance(priority, int) else _by_state(group),
            text=text(monitor.get("message")),
        )
        return OpenAlert(
            reported=report, aliases=tuple(keys[1:]), quiet=not self._is_told(monitor, name, change)
        )

    def _is_told(self, monitor: Data, group: str, change: Change) -> bool:
        """Whether Datadog sends socmon anything about this group."""
        options = monitor.get("options") or {}
        muted = monitor.get("matching_downtimes") or {"*", group} & set(options.get("silenced") or {})
        told_of_no_data = options.get("notify_no_data") or "notify" in str(options.get("on_missing_data"))
        handle = rf"@webhook-{re.escape(self.settings.webhook)}(?![\w-])"
        routed = self.settings.webhook == "*" or re.search(handle, text(monitor.get("message")))
        return bool(routed) and not muted and (change is not Change.NO_DATA or bool(told_of_no_data))


def _scopes(group: str, query: str) -> list[str]:
    """The tags that name the group, as webhooks write them; without groups these may be the query's, * or none."""
    if group not in WHOLE:
        return [_sorted(group)]
    found = _SCOPE.search(query)
    return list(dict.fromkeys([_sorted(found[1]) if found else "*", "*", ""]))


def _sorted(tags: str) -> str:
    return ",".join(sorted(tag.strip() for tag in tags.split(",") if tag.strip()))


def _component(scope: str) -> str:
    tags = [tag.partition(":") for tag in scope.split(",")]
    host = next((value for name, _, value in tags if name == "host"), "")
    one = tags[0][2] or tags[0][0]
    return line(host or (one if len(tags) == 1 and scope != "*" else scope.replace("*", "")), 200)


def _by_state(group: Data) -> Severity:
    return Severity.SEV2 if str(group.get("status")) == "Alert" else Severity.SEV3


def _time(seconds: object, at: datetime) -> datetime | None:
    if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds <= 0:
        return None
    try:
        found = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None
    return found if EARLIEST <= found <= at else None
