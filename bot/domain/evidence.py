"""What evidence is: an entry, the exact bytes that stand for it, and the tree that makes a change to any of them show.

Pure and small on purpose: an auditor's tool has to come to the same bytes and the same hashes.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal, Self, TypeAlias

import orjson

from bot.domain.errors import SocmonError

Fact: TypeAlias = "str | int | bool | Sequence[Fact] | Mapping[str, Fact] | None"

VERSION = 1
HASH_BYTES = 32
ELSEWHERE = frozenset({"raw", "details"})
"""Paths whose text is the hex SHA-256 of what lies in the records: a delivery's body, what a tool called an alert."""
LARGEST_INT = 2**53 - 1  # beyond it JavaScript and other readers of JSON round (RFC 8785, 3.2.2.3)


class NotCanonical(SocmonError):
    """A value has no canonical form, so it cannot stand in the evidence log; nothing was changed."""


class BrokenFrontier(SocmonError):
    """The stored state of the tree is damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who did it, by pseudonymous ids only: Slack's team and user, or a provider's name as `user`.

    Of kind "provider", `user` is a person when the entry's facts name the tool they did it in as "via": a Slack user
    whose account there is linked, else the tool's own id of them.
    """

    kind: Literal["slack", "provider", "system"]
    team: str | None = None
    user: str | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a procedure appends to the log.

    `type` is a name and a past participle ("alert.acknowledged"). `subject` names what it is about. `facts` stand in
    the leaf for good, in clear: nothing personal, nothing secret, numbers with fractions as text. `private` maps a
    path ("note") to a text; the leaf holds only a salted commitment to it, so that the text can be forgotten later.
    The texts of the paths in ELSEWHERE are not stored: they are hashes of what lies in the records.
    """

    type: str
    actor: Actor
    subject: Mapping[str, str | int]
    facts: Mapping[str, Fact] = field(default_factory=dict)
    private: Mapping[str, str] = field(default_factory=dict)
    alert_id: int | None = None


def envelope(
    entry: Entry,
    *,
    log: str,
    seq: int,
    id: str,  # noqa: A002 - the envelope's own field name
    at: datetime,
    mono_boot: str,
    mono_ns: int,
    node: str,
    prev: bytes,
    commits: Mapping[str, str],
    code: str,
) -> dict[str, Any]:
    """The leaf's content, ready for `canonical`.

    `prev` is the leaf hash of entry `seq - 1`, empty for entry 0. `commits` maps each private path to its commitment.
    `mono.ns` is decimal text: a host that has been up for 105 days counts past 2**53 ns. Raises ValueError for a
    naive `at`.
    """
    actor = entry.actor
    who = {"kind": actor.kind, "team": actor.team, "user": actor.user, "role": actor.role}
    content: dict[str, Any] = {
        "v": VERSION,
        "type": entry.type,
        "log": log,
        "seq": seq,
        "id": id,
        "at": timestamp(at),
        "mono": {"boot": mono_boot, "ns": str(mono_ns)},
        "node": node,
        "actor": {name: value for name, value in who.items() if value},
        "subject": entry.subject,
        "prev": prev.hex(),
        "commit": commits,
        "code": code,
    }
    if entry.facts:
        content["facts"] = entry.facts
    return content


def timestamp(at: datetime) -> str:
    """UTC in milliseconds, cut and not rounded: "2026-11-24T15:38:07.123Z". Raises ValueError for a naive time."""
    if at.tzinfo is not UTC:
        if at.utcoffset() is None:
            raise ValueError(f"{at!r} has no time zone, so it is no point in time. Pass an aware datetime.")
        at = at.astimezone(UTC)
    return f"{at.isoformat(timespec='milliseconds')[:-6]}Z"


_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode


def canonical(value: Any) -> bytes:
    """The RFC 8785 bytes of text, integers within ±(2**53 - 1), booleans, None, lists, tuples and dicts of them.

    Keys are ASCII, where Python's order by code point is RFC 8785's order by UTF-16 unit. Raises NotCanonical for
    everything else, because two writers could differ on it.
    """
    try:
        _check(value, "the value")
        try:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError:  # of what it does not take, the standard library says why, or takes it
            return _encode(value).encode()
    except UnicodeEncodeError as error:
        raise NotCanonical(
            f"A text holds half of a surrogate pair (U+{ord(error.object[error.start]):04X}), which is no character."
            " Clean the text where it comes in."
        ) from error
    except RecursionError as error:
        raise NotCanonical("The value is nested too deeply, or holds itself. Flatten it.") from error


def _check(value: Any, where: str) -> None:
    """Refuse what the encoder would write, but not canonically. `where` is the nearest key."""
    kind = value.__class__
    if kind is str or kind is bool or value is None:
        return
    if isinstance(value, int):
        if not -LARGEST_INT <= value <= LARGEST_INT:
            raise NotCanonical(f"The number at {where} is beyond 2**53 - 1. Keep it as text.")
    elif isinstance(value, dict):
        _check_dict(value, where)
    elif isinstance(value, list | tuple):
        for item in value:
            if item.__class__ is not str:
                _check(item, where)
    elif not isinstance(value, str):
        raise NotCanonical(f"A {kind.__name__} stands at {where}. Keep fractions, times and bytes as text.")


def _check_dict(value: dict[Any, Any], where: str) -> None:
    for key, item in value.items():
        if not (isinstance(key, str) and key.isascii()):
            raise NotCanonical(f"The key {key!r} at {where} is not ASCII text. Rename it.")
        # Most values are text: the call is spared for them.
        if item.__class__ is not str:
            _check(item, key)


def commitment(salt: bytes, path: str, value: Any) -> str:
    """Hex; proves later what `value` stood at `path`, and tells nothing before.

    `salt` is 16 unpredictable bytes, used once. Raises NotCanonical.
    """
    return sha256(b"socmon-commit-v1\0" + canonical([salt.hex(), path, value])).hexdigest()


def leaf_hash(leaf: bytes) -> bytes:
    """RFC 9162, 2.1.1: the prefix keeps a leaf from being passed off as a node."""
    return sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162, 2.1.1."""
    return sha256(b"\1" + left + right).digest()


class Frontier:
    """A Merkle tree, reduced to what it takes to grow it: its size, and the roots of its complete subtrees.

    `peaks` are those roots, the largest (oldest) first: one per 1-bit of `size`, so 64 at most. It grows in place.
    """

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)

    def __repr__(self) -> str:
        return f"Frontier(size={self.size}, root={self.root().hex()})"

    def copy(self) -> Self:
        return type(self)(self.size, self.peaks)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        size, node, peaks = self.size, leaf, self.peaks
        while size & 1:
            node = sha256(b"\1" + peaks.pop() + node).digest()
            size >>= 1
        peaks.append(node)
        self.size += 1

    def append_many(self, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes in order."""
        for leaf in leaves:
            self.append(leaf)

    def root(self) -> bytes:
        """The Merkle tree hash; of an empty tree it is the hash of nothing."""
        if not self.peaks:
            return sha256().digest()
        *larger, node = self.peaks
        for peak in reversed(larger):
            node = node_hash(peak, node)
        return node

    def to_bytes(self) -> bytes:
        """Size as 8 bytes, big-endian, then the peaks."""
        return self.size.to_bytes(8, "big") + b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        """Raises BrokenFrontier when the number of peaks does not fit the size."""
        size = int.from_bytes(stored[:8], "big")
        if len(stored) != 8 + HASH_BYTES * size.bit_count():
            raise BrokenFrontier(
                f"The stored tree of the evidence log ({len(stored)} bytes, size {size}) is damaged, so nothing can be"
                " appended. Restore the database from a backup, then run `socmon evidence verify`."
            )
        return cls(size, (stored[start : start + HASH_BYTES] for start in range(8, len(stored), HASH_BYTES)))


def tree_root(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes."""
    tree = Frontier()
    tree.append_many(leaves)
    return tree.root()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """RFC 9162, 2.1.3.1: the hashes that lead from leaf `index` to the root. Raises IndexError outside the tree."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"There is no entry {index} in a log of {len(leaves)} entries.")
    proof: list[bytes] = []
    low, high = 0, len(leaves)
    while high - low > 1:
        middle = low + _left_size(high - low)
        if index < middle:
            proof.append(tree_root(leaves[middle:high]))
            high = middle
        else:
            proof.append(tree_root(leaves[low:middle]))
            low = middle
    return proof[::-1]


def consistency_proof(leaves: Sequence[bytes], size: int) -> list[bytes]:
    """RFC 9162, 2.1.4.1: the hashes that show the tree of the first `size` leaves inside this one.

    Empty when they are the same tree. Raises IndexError when `size` is 0 or beyond the tree.
    """
    if not 0 < size <= len(leaves):
        raise IndexError(f"No proof leads from {size} to {len(leaves)} entries.")
    proof: list[bytes] = []
    low, high = 0, len(leaves)
    while size != high:
        middle = low + _left_size(high - low)
        if size <= middle:
            proof.append(tree_root(leaves[middle:high]))
            high = middle
        else:
            proof.append(tree_root(leaves[low:middle]))
            low = middle
    # The old tree's own last subtree opens the proof, unless it is the old tree itself, whose root the verifier has.
    return ([tree_root(leaves[low:high])] if low else []) + proof[::-1]


def _left_size(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """RFC 9162, 2.1.3.2: whether the leaf with this hash is entry `index` of the log with this size and root."""
    if not 0 <= index < size:
        return False
    node, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            result = node_hash(sibling, result)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and result == root


def verify_consistency(
    first_size: int, second_size: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> bool:
    """RFC 9162, 2.1.4.2: whether the second log starts with all of the first one.

    False for an empty first log: nothing follows from it.
    """
    if not 0 < first_size <= second_size:
        return False
    if first_size == second_size:
        return not proof and first_root == second_root
    if not proof:
        return False
    # A complete first tree is itself the first step, and is left out of the proof.
    path = [first_root, *proof] if first_size.bit_count() == 1 else list(proof)
    node, last = first_size - 1, second_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and first == first_root and second == second_root
