"""Artifacts in S3, for several replicas; Object Lock on the bucket keeps anybody from changing them.

Needs s3:PutObject and s3:GetObject on the prefix. S3 checks the sha256 of what arrives (ChecksumSHA256).
"""

import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from bot.adapters.artifacts.stored import ArtifactsAway, checked, digest_of, missing, place_of


class S3:
    """`bot.ports.Artifacts`. Credentials, region and AWS_ENDPOINT_URL are boto3's own."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self._bucket, self._prefix = bucket, prefix.strip("/")
        self._lock = threading.Lock()
        self._client: Any = None

    def keep(self, content: bytes) -> str:
        digest = digest_of(content)
        checksum = b64encode(sha256(content).digest()).decode()
        with self._asking("put_object"):
            self._bucket_client().put_object(
                Bucket=self._bucket, Key=self._key(digest), Body=content, ChecksumSHA256=checksum
            )
        return digest

    def read(self, digest: str) -> bytes:
        from botocore.exceptions import ClientError  # noqa: PLC0415

        key = self._key(digest)
        try:
            with self._asking("get_object"):
                content = self._bucket_client().get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ArtifactsAway as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and cause.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                raise missing(digest, self._where("")) from error
            raise
        return checked(digest, content, self._where(key))

    @contextmanager
    def _asking(self, call: str) -> Iterator[None]:
        """The answer may also break off while its bytes come in."""
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError  # noqa: PLC0415 - heavy, and rarely needed

        try:
            yield
        except (ClientError, BotoCoreError, HTTPClientError) as error:
            raise ArtifactsAway(
                f"{self._where('')} does not answer {call} ({error}), so nothing was recorded. Check [artifacts] and"
                " socmon's rights there (s3:PutObject, s3:GetObject)."
            ) from error

    def _bucket_client(self) -> Any:
        with self._lock:  # making a client is not safe in several threads at once
            self._client = self._client or _client()
        return self._client

    def _key(self, digest: str) -> str:
        return "/".join(filter(None, (self._prefix, place_of(digest))))

    def _where(self, key: str) -> str:
        return f"s3://{self._bucket}/{key or self._prefix}"


def _client() -> Any:
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    settings = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 3})
    return boto3.client("s3", config=settings)
