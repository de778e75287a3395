"""Whether socmon's role may read what it reads, in each account: the least request for each permission.

What is asked about one thing is asked about one that does not exist: "not found" takes the permission as well.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from bot.providers.cloudwatch.aws import Aws, Missing, Place
from bot.providers.cloudwatch.metrics import WINDOW
from bot.providers.contract import Pulled

NOBODYS = "socmon-doctor"

Asked = tuple[str, str, Mapping[str, Any]]


def check_rights(aws: Aws, at: datetime) -> Pulled[str]:
    """In the first region of each account: roles are for all regions alike."""
    first: dict[str, Place] = {}
    for place in aws.places():
        first.setdefault(place.account, place)
    granted: dict[str, bool] = {}
    for place in first.values():
        for service, operation, given in _requests(place, at):
            failures = len(aws.failures)
            with suppress(Missing):
                next(place.pages(service, operation, **given), None)
            action = place.action(service, operation)
            granted[action] = granted.get(action, True) and len(aws.failures) == failures
    return aws.pulled([action for action, everywhere in granted.items() if everywhere], at)


def _requests(place: Place, at: datetime) -> Iterator[Asked]:
    topic = f"arn:{place.partition}:sns:{place.region}:{place.account}:{NOBODYS}"
    yield "ec2", "describe_instances", {"size": 5}
    yield "ec2", "describe_volumes", {"size": 5}
    yield "rds", "describe_db_instances", {"size": 20}
    yield "rds", "describe_db_clusters", {"size": 20}
    yield "ecs", "list_clusters", {"size": 1}
    # Of a cluster that does not exist ECS says so by another error, so only what there is is asked about.
    for cluster in place.every("ecs", "list_clusters", "clusterArns", size=1):
        yield "ecs", "list_services", {"size": 1, "cluster": cluster}
        break
    yield "eks", "list_clusters", {"size": 1}
    yield "lambda", "list_functions", {"size": 1}
    yield "elbv2", "describe_load_balancers", {"size": 1}
    yield "elasticache", "describe_cache_clusters", {"size": 20}
    yield "resourcegroupstaggingapi", "get_resources", {"size": 1}
    yield "cloudwatch", "list_metrics", {"Namespace": NOBODYS}
    yield "cloudwatch", "get_metric_data", _one_metric(at)
    yield "cloudwatch", "describe_alarms", {"size": 1}
    yield "cloudwatch", "list_alarm_mute_rules", {}
    yield "cloudwatch", "get_alarm_mute_rule", {"AlarmMuteRuleName": NOBODYS}
    yield "sns", "list_subscriptions_by_topic", {"TopicArn": topic}
    nobodys = f"{topic}:00000000-0000-0000-0000-000000000000"
    yield "sns", "get_subscription_attributes", {"SubscriptionArn": nobodys}


def _one_metric(at: datetime) -> Mapping[str, Any]:
    stat = {"Metric": {"Namespace": NOBODYS, "MetricName": NOBODYS}, "Period": 300, "Stat": "Average"}
    return {
        "MetricDataQueries": [{"Id": "m0", "MetricStat": stat, "ReturnData": True}],
        "StartTime": at - WINDOW,
        "EndTime": at,
    }
