"""PagerDuty: incidents, told by v3 webhooks, and handled over its REST API."""

from bot.providers.contract import Provider
from bot.providers.pagerduty.alerts import PagerDutyAlerts
from bot.providers.pagerduty.samples import PagerDutySamples
from bot.providers.pagerduty.settings import findings, read_settings
from bot.providers.pagerduty.webhook import PagerDutyWebhook

PROVIDER = Provider(
    name="pagerduty",
    title="PagerDuty",
    settings=read_settings,
    webhook=lambda settings, _network: PagerDutyWebhook(settings=settings),
    samples=PagerDutySamples,
    findings=findings,
    alerts=lambda settings: PagerDutyAlerts(settings=settings) if settings.key else None,
)
