"""Sign the log as it stands. Whoever holds a signed checkpoint can prove later that nothing before it was changed.

A signature is never put on what the head row merely claims. The tree of the last checkpoint is kept, and it is genuine
if its root is the one that the last signature states: no other tree has that root. Grown by the entries stored since,
it has to be the head's. That costs as much as the log has grown, however long it is; what was signed before is for
`socmon evidence verify`.
"""

from typing import Protocol

from bot.domain.errors import SocmonError
from bot.domain.evidence import Frontier, leaf_hash
from bot.ports import Records

MOST = 5_000  # entries in one transaction, since it holds up everybody else's


class Seal(Protocol):
    """The log's key; `bot.adapters.evidence.keys.LogKey` is one."""

    def seal(self, origin: str, size: int, root: bytes) -> bytes:
        """The signed note."""
        ...

    def unseal(self, note: bytes) -> tuple[int, bytes]:
        """(size, root) of a note that this key has signed. Raises SocmonError for any other."""
        ...


class DamagedLog(SocmonError):
    """The log does not go on from its last checkpoint, so it is not signed."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The evidence log is not signed any more: {why}. Somebody changed the database from outside, or an older"
            " copy of a part of it was restored. Alerts are still recorded. Run `socmon evidence verify` to see what is"
            " wrong, then restore the database from a backup."
        )


def seal_log(records: Records, *, seal: Seal) -> int:
    """Store a signed checkpoint over what no checkpoint covers, at most MOST entries; returns how many they are.

    Raises DamagedLog.
    """
    origin, head = records.tree()
    tree = _last_signed(records, seal)
    start, end = tree.size, min(head.size, tree.size + MOST)
    for seq, leaf in records.leaves(start, end):
        if seq != tree.size:
            raise DamagedLog(f"entry {tree.size} is missing")
        tree.append(leaf_hash(leaf))
    if tree.size != end or (end == head.size and tree.peaks != head.peaks):
        raise DamagedLog(
            f"its {tree.size} entries do not add up to the tree of {head.size} that is stored with them"
        )
    if tree.size > start:
        records.add_checkpoint(tree, seal.seal(origin, tree.size, tree.root()))
    return tree.size - start


def _last_signed(records: Records, seal: Seal) -> Frontier:
    """The tree of the last checkpoint. Raises DamagedLog."""
    last = records.last_checkpoint()
    try:
        tree = records.sealed_tree()
        signed = seal.unseal(last[2]) if last else (0, Frontier().root())
    except SocmonError as error:
        raise DamagedLog(f"its last checkpoint cannot be trusted ({error})") from error
    if signed != (tree.size, tree.root()):
        raise DamagedLog(
            f"its last checkpoint is of {signed[0]} entries, and socmon signed {tree.size}, or others than these"
        )
    return tree
