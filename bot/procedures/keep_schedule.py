"""A due time is claimed by inserting it into the job ledger: whoever inserts it runs the job, nobody else does.

A claim whose run never ended, since its process died, is claimed anew after a while.
"""

from datetime import datetime, timedelta

from bot.domain.schedule import Due, RunStatus
from bot.ports import Records

SKEW = timedelta(minutes=5)  # more than the clocks of replicas may differ


def standing(records: Records, job: str, *, dead_before: datetime) -> tuple[datetime | None, list[datetime]]:
    """(the newest due time on record, those whose run was claimed before `dead_before` and never ended)."""
    last = records.last_run(job)
    return (last[0] if last else None), records.dead_runs(job, dead_before=dead_before)


def seed_schedule(records: Records, job: str, due_at: datetime) -> bool:
    """At a job's very first start: nothing before `due_at` was ever owed. True when the job is new."""
    if records.last_run(job) is not None:
        return False
    return records.claim_run(job, due_at, status=RunStatus.DONE)


def forget_future(records: Records, job: str) -> int:
    """A clock that was put back leaves due times on record that have yet to come. They are to be run when they do."""
    return records.drop_future_runs(job, tolerance=SKEW)


def claim_due(records: Records, job: str, due: Due, *, dead_before: datetime | None = None) -> bool:
    """Record the missed due times, and claim the one to run; False when another replica has it."""
    for at in due.missed:
        records.claim_run(job, at, status=RunStatus.MISSED, dead_before=dead_before)
    return due.run is not None and records.claim_run(job, due.run, dead_before=dead_before)


def claim_now(
    records: Records,
    job: str,
    due_at: datetime,
    *,
    dead_before: datetime,
    status: RunStatus = RunStatus.RUNNING,
) -> bool:
    """Claim a run out of turn; False while another one is under way, or when this due time is claimed already."""
    last = records.last_run(job)
    if (
        last
        and last[1] == RunStatus.RUNNING
        and last[0] not in records.dead_runs(job, dead_before=dead_before)
    ):
        return False
    return records.claim_run(job, due_at, status=status)


def finish(records: Records, job: str, due_at: datetime, *, status: RunStatus, detail: str) -> None:
    records.finish_run(job, due_at, status=status, detail=detail)


def last_run(records: Records, job: str) -> tuple[datetime, str, datetime | None, str] | None:
    """(due at, status, finished at, detail) of the newest due time on record."""
    return records.last_run(job)
