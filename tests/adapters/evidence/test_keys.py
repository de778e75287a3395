"""The log key: made once, kept closed, and never shown."""

import os
import shutil
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from bot.adapters.evidence.keys import LogKey
from bot.adapters.evidence.note import open_checkpoint, sign_checkpoint
from bot.domain.errors import WrongSettings

ORIGIN = "socmon.example.com/test"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.key"


def test_the_first_start_makes_a_key_that_stays(path: Path) -> None:
    first, second = LogKey.open(path, ORIGIN), LogKey.open(path, ORIGIN)

    assert first.vkey == second.vkey
    note = sign_checkpoint(ORIGIN, 1, bytes(32), first)
    assert open_checkpoint(note, second.verifier).size == 1


def test_only_its_owner_can_read_the_key(path: Path) -> None:
    """Whatever the account's umask is."""
    before = os.umask(0)
    try:
        LogKey.open(path, ORIGIN)
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o400


def test_the_key_is_on_the_disk_before_it_signs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut after the first start takes neither the file nor its place in the directory."""
    synced: list[tuple[str, int]] = []
    open_before = len(list(Path("/dev/fd").iterdir()))
    fsync = os.fsync

    def spy(handle: int) -> None:
        state = os.fstat(handle)
        synced.append(("directory", 0) if stat.S_ISDIR(state.st_mode) else ("file", state.st_size))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", spy)
    LogKey.open(path, ORIGIN)

    assert synced == [("file", path.stat().st_size), ("directory", 0)]
    assert len(list(Path("/dev/fd").iterdir())) == open_before


def test_processes_that_start_together_share_one_key(path: Path) -> None:
    """None of them ever sees half a key."""
    number = 8
    ready = Barrier(number)

    def start(_: int) -> str:
        ready.wait()
        return LogKey.open(path, ORIGIN).vkey

    with ThreadPoolExecutor(number) as pool:
        vkeys = set(pool.map(start, range(number)))

    assert len(vkeys) == 1
    assert [file.name for file in path.parent.iterdir()] == ["log.key"]


def test_a_key_that_cannot_be_made_whole_is_not_made(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WrongSettings, match=r"cannot be made.*No space left on device.*openssl genpkey"):
        LogKey.open(path, ORIGIN)

    assert list(path.parent.iterdir()) == []


def test_a_place_that_is_not_there_is_an_error_with_a_mend(tmp_path: Path) -> None:
    with pytest.raises(WrongSettings, match=r"cannot be made.*No such file or directory.*openssl genpkey"):
        LogKey.open(tmp_path / "nowhere" / "log.key", ORIGIN)


def test_a_lost_key_is_not_replaced_silently(path: Path) -> None:
    """Once something is signed, another key would make the log look forged."""
    with pytest.raises(WrongSettings, match=r"is not there.*Put it back"):
        LogKey.open(path, ORIGIN, create=False)

    assert not path.exists()


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o444, 0o600 | 0o020, 0o644, 0o401])
def test_a_key_that_others_can_reach_is_refused(path: Path, mode: int) -> None:
    LogKey.open(path, ORIGIN)
    path.chmod(mode)

    with pytest.raises(
        WrongSettings, match=f"open to other accounts.*mode {mode:04o}.*forged.*chmod 0400 {path}"
    ):
        LogKey.open(path, ORIGIN)


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o700])
def test_a_key_of_the_owner_alone_is_taken(path: Path, mode: int) -> None:
    LogKey.open(path, ORIGIN)
    path.chmod(mode)

    assert LogKey.open(path, ORIGIN).name == ORIGIN


def test_a_mounted_secret_may_be_a_link(path: Path) -> None:
    """Kubernetes mounts secrets as links; what counts is the file behind."""
    LogKey.open(path, ORIGIN)
    link = path.with_name("link.key")
    link.symlink_to(path)

    assert LogKey.open(link, ORIGIN).vkey == LogKey.open(path, ORIGIN).vkey
    path.chmod(0o444)
    with pytest.raises(WrongSettings, match="open to other accounts"):
        LogKey.open(link, ORIGIN)


def test_a_directory_in_the_key_s_place_is_an_error_with_a_mend(path: Path) -> None:
    """Docker makes one when a mount's source is missing."""
    path.mkdir()

    with pytest.raises(WrongSettings, match=r"cannot be read.*Is a directory.*It has to be a file"):
        LogKey.open(path, ORIGIN)


ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PEM = ED25519.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC = ED25519.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
LOCKED = ED25519.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
EC = ec.derive_private_key(7, ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not a key", id="text"),
        pytest.param(bytes(32), id="bare bytes"),
        pytest.param(PEM[:60], id="cut"),
        pytest.param(PEM.replace(b"MC4C", b"MC4D"), id="damaged"),
        pytest.param(PUBLIC, id="public key"),
        pytest.param(LOCKED, id="encrypted"),
        pytest.param(EC, id="another kind of key"),
        pytest.param(b"x" * 10_000_000, id="huge"),
    ],
)
def test_a_file_that_is_no_log_key_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o400)

    with pytest.raises(WrongSettings, match=r"not an unencrypted Ed25519 key.*openssl genpkey") as caught:
        LogKey.open(path, ORIGIN)

    assert caught.value.__cause__ is None  # the library's own message may quote the file
    assert path.read_bytes() == content


def test_the_secret_does_not_show() -> None:
    key = LogKey(ORIGIN, ED25519)

    assert repr(key) == str(key) == f"LogKey({key.vkey})"
    assert f"{key!r} {[key]}".count(key.vkey) == 2


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\nb", "a\u2028b", "a\u00a0b"])
def test_a_name_that_no_signature_line_can_carry_is_refused(name: str) -> None:
    with pytest.raises(WrongSettings, match="Set SOCMON_LOG_ORIGIN"):
        LogKey(name, ED25519)


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl here")
def test_stock_openssl_makes_the_same_keys_and_checks_the_same_signatures(path: Path, tmp_path: Path) -> None:
    """An auditor needs nothing of ours to check a checkpoint's signature."""
    _openssl("genpkey", "-algorithm", "ed25519", "-out", str(path))
    path.chmod(0o400)
    key = LogKey.open(path, ORIGIN)
    text, signature, public = tmp_path / "text", tmp_path / "signature", tmp_path / "public.pem"
    text.write_bytes(b"a checkpoint\n")
    signature.write_bytes(key.sign(b"a checkpoint\n"))
    _openssl("pkey", "-in", str(path), "-pubout", "-out", str(public))

    said = _openssl(
        *("pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", str(public)),
        *("-in", str(text), "-sigfile", str(signature)),
    )

    assert "Signature Verified Successfully" in said


def _openssl(*arguments: str) -> str:
    program = shutil.which("openssl") or "openssl"
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout
