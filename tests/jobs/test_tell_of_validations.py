"""Who is told of a validation, where; and that nobody is there to be told."""

from types import SimpleNamespace
from typing import Any

import pytest

from bot.adapters.artifacts.directory import Directory
from bot.adapters.slack.validation_cards import ValidationCards
from bot.adapters.slack.web import SlackSaysNo
from bot.domain.person import Role
from bot.domain.slot import Rhythm
from bot.procedures.validate_monitoring import take_rhythm
from jobs.tell_of_validations import tell_of_validations
from tests.jobs.test_collect_coverage import Parts
from tests.world import Ledger

HELD = {Role.LEAD: ["U1LEAD"], Role.BACKUP_LEAD: []}


@pytest.fixture
def parts(sqlite_url: str, tmp_path: Any) -> Parts:
    """A Monday at noon; Slack takes messages."""
    ledger = Ledger(sqlite_url)
    ledger.write(take_rhythm, Rhythm())
    ledger.clock.move((6 * 24 + 9) * 3600)
    made = Parts(ledger)
    made.artifacts = Directory(tmp_path / "artifacts")

    async def holders_of(role: Role) -> list[str]:
        return HELD[role]

    async def direct_channel(user: str) -> str:
        return f"D-{user}"

    async def post(channel: str, message: Any, **_: Any) -> str:
        await made.web.say(channel, message)
        return "1.1"

    async def find(*_: Any, **__: Any) -> None:
        """Slack has none."""

    made.web.post, made.web.find = post, find
    made.cards = ValidationCards(records=made.records, web=made.web)
    made.directory = SimpleNamespace(holders_of=holders_of)
    made.web.direct_channel = direct_channel
    return made


def told(parts: Parts) -> list[tuple[str, str]]:
    found = [(place, getattr(what, "text", what)) for place, what in parts.said]
    parts.said.clear()
    return found


async def test_the_lead_and_the_channel_hear_of_it(parts: Parts) -> None:
    """Once; what Slack refused is owed still."""
    parts.web.refuses = SlackSaysNo("not_in_channel")
    assert (
        await tell_of_validations(parts)
        == "2026-W48 opened, 0 weeks missed; 0 of 2 told, 0 messages brought up to date"
    )
    parts.web.refuses = None
    told(parts)
    assert (
        await tell_of_validations(parts)
        == "nothing opened, 0 weeks missed; 0 of 0 told, 0 messages brought up to date"
    )
    parts.clock.move(601)
    assert (
        await tell_of_validations(parts)
        == "nothing opened, 0 weeks missed; 2 of 2 told, 0 messages brought up to date"
    )

    said = told(parts)

    assert [place for place, what in said if "is open" in what] == ["C0SOC2", "D-U1LEAD"]
    parts.clock.move(601)
    await tell_of_validations(parts)
    assert [place for place, what in told(parts) if "is open" in what] == []


async def test_operators_hear_that_a_role_is_nobodys(parts: Parts) -> None:
    parts.clock.move(7 * 24 * 3600)
    await tell_of_validations(parts)

    assert "Slack knows nobody who is. Name somebody under [roles] as backup_lead." in str(told(parts))
