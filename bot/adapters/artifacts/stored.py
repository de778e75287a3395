"""What both ways to keep artifacts have in common: their names, and how trouble is told."""

import re
from hashlib import sha256

from bot.domain.errors import SocmonError

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


class ArtifactsAway(SocmonError):
    """The place where artifacts are kept cannot be used now; nothing was recorded."""


class NoArtifact(SocmonError):
    """There is no artifact with this digest, or what lies there is something else."""


def digest_of(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


def place_of(digest: str) -> str:
    """“ab/ab…”, from “sha256:ab…”; raises NoArtifact."""
    found = _DIGEST.fullmatch(digest)
    if found is None:
        raise NoArtifact(f"“{digest[:80]}” is no digest of an artifact. Take it from the evidence log.")
    return f"{found[1][:2]}/{found[1]}"


def checked(digest: str, content: bytes, where: str) -> bytes:
    """Raises NoArtifact for bytes that are not those."""
    if digest_of(content) != digest:
        raise NoArtifact(
            f"What lies at {where} is not {digest}: it was changed or damaged. Restore it from a backup."
        )
    return content


def missing(digest: str, where: str) -> NoArtifact:
    return NoArtifact(f"{digest} is not kept at {where}. Restore it from a backup.")
