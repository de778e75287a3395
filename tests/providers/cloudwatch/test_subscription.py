"""How socmon subscribes: by AWS's API, and never by following a link."""

import asyncio
import json
import time
from datetime import UTC, datetime

import pytest

from bot.domain.errors import Refused, TryAgain
from bot.providers.cloudwatch.envelope import Kind
from bot.providers.cloudwatch.samples import CloudWatchSamples
from bot.providers.cloudwatch.settings import EXAMPLE_TOPIC, CloudWatchSettings
from bot.providers.cloudwatch.subscription import confirm_subscription
from bot.providers.cloudwatch.webhook import CloudWatchWebhook
from bot.providers.contract import Request, Sample, SampleKind
from tests.providers.cloudwatch.pages import Pages

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SNS = CloudWatchSamples()
SETTINGS = CloudWatchSettings(topics=frozenset({EXAMPLE_TOPIC}))


def request(sample: Sample) -> Request:
    return Request(headers=sample.headers, body=sample.body, received_at=NOW)


class Aws:
    """Confirms, and remembers what."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.confirmed: list[tuple[str, str]] = []

    def __call__(self, topic: str, token: str) -> None:
        if self.error:
            raise self.error
        self.confirmed.append((topic, token))


@pytest.mark.parametrize(
    "link",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:8080/",
        "file:///etc/passwd",
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t0ken",
        "gopher://127.0.0.1:6379/_FLUSHALL",
    ],
)
async def test_the_link_in_the_message_is_never_opened(link: str) -> None:
    """Even in a validly signed message; the only thing fetched is the certificate."""
    pages, aws = Pages(SNS.pages), Aws()
    webhook = CloudWatchWebhook(SETTINGS, pages, aws)
    delivery = request(SNS.confirmation(Kind.SUBSCRIPTION, at=NOW, subscribe_url=link))

    await webhook.authenticate(delivery)
    await webhook.follow_up(delivery)
    reading = webhook.read(delivery)

    assert pages.asked == [SNS.certificate_url]
    assert aws.confirmed == [(EXAMPLE_TOPIC, "t0ken")]
    assert reading.alerts == ()


async def test_only_allowed_topics_are_confirmed() -> None:
    aws = Aws()
    webhook = CloudWatchWebhook(
        CloudWatchSettings(topics=frozenset({f"{EXAMPLE_TOPIC}-2"})), Pages(SNS.pages), aws
    )
    delivery = request(SNS.confirmation(Kind.SUBSCRIPTION, at=NOW))

    for act in (webhook.authenticate, webhook.follow_up):
        with pytest.raises(Refused) as refused:
            await act(delivery)
        assert refused.value.reason == "unknown topic"
    assert aws.confirmed == []


@pytest.mark.parametrize(
    "sample",
    [
        SNS.sample(SampleKind.TRIGGERED, problem=1, episode=1, at=NOW),
        SNS.confirmation(Kind.UNSUBSCRIPTION, at=NOW),
    ],
    ids=["alarm", "unsubscription"],
)
async def test_nothing_else_is_confirmed(sample: Sample) -> None:
    """An unsubscription could be confirmed back by its token; that is for people to decide."""
    aws = Aws()

    await CloudWatchWebhook(SETTINGS, Pages({}), aws).follow_up(request(sample))

    assert aws.confirmed == []


async def test_aws_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """SNS waits 15 seconds for an answer; it is told to ask again before that."""
    monkeypatch.setattr("bot.providers.cloudwatch.webhook.CONFIRM_SECONDS", 0.05)
    webhook = CloudWatchWebhook(SETTINGS, Pages({}), lambda _topic, _token: time.sleep(0.3))

    with pytest.raises(TryAgain, match="in time"):
        await webhook.follow_up(request(SNS.confirmation(Kind.SUBSCRIPTION, at=NOW)))


def test_without_credentials_sns_is_asked_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator is told which permission is missing, and SNS keeps asking meanwhile."""
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")

    with pytest.raises(TryAgain, match="sns:ConfirmSubscription"):
        confirm_subscription(EXAMPLE_TOPIC, "t0ken")


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "nonsense"])
def test_aws_cannot_be_reached(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")

    with pytest.raises(TryAgain):
        confirm_subscription(EXAMPLE_TOPIC, "t0ken")


async def test_a_resend_of_the_confirmation_is_harmless() -> None:
    aws = Aws()
    webhook = CloudWatchWebhook(SETTINGS, Pages(SNS.pages), aws)
    delivery = request(SNS.confirmation(Kind.SUBSCRIPTION, at=NOW))

    await asyncio.gather(webhook.follow_up(delivery), webhook.follow_up(delivery))

    assert aws.confirmed == [(EXAMPLE_TOPIC, "t0ken")] * 2
    assert webhook.read(delivery).delivery_id == json.loads(delivery.body)["MessageId"]
