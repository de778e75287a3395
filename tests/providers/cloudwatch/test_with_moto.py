"""The whole way with somebody else's SNS: moto signs, serves its certificate on AWS's own host names, and confirms.

moto leaves the Subject out of what it signs (AWS does not), so only messages without a Subject can be believed.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import boto3
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from botocore.config import Config

from bot.adapters.network import AiohttpNetwork
from bot.domain.alert import Change
from bot.domain.errors import Refused, TryAgain
from bot.providers.cloudwatch.samples import CloudWatchSamples
from bot.providers.cloudwatch.settings import EXAMPLE_TOPIC, CloudWatchSettings
from bot.providers.cloudwatch.subscription import confirm_subscription
from bot.providers.cloudwatch.webhook import CloudWatchWebhook
from bot.providers.contract import Request, SampleKind
from tests.aws import CA_FILE, start

REGION = "us-east-1"


@pytest.fixture(scope="module")
def proxy() -> Iterator[str]:
    yield from start("moto.proxy")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    yield from start("moto.server")


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return monkeypatch


@pytest.fixture
async def endpoint() -> AsyncIterator[tuple[str, "asyncio.Queue[Request]"]]:
    """Where SNS delivers to."""
    received: asyncio.Queue[Request] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        await received.put(Request(headers=headers, body=await request.read(), received_at=datetime.now(UTC)))
        return web.Response()

    app = web.Application()
    app.router.add_post("/webhooks/cloudwatch", take)
    async with TestServer(app) as listening:
        yield str(listening.make_url("/webhooks/cloudwatch")), received


def through(proxy: str) -> Any:
    # moto's proxy hangs up now and then when the machine is busy.
    config = Config(proxies={"http": proxy, "https": proxy}, retries={"total_max_attempts": 3})
    return boto3.client("sns", region_name=REGION, config=config, verify=CA_FILE)


class Topic:
    """A topic of moto's SNS with one subscriber. Each test has its own, or moto would deliver to earlier tests too."""

    def __init__(self, proxy: str, endpoint: str) -> None:
        self.sns = through(proxy)
        self.arn = self.sns.create_topic(Name=f"alarms-{uuid4()}")["TopicArn"]
        self.sns.subscribe(TopicArn=self.arn, Protocol="http", Endpoint=endpoint)

    def publish(self, **message: str) -> None:
        self.sns.publish(TopicArn=self.arn, **message)


def webhook(monkeypatch: pytest.MonkeyPatch, proxy: str, topic: Topic) -> CloudWatchWebhook:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.setenv("SSL_CERT_FILE", CA_FILE)
    return CloudWatchWebhook(CloudWatchSettings(topics=frozenset({topic.arn})), AiohttpNetwork())


async def test_a_message_that_moto_signed(
    credentials: pytest.MonkeyPatch, proxy: str, endpoint: tuple[str, "asyncio.Queue[Request]"]
) -> None:
    """An alarm is published, delivered, checked against the certificate from sns.us-east-1.amazonaws.com, and read."""
    address, received = endpoint
    topic = await asyncio.to_thread(Topic, proxy, address)
    sample = CloudWatchSamples().sample(SampleKind.TRIGGERED, problem=1, episode=0, at=datetime.now(UTC))
    checks = webhook(credentials, proxy, topic)

    await asyncio.to_thread(topic.publish, Message=json.loads(sample.body)["Message"])
    delivered = await asyncio.wait_for(received.get(), 10)

    assert await checks.authenticate(delivered) == "sns v2"
    [alert] = checks.read(delivered).alerts
    assert alert.change is Change.TRIGGERED


async def test_a_message_whose_subject_is_not_signed(
    credentials: pytest.MonkeyPatch, proxy: str, endpoint: tuple[str, "asyncio.Queue[Request]"]
) -> None:
    """What moto gets wrong must not be believed: otherwise a Subject could be forged."""
    address, received = endpoint
    topic = await asyncio.to_thread(Topic, proxy, address)

    await asyncio.to_thread(topic.publish, Message="hello", Subject="forged")
    delivered = await asyncio.wait_for(received.get(), 10)

    with pytest.raises(Refused) as refused:
        await webhook(credentials, proxy, topic).authenticate(delivered)
    assert refused.value.reason == "bad signature"


async def test_a_certificate_behind_an_unknown_authority(
    credentials: pytest.MonkeyPatch, proxy: str, endpoint: tuple[str, "asyncio.Queue[Request]"]
) -> None:
    """Somebody in between who answers for AWS's host is not trusted, and the alarm is not lost: SNS sends it again."""
    address, received = endpoint
    topic = await asyncio.to_thread(Topic, proxy, address)
    checks = webhook(credentials, proxy, topic)
    credentials.delenv("SSL_CERT_FILE")

    await asyncio.to_thread(topic.publish, Message="hello")
    delivered = await asyncio.wait_for(received.get(), 10)

    with pytest.raises(TryAgain):
        await checks.authenticate(delivered)


def test_a_subscription_is_confirmed_through_the_proxy(credentials: pytest.MonkeyPatch, proxy: str) -> None:
    topic = through(proxy).create_topic(Name="confirmed")["TopicArn"]
    credentials.setenv("HTTPS_PROXY", proxy)

    confirm_subscription(topic, "t0ken", ca_file=CA_FILE)
    with pytest.raises(TryAgain):
        confirm_subscription(f"{topic}-of-nobody", "t0ken", ca_file=CA_FILE)


def test_a_subscription_is_confirmed_at_aws_endpoint_url(
    credentials: pytest.MonkeyPatch, server: str
) -> None:
    credentials.setenv("AWS_ENDPOINT_URL", server)
    topic = boto3.client("sns", region_name=REGION).create_topic(Name="confirmed")["TopicArn"]

    confirm_subscription(topic, "t0ken")
    with pytest.raises(TryAgain, match="Topic does not exist"):
        confirm_subscription(f"{topic}-of-nobody", "t0ken")


async def test_what_aws_is_asked(credentials: pytest.MonkeyPatch) -> None:
    """Afterwards nobody can unsubscribe socmon without AWS credentials."""
    asked: list[dict[str, list[str]]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(parse_qs(await request.text()))
        assert "/eu-west-1/sns/" in request.headers["Authorization"]
        arn = f"{EXAMPLE_TOPIC}:2bcfbf39-05c3-41de-beaa-fcfcc21c8f55"
        inner = (
            f"<ConfirmSubscriptionResult><SubscriptionArn>{arn}</SubscriptionArn></ConfirmSubscriptionResult>"
        )
        return web.Response(text=f"<ConfirmSubscriptionResponse>{inner}</ConfirmSubscriptionResponse>")

    app = web.Application()
    app.router.add_post("/", answer)
    async with TestServer(app) as aws:
        credentials.setenv("AWS_ENDPOINT_URL", str(aws.make_url("/")))
        await asyncio.to_thread(confirm_subscription, EXAMPLE_TOPIC, "t0ken")

    [request] = asked
    assert request["Action"] == ["ConfirmSubscription"]
    assert request["TopicArn"] == [EXAMPLE_TOPIC]
    assert request["Token"] == ["t0ken"]
    assert request["AuthenticateOnUnsubscribe"] == ["true"]
