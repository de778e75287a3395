"""Three in the morning: an alert fires, somebody takes it, mends it, and says what was wrong."""

import pytest
from playwright.sync_api import Page, expect

from tests.processes import Workspace, wait_until
from tests.scenarios.conftest import on_a_phone_too

pytestmark = pytest.mark.browser

FOUND = "A worker leaked memory after release 1.42"
DONE = "Rolled back to 1.41 and restarted the workers"


@on_a_phone_too
def test_from_a_fired_alert_to_a_resolved_record_in_five_clicks(workspace: Workspace, page: Page) -> None:
    """Acknowledge, Resolve, open the causes, choose one, send: nothing else is pressed."""
    workspace.fire("datadog", "trigger")

    page.get_by_role("button", name="Acknowledge A-1").click()
    expect(page.get_by_text("Acknowledged by").first).to_be_visible()
    page.get_by_role("button", name="Resolve A-1").first.click()
    page.get_by_label("What did you find?").fill(FOUND)
    page.get_by_label("What did you do?").fill(DONE)
    page.get_by_role("combobox", name="Root cause category").click()
    page.get_by_role("option", name="Deploy or change").click()
    page.get_by_role("dialog").get_by_role("button", name="Resolve").click()

    expect(page.get_by_text("Resolved in").first).to_be_visible()
    _is_on_record(workspace)


def test_the_same_by_keyboard(workspace: Workspace, page: Page) -> None:
    """No mouse: a screen reader user, or somebody half asleep, gets there as well."""
    workspace.fire("datadog", "trigger")
    acknowledge = page.get_by_role("button", name="Acknowledge A-1")
    acknowledge.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Acknowledged by").first).to_be_visible()
    page.get_by_role("button", name="Resolve A-1").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("What did you find?")).to_be_focused()
    page.keyboard.type(FOUND)
    page.keyboard.press("Tab")
    page.keyboard.type(DONE)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("Resolved in").first).to_be_visible()
    _is_on_record(workspace)


@pytest.mark.nightly
def test_a_thin_note_is_refused_at_its_field(workspace: Workspace, page: Page) -> None:
    """“fixed fixed.” is no evidence; the form says so where it stands and keeps what was written."""
    workspace.fire("datadog", "trigger")
    page.get_by_role("button", name="Resolve A-1").click()
    page.get_by_label("What did you find?").fill(FOUND)
    page.get_by_label("What did you do?").fill("fixed. fixed.")
    page.get_by_role("combobox", name="Root cause category").click()
    page.get_by_role("option", name="Unknown").click()
    page.get_by_role("dialog").get_by_role("button", name="Resolve").click()

    expect(page.get_by_text("Say it so that somebody who was not there")).to_be_visible()
    expect(page.get_by_label("What did you find?")).to_have_value(FOUND)


def _is_on_record(workspace: Workspace) -> None:
    wait_until(lambda: workspace.log()[0]["state"] == "resolved", what="the log says resolved")
    row = workspace.log()[0]
    assert (row["resolved_by"], row["found"], row["done"]) == ("U0SAM", FOUND, DONE)
    assert row["acknowledged_by"] == "U0SAM"
