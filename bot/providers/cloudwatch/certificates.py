"""The certificates SNS signs with: where they may come from, and which of their signatures to trust.

The trust is in the address: an HTTPS host that only AWS can answer for. The certificate is not chained to an
authority on top of that, since AWS documents neither its issuer nor its names for every partition.
"""

import asyncio
import re
from collections import OrderedDict
from datetime import datetime, timedelta
from http import HTTPStatus

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.x509 import Certificate, load_pem_x509_certificate

from bot.domain.errors import Refused, TryAgain
from bot.ports import Network
from bot.providers.cloudwatch.envelope import Envelope

LARGEST_CERTIFICATE = 16 * 1024
FETCH_SECONDS = 5.0
SMALLEST_KEY = 2048
MOST_CACHED = 16
MOST_FETCHES = 8
# A message may be an hour old when its last retry arrives, and then its certificate may have ended meanwhile.
VALIDITY_ALLOWANCE = timedelta(hours=1)

_ALGORITHMS: dict[str, HashAlgorithm] = {
    "1": SHA1(),  # noqa: S303 - what version 1 is; accepted only where the settings say so
    "2": SHA256(),
}
# Only AWS can answer on these hosts. `*.amazonaws.com` is not enough: an S3 bucket is there too, and anybody's.
_ADDRESS = re.compile(
    r"https://sns\.(?P<region>[a-z0-9-]{3,30})\.amazonaws\.com(?P<china>\.cn)?/SimpleNotificationService-[0-9a-f]{32}\.pem"
)
_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


class Certificates:
    """Fetches each certificate once. Many deliveries that wait for the same one share one request."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._known: OrderedDict[str, Certificate] = OrderedDict()
        self._fetches: dict[str, asyncio.Task[Certificate]] = {}

    async def get(self, url: str, *, at: datetime) -> RSAPublicKey:
        """The key in the certificate at `url`; raises Refused when it is unfit, TryAgain when nobody answers."""
        certificate = self._known.get(url) or await self._fetched(url)
        if not _valid_from(certificate) <= at <= _valid_until(certificate):
            raise Refused(
                "expired certificate", "The certificate that signed this message is not valid at this time."
            )
        return _key(certificate)

    async def _fetched(self, url: str) -> Certificate:
        fetch = self._fetches.get(url)
        if fetch is None:
            if len(self._fetches) >= MOST_FETCHES:
                raise TryAgain("socmon is fetching too many signing certificates at once. Send it again.")
            fetch = asyncio.create_task(self._fetch(url))
            self._fetches[url] = fetch
            fetch.add_done_callback(lambda done: self._fetched_or_failed(url, done))
        # Shielded: one sender that hangs up must not end the fetch the others wait for.
        return await asyncio.shield(fetch)

    def _fetched_or_failed(self, url: str, fetch: asyncio.Task[Certificate]) -> None:
        del self._fetches[url]
        if not fetch.cancelled():
            fetch.exception()  # asked for, so that asyncio does not complain when nobody waits any more

    async def _fetch(self, url: str) -> Certificate:
        certificate = read_certificate(await self._download(url))
        self._known[url] = certificate
        while len(self._known) > MOST_CACHED:
            self._known.popitem(last=False)
        return certificate

    async def _download(self, url: str) -> bytes:
        try:
            answer = await self._network.get(url, most_bytes=LARGEST_CERTIFICATE, seconds=FETCH_SECONDS)
        except OSError as error:
            raise TryAgain(
                f"The signing certificate of SNS could not be fetched ({error}). Check that socmon reaches"
                f" {url.split('/')[2]}; SNS sends the message again."
            ) from error
        except ValueError as error:
            raise Refused(
                "bad certificate", f"What is at SigningCertURL is no certificate: {error}"
            ) from error
        if answer.status in _LATER or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise TryAgain(
                f"The signing certificate of SNS could not be fetched (HTTP {answer.status}); SNS sends it again."
            )
        if answer.status != HTTPStatus.OK:
            raise Refused(
                "bad certificate", f"There is no certificate at SigningCertURL (HTTP {answer.status})."
            )
        return answer.body


def check_address(url: str, *, topic: str) -> None:
    """Refuse a certificate that is not where SNS keeps the ones of the topic's region."""
    found = _ADDRESS.fullmatch(url)
    partition, region = topic.split(":")[1:4:2]
    if not found or found["region"] != region or bool(found["china"]) != (partition == "aws-cn"):
        raise Refused(
            "bad certificate address",
            "SigningCertURL is not where SNS keeps the certificates of this topic's region.",
        )


def check_signature(envelope: Envelope, key: RSAPublicKey) -> None:
    """Refuse the message when it is not what the key's owner signed."""
    try:
        key.verify(envelope.signature, envelope.signed, PKCS1v15(), _ALGORITHMS[envelope.signature_version])
    except (InvalidSignature, UnsupportedAlgorithm) as error:
        raise Refused("bad signature", "The signature does not belong to this message.") from error


def read_certificate(pem: bytes) -> Certificate:
    """The X.509 certificate with an RSA key in `pem`; raises Refused."""
    try:
        certificate = load_pem_x509_certificate(pem)
        _key(certificate)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refused("bad certificate", "What is at SigningCertURL is no X.509 certificate.") from error
    return certificate


def _key(certificate: Certificate) -> RSAPublicKey:
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey) or key.key_size < SMALLEST_KEY:
        raise Refused(
            "bad certificate",
            f"SNS signs with RSA keys of {SMALLEST_KEY} bits or more; this certificate has another kind.",
        )
    return key


def _valid_from(certificate: Certificate) -> datetime:
    return certificate.not_valid_before_utc - VALIDITY_ALLOWANCE


def _valid_until(certificate: Certificate) -> datetime:
    return certificate.not_valid_after_utc + VALIDITY_ALLOWANCE
