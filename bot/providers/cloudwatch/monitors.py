"""CloudWatch's alarms as monitors: of which component and measure, at what threshold, and whether anybody would hear.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bot.domain.alert import Severity
from bot.domain.component import Identity, Measure
from bot.domain.monitor import Comparator, Monitor, Watches
from bot.providers.cloudwatch.alarm import console_address, named_severity
from bot.providers.cloudwatch.aws import Missing, Place
from bot.providers.cloudwatch.metrics import KEPT, SISTERS, Kept, Source, Unit, Use, list_dimensions, part_of
from bot.providers.cloudwatch.resources import INSTANCE
from bot.providers.cloudwatch.routes import NO_ACTION, Routes, through
from bot.providers.cloudwatch.settings import NAME, CloudWatchSettings
from bot.providers.contract import severity_of

Data = Mapping[str, Any]

SEVERITY_TAG = "severity"
_KINDS = ("MetricAlarms", "CompositeAlarms", "LogAlarms")
_TYPES = ["MetricAlarm", "CompositeAlarm", "LogAlarm"]  # without these only metric alarms are told of
_COMPARATORS = {
    "GreaterThanThreshold": Comparator.ABOVE,
    "GreaterThanOrEqualToThreshold": Comparator.AT_LEAST,
    "LessThanThreshold": Comparator.BELOW,
    "LessThanOrEqualToThreshold": Comparator.AT_MOST,
}
_FLIPPED = {
    Comparator.ABOVE: Comparator.BELOW,
    Comparator.AT_LEAST: Comparator.AT_MOST,
    Comparator.BELOW: Comparator.ABOVE,
    Comparator.AT_MOST: Comparator.AT_LEAST,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an alarm asks CloudWatch for. `math` when a formula or a band stands between it and the threshold."""

    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: str
    period: int
    account: str = ""
    math: bool = False


def list_monitors(place: Place, settings: CloudWatchSettings) -> list[Monitor]:
    """All alarms of one account and region."""
    alarms: dict[str, list[Data]] = {kind: [] for kind in _KINDS}
    for page in place.pages("cloudwatch", "describe_alarms", size=100, AlarmTypes=_TYPES):
        for kind in _KINDS:
            alarms[kind] += page.get(kind, ())
    if not any(alarms.values()):
        return []
    reading = _Reading(place, settings)
    found = {alarm["AlarmName"]: reading.monitor(alarm) for kind in _KINDS for alarm in alarms[kind]}
    for composite in alarms["CompositeAlarms"]:
        parent = found[composite["AlarmName"]]
        for name in through(composite["AlarmRule"]) & found.keys():
            found[name] = _told_through(found[name], parent)
    return list(found.values())


class _Reading:
    """What is looked up once for all alarms of a place."""

    def __init__(self, place: Place, settings: CloudWatchSettings) -> None:
        self._place = place
        self._routes = Routes(place, settings)
        self._severities = dict(_severities(place))
        self._muted = dict(_muted(place))
        self._sent: dict[Kept, list[dict[str, str]] | None] = {}
        self._active: dict[Kept, dict[tuple[str, ...], set[str]]] = {}

    def monitor(self, alarm: Data) -> Monitor:
        asked = _asked(alarm)
        kept, watches = self._watched(asked) if asked else (None, Watches(unreadable=_why_unread(alarm)))
        comparator, threshold = _bar(alarm, asked, kept)
        return Monitor(
            provider=NAME,
            id=alarm["AlarmArn"],
            name=alarm["AlarmName"],
            url=console_address(alarm["AlarmArn"], alarm["AlarmName"]),
            metric=f"{asked.namespace} {asked.metric}" if asked else "",
            measure=kept.measure if kept else None,
            watches=watches,
            comparator=comparator,
            threshold=threshold,
            window=_window(alarm, asked),
            severity=self._severities.get(alarm["AlarmArn"])
            or named_severity(alarm["AlarmName"], alarm.get("AlarmDescription") or ""),
            silenced=self._silenced(alarm),
            alerts_on_no_data=_alerts_on_no_data(alarm),
            targets=self._routes.targets(alarm, _told_by(alarm, kept)),
            modified_at=alarm.get("AlarmConfigurationUpdatedTimestamp"),
            query=_query(alarm, asked),
        )

    def _watched(self, asked: Asked) -> tuple[Kept | None, Watches]:
        namespace = "AWS/RDS" if asked.namespace in SISTERS.values() else asked.namespace
        same = [
            kept
            for kept in KEPT
            if (kept.namespace, kept.metric) == (namespace, asked.metric)
            and kept.use is not Use.READING
            and (kept.statistic == "SampleCount") == (asked.statistic == "SampleCount")
        ]
        if not same:
            return None, Watches(unreadable=f"{asked.namespace} {asked.metric} is none of what counts.")
        kept = next((one for one in same if one.fits(asked.dimensions)), None)
        if kept is None:
            return same[0], Watches(unreadable=_wrong_dimensions(same, asked))
        part, parts = self._part(kept, asked.dimensions)
        arn = kept.resource.arn(
            asked.dimensions,
            partition=self._place.partition,
            region=self._place.region,
            account=asked.account or self._place.account,
        )
        identities = {Identity("arn", arn)}
        if kept.resource is INSTANCE:
            identities.add(Identity("instance", asked.dimensions["InstanceId"]))
        why = self._why_never_sent(kept, asked) if kept.source is Source.AGENT else ""
        return kept, Watches(identities=frozenset(identities), unreadable=why, part=part, parts=parts)

    def _part(self, kept: Kept, dimensions: Mapping[str, str]) -> tuple[str, frozenset[str]]:
        """(which file system or target group it is about, all that are active there); nothing for the whole."""
        part = part_of(kept, dimensions)
        if not part:
            return "", frozenset()
        if kept not in self._active:
            self._active[kept] = {}
            for each in list_dimensions(self._place, kept, active=True):
                if kept.fits(each) and (name := part_of(kept, each)):
                    self._active[kept].setdefault(kept.owner(each), set()).add(name)
        return part, frozenset({part, *self._active[kept].get(kept.owner(dimensions), ())})

    def _why_never_sent(self, kept: Kept, asked: Asked) -> str:
        """An agent chooses its dimensions, and an alarm that misses one of them never gets a value."""
        if kept not in self._sent:
            failures = len(self._place.aws.failures)
            listed = list(list_dimensions(self._place, kept, active=False))
            self._sent[kept] = listed if len(self._place.aws.failures) == failures else None
        sent = self._sent[kept]
        if sent is None:
            return f"CloudWatch did not say with which dimensions {kept.name} is sent."
        if asked.dimensions in sent:
            return ""
        return (
            f"No agent sends {kept.name} with exactly the dimensions {_text(asked.dimensions)}, so the alarm gets no"
            " values. Give it those that aws cloudwatch list-metrics shows."
        )

    def _silenced(self, alarm: Data) -> str:
        name = alarm["AlarmName"]
        if not alarm.get("ActionsEnabled", True):
            return (
                "Its actions are switched off (ActionsEnabled=false), so nobody is told. Switch them on: aws cloudwatch"
                f' enable-alarm-actions --alarm-names "{name}"'
            )
        if rule := self._muted.get(name):
            return f"The alarm mute rule {rule} mutes it now. Wait until it ends, or delete the rule."
        if by := alarm.get("ActionsSuppressedBy"):
            why = alarm.get("ActionsSuppressedReason") or f"{by}"
            return f"Its actions are suppressed by {alarm.get('ActionsSuppressor', 'another alarm')}: {why}"
        return ""


def _bar(alarm: Data, asked: Asked | None, kept: Kept | None) -> tuple[Comparator, Decimal | None]:
    """The threshold in the unit of the measure; OTHER where no standard could be compared with it."""
    comparator = _COMPARATORS.get(alarm.get("ComparisonOperator", ""))
    told = alarm.get("Threshold")
    if comparator is None or told is None or asked is None or kept is None or asked.math:
        return Comparator.OTHER, None
    if asked.statistic == "Sum" and kept.statistic != "Sum":
        return Comparator.OTHER, None
    threshold = Decimal(str(told))
    match kept.unit:
        case Unit.AS_IS:
            return comparator, threshold
        case Unit.MILLISECONDS:
            return comparator, threshold / 1000
        case Unit.PERCENT_FREE:
            return _FLIPPED[comparator], 100 - threshold
        case Unit.OTHER:
            return Comparator.OTHER, None


def _severities(place: Place) -> Iterator[tuple[str, Severity]]:
    """By the tag of the alarm; asked for a hundred at a time, since one alarm's tags cost a request each."""
    for one in place.every(
        "resourcegroupstaggingapi",
        "get_resources",
        "ResourceTagMappingList",
        size=100,
        ResourceTypeFilters=["cloudwatch:alarm"],
        TagFilters=[{"Key": SEVERITY_TAG}],
    ):
        for tag in one["Tags"]:
            if tag["Key"] == SEVERITY_TAG and (severity := severity_of(tag["Value"])):
                yield one["ResourceARN"], severity


def _muted(place: Place) -> Iterator[tuple[str, str]]:
    """Alarm → the rule that mutes it now.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListAlarmMuteRules.html
    """
    for rule in place.every(
        "cloudwatch", "list_alarm_mute_rules", "AlarmMuteRuleSummaries", Statuses=["ACTIVE"]
    ):
        name = rule["AlarmMuteRuleArn"].partition(":alarm-mute-rule:")[2]
        try:
            for told in place.pages("cloudwatch", "get_alarm_mute_rule", AlarmMuteRuleName=name):
                for alarm in told.get("MuteTargets", {}).get("AlarmNames", ()):
                    yield alarm, name
        except Missing:
            continue  # it was deleted meanwhile


def _told_through(child: Monitor, parent: Monitor) -> Monitor:
    """The composite alarm goes off with it, so whoever that one tells hears of it."""
    if parent.silenced or all(target.dead for target in parent.targets):
        return child
    own = () if child.silenced else tuple(one for one in child.targets if one != NO_ACTION)
    more = tuple(one for one in parent.targets if one not in own)
    return replace(child, targets=own + more, silenced="")


def _asked(alarm: Data) -> Asked | None:
    """The one metric that it is about, maybe through a formula; None when there is none, or several components'."""
    if alarm.get("MetricName"):
        return Asked(
            namespace=alarm["Namespace"],
            metric=alarm["MetricName"],
            dimensions=_pairs(alarm.get("Dimensions")),
            statistic=alarm.get("Statistic") or alarm.get("ExtendedStatistic") or "",
            period=alarm["Period"],
        )
    queries = alarm.get("Metrics") or ()
    plain = [one["MetricStat"] for one in queries if one.get("MetricStat")]
    about = {
        (
            one["Metric"]["Namespace"],
            one["Metric"]["MetricName"],
            _text(_pairs(one["Metric"].get("Dimensions"))),
        )
        for one in plain
    }
    if len(about) != 1:
        return None
    one = plain[0]
    return Asked(
        namespace=one["Metric"]["Namespace"],
        metric=one["Metric"]["MetricName"],
        dimensions=_pairs(one["Metric"].get("Dimensions")),
        statistic=one.get("Stat", ""),
        period=one["Period"],
        account=next((query["AccountId"] for query in queries if query.get("AccountId")), ""),
        math=len(queries) > 1 or bool(alarm.get("ThresholdMetricId")),
    )


def _why_unread(alarm: Data) -> str:
    if alarm.get("AlarmRule"):
        return "It combines other alarms."
    if alarm.get("ScheduledQueryConfiguration"):
        return "It queries logs."
    if alarm.get("EvaluationCriteria"):
        return "It is a query in PromQL."
    return "Its query is about several metrics at once."


def _wrong_dimensions(same: Iterable[Kept], asked: Asked) -> str:
    sets = {" and ".join((*one.resource.dimensions, *one.beside)) for one in same}
    return (
        f"Its dimensions are {_text(asked.dimensions) or 'none'}. Of a single component CloudWatch keeps"
        f" {asked.namespace} {asked.metric} by {' or by '.join(sorted(sets))}."
    )


def _window(alarm: Data, asked: Asked | None) -> timedelta:
    """How long it has to last: M periods, when M of N suffice."""
    periods = alarm.get("DatapointsToAlarm") or alarm.get("EvaluationPeriods") or 0
    return timedelta(seconds=periods * asked.period) if asked else timedelta()


def _told_by(alarm: Data, kept: Kept | None) -> str:
    """By which of its actions. That something is gone shows as missing data, which may have actions of its own."""
    has_own = kept is not None and kept.measure is Measure.UPTIME and not _breaches_without_data(alarm)
    return "InsufficientDataActions" if has_own and alarm.get("InsufficientDataActions") else "AlarmActions"


def _breaches_without_data(alarm: Data) -> bool:
    return bool(alarm.get("TreatMissingData") == "breaching")


def _alerts_on_no_data(alarm: Data) -> bool:
    """As if the threshold were breached; or by a state of its own, when somebody is told of that."""
    missing = (alarm.get("TreatMissingData") or "missing") == "missing"
    return _breaches_without_data(alarm) or (missing and bool(alarm.get("InsufficientDataActions")))


def _query(alarm: Data, asked: Asked | None) -> str:
    if rule := alarm.get("AlarmRule"):
        return str(rule)
    if criteria := alarm.get("EvaluationCriteria"):
        return str(criteria.get("PromQLCriteria", {}).get("Query", ""))
    if not asked:
        expressions = [one["Expression"] for one in alarm.get("Metrics") or () if one.get("Expression")]
        return "; ".join(expressions)
    periods = alarm.get("EvaluationPeriods")
    return (
        f"{asked.statistic} of {asked.namespace} {asked.metric} ({_text(asked.dimensions)})"
        f" {alarm.get('ComparisonOperator')} {alarm.get('Threshold', alarm.get('ThresholdMetricId'))} for"
        f" {alarm.get('DatapointsToAlarm') or periods} of {periods} × {asked.period} s"
    )


def _pairs(dimensions: Iterable[Data] | None) -> dict[str, str]:
    return {one["Name"]: one["Value"] for one in dimensions or ()}


def _text(dimensions: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(dimensions.items()))
