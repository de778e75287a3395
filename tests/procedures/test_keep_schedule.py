"""The job ledger: whoever inserts a due time runs it."""

from datetime import timedelta

import pytest

from bot.domain.schedule import CatchUp, Due, RunStatus, owed
from bot.procedures.keep_schedule import claim_due, finish, last_run, seed_schedule
from tests.reports import START
from tests.world import Ledger

WEEKS = [START + timedelta(days=7 * week) for week in range(4)]


@pytest.mark.parametrize(
    ("passed", "catch_up", "due"),
    [
        ([], CatchUp.ALL, Due(run=None)),
        ([], CatchUp.LATEST, Due(run=None)),
        (WEEKS[:1], CatchUp.ALL, Due(run=WEEKS[0])),
        (WEEKS, CatchUp.ALL, Due(run=WEEKS[3], missed=tuple(WEEKS[:3]))),
        (WEEKS, CatchUp.LATEST, Due(run=WEEKS[3])),
    ],
    ids=["nothing, all", "nothing, latest", "one", "three weeks, all", "three weeks, latest"],
)
def test_what_is_owed(passed: list[object], catch_up: CatchUp, due: Due) -> None:
    """The newest due time runs late; older ones are on record as missed where each of them counts."""
    assert owed(passed, catch_up) == due  # type: ignore[arg-type]


def test_a_due_time_is_claimed_once(ledger: Ledger) -> None:
    """Whoever comes second does nothing, and records no missed time twice."""
    due = Due(run=WEEKS[3], missed=tuple(WEEKS[:3]))

    assert [ledger.write(claim_due, "validate", due) for _ in range(3)] == [True, False, False]
    with ledger.database.reading.connect() as connection:
        rows = connection.exec_driver_sql("SELECT status FROM job_run ORDER BY due_at").scalars().all()
    assert rows == ["missed", "missed", "missed", "running"]


def test_nothing_due_claims_nothing(ledger: Ledger) -> None:
    """And leaves no row."""
    assert not ledger.write(claim_due, "validate", Due(run=None))
    assert ledger.read(last_run, "validate") is None


def test_jobs_do_not_share_due_times(ledger: Ledger) -> None:
    """Two jobs at one minute are two runs, which end on their own."""
    for job in ("one", "other"):
        assert ledger.write(claim_due, job, Due(run=START))
    ledger.write(finish, "one", START, status=RunStatus.FAILED, detail="no disk")

    assert ledger.read(last_run, "one")[1::2] == (RunStatus.FAILED, "no disk")
    assert ledger.read(last_run, "other")[1] == RunStatus.RUNNING


def test_a_job_that_has_a_history_is_not_seeded(ledger: Ledger) -> None:
    """After a long pause the history says what was missed."""
    ledger.write(claim_due, "old", Due(run=START))

    assert not ledger.write(seed_schedule, "old", START + timedelta(days=30))
    assert ledger.read(last_run, "old")[0] == START
