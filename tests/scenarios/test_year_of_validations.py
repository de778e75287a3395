"""A year of weekly validations, its clock moved by hand and its faults planted: every week has the right verdict."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from bot.adapters.artifacts.directory import Directory
from bot.domain.slot import Rhythm, following, monday, week_of
from bot.domain.validation import Ended, Stands
from bot.procedures import validate_monitoring as procedure
from tests.procedures.test_assess_coverage import leaves
from tests.replica import PEOPLE, ZONE, Replica, obey
from tests.world import Ledger

DAY = timedelta(days=1)
BEGINS = datetime(2026, 1, 5, tzinfo=ZONE).astimezone(UTC)
FIRST = week_of(BEGINS.astimezone(ZONE).date())
DOWN, LATE, MISSED = {"2026-W10"}, {"2026-W27", "2026-W28"}, {"2026-W33"}
ON_LEAVE = {"2026-W20", "2026-W21", "2026-W22"}
ORDER = Callable[[dict[str, Any]], Awaitable[list[Any]]]
"""Gives the same order to every replica that is up, at once; what each of them answers."""


def weeks_from(week: str, count: int) -> list[str]:
    found = [week]
    while len(found) < count:
        found.append(following(found[-1]))
    return found


def wall(week: str, day: int, at: str) -> str:
    """A moment in the week after this one, by the clock on the wall."""
    on = monday(week) + timedelta(days=7 + day)
    return datetime.combine(on, time.fromisoformat(at), ZONE).astimezone(UTC).isoformat()


async def live(order: ORDER, weeks: Sequence[str]) -> list[list[str]]:
    """What the clock does and people answer, week by week. Returns whom socmon reminded of what."""
    told: list[list[str]] = []

    async def tick(week: str, day: int, at: str) -> None:
        told.extend(
            each for answer in await order({"do": "tick", "at": wall(week, day, at)}) for each in answer
        )

    for week in weeks:
        if week not in DOWN:
            await tick(week, 0, "09:00")
        await tick(week, 1, "10:00")  # where it was down, its first breath
        for late in LATE & {each for each in weeks if following(each) == week}:
            await answer(order, late, wall(week, 1, "10:30"), ["U1LEAD", "U1BACKUP"])
        if week not in LATE | MISSED:
            people = ["U1KIM", "U1KIM"] if week in ON_LEAVE else ["U1LEAD", "U1BACKUP"]
            await answer(order, week, wall(week, 1, "11:00"), people)
        await tick(week, 4, "09:00")
        await tick(week, 5, "12:00")
    return told


async def answer(order: ORDER, week: str, at: str, people: list[str]) -> None:
    """Everybody presses at once, wherever they are: one attests, the others are told who was first."""
    outcomes = []
    for user in dict.fromkeys(people):
        outcomes += await order({"do": "attest", "at": at, "week": week, "user": user})
    assert len([each for each in outcomes if each.startswith("sha256:")]) == 1, outcomes
    assert {each for each in outcomes if not each.startswith("sha256:")} <= {"Answered"}


def prepared(url: str) -> Ledger:
    """Socmon begins on that Monday; the lead names a delegate for the time when they are away."""
    ledger = Ledger(url)
    ledger.clock.at = BEGINS - timedelta(seconds=1)
    ledger.write(procedure.take_rhythm, Rhythm(zone=str(ZONE)))
    return ledger


def name_delegate(ledger: Ledger, week: str) -> None:
    ledger.clock.at = datetime.fromisoformat(wall(week, 0, "08:00"))
    ledger.write(procedure.delegate, PEOPLE["U1KIM"], until=ledger.clock.at + 21 * DAY, by=PEOPLE["U1LEAD"])


def check(ledger: Ledger, artifacts: Path, weeks: Sequence[str], told: list[list[str]]) -> None:
    """The verdicts, the digests, the log and the reminders."""
    ledger.clock.at = datetime.fromisoformat(wall(weeks[-1], 6, "23:30"))
    end = datetime.combine(monday(following(weeks[-1])), time(), ZONE)
    listed = ledger.read(procedure.list_validations, BEGINS, end)
    assert [each.slot.week for each in listed] == list(weeks)
    for before, after in pairwise(listed):
        assert before.slot.end == after.slot.start
    for each in listed:
        week, wall_clock = each.slot.week, each.slot.opens_at.astimezone(ZONE)
        assert (wall_clock.weekday(), wall_clock.time()) == (0, time(9)), week
        assert each.stands is (Stands.MISSED if week in MISSED else Stands.WITH_EXCEPTIONS), each
        assert each.is_late == (week in LATE), week
        assert each.record is not None
        assert each.record.was_opened_late == (week in DOWN), week
        if each.attestation is None:
            assert each.record.ended is Ended.NOBODY
            continue
        done = each.attestation
        assert (done.role, done.delegated_by) == (
            ("delegate", "U1LEAD") if week in ON_LEAVE else (done.role, "")
        )
        facts = ledger.read(lambda records, done=done: records.facts(done.week, done.revision))
        stored = Directory(artifacts).read(done.digest)
        assert facts.document == stored
        assert f"sha256:{sha256(stored).hexdigest()}" == done.digest == facts.digest
    log = Counter(
        (each["type"], each["subject"]["week"])
        for each in leaves(ledger, "validation.opened", "validation.attested", "validation.missed")
    )
    assert set(log.values()) == {1}, "none is on record twice"
    assert {week for kind, week in log if kind == "validation.missed"} == MISSED & set(weeks)
    assert {week for kind, week in log if kind == "validation.opened"} == set(weeks)
    signed = {
        each["subject"]["week"]: each["facts"]["digest"] for each in leaves(ledger, "validation.attested")
    }
    assert signed == {each.slot.week: each.attestation.digest for each in listed if each.attestation}
    reminded = Counter(map(tuple, told))
    assert set(reminded.values()) == {1}, "nobody is told the same twice"
    to_lead = {week for week, kind, to in reminded if kind == "late" and to == "engineering_lead"}
    assert to_lead == (LATE | MISSED) & set(weeks)
    assert {week for week, kind, to in reminded if (kind, to) == ("escalated", "backup_lead")} == to_lead


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder where syncing costs nothing, if there is one."""
    folder = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
    with TemporaryDirectory(prefix="socmon-test-", dir=folder) as made:
        yield Path(made)


async def test_a_year_has_52_verdicts(memory: Path) -> None:
    """Down over an opening, the lead on leave, the clocks moved twice, two weeks late, one missed; each week once."""
    weeks = weeks_from(FIRST, 52)
    url, artifacts = f"sqlite:///{memory / 'socmon.db'}", memory / "artifacts"
    ledger = prepared(url)
    replica = Replica(url, artifacts, alone=True)

    async def order(given: dict[str, Any]) -> list[Any]:
        return [await obey(replica, given)]

    before = weeks.index(min(ON_LEAVE))
    replica.at(BEGINS)
    await replica.tick()
    told = await live(order, weeks[:before])
    name_delegate(ledger, weeks[before])
    told += await live(order, weeks[before:])
    check(ledger, artifacts, weeks, told)
    missed = "2026-W33"
    ledger.write(procedure.explain, missed, reason="The office was flooded that week", by=PEOPLE["U1LEAD"])
    listed = {one.slot.week: one for one in ledger.read(procedure.list_validations, BEGINS, ledger.clock.at)}
    assert listed[missed].says == "missed: nobody attested; The office was flooded that week"
    replica.records.close()
    ledger.database.close()


@contextmanager
def three_processes(url: str, artifacts: Path) -> Iterator[ORDER]:
    """On one PostgreSQL; each has a clock of its own, which its orders move."""
    words = [sys.executable, "-m", "tests.replica", url, str(artifacts)]
    replicas = [
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]

    def obeyed(replica: subprocess.Popen[str], given: dict[str, Any]) -> Any:
        assert replica.stdin is not None
        assert replica.stdout is not None
        replica.stdin.write(json.dumps(given) + "\n")
        replica.stdin.flush()
        return json.loads(replica.stdout.readline())

    async def order(given: dict[str, Any]) -> list[Any]:
        asked = (asyncio.to_thread(obeyed, replica, given) for replica in replicas)
        return list(await asyncio.gather(*asked))

    try:
        yield order
    finally:
        for replica in replicas:
            replica.communicate(timeout=20)


async def live_in_three_processes(url: str, artifacts: Path, weeks: Sequence[str]) -> None:
    ledger = prepared(url)
    before = weeks.index(min(ON_LEAVE))
    with three_processes(url, artifacts) as order:
        await order({"do": "tick", "at": BEGINS.isoformat()})
        told = await live(order, weeks[:before])
        name_delegate(ledger, weeks[before])
        told += await live(order, weeks[before:])
    check(ledger, artifacts, weeks, told)
    ledger.database.close()


@pytest.mark.postgres
@pytest.mark.nightly
async def test_a_year_on_three_replicas_has_52_verdicts(postgres_url: str, tmp_path: Path) -> None:
    """All of them tick at once, and people press in all of them at once: nothing opens, ends or is answered twice."""
    await live_in_three_processes(postgres_url, tmp_path / "artifacts", weeks_from(FIRST, 52))
