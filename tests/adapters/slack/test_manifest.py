"""The Slack app asks for what the code uses, and for nothing else."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.adapters.slack import interactions as do
from bot.adapters.slack.manifest import COMMAND_SCOPES, EVENT_SCOPES, METHOD_SCOPES, http_form
from bot.domain.errors import WrongSettings

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "manifest.yml").read_text(encoding="utf-8")
URL = "https://socmon.example.com"
SOCKET = yaml.safe_load(TEXT)
HTTP = yaml.safe_load(http_form(TEXT, URL))
FORMS = {"socket mode": SOCKET, "http": HTTP}

# What Slack allows at each place: (shortest, longest) for texts, the most for lists.
LENGTHS = {
    "display_information.name": (1, 35),
    "display_information.description": (1, 140),
    "features.bot_user.display_name": (1, 80),
    "features.slash_commands[].command": (2, 32),
    "features.slash_commands[].description": (1, 2000),
    "features.slash_commands[].usage_hint": (1, 1000),
    "features.slash_commands[].url": (1, 3000),
    "features.shortcuts[].name": (1, 24),
    "features.shortcuts[].description": (1, 150),
    "features.shortcuts[].callback_id": (1, 255),
    "oauth_config.scopes.bot[]": (1, 50),
    "oauth_config.scopes.bot_optional[]": (1, 50),
    "settings.event_subscriptions.bot_events[]": (1, 50),
    "settings.event_subscriptions.request_url": (1, 3500),
    "settings.interactivity.request_url": (1, 3500),
    "features.shortcuts[].type": (6, 7),
    "display_information.background_color": (4, 7),
}
FLAGS = {
    "features.app_home.home_tab_enabled",
    "features.app_home.messages_tab_enabled",
    "features.app_home.messages_tab_read_only_enabled",
    "features.bot_user.always_online",
    "features.slash_commands[].should_escape",
    "settings.interactivity.is_enabled",
    "settings.org_deploy_enabled",
    "settings.socket_mode_enabled",
    "settings.token_rotation_enabled",
}
REQUIRED = {
    "features.shortcuts": {"name", "type", "callback_id", "description"},
    "features.slash_commands": {"command", "description"},
}
MOST = {
    "features.shortcuts": 10,
    "features.slash_commands": 50,
    "settings.event_subscriptions.bot_events": 100,
}


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, f"{path}[]")
    else:
        yield path, value


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_slack_takes_the_manifest(form: dict[str, Any]) -> None:
    """Slack refuses unknown fields, wrong types and texts that are too long."""
    for path, value in leaves(form):
        if path in {"_metadata.major_version", "_metadata.minor_version"}:
            assert type(value) is int
        elif path in FLAGS:
            assert type(value) is bool, path
        else:
            shortest, longest = LENGTHS[path]
            assert isinstance(value, str)
            assert shortest <= len(value) <= longest, path
    for path, most in MOST.items():
        listed = form
        for name in path.split("."):
            listed = listed[name]
        assert 1 <= len(listed) <= most
        assert all(set(item) >= REQUIRED[path] for item in listed if path in REQUIRED)
    assert re.fullmatch(r"#[0-9a-f]{6}", form["display_information"]["background_color"])
    assert all(each["type"] in {"message", "global"} for each in form["features"]["shortcuts"])


def test_nothing_is_listed_twice() -> None:
    scopes = SOCKET["oauth_config"]["scopes"]
    every = [*scopes["bot"], *scopes["bot_optional"]]

    assert len(set(every)) == len(every)
    events = SOCKET["settings"]["event_subscriptions"]["bot_events"]
    assert len(set(events)) == len(events)


def test_what_the_app_reacts_to_has_its_scopes() -> None:
    granted = set(SOCKET["oauth_config"]["scopes"]["bot"])

    assert granted >= COMMAND_SCOPES
    for event in SOCKET["settings"]["event_subscriptions"]["bot_events"]:
        assert EVENT_SCOPES[event] <= granted


def test_the_shortcut_and_the_command_are_the_ones_we_handle() -> None:
    assert [each["callback_id"] for each in SOCKET["features"]["shortcuts"]] == [do.ADD_NOTE_SHORTCUT]
    assert [each["command"] for each in SOCKET["features"]["slash_commands"]] == ["/socmon"]


def code() -> Iterator[str]:
    """All code that may call Slack's client."""
    for folder in ("bot/adapters/slack", "bot/commands", "handlers/slack"):
        for path in (ROOT / folder).glob("**/*.py"):
            yield path.read_text(encoding="utf-8")


def methods_in(text: str) -> set[str]:
    """The Web API methods called in some code: `client.chat_postMessage` is chat.postMessage."""
    found = re.findall(r"\bclient\.([a-z]+(?:_[A-Za-z0-9]+)+)\b", text.replace("_client", "client"))
    return {name.replace("_", ".") for name in found}


def test_every_method_the_code_calls_is_listed_with_its_scopes() -> None:
    scopes = SOCKET["oauth_config"]["scopes"]

    used = {method for text in code() for method in methods_in(text)}

    assert used == set(METHOD_SCOPES)
    assert set().union(*METHOD_SCOPES.values()) <= {*scopes["bot"], *scopes["bot_optional"]}


def test_the_methods_are_found() -> None:
    text = "await self._client.users_info(user=u)\nask(client.auth_test)\nself.client.files_upload_v2(x)\nclient.team"

    assert methods_in(text) == {"users.info", "auth.test", "files.upload.v2"}


def test_every_event_slack_sends_is_handled() -> None:
    handled = {name for text in code() for name in re.findall(r"\.event\(\"(\w+)\"\)", text)}

    assert handled == set(SOCKET["settings"]["event_subscriptions"]["bot_events"]) == set(EVENT_SCOPES)


def test_reading_channels_is_never_required() -> None:
    """socmon works without reading what people write; history only helps it find its own lost message."""
    assert not [scope for scope in SOCKET["oauth_config"]["scopes"]["bot"] if scope.endswith(":history")]


def test_no_scope_is_asked_for_without_a_use() -> None:
    scopes = SOCKET["oauth_config"]["scopes"]
    events = SOCKET["settings"]["event_subscriptions"]["bot_events"]
    needed = set(COMMAND_SCOPES).union(*METHOD_SCOPES.values(), *(EVENT_SCOPES[event] for event in events))

    assert {*scopes["bot"], *scopes["bot_optional"]} == needed


def test_the_http_form_sends_everything_to_one_address() -> None:
    assert HTTP["settings"]["socket_mode_enabled"] is False
    assert HTTP["settings"]["event_subscriptions"]["request_url"] == f"{URL}/slack/events"
    assert HTTP["settings"]["interactivity"]["request_url"] == f"{URL}/slack/events"
    assert [each["url"] for each in HTTP["features"]["slash_commands"]] == [f"{URL}/slack/events"]


def test_the_http_form_differs_in_nothing_else() -> None:
    addresses = {
        "features.slash_commands[].url",
        "settings.event_subscriptions.request_url",
        "settings.interactivity.request_url",
    }

    socket, http = set(leaves(SOCKET)), set(leaves(HTTP))

    assert {path for path, _ in http - socket} == addresses | {"settings.socket_mode_enabled"}
    assert socket - http == {("settings.socket_mode_enabled", True)}


@pytest.mark.parametrize("url", ["https://a.example/base/", "https://a.example:8443"])
def test_a_path_and_a_port_are_kept(url: str) -> None:
    form = yaml.safe_load(http_form(TEXT, url))

    assert form["settings"]["interactivity"]["request_url"] == url.rstrip("/") + "/slack/events"


@pytest.mark.parametrize(
    "url", ["", "http://a.example", "https://", "https://a b", 'https://a"\n- x', "https://a/?q"]
)
def test_an_unusable_address_is_refused(url: str) -> None:
    with pytest.raises(WrongSettings, match="SOCMON_PUBLIC_URL"):
        http_form(TEXT, url)
