"""New Relic: workflows report issues through a webhook destination, with a message template of ours."""

from bot.providers.contract import Provider
from bot.providers.newrelic.alerts import NewRelicAlerts
from bot.providers.newrelic.dashboards import NewRelicDashboards
from bot.providers.newrelic.fleet import NewRelicFleet
from bot.providers.newrelic.samples import NewRelicSamples
from bot.providers.newrelic.settings import findings, read_settings
from bot.providers.newrelic.terraform import foresee
from bot.providers.newrelic.webhook import NewRelicWebhook

PROVIDER = Provider(
    name="newrelic",
    title="New Relic",
    settings=read_settings,
    webhook=lambda settings, _network: NewRelicWebhook(settings=settings),
    samples=NewRelicSamples,
    findings=findings,
    alerts=lambda settings: (
        NewRelicAlerts(settings=settings) if settings.api_key and settings.account else None
    ),
    fleet=lambda settings: (
        NewRelicFleet(settings=settings) if settings.api_key and settings.account else None
    ),
    dashboards=lambda settings: (
        NewRelicDashboards(settings=settings) if settings.api_key and settings.account else None
    ),
    foresee=foresee,
)
