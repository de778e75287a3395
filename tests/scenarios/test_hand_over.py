"""A night with two engineers: handed on, called for help, taken over, snoozed, closed where it was over by itself."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.processes import Workspace, wait_until
from tests.scenarios.conftest import picture

NOTE = {"found": "The pool was exhausted by a deploy", "done": "Rolled the deploy back", "cause": "deploy"}


def test_an_alert_goes_from_hand_to_hand(workspace: Workspace) -> None:
    """Sam hands it to Kim, Kim calls the lead, the lead takes it over; each is told, and the record names them all."""
    workspace.fire("datadog", "trigger")
    shows(workspace, "A-1", "Firing")
    workspace.press("A-1", "Reassign…")
    assert workspace.send({"to": "U0KIM", "reason": "You know the pool"})["ok"]
    shows(workspace, "A-1", "Owner <@U0KIM>")
    wait_until(lambda: "<@U0KIM> :handshake: handed to" in _said(workspace), what="the thread calls Kim")
    wait_until(lambda: "A-1" in _direct(workspace, "U0KIM"), what="Kim has a direct message", seconds=60)

    _press(workspace, "U0KIM", _direct_messages(workspace, "U0KIM")[-1], "Acknowledge")
    shows(workspace, "A-1", "Acknowledged by <@U0KIM>")
    workspace.press("A-1", "Escalate now…", user="U0KIM")
    assert "This calls" in json.dumps(workspace.form("U0KIM"))
    assert workspace.send({"reason": "I cannot reach the database"}, user="U0KIM")["ok"]
    wait_until(lambda: ":rotating_light: escalated to" in _said(workspace), what="the thread calls for help")

    workspace.press("A-1", "Release", user="U0SAM")
    wait_until(lambda: "take it over" in workspace.whispers(), what="Sam is offered to take it over")
    _press(workspace, "U0SAM", workspace.transcript()["ephemerals"][-1], "Take over")
    shows(workspace, "A-1", "Acknowledged by <@U0SAM>")
    workspace.press("A-1", "Resolve…")
    assert workspace.send(NOTE)["ok"]
    shows(workspace, "A-1", "Resolved in")

    [row] = workspace.log()
    assert (row["acknowledged_by"], row["owner"], row["resolved_by"]) == ("U0KIM", "U0SAM", "U0SAM")
    workspace.press("A-1", "Timeline & evidence")
    told = json.dumps(workspace.form())
    for word in (
        "handed to",
        "escalated to",
        "taken over",
        "You know the pool",
        "I cannot reach the database",
    ):
        assert word in told


@pytest.mark.nightly
def test_a_snooze_of_ones_own_choice(workspace: Workspace) -> None:
    """It goes on while the source flaps."""
    about = {"dedup_key": "cpu", "title": "CPU high", "severity": "SEV2"}
    workspace.say({"status": "triggered", **about})
    shows(workspace, "A-1", "Firing")
    workspace.press("A-1", "Snooze…")
    assert workspace.send({"snooze": "240"})["ok"]
    shows(workspace, "A-1", "Snoozed until")
    workspace.say({"status": "recovered", **about})
    shows(workspace, "A-1", "note needed")
    workspace.say({"status": "triggered", **about})
    shows(workspace, "A-1", "Snoozed until")


def test_what_was_over_by_itself_is_closed_with_one_click(workspace: Workspace) -> None:
    """A mild one; a grave one offers no such thing."""
    for key, severity in (("mild", "SEV3"), ("grave", "SEV1")):
        about = {"dedup_key": key, "title": f"{key} latency", "severity": severity}
        workspace.say({"status": "triggered", **about})
        workspace.say({"status": "recovered", **about})
    shows(workspace, "A-1", "note needed")
    shows(workspace, "A-2", "note needed")
    assert "Recovered by itself" not in json.dumps(workspace.parent("A-2")["blocks"])

    workspace.press("A-1", "Recovered by itself, no action", user="U0KIM")
    shows(workspace, "A-1", "Recovered by itself: No action was needed")
    row = next(row for row in workspace.log() if row["number"] == "A-1")
    assert (row["state"], row["resolved_by"], row["cause"]) == ("resolved", "U0KIM", "no_action")


def shows(workspace: Workspace, alert: str, words: str) -> None:
    wait_until(
        lambda: alert in workspace.parents() and words in json.dumps(workspace.parent(alert)["blocks"]),
        what=f"{alert} shows “{words}”",
    )


def _said(workspace: Workspace) -> str:
    return "\n".join(message["text"] for message in workspace.messages())


def _direct_messages(workspace: Workspace, user: str) -> list[dict[str, Any]]:
    return [message for message in workspace.messages() if message["channel"] == f"D{user[1:]}"]


def _direct(workspace: Workspace, user: str) -> str:
    return "\n".join(message["text"] for message in _direct_messages(workspace, user))


def _press(workspace: Workspace, user: str, message: dict[str, Any], label: str) -> None:
    """A button of a direct message, or of what only this person sees."""
    [(block, button)] = [
        (block["block_id"], element)
        for block in message["blocks"]
        for element in block.get("elements", [])
        if element["type"] == "button" and element["text"]["text"] == label
    ]
    place = {"channel": message["channel"], "ts": message["ts"], "block_id": block}
    done = workspace.act("click", user, **place, action_id=button["action_id"], value=None)
    assert done["ok"], done


@pytest.mark.browser
@pytest.mark.nightly
def test_who_is_on_call_changes_and_the_next_alert_calls_them(
    workspace: Workspace, page: Page, tmp_path: Path
) -> None:
    """Sam is called until the hand-over, Kim afterwards; `/socmon oncall` says so to whoever asks."""
    workspace.fire("datadog", "trigger")
    message = page.get_by_role("listitem")
    expect(message.filter(has_text="On call @Sam Rivera").first).to_be_visible()
    picture(page, tmp_path, "sam")
    workspace.turn_clock_on(8 * 24 * 60)

    workspace.fire("datadog", "trigger")
    expect(message.filter(has_text="On call @Kim Okafor").first).to_be_visible(timeout=20_000)
    page.get_by_role("textbox", name="Message #alerts").fill("/socmon oncall")
    page.keyboard.press("Enter")
    expect(message.filter(has_text="1. @Kim Okafor until").first).to_be_visible()
    expect(page.get_by_text("Pat Example is not known in Slack")).to_be_visible()
    picture(page, tmp_path, "on-call")
