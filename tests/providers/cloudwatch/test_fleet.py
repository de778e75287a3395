"""What AWS runs and watches: asked of moto's AWS, where everything that can be wrong has been planted."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.rds.models import rds_backends

from bot.domain.alert import Severity
from bot.domain.component import Component, Identity, Kind, Measure
from bot.domain.monitor import Comparator, Monitor, Reports, TargetKind
from bot.domain.paging import digest_of
from bot.providers.cloudwatch import PROVIDER
from bot.providers.cloudwatch.fleet import CloudWatchFleet
from bot.providers.cloudwatch.routes import through
from bot.providers.cloudwatch.settings import EXAMPLE_QUEUE, CloudWatchSettings, QueueAddress
from bot.providers.contract import Pulled
from tests.aws import Completed

REGION = "us-east-1"
NOW = datetime.now(UTC)
OURS = "https://socmon.example.com/webhooks/cloudwatch"
PAGERDUTY = "https://events.pagerduty.com/integration/0123456789abcdef0123456789abcdef/enqueue"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Completed]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield Completed(monkeypatch)


QUEUE = QueueAddress(url=EXAMPLE_QUEUE, name="socmon-alarms", region="eu-west-1", account="111122223333")
BELIEVED = frozenset(
    {f"arn:aws:sns:{REGION}:{Completed.ACCOUNT}:{name}" for name in ("good", "raw", "queued")}
)


def fleet(*regions: str, roles: tuple[str, ...] = ()) -> CloudWatchFleet:
    settings = CloudWatchSettings(regions=regions or (REGION,), roles=roles, queue=QUEUE, topics=BELIEVED)
    return CloudWatchFleet(settings=settings)


def whole(pulled: Pulled[Any]) -> tuple[Any, ...]:
    assert (pulled.complete, pulled.reason) == (True, "")
    return pulled.items


def run_instances(count: int, name: str = "web", region: str = REGION) -> list[str]:
    ec2 = boto3.client("ec2", region_name=region)
    tags = [
        {
            "ResourceType": "instance",
            "Tags": [{"Key": "Name", "Value": name}, {"Key": "team", "Value": "shop"}],
        }
    ]
    answer = ec2.run_instances(ImageId="ami-12c6146b", MinCount=count, MaxCount=count, TagSpecifications=tags)
    return [one["InstanceId"] for one in answer["Instances"]]


def host(instance: str, region: str = REGION) -> Component:
    arn = f"arn:aws:ec2:{region}:{Completed.ACCOUNT}:instance/{instance}"
    return Component(kind=Kind.HOST, name=instance, identities=frozenset({Identity("arn", arn)}))


def put(name: str, *, ago: timedelta = timedelta(minutes=4), region: str = REGION, **dimensions: str) -> None:
    namespace, _, metric = name.partition(" ")
    boto3.client("cloudwatch", region_name=region).put_metric_data(
        Namespace=namespace,
        MetricData=[
            {
                "MetricName": metric,
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
                "Timestamp": NOW - ago,
                "Value": 1.0,
            }
        ],
    )


def put_agents(instances: list[str]) -> None:
    for name in ("mem_used_percent", "disk_used_percent"):
        for first in range(0, len(instances), 250):
            boto3.client("cloudwatch", region_name=REGION).put_metric_data(
                Namespace="CWAgent",
                MetricData=[
                    {
                        "MetricName": name,
                        "Dimensions": [{"Name": "InstanceId", "Value": instance}],
                        "Timestamp": NOW - timedelta(minutes=4),
                        "Value": 1.0,
                    }
                    for instance in instances[first : first + 250]
                ],
            )


def alarm(
    name: str, metric: str = "AWS/EC2 CPUUtilization", *, dimensions: Mapping[str, str], **more: Any
) -> str:
    """Its ARN."""
    namespace, _, metric_name = metric.partition(" ")
    given = {
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 5,
        "Threshold": 85.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    boto3.client("cloudwatch", region_name=REGION).put_metric_alarm(
        AlarmName=name,
        Namespace=namespace,
        MetricName=metric_name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        **(given | more),
    )
    return f"arn:aws:cloudwatch:{REGION}:{Completed.ACCOUNT}:alarm:{name}"


def topic(name: str, *endpoints: str, raw: bool = False) -> str:
    sns = boto3.client("sns", region_name=REGION)
    arn: str = sns.create_topic(Name=name)["TopicArn"]
    for endpoint in endpoints:
        sns.subscribe(
            TopicArn=arn,
            Protocol={"h": "https", "a": "sqs"}.get(endpoint[0], "email"),
            Endpoint=endpoint,
            Attributes={"RawMessageDelivery": "true"} if raw else {},
        )
    return arn


def monitors() -> dict[str, Monitor]:
    return {one.name: one for one in whole(fleet().list_monitors(NOW))}


def test_it_is_asked_only_where_regions_are_set() -> None:
    assert PROVIDER.fleet(CloudWatchSettings()) is None
    assert isinstance(PROVIDER.fleet(CloudWatchSettings(regions=(REGION,))), CloudWatchFleet)


@pytest.mark.nightly
def test_every_sort_of_component_is_found(aws: Completed) -> None:
    """By its ARN, with its tags, whichever service or the tagging API tells them."""
    [instance] = run_instances(1)
    ec2 = boto3.client("ec2", region_name=REGION)
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=8)["VolumeId"]
    rds = boto3.client("rds", region_name=REGION)
    rds.create_db_instance(
        DBInstanceIdentifier="prod-db-1",
        DBInstanceClass="db.m6g.large",
        Engine="postgres",
        AllocatedStorage=100,
    )
    rds.create_db_cluster(
        DBClusterIdentifier="orders",
        Engine="aurora-mysql",
        MasterUsername="root",
        MasterUserPassword="hunter2hunter2",
    )
    ecs = boto3.client("ecs", region_name=REGION)
    ecs.create_cluster(clusterName="prod")
    ecs.register_task_definition(
        family="api", containerDefinitions=[{"name": "api", "image": "api", "memory": 64}]
    )
    ecs.create_service(cluster="prod", serviceName="api", taskDefinition="api", desiredCount=1)
    subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]][:2]
    boto3.client("eks", region_name=REGION).create_cluster(
        name="k8s",
        roleArn=f"arn:aws:iam::{aws.ACCOUNT}:role/eks",
        resourcesVpcConfig={"subnetIds": subnets},
    )
    balancer = boto3.client("elbv2", region_name=REGION).create_load_balancer(
        Name="edge", Subnets=subnets, Tags=[{"Key": "team", "Value": "platform"}]
    )
    boto3.client("elasticache", region_name=REGION).create_cache_cluster(
        CacheClusterId="cache-1", Engine="redis", CacheNodeType="cache.t4g.small", NumCacheNodes=1
    )

    found = {one.name: one for one in whole(fleet().list_components(NOW))}

    arn = f"{REGION}:{aws.ACCOUNT}"
    assert {name: (one.kind, one.key) for name, one in found.items() if one.kind is not Kind.VOLUME} == {
        "web": (Kind.HOST, f"arn:arn:aws:ec2:{arn}:instance/{instance}"),
        "prod-db-1": (Kind.DATABASE, f"arn:arn:aws:rds:{arn}:db:prod-db-1"),
        "orders": (Kind.CLUSTER, f"arn:arn:aws:rds:{arn}:cluster:orders"),
        "prod/api": (Kind.SERVICE, f"arn:arn:aws:ecs:{arn}:service/prod/api"),
        "k8s": (Kind.CLUSTER, f"arn:arn:aws:eks:{arn}:cluster/k8s"),
        "edge": (Kind.LOAD_BALANCER, f"arn:{balancer['LoadBalancers'][0]['LoadBalancerArn']}"),
        "cache-1": (Kind.CACHE, f"arn:arn:aws:elasticache:{arn}:cluster:cache-1"),
    }
    assert found[volume].kind is Kind.VOLUME
    assert found["web"].tags["team"] == "shop"
    assert found["edge"].tags == {"team": "platform"}
    assert (found["web"].account, found["web"].region) == (aws.ACCOUNT, REGION)


@pytest.mark.nightly
@pytest.mark.usefixtures("aws")
def test_what_is_gone_is_no_component() -> None:
    gone, stopped = run_instances(2)
    ec2 = boto3.client("ec2", region_name=REGION)
    ec2.terminate_instances(InstanceIds=[gone])
    ec2.stop_instances(InstanceIds=[stopped])

    [host] = [one for one in whole(fleet().list_components(NOW)) if one.kind is Kind.HOST]

    assert stopped in host.key


@pytest.mark.usefixtures("aws")
def test_metrics_are_reporting_stale_silent_or_not_configured() -> None:
    """An agent that stopped 40 minutes ago, one that stopped yesterday, and a machine that never had any."""
    well, stale, silent, bare = instances = ["i-1", "i-2", "i-3", "i-4"]
    for instance in instances:
        put("AWS/EC2 CPUUtilization", InstanceId=instance)
    agents = {well: timedelta(minutes=4), stale: timedelta(minutes=40), silent: timedelta(hours=26)}
    for instance, ago in agents.items():
        more = {"InstanceId": instance, "ImageId": "ami-1", "InstanceType": "t3.small"}
        put("CWAgent mem_used_percent", ago=ago, **more)
        put("CWAgent disk_used_percent", ago=ago, path="/", device="nvme0n1p1", fstype="xfs", **more)

    readings = whole(fleet().read_metrics([host(instance) for instance in instances], NOW))

    states = {(one.identity.value.rpartition("/")[2], one.measure): one.state(NOW) for one in readings}
    assert states[well, Measure.MEMORY] is states[well, Measure.DISK] is Reports.REPORTING
    assert states[stale, Measure.MEMORY] is states[stale, Measure.DISK] is Reports.STALE
    assert states[silent, Measure.MEMORY] is states[silent, Measure.DISK] is Reports.SILENT
    assert (bare, Measure.MEMORY) not in states
    assert {states[instance, Measure.CPU] for instance in instances} == {Reports.REPORTING}
    assert states[bare, Measure.UPTIME] is Reports.SILENT
    [stopped] = [one for one in readings if stale in one.identity.value and one.measure is Measure.MEMORY]
    assert stopped.metric == "CWAgent mem_used_percent"
    assert stopped.last_at is not None
    assert timedelta(minutes=34) < NOW - stopped.last_at <= timedelta(minutes=40)


@pytest.mark.usefixtures("aws")
def test_databases_that_keep_their_metrics_apart() -> None:
    boto3.client("rds", region_name=REGION).create_db_instance(
        DBInstanceIdentifier="docs", DBInstanceClass="db.r6g.large", Engine="postgres"
    )
    rds_backends[Completed.ACCOUNT][REGION].databases["docs"].engine = "docdb"  # moto makes none
    put("AWS/DocDB CPUUtilization", DBInstanceIdentifier="docs")
    alarm("docs", "AWS/DocDB CPUUtilization", dimensions={"DBInstanceIdentifier": "docs"})
    identity = Identity("arn", f"arn:aws:rds:{REGION}:{Completed.ACCOUNT}:db:docs")
    docs = Component(kind=Kind.DATABASE, name="docs", identities=frozenset({identity}))

    readings = whole(fleet().read_metrics([docs], NOW))

    [cpu] = [one for one in readings if one.measure is Measure.CPU]
    assert (cpu.metric, cpu.state(NOW)) == ("AWS/DocDB CPUUtilization", Reports.REPORTING)
    assert monitors()["docs"].watches.identities == {identity}


def test_what_cloudwatch_does_not_answer_is_not_taken_for_silent(aws: Completed) -> None:
    put("AWS/EC2 NetworkIn", InstanceId="i-1")
    aws.unanswered.add("CPUUtilization")

    pulled = fleet().read_metrics([host("i-1")], NOW)

    assert {one.measure for one in pulled.items} == {Measure.NETWORK, Measure.UPTIME}
    assert not pulled.complete
    assert "1 of 3 metrics were left out" in pulled.reason


def test_without_credentials_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")

    pulled = fleet("eu-west-1", REGION).list_monitors(NOW)

    assert (pulled.complete, pulled.items) == (False, ())
    assert pulled.reason.count("Socmon's own AWS account did not answer sts:GetCallerIdentity") == 1
    assert "credentials" in pulled.reason


@pytest.mark.nightly
def test_page_two_of_metrics_and_components_is_not_lost(aws: Completed) -> None:
    """More than 500 metrics, which is what a page of ListMetrics and a GetMetricData hold."""
    instances = run_instances(520)
    put_agents(instances)
    arn = f"arn:aws:ec2:{REGION}:{aws.ACCOUNT}:instance/"
    listed = whole(fleet().list_components(NOW))
    assert {one.key.removeprefix(f"arn:{arn}") for one in listed if one.kind is Kind.HOST} == set(instances)
    aws.requests.clear()

    readings = whole(fleet().read_metrics(listed, NOW))

    memory = [one for one in readings if one.measure is Measure.MEMORY]
    assert len(memory) == len(instances)
    assert {one.state(NOW) for one in memory} == {Reports.REPORTING}
    assert (
        aws.requests.count("cloudwatch.ListMetrics") == 6
    )  # two pages each of memory and disk, one each of Windows
    assert aws.requests.count("cloudwatch.GetMetricData") == -(-(3 + 2 + 1) * len(instances) // 500)


def test_thresholds_and_windows_in_the_units_of_the_measures(aws: Completed) -> None:
    instance = "i-0123456789abcdef0"
    database = {"DBInstanceIdentifier": "prod-db-1"}
    alarm("cpu", dimensions={"InstanceId": instance}, DatapointsToAlarm=3, TreatMissingData="breaching")
    low = {"ComparisonOperator": "LessThanThreshold"}
    alarm("disk", "AWS/RDS FreeStorageSpace", dimensions=database, Threshold=10 * 2**30, **low)
    alarm(
        "windows",
        "CWAgent LogicalDisk % Free Space",
        dimensions={"InstanceId": instance},
        Threshold=10.0,
        **low,
    )
    quiet = {"TreatMissingData": "breaching"} | low
    alarm("down", "AWS/RDS DatabaseConnections", dimensions=database, Threshold=1.0, **quiet)
    alarm("slow", "AWS/Lambda Duration", dimensions={"FunctionName": "f"}, Threshold=2500.0, Period=300)
    alarm("summed", dimensions={"InstanceId": instance}, Statistic="Sum")

    found = monitors()

    cpu = found["cpu"]
    assert (cpu.measure, cpu.comparator, cpu.threshold) == (Measure.CPU, Comparator.ABOVE, Decimal("85.0"))
    assert cpu.window == timedelta(minutes=3)
    assert cpu.alerts_on_no_data
    assert cpu.modified_by_tool
    assert cpu.modified_at is not None
    assert abs(cpu.modified_at - datetime.now(UTC)) < timedelta(minutes=5)
    assert f"arn:arn:aws:ec2:{REGION}:{aws.ACCOUNT}:instance/{instance}" in map(str, cpu.watches.identities)
    assert cpu.url.endswith("#alarmsV2:alarm/cpu")
    disk, windows, down = found["disk"], found["windows"], found["down"]
    free = Decimal(10 * 2**30)
    assert (disk.measure, disk.comparator, disk.threshold) == (Measure.DISK, Comparator.BELOW, free)
    assert not disk.alerts_on_no_data
    assert (windows.measure, windows.comparator, windows.threshold) == (
        Measure.DISK,
        Comparator.ABOVE,
        Decimal(90),
    )
    assert (down.measure, down.comparator, down.alerts_on_no_data) == (Measure.UPTIME, Comparator.OTHER, True)
    assert (found["slow"].threshold, found["slow"].window) == (Decimal("2.5"), timedelta(minutes=25))
    assert found["summed"].comparator is Comparator.OTHER


def test_alarms_that_watch_nothing(aws: Completed) -> None:
    """One on an instance that is gone names it; dimensions that nothing has are told, and never taken for watching."""
    instance = "i-0123456789abcdef0"
    put("CWAgent disk_used_percent", InstanceId=instance, path="/", fstype="xfs")
    alarm("gone", dimensions={"InstanceId": "i-00000000000000000"})
    alarm("group", dimensions={"AutoScalingGroupName": "web"})
    alarm("all", dimensions={})
    agent = "CWAgent disk_used_percent"
    alarm("too few", agent, dimensions={"InstanceId": instance})
    alarm("exact", agent, dimensions={"InstanceId": instance, "path": "/", "fstype": "xfs"})
    alarm("foreign", "Shop Orders", dimensions={"InstanceId": instance})

    found = monitors()

    assert {one.value for one in found["gone"].watches.identities} == {
        "i-00000000000000000",
        f"arn:aws:ec2:{REGION}:{aws.ACCOUNT}:instance/i-00000000000000000",
    }
    for name in ("group", "all"):
        assert "by InstanceId" in found[name].watches.unreadable
        assert found[name].measure is Measure.CPU
    assert "gets no values" in found["too few"].watches.unreadable
    assert found["too few"].watches.identities, "it is no reason for what another machine lacks"
    assert found["exact"].watches.unreadable == ""
    assert found["foreign"].measure is None
    assert found["foreign"].watches.unreadable
    assert not any(found[name].watches.identities for name in ("group", "all", "foreign"))


def test_formulas_bands_and_composite_alarms_have_no_threshold(aws: Completed) -> None:
    cloudwatch = boto3.client("cloudwatch", region_name=REGION)
    dimensions = [{"Name": "InstanceId", "Value": "i-1"}]
    stat = {
        "Metric": {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Dimensions": dimensions},
        "Period": 300,
        "Stat": "Average",
    }
    bar = {"EvaluationPeriods": 2, "ComparisonOperator": "GreaterThanThreshold"}
    cloudwatch.put_metric_alarm(
        AlarmName="math",
        Threshold=1.0,
        Metrics=[{"Id": "m", "MetricStat": stat, "ReturnData": False}, {"Id": "e", "Expression": "m / 100"}],
        **bar,
    )
    cloudwatch.put_metric_alarm(
        AlarmName="plain", Threshold=80.0, Metrics=[{"Id": "m", "MetricStat": stat}], **bar
    )
    cloudwatch.put_metric_alarm(
        AlarmName="band",
        ThresholdMetricId="e",
        EvaluationPeriods=2,
        ComparisonOperator="GreaterThanUpperThreshold",
        Metrics=[{"Id": "m", "MetricStat": stat}, {"Id": "e", "Expression": "ANOMALY_DETECTION_BAND(m, 2)"}],
    )
    aws.composite("both", 'ALARM("math") AND ALARM("plain")', actions=[], region=REGION)

    found = monitors()

    assert {name: (one.comparator, one.threshold) for name, one in found.items()} == {
        "math": (Comparator.OTHER, None),
        "plain": (Comparator.ABOVE, Decimal("80.0")),
        "band": (Comparator.OTHER, None),
        "both": (Comparator.OTHER, None),
    }
    assert found["plain"].window == timedelta(minutes=10)
    assert found["both"].watches.unreadable == "It combines other alarms."


def test_routes_and_why_they_end_nowhere(aws: Completed) -> None:
    one = {"InstanceId": "i-1"}
    good = topic("good", PAGERDUTY, "kim@example.com", OURS)
    pending = topic("pending", "lee@example.com")
    aws.leave_pending(pending, "lee@example.com")
    raw = topic("raw", OURS, "https://hooks.example.com/x?token=secret", raw=True)
    empty = topic("empty")
    queued, stranger = topic("queued", QUEUE.arn), topic("stranger", QUEUE.arn, f"{QUEUE.arn}-of-others")
    alarm("queued", dimensions=one, AlarmActions=[queued])
    alarm("stranger", dimensions=one, AlarmActions=[stranger])
    alarm("good", dimensions=one, AlarmActions=[good], OKActions=[good], InsufficientDataActions=[good])
    alarm("no action", dimensions=one)
    alarm("no recovery", dimensions=one, AlarmActions=[good])
    again, mail = topic("again", PAGERDUTY), topic("mail", "kim@example.com")
    alarm("by another", dimensions=one, AlarmActions=[again], OKActions=[good])
    down = "AWS/EC2 StatusCheckFailed"
    alarm("lost", down, dimensions=one, AlarmActions=[good], InsufficientDataActions=[mail])
    alarm("pending", dimensions=one, AlarmActions=[pending])
    alarm("raw", dimensions=one, AlarmActions=[raw])
    alarm("empty", dimensions=one, AlarmActions=[empty])
    alarm("gone", dimensions=one, AlarmActions=[f"{empty}-which-was-deleted"])
    alarm("scaling", dimensions=one, AlarmActions=["arn:aws:automate:us-east-1:ec2:stop"])

    found = monitors()

    targets = found["good"].targets
    assert [(to.kind, to.reaches, to.dead, to.recovery) for to in targets] == [
        (TargetKind.PAGERDUTY, (digest_of("0123456789abcdef0123456789abcdef"), good), "", True),
        (TargetKind.EMAIL, ("kim@example.com", good), "", True),
        (TargetKind.WEBHOOK, (OURS, good), "", True),
    ]
    assert found["good"].alerts_on_no_data
    assert not any("0123456789abcdef" in to.name for to in targets)
    assert not any(to.recovery for to in found["no recovery"].targets)
    dead = {name: found[name].targets[0].dead for name in found}
    assert dead["good"] == dead["no recovery"] == ""
    assert "no alarm action" in dead["no action"]
    assert "never confirmed" in dead["pending"]
    assert "Raw message delivery is on, so socmon refuses" in dead["raw"]
    assert "Nobody has subscribed" in dead["empty"]
    assert "does not exist" in dead["gone"]
    assert "tells nobody" in dead["scaling"]
    assert [to.recovery for to in found["by another"].targets] == [True]
    assert [to.kind for to in found["lost"].targets] == [TargetKind.EMAIL]
    [at_the_queue] = found["queued"].targets
    assert at_the_queue.dead == ""
    assert set(at_the_queue.reaches) >= set(PROVIDER.own_ends(fleet().settings))
    assert "socmon believes nothing from" in dead["stranger"]
    assert found["stranger"].targets[1].dead == ""
    hook = found["raw"].targets[1]
    assert (hook.name, hook.dead) == ("https://hooks.example.com/x", "")


def test_alarms_that_are_silenced(aws: Completed) -> None:
    one = {"InstanceId": "i-1"}
    alarm("off", dimensions=one, ActionsEnabled=False)
    alarm("muted", dimensions=one)
    alarm("loud", dimensions=one)
    aws.mutes["nightly backup"] = ["muted", "another"]

    found = monitors()

    assert "ActionsEnabled=false" in found["off"].silenced
    assert "nightly backup" in found["muted"].silenced
    assert found["loud"].silenced == ""
    assert all(one.enabled for one in found.values())


def test_a_composite_alarm_speaks_for_those_it_is_set_off_by(aws: Completed) -> None:
    """Alarms without actions below a composite one are usual: not they are told of, but it."""
    good = topic("good", PAGERDUTY)
    for name in ("a", "b", "c"):
        alarm(name, dimensions={"InstanceId": "i-1"}, ActionsEnabled=name != "b")
    aws.composite("any", "ALARM(a) OR ALARM(b)", actions=[good], region=REGION)
    aws.composite("all", "ALARM(a) AND ALARM(c)", actions=[good], region=REGION)

    found = monitors()

    for name in ("a", "b"):
        assert [to.kind for to in found[name].targets] == [TargetKind.PAGERDUTY]
        assert found[name].silenced == ""
    assert found["c"].targets[0].dead


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("ALARM(a)", {"a"}),
        ("""(ALARM("a b") OR ALARM('c'))""", {"a b", "c"}),
        ("ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:a)", {"a"}),
        ("ALARM(a) AND ALARM(b)", set()),
        ("ALARM(a) OR NOT ALARM(b)", set()),
        ("OK(a) OR ALARM(b)", set()),
        ("AT_LEAST(2, ALARM, (a, b))", set()),
        ("TRUE", set()),
        ("", set()),
    ],
)
def test_rules_of_composite_alarms(rule: str, expected: set[str]) -> None:
    assert through(rule) == expected


@pytest.mark.usefixtures("aws")
def test_what_is_a_part_of_its_component_says_so() -> None:
    """One file system of several, one target group; not those that are no disks, or that nobody sends any more."""
    one = {"InstanceId": "i-1", "fstype": "xfs"}
    agent = "CWAgent disk_used_percent"
    for path in ("/", "/data"):
        put(agent, InstanceId="i-1", fstype="xfs", path=path)
    put(agent, InstanceId="i-1", fstype="squashfs", path="/snap")
    put(agent, InstanceId="i-1", fstype="xfs", path="/old", ago=timedelta(hours=26))
    put(agent, InstanceId="i-1")
    targets = {"TargetGroup": "targetgroup/a/1", "LoadBalancer": "app/edge/1"}
    healthy = "AWS/ApplicationELB HealthyHostCount"
    for group in ("targetgroup/a/1", "targetgroup/b/2"):
        put(healthy, TargetGroup=group, LoadBalancer="app/edge/1")
    alarm("root", agent, dimensions=one | {"path": "/"})
    alarm("together", agent, dimensions={"InstanceId": "i-1"})
    alarm("targets", healthy, dimensions=targets)

    found = {name: (each.watches.part, each.watches.parts) for name, each in monitors().items()}

    assert found == {
        "root": ("/", {"/", "/data"}),
        "together": ("", frozenset()),
        "targets": ("targetgroup/a/1", {"targetgroup/a/1", "targetgroup/b/2"}),
    }


@pytest.mark.usefixtures("aws")
def test_severity_is_the_tag_or_a_word() -> None:
    one = {"InstanceId": "i-1"}
    alarm("tagged SEV4", dimensions=one, Tags=[{"Key": "severity", "Value": "critical"}])
    alarm("named SEV2", dimensions=one)
    alarm("neither", dimensions=one)

    assert {name: one.severity for name, one in monitors().items()} == {
        "tagged SEV4": Severity.SEV1,
        "named SEV2": Severity.SEV2,
        "neither": None,
    }


@pytest.mark.parametrize(("alarms", "a_page"), [(5, 2), pytest.param(130, 100, marks=pytest.mark.nightly)])
def test_page_two_of_alarms_is_not_lost(aws: Completed, alarms: int, a_page: int) -> None:
    aws.most_alarms = a_page
    for number in range(alarms):
        alarm(f"alarm {number}", dimensions={"InstanceId": "i-1"})

    pulled = fleet().list_monitors(NOW)

    assert len(whole(pulled)) == alarms
    assert aws.requests.count("cloudwatch.DescribeAlarms") == -(-alarms // a_page)


@pytest.mark.nightly
def test_a_region_that_refuses_its_inventory(aws: Completed) -> None:
    run_instances(1)
    run_instances(1, region="eu-west-1")
    aws.refused["eu-west-1"] = frozenset()

    listed = fleet("eu-west-1", REGION).list_components(NOW)

    assert not listed.complete
    assert [one.region for one in listed.items if one.kind is Kind.HOST] == [REGION]
    assert f"Account {aws.ACCOUNT} in eu-west-1 refused" in listed.reason
    assert "ec2:DescribeInstances" in listed.reason
    assert "elasticloadbalancing:DescribeLoadBalancers" in listed.reason
    assert REGION not in listed.reason


def test_a_region_that_refuses_is_told_and_the_rest_is_kept(aws: Completed) -> None:
    put("AWS/EC2 CPUUtilization", InstanceId="i-1")
    alarm("here", dimensions={"InstanceId": "i-1"})
    aws.refused["eu-west-1"] = frozenset()
    both = fleet("eu-west-1", REGION)

    read = both.read_metrics([host("i-1"), host("i-2", "eu-west-1")], NOW)
    watched = both.list_monitors(NOW)

    assert not read.complete
    assert f"Account {aws.ACCOUNT} in eu-west-1 refused" in read.reason
    assert "cloudwatch:GetMetricData" in read.reason
    assert REGION not in read.reason
    assert {one.identity.value.split(":")[3] for one in read.items} == {REGION}
    assert not watched.complete
    assert "cloudwatch:DescribeAlarms" in watched.reason
    assert [one.name for one in watched.items] == ["here"]


@pytest.mark.parametrize(
    ("service", "permission"), [("sns", "sns:ListSubscriptionsByTopic"), ("tagging", "tag:GetResources")]
)
def test_a_service_that_refuses_is_named(aws: Completed, service: str, permission: str) -> None:
    alarm("a", dimensions={"InstanceId": "i-1"}, AlarmActions=[topic("t", PAGERDUTY)])
    aws.refused[REGION] = frozenset(
        {service, "resourcegroupstaggingapi" if service == "tagging" else service}
    )

    pulled = fleet().list_monitors(NOW)

    assert not pulled.complete
    assert permission in pulled.reason
    assert [one.name for one in pulled.items] == ["a"]


def test_accounts_by_role(aws: Completed) -> None:
    other = "arn:aws:iam::111122223333:role/socmon"

    pulled = fleet("eu-west-1", REGION, roles=(other,)).list_monitors(NOW)

    assert whole(pulled) == ()
    assert aws.requests.count("sts.AssumeRole") == 1
    assert "sts.GetCallerIdentity" not in aws.requests
    assert pulled.calls == len(aws.requests)


@pytest.mark.nightly
def test_calls_are_few_and_counted(aws: Completed) -> None:
    """At most 40 a thousand components: here 500 machines with agents, each with its volume and an alarm."""
    instances = run_instances(500)
    put_agents(instances)
    good = topic("good", PAGERDUTY)
    for instance in instances:
        alarm(instance, dimensions={"InstanceId": instance}, AlarmActions=[good], OKActions=[good])
    aws.requests.clear()

    listed = fleet().list_components(NOW)
    read = fleet().read_metrics(listed.items, NOW)
    watched = fleet().list_monitors(NOW)

    assert len(whole(listed)) == 1000
    assert len([one for one in whole(read) if one.state(NOW) is Reports.REPORTING]) == 1000
    assert len(whole(watched)) == 500
    calls = listed.calls + read.calls + watched.calls
    print(f"{listed.calls} + {read.calls} + {watched.calls} = {calls} calls for 1,000 components")  # noqa: T201
    assert calls == len(aws.requests)
    assert calls <= 40


def test_what_aws_bills_is_counted(aws: Completed) -> None:
    """Metrics that are asked for by their number, CloudWatch's other requests one by one, and nobody else's."""
    put_agents(run_instances(2))
    listed = fleet().list_components(NOW)
    aws.requests.clear()

    read = fleet().read_metrics(listed.items, NOW)

    # Of each machine CPU, network and status, then memory and disk of its agent; of each volume its use.
    assert listed.billed == ()
    assert {each.of: each.units for each in read.billed} == {
        "metrics asked for": 2 * 5 + 2,
        "CloudWatch requests": aws.requests.count("cloudwatch.ListMetrics"),
    }
    assert sum(each.usd for each in read.billed) == Decimal("0.00016")


def test_rights_are_asked_for_one_by_one(aws: Completed) -> None:
    """In each account once; the missing ones are named, and nothing has to exist for that."""
    boto3.client("ecs", region_name=REGION).create_cluster(clusterName="shop")
    aws.requests.clear()

    pulled = fleet(REGION, "eu-west-1").check_rights(NOW)

    policy = (Path(__file__).parents[3] / "docs/providers/cloudwatch.md").read_text()
    listed = re.findall(r'"([a-z0-9]+:[A-Z]\w+)"', policy.split("All of it only reads")[1].split("```")[1])
    assert sorted(whole(pulled)) == listed
    assert len(aws.requests) == pulled.calls <= 22
    aws.refused[REGION] = frozenset({"sns"})
    refused = fleet(REGION).check_rights(NOW)
    assert (
        "allow socmon's role sns:GetSubscriptionAttributes, sns:ListSubscriptionsByTopic there"
        in refused.reason
    )
    assert (refused.complete, len(refused.items)) == (False, len(pulled.items) - 2)
