"""Prometheus Alertmanager: receivers of the type webhook report groups of alerts."""

from bot.providers.alertmanager.alerts import AlertmanagerAlerts
from bot.providers.alertmanager.samples import AlertmanagerSamples
from bot.providers.alertmanager.settings import AlertmanagerSettings, findings, own_end, read_settings
from bot.providers.alertmanager.test_alert import AlertmanagerTestAlerts
from bot.providers.alertmanager.webhook import AlertmanagerWebhook
from bot.providers.contract import Fleet, Provider


def fleet(settings: AlertmanagerSettings) -> Fleet | None:
    """Where Prometheus may be asked; only then the parser of its expressions is imported."""
    if not settings.prometheus_url:
        return None
    from bot.providers.alertmanager.fleet import PrometheusFleet  # noqa: PLC0415

    return PrometheusFleet(settings=settings)


PROVIDER = Provider(
    name="alertmanager",
    title="Alertmanager",
    settings=read_settings,
    webhook=lambda settings, _network: AlertmanagerWebhook(settings=settings),
    samples=AlertmanagerSamples,
    findings=findings,
    alerts=lambda settings: AlertmanagerAlerts(settings=settings) if settings.url else None,
    fleet=fleet,
    test_alerts=lambda settings: AlertmanagerTestAlerts(settings=settings) if settings.url else None,
    own_ends=lambda settings: (own_end(settings),),
)
