"""Our payloads have every field that recorded ones have: compared with Slack's own examples from Bolt's tests."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.playground import payloads
from bot.playground.messages import Message
from bot.playground.people import Channel, User
from bot.playground.view_stacks import View
from bot.playground.workspace import Workspace
from tests.playground.rig import HandClock, actions, button, modal, text_input

Shape = set[str]

# Fields of the recorded payloads that a workspace like ours has not, each with the reason.
ABSENT = {
    "team.enterprise_id": "not part of an Enterprise Grid",
    "team.enterprise_name": "not part of an Enterprise Grid",
    "enterprise_id": "not part of an Enterprise Grid",
    "authed_users[]": "replaced by `authorizations` in 2020",
    "view.blocks[].hint": "a matter of the view that was recorded",
}


def recorded(folder: Path, name: str, index: int = 0) -> Any:
    return json.loads((folder / "slack" / f"bolt-python-{name}.json").read_text())[index]["value"]


def fields(value: Any, path: str = "") -> Iterator[str]:
    """Every field's path; what stands in `blocks` and in `values` is the app's own and differs."""
    if isinstance(value, dict):
        for name, item in value.items():
            here = f"{path}.{name}" if path else name
            yield here
            if name not in {"blocks", "values"}:
                yield from fields(item, here)
    elif isinstance(value, list):
        for item in value[:1]:
            yield f"{path}[]"
            yield from fields(item, f"{path}[]")


def missing(ours: Any, theirs: Any) -> Shape:
    return set(fields(theirs)) - set(fields(ours)) - ABSENT.keys()


@pytest.fixture
def workspace() -> Workspace:
    return Workspace(HandClock())


@pytest.fixture
def sam(workspace: Workspace) -> User:
    return workspace.user("U0SAM")


@pytest.fixture
def alerts(workspace: Workspace) -> Channel:
    return workspace.channel("C0ALERTS")


@pytest.fixture
def view(workspace: Workspace) -> View:
    view = workspace.views.open("U0SAM", modal(text_input(), close={"type": "plain_text", "text": "Cancel"}))
    view.values = {"note": {"text": {"type": "plain_text_input", "value": "test"}}}
    return view


def test_block_actions(workspace: Workspace, sam: User, alerts: Channel, fixtures_dir: Path) -> None:
    block = actions(button())
    message = workspace.post(
        Message(ts=workspace.new_ts(), channel=alerts.id, user="U0SOCMON", blocks=[block])
    )
    part = payloads.from_message(message, message.as_slack(), alerts, "https://example.com")
    action = {**message.blocks[0]["elements"][0], "block_id": "acts", "action_ts": "1.1"}

    ours = (
        payloads.block_actions(sam, trigger_id="1.2.3", container=part["container"], state={}, action=action)
        | part
    )

    assert missing(ours, recorded(fixtures_dir, "test_block_actions")) == set()


def test_block_suggestion(sam: User, view: View, fixtures_dir: Path) -> None:
    ours = payloads.block_suggestion(sam, block_id="b", action_id="a", value="x") | payloads.from_view(view)

    assert missing(ours, recorded(fixtures_dir, "test_block_suggestion")) == set()


@pytest.mark.parametrize("index", [0])
def test_view_submission(sam: User, view: View, fixtures_dir: Path, index: int) -> None:
    ours = payloads.view_submission(sam, view, "1.2.3")

    assert missing(ours, recorded(fixtures_dir, "test_view_submission", index)) == set()


def test_view_closed(sam: User, view: View, fixtures_dir: Path) -> None:
    ours = payloads.view_closed(sam, view, is_cleared=False)

    assert missing(ours, recorded(fixtures_dir, "test_view_closed")) == set()


def test_global_shortcut(sam: User, fixtures_dir: Path) -> None:
    ours = payloads.shortcut(sam, "sc", "1.2.3", "1.1")

    assert missing(ours, recorded(fixtures_dir, "test_shortcut")) == set()


def test_message_shortcut(workspace: Workspace, sam: User, alerts: Channel, fixtures_dir: Path) -> None:
    message = workspace.say("U0SAM", alerts.id, "<@U0KIM> test")

    ours = payloads.message_action(
        sam,
        "sc",
        message=message.as_slack(),
        channel=alerts,
        trigger_id="1.2.3",
        response_url="https://example.com",
        action_ts="1.1",
    )

    theirs = recorded(fixtures_dir, "test_shortcut", 1)
    assert missing(ours, theirs) == set()
    assert missing(ours["message"]["blocks"], theirs["message"]["blocks"]) == set()


def test_slash_command(sam: User, alerts: Channel, fixtures_dir: Path) -> None:
    envelopes = recorded(fixtures_dir, "mock_socket_mode_server")
    theirs = next(each["payload"] for each in envelopes if each["type"] == "slash_commands")

    ours = payloads.slash_command(
        sam, alerts, command="/socmon", text="help", trigger_id="1.2.3", response_url="https://example.com"
    )

    assert missing(ours, theirs) == set()


def test_event_callback(fixtures_dir: Path) -> None:
    envelopes = recorded(fixtures_dir, "mock_socket_mode_server")
    theirs = next(each["payload"] for each in envelopes if each["type"] == "events_api")
    del theirs["event"]  # each event has its own fields

    ours = payloads.event_callback({"type": "app_home_opened"}, 1)

    assert missing(ours, theirs) == set()


def test_tokens_revoked(fixtures_dir: Path) -> None:
    bodies = json.loads((fixtures_dir / "slack" / "bolt-python-test_events.json").read_text())
    theirs = next(body["value"] for body in bodies if body["var"] == "tokens_revoked_body")

    ours = payloads.event_callback(
        {"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": ["U0SOCMON"]}}, 1
    )

    assert missing(ours, theirs) == set()


def test_url_verification(fixtures_dir: Path) -> None:
    assert (
        missing(payloads.url_verification("x"), recorded(fixtures_dir, "test_events_url_verification"))
        == set()
    )
