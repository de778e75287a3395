"""Amazon CloudWatch: alarms that arrive through SNS, over HTTPS or in a queue."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.domain.component import Kind, Measure
from bot.domain.monitor import Monitor
from bot.domain.plan import Foreseen, Resource
from bot.providers.cloudwatch.queue import open_queue
from bot.providers.cloudwatch.samples import CloudWatchSamples
from bot.providers.cloudwatch.settings import CloudWatchSettings, findings, read_settings
from bot.providers.cloudwatch.webhook import CloudWatchWebhook
from bot.providers.contract import Alerts, Dashboards, Fleet, Provider


def open_alerts(settings: CloudWatchSettings) -> Alerts | None:
    """Where the settings say how to ask; only then its client is imported, which takes a while."""
    if not (settings.compare and settings.topics):
        return None
    from bot.providers.cloudwatch.alerts import CloudWatchAlerts  # noqa: PLC0415

    return CloudWatchAlerts(settings=settings)


def open_fleet(settings: CloudWatchSettings) -> Fleet | None:
    """Where the settings name regions to ask in."""
    if not settings.regions:
        return None
    from bot.providers.cloudwatch.fleet import CloudWatchFleet  # noqa: PLC0415 - as above

    return CloudWatchFleet(settings=settings)


def dashboards(settings: CloudWatchSettings) -> Dashboards | None:
    """Where the settings name regions to ask in."""
    if not settings.regions:
        return None
    from bot.providers.cloudwatch.dashboards import CloudWatchDashboards  # noqa: PLC0415 - as above

    return CloudWatchDashboards(settings=settings)


def foresee(
    settings: CloudWatchSettings, resources: Sequence[Resource], known: Mapping[str, Monitor], at: datetime
) -> Foreseen:
    from bot.providers.cloudwatch import terraform  # noqa: PLC0415 - as above

    return terraform.foresee(settings, resources, known, at)


def collects(kind: Kind, measure: Measure) -> bool:
    from bot.providers.cloudwatch import terraform  # noqa: PLC0415 - as above

    return terraform.collects(kind, measure)


PROVIDER = Provider(
    name="cloudwatch",
    title="CloudWatch",
    settings=read_settings,
    webhook=CloudWatchWebhook,
    samples=CloudWatchSamples,
    findings=findings,
    queue=open_queue,
    alerts=open_alerts,
    fleet=open_fleet,
    dashboards=dashboards,
    own_ends=lambda settings: (settings.queue.arn,) if settings.queue else (),
    foresee=foresee,
    collects=collects,
)
