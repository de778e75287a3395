"""Artifacts in S3, for several replicas; Object Lock on the bucket keeps anybody from changing them.

Needs s3:PutObject and s3:GetObject on the prefix. S3 checks the sha256 of what arrives (ChecksumSHA256).
"""

import threading
from base64 import b64encode
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
        self._ask(
            "put_object",
            Key=self._key(digest),
            Body=content,
            ChecksumSHA256=b64encode(sha256(content).digest()).decode(),
        )
        return digest

    def read(self, digest: str) -> bytes:
        from botocore.exceptions import ClientError  # noqa: PLC0415

        key = self._key(digest)
        try:
            return checked(digest, self._ask("get_object", Key=key)["Body"].read(), self._where(key))
        except ArtifactsAway as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and cause.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                raise missing(digest, self._where("")) from error
            raise

    def _ask(self, call: str, **given: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - heavy, and rarely needed

        try:
            with self._lock:  # making a client is not safe in several threads at once
                self._client = self._client or _client()
            return getattr(self._client, call)(Bucket=self._bucket, **given)
        except (ClientError, BotoCoreError) as error:
            raise ArtifactsAway(
                f"{self._where('')} does not answer {call} ({error}), so nothing was recorded. Check [artifacts] and"
                " socmon's rights there (s3:PutObject, s3:GetObject)."
            ) from error

    def _key(self, digest: str) -> str:
        return "/".join(filter(None, (self._prefix, place_of(digest))))

    def _where(self, key: str) -> str:
        return f"s3://{self._bucket}/{key or self._prefix}"


def _client() -> Any:
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    settings = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 3})
    return boto3.client("s3", config=settings)
