"""When Prometheus last heard each measure of a machine: one instant query a measure for all of them at once.

An instant query finds values of the last five minutes; the series of a target that cannot be scraped end at once.
https://prometheus.io/docs/prometheus/latest/querying/basics/#staleness
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bot.domain.component import Component, Identity, Measure
from bot.domain.errors import ToolSilent
from bot.domain.monitor import MetricReading
from bot.providers.alertmanager.asked import Visit
from bot.providers.alertmanager.inventory import INSTANCE, Target, read_targets, vector
from bot.providers.alertmanager.promql import AVAILABLE, CPU, FILESYSTEM, NETWORK, UP
from bot.providers.alertmanager.settings import AlertmanagerSettings
from bot.providers.contract import Pulled

READ: Mapping[Measure, tuple[str, str]] = {
    Measure.CPU: (CPU, f'{CPU}{{mode="idle"}}'),
    Measure.MEMORY: (AVAILABLE, AVAILABLE),
    Measure.DISK: (FILESYSTEM, FILESYSTEM),
    Measure.NETWORK: (NETWORK[0], NETWORK[0]),
    Measure.UPTIME: (UP, f"{UP} == 1"),
}
"""Measure → (metric, what is read of it)."""
LATEST = 10**11


def read_metrics(
    settings: AlertmanagerSettings, components: Sequence[Component], at: datetime
) -> Pulled[MetricReading]:
    visit = Visit(settings)
    found: list[MetricReading] = []
    try:
        targets = read_targets(visit)
        ours = {identity: one for one in components for identity in one.identities}
        known = [each for each in targets.every if any(one in ours for one in each.identities)]
        for measure, (metric, selector) in READ.items():
            newest = _newest(visit, metric, selector)
            found += (_reading(measure, metric, target, ours, newest) for target in known)
    except ToolSilent as error:
        visit.note(str(error))
    return visit.answer(found, at)


def _newest(visit: Visit, metric: str, selector: str) -> Mapping[tuple[str, str], datetime]:
    query = f"max by (job, {INSTANCE}) (timestamp({selector}))"
    return {
        (labels.get("job", ""), labels.get(INSTANCE, "")): _at(value)
        for labels, value in vector(visit, f"who reports {metric}", query)
    }


def _at(value: float) -> datetime:
    """Raises ValueError for what is no time."""
    if not 0 < value < LATEST:
        raise ValueError(f"{value} is no time")
    return datetime.fromtimestamp(value, UTC)


def _reading(
    measure: Measure,
    metric: str,
    target: Target,
    ours: Mapping[Identity, Component],
    newest: Mapping[tuple[str, str], datetime],
) -> MetricReading:
    """A machine that is scraped and not in the answer has no value: that too is a fact."""
    identity = next(one for one in target.identities if one in ours)
    return MetricReading(
        identity=identity,
        measure=measure,
        metric=metric,
        last_at=newest.get((target.labels.get("job", ""), target.instance)),
        interval=target.interval,
    )
