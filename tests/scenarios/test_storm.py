"""Fifty alerts at once, five hundred in a minute: one message, handled in three clicks, and every alert on record."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from bot.playground.sources import STORM
from tests.processes import Bot, Slack, Workspace, running_slack, wait_until
from tests.scenarios.conftest import picture

FOUND = "The switch of rack 4 was down"
DONE = "Replaced the switch, checked every host"


# Handled by people


@pytest.mark.browser
def test_a_storm_is_handled_in_three_clicks(workspace: Workspace, page: Page, tmp_path: Path) -> None:
    """Open list, Acknowledge all, Resolve with one note; then the record says of every alert who, when and why."""
    workspace.fire("datadog", "storm")
    digest = page.get_by_text("Alert storm ·").first
    expect(digest).to_be_visible(timeout=20_000)
    wait_until(lambda: _places(workspace) == STORM, what="every alert has its place", seconds=60)
    picture(page, tmp_path, "digest")

    page.get_by_role("button", name="Open the list of storm S-1").click()
    expect(page.get_by_role("dialog").get_by_role("checkbox")).to_have_count(20)
    picture(page, tmp_path, "list")
    page.get_by_role("dialog").get_by_role("button", name="Acknowledge all").click()
    expect(page.get_by_role("dialog").get_by_text("acknowledged, and yours now")).to_be_visible()
    picture(page, tmp_path, "acknowledged")
    page.get_by_role("dialog").get_by_role("button", name="Resolve…").click()
    page.get_by_label("What did you find?").fill(FOUND)
    page.get_by_label("What did you do?").fill(DONE)
    page.get_by_role("combobox", name="Root cause category").click()
    page.get_by_role("option", name="Hardware or cloud").click()
    picture(page, tmp_path, "note")
    page.get_by_role("dialog").get_by_role("button", name="Resolve").click()

    expect(page.get_by_text("resolved with this note")).to_be_visible()
    picture(page, tmp_path, "resolved")
    page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    expect(page.get_by_text("All are resolved.").first).to_be_visible(timeout=40_000)
    picture(page, tmp_path, "over")
    rows = [row for row in workspace.log() if row["state"] == "resolved"]
    assert len(rows) == _counted(workspace)
    assert {(row["resolved_by"], row["found"], row["done"]) for row in rows} == {("U0SAM", FOUND, DONE)}


@pytest.mark.browser
@pytest.mark.nightly
def test_acknowledging_all_asks_first(workspace: Workspace, page: Page, tmp_path: Path) -> None:
    """The question names the number; “Cancel” does nothing, and the answer is for the one who clicked."""
    workspace.fire("alertmanager", "storm")
    acknowledge = page.get_by_role("button", name="Acknowledge all").first
    expect(acknowledge).to_be_visible(timeout=20_000)
    wait_until(lambda: _places(workspace) == STORM, what="every alert has its place", seconds=60)
    acknowledge.click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("that nobody has acknowledged become yours")
    picture(page, tmp_path, "question")
    question.get_by_role("button", name="Cancel").click()
    assert {row["state"] for row in workspace.log()} == {"triggered"}

    acknowledge.click()
    page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    wait_until(lambda: "acknowledged, and yours now" in workspace.whispers(), what="Sam is told")
    assert sum(row["state"] == "acknowledged" for row in workspace.log()) == _counted(workspace)


@pytest.mark.nightly
def test_ticked_alerts_only_and_who_may_not_is_told(workspace: Workspace) -> None:
    """Two of a storm are resolved by ticking them; an outsider and an auditor change nothing."""
    workspace.fire("newrelic", "storm")
    wait_until(lambda: "Alert storm" in _digest(workspace), what="there is a digest", seconds=20)
    _press(workspace, "st_list", "U0OUT")
    wait_until(lambda: "none of the roles that may" in workspace.whispers(), what="the outsider is told")
    _press(workspace, "st_list", "U0AUDIT")
    form = workspace.form("U0AUDIT")
    told = workspace.act("submit", "U0AUDIT", view_id=form["id"], values={})
    assert told["ok"]
    assert "none of the roles" in json.dumps(workspace.form("U0AUDIT"))

    _press(workspace, "st_list", "U0SAM")
    form = workspace.form()
    box = next(block for block in form["blocks"] if block["type"] == "input")
    two = [each["value"] for each in box["element"]["options"][:2]]
    workspace.act("submit", "U0SAM", view_id=form["id"], values={box["block_id"]: {"ticks": two}})
    assert workspace.form()["title"]["text"] == "Resolve 2 alerts"
    assert workspace.send({"found": FOUND, "done": DONE, "cause": "hardware"})["ok"]
    wait_until(lambda: "2 alerts resolved" in json.dumps(workspace.form()), what="the list tells of it")
    resolved = [row["number"] for row in workspace.log() if row["state"] == "resolved"]
    assert sorted(resolved) == sorted(f"A-{number}" for number in two)


# Never lost, never twice


@pytest.mark.parametrize(
    ("alerts", "seconds", "kills"),
    [
        pytest.param(100, 6, 1, id="short", marks=pytest.mark.nightly),
        pytest.param(500, 60, 0, id="five-hundred-in-a-minute", marks=pytest.mark.nightly),
        pytest.param(500, 60, 4, id="killed", marks=pytest.mark.nightly),
    ],
)
def test_a_storm_in_real_time(tmp_path: Path, alerts: int, seconds: int, kills: int) -> None:
    """Under Slack's own limits: at most 20 messages, the first critical one within 5 s, all of it on record."""
    with running_slack(rate_limits=True) as slack:
        bot = Bot(tmp_path, slack, posts_per_second=1, storms=True)
        bot.start()
        try:
            critical = alerts // 2
            accepted, seen = _send(bot, slack, alerts, seconds, kills, critical=critical)
            wait_until(
                lambda: _places(slack) == alerts,
                what="every alert has its place in Slack",
                seconds=60,
                log=tmp_path / "bot.log",
            )
            wait_until(lambda: "in step" in bot.run("status").stdout, what="Slack is in step", seconds=60)
            log = bot.log()
        finally:
            bot.stop()
        parents = slack.parents()
        assert len(parents) <= 20
        assert {key: ts for key, ts in parents.items() if len(ts) > 1} == {}, (
            "no second digest, no second parent"
        )
        assert sum(key.startswith("S-") for key in parents) == 1
        assert len(accepted) == len(log) == alerts
        if not kills:  # a new process does not know when the last one posted
            assert seen < 5
            assert 429 not in [each["status"] for each in slack.transcript()["requests"]]
        assert bot.run("evidence", "verify").returncode == 0


def _send(
    bot: Bot, slack: Slack, alerts: int, seconds: int, kills: int, *, critical: int
) -> tuple[set[int], float]:
    """(the accepted ones; seconds until the first critical one stood in Slack)."""
    accepted: set[int] = set()
    at: dict[str, float] = {}
    began = time.time()

    def sender(numbers: range) -> None:
        for number in numbers:
            time.sleep(max(0.0, began + number * seconds / alerts - time.time()))
            sent_at = time.time()
            while True:
                try:
                    if bot.post(_alert(number, severe=number == critical))[0] == 202:
                        break
                except OSError:
                    time.sleep(0.05)
            if number == critical:
                at["critical"] = sent_at
            accepted.add(number)

    threads = [threading.Thread(target=sender, args=(range(start, alerts, 8),)) for start in range(8)]
    for thread in threads:
        thread.start()
    for kill in range(kills):
        goal = alerts * (kill + 1) / (kills + 1)
        wait_until(lambda goal=goal: len(accepted) >= goal - 8, what="the senders get on", seconds=120)
        bot.kill()
        bot.start()
    for thread in threads:
        thread.join()
    title = f"problem {critical}"
    wait_until(lambda: _posted_at(slack, title), what="the critical alert stands in Slack", seconds=30)
    return accepted, _posted_at(slack, title) - at["critical"]


def _alert(number: int, *, severe: bool) -> dict[str, str]:
    return {
        "status": "triggered",
        "dedup_key": f"problem-{number}",
        "delivery_id": f"delivery-{number}",
        "title": f"problem {number}",
        "component": f"host-{number % 9}",
        "severity": "critical" if severe else "warning",
    }


def _posted_at(slack: Slack, title: str) -> float:
    for message in slack.transcript()["messages"]:
        if _key(message).startswith("A-") and title in message["text"]:
            return float(message["ts"])
    return 0.0


def _counted(slack: Slack) -> int:
    """How many alerts the digest counts."""
    text = next((m["text"] for m in slack.transcript()["messages"] if _key(m).startswith("S-")), "")
    words = text.split()
    return int(words[words.index("alerts") - 1]) if "alerts" in words else 0


def _places(slack: Slack) -> int:
    """How many alerts the digest counts or have a message of their own."""
    return _counted(slack) + sum(key.startswith("A-") for key in slack.parents())


def _key(message: dict[str, Any]) -> str:
    metadata: dict[str, Any] = message.get("metadata") or {}
    payload: dict[str, Any] = metadata.get("event_payload") or {}
    return str(payload.get("key", ""))


def _digest(workspace: Workspace) -> str:
    return next((message["text"] for message in workspace.messages() if _key(message) == "S-1"), "")


def _press(workspace: Workspace, action: str, user: str) -> None:
    message = workspace.parent("S-1")
    block = message["blocks"][-1]
    workspace.act(
        "click", user, channel="C0ALERTS", ts=message["ts"], block_id=block["block_id"], action_id=action
    )
