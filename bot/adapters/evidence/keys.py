"""The log key: the Ed25519 key that signs checkpoints. A PKCS #8 PEM file with mode 0400, made at the first start.

`openssl genpkey -algorithm ed25519` makes the same file, `openssl pkeyutl -verify -rawin` checks the same signatures.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from bot.adapters.evidence.note import (
    BadNote,
    OtherKey,
    VerifierKey,
    is_key_name,
    open_checkpoint,
    sign_checkpoint,
)
from bot.domain.errors import WrongSettings

OWNER_ONLY = 0o400
MOST_BYTES = 4096  # a key file has 119


class LogKey:
    """Signs for the log `name`. Its secret shows neither in repr nor in errors."""

    __slots__ = ("_private", "verifier")

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        if not is_key_name(name):
            raise WrongSettings(
                f"{name!r} cannot name the evidence log: signature lines take no spaces and no plus sign. Set"
                " SOCMON_LOG_ORIGIN to something like socmon.example.com/prod."
            )
        self._private = private
        self.verifier = VerifierKey(name=name, public=private.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"LogKey({self.vkey})"

    @property
    def name(self) -> str:
        return self.verifier.name

    @property
    def key_id(self) -> bytes:
        return self.verifier.key_id

    @property
    def vkey(self) -> str:
        """The public key as auditors keep it."""
        return str(self.verifier)

    def sign(self, text: bytes) -> bytes:
        """64 bytes."""
        return self._private.sign(text)

    def seal(self, origin: str, size: int, root: bytes) -> bytes:
        """The signed checkpoint of a log."""
        return sign_checkpoint(origin, size, root, self)

    def unseal(self, note: bytes) -> tuple[int, bytes]:
        """(size, root) of a checkpoint that this key has signed. Raises BadNote."""
        checkpoint = open_checkpoint(note, self.verifier)
        return checkpoint.size, checkpoint.root

    def require_signed(self, note: bytes, path: Path) -> None:
        """Raise WrongSettings when another key than this one, from `path`, signed the log's last checkpoint.

        A checkpoint that is damaged says nothing about the key: that is for whoever signs next, and no reason to turn
        alerts away.
        """
        try:
            self.unseal(note)
        except OtherKey as error:
            raise WrongSettings(
                f"The log key {path} is {self.vkey}, but this log's last checkpoint is signed by {error.signers}. If"
                " two keys sign one log, nobody can check it any more. Put the key back that signed it"
                " (SOCMON_LOG_KEY_FILE names the file). If it is lost, keep this database as it is, and begin a new"
                " one with a new SOCMON_LOG_ORIGIN."
            ) from error
        except BadNote:
            return

    @classmethod
    def open(cls, path: Path, name: str, *, create: bool = True) -> Self:
        """Load the key, or make it when there is none. Raises WrongSettings, saying what to mend.

        Pass `create=False` once something is signed: another key would look like another log to everyone who kept
        the old one.
        """
        try:
            pem = _read(path)
        except FileNotFoundError as error:
            if not create:
                raise WrongSettings(_missing(path)) from error
            _create(path)
            pem = _read(path)
        return cls(name, _parse(path, pem))


def _create(path: Path) -> None:
    """Make the file with its whole content or not at all, and durably. Whoever comes first wins; others use theirs."""
    draft = path.with_name(f".{path.name}.{token_hex(4)}")
    try:
        try:
            _write(draft, Ed25519PrivateKey.generate())
            with suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        _sync_directory(path.parent)
    except OSError as error:
        raise WrongSettings(
            f"The log key {path} cannot be made ({error.strerror}). socmon signs the evidence log with it. Let socmon"
            f" write to {path.parent}, or make the key yourself: {_by_hand(path)}"
        ) from error


def _write(path: Path, key: Ed25519PrivateKey) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(handle, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> bytes:
    """Raises FileNotFoundError, and WrongSettings for whatever else is in the way."""
    try:
        with path.open("rb") as file:
            # Asked of the open file, so that no other file can be put in its place in between.
            _check_mode(path, os.fstat(file.fileno()).st_mode)
            return file.read(MOST_BYTES)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise WrongSettings(
            f"The log key {path} cannot be read ({error.strerror}). It has to be a file that belongs to the account"
            f" which runs socmon: chown <account> {path} && chmod 0400 {path}"
        ) from error


def _check_mode(path: Path, mode: int) -> None:
    others = stat.S_IMODE(mode) & 0o077
    if others:
        raise WrongSettings(
            f"The log key {path} is open to other accounts (mode {stat.S_IMODE(mode):04o}). Whoever reads it can sign a"
            f" forged evidence log. Close it: chmod 0400 {path} - and if a stranger may have read it, make a new log."
        )


def _parse(path: Path, pem: bytes) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The library's message is not passed on: it may quote the file.
        raise WrongSettings(_malformed(path)) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise WrongSettings(_malformed(path))
    return key


def _missing(path: Path) -> str:
    return (
        f"The log key {path} is not there. socmon signs the evidence log with it, and whoever kept a checkpoint knows"
        " the log by it. Put it back from where you keep secrets (SOCMON_LOG_KEY_FILE names the file)."
    )


def _malformed(path: Path) -> str:
    return (
        f"The log key {path} is not an unencrypted Ed25519 key in PEM form (PKCS #8). Put the right file back; if the"
        f" log is new, make one: {_by_hand(path)}"
    )


def _by_hand(path: Path) -> str:
    return f"openssl genpkey -algorithm ed25519 -out {path} && chmod 0400 {path}"
