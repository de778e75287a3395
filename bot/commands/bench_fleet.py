"""A fleet to measure coverage with, and the part of the measuring that runs beside the server.

Datadog and AWS see its hosts, New Relic its containers, AWS alone the rest; a few of all report nothing or are not
watched.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bot.domain.answers import Subject
from bot.domain.component import MEASURES, Component, Identity, Kind, Measure
from bot.domain.monitor import Comparator, MetricReading, Monitor, Target, TargetKind, Watches
from bot.domain.scope import InScope
from bot.domain.standard import Standard
from bot.procedures import assess_coverage
from bot.procedures.assess_coverage import Told
from bot.providers.contract import Fleet, Pulled
from jobs.collect_coverage import Asked, Read, entries_of, out

TOOLS = ("datadog", "cloudwatch", "newrelic")
TEAMS = 50
KINDS = (
    *(12 * [Kind.HOST]),
    *(4 * [Kind.CONTAINER]),
    Kind.DATABASE,
    Kind.CACHE,
    Kind.FUNCTION,
    Kind.LOAD_BALANCER,
)
SEEN_BY = {Kind.HOST: ("datadog", "cloudwatch"), Kind.CONTAINER: ("newrelic",)}
IN_AWS = (Measure.CPU, Measure.NETWORK)  # of a host; the rest is its agent's
SILENT_EVERY = 100
UNWATCHED_EVERY = 50
OPS = (Target(kind=TargetKind.SLACK, name="slack-ops", reaches=("ops",)),)


def _sources(kind: Kind) -> tuple[str, ...]:
    return SEEN_BY.get(kind, ("cloudwatch",))


def _identities(kind: Kind, number: int, source: str) -> frozenset[Identity]:
    if source == "datadog":
        return frozenset({Identity("host", f"web-{number}"), Identity("instance", f"i-{number:017x}")})
    if source == "newrelic":
        return frozenset(
            {Identity("guid", f"MXxJTkZSQXxOQXw{number:012d}"), Identity("name", f"pod-{number}")}
        )
    if kind is Kind.HOST:
        arn = f"arn:aws:ec2:eu-west-1:123456789012:instance/i-{number:017x}"
        return frozenset({Identity("arn", arn), Identity("instance", f"i-{number:017x}")})
    return frozenset({Identity("arn", f"arn:aws:{kind}:eu-west-1:123456789012:{kind}/{number}")})


def components(source: str, start: int, end: int) -> Iterator[Component]:
    """What a tool sees of the fleet's members from one number to another."""
    for number in range(start, end):
        kind = KINDS[number % len(KINDS)]
        if source in _sources(kind):
            yield Component(
                kind=kind,
                name=f"{kind}-{number}",
                identities=_identities(kind, number, source),
                sources=frozenset({source}),
                account="123456789012" if source == "cloudwatch" else "",
                region="eu-west-1" if source == "cloudwatch" else "",
                tags={"env": "prod", "team": f"team-{number % TEAMS}", "service": f"service-{number % 500}"},
            )


def approved(start: int, end: int) -> list[InScope]:
    """The inventory as people keep it: each component with the name that its first tool has for it."""
    found = []
    for number in range(start, end):
        source = _sources(KINDS[number % len(KINDS)])[0]
        (one,) = components(source, number, number + 1)
        known = Component(
            kind=one.kind, name=one.name, identities=one.identities, sources=frozenset({"inventory.csv"})
        )
        found.append(InScope(component=known, owner=f"team-{number % TEAMS}"))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchFleet(Fleet):
    """A tool that answers at once and in full."""

    source: str
    size: int
    standard: Standard

    def list_components(self, at: datetime) -> Pulled[Component]:
        return Pulled(items=tuple(components(self.source, 0, self.size)), complete=True, as_of=at)

    def read_metrics(self, components: Sequence[Component], at: datetime) -> Pulled[MetricReading]:
        just_now, found = at - timedelta(minutes=1), []
        for number, one in enumerate(components):
            if self.source not in one.sources:
                continue
            identity = min(one.identities)
            some = IN_AWS if (one.kind, self.source) == (Kind.HOST, "cloudwatch") else MEASURES[one.kind]
            found += [
                MetricReading(
                    identity=identity,
                    measure=measure,
                    metric=f"{self.source}.{measure}",
                    last_at=just_now if number % SILENT_EVERY else None,
                )
                for measure in some
            ]
        return Pulled(items=tuple(found), complete=True, as_of=at, calls=1)

    def list_monitors(self, at: datetime) -> Pulled[Monitor]:
        """By team in Datadog and New Relic, by name in AWS."""
        found = []
        if self.source == "cloudwatch":
            for one in components(self.source, 0, self.size):
                if one.kind is not Kind.HOST:
                    watches = Watches(identities=one.identities)
                    found += [
                        self._monitor(one.kind, each, watches, f"{one.name}-{each}")
                        for each in self._measures(one.kind)
                    ]
        else:
            kind = Kind.HOST if self.source == "datadog" else Kind.CONTAINER
            for team in range(TEAMS):
                if team % UNWATCHED_EVERY:
                    watches = Watches(tags={"env": "prod", "team": f"team-{team}"})
                    found += [
                        self._monitor(kind, each, watches, f"team-{team}-{each}")
                        for each in self._measures(kind)
                    ]
        return Pulled(items=tuple(found), complete=True, as_of=at, calls=1)

    def _measures(self, kind: Kind) -> list[Measure]:
        return [each for each in MEASURES[kind] if self.standard.alternatives(kind, each)]

    def _monitor(self, kind: Kind, measure: Measure, watches: Watches, name: str) -> Monitor:
        rule = self.standard.alternatives(kind, measure)[0]
        signal = rule.comparator is Comparator.ABSENT
        return Monitor(
            provider=self.source,
            id=name,
            name=name,
            url=f"https://{self.source}.example.com/{name}",
            metric=f"{self.source}.{measure}",
            measure=measure,
            watches=watches,
            comparator=rule.comparator,
            threshold=None if signal else rule.threshold or Decimal(0),
            window=rule.window,
            severity=None,
            alerts_on_no_data=True,
            targets=OPS,
        )


def recompute(read: Read, asked: Asked) -> Iterator[Any]:
    """As `look_around`, with what the tools said before; how long each step took goes with it."""
    times = [(time.perf_counter(), time.process_time())]

    def step() -> None:
        times.append((time.perf_counter(), time.process_time()))

    before = read(assess_coverage.before)
    ages = {(age.provider, age.subject): age for age in read(assess_coverage.ages)}
    told = [
        Told(
            provider=tool,
            metrics=ages[tool, Subject.METRICS],
            monitors=ages[tool, Subject.MONITORS],
            packed_metrics=before.metrics[tool],
            packed_monitors=before.monitors[tool],
            changes=(),
        )
        for tool in asked.fleets
    ]
    yield from told
    entries = entries_of(read, before.scope)
    step()
    found = assess_coverage.look(
        entries,
        told,
        standard=asked.standard,
        routes=asked.routes,
        now=asked.clock.now(),
        time_to_live=asked.time_to_live,
    )
    step()
    change = assess_coverage.compare(
        found, out(read), standard=asked.standard, scope=before.scope, after=before.newest
    )
    step()
    (began, _), (read_at, _), (assessed_at, _), (compared_at, processor) = times
    yield {
        "read_s": round(read_at - began, 2),
        "assess_s": round(assessed_at - read_at, 2),
        "compare_s": round(compared_at - assessed_at, 2),
        "processor_s": round(processor, 2),
        "memory_mib": most_mib(),
    }
    yield from change.parts()
    yield change.summary


def most_mib() -> int | None:
    """The most memory that this process ever held, where /proc tells; its parent's is not its own."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((round(int(line.split()[1]) / 1024) for line in lines if line.startswith("VmHWM")), None)
