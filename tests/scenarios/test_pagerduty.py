"""The playground's own PagerDuty: what is done there shows in Slack, what is done in Slack stands there."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.processes import Workspace, wait_until
from tests.scenarios.conftest import picture
from tests.scenarios.test_hand_over import NOTE, shows


def test_people_work_in_slack_and_in_pagerduty_and_an_outage_heals(workspace: Workspace) -> None:
    """Sam answers in Slack, Kim in PagerDuty; what Kim does while PagerDuty is out of reach is found afterwards."""
    for _ in range(2):
        workspace.fire("pagerduty", "trigger")
    shows(workspace, "A-1", "On call <@U0SAM>")
    shows(workspace, "A-2", "On call <@U0SAM>")
    workspace.press("A-1", "Acknowledge")
    wait_until(lambda: workspace.pagerduty()["PINC0001"]["by"] == "Sam Rivera", what="it is Sam's there")
    workspace.in_pagerduty("acknowledge", "PKIM", "PINC0002")
    workspace.in_pagerduty("note", "PKIM", "PINC0002", text="Restarted the pool")
    shows(workspace, "A-2", "Acknowledged by <@U0KIM>")
    wait_until(lambda: "Restarted the pool" in str(workspace.messages()), what="the thread has Kim's note")

    workspace.fault(kind="pagerduty_down", seconds=7200)
    workspace.in_pagerduty("resolve", "PKIM", "PINC0002")
    workspace.press("A-1", "Resolve…")
    assert workspace.send(NOTE)["ok"]
    shows(workspace, "A-1", "PagerDuty does not answer")
    assert "PINC0001" in workspace.pagerduty()
    workspace.fault(kind="pagerduty_down", off=True)
    wait_until(workspace.has_begun_to_tick, what="jobs run")
    workspace.turn_clock_on(10)

    wait_until(lambda: workspace.pagerduty() == {}, what="PagerDuty knows of Sam's resolution", seconds=40)
    shows(workspace, "A-2", "note needed")
    shows(workspace, "A-1", "PagerDuty knows")
    assert "pat@northwind.example" in json.dumps(workspace.messages()), "nobody on call is unknown in silence"


@pytest.mark.browser
@pytest.mark.nightly
def test_an_incident_is_handled_in_the_panel(workspace: Workspace, page: Page, tmp_path: Path) -> None:
    """A visitor acts as Kim there, and begins an outage, which the panel shows."""
    workspace.fire("pagerduty", "trigger")
    page.goto(f"{workspace.url}playground/#/lab/pagerduty")
    panel = page.get_by_role("complementary", name="PagerDuty")
    panel.get_by_label("Act as").select_option("Kim Okafor")
    panel.get_by_role("button", name="PagerDuty: Acknowledge PINC0001").click()
    expect(panel.get_by_text("Acknowledged by Kim Okafor")).to_be_visible()
    panel.get_by_label("Note on PINC0001").fill("Restarted the pool")
    panel.get_by_role("button", name="PagerDuty: Add note to PINC0001").click()
    expect(panel.get_by_text("Kim Okafor Restarted the pool")).to_be_visible()
    picture(page, tmp_path, "panel")
    panel.get_by_role("button", name="Begin an outage").click()
    expect(panel.get_by_text("Out of reach.")).to_be_visible()
    picture(page, tmp_path, "outage")
    panel.get_by_role("button", name="PagerDuty: Resolve PINC0001").click()
    expect(panel.get_by_text("No incident is open.")).to_be_visible()
    shows(workspace, "A-1", "Acknowledged by <@U0KIM>")
