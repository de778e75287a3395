"""Whom the PagerDuty endpoint believes."""

import hmac
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import Refused
from bot.providers.contract import Secrets
from bot.providers.pagerduty.settings import PagerDutySettings
from bot.providers.pagerduty.webhook import PagerDutyWebhook
from tests.providers.deliveries import request

BODY = b'{"event": {"id": "01E", "event_type": "pagey.ping"}}'
SECRET = "s3cret-of-the-subscription-0123456789"
NEW, OLD = "new-" * 8, "old-" * 8


def signature(secret: str, body: bytes = BODY) -> str:
    return "v1=" + hmac.new(secret.encode(), body, sha256).hexdigest()


GENUINE = signature(SECRET)


async def authenticate(header: str | None, secrets: str = SECRET, body: bytes = BODY) -> str:
    webhook = PagerDutyWebhook(settings=PagerDutySettings(secrets=Secrets(secrets)))
    headers = {} if header is None else {"x-pagerduty-signature": header}
    return await webhook.authenticate(request(body, headers))


async def refusal(header: str | None, secrets: str = SECRET, body: bytes = BODY) -> str:
    with pytest.raises(Refused) as refused:
        await authenticate(header, secrets, body)
    return refused.value.reason


@pytest.mark.parametrize(
    ("body", "digest"),
    [
        (BODY, "5f2ea4dcf1fcff57b5529d95692af14da1cb54489012cccf2f213bfde57a3880"),
        (
            '{"event": {"title": "Überlast ☃"}}'.encode(),
            "cbd33fe42eb27f7927ddb6fbd4235588988455cc661f20cc41a885a2daec1128",
        ),
    ],
    ids=["ascii", "unicode"],
)
async def test_golden_vectors(body: bytes, digest: str) -> None:
    """Computed with `openssl dgst -sha256 -hmac`, and not by this code."""
    assert await authenticate(f"v1={digest}", body=body) == "hmac"


@pytest.mark.parametrize(
    ("header", "secrets"),
    [
        (GENUINE, SECRET),
        (f"{GENUINE},{signature('another')}", SECRET),
        (f"{signature('another')},{GENUINE}", SECRET),
        (f"v0=00, {GENUINE} ", SECRET),
        (signature(OLD), f"{NEW},{OLD}"),
        (signature(NEW), f"{NEW}, {OLD}"),
        (f"{signature(OLD)},{signature(NEW)}", NEW),
    ],
    ids=[
        "one",
        "first of two",
        "second of two",
        "other versions",
        "old secret",
        "new secret",
        "both signatures",
    ],
)
async def test_any_signature_under_any_secret(header: str, secrets: str) -> None:
    """While a secret is replaced, both sides may know two; one match is enough."""
    assert await authenticate(header, secrets) == "hmac"


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "missing signature"),
        ("", "missing signature"),
        (",,,", "missing signature"),
        (GENUINE.replace("v1=", "v2="), "missing signature"),
        (GENUINE.removeprefix("v1="), "missing signature"),
        ("v1=", "bad signature"),
        ("v1=\udcff", "bad signature"),
        (f"{GENUINE}0", "bad signature"),
        (GENUINE[:-1], "bad signature"),
        (signature("another"), "bad signature"),
        (signature(SECRET, BODY + b"\n"), "bad signature"),
        (",".join([signature("another")] * 10 + [GENUINE]), "bad signature"),
    ],
    ids=range(12),
)
async def test_forged(header: str | None, reason: str) -> None:
    assert await refusal(header) == reason


async def test_without_a_secret_everything_is_refused() -> None:
    assert await refusal(GENUINE, secrets="") == "no secret configured"


@given(position=st.integers(0, len(BODY) - 1), bit=st.integers(0, 7))
async def test_no_flipped_bit_goes_unnoticed(position: int, bit: int) -> None:
    body = bytearray(BODY)
    body[position] ^= 1 << bit

    assert await refusal(GENUINE, body=bytes(body)) == "bad signature"
