"""Prometheus Alertmanager: receivers of the type webhook report groups of alerts."""

from bot.providers.alertmanager.alerts import AlertmanagerAlerts
from bot.providers.alertmanager.samples import AlertmanagerSamples
from bot.providers.alertmanager.settings import findings, read_settings
from bot.providers.alertmanager.webhook import AlertmanagerWebhook
from bot.providers.contract import Provider

PROVIDER = Provider(
    name="alertmanager",
    title="Alertmanager",
    settings=read_settings,
    webhook=lambda settings, _network: AlertmanagerWebhook(settings=settings),
    samples=AlertmanagerSamples,
    findings=findings,
    alerts=lambda settings: AlertmanagerAlerts(settings=settings) if settings.url else None,
)
