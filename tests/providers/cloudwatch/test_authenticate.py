"""Whom the SNS endpoint believes."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import Refused, TryAgain
from bot.ports import Answer
from bot.providers.cloudwatch.envelope import Kind
from bot.providers.cloudwatch.samples import CloudWatchSamples
from bot.providers.cloudwatch.settings import EXAMPLE_TOPIC, CloudWatchSettings
from bot.providers.cloudwatch.webhook import CloudWatchWebhook
from bot.providers.contract import Request, Sample, SampleKind
from tests.providers.cloudwatch.pages import Pages

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SNS = CloudWatchSamples()
ATTACKER = CloudWatchSamples()
SETTINGS = CloudWatchSettings(topics=frozenset({EXAMPLE_TOPIC}))


def webhook(
    pages: Mapping[str, bytes | Answer | Exception] = SNS.pages, settings: CloudWatchSettings = SETTINGS
) -> CloudWatchWebhook:
    return CloudWatchWebhook(settings, Pages(pages))


async def authenticate(
    sample: Sample, at: datetime = NOW, checked_by: CloudWatchWebhook | None = None
) -> str:
    return await (checked_by or webhook()).authenticate(
        Request(headers=sample.headers, body=sample.body, received_at=at)
    )


async def refusal(sample: Sample, at: datetime = NOW, checked_by: CloudWatchWebhook | None = None) -> str:
    with pytest.raises(Refused) as refused:
        await authenticate(sample, at, checked_by)
    return refused.value.reason


def tampered(sample: Sample, **changes: object) -> Sample:
    body = {**json.loads(sample.body), **changes}
    return replace(
        sample, body=json.dumps({name: value for name, value in body.items() if value is not None}).encode()
    )


TRIGGERED = SNS.sample(SampleKind.TRIGGERED, problem=1, episode=1, at=NOW)
PLAIN = SNS.notification("no subject", at=NOW)
CONFIRMATION = SNS.confirmation(Kind.SUBSCRIPTION, at=NOW)


@pytest.mark.parametrize(
    "sample",
    [TRIGGERED, PLAIN, CONFIRMATION, SNS.confirmation(Kind.UNSUBSCRIPTION, at=NOW)],
    ids=["with a subject", "without a subject", "subscription", "unsubscription"],
)
async def test_what_sns_signed_is_believed(sample: Sample) -> None:
    assert await authenticate(sample) == "sns v2"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Message": "all is well"}, "bad signature"),
        ({"Subject": "another"}, "bad signature"),
        ({"Subject": None}, "bad signature"),
        ({"MessageId": "another"}, "bad signature"),
        ({"Timestamp": "2026-11-24T12:00:00.001Z"}, "bad signature"),
        ({"Message": "\ud800"}, "bad signature"),
        ({"Signature": "AAAA"}, "bad signature"),
        ({"Signature": "not base64!"}, "not an SNS message"),
        ({"Signature": "ünïcode"}, "not an SNS message"),
        ({"Signature": None}, "not an SNS message"),
        ({"SignatureVersion": "1"}, "signature version"),
        ({"SignatureVersion": "3"}, "signature version"),
        ({"SignatureVersion": 2}, "not an SNS message"),
        ({"SigningCertURL": None}, "not an SNS message"),
        ({"TopicArn": "arn:aws:sns:eu-west-1:999999999999:other"}, "unknown topic"),
        ({"TopicArn": ""}, "not an SNS message"),
        ({"TopicArn": [EXAMPLE_TOPIC]}, "not an SNS message"),
        ({"Type": "SubscriptionConfirmation"}, "not an SNS message"),
        ({"Type": "Greeting"}, "not an SNS message"),
        ({"Type": 7}, "not an SNS message"),
        ({"Timestamp": "yesterday"}, "not an SNS message"),
        ({"Timestamp": "2026-11-24T12:00:00"}, "not an SNS message"),
        ({"Subject": 7}, "not an SNS message"),
    ],
    ids=str,
)
async def test_forged(changes: dict[str, object], reason: str) -> None:
    """One changed field, and the message is not believed."""
    assert await refusal(tampered(TRIGGERED, **changes)) == reason


async def test_a_signature_by_somebody_else() -> None:
    """Anybody can make a key and a certificate that says “sns.amazonaws.com”; nobody else can put it on AWS's host."""
    forged = ATTACKER.sample(SampleKind.TRIGGERED, problem=1, episode=1, at=NOW)

    assert (
        await refusal(forged, checked_by=webhook({ATTACKER.certificate_url: SNS.certificate}))
        == "bad signature"
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-{}.pem",
        "https://evil.com/sns.eu-west-1.amazonaws.com/SimpleNotificationService-{}.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.com/SimpleNotificationService-{}.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.com/SimpleNotificationService-{}.pem",
        "https://evil.com#@sns.eu-west-1.amazonaws.com/SimpleNotificationService-{}.pem",
        "https://evil.com\\@sns.eu-west-1.amazonaws.com/SimpleNotificationService-{}.pem",
        "https://user@sns.eu-west-1.amazonaws.com/SimpleNotificationService-{}.pem",
        "https://sns.eu-west-1.amazonaws.com:443/SimpleNotificationService-{}.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-{}.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-{}.pem?x=1",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-{}.pem#x",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-{}.pem\n",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-{}.pem%00",
        "https://sns.eu-west-1.amazonaws.com/../SimpleNotificationService-{}.pem",
        "https://sns.eu-west-1.amazonaws.com/x/SimpleNotificationService-{}.pem",
        "https://sns.eu-west-1.amazonaws.com/%2e/SimpleNotificationService-{}.pem",
        "https://sns.eu-west-1.amazonaws.com%2eevil.com/SimpleNotificationService-{}.pem",
        "https://s3.amazonaws.com/bucket/SimpleNotificationService-{}.pem",
        "https://sns.s3.amazonaws.com/SimpleNotificationService-{}.pem",
        "https://sns.eu-west-1.s3.amazonaws.com/SimpleNotificationService-{}.pem",
        "https://bucket.sns.eu-west-1.amazonaws.com/SimpleNotificationService-{}.pem",
        "https://sns.amazonaws.com/SimpleNotificationService-{}.pem",
        "https://sns..amazonaws.com/SimpleNotificationService-{}.pem",
        "https://snsaeu-west-1.amazonaws.com/SimpleNotificationService-{}.pem",
        "https://sns.eu-west-1.amazonawsxcom/SimpleNotificationService-{}.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-{}.pem",
        "https://sns.eu-west-1.amazonaws.com.cn/SimpleNotificationService-{}.pem",
        "https://SNS.EU-WEST-1.AMAZONAWS.COM/SimpleNotificationService-{}.pem",
        "HTTPS://sns.eu-west-1.amazonaws.com/SimpleNotificationService-{}.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-{}.PEM",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-{}A.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-abc.pem",
        "https://sns.еu-west-1.amazonaws.com/SimpleNotificationService-{}.pem",  # a Cyrillic е
        "file:///etc/passwd",
        "//sns.eu-west-1.amazonaws.com/SimpleNotificationService-{}.pem",
    ],
)
async def test_certificates_from_elsewhere_are_not_fetched(url: str) -> None:
    """A validly signed message that names a certificate anywhere but at SNS in its own region reaches nobody."""
    address = url.format("0" * 32)
    pages = Pages({address: ATTACKER.certificate})
    forged = tampered(
        ATTACKER.sample(SampleKind.TRIGGERED, problem=1, episode=1, at=NOW), SigningCertURL=address
    )

    assert await refusal(forged, checked_by=CloudWatchWebhook(SETTINGS, pages)) == "bad certificate address"
    assert pages.asked == []


async def test_china_has_its_own_hosts() -> None:
    topic = "arn:aws-cn:sns:cn-north-1:111122223333:alarms"
    url = f"https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-{'0' * 32}.pem"
    fields = {
        "Type": "Notification",
        "MessageId": "1",
        "TopicArn": topic,
        "Message": "x",
        "Timestamp": "2026-11-24T12:00:00.000Z",
    }
    checked_by = webhook({url: SNS.certificate}, CloudWatchSettings(topics=frozenset({topic})))

    assert await authenticate(SNS.signed(fields, certificate_url=url), checked_by=checked_by) == "sns v2"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(status=302, body=b""), "bad certificate"),
        (Answer(status=404, body=b""), "bad certificate"),
        (Answer(status=403, body=SNS.certificate), "bad certificate"),
        (b"", "bad certificate"),
        (b"<html>", "bad certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "bad certificate"),
        (ValueError("over 16384 bytes"), "bad certificate"),
    ],
    ids=["redirect", "absent", "forbidden", "empty", "a web page", "half a certificate", "too large"],
)
async def test_what_is_no_certificate(answer: bytes | Answer | Exception, reason: str) -> None:
    assert await refusal(TRIGGERED, checked_by=webhook({SNS.certificate_url: answer})) == reason


def certificate(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, start: datetime, end: datetime) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, start, end)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256R1()),
        rsa.generate_private_key(65537, 1024),  # noqa: S505 - to be refused
    ],
    ids=["elliptic", "short"],
)
async def test_other_keys_than_sns_has(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    pem = certificate(key, NOW - timedelta(days=1), NOW + timedelta(days=1))

    assert await refusal(TRIGGERED, checked_by=webhook({SNS.certificate_url: pem})) == "bad certificate"


@pytest.mark.parametrize(
    ("age", "believed"),
    [(-2, False), (-0.9, True), (0, True), (24, True), (24.9, True), (26, False)],
    ids=lambda value: f"{value}",
)
async def test_a_certificate_is_believed_while_it_is_valid(age: float, believed: bool) -> None:  # noqa: FBT001 - a table
    """With an hour's allowance on both sides, since a message may be that old when it arrives."""
    pem = certificate(SNS._key, NOW - timedelta(hours=age), NOW - timedelta(hours=age) + timedelta(days=1))  # noqa: SLF001
    checked_by = webhook({SNS.certificate_url: pem})

    outcome = (
        await authenticate(TRIGGERED, checked_by=checked_by)
        if believed
        else await refusal(TRIGGERED, checked_by=checked_by)
    )

    assert outcome == ("sns v2" if believed else "expired certificate")


@pytest.mark.parametrize(
    "error", [OSError("no route to host"), TimeoutError(), ConnectionRefusedError()], ids=repr
)
async def test_nobody_answers(error: Exception) -> None:
    """A genuine alarm must not be lost because its certificate cannot be fetched: SNS is asked to send it again."""
    pages = Pages({SNS.certificate_url: error})
    checked_by = CloudWatchWebhook(SETTINGS, pages)
    with pytest.raises(TryAgain):
        await authenticate(TRIGGERED, checked_by=checked_by)

    pages.pages[SNS.certificate_url] = SNS.certificate

    assert await authenticate(TRIGGERED, checked_by=checked_by) == "sns v2"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_the_certificates_host_has_trouble(status: int) -> None:
    with pytest.raises(TryAgain):
        await authenticate(
            TRIGGERED, checked_by=webhook({SNS.certificate_url: Answer(status=status, body=b"")})
        )


async def test_a_certificate_is_fetched_once() -> None:
    """Also when a storm of first deliveries waits for it."""
    pages = Pages(SNS.pages)
    checked_by = CloudWatchWebhook(SETTINGS, pages)

    await asyncio.gather(*(authenticate(TRIGGERED, checked_by=checked_by) for _ in range(50)))
    await authenticate(PLAIN, checked_by=checked_by)

    assert pages.asked == [SNS.certificate_url]


async def test_a_flood_of_invented_certificates_is_bounded() -> None:
    """Whoever knows a topic's name can make socmon ask AWS for certificates, but only a few at a time."""
    asked, released = 0, asyncio.Event()

    class Slow:
        async def get(self, url: str, *, most_bytes: int, seconds: float) -> Answer:  # noqa: ARG002
            nonlocal asked
            asked += 1
            await released.wait()
            return Answer(status=404, body=b"")

    checked_by = CloudWatchWebhook(SETTINGS, Slow())
    url = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-{:032x}.pem"
    flood = [
        asyncio.create_task(
            authenticate(tampered(TRIGGERED, SigningCertURL=url.format(number)), checked_by=checked_by)
        )
        for number in range(30)
    ]
    await asyncio.sleep(0)
    released.set()
    outcomes = await asyncio.gather(*flood, return_exceptions=True)

    assert asked == 8
    assert {type(outcome) for outcome in outcomes} == {Refused, TryAgain}


async def test_the_cache_of_certificates_is_bounded() -> None:
    url = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-{:032x}.pem"
    urls = [url.format(number) for number in range(17)]
    pages = Pages(dict.fromkeys(urls, SNS.certificate))
    checked_by = CloudWatchWebhook(SETTINGS, pages)

    for address in [*urls, *urls[1:], urls[0]]:
        await authenticate(tampered(TRIGGERED, SigningCertURL=address), checked_by=checked_by)

    assert pages.asked == [*urls, urls[0]]


@pytest.mark.parametrize(
    ("later", "believed"),
    [
        (timedelta(minutes=59), True),
        (timedelta(hours=1), True),
        (timedelta(hours=1, seconds=1), False),
        (-timedelta(hours=2), False),
    ],
    ids=str,
)
async def test_a_message_is_believed_for_an_hour(later: timedelta, believed: bool) -> None:  # noqa: FBT001 - a table
    """SNS tries for an hour at most; what is older is a replay."""
    outcome = (
        await authenticate(TRIGGERED, NOW + later) if believed else await refusal(TRIGGERED, NOW + later)
    )

    assert outcome == ("sns v2" if believed else "expired")


async def test_version_1_signatures_only_where_the_settings_say_so() -> None:
    fields = {name: value for name, value in json.loads(PLAIN.body).items() if not name.startswith("Sign")}
    old = SNS.signed(fields, version="1")
    allowed = webhook(settings=replace(SETTINGS, signature_version_1=True))

    assert await refusal(old) == "signature version"
    assert await authenticate(old, checked_by=allowed) == "sns v1"
    assert await refusal(tampered(old, SignatureVersion="2"), checked_by=allowed) == "bad signature"
    assert await authenticate(PLAIN, checked_by=allowed) == "sns v2"


async def test_without_topics_everything_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        await authenticate(TRIGGERED, checked_by=webhook(settings=CloudWatchSettings()))

    assert (refused.value.reason, refused.value.status) == ("no topics configured", 403)


async def test_raw_message_delivery_is_refused_with_the_mend() -> None:
    """Without its envelope a message has no signature."""
    raw = Sample(
        headers={"x-amz-sns-message-type": "Notification", "x-amz-sns-rawdelivery": "true"},
        body=b'{"AlarmName": "x"}',
    )

    with pytest.raises(Refused, match="RawMessageDelivery --attribute-value false") as refused:
        await authenticate(raw)
    assert refused.value.reason == "raw message delivery"


async def test_the_header_and_the_body_must_agree() -> None:
    other = replace(
        TRIGGERED, headers=TRIGGERED.headers | {"x-amz-sns-message-type": "SubscriptionConfirmation"}
    )
    silent = replace(TRIGGERED, headers={})

    assert await refusal(other) == "not an SNS message"
    assert await authenticate(silent) == "sns v2"


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b"\xff", b"{" * 5000, b'{"Type": "Notification"}', b'{"a":1,"a":1}']
)
async def test_strangers(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """What names no topic of ours is not even parsed: a stranger's megabyte of JSON must cost next to nothing."""
    assert await refusal(Sample(headers={}, body=body + EXAMPLE_TOPIC.encode())) == "not an SNS message"

    monkeypatch.delattr("bot.providers.cloudwatch.webhook.open_envelope")
    assert await refusal(Sample(headers={}, body=body)) == "unknown topic"


@given(position=st.integers(0, len(TRIGGERED.body) - 1), bit=st.integers(0, 7))
def test_no_flipped_bit_goes_unnoticed(position: int, bit: int) -> None:
    """Unless it is outside of what SNS signs and of what socmon reads."""
    body = bytearray(TRIGGERED.body)
    body[position] ^= 1 << bit
    flipped = Sample(headers=TRIGGERED.headers, body=bytes(body))
    try:
        asyncio.run(authenticate(flipped, checked_by=CloudWatchWebhook(SETTINGS, Pages(SNS.pages))))
    except Refused:
        return
    before, after = json.loads(TRIGGERED.body), json.loads(flipped.body)
    assert {name: after.get(name) for name in before} == before
