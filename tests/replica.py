"""One socmon of several, reduced to its clockwork and records, whose time a test moves; also as a process of its own.

As a process it reads one order a line from its input and answers with one line: `{"do": "tick", "at": …}`.
"""

import asyncio
import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from bot.adapters.artifacts.directory import Directory
from bot.adapters.database.engine import reading_engine, writing_engine
from bot.adapters.database.writer import Database
from bot.adapters.system import SystemRandomness
from bot.domain.attestation import Separation
from bot.domain.errors import SocmonError
from bot.domain.person import Person, Role
from bot.domain.slot import Rhythm
from bot.procedures import validate_monitoring as procedure
from jobs.schedule import Ticker, all_jobs
from tests.world import MovableClock

ZONE = ZoneInfo("Europe/Berlin")
PEOPLE = {
    "U1LEAD": Person(team="T1", user="U1LEAD", roles=frozenset({Role.LEAD})),
    "U1BACKUP": Person(team="T1", user="U1BACKUP", roles=frozenset({Role.BACKUP_LEAD})),
    "U1KIM": Person(team="T1", user="U1KIM", roles=frozenset({Role.RESPONDER})),
}


class Replica:
    """Its database is there and migrated."""

    def __init__(self, url: str, artifacts: Path, *, alone: bool) -> None:
        self.clock = MovableClock()
        self.records = Database(
            writing_engine(url),
            reading_engine(url),
            clock=self.clock,
            randomness=SystemRandomness(),
            node="test",
            code="socmon test",
        )
        self.artifacts = Directory(artifacts)
        parts = SimpleNamespace(
            records=self.records,
            artifacts=self.artifacts,
            settings=SimpleNamespace(slack=SimpleNamespace(connected=False)),
        )
        table = all_jobs(ZONE, Rhythm(zone=str(ZONE)))
        jobs = [each for each in table if each.name in {"validate-monitoring", "tell-of-validations"}]
        self.ticker = Ticker(jobs, records=self.records, clock=self.clock, parts=parts, alone=alone)

    def at(self, at: datetime) -> None:
        self.clock.move((at - self.clock.at).total_seconds())

    async def tick(self) -> list[list[str]]:
        """Returns when what was started has ended: the reminders that were to be sent, which counts as sent."""
        await self.ticker.tick()
        while self.ticker._running:  # noqa: SLF001
            await asyncio.gather(*self.ticker._running)  # noqa: SLF001
        owed = await self.records.write(procedure.take_reminders)
        for each in owed:
            await self.records.write(procedure.reminder_sent, each)
        return [[each.week, each.kind.value, str(each.to)] for each in owed]

    async def attest(self, week: str, user: str) -> str:
        """As somebody who has just read it, and accepts whatever was found; the digest, or what was refused."""
        by = PEOPLE[user]
        try:
            shown = await self.records.read(procedure.shown, week, by=by)
            until = self.clock.now() + timedelta(days=40)
            decisions = {
                each.id: procedure.Accept(until=until, reason="known, and mended soon")
                for each in shown.undecided
            }
            done = await self.records.write(
                procedure.attest,
                week,
                digest=shown.record.digest,
                decisions=decisions,
                by=by,
                separation=Separation.WARN,
            )
        except SocmonError as refused:
            return type(refused).__name__
        return done.digest


async def obey(replica: Replica, order: dict[str, Any]) -> Any:
    replica.at(datetime.fromisoformat(order["at"]))
    if order["do"] == "tick":
        return await replica.tick()
    return await replica.attest(order["week"], order["user"])


async def serve(url: str, artifacts: str) -> None:
    replica = Replica(url, Path(artifacts), alone=False)
    while line := await asyncio.to_thread(sys.stdin.readline):
        sys.stdout.write(json.dumps(await obey(replica, json.loads(line))) + "\n")
        sys.stdout.flush()
    replica.records.close()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
