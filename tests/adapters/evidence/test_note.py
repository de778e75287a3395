"""Checkpoints as others read and write them."""

from base64 import b64decode, b64encode

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import example, given
from hypothesis import strategies as st

from bot.adapters.evidence.keys import LogKey
from bot.adapters.evidence.note import (
    MOST_BYTES,
    BadNote,
    BadVerifierKey,
    Checkpoint,
    VerifierKey,
    open_checkpoint,
    sign_checkpoint,
)

LARGEST_SIZE = 9_223_372_036_854_775_807

# Made and verified with other tools when the format was chosen.
NOTE = """\
socmon.example.com/prod-log
37
+3kL3PNB8Tj2b3HsuU+K/3B9D77duprebrzckA8jQls=

— socmon.example.com/prod-log \
NvUl4H4IiXPfenK+zESRUdkfyY3njrd0MaQsEdk5gsPl2D4ZKFTLERykDyCZDyEhP5CpuJVmg6ykqMM9hEMS1QZ3Owc=
"""
VKEY = "socmon.example.com/prod-log+36f525e0+AfLUKQSemufnASe1fC5uBSI4dJxozk52D65qL5CvALWG"

ORIGIN = "socmon.example.com/test"
KEY = LogKey(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
ROOT = bytes(range(100, 132))
SIGNED = sign_checkpoint(ORIGIN, 4711, ROOT, KEY)
TEXT, _, LINE = SIGNED.decode().rpartition("\n\n")


def test_a_checkpoint_of_other_tools_is_verified() -> None:
    checkpoint = open_checkpoint(NOTE.encode(), VerifierKey.parse(VKEY))

    root = b64decode("+3kL3PNB8Tj2b3HsuU+K/3B9D77duprebrzckA8jQls=")
    assert checkpoint == Checkpoint(origin="socmon.example.com/prod-log", size=37, root=root)
    assert NOTE.startswith(checkpoint.text() + "\n— ")


def test_go_s_own_example_is_verified() -> None:
    """The example of golang.org/x/mod/sumdb/note: key, key id and signature are what Go makes."""
    key = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    line = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    raw = b64decode(line)

    assert key.key_id == raw[:4]
    assert key.verify(raw[4:], text)
    assert not key.verify(raw[4:], text + b"\n")


def test_vkeys_are_written_as_they_are_read() -> None:
    assert str(VerifierKey.parse(VKEY)) == VKEY
    assert VerifierKey.parse(f"  {VKEY}\n") == VerifierKey.parse(VKEY)


@example(LARGEST_SIZE, bytes(32), bytes(32))
@given(st.integers(0, LARGEST_SIZE), st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_what_is_signed_opens(size: int, root: bytes, seed: bytes) -> None:
    """And the signature is good for anybody's Ed25519, over the text up to its last newline."""
    key = LogKey(ORIGIN, Ed25519PrivateKey.from_private_bytes(seed))

    note = sign_checkpoint(ORIGIN, size, root, key)

    assert open_checkpoint(note, VerifierKey.parse(key.vkey)) == Checkpoint(
        origin=ORIGIN, size=size, root=root
    )
    text, _, line = note.decode().rpartition("\n\n")
    signature = b64decode(line.split(" ")[2])[4:]
    Ed25519PublicKey.from_public_bytes(key.verifier.public).verify(signature, f"{text}\n".encode())


@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
def test_no_bit_of_a_checkpoint_can_be_changed(place: int, change: int) -> None:
    """Not even in how the signature is spelled."""
    note = bytearray(SIGNED)
    note[place] ^= change

    with pytest.raises(BadNote):
        open_checkpoint(bytes(note), KEY.verifier)


@given(st.integers(0, len(SIGNED) - 1))
def test_no_part_of_a_checkpoint_can_be_missing(end: int) -> None:
    with pytest.raises(BadNote):
        open_checkpoint(SIGNED[:end], KEY.verifier)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode(errors="replace")))
def test_any_file_is_refused_with_a_reason(note: bytes) -> None:
    with pytest.raises(BadNote):
        open_checkpoint(note, KEY.verifier)


def test_signatures_of_others_are_passed_over() -> None:
    """Witnesses and former keys sign the same note; they neither help nor hinder."""
    witness = f"— witness.example/w1 {b64encode(bytes(4 + 72)).decode()}\n"
    former = LogKey(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    by_former = sign_checkpoint(ORIGIN, 4711, ROOT, former).decode().rpartition("\n\n")[2]

    note = f"{TEXT}\n\n{witness}{by_former}{LINE}{witness}".encode()

    assert open_checkpoint(note, KEY.verifier).size == 4711
    assert open_checkpoint(note, former.verifier).size == 4711
    with pytest.raises(BadNote, match="not signed by"):
        open_checkpoint(f"{TEXT}\n\n{witness}{by_former}".encode(), KEY.verifier)


def test_a_wrong_signature_of_the_log_spoils_the_note() -> None:
    """Also beside a right one."""
    forged = f"— {ORIGIN} {b64encode(KEY.key_id + bytes(64)).decode()}\n"

    for lines in (forged, forged + LINE, LINE + forged):
        with pytest.raises(BadNote, match="not valid"):
            open_checkpoint(f"{TEXT}\n\n{lines}".encode(), KEY.verifier)


@pytest.mark.parametrize("size", [0, 1, 63, 65, 3000])
def test_a_signature_of_another_length_is_not_valid(size: int) -> None:
    line = f"— {ORIGIN} {b64encode(KEY.key_id + bytes(size)).decode()}\n"

    with pytest.raises(BadNote):
        open_checkpoint(f"{TEXT}\n\n{line}".encode(), KEY.verifier)


def _signed(text: str) -> bytes:
    """The text as a note with a good signature, whatever the text."""
    signature = b64encode(KEY.key_id + KEY.sign(text.encode())).decode()
    return f"{text}\n— {ORIGIN} {signature}\n".encode()


def test_lines_after_the_root_are_opaque() -> None:
    assert open_checkpoint(_signed(f"{TEXT}\nextension\n"), KEY.verifier).root == ROOT


ROOT_64 = b64encode(ROOT).decode()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(f"{ORIGIN}\n1\n", "at least three lines", id="no root"),
        pytest.param(f"{ORIGIN}\n1\n{ROOT_64}\n\nx\n", "at least three lines", id="empty line"),
        pytest.param(f"\n1\n{ROOT_64}\n", "at least three lines", id="no origin"),
        pytest.param(f"{ORIGIN}\n01\n{ROOT_64}\n", "second line is '01'", id="leading zero"),
        pytest.param(f"{ORIGIN}\n-1\n{ROOT_64}\n", "second line", id="negative"),
        pytest.param(f"{ORIGIN}\n1 \n{ROOT_64}\n", "second line", id="space"),
        pytest.param(f"{ORIGIN}\n٣\n{ROOT_64}\n", "second line", id="other digits"),
        pytest.param(f"{ORIGIN}\n{LARGEST_SIZE + 1}\n{ROOT_64}\n", "second line", id="beyond 63 bits"),
        pytest.param(f"{ORIGIN}\n{'9' * 5000}\n{ROOT_64}\n", "second line", id="endless"),
        pytest.param(f"{ORIGIN}\n1\n{ROOT_64}=\n", "third line", id="padding"),
        pytest.param(f"{ORIGIN}\n1\n{ROOT_64[:-2]}V=\n", "third line", id="second spelling"),
        pytest.param(f"{ORIGIN}\n1\n{ROOT_64.replace('h', '-')}\n", "third line", id="URL alphabet"),
        pytest.param(f"{ORIGIN}\n1\n{b64encode(bytes(31)).decode()}\n", "31 bytes", id="short root"),
        pytest.param(f"other.example/log\n1\n{ROOT_64}\n", "other.example/log", id="other log"),
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadNote, match=says):
        open_checkpoint(_signed(text), KEY.verifier)


@pytest.mark.parametrize(
    ("note", "says"),
    [
        pytest.param(b"", "not a signed note", id="empty"),
        pytest.param(b"\xff\n\n\xe2\x80\x94 a b\n", "not UTF-8", id="not UTF-8"),
        pytest.param(SIGNED.replace(b"\n", b"\r\n"), "not a signed note", id="CRLF"),
        pytest.param(SIGNED.replace(b"4711", b"47\t11"), "not a signed note", id="control character"),
        pytest.param(SIGNED.rstrip(b"\n"), "not a signed note", id="no last newline"),
        pytest.param(SIGNED + b"\n", "not a signed note", id="blank line at the end"),
        pytest.param(SIGNED.replace("—".encode(), b"-"), "malformed signature line", id="hyphen"),
        pytest.param(
            SIGNED.replace("— ".encode(), "—  ".encode()), "malformed signature line", id="two spaces"
        ),
        pytest.param(SIGNED + "— a+b AAAA\n".encode(), "malformed signature line", id="plus in a name"),
        pytest.param(SIGNED + "— a A\n".encode(), "not base64", id="not base64"),
        pytest.param(SIGNED + "— a AAAAAB==\n".encode(), "not base64", id="second spelling"),
        pytest.param(SIGNED + "— a AAAA\n".encode(), "too short", id="no room for a key id"),
        pytest.param(SIGNED + "— a AAAAAA==\n".encode(), "too short", id="a key id and no signature"),
        pytest.param(SIGNED + b" " * MOST_BYTES, f"{MOST_BYTES} are the most", id="too long"),
    ],
)
def test_what_is_no_note_is_refused(note: bytes, says: str) -> None:
    with pytest.raises(BadNote, match=says):
        open_checkpoint(note, KEY.verifier)


@pytest.mark.parametrize(
    ("vkey", "says"),
    [
        pytest.param("", "is not a log's public key", id="empty"),
        pytest.param(ORIGIN, "is not a log's public key", id="name only"),
        pytest.param(VKEY[:-4], "is not a log's public key", id="cut"),
        pytest.param(VKEY.replace("AfLU", "AvLU"), "is not a log's public key", id="another algorithm"),
        pytest.param(VKEY.replace("AfLU", "Af-U"), "is not a log's public key", id="URL alphabet"),
        pytest.param(VKEY.replace("36f525e0", "36f525e1"), "contradicts itself", id="key id"),
        pytest.param(VKEY.replace("36f525e0", "36F525E0"), "contradicts itself", id="upper case"),
        pytest.param(VKEY.replace("AfLUK", "AfLUL"), "contradicts itself", id="key"),
        pytest.param(VKEY.replace("prod-log", "prod-lag"), "contradicts itself", id="name"),
        pytest.param("+" + VKEY.partition("+")[2], "cannot name a log", id="no name"),
    ],
)
def test_a_public_key_with_a_mistake_is_refused(vkey: str, says: str) -> None:
    """A slip in copying never looks like a forged log."""
    with pytest.raises(BadVerifierKey, match=says):
        VerifierKey.parse(vkey)


def test_a_key_signs_for_its_own_log_only() -> None:
    with pytest.raises(ValueError, match="does not sign for other"):
        sign_checkpoint("other", 1, ROOT, KEY)


def test_a_short_root_is_not_hidden_by_signing() -> None:
    with pytest.raises(BadNote, match="31 bytes"):
        open_checkpoint(sign_checkpoint(ORIGIN, 1, bytes(31), KEY), KEY.verifier)


def test_the_oracle_itself_refuses() -> None:
    """The Ed25519 of `cryptography`, which all this rests on, says no when it should."""
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(KEY.verifier.public).verify(bytes(64), b"text")
