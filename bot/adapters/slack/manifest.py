"""The Slack app's manifest: which scopes each part needs, and the same app with requests over HTTP."""

import re

from bot.domain.errors import WrongSettings

# Every Web API method socmon calls → the bot scopes it needs. A test compares it with the calls in the code.
METHOD_SCOPES: dict[str, frozenset[str]] = {
    "auth.test": frozenset(),
    "chat.getPermalink": frozenset(),
    "chat.postMessage": frozenset({"chat:write"}),
    "chat.update": frozenset({"chat:write"}),
    "conversations.history": frozenset({"channels:history", "groups:history"}),
    "conversations.info": frozenset({"channels:read", "groups:read"}),
    "conversations.list": frozenset({"channels:read", "groups:read"}),
    "conversations.open": frozenset({"im:write"}),
    "conversations.replies": frozenset({"channels:history", "groups:history"}),
    # the SDK's name for files.getUploadURLExternal and files.completeUploadExternal
    "files.upload.v2": frozenset({"files:write"}),
    "usergroups.users.list": frozenset({"usergroups:read"}),
    "users.info": frozenset(
        {"users:read", "users:read.email"}
    ),  # the profile has no address without the second
    "users.lookupByEmail": frozenset({"users:read.email"}),
    "views.open": frozenset(),
    "views.publish": frozenset(),
    "views.update": frozenset(),
}

EVENT_SCOPES: dict[str, frozenset[str]] = {
    "app_home_opened": frozenset(),
    "app_uninstalled": frozenset(),
    "tokens_revoked": frozenset(),
}

COMMAND_SCOPES = frozenset({"commands"})  # slash commands and shortcuts

_PUBLIC_URL = re.compile(r"https://[A-Za-z0-9.-]+(:\d{1,5})?(/[A-Za-z0-9._~/-]*)?")


def http_form(text: str, public_url: str) -> str:
    """The manifest, written for Socket Mode, for an app that Slack reaches over HTTP; raises WrongSettings.

    Edits lines, so that comments and order stay: the manifest is also read by people.
    """
    if not _PUBLIC_URL.fullmatch(public_url):
        raise WrongSettings(
            f"SOCMON_PUBLIC_URL is {public_url!r}, but Slack needs an address like https://socmon.example.com:"
            " https, a host, no query. Set it, or use Socket Mode with SLACK_APP_TOKEN."
        )
    url = f'"{public_url.rstrip("/")}/slack/events"'
    return "".join(_http_line(line, url) for line in text.splitlines(keepends=True))


def _http_line(line: str, url: str) -> str:
    bare = line.partition("#")[0].strip()
    indent = line[: len(line) - len(line.lstrip())]
    if bare == "socket_mode_enabled: true":
        return line.replace("true", "false", 1)
    if bare.startswith("- command:"):
        return f"{line}{indent}  url: {url}\n"
    if bare == "event_subscriptions:":
        return f"{line}{indent}  request_url: {url}\n"
    if bare == "is_enabled: true":
        return f"{line}{indent}request_url: {url}\n"
    return line
