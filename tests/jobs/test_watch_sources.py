"""A silent source is told to operators and, with whoever is on call, in the alerts channel: once."""

from dataclasses import dataclass, field
from typing import Any

from bot.adapters.slack.blocks import Message
from bot.adapters.slack.web import RateLimited
from bot.procedures.show_alert import clear_problem, known_problems, report_problem
from jobs.watch_sources import watch_sources
from tests.world import ROUTES, MovableClock, open_database


class Web:
    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.busy = True

    async def say(self, channel: str, message: Message) -> None:
        if self.busy:
            raise RateLimited(1)
        self.said.append((channel, str(message.blocks)))


@dataclass
class Operators:
    records: Any

    async def report(self, subject: str, text: str) -> None:
        await self.records.write(report_problem, subject, text)

    async def mended(self, subject: str) -> None:
        await self.records.write(clear_problem, subject)


@dataclass
class Slack:
    connected: bool = True


@dataclass
class Settings:
    heartbeats: dict[str, int | None] = field(default_factory=lambda: {"datadog": 10})
    slack_routes: Any = ROUTES
    slack: Slack = field(default_factory=Slack)


@dataclass
class Parts:
    records: Any
    operators: Operators
    web: Web = field(default_factory=Web)
    settings: Settings = field(default_factory=Settings)
    titles: dict[str, str] = field(default_factory=lambda: {"datadog": "Datadog"})


async def test_a_silent_source_is_told_once(sqlite_url: str) -> None:
    """When Slack takes nothing now it is said later; when the tool is no longer connected there is no trouble."""
    clock = MovableClock()
    database = open_database(sqlite_url, clock)
    parts = Parts(records=database, operators=Operators(database))
    said = []
    for minute in range(15):
        said.append(await watch_sources(parts))
        parts.web.busy = minute < 12
        clock.move(60)

    assert said[10:12] == ["nobody is silent for longer than is normal", "1 are silent"]
    assert await database.read(known_problems) == ["silent:datadog"]
    ((channel, text),) = parts.web.said
    assert channel == "C0ALERTS"
    assert "<@U1SAM>" in text
    assert "Nothing was heard from Datadog at any time (10 min is normal)." in text

    parts.settings.heartbeats = {}
    await watch_sources(parts)
    assert await database.read(known_problems) == []
    database.close()
