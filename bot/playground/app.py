"""The playground put together: one workspace, its Web API, its page, its monitoring tools."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from starlette.routing import BaseRoute, Route

from bot.playground import people
from bot.playground.bot_line import BotLine
from bot.playground.clock import PlaygroundClock
from bot.playground.datadog_line import DatadogLine
from bot.playground.errors import RealToken, SlackError
from bot.playground.faults import Faults, Kind
from bot.playground.fleet import build_fleet
from bot.playground.fleet_desk import FleetDesk
from bot.playground.interactions import Interactions
from bot.playground.live import Live
from bot.playground.messages import Message, rich_text
from bot.playground.pagerduty_line import PagerDutyLine
from bot.playground.pages import page_routes
from bot.playground.rate_limits import RateLimits
from bot.playground.snapshot import Snapshot
from bot.playground.sources import Sources
from bot.playground.transcript import Transcript
from bot.playground.web_api import WebApi
from bot.playground.workspace import Change, Clock, Workspace
from bot.providers.contract import Sample, Samples

API_PATH = "/playground/api/"
REAL_TOKEN = re.compile(r"xox[a-z]-|xoxe\.|xapp-")
UNSAVED = {"clock", "request", "notification", "ephemeral", "ephemeral_gone", "views", "faults"}


def create_playground(
    *,
    bot_url: str,
    signing_secret: str,
    bot_token: str,
    samples: Mapping[str, Samples],
    clock: Clock,
    snapshot_path: Path | None = None,
    rate_limits: bool = True,
    own_url: str = "",
    scopes: Iterable[str] = people.SCOPES,
    patience: float = 3.0,
    pagerduty: PagerDutyLine | None = None,
    datadog: DatadogLine | None = None,
) -> "Playground":
    """A playground whose bot is at `bot_url`; `own_url` is where the bot finds it, by default the same place.

    `patience` is how many seconds Slack waits for the bot. Raises RealToken for a token that could be a real one.
    """
    refuse_real_token(bot_token)
    return Playground(
        bot_url=bot_url,
        signing_secret=signing_secret,
        bot_token=bot_token,
        samples=samples,
        clock=clock,
        snapshot_path=snapshot_path,
        rate_limits=rate_limits,
        own_url=(own_url or bot_url).rstrip("/"),
        scopes=scopes,
        patience=patience,
        pagerduty=pagerduty,
        datadog=datadog,
    )


def refuse_real_token(token: str) -> None:
    """Raise RealToken unless this is plainly not a real workspace's token."""
    if token != people.TOKEN and REAL_TOKEN.match(token.strip()):
        raise RealToken


class Playground:
    """A local Slack workspace. Mount `routes`, then `start()`; the bot's SLACK_API_URL is `own_url` + API_PATH."""

    def __init__(
        self,
        *,
        bot_url: str,
        signing_secret: str,
        bot_token: str,
        samples: Mapping[str, Samples],
        clock: Clock,
        snapshot_path: Path | None,
        rate_limits: bool,
        own_url: str,
        scopes: Iterable[str],
        patience: float,
        pagerduty: PagerDutyLine | None,
        datadog: DatadogLine | None,
    ) -> None:
        self.clock = clock
        self.workspace = Workspace(clock)
        self.transcript = Transcript()
        self.faults = Faults(self.workspace, self._faults_changed)
        self.limits = RateLimits(clock.now, enabled=rate_limits)
        self.live = Live(self.workspace)
        self.sources = Sources(samples, bot_url=bot_url, now=clock.now, changed=self._save_soon)
        self.pagerduty = pagerduty
        if pagerduty:
            self._connect(pagerduty)
        self.datadog = datadog
        self.fleet = FleetDesk(datadog.fake, self.workspace) if datadog else None
        self.sources.before = self._before
        self._line = BotLine(
            self.workspace, self.transcript, bot_url=bot_url, signing_secret=signing_secret, patience=patience
        )
        self.interactions = Interactions(self.workspace, self.transcript, self._line, own_url=own_url)
        self._web_api = WebApi(
            self.workspace,
            token=bot_token,
            scopes=scopes,
            faults=self.faults,
            limits=self.limits,
            transcript=self.transcript,
            own_url=own_url,
        )
        self._snapshot = (
            Snapshot(
                snapshot_path,
                self.workspace,
                self.sources,
                clock,
                pagerduty=self.pagerduty,
                datadog=datadog.fake if datadog else None,
            )
            if snapshot_path
            else None
        )
        self._running = False

    @property
    def routes(self) -> list[BaseRoute]:
        datadog = [self.datadog.route] if self.datadog else []
        return [Route(f"{API_PATH}{{method}}", self._web_api), *datadog, *page_routes(self)]

    async def start(self) -> None:
        """Load the snapshot, or furnish the rooms; from now on changes are saved."""
        if self._snapshot is None or not self._snapshot.load():
            self._furnish()
        if self.pagerduty:
            if not self.pagerduty.fake.users:
                people.staff_pagerduty(self.pagerduty.fake, self.clock.now())
            await self.pagerduty.start()
        if self.datadog and not self.datadog.fake.hosts:
            build_fleet(self.datadog.fake)
        self._running = True
        self.workspace.listeners.append(self._changed)

    async def stop(self) -> None:
        self.live.hang_up()
        await self._line.stop()
        await self.sources.stop()
        if self.pagerduty:
            await self.pagerduty.stop()
        if self._running and self._snapshot is not None:
            self._snapshot.save()
        self._running = False

    def reset(self) -> None:
        """Start over with an empty workspace; the numbers of the tools' problems go on."""
        self.faults.clear()
        fresh = Workspace(self.workspace)
        fresh.resume_after(self.workspace.new_ts())
        for name in (
            "users",
            "channels",
            "groups",
            "logs",
            "ephemerals",
            "notifications",
            "reads",
            "tickets",
            "files",
        ):
            setattr(self.workspace, name, getattr(fresh, name))
        self.workspace.views.stacks.clear()
        self.workspace.views.homes.clear()
        self.transcript.clear()
        self._furnish()
        if self.fleet:
            self.fleet.do("unarchive")
        self.workspace.tell("stale", {})

    def turn_clock_on(self, by: timedelta) -> None:
        """Raises SlackError where the clock is the machine's own."""
        if not isinstance(self.clock, PlaygroundClock):
            raise SlackError("fixed_clock", "this playground goes by the machine's own clock")
        self.clock.turn_on(by)
        self.workspace.tell("clock", {"now": self.clock.now().timestamp()})
        self._save_soon()

    def note(self, method: str, error: str) -> None:
        """Note a request of the bot's that is no Web API method."""
        now = self.workspace.now()
        entry = self.transcript.add("in", method, at=now, until=now, error=error)
        self.workspace.tell("request", entry.as_json())

    def transcript_json(self) -> dict[str, Any]:
        """Everything a test wants to look at."""
        workspace = self.workspace
        logs = [log for log in workspace.logs.values() if log.messages]
        return {
            "messages": [workspace.shown(message) for log in logs for message in log.messages.values()],
            "ephemerals": [
                workspace.shown(m) for whispers in workspace.ephemerals.values() for m in whispers
            ],
            "homes": {user: view.as_slack() for user, view in workspace.views.homes.items()},
            "views": {
                user: [view.as_slack() for view in s] for user, s in workspace.views.stacks.items() if s
            },
            "notifications": {user: len(workspace.unseen(user)) for user in workspace.users},
            "requests": [entry.as_json() for entry in self.transcript.entries],
            "counters": self.transcript.counters("in"),
            "sent": self.transcript.counters("out"),
        }

    def _connect(self, pagerduty: PagerDutyLine) -> None:
        pagerduty.fake.is_down = lambda: self.faults.is_on(Kind.PAGERDUTY_DOWN)
        pagerduty.fake.changed = lambda: self.workspace.tell("pagerduty", {})
        pagerduty.noted = self._told_by_pagerduty

    def _before(self, provider: str, sample: Sample) -> bool:
        """A sample is about to be sent: what it tells of stands in the tool first. False when that cannot send it."""
        if provider == "datadog" and self.datadog:
            self.datadog.before(sample)
        return self.pagerduty is None or self.pagerduty.before(provider, sample)

    def _told_by_pagerduty(self, event: str, status: int) -> None:
        now = self.workspace.now()
        entry = self.transcript.add(
            "out",
            "pagerduty",
            at=now,
            until=now,
            status=status,
            error="" if status else "dispatch_failed",
            about=event,
        )
        self.workspace.tell("request", entry.as_json())

    def _furnish(self) -> None:
        """A little talk in #general, where the bot is not, so that the place looks lived in."""
        for user, text in people.SMALL_TALK:
            message = Message(
                ts=self.workspace.new_ts(),
                channel="C0GENERAL",
                user=user,
                text=text,
                blocks=[rich_text(text, "talk")],
            )
            self.workspace.restore(message)
            for reader in self.workspace.users:
                self.workspace.reads.setdefault(reader, {})["C0GENERAL"] = message.ts

    def _changed(self, change: Change) -> None:
        if change.kind not in UNSAVED:
            self._save_soon()

    def _save_soon(self) -> None:
        if self._running and self._snapshot is not None:
            self._snapshot.schedule()

    def _faults_changed(self) -> None:
        now = self.workspace.now()
        self.workspace.tell("faults", {"faults": [fault.as_json(now) for fault in self.faults.on]})
