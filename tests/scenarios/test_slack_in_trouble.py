"""Slack fails in every way it can; everything arrives afterwards, once."""

from pathlib import Path
from typing import Any

import pytest

from tests.processes import Bot, running_slack, wait_until

ALERTS = 12


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "down", "mode": "error"}, id="answers-500", marks=pytest.mark.nightly),
        pytest.param({"kind": "down", "mode": "timeout"}, id="times-out", marks=pytest.mark.nightly),
        pytest.param({"kind": "down", "mode": "close"}, id="hangs-up", marks=pytest.mark.nightly),
        pytest.param({"kind": "lose_answer"}, id="stores-and-loses-the-answer"),
        pytest.param({"kind": "rate_limit", "retry_after": 1}, id="says-429", marks=pytest.mark.nightly),
    ],
)
@pytest.mark.parametrize("seconds", [4, pytest.param(30, marks=pytest.mark.nightly)])
def test_everything_arrives_once_after_the_trouble(
    tmp_path: Path, fault: dict[str, Any], seconds: int
) -> None:
    """Intake goes on all the while; afterwards each alert has one parent, whatever Slack had stored unsaid."""
    with running_slack() as slack:
        bot = Bot(tmp_path, slack)
        bot.start()
        try:
            slack.fault(**fault, seconds=seconds)
            for number in range(ALERTS):
                status, _ = bot.post(_alert(number))
                assert status == 202
            wait_until(
                lambda: len(slack.parents()) == ALERTS and "in step" in bot.run("status").stdout,
                what="Slack has caught up",
                seconds=seconds + 60,
                log=tmp_path / "bot.log",
            )
        finally:
            bot.stop()
        assert {alert: ts for alert, ts in slack.parents().items() if len(ts) != 1} == {}


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        pytest.param(
            {"kind": "archive_channel", "channel": "C0ALERTS"},
            "is_archived",
            id="archived",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            {"kind": "remove_bot", "channel": "C0ALERTS"},
            "not_in_channel",
            id="not-in-channel",
            marks=pytest.mark.nightly,
        ),
        pytest.param({"kind": "revoked_token"}, "token_revoked", id="dead-token", marks=pytest.mark.nightly),
    ],
)
def test_trouble_that_people_must_mend_is_visible_and_takes_no_alert(
    tmp_path: Path, fault: dict[str, Any], says: str
) -> None:
    """Status and readyz say what to mend while intake goes on; mended, the alert arrives and the word is gone."""
    with running_slack() as slack:
        bot = Bot(tmp_path, slack)
        bot.start()
        try:
            slack.fault(**fault, seconds=5)
            assert bot.post(_alert(1))[0] == 202
            wait_until(lambda: says in str(bot.ready()["degraded"]), what="readyz tells of it")
            assert bot.ready()["ready"] is True
            assert says in bot.run("status").stdout
            wait_until(lambda: len(slack.parents()) == 1, what="the alert has arrived", seconds=60)
            wait_until(lambda: bot.ready()["degraded"] == [], what="nothing is left to mend", seconds=60)
        finally:
            bot.stop()


def _alert(number: int) -> dict[str, str]:
    return {
        "status": "triggered",
        "dedup_key": f"p-{number}",
        "title": f"Problem {number}",
        "component": f"host-{number}",
    }
