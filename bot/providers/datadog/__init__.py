"""Datadog: monitors report through the Webhooks integration, with a payload template of ours."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.domain.monitor import Monitor
from bot.domain.plan import Foreseen, Resource
from bot.providers.contract import Alerts, Dashboards, Fleet, Provider
from bot.providers.datadog.samples import DatadogSamples
from bot.providers.datadog.settings import DatadogSettings, findings, read_settings
from bot.providers.datadog.webhook import DatadogWebhook


def open_alerts(settings: DatadogSettings) -> Alerts | None:
    """Where the settings say how to ask; only then its client is imported, which takes a while."""
    if not (settings.api_key and settings.app_key):
        return None
    from bot.providers.datadog.alerts import DatadogAlerts  # noqa: PLC0415

    return DatadogAlerts(settings=settings)


def fleet(settings: DatadogSettings) -> Fleet | None:
    """As with open alerts."""
    if not (settings.api_key and settings.app_key):
        return None
    from bot.providers.datadog.fleet import DatadogFleet  # noqa: PLC0415

    return DatadogFleet(settings=settings)


def dashboards(settings: DatadogSettings) -> Dashboards | None:
    """As with open alerts."""
    if not (settings.api_key and settings.app_key):
        return None
    from bot.providers.datadog.dashboards import DatadogDashboards  # noqa: PLC0415

    return DatadogDashboards(settings=settings)


def foresee(
    settings: DatadogSettings, resources: Sequence[Resource], known: Mapping[str, Monitor], at: datetime
) -> Foreseen:
    from bot.providers.datadog import terraform  # noqa: PLC0415 - as above

    return terraform.foresee(settings, resources, known, at)


PROVIDER = Provider(
    name="datadog",
    title="Datadog",
    settings=read_settings,
    webhook=lambda settings, _network: DatadogWebhook(settings=settings),
    samples=DatadogSamples,
    findings=findings,
    alerts=open_alerts,
    fleet=fleet,
    dashboards=dashboards,
    foresee=foresee,
)
