"""What people type, turned into what Slack stores: escaped, with @names and #channels as references."""

import re

from bot.playground.workspace import Workspace

_NAME = re.compile(r"(?<![\w<@#])([@#])([a-z0-9][a-z0-9._-]*)", re.IGNORECASE)


def escape(text: str) -> str:
    """Slack's own escaping: three characters, no more."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def typed_text(text: str, workspace: Workspace, *, labels: bool = False) -> str:
    """The stored form of typed text; with `labels` as a slash command with `should_escape` gets it (`<@U1|sam>`)."""
    people = {user.name: user.id for user in workspace.users.values()}
    groups = {group.handle: group.id for group in workspace.groups.values()}
    channels = {channel.name: channel.id for channel in workspace.channels.values() if not channel.is_direct}

    def reference(match: re.Match[str]) -> str:
        mark, typed = match.groups()
        name = typed.rstrip("._-")
        rest = typed[len(name) :]
        key = name.lower()
        if mark == "#" and key in channels:
            return f"<#{channels[key]}|{key}>{rest}"
        if mark == "@" and key in people:
            return f"<@{people[key]}{f'|{key}' if labels else ''}>{rest}"
        if mark == "@" and key in groups:
            return f"<!subteam^{groups[key]}|@{key}>{rest}"
        return match.group(0)

    return _NAME.sub(reference, escape(text))
