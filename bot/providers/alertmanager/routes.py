"""Where Alertmanager sends an alert with these labels, and what is wrong there; and who has silenced it.

https://prometheus.io/docs/alerting/latest/configuration/ (route, receiver) and
https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml (GET /status, GET /silences)
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import product
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from bot.domain.monitor import Target, TargetKind
from bot.providers.alertmanager.asked import Data, Visit, read_yaml
from bot.providers.alertmanager.matching import Holds, Labels, Matcher, Sign, Unreadable, read_matcher
from bot.providers.alertmanager.settings import AlertmanagerSettings, own_end
from bot.providers.alertmanager.time_intervals import is_on
from bot.providers.contract import instant, line

HIDDEN = "<secret>"
MOST_VARIANTS = 64
DEPENDS = (
    "it depends on the component's labels whether it is told, and socmon cannot weigh that. Route by labels of the rule"
    " or of the targets."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A node of the routing tree. `fault` says why its matchers cannot be read."""

    receiver: str
    matchers: tuple[Matcher, ...] = ()
    goes_on: bool = False
    routes: tuple["Route", ...] = ()
    mute: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    fault: str = ""

    def names(self) -> Iterator[str]:
        """The labels that decide."""
        yield from (one.name for one in self.matchers)
        for each in self.routes:
            yield from each.names()

    def ways(self, labels: Labels) -> list[tuple["Route", Holds]]:
        """The nodes that notify, and whether they do; as Alertmanager's own Route.Match does it.

        https://github.com/prometheus/alertmanager/blob/main/dispatch/route.go
        """
        left: Holds = _holds(labels, self)
        if left is Holds.NO:
            return []
        found: list[tuple[Route, Holds]] = []
        # Whether the alert gets as far as the next child, and whether it ends here for want of one.
        here: Holds = left
        for child in self.routes:
            ways = child.ways(labels)
            if not ways:
                continue
            found += ((route, _worse(held, left)) for route, held in ways)
            surely = _holds(labels, child) is Holds.YES
            here = Holds.NO if surely or here is Holds.NO else Holds.PERHAPS
            if not child.goes_on:
                if surely:
                    break
                left = Holds.PERHAPS
        return found if here is Holds.NO else [*found, (self, here)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """One that is active now; `matchers` all have to hold."""

    matchers: tuple[Matcher, ...]
    why: str


@dataclass(frozen=True, kw_only=True)
class Routing:
    """What Alertmanager does with alerts. `intervals` are on or off now; `fault` keeps all of it from being known."""

    root: Route
    receivers: Mapping[str, tuple[Target, ...]]
    intervals: Mapping[str, bool | None]
    silences: Sequence[Silence] = ()

    @cached_property
    def names(self) -> frozenset[str]:
        """The labels that decide where an alert goes and whether it is silenced."""
        return frozenset([*self.root.names(), *(one.name for each in self.silences for one in each.matchers)])

    def variants(self, labels: Labels) -> Iterator[tuple[Mapping[str, str], Labels]]:
        """(label → value that parts it, labels) where the components' labels decide which way an alert goes."""
        if all(held is not Holds.PERHAPS for _, held in self.root.ways(labels)):
            yield {}, labels
            return
        parting = {
            name: sorted(values)
            for name in sorted(set(self.root.names()))
            if len(values := labels.open.get(name) or ()) > 1
            and name != "instance"
            and all("," not in one for one in values)
        }
        ways = list(product(*parting.values()))
        if not parting or len(ways) > MOST_VARIANTS:
            yield {}, labels
            return
        for way in ways:
            chosen = dict(zip(parting, way, strict=True))
            rest = {name: each for name, each in labels.open.items() if name not in chosen}
            yield chosen, replace(labels, fixed={**labels.fixed, **chosen}, open=rest)

    def targets(self, labels: Labels) -> tuple[Target, ...]:
        """The best that is known of each end comes first."""
        found: dict[tuple[TargetKind, str], Target] = {}
        for route, held in self.root.ways(labels):
            for target in self.receivers.get(route.receiver, ()):
                dead = target.dead or self._quiet(route) or (DEPENDS if held is Holds.PERHAPS else "")
                if (target.kind, target.name) not in found or not dead:
                    found[target.kind, target.name] = replace(target, dead=dead)
        return tuple(found.values())

    def _quiet(self, route: Route) -> str:
        if route.fault:
            return route.fault
        for name in route.mute:
            if self.intervals.get(name, None) is not False:
                return f"its route is mute now (time interval “{name}”)."
        if route.active and not any(self.intervals.get(name) for name in route.active):
            return f"its route is active only in “{', '.join(route.active)}”, which is not now."
        return ""


def read_routing(visit: Visit, settings: AlertmanagerSettings, at: datetime) -> Routing:
    """Raises ToolSilent."""
    status = visit.alertmanager("where its alerts go", "status")
    config = read_yaml("Alertmanager", ((status or {}).get("config") or {}).get("original"))
    silences = visit.alertmanager("what is silenced", "silences")
    receivers = {
        line(one.get("name"), 200): tuple(_targets(one, settings)) for one in config.get("receivers") or ()
    }
    named = [*(config.get("time_intervals") or ()), *(config.get("mute_time_intervals") or ())]
    return Routing(
        root=_route(config["route"], ""),
        receivers=receivers,
        intervals={str(one.get("name")): _is_on(one, at) for one in named},
        silences=tuple(
            _silence(one, at) for one in silences if (one.get("status") or {}).get("state") == "active"
        ),
    )


def _route(given: Data, above: str) -> Route:
    receiver = line(given.get("receiver"), 200) or above
    matchers: tuple[Matcher, ...] = ()
    fault = ""
    try:
        matchers = tuple(_matchers(given))
    except Unreadable as error:
        fault = str(error)
    return Route(
        receiver=receiver,
        matchers=matchers,
        goes_on=given.get("continue") is True,
        routes=tuple(_route(one, receiver) for one in given.get("routes") or ()),
        mute=tuple(map(str, given.get("mute_time_intervals") or ())),
        active=tuple(map(str, given.get("active_time_intervals") or ())),
        fault=fault,
    )


def _matchers(given: Data) -> Iterator[Matcher]:
    for name, value in (given.get("match") or {}).items():
        yield Matcher(str(name), Sign.EQUAL, str(value))
    for name, value in (given.get("match_re") or {}).items():
        yield Matcher(str(name), Sign.MATCHES, str(value))
    for written in given.get("matchers") or ():
        yield read_matcher(str(written))


def _holds(labels: Labels, route: Route) -> Holds:
    if route.fault:
        return Holds.PERHAPS
    try:
        return labels.holds(route.matchers)
    except Unreadable:
        return Holds.PERHAPS


def _worse(one: Holds, other: Holds) -> Holds:
    return Holds.PERHAPS if Holds.PERHAPS in {one, other} else one


def _is_on(interval: Data, at: datetime) -> bool | None:
    try:
        return is_on(interval, at)
    except Unreadable:
        return None


def _silence(given: Data, at: datetime) -> Silence:
    until = instant(given.get("endsAt"), received_at=at)
    end = f" until {until:%Y-%m-%d %H:%M} UTC" if until else ""
    comment = line(given.get("comment"), 100)
    said = f"silenced{end} by {line(given.get('createdBy'), 60) or 'somebody'}{f' ({comment})' if comment else ''}"
    return Silence(
        matchers=tuple(map(_silencing, given["matchers"])), why=f"{said}. Expire it in Alertmanager."
    )


def _silencing(given: Data) -> Matcher:
    positive, regex = given.get("isEqual") is not False, given.get("isRegex") is True
    sign = {
        (True, False): Sign.EQUAL,
        (False, False): Sign.NOT_EQUAL,
        (True, True): Sign.MATCHES,
        (False, True): Sign.MATCHES_NOT,
    }[positive, regex]
    return Matcher(str(given["name"]), sign, str(given["value"]))


_QUIET_AT_THE_END = frozenset({"email", "slack", "wechat"})
"""Integrations that by themselves tell nobody of the end: the defaults of Alertmanager's documentation."""


def _targets(receiver: Data, settings: AlertmanagerSettings) -> Iterator[Target]:
    name = line(receiver.get("name"), 200)
    sorts = {
        key.removesuffix("_configs"): given for key, given in receiver.items() if key.endswith("_configs")
    }
    if not any(sorts.values()):
        yield Target(
            kind=TargetKind.OTHER,
            name=name,
            recovery=False,
            dead=f"the receiver “{name}” has no integrations, so nobody is told. Give it one, or route to another.",
        )
    for sort, given in sorts.items():
        for one in given or ():
            for target in _ends(sort, one, name, settings):
                yield replace(
                    target, recovery=one.get("send_resolved", sort not in _QUIET_AT_THE_END) is True
                )


def _ends(sort: str, given: Data, receiver: str, settings: AlertmanagerSettings) -> Iterable[Target]:
    """Keys are hidden, so the receiver's name stands for them: [notifications.services] may name its team."""
    match sort:
        case "slack":
            return [_end(TargetKind.SLACK, line(given.get("channel"), 200) or receiver)]
        case "email":
            addresses = [one.strip() for one in line(given.get("to"), 2000).split(",")]
            return [_end(TargetKind.EMAIL, _address(one)) for one in addresses if one]
        case "pagerduty":
            return [Target(kind=TargetKind.PAGERDUTY, name=receiver)]
        case "webhook":
            return [_webhook(given.get("url"), receiver, settings)]
        case "sns":
            return [_end(TargetKind.SNS, line(given.get("topic_arn"), 300) or receiver)]
        case _:
            return [Target(kind=TargetKind.OTHER, name=f"{receiver} ({sort})", reaches=(receiver,))]


def _end(kind: TargetKind, name: str) -> Target:
    dead = "its name is made by a template: socmon cannot say where it ends. Write the name out."
    return Target(kind=kind, name=name, reaches=(name,), dead=dead if "{{" in name else "")


def _address(written: str) -> str:
    """From “Kim <kim@example.com>”."""
    return written.rpartition("<")[2].rstrip(">").strip()


def _webhook(url: Any, receiver: str, settings: AlertmanagerSettings) -> Target:
    """Since 0.26 its address is hidden: then the receiver that tells socmon is known by its name alone."""
    if not isinstance(url, str) or url in {"", HIDDEN}:
        ours = (own_end(settings),) if receiver == settings.receiver else ()
        return Target(kind=TargetKind.WEBHOOK, name=receiver, reaches=(receiver, *ours))
    # Secrets live in an address's query and before its host.
    parts = urlsplit(url)
    plain = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    return Target(kind=TargetKind.WEBHOOK, name=plain, reaches=(plain,))
