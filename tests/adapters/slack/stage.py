"""A projector between a database and a Slack, which a test drives step by step."""

import asyncio
from collections.abc import Callable
from typing import Any

from bot.adapters.database.writer import Database
from bot.adapters.slack.projector import Budget, Projector
from bot.adapters.slack.web import SlackWeb, web_client
from bot.adapters.system import SystemRandomness
from bot.domain.alert import Change
from bot.domain.storm import StormRule
from bot.domain.thread import Thread
from bot.procedures.receive_alert import receive_alert
from bot.procedures.show_alert import report_problem
from tests.reports import delivery, report
from tests.slack_server import SlackServer
from tests.world import ROUTES, MovableClock

POST, UPDATE, HISTORY, REPLIES = (
    "chat.postMessage",
    "chat.update",
    "conversations.history",
    "conversations.replies",
)


class Stage:
    """A projector between a database and a Slack, driven step by step under a clock of the test's."""

    def __init__(self, database: Database, slack: SlackServer, clock: MovableClock) -> None:
        self.database, self.slack, self.clock = database, slack, clock
        self.alarms: list[str] = []
        self.storms: StormRule | None = None
        self.client = web_client("xoxb-test", slack.url)
        self.projector = self.new_projector()

    def new_projector(self, budget: Budget = Budget()) -> Projector:  # noqa: B008 - frozen
        return Projector(
            records=self.database,
            web=SlackWeb(self.client),
            clock=self.clock,
            randomness=SystemRandomness(),
            budget=budget,
            titles={"generic": "Generic webhook"},
            fallback="C0ALERTS",
            names=self._names,
            report=self._report,
            storms=self.storms,
        )

    async def _report(self, subject: str, text: str) -> None:
        if await self.database.write(report_problem, subject, text):
            self.alarms.append(subject)

    async def _names(self, users: Any) -> dict[str, str]:
        return {user: user.title() for user in users}

    async def receive(self, key: str = "p", change: Change = Change.TRIGGERED, **facts: Any) -> None:
        routes = facts.pop("routes", ROUTES)
        await self.database.write(receive_alert, delivery(report(key, change, **facts)), routes=routes)

    async def look(self) -> bool:
        """One look of the projector, and all it has started; True when there was something to do."""
        found = await self.projector._cycle()  # noqa: SLF001
        await asyncio.gather(*self.projector._working.values())  # noqa: SLF001
        return found

    async def settle(self, seconds: float = 60, *, tick: float = 1.0) -> None:
        """Let time pass until Slack is in step, at most so many seconds."""
        ending = self.clock.elapsed + seconds
        while self.clock.elapsed < ending and (await self.lag()):
            if not await self.look():
                self.clock.move(tick)

    async def lag(self) -> int:
        return (await self.database.read(lambda records: records.lag()))[0]

    async def thread(self, alert_id: int = 1) -> Thread:
        return await self.database.read(lambda records: records.thread(alert_id))

    async def problems(self) -> list[str]:
        return [subject for subject, _, _ in await self.database.read(lambda records: records.problems())]


def archived(*channels: str) -> Callable[[str, dict[str, Any]], str]:
    return lambda _method, given: "is_archived" if given.get("channel") in channels else ""


def key_of(message: dict[str, Any]) -> str:
    return str(message["metadata"]["event_payload"]["key"])


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - the fake Slack tells nobody
            await asyncio.sleep(0.002)
