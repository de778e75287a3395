"""What socmon makes of SNS messages that others have recorded (SOCMON_FIXTURES names the folder)."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.errors import Refused
from bot.providers.cloudwatch.envelope import open_envelope
from bot.providers.cloudwatch.samples import CloudWatchSamples
from bot.providers.cloudwatch.settings import CloudWatchSettings
from bot.providers.cloudwatch.webhook import CloudWatchWebhook
from bot.providers.contract import Request
from tests.providers.cloudwatch.pages import Pages
from tests.providers.deliveries import NOW, made_of

SNS = CloudWatchSamples()


def webhook(*topics: str, pages: dict[str, bytes] | None = None) -> CloudWatchWebhook:
    settings = CloudWatchSettings(topics=frozenset(topics), signature_version_1=True)
    return CloudWatchWebhook(settings, Pages(pages or {}))


def message_in(path: Path) -> str:
    """The recorded message, whether in an envelope, as an event for Lambda, or bare."""
    found = json.loads(path.read_text())
    if "Records" in found:
        return str(found["Records"][0]["Sns"]["Message"])
    return path.read_text()


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("notify-slack-events-cloudwatch_alarm", "triggered SEV3 “Example”"),
        ("notify-slack-messages-cloudwatch_alarm", "recovered SEV3 “DBMigrationRequired”"),
        ("notify-slack-messages-text_message", "ignored: not an alarm"),
    ],
)
def test_recorded_messages(fixtures_dir: Path, tmp_path: Path, name: str, made: str) -> None:
    """Put into an envelope as SNS would, since they were recorded without one that can be checked."""
    message = message_in(fixtures_dir / "aws-cloudwatch-sns" / f"{name}.json")
    enveloped = tmp_path / "body"
    enveloped.write_bytes(SNS.notification(message, at=NOW).body)

    assert made_of(webhook(), enveloped) == made


@pytest.mark.parametrize("problem", ["high_cpu_usage", "high_memory_usage", "high_error_rate"])
def test_a_simulators_templates_are_no_alarms(fixtures_dir: Path, tmp_path: Path, problem: str) -> None:
    """They have no state, which CloudWatch never leaves out."""
    templates = json.loads(
        (fixtures_dir / "aws-cloudwatch-sns" / "keep-cloudwatch-alerts_mock.json").read_text()
    )
    enveloped = tmp_path / "body"
    message = json.dumps(templates[problem]["payload"]["Message"])
    enveloped.write_bytes(SNS.notification(message, at=NOW).body)

    assert made_of(webhook(), enveloped).startswith("unreadable: The alarm's NewStateValue is “”")


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("aws-cloudwatch-sns/alerta-cloudwatch_subscription_confirmation", ""),
        (
            "aws-cloudwatch-sns/keep-cloudwatch-alerts_mock",
            "unreadable: The body is not an SNS message: it has no Type.",
        ),
        ("aws-sns/moto-signed-nosubject", "ignored: not an alarm"),
        ("aws-sns/moto-signed-subject", "ignored: not an alarm"),
        ("aws-sns/perl-vector", "ignored: not an alarm"),
    ],
)
def test_recorded_envelopes(fixtures_dir: Path, name: str, made: str) -> None:
    assert made_of(webhook(), fixtures_dir / f"{name}.json") == made


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("aws-sns/moto-signed-nosubject", "sns v2"),
        ("aws-sns/moto-signed-subject", "bad signature"),  # moto did not sign the Subject
        ("aws-sns/perl-vector", "bad certificate address"),
        ("aws-cloudwatch-sns/alerta-cloudwatch_subscription_confirmation", "bad signature"),
    ],
)
async def test_recorded_signatures(fixtures_dir: Path, name: str, outcome: str) -> None:
    """With the certificate that was recorded beside the message, and the clock of that day."""
    body = (fixtures_dir / f"{name}.json").read_bytes()
    pem = fixtures_dir / f"{name}.pem"
    envelope = open_envelope(body)
    page = pem.read_bytes() if pem.exists() else SNS.certificate
    checks = webhook(envelope.topic, pages={envelope.certificate_url: page})

    assert await outcome_of(checks, body, envelope.sent_at + timedelta(minutes=1)) == outcome


async def test_the_recorded_signatures_expire(fixtures_dir: Path) -> None:
    body = (fixtures_dir / "aws-sns/moto-signed-nosubject.json").read_bytes()
    pem = (fixtures_dir / "aws-sns/moto-signed-nosubject.pem").read_bytes()
    envelope = open_envelope(body)
    checks = webhook(envelope.topic, pages={envelope.certificate_url: pem})

    assert await outcome_of(checks, body, envelope.sent_at + timedelta(hours=2)) == "expired"
    assert (
        await outcome_of(checks, body.replace(b'"nosubj"', b'"forged"'), envelope.sent_at) == "bad signature"
    )


async def test_a_vector_with_an_invented_string_to_sign(fixtures_dir: Path) -> None:
    """Its key signed another text than AWS documents: with a proper address it still is not believed."""
    body = (fixtures_dir / "aws-sns/perl-vector.json").read_bytes()
    pem = (fixtures_dir / "aws-sns/perl-vector.pem").read_bytes()
    address = f"https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-{'0' * 32}.pem"
    fields = json.loads(body) | {"SigningCertURL": address, "Timestamp": "2018-05-30T00:00:00.000Z"}
    moved = json.dumps(fields).encode()
    envelope = open_envelope(moved)
    checks = webhook(envelope.topic, pages={address: pem})

    assert await outcome_of(checks, moved, envelope.sent_at) == "bad signature"


async def outcome_of(checks: CloudWatchWebhook, body: bytes, at: datetime) -> str:
    try:
        return await checks.authenticate(Request(headers={}, body=body, received_at=at))
    except Refused as refused:
        return refused.reason
