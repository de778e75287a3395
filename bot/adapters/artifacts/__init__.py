"""Bytes that are kept as evidence, each under its sha256: in a directory, or in S3."""

from pathlib import Path

from bot.adapters.artifacts.directory import Directory
from bot.adapters.artifacts.s3 import S3
from bot.ports import Artifacts


def artifacts_in(folder: Path, *, bucket: str = "", prefix: str = "") -> Artifacts:
    """In the bucket when there is one."""
    return S3(bucket, prefix) if bucket else Directory(folder)
