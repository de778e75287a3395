"""Amazon CloudWatch: alarms that arrive through SNS, over HTTPS or in a queue."""

from bot.providers.cloudwatch.queue import open_queue
from bot.providers.cloudwatch.samples import CloudWatchSamples
from bot.providers.cloudwatch.settings import findings, read_settings
from bot.providers.cloudwatch.webhook import CloudWatchWebhook
from bot.providers.contract import Provider

PROVIDER = Provider(
    name="cloudwatch",
    title="CloudWatch",
    settings=read_settings,
    webhook=CloudWatchWebhook,
    samples=CloudWatchSamples,
    findings=findings,
    queue=open_queue,
)
