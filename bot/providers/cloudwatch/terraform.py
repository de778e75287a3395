"""What a plan of Terraform does to alarms: they are answered for as AWS would, and read like all others.

Attributes as in https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/cloudwatch_metric_alarm.
What a plan makes has no id yet. It gets one that stands in for it, in its own metrics' dimensions and in those of every
alarm that refers to it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from typing import Any
from urllib.parse import urlsplit

from bot.domain.component import Identity, Kind, Measure
from bot.domain.monitor import Monitor, Target, TargetKind, Watches
from bot.domain.plan import Foreseen, Resource, touched
from bot.providers.cloudwatch.aws import Aws, Place
from bot.providers.cloudwatch.metrics import KEPT, Source, Use
from bot.providers.cloudwatch.monitors import SEVERITY_TAG, list_monitors
from bot.providers.cloudwatch.resources import (
    APPLICATION_BALANCER,
    CACHE,
    DATABASE,
    DATABASE_CLUSTER,
    ECS_SERVICE,
    EKS_CLUSTER,
    FUNCTION,
    INSTANCE,
    NETWORK_BALANCER,
    VOLUME,
)
from bot.providers.cloudwatch.resources import Resource as Sort
from bot.providers.cloudwatch.routes import OURS, PAGERDUTY
from bot.providers.cloudwatch.settings import CloudWatchSettings
from bot.providers.contract import line

Data = Mapping[str, Any]

METRIC_ALARM, COMPOSITE_ALARM = "aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"
TOPIC, SUBSCRIPTION = "aws_sns_topic", "aws_sns_topic_subscription"

# type → (what it is in AWS, its metrics' dimensions: name → attribute)
SORTS: Mapping[str, tuple[Sort, Mapping[str, str]]] = {
    "aws_instance": (INSTANCE, {"InstanceId": "id"}),
    "aws_ebs_volume": (VOLUME, {"VolumeId": "id"}),
    "aws_db_instance": (DATABASE, {"DBInstanceIdentifier": "identifier"}),
    "aws_rds_cluster": (DATABASE_CLUSTER, {"DBClusterIdentifier": "cluster_identifier"}),
    "aws_rds_cluster_instance": (DATABASE, {"DBInstanceIdentifier": "identifier"}),
    "aws_ecs_service": (ECS_SERVICE, {"ClusterName": "cluster", "ServiceName": "name"}),
    "aws_eks_cluster": (EKS_CLUSTER, {"ClusterName": "name"}),
    "aws_lambda_function": (FUNCTION, {"FunctionName": "function_name"}),
    "aws_lb": (APPLICATION_BALANCER, {"LoadBalancer": "arn_suffix"}),
    "aws_alb": (APPLICATION_BALANCER, {"LoadBalancer": "arn_suffix"}),
    "aws_elasticache_cluster": (CACHE, {"CacheClusterId": "cluster_id"}),
    "aws_elasticache_replication_group": (CACHE, {"CacheClusterId": "replication_group_id"}),
}
NOT_YET = "planned"  # in place of an account, a region or an id that the plan does not tell
UNKNOWN_COMPONENT = (
    "Which component it is about is known only after the plan was applied, and the plan's references do not tell it"
    " either: they lead through a local value, or to several. Refer to the resource itself in its dimensions."
)

_ARN = re.compile(r"arn:(aws[a-z-]*):[a-z0-9-]+:([a-z0-9-]+):([0-9]{12}):.+", re.DOTALL)
_ALARM = {
    "AlarmName": "alarm_name",
    "AlarmDescription": "alarm_description",
    "AlarmRule": "alarm_rule",
    "ComparisonOperator": "comparison_operator",
    "DatapointsToAlarm": "datapoints_to_alarm",
    "EvaluationPeriods": "evaluation_periods",
    "ExtendedStatistic": "extended_statistic",
    "MetricName": "metric_name",
    "Namespace": "namespace",
    "Period": "period",
    "Statistic": "statistic",
    "Threshold": "threshold",
    "ThresholdMetricId": "threshold_metric_id",
    "TreatMissingData": "treat_missing_data",
}
_ACTIONS = {
    "AlarmActions": "alarm_actions",
    "OKActions": "ok_actions",
    "InsufficientDataActions": "insufficient_data_actions",
}


def collects(kind: Kind, measure: Measure) -> bool:
    """Whether AWS itself measures it, with nothing to be installed or switched on."""
    return any(
        (kept.resource.kind, kept.measure, kept.source) == (kind, measure, Source.SERVICE)
        and kept.use is not Use.ALARMS
        for kept in KEPT
    )


def foresee(
    settings: CloudWatchSettings, resources: Sequence[Resource], known: Mapping[str, Monitor], _at: datetime
) -> Foreseen:
    """What the alarms come to. Mute rules and existing topics are not told by a plan: they are as on record."""
    alarms = touched(resources, {METRIC_ALARM, COMPOSITE_ALARM})
    planned = _Planned(settings, resources)
    made = [
        _as_on_record(monitor, known, one)
        for one, monitor in planned.monitors([one for one in alarms if one.stays])
    ]
    names = {one.address: planned.names(one) for one in touched(resources, SORTS) if one.stays}
    gone = frozenset(str(one.before["arn"]) for one in alarms if one.before.get("arn"))
    return Foreseen(made=tuple(made), gone=gone, names=names)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Foretold(Place):
    """An account in a region as the plan leaves it: operation → what it would list, or None where no plan tells."""

    answers: Mapping[str, Callable[[Data], Data | None]] = field(default_factory=dict)

    def pages(self, service: str, operation: str, *, size: int | None = None, **given: Any) -> Iterator[Data]:
        del size
        answer = self.answers[operation](given) if operation in self.answers else {}
        if answer is None:
            self.incomplete(f"{service}:{operation}", "A plan does not tell.")
        else:
            yield answer


class _Unresolved(Enum):
    """An alarm is about a component, and nobody can tell which."""

    UNRESOLVED = auto()


_UNRESOLVED = _Unresolved.UNRESOLVED
_About = Resource | _Unresolved


class _Planned:
    """A plan's resources as AWS names them."""

    def __init__(self, settings: CloudWatchSettings, resources: Sequence[Resource]) -> None:
        self._settings = settings
        self._by_address = {one.address: one for one in resources}
        self._numbers = {one.address: number for number, one in enumerate(resources)}
        self._subscriptions = [one for one in resources if one.type == SUBSCRIPTION and one.stays]
        arns = [
            found
            for one in resources
            for side in (one.before, one.after)
            if isinstance(arn := side.get("arn"), str) and (found := _ARN.fullmatch(arn))
        ]
        self._partition = _only(found[1] for found in arns) or "aws"
        self._region = _only(found[2] for found in arns) or NOT_YET
        self._account = _only(found[3] for found in arns) or NOT_YET

    def monitors(self, alarms: Iterable[Resource]) -> Iterator[tuple[Resource, Monitor]]:
        """Each alarm by CloudWatch's own reading; none before its name is known."""
        places: dict[tuple[str, str, str], dict[str, tuple[Resource, dict[str, Any]]]] = {}
        for one in alarms:
            told = self._told(one)
            if told["AlarmName"]:
                places.setdefault(self._lies(one), {})[told["AlarmArn"]] = one, told
        for (partition, region, account), told_there in places.items():
            place = _Foretold(
                aws=Aws(self._settings),
                where="the plan",
                partition=partition,
                region=region,
                account=account,
                answers=self._answers(list(told_there.values())),
            )
            for monitor in list_monitors(place, self._settings):
                one, told = told_there[monitor.id]
                yield one, self._about(monitor, told["About"])

    def _about(self, monitor: Monitor, about: Sequence[_About]) -> Monitor:
        """A reference says for certain which component it is, also where its account is not known."""
        if any(one is _UNRESOLVED for one in about):
            return replace(monitor, watches=Watches(unreadable=UNKNOWN_COMPONENT))
        referred = {one.address: one for one in about if isinstance(one, Resource)}
        if len(referred) == 1 and monitor.watches.identities:
            return replace(monitor, watches=Watches(identities=self.names(*referred.values())))
        return monitor

    def _answers(self, alarms: Sequence[tuple[Resource, Data]]) -> dict[str, Callable[[Data], Data | None]]:
        severities = [
            {"ResourceARN": told["AlarmArn"], "Tags": [{"Key": SEVERITY_TAG, "Value": str(tag)}]}
            for one, told in alarms
            if (tag := (one.after.get("tags_all") or one.after.get("tags") or {}).get(SEVERITY_TAG))
        ]
        return {
            "describe_alarms": lambda _given: {
                "CompositeAlarms": [told for one, told in alarms if one.type == COMPOSITE_ALARM],
                "MetricAlarms": [told for one, told in alarms if one.type == METRIC_ALARM],
            },
            "get_resources": lambda _given: {"ResourceTagMappingList": severities},
            # An agent that is not there yet sends what the alarms wait for; whether it does is seen afterwards.
            "list_metrics": lambda _given: {
                "Metrics": [{"Dimensions": told.get("Dimensions", ())} for _, told in alarms]
            },
            "list_subscriptions_by_topic": lambda given: self._subscribed(given["TopicArn"]),
            "get_subscription_attributes": lambda given: self._attributes(given["SubscriptionArn"]),
        }

    def names(self, one: Resource) -> frozenset[Identity]:
        """By which CloudWatch's alarms will know a component."""
        sort, _ = SORTS[one.type]
        if sort is APPLICATION_BALANCER and one.after.get("load_balancer_type") == "network":
            sort = NETWORK_BALANCER
        partition, region, account = self._lies(one)
        arn = sort.arn(self._dimensions(one), partition=partition, region=region, account=account)
        return frozenset({Identity("arn", arn)})

    def _lies(self, one: Resource) -> tuple[str, str, str]:
        """(partition, region, account): its own, or that of all else in the plan."""
        own = _ARN.fullmatch(str(one.after.get("arn") or one.before.get("arn") or ""))
        if own:
            return own[1], own[2], own[3]
        region = one.after.get("region")
        return self._partition, region if isinstance(region, str) and region else self._region, self._account

    def _dimensions(self, one: Resource) -> dict[str, str]:
        """Those that the metrics of a component will bear."""
        return {name: self._value(one, key) for name, key in SORTS[one.type][1].items()}

    def _value(self, one: Resource, key: str) -> str:
        told = one.after.get(key)
        if key == "arn_suffix" and not told:
            sort = "net" if one.after.get("load_balancer_type") == "network" else "app"
            return f"{sort}/{one.after.get('name') or NOT_YET}/{self._stand_in(one)}"
        if key == "cluster":  # by name or by ARN, or that of a cluster which the plan makes
            clusters = [self._by_address[each] for each in one.refers.get(key, ())]
            told = told or (clusters[0].after.get("name") if len(clusters) == 1 else "")
            unnamed = self._stand_in(one) if _is_unknown(one.unknown.get(key)) else "default"
            return str(told or unnamed).rpartition("/")[2]
        if key == "replication_group_id" and told:
            return f"{told}-001"  # its nodes are caches of their own, numbered from 1
        return str(told or self._stand_in(one))

    def _stand_in(self, one: Resource) -> str:
        return f"{NOT_YET}-{self._numbers[one.address]}"

    def _told(self, alarm: Resource) -> dict[str, Any]:
        """As DescribeAlarms would tell of it. `About` is for us: the components that it refers to."""
        after = alarm.after
        told: dict[str, Any] = {
            name: after.get(key) for name, key in _ALARM.items() if after.get(key) is not None
        }
        told |= {name: line(told.get(name)) for name in ("AlarmName", "Namespace")}
        told["Period"] = told.get("Period") or 0
        partition, region, account = self._lies(alarm)
        named = f"arn:{partition}:cloudwatch:{region}:{account}:alarm:{told['AlarmName']}"
        told["AlarmArn"] = str(after.get("arn") or named)
        told["ActionsEnabled"] = after.get("actions_enabled") is not False
        for name, key in _ACTIONS.items():
            told[name] = self._topics(alarm, key)
        told["About"] = []
        if told.get("MetricName"):
            mark = alarm.unknown.get("dimensions")
            told["Dimensions"] = self._resolved(
                alarm, "dimensions", after.get("dimensions"), mark, told["About"]
            )
        else:
            marks = alarm.unknown.get("metric_query")
            if marks is True:
                told["About"].append(_UNRESOLVED)
            told["Metrics"] = [
                self._query(alarm, one, _mark(marks, number), told["About"])
                for number, one in enumerate(after.get("metric_query") or ())
            ]
        return told

    def _query(self, alarm: Resource, query: Data, mark: Any, about: list[_About]) -> dict[str, Any]:
        found: dict[str, Any] = {"Id": query.get("id"), "AccountId": query.get("account_id")}
        if query.get("expression"):
            return found | {"Expression": query["expression"]}
        metric: Data = (query.get("metric") or [{}])[0] or {}
        unknown = _mark(_mark(_mark(mark, "metric"), 0), "dimensions")
        dimensions = self._resolved(alarm, "metric_query", metric.get("dimensions"), unknown, about)
        return found | {
            "MetricStat": {
                "Metric": {
                    "Namespace": metric.get("namespace") or "",
                    "MetricName": metric.get("metric_name") or "",
                    "Dimensions": dimensions,
                },
                "Stat": metric.get("stat") or "",
                "Period": metric.get("period") or 0,
            }
        }

    def _resolved(
        self, alarm: Resource, key: str, known: Any, mark: Any, about: list[_About]
    ) -> list[dict[str, str]]:
        """The dimensions, those that are not known yet by the one component that they refer to; noted in `about`."""
        pairs = {str(name): str(value) for name, value in (known or {}).items() if value is not None}
        missing = {name for name, each in mark.items() if each is True} if isinstance(mark, dict) else set()
        if missing or mark is True:
            referred = [self._by_address[each] for each in alarm.refers.get(key, ())]
            fitting = [one for one in referred if one.type in SORTS and missing <= SORTS[one.type][1].keys()]
            about.append(fitting[0] if len(fitting) == 1 else _UNRESOLVED)
            if len(fitting) == 1:
                own = self._dimensions(fitting[0])
                pairs |= {name: value for name, value in own.items() if mark is True or name in missing}
        return [{"Name": name, "Value": value} for name, value in pairs.items()]

    def _topics(self, alarm: Resource, key: str) -> list[str]:
        told = [str(one) for one in alarm.after.get(key) or () if one]
        referred = alarm.refers.get(key, ()) if _is_unknown(alarm.unknown.get(key)) else ()
        planned = [self._by_address[each] for each in referred]
        arns = [self._topic(one) for one in planned if one.type == TOPIC]
        return list(dict.fromkeys([*told, *arns]))

    def _topic(self, topic: Resource) -> str:
        partition, region, account = self._lies(topic)
        named = f"arn:{partition}:sns:{region}:{account}:{topic.after.get('name') or self._stand_in(topic)}"
        return str(topic.after.get("arn") or named)

    def _subscribed(self, topic: str) -> Data | None:
        """Of a topic that the plan makes nothing, or what it subscribes; of another one a plan does not tell."""
        found = [self._subscription(one, topic) for one in self._subscriptions if self._is_to(one, topic)]
        made = any(
            one.type == TOPIC and one.stays and not one.before and self._topic(one) == topic
            for one in self._by_address.values()
        )
        return {"Subscriptions": found} if found or made else None

    def _attributes(self, subscription: str) -> Data:
        number = subscription.rpartition("-")[2]
        one = next(one for one in self._subscriptions if str(self._numbers[one.address]) == number)
        raw = one.after.get("raw_message_delivery") is True
        return {"Attributes": {"RawMessageDelivery": "true" if raw else "false"}}

    def _is_to(self, subscription: Resource, topic: str) -> bool:
        planned = [self._by_address[each] for each in subscription.refers.get("topic_arn", ())]
        return subscription.after.get("topic_arn") == topic or any(
            one.type == TOPIC and self._topic(one) == topic for one in planned
        )

    def _subscription(self, one: Resource, topic: str) -> dict[str, str]:
        """Whoever gets mail has to confirm it first, which a plan cannot."""
        protocol = str(one.after.get("protocol") or "")
        waits = protocol.startswith("email") and not one.before
        return {
            "SubscriptionArn": "PendingConfirmation" if waits else f"{topic}:{self._stand_in(one)}",
            "TopicArn": topic,
            "Protocol": protocol,
            "Endpoint": _without_keys(str(one.after.get("endpoint") or "")),
        }


def _is_unknown(mark: Any) -> bool:
    """Whether it, or any part of it, is not known: what is known may be marked as well, with False."""
    parts = mark.values() if isinstance(mark, dict) else mark if isinstance(mark, list) else ()
    return mark is True or any(map(_is_unknown, parts))


def _mark(marks: Any, at: str | int) -> Any:
    """Whether a part is unknown: what is so as a whole is so in each part."""
    if isinstance(marks, dict):
        return marks.get(at)
    if isinstance(marks, list) and isinstance(at, int):
        return marks[at] if at < len(marks) else None
    return marks


def _without_keys(endpoint: str) -> str:
    """Paths of other people's webhooks are often all that keeps strangers out, and the verdict is read in public."""
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or PAGERDUTY.fullmatch(endpoint) or OURS.fullmatch(parts.path):
        return endpoint
    return f"{parts.scheme}://{parts.hostname}"


def _only(values: Iterable[str]) -> str:
    """The value that all have; "" when they differ."""
    found = Counter(values)
    return next(iter(found)) if len(found) == 1 else ""


def _as_on_record(monitor: Monitor, known: Mapping[str, Monitor], one: Resource) -> Monitor:
    """With what no plan tells: whom the topics reach that exist already, and whether a rule mutes it at present."""
    ends: list[Target] = []
    for target in monitor.targets:
        same = [
            replace(other, recovery=target.recovery)
            for each in known.values()
            for other in each.targets
            if target.kind is TargetKind.SNS
            and not target.dead
            and target.name in (other.name, *other.reaches)
        ]
        ends += dict.fromkeys(same) or [target]
    before = known.get(str(one.before.get("arn") or ""))
    muted = before.silenced if before and one.before.get("actions_enabled") is not False else ""
    return replace(monitor, targets=tuple(ends), silenced=monitor.silenced or muted)
