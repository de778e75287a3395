"""What a checkpoint is to the outside: a signed note that states the log's name, size and root.

Exact formats, so that anybody's tools can check them: https://c2sp.org/tlog-checkpoint (the text),
https://c2sp.org/signed-note (the signature lines and the verifier key). The time is not in it; an anchor gives that.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bot.domain.errors import SocmonError
from bot.domain.evidence import HASH_BYTES

ED25519 = b"\x01"
KEY_ID_BYTES = 4
MOST_BYTES = 128 * 1024  # room for the 16 post-quantum signatures that a verifier has to take
LARGEST_SIZE = 2**63 - 1
FEWEST_LINES = 3

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIGNATURE = re.compile(r"— (?P<name>[^\s+]+) (?P<signature>\S+)")


class BadNote(SocmonError):
    """A checkpoint is malformed, or not signed by the log's key."""


class OtherKey(BadNote):
    """A checkpoint is not signed by this key but by others, which `signers` names."""

    def __init__(self, key: "VerifierKey", signers: Sequence[str]) -> None:
        self.signers = ", ".join(signers)
        super().__init__(
            f"The checkpoint is not signed by {key} but by {self.signers}. Another key made it, or it is of"
            " another log."
        )


class BadVerifierKey(SocmonError):
    """A public key of a log is malformed."""


class Signer(Protocol):
    """Who can sign a note; `bot.adapters.evidence.keys.LogKey` is one."""

    @property
    def name(self) -> str: ...

    @property
    def key_id(self) -> bytes: ...

    def sign(self, text: bytes) -> bytes:
        """64 bytes, Ed25519."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A log's public key, which whoever checks the log keeps. `public` is 32 bytes, `name` the log's origin.

    Raises BadVerifierKey when it is made with a name that no signature line can carry.
    """

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise BadVerifierKey(
                f"{self.name!r} cannot name a log: it is empty, or holds spaces or a plus sign."
            )

    @property
    def key_id(self) -> bytes:
        """4 bytes that tell keys of one name apart."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:KEY_ID_BYTES]

    def __str__(self) -> str:
        """The vkey: `name+hex(key id)+base64(01 || public key)`."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(ED25519 + self.public)}"

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read a vkey; raises BadVerifierKey."""
        # No name holds a plus sign, but base64 does.
        name, _, rest = vkey.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            public = _from_base64(encoded)
        except ValueError as error:
            raise BadVerifierKey(_malformed(vkey)) from error
        if len(public) != 1 + HASH_BYTES or not public.startswith(ED25519):
            raise BadVerifierKey(_malformed(vkey))
        key = cls(name=name, public=public[1:])
        if key.key_id.hex() != key_id:
            raise BadVerifierKey(
                f"The public key {vkey!r} contradicts itself: by its name and key its id is {key.key_id.hex()}, not"
                f" {key_id}. A character was lost or changed; copy it again."
            )
        return key

    def verify(self, signature: bytes, text: bytes) -> bool:
        """Whether this key signed the text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a log looked like: its name, its number of entries, and the 32 bytes of root that depend on all of them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note text, with its last newline."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a note text whose signature was checked; lines after the third are opaque. Raises BadNote."""
        lines = text.removesuffix("\n").split("\n")
        if len(lines) < FEWEST_LINES or not all(lines):
            raise BadNote(
                "A checkpoint is at least three lines: the log's name, its size, its root. This is not."
            )
        return cls(origin=lines[0], size=_size(lines[1]), root=_root(lines[2]))


def sign_checkpoint(origin: str, size: int, root: bytes, key: Signer) -> bytes:
    """The signed note over a log's state. Raises ValueError when the key is another log's."""
    if origin != key.name:
        raise ValueError(f"The key of {key.name} does not sign for {origin}.")
    text = Checkpoint(origin=origin, size=size, root=root).text()
    signature = _base64(key.key_id + key.sign(text.encode()))
    return f"{text}\n— {key.name} {signature}\n".encode()


def open_checkpoint(note: bytes, key: VerifierKey) -> Checkpoint:
    """The checkpoint in a note that this log's key has signed. Raises BadNote.

    Signatures of other keys (witnesses, a former key) are passed over; a wrong one of this key spoils the note.
    """
    text, signatures = _split(note)
    own = [raw for name, raw in signatures if name == key.name and raw.startswith(key.key_id)]
    if not own:
        raise OtherKey(key, [f"{name}+{raw[:KEY_ID_BYTES].hex()}" for name, raw in signatures])
    if not all(key.verify(raw[KEY_ID_BYTES:], text.encode()) for raw in own):
        raise BadNote(f"The checkpoint's signature is not valid for {key}. It was changed, or forged.")
    checkpoint = Checkpoint.parse(text)
    if checkpoint.origin != key.name:
        raise BadNote(f"The checkpoint is of the log {checkpoint.origin!r}, not of {key.name}.")
    return checkpoint


def is_key_name(name: str) -> bool:
    """Whether a signature line can carry the name: printable, and neither empty nor with a space or a plus sign."""
    return bool(name) and name.isprintable() and " " not in name and "+" not in name


def _split(note: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """The text and (key name, key id and signature) of each signature line; raises BadNote."""
    if len(note) > MOST_BYTES:
        raise BadNote(
            f"The checkpoint has {len(note)} bytes; {MOST_BYTES} are the most. Is it the right file?"
        )
    try:
        whole = note.decode()
    except UnicodeDecodeError as error:
        raise BadNote("The checkpoint is not UTF-8 text. Is it the right file?") from error
    body, blank, lines = whole.rpartition("\n\n")
    if not blank or not lines.endswith("\n") or _CONTROL.search(whole):
        raise BadNote(
            "The checkpoint is not a signed note: text, an empty line, signature lines; all lines end in LF."
        )
    return f"{body}\n", [_signature(line) for line in lines.removesuffix("\n").split("\n")]


def _size(line: str) -> int:
    if not _SIZE.fullmatch(line) or int(line) > LARGEST_SIZE:
        raise BadNote(f"The checkpoint's second line is {line[:40]!r}; it has to be the number of entries.")
    return int(line)


def _root(line: str) -> bytes:
    try:
        root = _from_base64(line)
    except ValueError as error:
        raise BadNote(f"The checkpoint's third line is {line[:60]!r}; it has to be base64.") from error
    if len(root) != HASH_BYTES:
        raise BadNote(f"The checkpoint's root has {len(root)} bytes; it has to have {HASH_BYTES}.")
    return root


def _signature(line: str) -> tuple[str, bytes]:
    match = _SIGNATURE.fullmatch(line)
    if not match:
        raise BadNote(f"The checkpoint has a malformed signature line: {line[:80]!r}.")
    try:
        raw = _from_base64(match["signature"])
    except ValueError as error:
        raise BadNote(f"The checkpoint has a signature that is not base64: {line[:80]!r}.") from error
    if len(raw) <= KEY_ID_BYTES:
        raise BadNote(f"The checkpoint has a signature that is too short: {line[:80]!r}.")
    return match["name"], raw


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode()


def _from_base64(text: str) -> bytes:
    """Raises ValueError unless it is the one way to write these bytes, so that a note has no second spelling."""
    raw = b64decode(text, validate=True)
    if _base64(raw) != text:
        raise ValueError("not the shortest spelling")
    return raw


def _malformed(vkey: str) -> str:
    return (
        f"{vkey[:200]!r} is not a log's public key. It looks like"
        " socmon.example.com/prod+36f525e0+AfLUKQ…; `socmon doctor` prints it."
    )
