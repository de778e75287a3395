"""kill -9 while thirty-two senders send: what was answered 2xx is kept, once, and stands in Slack once."""

import queue
import random
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.processes import Bot, Slack, running_slack, wait_until

SENDERS = 32


@pytest.mark.parametrize(
    ("alerts", "kills"),
    [pytest.param(120, 2, id="short"), pytest.param(2000, 10, id="long", marks=pytest.mark.nightly)],
)
def test_nothing_accepted_is_lost_and_nothing_is_posted_twice(
    database_url: str, tmp_path: Path, alerts: int, kills: int
) -> None:
    """Senders repeat what was not answered, as the tools do. Afterwards all is there once, and the log verifies."""
    with running_slack() as slack:
        bot = Bot(tmp_path, slack, database_url="" if database_url.startswith("sqlite") else database_url)
        bot.start()
        try:
            accepted = _send_under_fire(bot, alerts, kills)
            wait_until(
                lambda: len(slack.parents()) >= alerts, what="every alert stands in Slack", seconds=120
            )
            _check(slack, accepted, alerts)
        finally:
            bot.stop()
        verified = bot.run("evidence", "verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr


def _send_under_fire(bot: Bot, alerts: int, kills: int) -> dict[int, str]:
    """Problem number → the alert that the answer named; while the bot is killed `kills` times at random points."""
    accepted: dict[int, str] = {}
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(alerts):
        waiting.put(number)

    def sender() -> None:
        with suppress(queue.Empty):
            while True:
                number = waiting.get_nowait()
                accepted[number] = _send_until_accepted(bot, number)

    threads = [threading.Thread(target=sender) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for kill in range(kills):
        goal = alerts * (kill + 1) / (kills + 2)
        wait_until(lambda goal=goal: len(accepted) >= goal, what="the senders get on", seconds=120)
        time.sleep(random.uniform(0, 0.05))
        bot.kill()
        bot.start()
    for thread in threads:
        thread.join()
    return accepted


def _send_until_accepted(bot: Bot, number: int) -> str:
    """The alert that the answer names; nothing when the first answer was lost and the delivery was not."""
    while True:
        try:
            status, told = bot.post(_alert(number))
        except OSError:
            time.sleep(0.05)
            continue
        if status == 202:
            return str(told["alerts"][0]["alert"]) if told.get("alerts") else ""


def _alert(number: int) -> dict[str, str]:
    return {
        "status": "triggered",
        "dedup_key": f"problem-{number}",
        "delivery_id": f"delivery-{number}",
        "title": f"Problem {number}",
        "component": f"host-{number}-{'ab'[number % 2]}",
    }


def _check(slack: Slack, accepted: dict[int, str], alerts: int) -> None:
    assert len(accepted) == alerts
    named = [alert for alert in accepted.values() if alert]
    assert len(set(named)) == len(named), "no two problems share an alert"
    parents = slack.parents()
    assert set(named) <= set(parents)
    assert set(parents) == {f"A-{number}" for number in range(1, alerts + 1)}, "numbers have no holes"
    assert {key: ts for key, ts in parents.items() if len(ts) > 1} == {}, "no second parents"
