"""When a job is due, and what becomes of due times that passed while nothing ran."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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
    """What a job owes now: the due time to run, and the older ones to record as missed."""

    run: datetime | None
    missed: tuple[datetime, ...] = ()


def owed(passed: list[datetime], catch_up: CatchUp) -> Due:
    """What is owed of the due times that have passed and have no record, oldest first."""
    if not passed:
        return Due(run=None)
    older = tuple(passed[:-1]) if catch_up is CatchUp.ALL else ()
    return Due(run=passed[-1], missed=older)
