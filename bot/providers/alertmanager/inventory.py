"""Which machines Prometheus scrapes a node_exporter of. Other targets are programs, and no components of their own.

https://prometheus.io/docs/prometheus/latest/querying/api/#targets
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from ipaddress import ip_address
from typing import Any

from bot.domain.component import Component, Identity, Kind
from bot.domain.errors import ToolSilent
from bot.providers.alertmanager.asked import Data, Visit
from bot.providers.alertmanager.settings import AlertmanagerSettings
from bot.providers.contract import Pulled, line

SOURCE = "alertmanager"
LOOK_BACK = "1d"
"""A machine that was seen within this time counts, also when it is down now."""
NAMES = f"last_over_time(node_uname_info[{LOOK_BACK}])"
INSTANCE = "instance"
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
LONGEST_DURATION = 20
_DURATION = re.compile(r"(\d+)(ms|[smhd])")
_PORT = re.compile(r"(?P<host>.+?)(?::\d{1,5})?/?")
_EC2 = re.compile(r"i-[0-9a-f]{8,17}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A scraped node_exporter. `interval` is how often. `identities` has the one that is surest in front."""

    labels: Mapping[str, str]
    identities: tuple[Identity, ...]
    interval: timedelta

    @property
    def instance(self) -> str:
        return self.labels.get(INSTANCE, "")

    @property
    def component(self) -> Component:
        tags = {name: value for name, value in self.labels.items() if name != INSTANCE}
        return Component(
            kind=Kind.HOST,
            name=next((one for one in self.identities if one.space == "host"), self.identities[0]).value,
            identities=frozenset(self.identities),
            sources=frozenset({SOURCE}),
            tags=tags,
        )


@dataclass(frozen=True, kw_only=True)
class Targets:
    """All node_exporters that are scraped."""

    every: Sequence[Target]

    @cached_property
    def values(self) -> Mapping[str, frozenset[str]]:
        """Label → the values that it has; "" among them where a target lacks it."""
        names = {name for target in self.every for name in target.labels}
        return {name: frozenset(target.labels.get(name, "") for target in self.every) for name in names}

    @cached_property
    def _named(self) -> Mapping[str, Identity]:
        return {one.instance: one.identities[0] for one in self.every}

    def named(self, instance: str) -> Identity:
        """Also of an instance that is not scraped: a rule may be about it all the same."""
        return self._named.get(instance) or Identity("host", _host(instance))


def list_components(settings: AlertmanagerSettings, at: datetime) -> Pulled[Component]:
    visit = Visit(settings)
    try:
        found = read_targets(visit)
    except ToolSilent as error:
        return Pulled(items=(), complete=False, as_of=at, calls=visit.calls, reason=str(error))
    return visit.answer((target.component for target in found.every), at)


def read_targets(visit: Visit) -> Targets:
    """Of all that is scraped, the jobs in which a node_exporter has told its name. Raises ToolSilent."""
    told = visit.prometheus("what it scrapes", "targets", state="active")["activeTargets"]
    uname = vector(visit, "what its machines are called", NAMES)
    called = {(one.get("job", ""), one.get(INSTANCE, "")): one.get("nodename", "") for one, _ in uname}
    jobs = {job for job, _ in called}
    often = Counter(name for _, name in {(instance, name) for (_, instance), name in called.items()})
    found = []
    for row in told:
        labels = {str(name): line(value, 255) for name, value in row["labels"].items()}
        if labels.get("job", "") in jobs and labels.get(INSTANCE):
            name = called.get((labels.get("job", ""), labels[INSTANCE]), "")
            # A name that several machines bear tells none of them.
            found.append(_target(row, labels, name if often[name] == 1 else ""))
    return Targets(every=tuple(found))


def vector(visit: Visit, about: str, query: str) -> list[tuple[Mapping[str, str], float]]:
    """(labels, value) of each series; raises ToolSilent."""
    data = visit.prometheus(about, "query", query=query)
    if data.get("resultType") != "vector":
        raise ToolSilent(f"Prometheus did not say {about}: its answer is no vector. It is asked again.")
    found = []
    for row in data["result"]:
        _, value = row["value"]
        found.append((row["metric"], float(value)))
    return found


def _target(row: Data, labels: Mapping[str, str], nodename: str) -> Target:
    return Target(
        labels=labels,
        identities=tuple(_identities(labels[INSTANCE], row.get("discoveredLabels") or {}, nodename, labels)),
        interval=_interval(row.get("scrapeInterval")),
    )


def _identities(
    instance: str, discovered: Mapping[str, Any], nodename: str, labels: Mapping[str, str]
) -> Iterable[Identity]:
    """The id that EC2 gives, the name it is scraped by, and the one that it has itself; each once."""
    found = []
    given = (discovered.get("__meta_ec2_instance_id"), labels.get("instance_id"), _host(instance))
    found += [Identity("instance", str(one)) for one in given if one and _EC2.fullmatch(str(one))]
    for name in (_host(instance), _host(nodename)):
        if name and not _is_here(name) and not _EC2.fullmatch(name):
            found.append(Identity("host", name))
    return dict.fromkeys(found) or [Identity("name", f"{labels.get('job', '')}/{instance}".lower())]


def _host(instance: str) -> str:
    """Without the port of the exporter. An IPv6 address stands in brackets."""
    name = instance.lower().removeprefix("http://").removeprefix("https://")
    found = _PORT.fullmatch(name)
    return (found["host"] if found else name).strip("[]")


def _is_here(name: str) -> bool:
    """Every machine is its own localhost."""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.startswith("localhost.")


def _interval(written: object) -> timedelta:
    """At least a minute: a reading is judged in whole collections, not in single scrapes."""
    seconds = sum(
        float(number) * SECONDS[unit] for number, unit in _DURATION.findall(str(written)[:LONGEST_DURATION])
    )
    return timedelta(seconds=min(max(seconds, SECONDS["m"]), SECONDS["d"]))
