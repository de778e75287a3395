"""Prometheus' alert rules in the words of all tools, where Alertmanager sends them, and what keeps them from speaking.

https://prometheus.io/docs/prometheus/latest/querying/api/#rules
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from bot.domain.alert import Severity
from bot.domain.component import Identity, Measure
from bot.domain.errors import ToolSilent
from bot.domain.monitor import Monitor, Mute, Target, TargetKind, Watches
from bot.providers.alertmanager import inventory as scraped
from bot.providers.alertmanager.asked import Data, Visit, read_yaml
from bot.providers.alertmanager.inventory import INSTANCE, SOURCE, Targets, read_targets
from bot.providers.alertmanager.matching import Holds, Labels, Matcher, Sign, Unreadable
from bot.providers.alertmanager.promql import SERIES_LABELS, Condition, read_expression
from bot.providers.alertmanager.routes import Routing, read_routing
from bot.providers.alertmanager.settings import AlertmanagerSettings
from bot.providers.contract import Pulled, line, severity_of, text

ROOT = "/"
LONGEST_FOR = 10**8  # seconds
NO_ALERTMANAGER = Target(
    kind=TargetKind.OTHER,
    name="Alertmanager",
    recovery=False,
    dead="Prometheus sends its alerts to no Alertmanager. Name one in its configuration under alerting.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """How Prometheus hands alerts on: the labels that it adds and drops, and why nobody can tell, if so."""

    adds: Mapping[str, str]
    drops: tuple[Matcher, ...] = ()
    unknown: str = ""
    nowhere: bool = False

    def drops_label(self, name: str) -> bool:
        return any(one.takes(name) for one in self.drops)


def list_monitors(settings: AlertmanagerSettings, at: datetime) -> Pulled[Monitor]:
    """Without the routes and the silences nothing is known for certain, so nothing is said then."""
    visit = Visit(settings)
    items: tuple[Monitor, ...] = ()
    try:
        targets = read_targets(visit)
        groups = visit.prometheus("which rules there are", "rules")["groups"]
        sender = _sender(visit)
        routing = read_routing(visit, settings, at)
        reader = _Reader(settings, targets, sender, routing, _recorded(groups))
        items = tuple(reader.monitors(groups))
    except ToolSilent as error:
        visit.note(str(error))
    return visit.answer(items, at)


def _recorded(groups: Iterable[Data]) -> Mapping[str, str]:
    """The metrics that one recording rule makes; of one that several make nobody knows which."""
    rules = [rule for group in groups for rule in group["rules"] if rule.get("type") == "recording"]
    often = Counter(rule["name"] for rule in rules)
    return {rule["name"]: rule["query"] for rule in rules if often[rule["name"]] == 1}


def _sender(visit: Visit) -> Sender:
    active = visit.prometheus("where it sends alerts", "alertmanagers")["activeAlertmanagers"]
    told = visit.prometheus("how it labels alerts", "status/config")
    config = read_yaml("Prometheus", told.get("yaml"))
    alerting = config.get("alerting") or {}
    relabelling = [
        *(alerting.get("alert_relabel_configs") or ()),
        *(
            one
            for each in alerting.get("alertmanagers") or ()
            for one in each.get("alert_relabel_configs") or ()
        ),
    ]
    adds = {
        str(name): str(value)
        for name, value in ((config.get("global") or {}).get("external_labels") or {}).items()
    }
    drops = tuple(
        Matcher("", Sign.MATCHES, str(one.get("regex")))
        for one in relabelling
        if one.get("action") == "labeldrop"
    )
    unknown = ""
    if len(drops) < len(relabelling):
        unknown = "Prometheus changes labels of alerts (alert_relabel_configs), which socmon cannot weigh."
    try:
        for one in drops:
            one.takes("")
    except Unreadable as error:
        drops, unknown = (), str(error)
    return Sender(adds=adds, drops=drops, unknown=unknown, nowhere=not active)


class _Reader:
    def __init__(
        self,
        settings: AlertmanagerSettings,
        targets: Targets,
        sender: Sender,
        routing: Routing,
        recorded: Mapping[str, str],
    ) -> None:
        self._settings, self._targets, self._sender = settings, targets, sender
        self._routing, self._recorded = routing, recorded
        self._choices: dict[frozenset[Matcher], Sequence[scraped.Target] | None] = {}

    def monitors(self, groups: Iterable[Data]) -> Iterator[Monitor]:
        seen: Counter[str] = Counter()
        for group in groups:
            for rule in group["rules"]:
                if rule.get("type") == "alerting":
                    file = str(group.get("file")).rpartition("/")[2]
                    named = f"{line(file, 120)}:{line(group['name'], 80)}:{line(rule['name'], 80)}"
                    seen[named] += 1
                    number = f"#{seen[named]}" if seen[named] > 1 else ""
                    yield from self._of(rule, f"{named}{number}")

    def _of(self, rule: Data, named: str) -> Iterator[Monitor]:
        """One, or one for each way that its alerts may go."""
        condition = read_expression(text(rule["query"], 20_000), self._recorded)
        watches = self._watched(condition)
        every = self._labels(rule, condition)
        base = _monitor(rule, named, condition, watches, self._settings)
        for chosen, labels in self._routing.variants(every):
            parted = replace(watches, tags={**watches.tags, **chosen}) if chosen else watches
            silenced, mutes = self._silence(labels, condition.measure)
            suffix = ",".join(f"{name}={value}" for name, value in chosen.items())
            yield replace(
                base,
                id=f"{named}{{{suffix}}}" if suffix else named,
                watches=parted,
                silenced=base.silenced or silenced,
                mutes=mutes,
                targets=self._ends(labels),
            )

    def _ends(self, labels: Labels) -> tuple[Target, ...]:
        if self._sender.nowhere:
            return (NO_ALERTMANAGER,)
        found = self._routing.targets(labels)
        if self._sender.unknown:
            return tuple(replace(one, dead=one.dead or self._sender.unknown) for one in found)
        return found

    def _watched(self, condition: Condition) -> Watches:
        if condition.unreadable:
            return Watches(unreadable=condition.unreadable)
        try:
            _require_all_series(condition)
            return self._chosen(condition.matchers, _series(condition.measure))
        except Unreadable as error:
            return Watches(unreadable=str(error))

    def _chosen(self, matchers: Iterable[Matcher], series: frozenset[str]) -> Watches:
        """Which machines these matchers choose; those for labels of a machine's `series` are no business of this.

        Regular expressions are held against the values that the targets have now. Raises Unreadable.
        """
        identities: frozenset[Identity] | None = None
        tags: dict[str, str] = {}
        without: dict[str, str] = {}
        for matcher in sorted(matchers, key=str):
            name, values = matcher.name, self._targets.values.get(matcher.name)
            if name == INSTANCE:
                found = self._instances(matcher)
                identities = found if identities is None else identities & found
            elif name in series:
                continue
            elif values is None:
                raise Unreadable(f"It chooses by {matcher}, a label that no scraped node_exporter has.")
            elif matcher.sign is Sign.NOT_EQUAL and matcher.value:
                without[name] = _with(without.get(name), matcher.value)
            else:
                _restrict(tags, name, matcher, values)
        if identities is not None and not identities:
            raise Unreadable("It chooses no instance that is scraped.")
        return Watches(identities=identities or frozenset(), tags=tags, without=without)

    def _instances(self, matcher: Matcher) -> frozenset[Identity]:
        if matcher.sign is Sign.EQUAL:
            return frozenset({self._targets.named(matcher.value)})
        return frozenset(one.identities[0] for one in self._targets.every if matcher.takes(one.instance))

    def _labels(self, rule: Data, condition: Condition) -> Labels:
        """The labels of the rule's alerts: of its series, then the rule's own, then what Prometheus adds."""
        own = {str(name): str(value) for name, value in (rule.get("labels") or {}).items()}
        fixed = {name: value for name, value in own.items() if "{{" not in value} | {
            "alertname": rule["name"]
        }
        opened: dict[str, frozenset[str] | None] = {
            name: None for name, value in own.items() if "{{" in value
        }
        series, chosen = _series(condition.measure), self._chosen_by(condition.matchers)
        there = condition.labels if condition.labels is not None else {*self._targets.values, *series}
        for name in sorted(self._routing.names & there - set(own)):
            known = chosen is not None and name in self._targets.values
            opened[name] = frozenset(one.labels.get(name, "") for one in chosen or ()) if known else None
        for name, value in self._sender.adds.items():
            possible = opened.get(name, frozenset({""}))
            if name not in own and possible is not None and "" in possible:
                opened[name] = frozenset({value}) if possible == {""} else None
        fixed = {name: value for name, value in fixed.items() if not self._sender.drops_label(name)}
        opened = {name: each for name, each in opened.items() if not self._sender.drops_label(name)}
        known = condition.labels is not None or condition.measure is not None
        return Labels(fixed=fixed, open=opened, complete=known)

    def _chosen_by(self, matchers: frozenset[Matcher]) -> Sequence[scraped.Target] | None:
        """The machines that a rule chooses; None where that cannot be read."""
        deciding = frozenset(one for one in matchers if one.name in self._targets.values)
        if deciding not in self._choices:
            try:
                self._choices[deciding] = [
                    each
                    for each in self._targets.every
                    if all(one.takes(each.labels.get(one.name, "")) for one in deciding)
                ]
            except Unreadable:
                self._choices[deciding] = None
        return self._choices[deciding]

    def _silence(self, labels: Labels, measure: Measure | None) -> tuple[str, tuple[Mute, ...]]:
        """Why all of it is silent, else for which machines. One that cannot be read silences all."""
        mutes: list[Mute] = []
        for silence in self._routing.silences:
            try:
                held = labels.holds(silence.matchers)
                if held is Holds.NO:
                    continue
                deciding = [one for one in silence.matchers if labels.holds((one,)) is Holds.PERHAPS]
                watches = self._chosen(deciding, _series(measure))
            except Unreadable:
                return f"perhaps {silence.why} Its matchers cannot be weighed.", ()
            # One that is about a part of a machine leaves out of it what nobody else watches.
            if watches == Watches():
                return silence.why, ()
            mutes.append(Mute(watches=watches, why=silence.why))
        return "", tuple(mutes)


def _monitor(
    rule: Data, named: str, condition: Condition, watches: Watches, settings: AlertmanagerSettings
) -> Monitor:
    error = line(rule.get("lastError"), 200) if rule.get("health") == "err" else ""
    seconds: Any = min(rule.get("duration") or 0, LONGEST_FOR)
    return Monitor(
        provider=SOURCE,
        id=named,
        name=line(rule["name"]),
        url=f"{settings.prometheus_url}/alerts?search={quote(str(rule['name']))}",
        metric=condition.metric,
        measure=condition.measure,
        watches=watches,
        comparator=condition.comparator,
        threshold=condition.threshold,
        window=condition.window + timedelta(seconds=seconds),
        # As the alert itself is read, when it comes.
        severity=severity_of(str((rule.get("labels") or {}).get("severity", ""))) or Severity.SEV3,
        enabled=rule.get("health") != "err",
        silenced=f"Prometheus cannot evaluate it: {error or 'it does not say why'}"
        if rule.get("health") == "err"
        else "",
        query=text(rule["query"]),
    )


def _series(measure: Measure | None) -> frozenset[str]:
    return SERIES_LABELS.get(measure, frozenset()) if measure else frozenset()


def _require_all_series(condition: Condition) -> None:
    """A rule that names single file systems says nothing of the others. Raises Unreadable."""
    if condition.measure is not Measure.DISK:
        return
    for matcher in condition.matchers:
        if matcher.name not in {"mountpoint", "device"}:
            continue
        if matcher.positive and (matcher.sign is Sign.EQUAL or not {".*", ".+"} & _wild(matcher.value)):
            raise Unreadable(
                f"It watches only file systems with {matcher}: nothing says whether a machine has others. Write what it"
                ' leaves out instead, as in mountpoint!~"/boot.*".'
            )
        if matcher.name == "mountpoint" and not matcher.takes(ROOT):
            raise Unreadable("It leaves out the root file system.")


def _wild(written: str) -> set[str]:
    return {each for each in (".*", ".+") if each in written}


def _restrict(tags: dict[str, str], name: str, matcher: Matcher, values: frozenset[str]) -> None:
    """What is left of the values, as a tag; nothing where all may stay. Raises Unreadable."""
    taken = {matcher.value} if matcher.sign is Sign.EQUAL else {one for one in values if matcher.takes(one)}
    if values <= taken and len(values) > 1:
        return
    if "" in taken or any("," in one for one in taken):
        raise Unreadable(f"socmon cannot say which machines {matcher} chooses.")
    if name in tags:
        taken &= set(tags[name].split(","))
    if not taken:
        raise Unreadable(f"It chooses by {matcher}, and nothing that is scraped has such a {name}.")
    tags[name] = ",".join(sorted(taken))


def _with(before: str | None, value: str) -> str:
    return f"{before},{value}" if before else value
