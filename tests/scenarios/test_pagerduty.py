"""The playground's own PagerDuty: what is done there shows in Slack, what is done in Slack stands there."""

import json

from tests.processes import Workspace, wait_until
from tests.scenarios.test_hand_over import NOTE, shows


def test_people_work_in_slack_and_in_pagerduty_and_an_outage_heals(workspace: Workspace) -> None:
    """Sam answers in Slack, Kim in PagerDuty; what Kim does while PagerDuty is out of reach is found afterwards."""
    for _ in range(2):
        workspace.fire("pagerduty", "trigger")
    shows(workspace, "A-1", "On call <@U0SAM>")
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
