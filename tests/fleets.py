"""A covered component for tests, each test spoiling what it is about."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bot.domain.alert import Severity
from bot.domain.answers import Known
from bot.domain.component import MEASURES, Component, Identity, Kind, Measure
from bot.domain.coverage import Assessment, assess
from bot.domain.monitor import Comparator, MetricReading, Monitor, Target, TargetKind, Watches
from bot.domain.route import Routes
from bot.domain.scope import Criticality, InScope
from bot.domain.standard import Rule, Standard
from tests.rosters import NOW, roster

TTL = timedelta(minutes=45)
WEB = Identity("host", "web-1")
OPS = Target(kind=TargetKind.PAGERDUTY, name="@pagerduty-Ops")
ROUTES = Routes(
    approved=frozenset({"ops", "arn:aws:sns:eu-west-1:1:ops"}),
    services={"ops": "platform"},
    own=frozenset({"https://socmon.example.com"}),
    team="platform",
    roster=roster(),
)


def rule(comparator: Comparator, threshold: int | None, minutes: int = 5, *, no_data: bool = False) -> Rule:
    return Rule(
        comparator=comparator,
        threshold=None if threshold is None else Decimal(threshold),
        window=timedelta(minutes=minutes),
        no_data=no_data,
    )


STANDARD = Standard(
    rules={
        Kind.HOST: {
            Measure.CPU: (rule(Comparator.ABOVE, 85),),
            Measure.MEMORY: (rule(Comparator.ABOVE, 90), rule(Comparator.BELOW, 1_000_000_000)),
            Measure.DISK: (rule(Comparator.ABOVE, 85),),
            Measure.UPTIME: (rule(Comparator.ABSENT, None),),
        },
        Kind.FUNCTION: {Measure.ERRORS: (rule(Comparator.AT_LEAST, 1),)},
    },
    severities={Kind.HOST: {Criticality.MEDIUM: Severity.SEV3}},
)


def in_scope(name: str = "web-1", kind: Kind = Kind.HOST, **facts: Any) -> InScope:
    known: dict[str, Any] = {
        "identities": frozenset({Identity("host", name)}),
        "sources": frozenset({"datadog"}),
        "tags": {"env": "prod"},
    }
    component = Component(kind=kind, name=name, **(known | facts))
    return InScope(component=component)


def reading(measure: Measure, minutes_old: float | None = 1, *, of: Identity = WEB) -> MetricReading:
    last = None if minutes_old is None else NOW - timedelta(minutes=minutes_old)
    return MetricReading(identity=of, measure=measure, metric=f"system.{measure}", last_at=last)


def monitor(measure: Measure = Measure.CPU, **facts: Any) -> Monitor:
    signal = measure is Measure.UPTIME
    known: dict[str, Any] = {
        "provider": "datadog",
        "id": f"{measure}-1",
        "name": f"{measure} of production",
        "url": "https://app.datadoghq.com/monitors/1",
        "metric": f"system.{measure}",
        "watches": Watches(tags={"env": "prod"}),
        "comparator": Comparator.ABSENT if signal else Comparator.ABOVE,
        "threshold": None if signal else Decimal(85),
        "window": timedelta(minutes=5),
        "severity": Severity.SEV3,
        "targets": (OPS,),
    }
    return Monitor(measure=measure, **(known | facts))


READINGS = tuple(reading(measure) for measure in MEASURES[Kind.HOST])
MONITORS = tuple(monitor(measure) for measure in MEASURES[Kind.HOST] if measure is not Measure.NETWORK)


NEVER: Known[Any] = Known()


def whole(items: Iterable[Any], minutes_old: float = 0) -> Known[Any]:
    return NEVER.take(tuple(items), complete=True, as_of=NOW - timedelta(minutes=minutes_old))


def look(
    *scope: InScope,
    readings: Mapping[str, Known[MetricReading]] | None = None,
    monitors: Mapping[str, Known[Monitor]] | None = None,
    standard: Standard = STANDARD,
    routes: Routes = ROUTES,
) -> Assessment:
    """Assess what is covered unless it is said otherwise."""
    return assess(
        {one.component.key: one for one in scope or (in_scope(),)},
        readings={"datadog": whole(READINGS)} if readings is None else readings,
        monitors={"datadog": whole(MONITORS)} if monitors is None else monitors,
        standard=standard,
        routes=routes,
        now=NOW,
        time_to_live=TTL,
    )
