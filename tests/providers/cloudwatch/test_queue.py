"""socmon's own calls to SQS, against moto's, and what `socmon doctor` says about a queue."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from bot.domain.errors import Refused, TryAgain, WrongSettings
from bot.providers.cloudwatch.queue import SqsQueue, open_queue
from bot.providers.cloudwatch.samples import CloudWatchSamples
from bot.providers.cloudwatch.settings import EXAMPLE_QUEUE, EXAMPLE_TOPIC, QueueAddress, read_settings
from bot.providers.contract import Request, SampleKind
from tests.aws import start
from tests.providers.cloudwatch.pages import Pages

ACCOUNT = "123456789012"
REGION = "eu-west-1"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:socmon-alarms"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    yield from start("moto.server")


@pytest.fixture
def aws(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    return server


class Sqs:
    """A queue of its own in moto's SQS, with its dead letters, and socmon's view of it."""

    def __init__(self, **attributes: Any) -> None:
        self.client = boto3.client("sqs", region_name=REGION)
        name = f"q-{uuid4()}"
        self.dead = self.client.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        self.dead_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}-dead"
        self.arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        self.url = self.client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self.name = name

    def set_up(self, *statements: Any, **change: Any) -> None:
        """As the documentation says, but for the change. In one call: moto forgets the policy with every other one."""
        given = {
            "RedrivePolicy": {"deadLetterTargetArn": self.dead_arn, "maxReceiveCount": 5},
            "Policy": {"Version": "2012-10-17", "Statement": list(statements or [self.statement(TOPIC)])},
        } | change
        attributes = {
            key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()
        }
        self.client.set_queue_attributes(QueueUrl=self.url, Attributes=attributes)

    def statement(self, *topics: str) -> dict[str, Any]:
        return {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": self.arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": list(topics)}},
        }

    def queue(self, *topics: str) -> SqsQueue:
        environ = {"AWS_ENDPOINT_URL": "set", "AWS_REGION": REGION}
        settings = read_settings({"topics": list(topics or [TOPIC]), "queue": self.url}, environ)
        opened = open_queue(settings, Pages({}))
        assert opened is not None
        return opened

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.client.send_message(QueueUrl=self.url, MessageBody=body)


@pytest.mark.usefixtures("aws")
def test_messages_are_received_and_removed() -> None:
    """At most ten at once, as bytes; what was removed does not come again, and may be removed again."""
    sqs = Sqs(VisibilityTimeout="1")
    sqs.send(*(f"héllo {number}" for number in range(12)))
    queue = sqs.queue()

    first = queue.receive()
    second = queue.receive()
    queue.remove(first)
    queue.remove(first)
    time.sleep(1.1)

    assert len(first) == 10
    assert {message.body.decode() for message in first + second} == {
        f"héllo {number}" for number in range(12)
    }
    assert {message.id for message in queue.receive()} == {message.id for message in second}
    assert queue.name == f"sqs:{sqs.name}"


@pytest.mark.usefixtures("aws")
def test_an_empty_queue_is_waited_at_for_a_while() -> None:
    """Long enough not to cost much, and short enough for a stop within ten seconds."""
    started = time.monotonic()

    assert Sqs().queue().receive() == []

    assert 2 < time.monotonic() - started < 6


@pytest.mark.usefixtures("aws")
def test_what_could_not_be_removed_is_told() -> None:
    sqs = Sqs()
    sqs.send("hello")
    queue = sqs.queue()
    [message] = queue.receive()
    sqs.client.purge_queue(QueueUrl=sqs.url)

    with pytest.raises(
        TryAgain, match=r"1 messages that are on record could not be removed.*ReceiptHandleIsInvalid"
    ):
        queue.remove([message])


@pytest.mark.usefixtures("aws")
def test_a_queue_that_is_not_there() -> None:
    sqs = Sqs()
    queue = sqs.queue()
    sqs.client.delete_queue(QueueUrl=sqs.url)

    with pytest.raises(TryAgain, match=r"cannot be used.*Correct .providers.cloudwatch. queue"):
        queue.receive()
    [fault] = queue.look().faults
    assert "does not exist" in fault


def test_aws_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    queue = open_queue(read_settings({"topics": [EXAMPLE_TOPIC], "queue": EXAMPLE_QUEUE}, {}), Pages({}))
    assert queue is not None

    with pytest.raises(TryAgain, match=r"socmon-alarms cannot be used: .*127\.0\.0\.1.* Check"):
        queue.receive()
    assert len(queue.look().faults) == 1


def test_aws_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    queue = open_queue(read_settings({"topics": [EXAMPLE_TOPIC], "queue": EXAMPLE_QUEUE}, {}), Pages({}))
    assert queue is not None

    with pytest.raises(TryAgain, match=r"Unable to locate credentials.*AWS credentials"):
        queue.receive()


@pytest.mark.usefixtures("aws")
def test_the_doctor_finds_a_queue_in_good_order() -> None:
    """It says how much waits and who may send. What it looked at is visible again at once."""
    sqs = Sqs()
    sqs.set_up()
    sqs.send("hello")

    look = sqs.queue().look()

    assert look.faults == ()
    assert look.says == f"It is there; 1 messages wait in it. Topics that may send to it: {TOPIC}"
    assert len(sqs.queue().receive()) == 1


@pytest.mark.usefixtures("aws")
def test_the_documented_queue_is_in_good_order() -> None:
    """The attributes in docs/providers/cloudwatch.md, as its reader sends them; its readable policy is the same."""
    page = Path("docs/providers/cloudwatch.md").read_text()
    written = re.search(
        r"cat > queue\.json <<EOF\n(?P<json>\s+{\n\s+\"MessageRetention.*?)\s+EOF", page, re.DOTALL
    )
    readable = re.search(r"The queue policy, readable.*?```json\n(?P<json>.*?)```", page, re.DOTALL)
    assert written
    assert readable
    sqs = Sqs()
    filled = (
        written["json"].replace("$DEAD", sqs.dead_arn).replace("$QUEUE", sqs.arn).replace("$TOPIC", TOPIC)
    )
    attributes = json.loads(filled)
    sqs.client.set_queue_attributes(QueueUrl=sqs.url, Attributes=attributes)

    assert sqs.queue().look().faults == ()
    policy = (
        readable["json"]
        .replace(EXAMPLE_TOPIC.replace(":sns:", ":sqs:"), sqs.arn)
        .replace(EXAMPLE_TOPIC, TOPIC)
    )
    assert json.loads(policy) == json.loads(attributes["Policy"])


OTHER = f"{TOPIC}-of-others"


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"RedrivePolicy": ""}, "has no redrive policy"),
        ({"Policy": ""}, f"{TOPIC} may not send to"),
        ({"Policy": {"Version": "2012-10-17", "Statement": []}}, f"{TOPIC} may not send to"),
    ],
)
def test_the_doctor_says_what_the_queue_lacks(change: Mapping[str, Any], says: str) -> None:
    sqs = Sqs()
    sqs.set_up(**change)

    [fault] = sqs.queue().look().faults
    assert says in fault


@pytest.mark.usefixtures("aws")
def test_the_doctor_counts_the_receives() -> None:
    """One interrupted start must not send an alarm to the dead letters."""
    sqs = Sqs()
    sqs.set_up(RedrivePolicy={"deadLetterTargetArn": sqs.dead_arn, "maxReceiveCount": 1})

    [fault] = sqs.queue().look().faults
    assert "Set maxReceiveCount to 5" in fault


ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}
PATTERN = {
    **ANYBODY,
    "Action": ["SQS:SendMessage"],
    "Condition": {"ArnLike": {"AWS:SourceArn": f"{TOPIC[:-6]}*"}},
}


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("statements", "faults"),
    [
        ([ANYBODY], ["lets others than your topics send"]),
        ([PATTERN], []),
        ([{**PATTERN, "Effect": "Deny"}], [f"{TOPIC} may not send"]),
        ([{**ANYBODY, "Action": "sqs:ReceiveMessage"}], [f"{TOPIC} may not send"]),
        (
            [PATTERN, {**ANYBODY, "Condition": {"ArnEquals": {"aws:SourceArn": OTHER}}}],
            [f"{OTHER} may send to"],
        ),
    ],
    ids=["anybody", "pattern", "denied", "only receive", "a foreign topic"],
)
def test_the_doctor_says_who_may_send(statements: list[Any], faults: list[str]) -> None:
    sqs = Sqs()
    sqs.set_up(*statements)

    found = sqs.queue().look().faults

    assert len(found) == len(faults)
    assert all(says in fault for says, fault in zip(faults, found, strict=True))


def test_the_doctor_names_the_permission_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Receiving and removing are tried; the error of a receipt that is none is none."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - as slow as boto3

    class Denying:
        def get_queue_attributes(self, **_: Any) -> Any:
            return {"Attributes": {}}

        def __getattr__(self, name: str) -> Any:
            def deny(**_: Any) -> Any:
                raise ClientError({"Error": {"Code": "AccessDenied", "Message": f"no {name}"}}, name)

            return deny

    queue = open_queue(read_settings({"topics": [EXAMPLE_TOPIC], "queue": EXAMPLE_QUEUE}, {}), Pages({}))
    assert queue is not None
    monkeypatch.setattr(queue, "_client", Denying())

    receiving, removing, *_ = queue.look().faults
    assert "no receive_message" in receiving
    assert "no delete_message" in removing
    assert "sqs:DeleteMessage" in removing


async def test_a_certificate_that_ended_while_the_message_waited() -> None:
    """It counts when the message was signed; over HTTP, where nothing waits, it must be valid now."""
    sns = CloudWatchSamples()
    late = datetime(2100, 1, 10, tzinfo=UTC)
    sample = sns.sample(SampleKind.TRIGGERED, problem=1, episode=0, at=late - timedelta(days=13))
    settings = read_settings({"topics": [EXAMPLE_TOPIC], "queue": EXAMPLE_QUEUE}, {})
    queue = open_queue(settings, Pages(sns.pages))
    assert queue is not None

    request = Request(headers={}, body=sample.body, received_at=late)

    assert await queue.webhook.authenticate(request) == "sns v2"
    signed_after = sns.sample(SampleKind.TRIGGERED, problem=1, episode=0, at=late)
    with pytest.raises(Refused, match="not valid"):
        await queue.webhook.authenticate(Request(headers={}, body=signed_after.body, received_at=late))


OWNER = "111122223333"


@pytest.mark.parametrize(
    ("url", "environ", "expected"),
    [
        (
            EXAMPLE_QUEUE,
            {},
            QueueAddress(url=EXAMPLE_QUEUE, name="socmon-alarms", region="eu-west-1", account=OWNER),
        ),
        (
            "https://sqs.cn-north-1.amazonaws.com.cn/111122223333/a",
            {},
            QueueAddress(
                url="https://sqs.cn-north-1.amazonaws.com.cn/111122223333/a",
                name="a",
                region="cn-north-1",
                account=OWNER,
            ),
        ),
        (
            "http://127.0.0.1:5000/111122223333/a_b",
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:5000", "AWS_DEFAULT_REGION": "us-east-1"},
            QueueAddress(
                url="http://127.0.0.1:5000/111122223333/a_b", name="a_b", region="us-east-1", account=OWNER
            ),
        ),
    ],
)
def test_the_queue_is_named_by_its_url(url: str, environ: dict[str, str], expected: QueueAddress) -> None:
    assert read_settings({"topics": [EXAMPLE_TOPIC], "queue": url}, environ).queue == expected


@pytest.mark.parametrize(
    ("url", "environ", "message"),
    [
        ("socmon-alarms", {}, "'socmon-alarms' is not the URL of an SQS queue. It looks like https://sqs."),
        ("", {}, "is not the URL"),
        (7, {}, "7 is not the URL"),
        ("arn:aws:sqs:eu-west-1:111122223333:socmon-alarms", {}, "`aws sqs get-queue-url"),
        ("http://sqs.eu-west-1.amazonaws.com/111122223333/a", {}, "is not the URL"),
        ("https://sqs.eu-west-1.amazonaws.com.evil.example/111122223333/a", {}, "is not the URL"),
        ("https://sqs.eu-west-1.amazonaws.com/111122223333/a?x=1", {}, "is not the URL"),
        (f"{EXAMPLE_QUEUE}\n", {}, "is not the URL"),
        (f"{EXAMPLE_QUEUE}.fifo", {}, "socmon-alarms.fifo is a FIFO queue"),
        ("http://127.0.0.1:5000/111122223333/a", {"AWS_ENDPOINT_URL": "x"}, "Set AWS_REGION"),
    ],
)
def test_a_wrong_queue_names_the_key_and_the_mend(url: object, environ: dict[str, str], message: str) -> None:
    with pytest.raises(WrongSettings, match=r"providers\.cloudwatch\.queue") as wrong:
        read_settings({"topics": [EXAMPLE_TOPIC], "queue": url}, environ)

    assert message in str(wrong.value)


def test_a_queue_without_topics_is_not_emptied_into_the_dead_letters() -> None:
    with pytest.raises(WrongSettings, match=r"providers\.cloudwatch\.queue needs topics"):
        read_settings({"queue": EXAMPLE_QUEUE}, {})


def test_without_a_queue_there_is_none() -> None:
    assert open_queue(read_settings({"topics": [EXAMPLE_TOPIC]}, {}), Pages({})) is None
