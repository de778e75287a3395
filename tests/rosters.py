"""Rosters for tests: one that is well, each test spoiling what it is about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.oncall import ContactMethod, InSlack, Kind, Level, Responder, Roster, Shift, Team

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PHONE = ContactMethod(kind=Kind.PHONE, end="…4711", rings_after=0)
PUSH = ContactMethod(kind=Kind.PUSH, end="ios", rings_after=2)
EMAIL = ContactMethod(kind=Kind.EMAIL, end="s…@example.com", rings_after=0)


def person(id: str = "PSAM", **facts: Any) -> Responder:  # noqa: A002 - the source's word
    known = {
        "id": id,
        "name": id.removeprefix("P").title(),
        "email": f"{id[1:].lower()}@example.com",
        "slack": f"U1{id[1:]}",
        "in_slack": InSlack.ACTIVE,
        "methods": (PHONE, PUSH, EMAIL),
    }
    return Responder(**(known | facts))


def shift(responder: str, level: int = 1, start: float | None = None, end: float | None = None) -> Shift:
    """`start` and `end` in days from NOW."""
    times = [None if days is None else NOW + timedelta(days=days) for days in (start, end)]
    return Shift(responder=responder, level=level, start=times[0], end=times[1])


def team(*shifts: Shift, name: str = "platform", **facts: Any) -> Team:
    known = {
        "source": "pagerduty",
        "policy": "PT20YPA",
        "levels": (
            Level(number=1, delay_minutes=5, targets=("Daily rotation",)),
            Level(number=2, delay_minutes=15, targets=("Leads",)),
        ),
        "shifts": shifts or (shift("PSAM"), shift("PKIM", 2)),
    }
    return Team(name=name, **(known | facts))


def roster(*teams: Team, people: tuple[Responder, ...] = ()) -> Roster:
    return Roster(teams=teams or (team(),), responders=people or (person(), person("PKIM")))
