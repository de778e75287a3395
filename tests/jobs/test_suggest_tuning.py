"""The clock finds what flaps and tells the lead, once."""

from dataclasses import dataclass, field
from typing import Any

from bot.domain.alert import Change
from bot.domain.flapping import MOST_FLAPS
from bot.procedures.receive_alert import receive_alert
from jobs.suggest_tuning import suggest_tuning
from tests.reports import delivery, report
from tests.world import ROUTES, MovableClock, open_database


class Directory:
    async def leads(self) -> list[str]:
        return ["U1LEAD"]


@dataclass
class Parts:
    records: Any
    directory: Directory = field(default_factory=Directory)
    woken: int = 0

    def wake(self) -> None:
        self.woken += 1


async def test_the_lead_is_told_of_what_flaps(sqlite_url: str) -> None:
    clock = MovableClock()
    database = open_database(sqlite_url, clock)
    parts = Parts(records=database)
    assert await suggest_tuning(parts) == "nothing flaps"
    changes = [Change.TRIGGERED] + [Change.RECOVERED, Change.TRIGGERED] * (MOST_FLAPS + 1)
    for change in changes:
        clock.move(60)
        await database.write(receive_alert, delivery(report("p", change)), routes=ROUTES)

    said = [await suggest_tuning(parts) for _ in range(2)]

    assert said == ["1 suggested to the lead", "nothing flaps"]
    assert parts.woken == 1
    database.close()
