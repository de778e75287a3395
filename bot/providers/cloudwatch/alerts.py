"""CloudWatch's alarms that are not OK, in the regions of the topics.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bot.domain.comparison import OpenAlert
from bot.domain.errors import Unreadable
from bot.providers.cloudwatch.alarm import read_alarm
from bot.providers.cloudwatch.settings import CloudWatchSettings
from bot.providers.contract import Alerts, Pulled

CONNECT_SECONDS = 5
READ_SECONDS = 10
STATES = ("ALARM", "INSUFFICIENT_DATA")
_TYPES = ["MetricAlarm", "CompositeAlarm"]  # without this only metric alarms are told of

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudWatchAlerts(Alerts):
    settings: CloudWatchSettings

    def list_open(self, at: datetime) -> Pulled[OpenAlert]:
        found: list[OpenAlert] = []
        calls = 0
        try:
            for region in sorted({topic.split(":")[3] for topic in self.settings.topics}):
                alarms = self._client(region).get_paginator("describe_alarms")
                for state in STATES:
                    for page in alarms.paginate(StateValue=state, AlarmTypes=_TYPES):
                        calls += 1
                        listed = [*page.get("MetricAlarms", []), *page.get("CompositeAlarms", [])]
                        found += [self._open(alarm, at) for alarm in listed]
        except (BotoCoreError, ClientError, OSError, Unreadable) as error:
            why = (
                f"CloudWatch did not say which alarms are in alarm: {error}. Check that socmon's AWS credentials allow"
                " cloudwatch:DescribeAlarms, or set compare = false under [providers.cloudwatch]."
            )
            return Pulled(items=tuple(found), complete=False, as_of=at, calls=max(calls, 1), reason=why)
        return Pulled(items=tuple(found), complete=True, as_of=at, calls=calls)

    def covers(self, key: str) -> bool:
        """Alarms of the topics' accounts and regions; those of others are not asked for."""
        places = {tuple(topic.split(":")[3:5]) for topic in self.settings.topics}
        return tuple(key.split(":")[3:5]) in places

    def _client(self, region: str) -> Any:
        # A session of its own: boto3's default one is not safe to share between threads.
        return Session().client(
            "cloudwatch",
            region_name=region,
            verify=self.settings.ca_file or None,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": 3},
            ),
        )

    def _open(self, alarm: Data, at: datetime) -> OpenAlert:
        """Read as its notification would be, which has the same facts under other names."""
        names = ("MetricName", "Namespace", "Period", "EvaluationPeriods", "ComparisonOperator", "Threshold")
        trigger = {name: alarm[name] for name in names if name in alarm}
        trigger["Dimensions"] = _pairs(alarm.get("Dimensions"))
        trigger["Metrics"] = alarm.get("Metrics") or []
        since = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
        told = {name: alarm.get(name) for name in ("AlarmName", "AlarmDescription", "AlarmArn", "AlarmRule")}
        told |= {"NewStateValue": alarm.get("StateValue"), "NewStateReason": alarm.get("StateReason")}
        told |= {"StateChangeTime": since.isoformat() if since else "", "Trigger": trigger}
        report = read_alarm({name: value for name, value in told.items() if value}, topic="", received_at=at)
        return OpenAlert(
            reported=replace(report, current=True), quiet=not self._is_told(alarm, report.ignored)
        )

    def _is_told(self, alarm: Data, is_test: str) -> bool:
        """Whether the alarm notifies one of our topics of the state it is in."""
        actions = "AlarmActions" if alarm.get("StateValue") == "ALARM" else "InsufficientDataActions"
        ours = self.settings.topics.intersection(alarm.get(actions) or [])
        return bool(ours) and bool(alarm.get("ActionsEnabled")) and not is_test


def _pairs(dimensions: Any) -> list[dict[str, str]]:
    return [{"name": one["Name"], "value": one["Value"]} for one in dimensions or []]
