"""Test alerts through moto's CloudWatch, SNS and SQS into socmon's own queue: real requests, real signatures.

moto's SetAlarmState notifies nobody, so a relay here does what CloudWatch does when an alarm's state changes: it
publishes the notification to the topics of the alarm's actions. All the rest of the way is moto's and socmon's.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from bot.domain.test_alert import Hop, TestAlert, Verdict
from tests.aws import CA_FILE, start
from tests.fake_pagerduty import fake_pagerduty
from tests.slack_server import SlackServer, slack_server
from tests.test_alert_rig import Ahead, Rig, rig

REGION = "us-east-1"
ACCOUNT = "123456789012"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:prod-alarms"
CONFIG = f"""
[providers.cloudwatch]
topics = ["{TOPIC}"]
queue = "https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/socmon-alarms"
test_topics = ["{TOPIC}"]
[providers.cloudwatch.test_alarms]
payments = ["{TOPIC}"]
"""


@pytest.fixture(scope="module")
def proxy() -> Iterator[str]:
    yield from start("moto.proxy")


class Aws:
    """A topic with socmon's queue, and the relay from alarms to it."""

    def __init__(self, proxy: str) -> None:
        config = Config(proxies={"http": proxy, "https": proxy}, retries={"total_max_attempts": 3})

        def client(service: str) -> Any:
            return boto3.client(service, region_name=REGION, config=config, verify=CA_FILE)

        self.cloudwatch, self.sns, self.sqs = client("cloudwatch"), client("sns"), client("sqs")
        self.sns.create_topic(Name="prod-alarms")
        self.url = self.sqs.create_queue(QueueName="socmon-alarms")["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:socmon-alarms"
        self.sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=arn)
        self.states: dict[str, str] = {}

    def relay(self) -> None:
        for alarm in self.cloudwatch.describe_alarms()["MetricAlarms"]:
            name, state = alarm["AlarmName"], alarm["StateValue"]
            before, self.states[name] = self.states.get(name, "OK"), state
            if state != before:
                told = {
                    "AlarmName": name,
                    "AlarmArn": alarm["AlarmArn"],
                    "AlarmDescription": alarm["AlarmDescription"],
                    "NewStateValue": state,
                    "NewStateReason": alarm["StateReason"],
                    "OldStateValue": before,
                    "StateChangeTime": datetime.now(UTC).isoformat(),
                }
                for topic in alarm["AlarmActions" if state == "ALARM" else "OKActions"]:
                    self.sns.publish(TopicArn=topic, Message=json.dumps(told))


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with slack_server() as server:
        yield server


@pytest.fixture
def aws(proxy: str, monkeypatch: pytest.MonkeyPatch) -> Aws:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_DEFAULT_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    return Aws(proxy)


async def _received(there: Rig, test: TestAlert) -> TestAlert:
    async with asyncio.timeout(30):
        while Hop.RECEIVED not in (now := await there.now(test)).passed:  # noqa: ASYNC110 - SQS tells nobody
            await asyncio.sleep(0.1)
    return now


@pytest.mark.nightly
async def test_from_an_alarm_and_from_a_topic_through_the_queue(
    aws: Aws, proxy: str, tmp_path: Path, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made by the setup, put in alarm, signed, queued, believed, seen by Sam, and OK again; no alert is opened."""
    clock = Ahead()
    with fake_pagerduty(clock.now, tmp_path, monkeypatch) as pagerduty:
        async with rig(tmp_path, slack, pagerduty, clock, tables=CONFIG, AWS_CA_BUNDLE=CA_FILE) as there:
            # Only now: Slack's own client takes the proxy as well, for loopback too.
            for name, value in {
                "HTTPS_PROXY": proxy,
                "SSL_CERT_FILE": CA_FILE,
                "NO_PROXY": "127.0.0.1",
            }.items():
                monkeypatch.setenv(name, value)
            sender = there.socmon.test_senders["cloudwatch"]
            plan = await asyncio.to_thread(sender.plan_setup, clock.now())
            for one in plan.items:
                if not one.exists:
                    await asyncio.to_thread(sender.set_up, one, clock.now())
            [queue] = there.socmon.queues
            taking = asyncio.create_task(queue.run())
            try:
                ended = {}
                for path in ("cloudwatch:payments", f"cloudwatch:sns:{REGION}:prod-alarms"):
                    test = await there.begin(path, component="prod-db-1")
                    await there.follow(test)
                    await asyncio.to_thread(aws.relay)
                    await _received(there, test)
                    await there.follow(test)
                    await there.sees(test)
                    await there.follow(test)
                    ended[path] = await there.follow(test)
                    await asyncio.to_thread(aws.relay)
            finally:
                taking.cancel()

            assert [one.verdict for one in ended.values()] == [Verdict.DELIVERED] * 2
            assert all(set(one.passed) == set(one.expects) for one in ended.values())
            assert set(aws.states.values()) == {"OK"}
            assert await there.alerts() == []
