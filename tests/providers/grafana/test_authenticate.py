"""Whom the Grafana endpoint believes."""

import hmac
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from bot.domain.errors import Refused, WrongSettings
from bot.providers.contract import Secrets
from bot.providers.grafana import PROVIDER
from bot.providers.grafana.settings import GrafanaSettings
from bot.providers.grafana.webhook import GrafanaWebhook
from tests.providers.deliveries import request

BODY = b'{"receiver": "socmon", "alerts": []}'
SECRET = "s3cret-of-the-contact-point-0123456789"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECONDS = "1795521600"
# Computed with `openssl dgst -sha256 -hmac`, and not by this code.
OF_BODY = "9b4870be1ad9106c6de67d089637169f41df3128969b5c3610e8fa7360b1ac6a"
OF_TIME_AND_BODY = "f53e6ac882ce4892799bacf3d26ec49a37c8d8e44895b764ae47654901fdb2b3"

PLAIN = GrafanaSettings(secrets=Secrets(SECRET))
TIMED = GrafanaSettings(secrets=Secrets(SECRET), timestamp_header="x-grafana-alerting-timestamp")


async def authenticate(settings: GrafanaSettings, headers: dict[str, str], at: datetime = NOW) -> str:
    return await GrafanaWebhook(settings=settings).authenticate(request(BODY, headers, at=at))


async def refusal(settings: GrafanaSettings, headers: dict[str, str], at: datetime = NOW) -> str:
    with pytest.raises(Refused) as refused:
        await authenticate(settings, headers, at)
    return refused.value.reason


def signed(signature: str, seconds: str | None = None) -> dict[str, str]:
    timed = {} if seconds is None else {"x-grafana-alerting-timestamp": seconds}
    return {"x-grafana-alerting-signature": signature} | timed


async def test_golden_vectors() -> None:
    assert await authenticate(PLAIN, signed(OF_BODY)) == "hmac"
    assert await authenticate(TIMED, signed(OF_TIME_AND_BODY, SECONDS)) == "hmac with time"


@pytest.mark.parametrize(
    ("settings", "headers", "reason"),
    [
        (PLAIN, {}, "missing secret"),
        (PLAIN, signed(""), "missing secret"),
        (PLAIN, signed(OF_BODY[:-1]), "bad signature"),
        (PLAIN, signed(f"sha256={OF_BODY}"), "bad signature"),
        (PLAIN, signed(OF_TIME_AND_BODY, SECONDS), "bad signature"),
        (PLAIN, signed("\udcff"), "bad signature"),
        (PLAIN, signed(OF_BODY[::-1]) | {"authorization": f"Bearer {SECRET}"}, "bad signature"),
        (TIMED, {}, "missing signature"),
        (TIMED, {"authorization": f"Bearer {SECRET}"}, "missing signature"),
        (TIMED, signed(OF_BODY), "missing signature"),
        (TIMED, signed(OF_BODY, ""), "missing signature"),
        (TIMED, signed(OF_TIME_AND_BODY, f"+{SECONDS}"), "missing signature"),
        (TIMED, signed(OF_TIME_AND_BODY, "١٧٩٥٥٢١٦٠٠"), "missing signature"),
        (TIMED, signed(OF_TIME_AND_BODY, "9" * 5000), "missing signature"),
        (TIMED, signed(OF_BODY, SECONDS), "bad signature"),
        (TIMED, signed(OF_TIME_AND_BODY, "1795521601"), "bad signature"),
        (GrafanaSettings(secrets=Secrets()), signed(OF_BODY), "no secret configured"),
    ],
    ids=range(17),
)
async def test_forged(settings: GrafanaSettings, headers: dict[str, str], reason: str) -> None:
    assert await refusal(settings, headers) == reason


@pytest.mark.parametrize("later", [-301, 301, 3600, 86400])
async def test_a_signature_expires_after_five_minutes(later: int) -> None:
    """Where Grafana signs the time, a copied delivery is of no use to anybody."""
    assert (
        await refusal(TIMED, signed(OF_TIME_AND_BODY, SECONDS), NOW + timedelta(seconds=later)) == "expired"
    )


@pytest.mark.parametrize("later", [-300, 0, 300])
async def test_a_signature_is_believed_for_five_minutes(later: int) -> None:
    at = NOW + timedelta(seconds=later)

    assert await authenticate(TIMED, signed(OF_TIME_AND_BODY, SECONDS), at) == "hmac with time"


@pytest.mark.parametrize(
    ("authorization", "proof"),
    [
        (f"Bearer {SECRET}", "bearer token"),
        ("Basic " + b64encode(f"grafana:{SECRET}".encode()).decode(), "basic auth"),
    ],
)
async def test_before_grafana_12_the_secret_itself(authorization: str, proof: str) -> None:
    """Weaker: it protects neither the body nor against a replay. With a timestamp header it is not enough."""
    assert await authenticate(PLAIN, {"authorization": authorization}) == proof
    assert await refusal(PLAIN, {"authorization": authorization[:-3]}) == "bad secret"
    assert await refusal(TIMED, {"authorization": authorization}) == "missing signature"


async def test_the_header_may_have_another_name() -> None:
    settings = PROVIDER.settings(
        {"signature_header": "X-Sig"}, {"SOCMON_WEBHOOK_SECRET_GRAFANA": f"new-secret,{SECRET}"}
    )

    assert await authenticate(settings, {"x-sig": OF_BODY}) == "hmac"
    assert (
        await authenticate(settings, {"x-sig": hmac.new(b"new-secret", BODY, sha256).hexdigest()}) == "hmac"
    )
    assert await refusal(settings, signed(OF_BODY)) == "missing secret"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"timestamp_heder": "X"}, 'Did you mean "timestamp_header"?'),
        ({"timestamp_header": "X Y"}, "must be the name of an HTTP header"),
        ({"timestamp_header": 7}, "must be the name of an HTTP header"),
        ({"signature_header": "X-Sig\n"}, "must be the name of an HTTP header"),
    ],
)
def test_wrong_settings(table: dict[str, object], message: str) -> None:
    with pytest.raises(WrongSettings, match=r"providers\.grafana") as wrong:
        PROVIDER.settings(table, {})

    assert message in str(wrong.value)


def test_the_doctor_asks_for_a_signed_time() -> None:
    [finding] = PROVIDER.findings(PLAIN)

    assert "timestamp_header" in finding
    assert PROVIDER.findings(TIMED) == []
