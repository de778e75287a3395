"""What socmon makes of CloudWatch's words."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.alert import Change, Reported, Severity
from bot.domain.errors import Unreadable
from bot.providers.cloudwatch.envelope import Kind
from bot.providers.cloudwatch.samples import CloudWatchSamples
from bot.providers.cloudwatch.settings import EXAMPLE_TOPIC, CloudWatchSettings
from bot.providers.cloudwatch.webhook import CloudWatchWebhook
from bot.providers.contract import Reading, Request, Sample
from tests.providers.cloudwatch.pages import Pages

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
PAYLOADS = Path(__file__).parent / "payloads"
SNS = CloudWatchSamples()
ARN = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:"
DB_CPU = f"{ARN}prod-db-1 CPU"


def read(sample: Sample) -> Reading:
    webhook = CloudWatchWebhook(CloudWatchSettings(topics=frozenset({EXAMPLE_TOPIC})), Pages({}))
    return webhook.read(Request(headers=sample.headers, body=sample.body, received_at=NOW))


def read_message(message: str, subject: str = "") -> Reading:
    return read(SNS.notification(message, at=NOW, subject=subject))


def payload(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text())
    return found


def alert(alarm: dict[str, Any]) -> Reported:
    [found] = read_message(json.dumps(alarm)).alerts
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "triggered",
            {
                "change": Change.TRIGGERED,
                "dedup_key": DB_CPU,
                "occurrence": f"{DB_CPU}|2026-11-24T11:59:03.123000+00:00",
                "occurred_at": datetime(2026, 11, 24, 11, 59, 3, 123000, tzinfo=UTC),
                "title": "prod-db-1 CPU",
                "component": "prod-db-1",
                "condition": "CPUUtilization > 85 for 5 × 60 s",
                "value": "97.3",
                "severity": Severity.SEV2,
                "url": "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1"
                "#alarmsV2:alarm/prod-db-1%20CPU",
                "runbook": "https://wiki.example.com/db-cpu",
                "ignored": "",
            },
        ),
        (
            "resolved",
            {
                "change": Change.RECOVERED,
                "dedup_key": DB_CPU,
                "occurrence": None,
                "occurred_at": datetime(2026, 11, 24, 12, 20, 3, 500000, tzinfo=UTC),
                "value": "41.0",
                "ignored": "",
                "ignored_if_unknown": "",
            },
        ),
        (
            "data-is-back",
            {"change": Change.RECOVERED, "ignored": "", "ignored_if_unknown": "was not in alarm"},
        ),
        (
            "no-data",
            {
                "change": Change.NO_DATA,
                "dedup_key": DB_CPU,
                "occurrence": f"{DB_CPU}|2026-11-24T12:05:00+00:00",
                "value": "",
            },
        ),
        (
            "composite",
            {
                "change": Change.TRIGGERED,
                "title": "checkout/unhealthy",
                "component": "",
                "condition": 'ALARM("latency") OR ALARM("errors")',
                "severity": Severity.SEV1,
                "url": "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1"
                "#alarmsV2:alarm/checkout%2Funhealthy",
            },
        ),
        (
            "metric-math",
            {
                "change": Change.TRIGGERED,
                "component": "app/shop/50dc6c495c0c9188",
                "condition": "100*m1/m2 ≥ 5 for 1 × 300 s",
                "value": "7.25",
                "severity": Severity.SEV3,
                "url": "https://cn-north-1.console.amazonaws.cn/cloudwatch/home?region=cn-north-1"
                "#alarmsV2:alarm/5xx%20share",
            },
        ),
        (
            "old-without-arn",
            {
                "change": Change.TRIGGERED,
                "dedup_key": f"{ARN}queue depth",
                "occurrence": None,
                "occurred_at": None,
                "condition": "",
                "text": "Threshold Crossed",
            },
        ),
        ("test-by-reason", {"change": Change.TRIGGERED, "ignored": "test notification"}),
        ("test-alarm-ends", {"change": Change.RECOVERED, "ignored": "test notification"}),
    ],
)
def test_alarms(name: str, expected: dict[str, object]) -> None:
    """Each notification becomes one report, with the facts CloudWatch gives and no guesses."""
    found = alert(payload(name))

    assert {field: getattr(found, field) for field in expected} == expected


@pytest.mark.parametrize(
    "changed",
    [
        {"NewStateValue": None},
        {"NewStateValue": "alarm"},
        {"NewStateValue": ["ALARM"]},
        {"AlarmName": ""},
        {"AlarmName": None},
        {"AlarmArn": None, "AWSAccountId": None},
    ],
    ids=str,
)
def test_an_alarm_that_cannot_be_read_is_a_gap(changed: dict[str, object]) -> None:
    """What claims to be an alarm and is not readable as one is shown as an intake gap."""
    with pytest.raises(Unreadable):
        alert(payload("triggered") | changed)


@pytest.mark.parametrize(
    "message", ["{", '{"AlarmName": "x"', '{"AlarmName": "x", "AlarmName": "y"}', '{"a": NaN}']
)
def test_half_an_alarm_is_a_gap(message: str) -> None:
    with pytest.raises(Unreadable):
        read_message(message)


@pytest.mark.parametrize(
    ("message", "subject", "reason"),
    [
        ("socmon test from Sam", "", "test notification"),
        ("Can you hear me?", "[TEST] socmon 01J", "test notification"),
        ("This\nis\nmany lines", "All fine", "not an alarm"),
        ("42", "", "not an alarm"),
        ('["AlarmName"]', "", "not an alarm"),
    ],
)
def test_plain_text_is_filed_and_alerts_nobody(message: str, subject: str, reason: str) -> None:
    """Somebody publishes to the topic by hand: it is on record, and nobody is woken."""
    [found] = read_message(message, subject).alerts

    assert found.ignored == reason
    assert found.title == (subject or message.splitlines()[0])


def test_an_event_of_another_service_is_a_gap() -> None:
    """A GuardDuty finding on the alarms' topic may matter: it is stored, alerts nobody, and is shown to be mended."""
    reading = read_message(
        json.dumps({"source": "aws.guardduty", "detail-type": "GuardDuty Finding", "detail": {}})
    )

    assert reading.alerts == ()
    assert reading.gap.startswith(f"A message from aws.guardduty came through {EXAMPLE_TOPIC}.")


def test_a_confirmed_subscription_says_nothing() -> None:
    reading = read(SNS.confirmation(Kind.SUBSCRIPTION, at=NOW))

    assert (reading.alerts, reading.gap) == ((), "")


def test_an_unsubscription_is_a_gap() -> None:
    """When somebody takes socmon off a topic, that is shown, since its alarms no longer arrive."""
    reading = read(SNS.confirmation(Kind.UNSUBSCRIPTION, at=NOW))

    assert reading.alerts == ()
    assert reading.gap.startswith(f"Somebody unsubscribed socmon from {EXAMPLE_TOPIC}")


def test_a_resend_has_the_same_delivery_id() -> None:
    """SNS sends again with the same MessageId, whatever else differs."""
    first = SNS.notification("x", at=NOW, message_id="165545c9-2a5c-472c-8df2-7ff2be2b3b1b")
    again = SNS.notification(
        "x", at=NOW + timedelta(minutes=20), message_id="165545c9-2a5c-472c-8df2-7ff2be2b3b1b"
    )

    assert read(first).delivery_id == read(again).delivery_id == "165545c9-2a5c-472c-8df2-7ff2be2b3b1b"


@pytest.mark.parametrize(
    ("name", "description", "severity"),
    [
        ("cpu", "", Severity.SEV3),
        ("cpu", "CPU is high, this is bad", Severity.SEV3),
        ("cpu", "[SEV1] page someone", Severity.SEV1),
        ("cpu", "sev-4 only", Severity.SEV4),
        ("sev2-cpu", "", Severity.SEV2),
        ("cpu", "severity=critical", Severity.SEV1),
        ("cpu", "Severity : warning", Severity.SEV3),
        ("cpu", "severity: P2", Severity.SEV2),
        ("cpu", "severity: purple", Severity.SEV3),
        ("SEV9", "several problems", Severity.SEV3),
        ("severity: critical", "", Severity.SEV3),
    ],
)
def test_severity_only_by_an_explicit_word(name: str, description: str, severity: Severity) -> None:
    found = alert(payload("triggered") | {"AlarmName": name, "AlarmDescription": description})

    assert found.severity == severity


@pytest.mark.parametrize(
    ("dimensions", "component"),
    [
        ([], ""),
        ([{"name": "InstanceId", "value": "i-1"}], "i-1"),
        ([{"name": "ClusterName", "value": "shop"}, {"name": "ServiceName", "value": "web"}], "web"),
        ([{"name": "Colour", "value": "blue"}], "blue"),
        ([{"name": "Colour", "value": "blue"}, {"name": "Shape", "value": "round"}], ""),
        ([{"Name": "InstanceId", "Value": "i-1"}], "i-1"),
        ("InstanceId", ""),
        ([None, 7, {"name": None}], ""),
    ],
)
def test_component(dimensions: object, component: str) -> None:
    """The component is the most particular dimension that is known, or the only one; never a guess."""
    alarm = payload("triggered")
    alarm["Trigger"]["Dimensions"] = dimensions

    assert alert(alarm).component == component


def test_a_time_from_the_future_is_not_believed() -> None:
    """It would make every later word of CloudWatch old news."""
    found = alert(payload("triggered") | {"StateChangeTime": "2026-11-25T12:00:00.000+0000"})

    assert (found.occurred_at, found.occurrence) == (None, None)
