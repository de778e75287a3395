"""Grafana: alerts of Grafana Alerting, told by a webhook contact point."""

from bot.providers.contract import Provider
from bot.providers.grafana.dashboards import GrafanaDashboards
from bot.providers.grafana.samples import GrafanaSamples
from bot.providers.grafana.settings import findings, read_settings
from bot.providers.grafana.webhook import GrafanaWebhook

PROVIDER = Provider(
    name="grafana",
    title="Grafana",
    settings=read_settings,
    webhook=lambda settings, _network: GrafanaWebhook(settings=settings),
    samples=GrafanaSamples,
    findings=findings,
    dashboards=lambda settings: (
        GrafanaDashboards(settings=settings) if settings.url and settings.token else None
    ),
)
