"""When a job is due, and what becomes of due times that passed while nothing ran."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

PUNCTUAL = timedelta(minutes=1)


class CatchUp(StrEnum):
    """ALL: every due time gets a record; the newest runs late, older ones are `missed`. LATEST: the newest counts."""

    ALL = "all"
    LATEST = "latest"


class RunStatus(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    MISSED = "missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What a job owes now: the due time to run, and the others to record as missed."""

    run: datetime | None
    missed: tuple[datetime, ...] = ()


def owed(
    passed: Collection[datetime],
    catch_up: CatchUp,
    *,
    dead: Collection[datetime] = (),
    newest: datetime | None = None,
) -> Due:
    """What is owed of the due times that have passed and have no record, and of those whose run died in the middle.

    `newest` is the newest due time on record: with LATEST nobody asks any more for one that died before it.
    """
    every = sorted({*passed, *dead})
    if not every:
        return Due(run=None)
    if catch_up is CatchUp.ALL:
        return Due(run=every[-1], missed=tuple(every[:-1]))
    run = every[-1] if newest is None or every[-1] >= newest else None
    return Due(run=run, missed=tuple(at for at in sorted(dead) if at != run))


def lateness(due_at: datetime, begun_at: datetime) -> str:
    """What a run's record says of a late begin: `; begun 0:23:00 late`, or nothing."""
    late = begun_at - due_at
    return f"; begun {timedelta(seconds=int(late.total_seconds()))} late" if late > PUNCTUAL else ""
