"""Which alarms are in alarm: asked of moto's CloudWatch, and known by the keys that their notifications bear."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from bot.domain.alert import Change
from bot.providers.cloudwatch.alerts import CloudWatchAlerts
from bot.providers.cloudwatch.settings import CloudWatchSettings, findings
from tests.processes import free_port, wait_until

TOPIC = "arn:aws:sns:us-east-1:123456789012:socmon-alarms"  # moto's own account
NOW = datetime.now(UTC) + timedelta(minutes=5)


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    port = free_port()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: _listens(port), what="moto listens")
            yield boto3.client("cloudwatch", region_name="us-east-1")
        finally:
            process.terminate()


def test_alarms_are_told_as_their_notifications_would(moto: Any) -> None:
    _alarm(moto, "prod-db-1 CPU", state="ALARM")
    _alarm(moto, "calm", state="OK")
    _alarm(moto, "of another team", state="ALARM", actions=["arn:aws:sns:us-east-1:123456789012:other"])
    _alarm(moto, "no data", state="INSUFFICIENT_DATA")
    alerts = CloudWatchAlerts(settings=_settings())

    pulled = alerts.list_open(NOW)

    assert (pulled.complete, pulled.reason) == (True, "")
    found = {one.reported.title: one for one in pulled.items}
    assert set(found) == {"prod-db-1 CPU", "of another team", "no data"}
    one = found["prod-db-1 CPU"].reported
    assert one.dedup_key == "arn:aws:cloudwatch:us-east-1:123456789012:alarm:prod-db-1 CPU"
    assert (one.change, one.component, one.current) == (Change.TRIGGERED, "i-0abc", True)
    assert one.condition.startswith("CPUUtilization > 85")
    assert found["no data"].reported.change is Change.NO_DATA
    assert {title: one.quiet for title, one in found.items()} == {
        "prod-db-1 CPU": False,
        "of another team": True,
        "no data": True,
    }


def test_only_the_topics_own_places_are_covered() -> None:
    alerts = CloudWatchAlerts(settings=_settings())
    assert alerts.covers("arn:aws:cloudwatch:us-east-1:123456789012:alarm:x")
    assert not alerts.covers("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:x")
    assert not alerts.covers("arn:aws:cloudwatch:us-east-1:999999999999:alarm:x")


def test_without_credentials_the_answer_is_not_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    pulled = CloudWatchAlerts(settings=_settings()).list_open(NOW)
    assert not pulled.complete
    assert "cloudwatch:DescribeAlarms" in pulled.reason
    assert findings(_settings()) == []


def _settings() -> CloudWatchSettings:
    return CloudWatchSettings(topics=frozenset({TOPIC}), compare=True)


def _alarm(client: Any, name: str, *, state: str, actions: list[str] | None = None) -> None:
    client.put_metric_alarm(
        AlarmName=name,
        MetricName="CPUUtilization",
        Namespace="AWS/EC2",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=5,
        Threshold=85.0,
        ComparisonOperator="GreaterThanThreshold",
        Dimensions=[{"Name": "InstanceId", "Value": "i-0abc"}],
        AlarmActions=actions or [TOPIC],
    )
    client.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test of ours")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
