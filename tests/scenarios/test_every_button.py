"""Every button, menu entry, form, shortcut and command, as people use them; and what they are told if they may not."""

import json

import pytest

from tests.processes import Workspace, wait_until

NOTE = {"found": "A worker leaked memory after 1.42", "done": "Rolled back to 1.41", "cause": "deploy"}


def test_one_alerts_whole_life(workspace: Workspace) -> None:
    """Acknowledge, snooze, wake, note, release, resolve, amend, reopen: each is shown, and stands in the timeline."""
    workspace.fire("datadog", "trigger")
    _shows(workspace, "A-1", "Firing")
    workspace.press("A-1", "Acknowledge")
    _shows(workspace, "A-1", "Acknowledged by")
    workspace.press("A-1", "Snooze 30 min")
    _shows(workspace, "A-1", "Snoozed until")
    workspace.press("A-1", "Wake now")
    _shows(workspace, "A-1", "Acknowledged by")
    workspace.press("A-1", "Add note…")
    assert workspace.send({"text": "The heap grows by 2 GB an hour"})["ok"]
    workspace.press("A-1", "Release")
    _shows(workspace, "A-1", "Firing")
    workspace.fire("datadog", "recover")
    _shows(workspace, "A-1", "note needed")
    workspace.press("A-1", "Add resolution note…", user="U0KIM")
    assert workspace.send(NOTE, user="U0KIM")["ok"]
    _shows(workspace, "A-1", "Resolved in")
    workspace.press("A-1", "Edit note…")
    assert workspace.send({**NOTE, "done": "Rolled back, and fixed the leak in 1.43"})["ok"]
    workspace.press("A-1", "Reopen…")
    assert workspace.send({"reason": "It came back after an hour"})["ok"]
    _shows(workspace, "A-2", "earlier: A-1")

    workspace.press("A-1", "Timeline & evidence")
    told = json.dumps(workspace.form())
    for word in ("triggered", "acknowledged", "snoozed", "released", "recovered", "resolved", "reopened"):
        assert word in told
    rows = {row["number"]: row for row in workspace.log()}
    assert rows["A-1"]["done"] == "Rolled back, and fixed the leak in 1.43"
    assert rows["A-2"]["previous"] == "A-1"


@pytest.mark.nightly
def test_late_clicks_are_refused_kindly_and_change_nothing(workspace: Workspace) -> None:
    """The first acknowledgement stands; a form sent too late says who was faster."""
    workspace.fire("datadog", "trigger")
    _shows(workspace, "A-1", "Firing")
    old = workspace.parent("A-1")
    workspace.press("A-1", "Resolve…", user="U0KIM")
    workspace.press("A-1", "Resolve…")
    assert workspace.send(NOTE)["ok"]
    _shows(workspace, "A-1", "Resolved in")
    workspace.send(NOTE, user="U0KIM")
    form, refusal = workspace.transcript()["views"]["U0KIM"]
    assert "has already resolved A-1" in json.dumps(refusal)
    assert NOTE["found"] in json.dumps(form["state"]), "what Kim wrote is still there, underneath"
    assert [row["resolved_by"] for row in workspace.log()] == ["U0SAM"]
    assert old["ts"] == workspace.parent("A-1")["ts"]


def test_who_may_not_is_told_who_may(workspace: Workspace) -> None:
    """The outsider is refused by name of the role, and so is an auditor who wants to act; the auditor may read."""
    workspace.fire("datadog", "trigger")
    _shows(workspace, "A-1", "Firing")
    workspace.press("A-1", "Acknowledge", user="U0OUT")
    wait_until(lambda: "none of the roles that may" in workspace.whispers(), what="the outsider is told")
    assert "<@U0SAM>" in workspace.whispers()
    workspace.press("A-1", "Resolve…", user="U0AUDIT")
    assert workspace.log()[0]["state"] == "triggered"
    workspace.press("A-1", "Timeline & evidence", user="U0AUDIT")
    assert "Timeline A-1" in json.dumps(workspace.form("U0AUDIT"))


@pytest.mark.nightly
def test_commands_and_exports(workspace: Workspace) -> None:
    """help, status, log, one alert, a file in a direct message, and a typing error with the nearest command."""
    workspace.fire("datadog", "trigger")
    _shows(workspace, "A-1", "Firing")
    wait_until(lambda: "Pat Example" in str(workspace.messages()), what="the roster's fault is known")
    for typed, answer in (
        ("help", "What /socmon can do"),
        ("status", "1 thing needs a look"),  # one of those on call is not in Slack
        ("log", "Alert log: 1 alert"),
        ("log open", "Alert log: 1 alert"),
        ("log A-1", "A-1"),
        ("log A-99", "There is no alert A-99"),
        ("log nonsense", "I don't know the alerts"),
        ("standard review", "The standard, for your review"),  # it was put on record at the start
        ("stauts", "Did you mean `/socmon status`?"),
    ):
        workspace.act("write", "U0LEAD", channel="C0ALERTS", text=f"/socmon {typed}")
        wait_until(lambda answer=answer: answer in workspace.whispers(), what=f"`{typed}` is answered")
    workspace.act("write", "U0LEAD", channel="C0ALERTS", text="/socmon log 7d csv")
    wait_until(lambda: "alert-log-" in workspace.whispers(), what="the file has been sent")
    assert any("files" in message for message in workspace.messages())


def test_a_message_becomes_a_note_on_the_record(workspace: Workspace) -> None:
    """“Add to alert record” on a reply pre-selects the thread's alert and keeps the words and their link."""
    workspace.fire("datadog", "trigger")
    _shows(workspace, "A-1", "Firing")
    parent = workspace.parent("A-1")["ts"]
    said = workspace.act(
        "write", "U0KIM", channel="C0ALERTS", text="It is the nightly dump, I stop it", thread_ts=parent
    )
    workspace.act("shortcut", "U0KIM", channel="C0ALERTS", ts=said["ts"], callback_id="sc_add_note")
    form = json.dumps(workspace.form("U0KIM"))
    assert "It is the nightly dump" in form
    assert workspace.send({"alert": "1", "text": "It is the nightly dump, I stop it"}, user="U0KIM")["ok"]
    workspace.press("A-1", "Timeline & evidence")
    assert "It is the nightly dump" in json.dumps(workspace.form())


@pytest.mark.nightly
def test_what_was_begun_waits_for_its_writer(workspace: Workspace) -> None:
    """A form that was closed is filled in again for the same person, until it is sent."""
    workspace.fire("datadog", "trigger")
    _shows(workspace, "A-1", "Firing")
    workspace.press("A-1", "Resolve…")
    assert "done" in workspace.send({**NOTE, "done": "fixed fixed fixed"})["errors"]
    workspace.act("close", "U0SAM", view_id=workspace.form()["id"])

    workspace.press("A-1", "Resolve…", user="U0KIM")
    assert NOTE["found"] not in json.dumps(workspace.form("U0KIM"))
    workspace.press("A-1", "Resolve…")
    fields = {block.get("block_id"): block.get("element", {}) for block in workspace.form()["blocks"]}
    assert fields["found"]["initial_value"] == NOTE["found"]
    assert fields["cause"]["initial_option"]["value"] == NOTE["cause"]
    assert workspace.send({"done": NOTE["done"]})["ok"]
    _shows(workspace, "A-1", "Resolved in")


@pytest.mark.nightly
def test_home_shows_what_waits_for_whom(workspace: Workspace) -> None:
    """Sam is on call, so the alert waits for Sam; for Kim it is one nobody has taken, until Kim takes it there."""
    workspace.fire("datadog", "trigger")
    _shows(workspace, "A-1", "Firing")
    for user, words in (("U0SAM", "Needs you now (1)"), ("U0KIM", "Nobody has taken (1)")):
        workspace.act("home", user)
        wait_until(
            lambda user=user, words=words: words in json.dumps(workspace.transcript()["homes"].get(user)),
            what=f"{user}'s Home says {words}",
        )
    home = workspace.transcript()["homes"]["U0KIM"]
    [row] = [block for block in home["blocks"] if block.get("accessory", {}).get("action_id") == "al_ack"]
    workspace.act(
        "click",
        "U0KIM",
        view_id=home["id"],
        block_id=row["block_id"],
        action_id=row["accessory"]["action_id"],
    )
    wait_until(
        lambda: "Needs you now (1)" in json.dumps(workspace.transcript()["homes"]["U0KIM"]),
        what="Kim's Home follows Kim's click",
    )
    workspace.act("home", "U0OUT")
    wait_until(
        lambda: "none of the roles" in json.dumps(workspace.transcript()["homes"].get("U0OUT")),
        what="the outsider's Home says who may",
    )
    assert "A-1" not in json.dumps(workspace.transcript()["homes"]["U0OUT"])


def _shows(workspace: Workspace, alert: str, words: str) -> None:
    wait_until(
        lambda: alert in workspace.parents() and words in json.dumps(workspace.parent(alert)["blocks"]),
        what=f"{alert} shows “{words}”",
    )
