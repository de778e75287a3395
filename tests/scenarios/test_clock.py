"""The playground's clock can be turned on: what waits for a time comes."""

import pytest
from playwright.sync_api import Page, expect

from tests.processes import Workspace, wait_until


@pytest.mark.nightly
def test_a_snooze_ends_when_the_clock_has_been_turned_on(workspace: Workspace) -> None:
    """Nobody waits half an hour to see what a snooze does; and time goes forward only."""
    workspace.fire("datadog", "trigger")
    wait_until(workspace.parents, what="the alert stands in Slack")
    workspace.press("A-1", "Acknowledge")
    wait_until(lambda: "Acknowledged by" in str(workspace.parent("A-1")), what="it is acknowledged")
    workspace.press("A-1", "Snooze 30 min")
    wait_until(lambda: "Snoozed until" in str(workspace.parent("A-1")), what="it is snoozed")

    with pytest.raises(AssertionError):
        workspace.turn_clock_on(-5)
    workspace.turn_clock_on(31)

    wait_until(lambda: "Acknowledged by" in str(workspace.parent("A-1")), what="the snooze is over")


@pytest.mark.browser
@pytest.mark.nightly
def test_a_visitor_turns_the_clock_on(workspace: Workspace, page: Page) -> None:
    """The panel shows the time that the workspace has, and messages are as old as they say."""
    workspace.fire("datadog", "trigger")
    page.get_by_role("button", name="Acknowledge A-1").click()
    page.mouse.move(0, 0)
    expect(page.get_by_text("Last reply just now")).to_be_visible()
    page.keyboard.press("t")
    if page.get_by_role("button", name="Turn the clock on: 2 hours").count() == 0:  # on a phone
        page.get_by_role("link", name="Lab").click()
        page.get_by_role("button", name="Clock").click()
    before = page.locator(".clock-face").inner_text()
    page.get_by_role("button", name="Turn the clock on: 2 hours").click()

    expect(page.locator(".clock-face")).not_to_have_text(before)
    page.goto(workspace.url)
    expect(page.get_by_text("Last reply 2 h ago")).to_be_visible()
