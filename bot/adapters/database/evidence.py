"""The log as the verifier reads it: in pages, so that no read lasts long enough to hold up the writer."""

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

from sqlalchemy import Engine, select

from bot.adapters.database.tables import checkpoint, delivery, disclosure, head, leaf

PAGE = 500

Leaves = Iterator[tuple[int, bytes, bytes]]
Disclosures = Iterator[tuple[int, str, bytes, str | None]]
Checkpoints = list[tuple[int, bytes]]


def read_log(engine: Engine) -> tuple[Leaves, Disclosures, Checkpoints, Callable[[int], str | None], str]:
    """(leaves, disclosures, checkpoints, raw digest by place, origin). The log as it was when this was called."""
    with engine.connect() as connection:
        row = connection.execute(select(head.c.size, head.c.log)).one()
        notes = [
            (one.size, one.note) for one in connection.execute(select(checkpoint).order_by(checkpoint.c.size))
        ]
    return _leaves(engine, row.size), _disclosures(engine, row.size), notes, _raw_digest(engine), row.log


def _leaves(engine: Engine, size: int) -> Leaves:
    query = select(leaf.c.seq, leaf.c.leaf, leaf.c.hash).order_by(leaf.c.seq)
    for start in range(0, size, PAGE):
        with engine.connect() as connection:
            page = connection.execute(
                query.where(leaf.c.seq >= start, leaf.c.seq < min(start + PAGE, size))
            ).all()
        for row in page:
            yield row.seq, bytes(row.leaf), bytes(row.hash)


def _disclosures(engine: Engine, size: int) -> Disclosures:
    query = select(disclosure).order_by(disclosure.c.seq, disclosure.c.path)
    for start in range(0, size, PAGE):
        with engine.connect() as connection:
            within = (disclosure.c.seq >= start, disclosure.c.seq < min(start + PAGE, size))
            page = connection.execute(query.where(*within)).all()
        for row in page:
            yield row.seq, row.path, bytes(row.salt), row.value


def _raw_digest(engine: Engine) -> Callable[[int], str | None]:
    """The sha256 of the body that the entry at a place commits to; None when retention has forgotten the body."""

    def digest(seq: int) -> str | None:
        with engine.connect() as connection:
            entry: Any = connection.execute(select(leaf.c.leaf).where(leaf.c.seq == seq)).scalar_one()
            number = json.loads(entry)["subject"].get("delivery")
            body = connection.execute(
                select(delivery.c.body).where(delivery.c.id == number)
            ).scalar_one_or_none()
        return sha256(body).hexdigest() if body else None

    return digest
