"""The job ledger: whoever inserts a due time runs it."""

from datetime import datetime, timedelta

import pytest

from bot.domain.schedule import CatchUp, Due, RunStatus, lateness, owed
from bot.procedures.keep_schedule import claim_due, finish, last_run, seed_schedule, standing
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


@pytest.mark.parametrize(
    ("passed", "dead", "catch_up", "due"),
    [
        ([], WEEKS[:1], CatchUp.ALL, Due(run=WEEKS[0])),
        ([], WEEKS[:1], CatchUp.LATEST, Due(run=WEEKS[0])),
        (WEEKS[1:], WEEKS[:1], CatchUp.ALL, Due(run=WEEKS[3], missed=tuple(WEEKS[:3]))),
        (WEEKS[1:], WEEKS[:1], CatchUp.LATEST, Due(run=WEEKS[3], missed=tuple(WEEKS[:1]))),
    ],
    ids=["it alone, all", "it alone, latest", "and others, all", "and others, latest"],
)
def test_a_run_that_died_is_owed(
    passed: list[datetime], dead: list[datetime], catch_up: CatchUp, due: Due
) -> None:
    """As if nobody had claimed it; its row says `missed` in the end where another due time runs in its place."""
    assert owed(passed, catch_up, dead=dead, newest=WEEKS[0]) == due


def test_a_run_that_died_before_one_that_did_not_is_owed_only_where_each_counts() -> None:
    """Where only the newest counts, the newest has run already."""
    dead, newest = WEEKS[:1], WEEKS[1]

    assert owed([], CatchUp.LATEST, dead=dead, newest=newest) == Due(run=None, missed=tuple(dead))
    assert owed([], CatchUp.ALL, dead=dead, newest=newest) == Due(run=WEEKS[0])


def test_a_late_begin_is_told() -> None:
    """By the minute and above: the ticks are seconds apart."""
    assert lateness(START, START + timedelta(seconds=50)) == ""
    assert (
        lateness(START, START + timedelta(days=1, minutes=2, milliseconds=3)) == "; begun 1 day, 0:02:00 late"
    )


def test_a_dead_claim_is_claimed_anew_and_a_live_one_is_not(database_url: str) -> None:
    """The second claim is the only one that counts; whoever ended is never claimed again."""
    ledger = Ledger(database_url)
    due, later = Due(run=START), ledger.clock.now() + timedelta(minutes=1)
    assert ledger.write(claim_due, "validate", due)
    began = ledger.clock.now()

    assert not ledger.write(claim_due, "validate", due, dead_before=began)
    assert ledger.read(standing, "validate", dead_before=began) == (START, [])
    assert ledger.read(standing, "validate", dead_before=later) == (START, [START])
    assert ledger.write(claim_due, "validate", due, dead_before=later)
    ledger.write(finish, "validate", START, status=RunStatus.DONE, detail="at last")
    assert not ledger.write(claim_due, "validate", due, dead_before=later + timedelta(days=1))
    assert ledger.read(standing, "validate", dead_before=later + timedelta(days=1)) == (START, [])
    ledger.database.close()


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
