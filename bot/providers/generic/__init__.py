"""Any other tool: it sends socmon's own small JSON, or its own one with a mapping in the configuration."""

from bot.providers.contract import Provider
from bot.providers.generic.samples import GenericSamples
from bot.providers.generic.settings import findings, read_settings
from bot.providers.generic.webhook import GenericWebhook

PROVIDER = Provider(
    name="generic",
    title="Generic webhook",
    settings=read_settings,
    webhook=lambda settings, _network: GenericWebhook(settings=settings),
    samples=GenericSamples,
    findings=findings,
)
