"""Sign the log as it stands. Whoever holds a signed checkpoint can prove later that nothing before it was changed."""

from collections.abc import Callable

from bot.ports import Records

Sign = Callable[[str, int, bytes], bytes]
"""(origin, size, root) → the signed note."""


def seal_log(records: Records, *, sign: Sign) -> int:
    """Store a signed checkpoint if the log has grown since the last one; returns its size, 0 when it has not."""
    origin, tree = records.tree()
    last = records.last_checkpoint()
    if tree.size == 0 or (last is not None and last[0] == tree.size):
        return 0
    records.add_checkpoint(tree.size, sign(origin, tree.size, tree.root()))
    return tree.size
