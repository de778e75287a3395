"""Signing: only what goes on from the last checkpoint, entry by entry, is signed."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, delete, insert, select, update

from bot.adapters.database.tables import checkpoint, head, leaf
from bot.adapters.evidence.keys import LogKey
from bot.domain.evidence import Frontier, leaf_hash, tree_root
from bot.procedures import seal_log as sealing
from bot.procedures.receive_alert import receive_alert
from bot.procedures.seal_log import DamagedLog, seal_log
from tests.reports import delivery, report
from tests.world import ORIGIN, ROUTES, Ledger

KEY = LogKey(ORIGIN, Ed25519PrivateKey.generate())
OTHER = LogKey(ORIGIN, Ed25519PrivateKey.generate())


def grow(ledger: Ledger, entries: int) -> None:
    for _ in range(entries):
        ledger.write(receive_alert, delivery(report(ledger.fresh_key())), routes=ROUTES)


def sealed(ledger: Ledger) -> tuple[int, bytes]:
    last = ledger.read(lambda records: records.last_checkpoint())
    return KEY.unseal(last[2])


def root(ledger: Ledger, size: int) -> bytes:
    stored = ledger.read(lambda records: list(records.leaves(0, size)))
    return tree_root(leaf_hash(body) for _, body in stored)


@pytest.fixture
def grown(ledger: Ledger) -> Ledger:
    """Signed at 3, and at 5; the log ends at 7."""
    for entries in (3, 2):
        grow(ledger, entries)
        assert ledger.write(seal_log, seal=KEY) == entries
    grow(ledger, 2)
    return ledger


def test_each_checkpoint_is_over_all_entries_before_it(grown: Ledger) -> None:
    """However often it was signed in between; when nothing is new there is no further one."""
    assert sealed(grown) == (5, root(grown, 5))
    assert grown.write(seal_log, seal=KEY) == 2
    assert sealed(grown) == (7, root(grown, 7))
    assert grown.write(seal_log, seal=KEY) == 0


def test_much_is_signed_in_steps(grown: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """No step holds up the alerts for long, and each is a checkpoint of its own."""
    monkeypatch.setattr(sealing, "MOST", 3)
    grow(grown, 5)

    assert [grown.write(seal_log, seal=KEY) for _ in range(4)] == [3, 3, 1, 0]
    assert sealed(grown) == (12, root(grown, 12))


def _reword(sql: Connection) -> None:
    old = bytes(sql.execute(select(leaf.c.leaf).where(leaf.c.seq == 6)).scalar_one())
    new = old.replace(b"generic", b"Generic")
    sql.execute(update(leaf).where(leaf.c.seq == 6).values(leaf=new, hash=leaf_hash(new)))


def _forge(size: int) -> Callable[[Connection], object]:
    """A tree of other entries, with the right size."""
    other = Frontier()
    other.append_many(bytes([number]) * 32 for number in range(size))
    column = head.c.frontier if size == 7 else head.c.sealed
    return lambda sql: sql.execute(update(head).values({column: other.to_bytes()}))


def _sign_anew(sql: Connection) -> None:
    note = OTHER.seal(ORIGIN, 6, bytes(32))
    sql.execute(insert(checkpoint).values(size=6, at=0, note=note))


EDITS: dict[str, tuple[Callable[[Connection], object], str]] = {
    "the tree": (_forge(7), "do not add up"),
    "the last checkpoint's tree": (_forge(5), "or others than these"),
    "half a tree of the last checkpoint": (
        lambda sql: sql.execute(update(head).values(sealed=_tree(5)[:-1])),
        "cannot be trusted",
    ),
    "no tree of the last checkpoint": (
        lambda sql: sql.execute(update(head).values(sealed=None)),
        "socmon signed 0",
    ),
    "an entry": (_reword, "do not add up"),
    "an entry less": (lambda sql: sql.execute(delete(leaf).where(leaf.c.seq == 5)), "entry 5 is missing"),
    "the last entry less": (lambda sql: sql.execute(delete(leaf).where(leaf.c.seq == 6)), "do not add up"),
    "a shorter log": (
        lambda sql: sql.execute(update(head).values(size=4, frontier=_tree(4))),
        "do not add up",
    ),
    "the last checkpoint less": (
        lambda sql: sql.execute(delete(checkpoint).where(checkpoint.c.size == 5)),
        "is of 3 entries, and socmon signed 5",
    ),
    "no checkpoints": (lambda sql: sql.execute(delete(checkpoint)), "is of 0 entries, and socmon signed 5"),
    "a checkpoint by another key": (_sign_anew, "cannot be trusted"),
    "a damaged checkpoint": (
        lambda sql: sql.execute(update(checkpoint).values(note=b"anything\n")),
        "cannot be trusted",
    ),
}


def _tree(size: int) -> bytes:
    tree = Frontier()
    tree.append_many(bytes(32) for _ in range(size))
    return tree.to_bytes()


@pytest.mark.parametrize(("edit", "says"), EDITS.values(), ids=EDITS.keys())
def test_what_does_not_go_on_from_the_last_checkpoint_is_not_signed(
    grown: Ledger, edit: Callable[[Connection], object], says: str
) -> None:
    """A signature over a changed log would make the change true. It is refused, and said why."""
    with grown.database.writing.connect() as connection, connection.begin():
        edit(connection)
    before = grown.read(lambda records: records.last_checkpoint())

    with pytest.raises(DamagedLog, match=says) as refused:
        grown.write(seal_log, seal=KEY)

    assert "socmon evidence verify" in str(refused.value)
    assert grown.read(lambda records: records.last_checkpoint()) == before
