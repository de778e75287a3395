"""What Slack tells by itself: the Home was opened, the app was removed."""

import pytest

from bot.app import Socmon
from tests.slack_requests import event, send, until


@pytest.mark.parametrize("kind", ["app_uninstalled", "tokens_revoked"])
async def test_a_removed_app_alarms_the_operators(
    linked: Socmon, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Nobody sees alerts in Slack from now on. The projector, which may notice it as well, alarms no second time."""
    alarms: list[str] = []

    async def alarm(subject: str, _text: str) -> None:
        alarms.append(subject)

    monkeypatch.setattr(linked.operators, "alarm", alarm)
    await send(linked, event(kind))
    await until(lambda: alarms)
    await linked.projector._report("slack:token", "Slack refuses our token.")  # noqa: SLF001

    assert alarms == ["slack:token"]
