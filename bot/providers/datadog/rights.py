"""Whether the keys have every permission that socmon reads with: the least request for each.

https://docs.datadoghq.com/account_management/rbac/permissions/ names them.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from datadog_api_client.v1.api.hosts_api import HostsApi
from datadog_api_client.v1.api.monitors_api import MonitorsApi
from datadog_api_client.v1.api.pager_duty_integration_api import PagerDutyIntegrationApi
from datadog_api_client.v2.api.containers_api import ContainersApi
from datadog_api_client.v2.api.downtimes_api import DowntimesApi
from datadog_api_client.v2.api.metrics_api import MetricsApi
from datadog_api_client.v2.api.users_api import UsersApi

from bot.domain.errors import ToolSilent
from bot.providers.contract import Pulled
from bot.providers.datadog.client import Visit
from bot.providers.datadog.metrics import METRICS, query
from bot.providers.datadog.settings import DatadogSettings

NOBODYS = "socmon-doctor"
"""A name that nothing has: what is asked about it takes the permission, and 404 is an answer."""


class _Right(NamedTuple):
    """A permission, "" for what takes none of its own, and the request that shows it."""

    permission: str
    about: str
    method: Any
    arguments: dict[str, Any]


def check_rights(settings: DatadogSettings, at: datetime) -> Pulled[str]:
    granted: list[str] = []
    with Visit(settings) as visit:
        for right in _rights(visit, at):
            try:
                visit.ask(right.about, right.permission, right.method, **right.arguments)
            except ToolSilent as error:
                visit.note(str(error))
            else:
                granted.append(right.permission or right.about)
        return visit.answer(granted, at)


def _rights(visit: Visit, at: datetime) -> Iterator[_Right]:
    def of(api: Any) -> Any:
        return api(visit.client)

    yield _Right("hosts_read", "which hosts exist", of(HostsApi).list_hosts, {"start": 0, "count": 1})
    yield _Right("", "which containers run", of(ContainersApi).list_containers, {"page_size": 1})
    yield _Right(
        "timeseries_query",
        "which metrics arrive",
        of(MetricsApi).query_timeseries_data,
        {"body": query(METRICS[0], at)},
    )
    one = {"page": 0, "page_size": 1}
    yield _Right("monitors_read", "which monitors there are", of(MonitorsApi).list_monitors, one)
    yield _Right(
        "monitors_downtime",
        "which downtimes are on",
        of(DowntimesApi).list_downtimes,
        {"current_only": True, "page_offset": 0, "page_limit": 1},
    )
    disabled = {"filter_status": "Pending,Disabled", "page_number": 0, "page_size": 1}
    yield _Right("user_access_read", "whose account is disabled", of(UsersApi).list_users, disabled)
    yield _Right(
        "integrations_read",
        "which PagerDuty services it has",
        of(PagerDutyIntegrationApi).get_pager_duty_integration_service,
        {"service_name": NOBODYS},
    )
