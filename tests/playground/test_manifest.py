"""The playground is as generous as the manifest, and no more: the same scopes, command, shortcuts and tabs."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.playground import people

MANIFEST = Path(__file__).parents[2] / "manifest.yml"


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(MANIFEST.read_text())
    return found


def test_the_bots_token_has_the_manifests_scopes(manifest: dict[str, Any]) -> None:
    scopes = manifest["oauth_config"]["scopes"]

    assert set(people.SCOPES) == {*scopes["bot"], *scopes.get("bot_optional", [])}


def test_the_command_is_the_manifests(manifest: dict[str, Any]) -> None:
    (command,) = manifest["features"]["slash_commands"]

    assert command["command"] == people.COMMAND
    assert command["usage_hint"] == people.COMMAND_HINT
    assert command["description"] == people.COMMAND_HELP
    assert command["should_escape"]


def test_the_shortcuts_are_the_manifests(manifest: dict[str, Any]) -> None:
    shortcuts = manifest["features"]["shortcuts"]

    assert [(one.callback_id, one.name, one.on_message) for one in people.SHORTCUTS] == [
        (one["callback_id"], one["name"], one["type"] == "message") for one in shortcuts
    ]


def test_the_messages_tab_is_the_manifests(manifest: dict[str, Any]) -> None:
    app_home = manifest["features"]["app_home"]

    assert app_home["messages_tab_read_only_enabled"] == people.MESSAGES_TAB_READ_ONLY
