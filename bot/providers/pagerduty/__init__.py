"""PagerDuty: incidents, told by v3 webhooks; who is on call, asked over its REST API."""

from bot.providers.contract import Provider
from bot.providers.pagerduty.oncall import PagerDutyOnCall
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
    oncall=lambda settings: PagerDutyOnCall(settings=settings),
)
