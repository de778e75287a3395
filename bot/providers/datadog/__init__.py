"""Datadog: monitors report through the Webhooks integration, with a payload template of ours."""

from bot.providers.contract import Provider
from bot.providers.datadog.samples import DatadogSamples
from bot.providers.datadog.settings import findings, read_settings
from bot.providers.datadog.webhook import DatadogWebhook

PROVIDER = Provider(
    name="datadog",
    title="Datadog",
    settings=read_settings,
    webhook=lambda settings, _network: DatadogWebhook(settings=settings),
    samples=DatadogSamples,
    findings=findings,
)
