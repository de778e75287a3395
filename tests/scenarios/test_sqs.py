"""Alarms through a queue: moto's SNS signs and fans out, its SQS keeps, and a socmon of its own process takes.

Between socmon and SQS stands a door that the test can watch and shut: it is what AWS_ENDPOINT_URL names.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from tests.aws import CA_FILE, start
from tests.processes import Bot, Slack, wait_until

REGION = "us-east-1"
ACCOUNT = "123456789012"
RECEIVES = 3


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    yield from start("moto.proxy")


class Door:
    """Passes requests on to moto's SQS, unless it is shut. `on` is told each operation before it is passed on."""

    def __init__(self, moto: str) -> None:
        self.shut = False
        self.on: Callable[[str], None] = lambda _: None
        door = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                door.on(self.headers["x-amz-target"].rpartition(".")[2])
                status, answer = (503, b"") if door.shut else self.passed_on(body)
                self.send_response(status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def passed_on(self, body: bytes) -> tuple[int, bytes]:
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                connection = HTTPConnection(moto.removeprefix("http://"), timeout=20)
                connection.request("POST", f"http://sqs.{REGION}.amazonaws.com/", body, headers)
                answer = connection.getresponse()
                found = answer.status, answer.read()
                connection.close()
                return found

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Aws:
    """A topic, its queue and its dead letters, set up as documented; what stays in the queue comes again soon."""

    def __init__(self, moto: str) -> None:
        config = Config(proxies={"http": moto, "https": moto})
        keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}

        def client(service: str) -> Any:
            return boto3.client(service, region_name=REGION, config=config, verify=CA_FILE, **keys)

        self.sns, self.sqs = client("sns"), client("sqs")
        name = f"alarms-{uuid4()}"
        self.topic = self.sns.create_topic(Name=name)["TopicArn"]
        self.dead = self.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        policy = {
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Condition": {"ArnEquals": {"aws:SourceArn": self.topic}},
                }
            ]
        }
        redrive = {
            "deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}-dead",
            "maxReceiveCount": RECEIVES,
        }
        attributes = {
            "VisibilityTimeout": "1",
            "Policy": json.dumps(policy),
            "RedrivePolicy": json.dumps(redrive),
        }
        self.queue = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)

    def alarm(self, name: str, state: str = "ALARM") -> None:
        """CloudWatch notifies the topic. Without a subject, which moto does not sign."""
        message = {
            "AlarmName": name,
            "AWSAccountId": ACCOUNT,
            "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}",
            "OldStateValue": "OK" if state == "ALARM" else "ALARM",
            "NewStateValue": state,
            "NewStateReason": "Threshold crossed",
            "StateChangeTime": time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime()),
        }
        self.sns.publish(TopicArn=self.topic, Message=json.dumps(message))

    def waiting(self, queue: str = "") -> int:
        """Messages in the queue, those under way included."""
        found = self.sqs.get_queue_attributes(QueueUrl=queue or self.queue, AttributeNames=["All"])[
            "Attributes"
        ]
        return int(found["ApproximateNumberOfMessages"]) + int(found["ApproximateNumberOfMessagesNotVisible"])


@pytest.fixture
def aws(moto: str) -> Aws:
    return Aws(moto)


@pytest.fixture
def door(moto: str) -> Iterator[Door]:
    found = Door(moto)
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def bot(tmp_path: Path, aws: Aws, door: Door, moto: str) -> Iterator[Bot]:
    """Without Slack: what is tested is the way into the records."""
    found = Bot(tmp_path, Slack(9))
    with (tmp_path / "socmon.toml").open("a") as config:
        config.write(f'[providers.cloudwatch]\ntopics = ["{aws.topic}"]\nqueue = "{aws.queue}"\n')
    del found.environ["SLACK_BOT_TOKEN"]
    found.environ |= {
        "AWS_ENDPOINT_URL": door.url,
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HTTPS_PROXY": moto,
        "SSL_CERT_FILE": CA_FILE,
        "NO_PROXY": "127.0.0.1",
    }
    yield found
    found.stop()


def alerts(bot: Bot) -> dict[str, str]:
    """Title → the state of the source."""
    return {alert["title"]: alert["source"] for alert in bot.log()}


def counted(bot: Bot) -> dict[str, int]:
    """The metrics' deliveries since the last start.

    Without those tried again: moto has a certificate for each message, and socmon fetches only so many at once.
    """
    with urlopen(f"{bot.url}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    prefix = 'socmon_deliveries_total{provider="cloudwatch",result="'
    found = [line.removeprefix(prefix).split('"} ') for line in lines if line.startswith(prefix)]
    return {result: int(float(number)) for result, number in found if result != "unavailable"}


def test_nothing_is_lost_while_socmon_is_down(bot: Bot, aws: Aws) -> None:
    """Published while it is stopped, there after its start; published while it runs, there at once."""
    for number in range(25):
        aws.alarm(f"alarm-{number}")
    aws.alarm("alarm-3", "OK")

    bot.start()
    wait_until(lambda: aws.waiting() == 0, what="the queue is empty", log=bot.folder / "bot.log")

    expected = {f"alarm-{number}": "firing" for number in range(25)} | {"alarm-3": "recovered"}
    assert alerts(bot) == expected
    assert counted(bot) == {"accepted": 26}
    aws.alarm("one more")
    wait_until(lambda: len(alerts(bot)) == 26, what="the new alarm is there")

    started = time.monotonic()
    bot.stop()
    assert time.monotonic() - started < 10
    verified = bot.run("evidence", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


@pytest.mark.nightly
def test_killed_between_receive_and_delete(bot: Bot, aws: Aws, door: Door) -> None:
    """It costs a duplicate, and no alarm."""
    reached, killed = threading.Event(), threading.Event()

    def at(operation: str) -> None:
        if operation.startswith("DeleteMessage") and not killed.is_set():
            reached.set()
            killed.wait(30)
            door.shut = True  # what the dead process asked for is not done

    door.on = at
    aws.alarm("survivor")
    bot.start()
    assert reached.wait(30)
    bot.kill()
    killed.set()
    wait_until(lambda: door.shut, what="the deletion is not passed on")
    assert aws.waiting() == 1

    door.shut = False
    bot.start()
    wait_until(lambda: aws.waiting() == 0, what="the queue is empty", log=bot.folder / "bot.log")

    assert alerts(bot) == {"survivor": "firing"}
    assert counted(bot) == {"duplicate": 1}


def test_poison_goes_to_the_dead_letters_and_is_one_gap(bot: Bot, aws: Aws) -> None:
    """What nobody signed, and what cannot be read; the alarms among them arrive."""
    aws.sqs.send_message(QueueUrl=aws.queue, MessageBody='{"AlarmName": "raw"}')
    aws.sns.publish(TopicArn=aws.topic, Message='{"AlarmName": "cut of')
    aws.alarm("good")

    bot.start()
    wait_until(lambda: aws.waiting(aws.dead) == 2, what="both are dead letters", log=bot.folder / "bot.log")

    assert alerts(bot) == {"good": "firing"}
    assert counted(bot) == {"accepted": 1, "unreadable": 2, "duplicate": 2 * (RECEIVES - 1)}
    gaps = json.loads(bot.run("status", "--json").stdout)["gaps"]
    assert len(gaps) == 2
    assert any("RawMessageDelivery" in gap["why"] for gap in gaps)
    assert aws.waiting() == 0


@pytest.mark.nightly
def test_aws_goes_away_and_comes_back(bot: Bot, aws: Aws, door: Door) -> None:
    """It is told as a degraded source, intake over HTTP goes on, and no alarm is lost; a stop does not wait for AWS."""
    bot.start()
    door.shut = True
    aws.alarm("meanwhile")
    wait_until(lambda: bot.ready()["degraded"], what="the outage is told", seconds=60)
    [told] = bot.ready()["degraded"]
    assert "cannot be used" in told
    assert "503" in told
    assert bot.post({"status": "triggered", "dedup_key": "x", "title": "over HTTP"})[0] == 202

    door.shut = False
    wait_until(lambda: "meanwhile" in alerts(bot), what="the alarm is there", seconds=60)
    wait_until(lambda: not bot.ready()["degraded"], what="the problem is cleared")

    door.shut = True
    wait_until(lambda: bot.ready()["degraded"], what="the outage is told again", seconds=60)
    started = time.monotonic()
    bot.stop()
    assert time.monotonic() - started < 10


@pytest.mark.nightly
def test_a_stop_waits_for_no_answer(bot: Bot, door: Door) -> None:
    """Even when SQS answers nothing at all."""
    asked, going_on = threading.Event(), threading.Event()

    def hang(_: str) -> None:
        asked.set()
        going_on.wait(30)

    door.on = hang
    bot.start()
    assert asked.wait(30)
    started = time.monotonic()
    bot.stop()
    assert time.monotonic() - started < 10
    going_on.set()


@pytest.mark.nightly
def test_a_queue_that_was_misspelt(bot: Bot, aws: Aws) -> None:
    """It is told with its mend; once the configuration is corrected the problem is gone."""
    config = bot.folder / "socmon.toml"
    good = config.read_text()
    config.write_text(good.replace(aws.queue, f"{aws.queue}-not"))
    bot.start()
    wait_until(lambda: bot.ready()["degraded"], what="the misspelling is told", seconds=60)
    assert "Correct [providers.cloudwatch] queue" in bot.ready()["degraded"][0]
    bot.stop()

    config.write_text(good)
    bot.start()
    assert bot.ready()["degraded"] == []


@pytest.mark.nightly
def test_the_doctor_looks_at_the_queue(bot: Bot, aws: Aws) -> None:
    """A queue in good order is one finding; without a redrive policy and with a topic too many there are mends."""

    def findings() -> list[dict[str, str]]:
        found = json.loads(bot.run("doctor", "--json").stdout)
        return [finding for finding in found if finding["subject"].startswith("queue sqs:")]

    [good] = findings()
    assert good["level"] == "ok"
    assert aws.topic in good["text"]

    aws.sqs.set_queue_attributes(QueueUrl=aws.queue, Attributes={"RedrivePolicy": ""})
    bad = findings()
    assert [finding["level"] for finding in bad] == ["fault", "fault", "hint"]
    assert "has no redrive policy" in bad[0]["text"]
    assert "may not send" in bad[1]["text"]


def test_a_wrong_queue_stops_the_start(bot: Bot) -> None:
    """With the key, and where to find the right value."""
    config = bot.folder / "socmon.toml"
    config.write_text(config.read_text().replace('queue = "https', 'queue = "ftp'))

    done = bot.run("serve")

    assert done.returncode != 0
    assert "providers.cloudwatch.queue" in done.stderr + done.stdout
