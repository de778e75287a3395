"""Hostile words in the browser."""

import pytest
from playwright.sync_api import Browser, expect

from tests.processes import HOSTILE, Workspace, wait_until


@pytest.mark.browser
def test_hostile_words_do_nothing_in_the_page(workspace: Workspace, browser: Browser) -> None:
    """No script runs, no dialog opens, no image is fetched: the words stand there as words."""
    for number, words in enumerate(HOSTILE):
        workspace.say(
            {"status": "triggered", "dedup_key": f"h{number}", "title": words, "component": "prod-db-1"}
        )
    wait_until(lambda: len(workspace.parents()) == len(HOSTILE), what="all of it stands in the channel")
    page = browser.new_page()
    heard: list[str] = []
    page.on("dialog", lambda dialog: heard.append(dialog.message))
    page.on("console", lambda said: heard.append(said.text) if said.type == "error" else None)
    page.goto(workspace.url)

    expect(page.get_by_text("<script>alert(1)</script>").first).to_be_visible()
    assert page.locator("a[href*='evil.example']").count() == 0
    assert heard == []
    page.close()
