"""CloudWatch alarms over SNS: whose signature and topic to believe, and what the message says."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bot.domain.alert import Change, Reported
from bot.domain.delivery import TEST_NOTIFICATION
from bot.domain.errors import Refused, TryAgain, Unreadable
from bot.ports import Network
from bot.providers.cloudwatch.alarm import TEST_REASON, read_alarm
from bot.providers.cloudwatch.certificates import Certificates, check_address, check_signature
from bot.providers.cloudwatch.envelope import Envelope, Kind, open_envelope
from bot.providers.cloudwatch.settings import CloudWatchSettings
from bot.providers.cloudwatch.subscription import confirm_subscription
from bot.providers.contract import Reading, Request, Webhook, key_of, line, parse_object, text

# The longest that SNS may keep trying to deliver one message.
# https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
OLDEST_MESSAGE = timedelta(hours=1)
# SNS gives up on a request after 15 s; by then it must have an answer.
CONFIRM_SECONDS = 10
NOT_AN_ALARM = "not an alarm"
RAW_OFF = (
    "Turn it off: `aws sns set-subscription-attributes --subscription-arn … --attribute-name RawMessageDelivery"
    " --attribute-value false`."
)

Confirm = Callable[[str, str], None]


class CloudWatchWebhook(Webhook):
    """Believes what SNS signed for an allow-listed topic within the last hour.

    What `waited` in a queue may be weeks old: there only the message's id tells a replay.
    """

    def __init__(
        self,
        settings: CloudWatchSettings,
        network: Network,
        confirm: Confirm | None = None,
        *,
        waited: bool = False,
    ) -> None:
        self._settings, self._waited = settings, waited
        self._certificates = Certificates(network)
        self._confirm = confirm or self._ask_aws

    def check_headers(self, headers: Mapping[str, str]) -> str:
        if not self._settings.topics:
            raise Refused(
                "no topics configured",
                "CloudWatch deliveries are refused: no topic is allowed. List yours in [providers.cloudwatch]"
                " topics and restart socmon.",
                status=403,
            )
        if headers.get("x-amz-sns-rawdelivery", "").strip().lower() == "true":
            raise Refused(
                "raw message delivery",
                f"Raw message delivery carries no signature. {RAW_OFF}",
            )
        return ""  # what SNS signs is in the body

    async def authenticate(self, request: Request) -> str:
        self.check_headers(request.headers)
        # Before anything is parsed: a stranger's megabyte of JSON must not cost more than a look through it.
        if not self._waited and not any(topic.encode() in request.body for topic in self._settings.topics):
            raise Refused(
                "unknown topic",
                "The body names no topic of [providers.cloudwatch] topics. If yours sent it, add the topic's ARN"
                " there and restart socmon.",
            )
        envelope = _open(request)
        self._check_topic(envelope)
        self._check_version(envelope)
        if not self._waited:
            _check_age(envelope, at=request.received_at)
        # While a message waits in a queue, the certificate that signed it may end.
        at = envelope.sent_at if self._waited else request.received_at
        check_address(envelope.certificate_url, topic=envelope.topic)
        check_signature(envelope, await self._certificates.get(envelope.certificate_url, at=at))
        return f"sns v{envelope.signature_version}"

    async def follow_up(self, request: Request) -> None:
        envelope = _open(request)
        if envelope.kind is not Kind.SUBSCRIPTION:
            return
        self._check_topic(envelope)
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                await asyncio.to_thread(self._confirm, envelope.topic, envelope.token)
        except TimeoutError as error:
            raise TryAgain(
                f"AWS did not confirm the subscription to {envelope.topic} in time; SNS asks again."
            ) from error

    def read(self, request: Request) -> Reading:
        envelope = open_envelope(request.body)
        match envelope.kind:
            case Kind.NOTIFICATION:
                return _read_notification(envelope, received_at=request.received_at)
            case Kind.SUBSCRIPTION:
                return Reading(delivery_id=envelope.delivery_id, alerts=())
            case Kind.UNSUBSCRIPTION:
                return Reading(delivery_id=envelope.delivery_id, alerts=(), gap=_unsubscribed(envelope))

    def _check_topic(self, envelope: Envelope) -> None:
        if envelope.topic not in self._settings.topics:
            raise Refused(
                "unknown topic",
                f"{line(envelope.topic)} is not allowed. If it is yours, add it to [providers.cloudwatch] topics and"
                " restart socmon.",
            )

    def _check_version(self, envelope: Envelope) -> None:
        believed = {"1", "2"} if self._settings.signature_version_1 else {"2"}
        if envelope.signature_version in believed:
            return
        raise Refused(
            "signature version",
            "Only signatures of version 2 (SHA-256) are believed. Run `aws sns set-topic-attributes --topic-arn"
            f" {line(envelope.topic)} --attribute-name SignatureVersion --attribute-value 2`.",
        )

    def _ask_aws(self, topic: str, token: str) -> None:
        confirm_subscription(topic, token, ca_file=self._settings.ca_file)


def _open(request: Request) -> Envelope:
    """The envelope of a request that is yet to be believed; raises Refused."""
    try:
        envelope = open_envelope(request.body)
    except Unreadable as error:
        raise Refused(
            "not an SNS message",
            f"{error} Only what SNS signed is believed, and raw message delivery carries no signature. {RAW_OFF}",
        ) from error
    # The header is not signed. It is not needed either, but a difference means that somebody has been at the request.
    if request.headers.get("x-amz-sns-message-type", envelope.kind) != envelope.kind:
        raise Refused(
            "not an SNS message", "The header x-amz-sns-message-type and the Type in the body differ."
        )
    return envelope


def _check_age(envelope: Envelope, *, at: datetime) -> None:
    if abs(at - envelope.sent_at) > OLDEST_MESSAGE:
        raise Refused(
            "expired",
            "The message is over an hour old, or from the future. Check the clock of socmon's machine.",
        )


def _read_notification(envelope: Envelope, *, received_at: datetime) -> Reading:
    message = envelope.message.strip()
    if not message.startswith("{"):
        return Reading(delivery_id=envelope.delivery_id, alerts=(_plain_text(envelope),))
    fields = parse_object(message.encode("utf-8", "backslashreplace"))
    if "AlarmName" not in fields:
        return Reading(
            delivery_id=envelope.delivery_id, alerts=(), gap=_not_an_alarm(envelope, fields.get("source"))
        )
    alarm = read_alarm(fields, topic=text(envelope.topic, 512), received_at=received_at)
    return Reading(delivery_id=envelope.delivery_id, alerts=(alarm,))


def _plain_text(envelope: Envelope) -> Reported:
    """Something a person or a script published. It has no state to follow, so it is filed."""
    said = line(envelope.message)
    is_test = said.lower().startswith(TEST_REASON) or envelope.subject.lower().startswith(
        ("[test]", TEST_REASON)
    )
    return Reported(
        change=Change.UPDATED,
        dedup_key=key_of(text(envelope.topic)),
        title=line(envelope.subject) or said,
        text=text(envelope.message),
        said=said,
        ignored=TEST_NOTIFICATION if is_test else NOT_AN_ALARM,
    )


def _not_an_alarm(envelope: Envelope, source: object) -> str:
    """An event of another AWS service. It may matter, and socmon cannot tell: better a gap than silence."""
    sender = line(source, 60) or line(envelope.subject, 100) or "another service"
    return (
        f"A message from {sender} came through {line(envelope.topic)}. It is not a CloudWatch alarm, so it alerted"
        " nobody. Keep that topic for alarms, or send such events to the generic webhook."
    )


def _unsubscribed(envelope: Envelope) -> str:
    return (
        f"Somebody unsubscribed socmon from {line(envelope.topic)}, so its alarms no longer arrive."
        " Subscribe it again (docs/providers/cloudwatch.md), and look in CloudTrail (sns:Unsubscribe) who did it."
    )
