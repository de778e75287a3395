"""Alarm notifications as SNS would send them, signed with a key and a certificate made on the spot."""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from bot.providers.cloudwatch.envelope import SIGNED, Kind
from bot.providers.cloudwatch.settings import EXAMPLE_TOPIC
from bot.providers.contract import Sample, SampleKind
from bot.providers.problems import Problem, imagine

ACCOUNT = "111122223333"
REGION = "eu-west-1"
_ALGORITHMS: dict[str, HashAlgorithm] = {"1": SHA1(), "2": SHA256()}  # noqa: S303 - what version 1 is
_STATES = {
    SampleKind.TRIGGERED: ("OK", "ALARM"),
    SampleKind.REPEATED: ("OK", "ALARM"),
    SampleKind.RECOVERED: ("ALARM", "OK"),
    SampleKind.NO_DATA: ("OK", "INSUFFICIENT_DATA"),
}
_REASONS = {
    "ALARM": "Threshold Crossed: {n} out of the last {n} datapoints [{value} ({at})] was {sign} than the threshold"
    " ({limit}).",
    "OK": "Threshold Crossed: 1 out of the last {n} datapoints was not {sign} than the threshold ({limit}).",
    "INSUFFICIENT_DATA": "Insufficient Data: {n} datapoints were unknown.",
}


class CloudWatchSamples:
    """Each instance is an SNS of its own: only it has the key to its certificate."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._began: dict[tuple[int, int], datetime] = {}

    @property
    def environ(self) -> Mapping[str, str]:
        return {}

    @property
    def table(self) -> Mapping[str, Any]:
        return {"topics": [EXAMPLE_TOPIC]}

    @property
    def pages(self) -> Mapping[str, bytes]:
        return {self.certificate_url: self.certificate}

    @cached_property
    def certificate(self) -> bytes:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        builder = x509.CertificateBuilder(
            issuer_name=name,
            subject_name=name,
            public_key=self._key.public_key(),
            serial_number=1,
            not_valid_before=datetime(2000, 1, 1, tzinfo=UTC),
            not_valid_after=datetime(2100, 1, 1, tzinfo=UTC),
        )
        return builder.sign(self._key, SHA256()).public_bytes(Encoding.PEM)

    @cached_property
    def certificate_url(self) -> str:
        name = sha256(self.certificate).hexdigest()[:32]
        return f"https://sns.{REGION}.amazonaws.com/SimpleNotificationService-{name}.pem"

    def sample(self, kind: SampleKind, *, problem: int, episode: int, at: datetime) -> Sample:
        message_id = str(uuid5(NAMESPACE_URL, f"{kind}/{problem}/{episode}/{at.isoformat()}"))
        if kind is SampleKind.TEST:
            return self.notification("socmon test: can you hear me?", at=at, message_id=message_id)
        alarm = json.dumps(self._alarm(kind, problem=problem, episode=episode, at=at))
        message = alarm[: len(alarm) // 2] if kind is SampleKind.GARBAGE else alarm
        return self.notification(message, at=at, message_id=message_id, subject=f"{kind}: alarm {problem}")

    def notification(
        self, message: str, *, at: datetime, message_id: str = "m-1", subject: str = ""
    ) -> Sample:
        """A message published to the topic."""
        fields = {
            "Type": Kind.NOTIFICATION,
            "MessageId": message_id,
            "TopicArn": EXAMPLE_TOPIC,
            "Message": message,
        }
        return self.signed(fields | {"Timestamp": _time(at)} | ({"Subject": subject} if subject else {}))

    def confirmation(self, kind: Kind, *, at: datetime, subscribe_url: str = "") -> Sample:
        """What SNS sends to an endpoint that was subscribed or unsubscribed."""
        link = f"https://sns.{REGION}.amazonaws.com/?Action=ConfirmSubscription&TopicArn={EXAMPLE_TOPIC}&Token=t0ken"
        return self.signed(
            {
                "Type": kind,
                "MessageId": str(uuid5(NAMESPACE_URL, f"{kind}/{at.isoformat()}")),
                "Token": "t0ken",
                "TopicArn": EXAMPLE_TOPIC,
                "Message": f"This is about the topic {EXAMPLE_TOPIC}.",
                "SubscribeURL": subscribe_url or link,
                "Timestamp": _time(at),
            }
        )

    def signed(self, fields: Mapping[str, str], *, version: str = "2", certificate_url: str = "") -> Sample:
        """`fields`, signed as SNS does."""
        kind = Kind(fields["Type"])
        text = "".join(f"{name}\n{fields[name]}\n" for name in SIGNED[kind] if name in fields)
        signature = self._key.sign(text.encode(), PKCS1v15(), _ALGORITHMS[version])
        body = {
            **fields,
            "SignatureVersion": version,
            "Signature": b64encode(signature).decode(),
            "SigningCertURL": certificate_url or self.certificate_url,
        }
        headers = {
            "content-type": "text/plain; charset=UTF-8",
            "user-agent": "Amazon Simple Notification Service Agent",
            "x-amz-sns-message-type": kind,
            "x-amz-sns-message-id": fields["MessageId"],
            "x-amz-sns-topic-arn": fields["TopicArn"],
        }
        return Sample(headers=headers, body=json.dumps(body, indent=2).encode())

    def _alarm(self, kind: SampleKind, *, problem: int, episode: int, at: datetime) -> dict[str, Any]:
        before, now = _STATES.get(kind, ("OK", "ALARM"))
        began = kind in {SampleKind.TRIGGERED, SampleKind.REPEATED}
        # Told again, an alarm still names the moment at which it went off.
        changed_at = self._began.setdefault((problem, episode), at) if began else at
        return _alarm(imagine(problem), before, now, changed_at)


def _alarm(about: Problem, before: str, now: str, changed_at: datetime) -> dict[str, Any]:
    name = f"{about.kind}-{about.component}"
    return {
        "AlarmName": name,
        "AlarmDescription": f"{about.title}. {about.advice} severity: high. runbook: {about.runbook}",
        "AWSAccountId": ACCOUNT,
        "AlarmConfigurationUpdatedTimestamp": "2026-01-05T08:00:00.000+0000",
        "NewStateValue": now,
        "NewStateReason": _reason(about, now, changed_at),
        "StateChangeTime": _time(changed_at, "+0000"),
        "Region": "EU (Ireland)",
        "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}",
        "OldStateValue": before,
        "OKActions": [EXAMPLE_TOPIC],
        "AlarmActions": [EXAMPLE_TOPIC],
        "InsufficientDataActions": [EXAMPLE_TOPIC],
        "Trigger": _trigger(about),
    }


def _trigger(about: Problem) -> dict[str, Any]:
    return {
        "MetricName": about.metric,
        "Namespace": "Platform",
        "StatisticType": "Statistic",
        "Statistic": "AVERAGE",
        "Unit": None,
        "Dimensions": [{"name": "host", "value": about.component}],
        "Period": 60,
        "EvaluationPeriods": about.minutes,
        "DatapointsToAlarm": about.minutes,
        "ComparisonOperator": "GreaterThanThreshold" if about.above else "LessThanThreshold",
        "Threshold": float(about.threshold),
        "TreatMissingData": "missing",
        "EvaluateLowSampleCountPercentile": "",
    }


def _reason(about: Problem, now: str, at: datetime) -> str:
    return _REASONS[now].format(
        n=about.minutes,
        value=float(about.value.removesuffix(about.unit)),
        at=f"{at:%d/%m/%y %H:%M:%S}",
        sign="greater" if about.above else "less",
        limit=float(about.threshold),
    )


def _time(at: datetime, zone: str = "Z") -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", zone)
