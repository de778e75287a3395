"""A test alert from the terminal, through a real Alertmanager, a running socmon and Slack; and through a crash."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.alertmanager import SECRET, running_alertmanager
from tests.processes import Bot, running_slack, wait_until
from tests.scenarios.conftest import DESKTOP, picture

pytestmark = pytest.mark.nightly


def _tests(bot: Bot) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(bot.run("test-alert", "list", "--json").stdout)["tests"]
    return found


def test_it_is_followed_to_the_person_and_a_crash_leaves_nothing_behind(
    alertmanager: Path, tmp_path: Path
) -> None:
    """It comes as far as the click that nobody makes; after a kill its rest is ended, and the log verifies."""
    with running_slack() as slack:
        bot = Bot(tmp_path, slack)
        with running_alertmanager(alertmanager, tmp_path, bot.url) as url:
            config = tmp_path / "socmon.toml"
            config.write_text(f'{config.read_text()}\n[providers.alertmanager]\nurl = "{url}"\n')
            bot.environ["SOCMON_WEBHOOK_SECRET_ALERTMANAGER"] = SECRET
            bot.start()
            try:
                done = bot.run("test-alert", "alertmanager", "--component", "db-1")
                assert done.returncode == 0, done.stdout + done.stderr
                for hop in ("sent", "received", "shown", "told"):
                    assert f"✓ {hop}" in done.stdout
                texts = [message["text"] for message in slack.transcript()["messages"]]
                assert len([text for text in texts if text.startswith("TEST T-1")]) == 2
                bot.kill()
                _put_back(tmp_path / "data" / "socmon.db", hours=5)
                bot.start()
                wait_until(
                    lambda: _tests(bot)[0]["cleaned_up"], what="it is cleaned up", log=tmp_path / "bot.log"
                )
            finally:
                bot.stop()
        [test] = _tests(bot)
        assert (test["verdict"], test["broken"]) == ("timed out", "seen")
        assert bot.log() == []
        assert bot.run("evidence", "verify").returncode == 0


@pytest.mark.browser
@pytest.mark.parametrize("page", [pytest.param(DESKTOP, id="desktop")], indirect=True)
def test_in_the_browser_from_the_command_to_the_verdict(page: Page, tmp_path: Path) -> None:
    """Command, form, the message in the channel, the click in the direct message, and the verdict in place."""
    channel = page.url
    composer = page.get_by_role("textbox").first
    composer.fill("/socmon test")
    composer.press("Enter")
    page.get_by_role("button", name="Choose a path and send a test alert").click()
    picture(page, tmp_path, "form")
    page.get_by_role("button", name="Send test").click()
    expect(page.get_by_text("to press “I received this”")).to_be_visible(timeout=40_000)
    picture(page, tmp_path, "progress")
    page.goto(f"{page.url.partition('#')[0]}#/home")
    page.get_by_role("link", name="Messages", exact=True).click()
    picture(page, tmp_path, "direct")
    page.get_by_role("button", name="I received test T-1").click()
    expect(page.get_by_text("you received T-1").first).to_be_visible()
    page.goto(channel)
    expect(page.get_by_text("delivered in").first).to_be_visible(timeout=40_000)
    picture(page, tmp_path, "delivered")


def _put_back(database: Path, *, hours: int) -> None:
    """As if it had been sent so long ago."""
    with sqlite3.connect(database) as connection:
        [[body]] = connection.execute("SELECT body FROM test_alert").fetchall()
        told = json.loads(body)
        earlier = hours * 3600 * 1_000_000
        told["passed"] = {hop: at - earlier for hop, at in told["passed"].items()}
        told |= {"asked_at": told["asked_at"] - earlier, "trying_at": told["trying_at"] - earlier}
        told["busy_until"] = None
        connection.execute("UPDATE test_alert SET body = ?", [json.dumps(told)])
