"""What a monitor is: an alert rule of a tool, in words that all tools share; and what is known of metrics and routes.

Datadog says monitor, New Relic condition, CloudWatch alarm, Prometheus rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from bot.domain.alert import Severity
from bot.domain.component import Component, Identity, Measure


class Reports(StrEnum):
    """Whether a metric of a component arrives in its tool. Unknown is never taken for reporting."""

    REPORTING = "reporting"
    STALE = "stale"  # the last value is older than two intervals
    SILENT = "silent"  # known to the tool, and without a value in the window that was asked for
    NOT_CONFIGURED = "not_configured"
    UNKNOWN = "unknown"  # the tool did not say


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricReading:
    """What a tool says of one metric of a component. `metric` is the tool's name, `last_at` its newest value's time."""

    identity: Identity
    measure: Measure
    metric: str
    last_at: datetime | None = None
    interval: timedelta = timedelta(minutes=5)

    def state(self, at: datetime) -> Reports:
        if self.last_at is None:
            return Reports.SILENT
        return Reports.REPORTING if at - self.last_at <= 2 * self.interval else Reports.STALE


class Comparator(StrEnum):
    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="
    ABSENT = "absent"  # it alerts when the signal is lost
    OTHER = (
        "other"  # anomaly, outlier, forecast, composite: no threshold that a standard could be compared with
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Watches:
    """Which components a monitor is about. It watches a component that has all of `tags` and none of `without`.

    `identities`, when given, names them outright. With neither it watches everything of its tool that reports the
    metric. `unreadable` says why the tool's own filter could not be read: then nothing is taken for watched. What was
    read of it stands in the other fields all the same.

    Several values of a tag stand side by side with commas between them ("web,db"): a component has all of them, in
    `tags` one of them is enough, in `without` each keeps a component out. Case does not matter in
    values.

    `part` is the one that it watches of a component that has several (a file system, a target group), and `parts` are
    all that its tool knows there; "" and empty where it watches the whole.
    """

    identities: frozenset[Identity] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)
    without: Mapping[str, str] = field(default_factory=dict)
    unreadable: str = ""
    part: str = ""
    parts: frozenset[str] = frozenset()

    def sees(self, component: Component) -> bool:
        """Whether it is about this component, as its own tool knows it; whether the metric arrives is not asked."""
        if self.unreadable or (self.identities and not self.identities & component.identities):
            return False
        has = component.tags
        return all(shares(has.get(name), wanted) for name, wanted in self.tags.items()) and not any(
            shares(has.get(name), refused) for name, refused in self.without.items()
        )


def shares(has: str | None, wanted: str) -> bool:
    """Whether a component's tag (None: it has none of that name) has one of the values that are wanted."""
    if has is None:
        return False
    if "," not in has and "," not in wanted:
        return has.casefold() == wanted.casefold()
    return not _values(has).isdisjoint(_values(wanted))


def _values(written: str) -> frozenset[str]:
    return frozenset(value.strip().casefold() for value in written.split(","))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """Components for which a monitor that is on sends nothing at present, and why."""

    watches: Watches
    why: str


class TargetKind(StrEnum):
    """Where a notification goes."""

    SLACK = "slack"
    PAGERDUTY = "pagerduty"
    EMAIL = "email"
    SNS = "sns"
    WEBHOOK = "webhook"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One end of a monitor's route: `name` as the tool writes it ("slack-ops", "arn:aws:sns:…", "kim@example.com").

    `dead` says why nobody gets it, with the mend; "" when the tool sees nothing wrong. `recovery` is whether it is
    told of recoveries too. `reaches` is the far end where the tool knows it: a PagerDuty service or integration key, a
    Slack channel's name, an e-mail address, a URL.
    """

    kind: TargetKind
    name: str
    reaches: tuple[str, ...] = ()
    recovery: bool = True
    dead: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """An alert rule. `id` is the tool's own; `measure` None where it watches none of what counts.

    It fires when the metric is beyond `threshold` (in the unit of the measure: per cent for CPU, memory and disk used;
    bytes for what is free, where a tool knows only that; seconds for latency; a count otherwise) for `window`.
    `modified_by_tool` says whose date `modified_at` is: the tool's, or else that socmon first saw it so. `silenced`
    says why nothing is sent though it is enabled (muted, downtime, actions off), "" when nothing is in the way. `mutes`
    are the parts of what it watches for which it is silent while it speaks for the rest. `no_data_window` is for how
    long nothing has to arrive before it alerts on that, None where that is `window`.
    """

    provider: str
    id: str
    name: str
    url: str
    metric: str
    measure: Measure | None
    watches: Watches
    comparator: Comparator
    threshold: Decimal | None
    window: timedelta
    severity: Severity | None
    enabled: bool = True
    silenced: str = ""
    mutes: tuple[Mute, ...] = ()
    alerts_on_no_data: bool = False
    no_data_window: timedelta | None = None
    targets: tuple[Target, ...] = ()
    modified_at: datetime | None = None
    modified_by_tool: bool = True
    query: str = ""
