"""What SNS wraps around a message: of what kind it is, which topic it came through, and what of it is signed.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
"""

from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.domain.errors import Unreadable
from bot.providers.contract import key_of, parse_object, text


class Kind(StrEnum):
    NOTIFICATION = "Notification"
    SUBSCRIPTION = "SubscriptionConfirmation"
    UNSUBSCRIPTION = "UnsubscribeConfirmation"


# Names and values in this order, one a line, make the text that SNS signs; what is absent (Subject) is left out.
# https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
_OF_CONFIRMATIONS = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
SIGNED = {
    Kind.NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    Kind.SUBSCRIPTION: _OF_CONFIRMATIONS,
    Kind.UNSUBSCRIPTION: _OF_CONFIRMATIONS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Nothing in it is to be believed before its signature was checked."""

    kind: Kind
    delivery_id: str
    topic: str
    message: str
    subject: str
    token: str
    sent_at: datetime
    certificate_url: str
    signature_version: str
    signature: bytes
    signed: bytes


def open_envelope(body: bytes) -> Envelope:
    """Read the envelope; raises Unreadable when it is none."""
    fields = parse_object(body)
    kind = _kind(fields)
    return Envelope(
        kind=kind,
        delivery_id=key_of(text(_required(fields, "MessageId"))),
        topic=_required(fields, "TopicArn"),
        message=_optional(fields, "Message"),
        subject=_optional(fields, "Subject"),
        token=_optional(fields, "Token"),
        sent_at=_sent_at(_required(fields, "Timestamp")),
        certificate_url=_required(fields, "SigningCertURL"),
        signature_version=_required(fields, "SignatureVersion"),
        signature=_signature(_required(fields, "Signature")),
        signed=_signed(kind, fields),
    )


def _kind(fields: dict[str, Any]) -> Kind:
    try:
        return Kind(_required(fields, "Type"))
    except ValueError as error:
        raise Unreadable(f"SNS knows no message of the type {text(fields['Type'], 40)!r}.") from error


def _required(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not text(value):
        raise Unreadable(f"The body is not an SNS message: it has no {name}.")
    return value


def _optional(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise Unreadable(f"The body is not an SNS message: its {name} is not a text.")
    return value or ""


def _sent_at(value: str) -> datetime:
    try:
        found = datetime.fromisoformat(value[:40])
    except ValueError as error:
        raise Unreadable("The body is not an SNS message: its Timestamp is no time.") from error
    if found.tzinfo is None:
        raise Unreadable("The body is not an SNS message: its Timestamp has no time zone.")
    return found


def _signature(value: str) -> bytes:
    try:
        return b64decode(value, validate=True)
    except ValueError as error:
        raise Unreadable("The body is not an SNS message: its Signature is not base64.") from error


def _signed(kind: Kind, fields: dict[str, Any]) -> bytes:
    lines = (f"{name}\n{fields[name]}\n" for name in SIGNED[kind] if fields.get(name) is not None)
    # A lone surrogate cannot have been signed; it must fail the check, not the encoding.
    return "".join(lines).encode("utf-8", "backslashreplace")
