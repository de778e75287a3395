"""The evidence log's bytes, hashes and proofs, each against somebody else's."""

import json
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from hashlib import sha256
from typing import Any

import pymerkle
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.evidence import (
    Actor,
    BrokenFrontier,
    Entry,
    Frontier,
    NotCanonical,
    canonical,
    commitment,
    consistency_proof,
    envelope,
    inclusion_proof,
    leaf_hash,
    node_hash,
    timestamp,
    tree_root,
    verify_consistency,
    verify_inclusion,
)

AT = datetime(2026, 11, 24, 15, 38, 7, 123_999, tzinfo=UTC)

texts = st.text(st.characters(exclude_categories=["Cs"]))
LARGEST_INT = 9_007_199_254_740_991  # JavaScript's Number.MAX_SAFE_INTEGER
keys = st.text(st.characters(max_codepoint=127))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST_INT, LARGEST_INT) | texts,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(keys, inner),
    max_leaves=20,
)


class Shade(StrEnum):
    RED = "red"


class Weight(IntEnum):
    LIGHT = 1


# Canonical bytes


@given(values)
def test_canonical_bytes_are_rfc_8785s(value: Any) -> None:
    """An auditor's own RFC 8785 tool comes to the same bytes."""
    assert canonical(value) == rfc8785.dumps(value)


def test_every_single_character_is_written_as_rfc_8785_says() -> None:
    """No character of Unicode's first 12,288, control characters included, is escaped in another way."""
    every = [chr(number) for number in range(0x3000)]

    assert canonical(every) == rfc8785.dumps(every)


@pytest.mark.parametrize("number", [LARGEST_INT, -LARGEST_INT])
def test_the_largest_numbers_stand_in_the_log(number: int) -> None:
    assert canonical(number) == str(number).encode()


def test_the_order_of_keys_does_not_matter() -> None:
    assert canonical({"b": 1, "a": {"d": 2, "c": 3}}) == b'{"a":{"c":3,"d":2},"b":1}'
    assert canonical({"a": {"c": 3, "d": 2}, "b": 1}) == b'{"a":{"c":3,"d":2},"b":1}'


def test_enumerations_are_written_as_their_values() -> None:
    assert canonical({"shade": Shade.RED, Shade.RED: Weight.LIGHT}) == b'{"red":1,"shade":"red"}'


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def _circle() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["self"] = value
    return value


@pytest.mark.parametrize(
    ("value", "says"),
    [
        pytest.param({"load": 0.5}, "A float stands at load", id="float"),
        pytest.param([float("nan")], "A float", id="nan"),
        pytest.param(float("inf"), "A float stands at the value", id="infinity"),
        pytest.param({"a": {"ns": 2**53}}, "The number at ns is beyond", id="too large"),
        pytest.param(-(2**53), "beyond", id="too small"),
        pytest.param({"größe": 1}, "The key 'größe' at the value is not ASCII", id="key beyond ASCII"),
        pytest.param({"a": {1: "x"}}, "The key 1 at a is not ASCII text", id="number as key"),
        pytest.param({None: "x"}, "The key None", id="None as key"),
        pytest.param({True: "x"}, "The key True", id="bool as key"),
        pytest.param("\ud800", "U+D800", id="half a surrogate pair"),
        pytest.param({"a": ["fine", "x\udfff"]}, "U+DFFF", id="the other half, inside"),
        pytest.param(b"raw", "A bytes", id="bytes"),
        pytest.param(AT, "A datetime", id="time"),
        pytest.param({"a": {1, 2}}, "A set stands at a", id="set"),
        pytest.param(object(), "A object", id="object"),
        pytest.param(_nested(100_000), "nested too deeply", id="too deep"),
        pytest.param(_circle(), "holds itself", id="circle"),
    ],
)
def test_what_two_writers_could_differ_on_is_refused(value: Any, says: str) -> None:
    """A value without one canonical form never gets into the log, and the error says which value it was."""
    with pytest.raises(NotCanonical) as caught:
        canonical(value)

    assert says in str(caught.value)


# Commitments


def test_commitment_follows_its_written_rule() -> None:
    """Anybody can recompute it: SHA-256 over a fixed prefix and the canonical [salt, path, value]."""
    salt = bytes(range(16))

    plain = b'socmon-commit-v1\0["000102030405060708090a0b0c0d0e0f","note","Disk \xc3\xbcber 90 %"]'
    assert commitment(salt, "note", "Disk über 90 %") == sha256(plain).hexdigest()


openings = st.tuples(st.binary(min_size=16, max_size=16), keys, texts)


@given(openings, openings)
def test_commitments_differ_when_anything_differs(
    opening: tuple[bytes, str, str], other: tuple[bytes, str, str]
) -> None:
    assert (commitment(*opening) == commitment(*other)) is (opening == other)


def test_a_commitment_to_half_a_character_is_refused() -> None:
    with pytest.raises(NotCanonical):
        commitment(bytes(16), "note", "\udc00")


# The envelope


def _envelope(entry: Entry, **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "log": "socmon.example.com/prod",
        "seq": 4711,
        "id": "0123456789abcdef",
        "at": AT,
        "mono_boot": "feedfacefeedface",
        "mono_ns": 2**53 + 1,
        "node": "replica-2",
        "prev": b"\xab" * 32,
        "commits": {"note": "cd" * 32},
        "code": "socmon 1.4.2",
    }
    return envelope(entry, **fields | changes)


def test_envelope_has_the_documented_fields() -> None:
    """What an auditor reads in an entry, field by field, and nothing else."""
    entry = Entry(
        type="alert.resolved",
        actor=Actor(kind="slack", team="T1", user="U1", role="responders"),
        subject={"alert": 412},
        facts={"cause": "capacity", "security": False},
        private={"note": "We added a disk."},
        alert_id=412,
    )

    written = canonical(_envelope(entry))

    assert json.loads(written) == {
        "v": 1,
        "type": "alert.resolved",
        "log": "socmon.example.com/prod",
        "seq": 4711,
        "id": "0123456789abcdef",
        "at": "2026-11-24T15:38:07.123Z",
        "mono": {"boot": "feedfacefeedface", "ns": "9007199254740993"},
        "node": "replica-2",
        "actor": {"kind": "slack", "team": "T1", "user": "U1", "role": "responders"},
        "subject": {"alert": 412},
        "facts": {"cause": "capacity", "security": False},
        "prev": "ab" * 32,
        "commit": {"note": "cd" * 32},
        "code": "socmon 1.4.2",
    }


def test_private_texts_stay_out_of_the_leaf() -> None:
    """What people wrote can be forgotten later, because the entry holds only a commitment to it."""
    entry = Entry(type="alert.noted", actor=Actor(kind="system"), subject={}, private={"note": "Call Kim."})

    assert b"Kim" not in canonical(_envelope(entry))


def test_what_is_not_known_is_left_out_of_the_envelope() -> None:
    content = _envelope(Entry(type="log.opened", actor=Actor(kind="system"), subject={}), prev=b"")

    assert content["actor"] == {"kind": "system"}
    assert "facts" not in content
    assert content["prev"] == ""


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        pytest.param(AT, "2026-11-24T15:38:07.123Z", id="cut, not rounded"),
        pytest.param(AT.replace(microsecond=0), "2026-11-24T15:38:07.000Z", id="whole second"),
        pytest.param(
            AT.astimezone(timezone(timedelta(hours=5, minutes=30))), "2026-11-24T15:38:07.123Z", id="zone"
        ),
        pytest.param(datetime(987, 1, 2, tzinfo=UTC), "0987-01-02T00:00:00.000Z", id="four digits"),
    ],
)
def test_times_are_utc_in_milliseconds(at: datetime, shown: str) -> None:
    assert timestamp(at) == shown


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        timestamp(datetime(2026, 11, 24))  # noqa: DTZ001 - that is the mistake


# The tree

# The leaves and roots that every Certificate Transparency implementation tests with (google/certificate-transparency).
CT_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
MOST = 70
LEAVES = [leaf_hash(f"entry {number}".encode()) for number in range(MOST)]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_certificate_transparencys(size: int) -> None:
    assert tree_root(map(leaf_hash, CT_LEAVES[:size])).hex() == CT_ROOTS[size]


@given(st.lists(st.binary(max_size=40), max_size=150))
def test_roots_are_pymerkles(leaves: list[bytes]) -> None:
    """An unrelated implementation of RFC 6962 comes to the same root."""
    other = pymerkle.InmemoryTree(algorithm="sha256")
    for leaf in leaves:
        other.append_entry(leaf)

    assert tree_root(map(leaf_hash, leaves)) == (other.get_root() if leaves else sha256(b"").digest())


def test_a_tree_grows_through_storage_at_every_size() -> None:
    """A restart between any two entries changes nothing."""
    tree = Frontier()
    for size, leaf in enumerate(LEAVES):
        tree = Frontier.from_bytes(tree.to_bytes())
        assert (tree.size, tree.root()) == (size, tree_root(LEAVES[:size]))
        assert len(tree.to_bytes()) == 8 + 32 * size.bit_count()

        tree.append(leaf)


def test_a_copy_grows_by_itself() -> None:
    tree = Frontier()
    tree.append_many(LEAVES[:5])
    before = tree.root()

    tree.copy().append(LEAVES[5])

    assert (tree.size, tree.root()) == (5, before)


def test_a_tree_shows_its_size_and_root() -> None:
    assert repr(Frontier()) == f"Frontier(size=0, root={CT_ROOTS[0]})"


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(b"", id="empty"),
        pytest.param(bytes(7), id="short size"),
        pytest.param(bytes(8 + 32), id="a peak too many"),
        pytest.param((1).to_bytes(8, "big"), id="no peak"),
        pytest.param((3).to_bytes(8, "big") + bytes(32), id="a peak too few"),
        pytest.param((1).to_bytes(8, "big") + bytes(31), id="short peak"),
    ],
)
def test_a_damaged_tree_is_refused(stored: bytes) -> None:
    """Nothing is appended to a tree that is not whole."""
    with pytest.raises(BrokenFrontier, match="Restore the database from a backup"):
        Frontier.from_bytes(stored)


# Proofs


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 33, MOST])
def test_every_entry_has_a_proof_that_is_short(size: int) -> None:
    """A sample can be checked with a few hashes, without the rest of the log."""
    leaves = LEAVES[:size]
    root = tree_root(leaves)
    for index, leaf in enumerate(leaves):
        proof = inclusion_proof(leaves, index)

        assert verify_inclusion(leaf, index, size, proof, root)
        assert len(proof) <= (size - 1).bit_length()


@given(st.data())
def test_a_proof_of_inclusion_proves_nothing_else(data: st.DataObject) -> None:
    """Another entry, another place, another root, a changed, shortened or lengthened proof: all are refused."""
    size = data.draw(st.integers(2, MOST))
    index = data.draw(st.integers(0, size - 1))
    leaves = LEAVES[:size]
    root, proof = tree_root(leaves), inclusion_proof(leaves, index)
    other = data.draw(st.integers(0, size - 1).filter(lambda number: number != index))
    place = data.draw(st.integers(0, len(proof) - 1))

    assert verify_inclusion(leaves[index], index, size, proof, root)
    assert not verify_inclusion(leaves[other], index, size, proof, root)
    assert not verify_inclusion(leaves[index], other, size, proof, root)
    assert not verify_inclusion(leaves[index], index, size, proof, leaf_hash(root))
    assert not verify_inclusion(leaves[index], index, size, _changed(proof, place), root)
    assert not verify_inclusion(leaves[index], index, size, proof[:place] + proof[place + 1 :], root)
    assert not verify_inclusion(leaves[index], index, size, [*proof[:place], root, *proof[place:]], root)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (1, 1), (0, 0)])
def test_no_proof_for_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(IndexError):
        inclusion_proof(LEAVES[:size], index)

    assert not verify_inclusion(LEAVES[0], index, size, [], LEAVES[0])


@pytest.mark.parametrize("size", range(1, 34))
def test_every_earlier_log_is_proven_to_be_inside(size: int) -> None:
    """Between any two checkpoints a few hashes prove that the log only grew."""
    leaves = LEAVES[:size]
    for first in range(1, size + 1):
        proof = consistency_proof(leaves, first)

        assert verify_consistency(first, size, tree_root(leaves[:first]), tree_root(leaves), proof)


@given(st.data())
def test_a_proof_of_consistency_proves_nothing_else(data: st.DataObject) -> None:
    """A log whose past was changed has no proof, whatever the proof says."""
    size = data.draw(st.integers(2, MOST))
    first = data.draw(st.integers(1, size - 1))
    leaves = LEAVES[:size]
    old, new, proof = tree_root(leaves[:first]), tree_root(leaves), consistency_proof(leaves, first)
    place = data.draw(st.integers(0, len(proof) - 1))
    edited = data.draw(st.integers(0, first - 1))
    forged = [*leaves[:edited], leaf_hash(b"forged"), *leaves[edited + 1 :]]

    assert verify_consistency(first, size, old, new, proof)
    assert not verify_consistency(first, size, leaf_hash(old), new, proof)
    assert not verify_consistency(first, size, old, leaf_hash(new), proof)
    assert not verify_consistency(first, size, old, new, _changed(proof, place))
    assert not verify_consistency(first, size, old, new, proof[:place] + proof[place + 1 :])
    assert not verify_consistency(first, size, old, new, [*proof[:place], old, *proof[place:]])
    assert not verify_consistency(first, size, old, new, [])
    assert not verify_consistency(first, size, old, tree_root(forged), consistency_proof(forged, first))


def test_equal_logs_need_no_proof_and_others_have_none() -> None:
    root, other = LEAVES[0], LEAVES[1]

    assert verify_consistency(5, 5, root, root, [])
    assert not verify_consistency(5, 5, root, other, [])
    assert not verify_consistency(5, 5, root, root, [root])
    assert not verify_consistency(0, 5, Frontier().root(), root, [])
    assert not verify_consistency(6, 5, root, root, [])


def test_a_proof_that_is_longer_than_the_tree_is_high_proves_nothing() -> None:
    """The hashes would add up, but to a tree of another shape."""
    left, right, more = LEAVES[:3]

    assert not verify_inclusion(right, 0, 1, [left], node_hash(left, right))
    assert not verify_inclusion(right, 1, 1, [], right)
    shrunk = node_hash(node_hash(left, right), more)
    assert not verify_consistency(5, 4, left, shrunk, [left, right, more])
    assert not verify_consistency(0, 5, left, right, [left, right])


@pytest.mark.parametrize("size", [0, 4, -1])
def test_no_proof_from_nothing_or_from_the_future(size: int) -> None:
    with pytest.raises(IndexError):
        consistency_proof(LEAVES[:3], size)


def test_a_node_cannot_be_passed_off_as_a_leaf() -> None:
    assert leaf_hash(LEAVES[0] + LEAVES[1]) != node_hash(LEAVES[0], LEAVES[1])


def _changed(proof: list[bytes], place: int) -> list[bytes]:
    return [*proof[:place], leaf_hash(proof[place]), *proof[place + 1 :]]
