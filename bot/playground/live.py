"""What a page shows at first, and the stream of changes that keeps it up to date."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from bot.playground.methods.conversations import channel_facts
from bot.playground.people import (
    APP,
    BOT_USER,
    COMMAND,
    COMMAND_HELP,
    COMMAND_HINT,
    MESSAGES_TAB_READ_ONLY,
    TEAM,
    TEAM_NAME,
)
from bot.playground.workspace import Change, Workspace

MOST_REMEMBERED = 2000
MOST_WAITING = 1000
HEARTBEAT = 15.0
NOTICES = 50  # notifications that a page gets
PAGE = 100  # messages of a channel that a page gets at once


class Live:
    """Numbers the changes and hands them to the pages that are open."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._recent: deque[tuple[int, Change]] = deque(maxlen=MOST_REMEMBERED)
        self._pages: set[asyncio.Queue[tuple[int, Change] | None]] = set()
        self.number = 0
        workspace.listeners.append(self._heard)

    def hang_up(self) -> None:
        """End all streams: the server is about to stop."""
        for waiting in self._pages:
            _put(waiting, None)

    async def stream(self, user_id: str, since: int) -> AsyncIterator[str]:
        """Server-sent events for one person's page, from after change number `since`.

        A page that has missed too much is told `stale` and fetches the state again.
        """
        waiting: asyncio.Queue[tuple[int, Change] | None] = asyncio.Queue(MOST_WAITING)
        self._pages.add(waiting)
        try:
            if since > self.number or (self._recent and since < self._recent[0][0] - 1):
                yield _event(self.number, "stale", {})
            else:
                for number, change in [item for item in self._recent if item[0] > since]:
                    if change.user in {None, user_id}:
                        yield _event(number, change.kind, change.data)
            yield _event(self.number, "hello", {"number": self.number})
            async for text in self._follow(waiting, user_id):
                yield text
        finally:
            self._pages.discard(waiting)

    async def _follow(
        self, waiting: "asyncio.Queue[tuple[int, Change] | None]", user_id: str
    ) -> AsyncIterator[str]:
        while True:
            try:
                item = await asyncio.wait_for(waiting.get(), HEARTBEAT)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if item is None:
                return
            number, change = item
            if change.user in {None, user_id}:
                yield _event(number, change.kind, change.data)

    def _heard(self, change: Change) -> None:
        self.number += 1
        item = (self.number, change)
        self._recent.append(item)
        for waiting in list(self._pages):
            _put(waiting, item)


def page_state(workspace: Workspace, user_id: str, number: int) -> dict[str, Any]:
    """All that one person's page shows, as of change `number`."""
    home = workspace.views.homes.get(user_id)
    return {
        "number": number,
        "now": workspace.now().timestamp(),
        "me": workspace.user(user_id).id,
        "team": {"id": TEAM, "name": TEAM_NAME},
        "app": _app_facts(workspace, user_id),
        "users": [people_facts(workspace, user.id) for user in workspace.users.values()],
        "groups": [{"id": g.id, "handle": g.handle, "users": g.users} for g in workspace.groups.values()],
        "shortcuts": [
            {"callback_id": s.callback_id, "name": s.name, "on_message": s.on_message}
            for s in workspace.shortcuts
        ],
        "channels": [channel_state(workspace, c.id, user_id) for c in workspace.visible_channels(user_id)],
        "ephemerals": [workspace.shown(message) for message in workspace.ephemerals.get(user_id, ())],
        "views": [view.as_slack() for view in workspace.views.stacks.get(user_id, ())],
        "home": home.as_slack() if home else None,
        "notifications": [asdict(known) for known in workspace.notifications.get(user_id, ())][-NOTICES:],
    }


def _app_facts(workspace: Workspace, user_id: str) -> dict[str, Any]:
    return {
        "id": APP,
        "user": BOT_USER,
        "channel": workspace.direct(user_id).id,
        "command": COMMAND,
        "hint": COMMAND_HINT,
        "help": COMMAND_HELP,
        "read_only": MESSAGES_TAB_READ_ONLY,
    }


def people_facts(workspace: Workspace, user_id: str) -> dict[str, Any]:
    user = workspace.users[user_id]
    names = ("id", "name", "real_name", "title", "color", "is_bot", "persona")
    facts = {name: getattr(user, name) for name in names} | {"unseen": len(workspace.unseen(user_id))}
    return facts | ({"title": "Deactivated"} if user.deleted else {})


def channel_state(workspace: Workspace, channel_id: str, user_id: str) -> dict[str, Any]:
    """A channel with its newest messages, and what this person has not seen of it."""
    channel = workspace.channels[channel_id]
    facts = channel_facts(channel) | {"members": channel.members, "bookmarks": channel.bookmarks}
    unseen = workspace.unseen(user_id)
    mentions = sum(
        notification.channel == channel_id and not notification.thread_ts for notification in unseen
    )
    return facts | {
        "unread": workspace.unread(user_id, channel_id),
        "mentions": mentions,
        "read_to": workspace.reads.get(user_id, {}).get(channel_id, ""),
        **older_messages(workspace, channel_id, ""),
    }


def older_messages(workspace: Workspace, channel_id: str, before: str) -> dict[str, Any]:
    """A page of the channel's timeline, oldest first: the newest one, or the one before message `before`."""
    found: list[dict[str, Any]] = []
    for message in reversed(workspace.log(channel_id).messages.values()):
        if not message.in_timeline or (before and message.ts >= before):
            continue
        if len(found) == PAGE:
            return {"messages": found[::-1], "has_older": True}
        found.append(workspace.shown(message))
    return {"messages": found[::-1], "has_older": False}


def thread_state(workspace: Workspace, channel_id: str, ts: str) -> list[dict[str, Any]]:
    """A thread: the parent and its replies, oldest first."""
    message = workspace.message(channel_id, ts)
    root = workspace.message(channel_id, message.thread_ts or message.ts)
    return [workspace.shown(each) for each in [root, *workspace.replies(root)]]


def _put(waiting: "asyncio.Queue[tuple[int, Change] | None]", item: tuple[int, Change] | None) -> None:
    if waiting.full():  # a page that does not read: let it start over
        while not waiting.empty():
            waiting.get_nowait()
        waiting.put_nowait((0, Change(kind="stale", data={})))
    waiting.put_nowait(item)


def _event(number: int, kind: str, data: dict[str, Any]) -> str:
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n"
