"""What a visitor does to the fleet, on the playground's page: break it, mend it, and let the bot look."""

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bot.playground.datadog import Body, FakeDatadog
from bot.playground.errors import SlackError
from bot.playground.fleet import OPS, SLACK_ACCOUNT, add_host, monitors
from bot.playground.workspace import Workspace

OPS_CHANNEL = "C0OPS"
ON_CALL = ("U0SAM", "U0KIM")
WEAKER = 0.2  # of the way that was left to where a threshold never fires
MOST_HOSTS = 60
_LIMIT = re.compile(r"(?P<sign>[<>]) (?P<limit>[\d.]+)$")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


async def _blind() -> None:
    """There is no bot that could look."""


@dataclass
class FleetDesk:
    """`look` makes the bot look, and `coverage` is what it says of what it last saw; the composition root sets both.

    What `coverage` gives: `assessed_at` (epoch seconds), `rows` of `name`, `kind` and `cells` ([measure, state] each),
    `gaps` of `name`, `measure`, `why`; or None before the first look.
    """

    datadog: FakeDatadog
    workspace: Workspace
    look: Callable[[], Awaitable[None]] = _blind
    coverage: Callable[[], Awaitable[Body | None]] = _blind
    touched: bool = False

    async def shown(self) -> Body:
        """All that the page shows. `broken` says what is not as it was set up, with the act that mends it."""
        return {
            "coverage": await self.coverage(),
            "touched": self.touched,
            "hosts": [
                {
                    "name": one["host_name"],
                    "stopped": one["host_name"] in self.datadog.stopped,
                }
                for one in self.datadog.hosts
            ],
            "monitors": [self._monitor(one) for one in monitors()],
            "people": [
                {"id": one.id, "name": one.real_name, "deactivated": one.deleted}
                for one in map(self.workspace.user, ON_CALL)
            ],
            "refuses": self.datadog.refuses,
            "loses_a_page": self.datadog.loses_a_page,
            "archived": self.workspace.channel(OPS_CHANNEL).archived,
            "broken": list(self._broken()),
        }

    def do(self, act: str, on: str = "", to: str = "") -> None:
        """`on` is the host, the monitor's number, or the person that it is done to, `to` a host's new name.

        Raises SlackError.
        """
        acts: dict[str, Callable[[], None]] = {
            "stop": lambda: self._stop(on),
            "start": lambda: self._start(on),
            "add": lambda: self._add(on),
            "rename": lambda: self._rename(on, to),
            "mute": lambda: self._mute(on),
            "weaken": lambda: self._change(on, _weaken),
            "draft": lambda: self._change(on, _draft),
            "unroute": lambda: self._change(on, _unroute),
            "delete": lambda: self._delete(on),
            "mend": lambda: self._mend(on),
            "deactivate": lambda: self.workspace.deactivate(_person(on)),
            "reactivate": lambda: self.workspace.deactivate(_person(on), deactivated=False),
            "archive": lambda: self._archive(archived=True),
            "unarchive": lambda: self._archive(archived=False),
            "refuse": lambda: setattr(self.datadog, "refuses", True),
            "accept": lambda: setattr(self.datadog, "refuses", False),
            "lose": lambda: setattr(self.datadog, "loses_a_page", True),
            "find": lambda: setattr(self.datadog, "loses_a_page", False),
        }
        if act not in acts:
            raise SlackError("unknown_act", f"one can {', '.join(acts)} here")
        acts[act]()
        self.touched = True
        self.workspace.tell("fleet", {})

    async def let_look(self) -> None:
        await self.look()
        self.touched = False
        self.workspace.tell("fleet", {})

    # Hosts
    def _host(self, name: str) -> Body:
        found = next((one for one in self.datadog.hosts if one["host_name"] == name), None)
        if found is None:
            raise SlackError("unknown_host", f"Datadog has no host {name}")
        return found

    def _stop(self, name: str) -> None:
        self._host(name)
        self.datadog.stopped.setdefault(name, self.datadog.clock().isoformat())

    def _start(self, name: str) -> None:
        self._host(name)
        self.datadog.stopped.pop(name, None)

    def _add(self, name: str) -> None:
        self._require_free(name)
        if len(self.datadog.hosts) >= MOST_HOSTS:
            raise SlackError("too_many_hosts", f"this fleet ends at {MOST_HOSTS} hosts")
        add_host(self.datadog, name, "front")

    def _rename(self, name: str, to: str) -> None:
        """The machine keeps its number, by which its old name and its new one are the same."""
        found = self._host(name)
        self._require_free(to)
        found |= {"name": to, "host_name": to, "aliases": [to, *found["aliases"][1:]]}
        tags = [tag for tag in found["tags_by_source"]["Datadog"] if not tag.startswith("host:")]
        found["tags_by_source"] = {"Datadog": [*tags, f"host:{to}"]}
        if since := self.datadog.stopped.pop(name, ""):
            self.datadog.stopped[to] = since
        self.datadog.silent = {(to if host == name else host, of) for host, of in self.datadog.silent}

    def _require_free(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise SlackError("bad_name", "a host's name is of small letters, digits and hyphens, up to 40")
        if any(one["host_name"] == name for one in self.datadog.hosts):
            raise SlackError("taken_name", f"there is a host {name} already")

    # Monitors
    def _number(self, monitor: str) -> int:
        if monitor not in {str(one["id"]) for one in monitors()}:
            raise SlackError("unknown_monitor", f"the fleet has no monitor {monitor}")
        return int(monitor)

    def _mute(self, monitor: str) -> None:
        number = self._number(monitor)
        if not self._is_muted(number):
            self.datadog.downtime("*", monitor_id=number)

    def _is_muted(self, number: int) -> bool:
        return any(_is_about(one, number) for one in self.datadog.downtimes)

    def _change(self, monitor: str, change: Callable[[Body], Body]) -> None:
        number = self._number(monitor)
        for one in self.datadog.monitors:
            if one["id"] == number:
                one.update(change(one), modified=self.datadog.clock().isoformat())

    def _delete(self, monitor: str) -> None:
        number = self._number(monitor)
        self.datadog.monitors = [one for one in self.datadog.monitors if one["id"] != number]

    def _mend(self, monitor: str) -> None:
        """As it was set up, and not muted."""
        number = self._number(monitor)
        self._delete(monitor)
        self.datadog.downtimes = [one for one in self.datadog.downtimes if not _is_about(one, number)]
        self.datadog.monitor(**next(one for one in monitors() if one["id"] == number))

    def _monitor(self, as_set_up: Body) -> Body:
        number = as_set_up["id"]
        now = next((one for one in self.datadog.monitors if one["id"] == number), None)
        signs = ["muted"] if self._is_muted(number) else []
        if now is None:
            signs = ["deleted"]
        else:
            signs += ["disabled"] if now.get("draft_status") == "draft" else []
            signs += ["weakened"] if now["options"] != as_set_up["options"] else []
            signs += ["tells nobody"] if "@" not in now["message"] else []
        one = now or as_set_up
        return {
            "id": str(number),
            "name": one["name"],
            "query": one["query"],
            "message": one["message"],
            "signs": signs,
        }

    # Slack
    def _archive(self, *, archived: bool) -> None:
        """Datadog's Slack integration goes by what Slack has."""
        self.workspace.archive(OPS_CHANNEL, archived=archived)
        self.datadog.channels[SLACK_ACCOUNT] = [] if archived else [OPS]

    def _broken(self) -> Iterator[Body]:
        for host in self.datadog.stopped:
            yield {"says": f"The agent of {host} is stopped", "act": "start", "on": host}
        for one in map(self._monitor, monitors()):
            if one["signs"]:
                says = f"“{one['name']}” is {' and '.join(one['signs'])}".replace("is tells", "tells")
                yield {"says": says, "act": "mend", "on": one["id"]}
        for person in map(self.workspace.user, ON_CALL):
            if person.deleted:
                says = f"The Slack account of {person.real_name} is deactivated"
                yield {"says": says, "act": "reactivate", "on": person.id}
        if self.workspace.channel(OPS_CHANNEL).archived:
            yield {"says": f"#{OPS} is archived", "act": "unarchive", "on": ""}
        if self.datadog.refuses:
            yield {"says": "Datadog refuses socmon's keys", "act": "accept", "on": ""}
        if self.datadog.loses_a_page:
            yield {"says": "Datadog loses a page of hosts", "act": "find", "on": ""}


def _weaken(monitor: Body) -> Body:
    """A threshold that is nearly never reached; where there is none, it no longer minds that nothing arrives."""
    found = _LIMIT.search(monitor["query"])
    options = monitor["options"]
    if found is None or float(found["limit"]) == 1:
        return {"options": options | {"notify_no_data": False}}
    limit = float(found["limit"])
    most = 100 if limit > 1 else 1
    weaker = round(limit * WEAKER if found["sign"] == "<" else most - (most - limit) * WEAKER, 4)
    return {
        "query": f"{monitor['query'][: found.start('limit')]}{weaker:g}",
        "options": options | {"thresholds": {"critical": weaker}},
    }


def _draft(_: Body) -> Body:
    return {"draft_status": "draft"}


def _unroute(monitor: Body) -> Body:
    return {"message": monitor["message"].partition("@")[0].strip()}


def _is_about(downtime: Body, number: int) -> bool:
    about: dict[str, Any] = downtime["attributes"]["monitor_identifier"]
    return about.get("monitor_id") == number


def _person(user: str) -> str:
    if user not in ON_CALL:
        raise SlackError("unknown_user", f"of those on call there are {', '.join(ON_CALL)}")
    return user
