"""The workspace in one JSON file, so that it survives a restart; replaced whole, soon after each change."""

import asyncio
import json
import os
from base64 import b64decode, b64encode
from collections import deque
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.playground.clock import PlaygroundClock
from bot.playground.datadog import FakeDatadog
from bot.playground.files import File
from bot.playground.messages import Message
from bot.playground.pagerduty_line import PagerDutyLine
from bot.playground.people import Channel
from bot.playground.sources import Sources
from bot.playground.view_stacks import View
from bot.playground.workspace import Clock, Notification, Workspace

VERSION = 1
DELAY = 0.5  # seconds between a change and the file, so that a storm is written once


class Snapshot:
    """Keeps the file at `path` in step with the workspace. Modals and ephemeral messages are not kept, as in Slack."""

    def __init__(
        self,
        path: Path,
        workspace: Workspace,
        sources: Sources,
        clock: Clock,
        *,
        pagerduty: PagerDutyLine | None = None,
        datadog: FakeDatadog | None = None,
    ) -> None:
        self._path = path
        self._clock = clock
        self._workspace = workspace
        self._sources = sources
        self._pagerduty = pagerduty.fake if pagerduty else None
        self._datadog = datadog
        self._timer: asyncio.TimerHandle | None = None

    def load(self) -> bool:
        """Fill the workspace from the file; False when there is none. A broken file raises ValueError."""
        if not self._path.exists():
            return False
        stored = json.loads(self._path.read_text(encoding="utf-8"))
        if stored.get("version") != VERSION:
            raise ValueError(f"{self._path} is of another version; move it away to start over")
        restore(stored, self._workspace)
        self._sources.resume(stored["sources"])
        if self._pagerduty is not None and "pagerduty" in stored:
            self._pagerduty.restore(stored["pagerduty"])
        if self._datadog is not None and "datadog" in stored:
            self._datadog.restore(stored["datadog"])
        if isinstance(self._clock, PlaygroundClock):  # or what is to come would lie in the past again
            self._clock.ahead = timedelta(seconds=stored.get("clock_ahead", 0))
        return True

    def schedule(self) -> None:
        """Write the file soon."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DELAY, self.save)

    def save(self) -> None:
        """Write the file now: a new one beside it first, then put in its place."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        stored = {"version": VERSION, "sources": self._sources.numbers, **dump(self._workspace)}
        if isinstance(self._clock, PlaygroundClock):
            stored["clock_ahead"] = self._clock.ahead.total_seconds()
        if self._pagerduty is not None:
            stored["pagerduty"] = self._pagerduty.dump()
        if self._datadog is not None:
            stored["datadog"] = self._datadog.dump()
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(stored, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)


def dump(workspace: Workspace) -> dict[str, Any]:
    """Everything worth keeping, as JSON."""
    return {
        "deactivated": [user.id for user in workspace.users.values() if user.deleted],
        "channels": [asdict(channel) for channel in workspace.channels.values()],
        "messages": [asdict(message) for log in workspace.logs.values() for message in log.messages.values()],
        "homes": [asdict(view) for view in workspace.views.homes.values()],
        "files": [_dump_file(file) for file in workspace.files.all.values()],
        "reads": workspace.reads,
        "notifications": {
            user: [asdict(n) for n in known] for user, known in workspace.notifications.items()
        },
    }


def restore(stored: dict[str, Any], workspace: Workspace) -> None:
    """Fill a fresh workspace."""
    workspace.channels |= {item["id"]: Channel(**item) for item in stored["channels"]}
    for user in stored.get("deactivated", ()):
        workspace.user(user).deleted = True
    for item in stored["messages"]:
        workspace.restore(Message(**item))
    workspace.views.homes = {item["user"]: View(**item) for item in stored["homes"]}
    workspace.files.all = {item["id"]: _load_file(item) for item in stored["files"]}
    workspace.reads = stored["reads"]
    for user, known in stored["notifications"].items():
        notifications = workspace.notifications.setdefault(user, deque(maxlen=500))
        notifications.extend(Notification(**item) for item in known)


def _dump_file(file: File) -> dict[str, Any]:
    content = None if file.content is None else b64encode(file.content).decode()
    return asdict(file) | {"content": content}


def _load_file(item: dict[str, Any]) -> File:
    content = None if item["content"] is None else b64decode(item["content"])
    return File(**item | {"content": content})
