"""What CloudWatch says in an alarm's notification, read into one reported alert.

A metric alarm has a Trigger, a composite alarm an AlarmRule.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot.domain.alert import Change, Reported, Severity
from bot.domain.delivery import TEST_NOTIFICATION
from bot.domain.errors import Unreadable
from bot.providers.contract import instant, key_of, line, severity_of, text, web_address

TEST_REASON = "socmon test"
TEST_NAME = "socmon-test"
NOT_IN_ALARM = "was not in alarm"

_CHANGES = {"ALARM": Change.TRIGGERED, "OK": Change.RECOVERED, "INSUFFICIENT_DATA": Change.NO_DATA}
_SIGNS = {
    "GreaterThanThreshold": ">",
    "GreaterThanOrEqualToThreshold": "≥",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "≤",
    "GreaterThanUpperThreshold": "> the band up to",
    "LessThanLowerThreshold": "< the band from",
    "LessThanLowerOrGreaterThanUpperThreshold": "outside the band of",
}
# What an alarm is about, best first: the thing itself before the cluster or group it belongs to.
_COMPONENTS = (
    "InstanceId",
    "DBInstanceIdentifier",
    "DBClusterIdentifier",
    "CacheClusterId",
    "ReplicationGroupId",
    "ServiceName",
    "FunctionName",
    "TargetGroup",
    "LoadBalancer",
    "LoadBalancerName",
    "TableName",
    "QueueName",
    "DomainName",
    "FileSystemId",
    "VolumeId",
    "NatGatewayId",
    "ApiName",
    "AutoScalingGroupName",
    "ClusterName",
    "host",
)
_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]{0,20}):cloudwatch:(?P<region>[a-z0-9-]{3,30}):[0-9]{1,20}:alarm:.+",
    re.DOTALL,
)
_SEV = re.compile(r"\bSEV-?([1-4])\b", re.IGNORECASE)
_SEVERITY = re.compile(r"\bseverity {0,3}[:=] {0,3}([a-z0-9]{1,20})", re.IGNORECASE)
_RUNBOOK = re.compile(r"\brunbook {0,3}[:=] {0,3}(http[^\s<>]{1,1000})", re.IGNORECASE)
# In "Threshold Crossed: 1 out of the last 1 datapoints [97.5 (24/11/26 15:35:00)] was greater than the …" it is 97.5.
_DATAPOINT = re.compile(r"datapoints? \[([0-9.,eE+ -]{1,80})")


def read_alarm(alarm: Mapping[str, Any], *, topic: str, received_at: datetime) -> Reported:
    """Translate one alarm notification that came through `topic`; raises Unreadable."""
    name = text(alarm.get("AlarmName"), 256)
    change = _change(alarm)
    if not name:
        raise Unreadable("The alarm has no AlarmName.")
    arn = _arn(alarm, name, topic)
    occurred_at = instant(alarm.get("StateChangeTime"), received_at=received_at)
    description = text(alarm.get("AlarmDescription"))
    reason = text(alarm.get("NewStateReason"))
    starts = change is not Change.RECOVERED and occurred_at is not None
    return Reported(
        change=change,
        dedup_key=key_of(arn),
        # CloudWatch names no episode. The moment an alarm left OK does, and a recovery belongs to whichever is open.
        occurrence=key_of(arn, occurred_at.isoformat()) if starts and occurred_at else None,
        occurred_at=occurred_at,
        ends_episode=change is Change.RECOVERED and text(alarm.get("OldStateValue"), 40) == "ALARM",
        title=line(name),
        component=_component(alarm),
        condition=_condition(alarm),
        value=_value(reason),
        severity=named_severity(name, description) or Severity.SEV3,
        url=console_address(arn, name),
        runbook=_runbook(description),
        text="\n".join(filter(None, (description, reason))),
        ignored=TEST_NOTIFICATION if _is_test(name, reason) else "",
        ignored_if_unknown=NOT_IN_ALARM if _only_found_its_data(alarm, change) else "",
    )


def _change(alarm: Mapping[str, Any]) -> Change:
    state = text(alarm.get("NewStateValue"), 40)
    if state not in _CHANGES:
        raise Unreadable(
            f"The alarm's NewStateValue is “{state}”; socmon knows ALARM, OK and INSUFFICIENT_DATA."
        )
    return _CHANGES[state]


def _only_found_its_data(alarm: Mapping[str, Any], change: Change) -> bool:
    """INSUFFICIENT_DATA → OK: said by every new alarm, and by one that went off and lost its data meanwhile."""
    return change is Change.RECOVERED and text(alarm.get("OldStateValue"), 40) == "INSUFFICIENT_DATA"


def _is_test(name: str, reason: str) -> bool:
    """By `set-alarm-state --state-reason "socmon test …"`, or of an alarm that exists for tests only."""
    return reason.lower().startswith(TEST_REASON) or name.lower().startswith(TEST_NAME)


def _arn(alarm: Mapping[str, Any], name: str, topic: str) -> str:
    """The alarm's ARN. Older notifications have none; an alarm can only notify topics of its own region."""
    if arn := text(alarm.get("AlarmArn"), 2000):
        return arn
    account = text(alarm.get("AWSAccountId"), 20)
    if not account:
        raise Unreadable(
            "The alarm has neither AlarmArn nor AWSAccountId, so nobody can tell which alarm it is."
        )
    _, partition, _, region, *_ = f"{topic}:::".split(":")
    return f"arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}"


def console_address(arn: str, name: str) -> str:
    """Where people see the alarm; "" in a partition that socmon knows no console of."""
    found = _ARN.fullmatch(arn)
    if not found or found["partition"] not in _CONSOLES:
        return ""
    region = found["region"]
    console = f"https://{region}.{_CONSOLES[found['partition']]}/cloudwatch/home?region={region}"
    return f"{console}#alarmsV2:alarm/{quote(name, safe='')}"


def named_severity(name: str, description: str) -> Severity | None:
    """CloudWatch has none. Only an explicit word counts: "SEV1", or "severity: critical" in the description."""
    if found := _SEV.search(f"{description}\n{name}"):
        return Severity(f"SEV{found[1]}")
    found = _SEVERITY.search(description)
    return severity_of(found[1]) if found else None


def _runbook(description: str) -> str:
    found = _RUNBOOK.search(description)
    return web_address(found[1].rstrip(".,;)")) if found else ""


def _value(reason: str) -> str:
    found = _DATAPOINT.search(reason)
    return found[1].strip(" ,") if found else ""


def _component(alarm: Mapping[str, Any]) -> str:
    """The one thing that the alarm's metrics are about; "" when they are about several, since nobody should guess."""
    named = {component for dimensions in _dimensions(alarm) if (component := _of_dimensions(dimensions))}
    return named.pop() if len(named) == 1 else ""


def _of_dimensions(dimensions: Mapping[str, str]) -> str:
    known = (dimensions[name] for name in _COMPONENTS if name in dimensions)
    return next(known, next(iter(dimensions.values())) if len(dimensions) == 1 else "")


def _dimensions(alarm: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    trigger = _table(alarm.get("Trigger"))
    yield _pairs(trigger.get("Dimensions"))
    for query in _list(trigger.get("Metrics")):  # metric math: one entry a metric or expression
        yield _pairs(_table(_table(_table(query).get("MetricStat")).get("Metric")).get("Dimensions"))


def _pairs(dimensions: object) -> dict[str, str]:
    tables = [{str(key).lower(): value for key, value in _table(one).items()} for one in _list(dimensions)]
    return {line(one.get("name"), 100): line(one.get("value"), 256) for one in tables}


def _condition(alarm: Mapping[str, Any]) -> str:
    if rule := line(alarm.get("AlarmRule"), 1000):
        return rule
    trigger = _table(alarm.get("Trigger"))
    metric = line(trigger.get("MetricName"), 256) or _expression(trigger)
    sign = _SIGNS.get(line(trigger.get("ComparisonOperator"), 60), "")
    threshold = _number(trigger.get("Threshold")) or line(trigger.get("ThresholdMetricId"), 40)
    return " ".join(filter(None, (metric, sign, threshold, _window(trigger)))) if metric else ""


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else line(value, 40)


def _expression(trigger: Mapping[str, Any]) -> str:
    expressions = (line(_table(query).get("Expression"), 256) for query in _list(trigger.get("Metrics")))
    return next(filter(None, expressions), "")


def _window(trigger: Mapping[str, Any]) -> str:
    periods, seconds = line(trigger.get("EvaluationPeriods"), 10), line(trigger.get("Period"), 10)
    return f"for {periods} × {seconds} s" if periods and seconds else ""


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
