"""A due time is claimed by inserting it into the job ledger: whoever inserts it runs the job, nobody else does."""

from datetime import datetime

from bot.domain.schedule import Due, RunStatus
from bot.ports import Records


def seed_schedule(records: Records, job: str, due_at: datetime) -> bool:
    """At a job's very first start: nothing before `due_at` was ever owed. True when the job is new."""
    if records.last_run(job) is not None:
        return False
    return records.claim_run(job, due_at, status=RunStatus.DONE)


def claim_due(records: Records, job: str, due: Due) -> bool:
    """Record the missed due times, and claim the one to run; False when another replica has it."""
    for at in due.missed:
        records.claim_run(job, at, status=RunStatus.MISSED)
    return due.run is not None and records.claim_run(job, due.run)


def finish(records: Records, job: str, due_at: datetime, *, status: RunStatus, detail: str) -> None:
    records.finish_run(job, due_at, status=status, detail=detail)


def last_run(records: Records, job: str) -> tuple[datetime, str, datetime | None, str] | None:
    """(due at, status, finished at, detail) of the newest due time on record."""
    return records.last_run(job)
