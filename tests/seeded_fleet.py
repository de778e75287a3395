"""A believable company of 60 components, in servers that speak its tools' protocols. It is healthy until it is broken.

Two regions of AWS (moto), Datadog (HTTP in recorded shapes), New Relic (GraphQL), PagerDuty (REST over TLS) and Slack
(its Web API). What is wrong is changed there, in the vendors' own objects; socmon is told nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import boto3
from moto.cloudwatch.models import cloudwatch_backends

from bot.playground.pagerduty_shapes import method, oncall, policy, rule, service, user
from tests.aws import Completed
from tests.fake_datadog import FakeDatadog
from tests.fake_newrelic import FakeNewRelic, term
from tests.fake_pagerduty import WatchedPagerDuty
from tests.slack_server import SlackServer

EU, US = "eu-west-1", "us-east-1"
SOCMON = "https://socmon.example.com"
KEY = "0123456789abcdef0123456789abcdef"
ENQUEUE = "https://events.pagerduty.com/integration/{}/enqueue"
CONFIG = f"""\
[slack]
alerts_channel = "C0ALERTS"
validation_channel = "C0SOC2"
team = "platform"
[roles]
responders = ["*"]
engineering_lead = ["U1LEAD"]
[notifications]
approved_channels = ["#ops", "#night", "oncall@example.com"]
[notifications.services]
"Production" = "platform"
"{KEY}" = "platform"
[[on_call.teams]]
name = "platform"
pagerduty_policy = "PTPLAT"
[[on_call.teams]]
name = "data"
pagerduty_policy = "PTDATA"
[[on_call.teams]]
name = "search"
pagerduty_policy = "PTSEARCH"
[providers.pagerduty]
[providers.datadog]
slack_accounts = ["Main_Account"]
[providers.newrelic]
[providers.cloudwatch]
regions = ["{EU}", "{US}"]
"""
PEOPLE = {
    "platform": ("PSAM", "Sam", "U1SAM"),
    "data": ("PLEE", "Lee", "U1LEE"),
    "search": ("PKIM", "Kim", "U1KIM"),
}
# What PagerDuty says of a service is enough; the configuration may name its team as well.
SERVICES = (
    ("Production", "platform", KEY),
    ("Data", "data", "1" * 32),
    ("Search", "search", "2" * 32),
    ("Reports", "platform", "3" * 32),
)
POLICIES = {"platform": "PTPLAT", "data": "PTDATA", "search": "PTSEARCH"}

# What has to be watched, in each tool's own words.
DATADOG = {
    "cpu": "avg(last_5m):avg:system.cpu.user{{{}}} by {{host}} > 85",
    "memory": "avg(last_5m):avg:system.mem.pct_usable{{{}}} by {{host}} < 0.1",
    "disk": "avg(last_15m):max:system.disk.in_use{{{}}} by {{host,device}} > 0.85",
    "uptime": '"datadog.agent.up".over("{}").by("host").last(2).count_by_status()',
}
NEWRELIC = {
    "cpu": ("SELECT average(cpuPercent) FROM SystemSample WHERE {} FACET entityGuid", 85, 300),
    "memory": ("SELECT average(memoryUsedPercent) FROM SystemSample WHERE {} FACET entityGuid", 90, 300),
    "disk": ("SELECT max(diskUsedPercent) FROM StorageSample WHERE {} FACET entityGuid", 85, 900),
    "uptime": ("SELECT count(*) FROM SystemSample WHERE {} FACET entityGuid", 1, 300),
}
NEWRELIC_SERVICE = {
    "cpu": (
        "SELECT average(cpuCoresUtilization) FROM K8sContainerSample WHERE {} FACET deploymentName",
        85,
        300,
    ),
    "memory": (
        "SELECT average(memoryWorkingSetUtilization) FROM K8sContainerSample WHERE {} FACET podName",
        90,
        300,
    ),
    "uptime": ("SELECT count(*) FROM K8sContainerSample WHERE {} FACET deploymentName", 1, 300),
}
GIB = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm on one of CloudWatch's metrics, as strict as the standard. `over` are the minutes."""

    metric: str
    threshold: float
    above: bool = True
    over: int = 5
    statistic: str = "Average"
    breaching: bool = False


INSTANCE = {
    "cpu": Alarm(metric="AWS/EC2 CPUUtilization", threshold=85),
    "uptime": Alarm(metric="AWS/EC2 StatusCheckFailed", threshold=1, statistic="Maximum", breaching=True),
}
AGENT = {
    "memory": Alarm(metric="CWAgent mem_used_percent", threshold=90),
    "disk": Alarm(metric="CWAgent disk_used_percent", threshold=85, over=15),
}
DATABASE = {
    "cpu": Alarm(metric="AWS/RDS CPUUtilization", threshold=85),
    "memory": Alarm(metric="AWS/RDS FreeableMemory", threshold=GIB / 4, above=False),
    "disk": Alarm(metric="AWS/RDS FreeStorageSpace", threshold=10 * GIB, above=False, over=15),
    "uptime": Alarm(metric="AWS/RDS DatabaseConnections", threshold=0, above=False, breaching=True),
}
AURORA = {
    "cpu": DATABASE["cpu"],
    "memory": DATABASE["memory"],
    "uptime": Alarm(
        metric="AWS/RDS EngineUptime", threshold=60, above=False, statistic="Minimum", breaching=True
    ),
}
CACHE = {
    "cpu": Alarm(metric="AWS/ElastiCache EngineCPUUtilization", threshold=85),
    "memory": Alarm(metric="AWS/ElastiCache DatabaseMemoryUsagePercentage", threshold=90),
    "uptime": Alarm(metric="AWS/ElastiCache CurrConnections", threshold=0, above=False, breaching=True),
}
FUNCTION = {
    "errors": Alarm(metric="AWS/Lambda Errors", threshold=4, statistic="Sum"),
    "latency": Alarm(metric="AWS/Lambda Duration", threshold=5000),
    "throttles": Alarm(metric="AWS/Lambda Throttles", threshold=0, statistic="Sum"),
}
BALANCER = {
    "errors": Alarm(metric="AWS/ApplicationELB HTTPCode_ELB_5XX_Count", threshold=9, statistic="Sum"),
    "latency": Alarm(metric="AWS/ApplicationELB TargetResponseTime", threshold=1.5),
}
CONNECTIONS = {
    "errors": Alarm(metric="AWS/NetworkELB TCP_Target_Reset_Count", threshold=9, statistic="Sum"),
    "healthy_targets": Alarm(
        metric="AWS/NetworkELB HealthyHostCount", threshold=1, above=False, statistic="Minimum"
    ),
}
TARGETS = Alarm(metric="AWS/ApplicationELB HealthyHostCount", threshold=1, above=False, statistic="Minimum")
SERVICE = {
    "cpu": Alarm(metric="AWS/ECS CPUUtilization", threshold=85),
    "memory": Alarm(metric="AWS/ECS MemoryUtilization", threshold=90),
    "uptime": Alarm(
        metric="AWS/ECS CPUUtilization", threshold=1, above=False, statistic="SampleCount", breaching=True
    ),
}
CLUSTER = {
    "cpu": Alarm(metric="ContainerInsights node_cpu_utilization", threshold=80),
    "memory": Alarm(metric="ContainerInsights node_memory_utilization", threshold=85),
    "uptime": Alarm(metric="ContainerInsights cluster_failed_node_count", threshold=0, breaching=True),
}
# Sent beside what the alarms are about.
MORE = {
    "instance": ("AWS/EC2 NetworkIn",),
    "database": ("AWS/RDS NetworkReceiveThroughput",),
    "cache": ("AWS/ElastiCache NetworkBytesIn", "AWS/ElastiCache CPUUtilization"),
    "balancer": ("AWS/ApplicationELB RequestCount",),
    "volume": ("AWS/EBS VolumeQueueLength",),
}


@dataclass(kw_only=True)
class Company:
    """Its tools, and what it has there by the names that its people use."""

    datadog: FakeDatadog
    newrelic: FakeNewRelic
    aws: Completed
    pagerduty: WatchedPagerDuty
    slack: SlackServer
    instances: dict[str, str] = field(default_factory=dict)
    """Host → instance id."""
    series: dict[tuple[str, str, tuple[tuple[str, str], ...]], bool] = field(default_factory=dict)
    """(region, metric, dimensions) of all that is sent to CloudWatch."""
    monitors: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """(scope or policy, measure) → Datadog's monitor or New Relic's condition."""
    workflows: dict[str, int] = field(default_factory=dict)
    """Policy of New Relic → place in its lists of workflows, channels and destinations."""
    topics: dict[str, str] = field(default_factory=dict)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    # AWS
    def client(self, service: str, region: str = EU) -> Any:
        if (service, region) not in self._clients:
            self._clients[service, region] = boto3.client(service, region_name=region)
        return self._clients[service, region]

    def topic(self, name: str, region: str, *endpoints: str, raw: bool = False) -> str:
        sns = self.client("sns", region)
        arn: str = sns.create_topic(Name=name)["TopicArn"]
        for endpoint in endpoints:
            sns.subscribe(
                TopicArn=arn,
                Protocol="https" if endpoint.startswith("https") else "email",
                Endpoint=endpoint,
                Attributes={"RawMessageDelivery": "true"} if raw else {},
            )
        return arn

    def alarm(self, name: str, spec: Alarm, region: str = EU, **given: Any) -> None:
        """`dimensions` as a mapping, and whatever else is to be otherwise."""
        dimensions = given.pop("dimensions")
        namespace, _, metric = spec.metric.partition(" ")
        oncall_topic = self.topics[region]
        made = {
            "Statistic": spec.statistic,
            "Period": 60,
            "EvaluationPeriods": spec.over,
            "Threshold": spec.threshold,
            "ComparisonOperator": "GreaterThanThreshold" if spec.above else "LessThanThreshold",
            "TreatMissingData": "breaching" if spec.breaching else "missing",
            "AlarmActions": [oncall_topic],
            "OKActions": [oncall_topic],
        }
        if spec.metric == "AWS/EC2 StatusCheckFailed":
            made["ComparisonOperator"] = "GreaterThanOrEqualToThreshold"
        if spec.metric.endswith(("CurrConnections", "DatabaseConnections")):
            made["ComparisonOperator"] = "LessThanOrEqualToThreshold"
        self.client("cloudwatch", region).put_metric_alarm(
            AlarmName=name,
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            **(made | given),
        )

    def sends(self, metrics: Iterable[str], region: str = EU, **dimensions: str) -> None:
        for metric in metrics:
            self.series[region, metric, tuple(dimensions.items())] = True

    def watched(self, name: str, specs: Mapping[str, Alarm], region: str = EU, **dimensions: str) -> None:
        """Sends what its alarms are about, and has one of each."""
        self.sends({spec.metric for spec in specs.values()}, region, **dimensions)
        for measure, spec in specs.items():
            self.alarm(f"{name} {measure}", spec, region, dimensions=dimensions)

    def tick(self, now: datetime) -> None:
        """Time has passed: everything that is sent was sent a minute ago."""
        self.datadog.now = self.newrelic.now = now
        by_region: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for region, name, dimensions in self.series:
            namespace, _, metric = name.partition(" ")
            by_region.setdefault((region, namespace), []).append(
                {
                    "MetricName": metric,
                    "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions],
                    "Timestamp": now - timedelta(minutes=1),
                    "Value": 1.0,
                }
            )
        for region in (EU, US):
            cloudwatch_backends[self.aws.ACCOUNT][region].metric_data.clear()
        for (region, namespace), data in by_region.items():
            self.client("cloudwatch", region).put_metric_data(Namespace=namespace, MetricData=data)

    def launch(self, name: str, region: str, **tags: str) -> str:
        """A machine with a disk; AWS sends what it always does."""
        given = [{"Key": key, "Value": value} for key, value in {"Name": name, **tags}.items()]
        ec2 = self.client("ec2", region)
        made = ec2.run_instances(
            ImageId="ami-12c6146b",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": given}],
        )
        found: str = made["Instances"][0]["InstanceId"]
        self.instances[name] = found
        self.sends(
            {*(spec.metric for spec in INSTANCE.values()), *MORE["instance"]}, region, InstanceId=found
        )
        disks = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [found]}])
        for disk in disks["Volumes"]:
            ec2.create_tags(Resources=[disk["VolumeId"]], Tags=[{"Key": "Name", "Value": f"{name} root"}])
            self.sends(MORE["volume"], region, VolumeId=disk["VolumeId"])
        return found

    # Datadog
    def datadog_watches(self, scope: str, *measures: str, to: str = "@pagerduty-Production") -> None:
        for measure in measures or DATADOG:
            query = DATADOG[measure].format(scope)
            self.monitors[scope, measure] = self.datadog.monitor(
                name=f"{measure} of {scope.partition(':')[2]}",
                type="service check" if measure == "uptime" else "query alert",
                query=query,
                message=f"{{{{host.name}}}} is ill. {to}",
                options={"notify_no_data": True, "no_data_timeframe": 5, "silenced": {}},
            )

    def agent(self, name: str, *tags: str, **facts: Any) -> None:
        """A host with Datadog's agent; on EC2 it knows the instance's id."""
        more = [self.instances[name]] if name in self.instances else []
        self.datadog.host(name, *tags, aliases=[name, *more], **facts)

    def renames(self, name: str, other: str) -> None:
        for one in self.datadog.hosts:
            if one["host_name"] == name:
                aliases = [other if each == name else each for each in one["aliases"]]
                one |= {"name": other, "host_name": other, "aliases": aliases}
                tags = [tag for tag in one["tags_by_source"]["Datadog"] if not tag.startswith("host:")]
                one["tags_by_source"] = {"Datadog": [*tags, f"host:{other}"]}

    def tags_anew(self, name: str, *tags: str) -> None:
        for one in self.datadog.hosts:
            if one["host_name"] == name:
                one["tags_by_source"] = {"Datadog": [*tags, f"host:{name}"]}

    # New Relic
    def newrelic_watches(self, name: str, where: str, conditions: Mapping[str, Any]) -> None:
        """A policy of its own with its conditions, and a workflow that takes it to PagerDuty."""
        number = str(1000 + len(self.newrelic.policies))
        self.newrelic.policies.append({"id": number, "name": name, "incidentPreference": "PER_CONDITION"})
        for measure, (query, threshold, seconds) in conditions.items():
            lost = measure == "uptime"
            expiration = {"openViolationOnExpiration": lost, "expirationDuration": 300 if lost else None}
            self.monitors[name, measure] = self.newrelic.condition(
                name=f"{measure} of {name}",
                policyId=number,
                nrql={"query": query.format(where)},
                terms=[
                    term(
                        threshold=float(threshold),
                        thresholdDuration=seconds,
                        operator="BELOW" if lost else "ABOVE",
                    )
                ],
                expiration=expiration | {"closeViolationsOnExpiration": False},
            )
        self.workflows[name] = len(self.newrelic.workflows)
        self.newrelic.route(
            "PAGERDUTY_SERVICE_INTEGRATION",
            ("labels.policyIds", "EXACTLY_MATCHES", [number]),
            service="Production",
        )

    # People
    def hires(self) -> None:
        for team, (person, name, slack) in PEOPLE.items():
            email = f"{name.lower()}@example.com"
            self.pagerduty.policies[POLICIES[team]] = policy(POLICIES[team], 5, name=team.title())
            self.pagerduty.users[person] = user(person, method(f"M{person}"), name=name, email=email)
            self.pagerduty.rules[person] = [rule(f"M{person}")]
            self.pagerduty.oncalls.append(oncall(person, name=name, policy=POLICIES[team]))
            self.slack.users[slack] = {"profile": {"email": email}}
        for number, (name, team, *keys) in enumerate(SERVICES):
            self.pagerduty.services[name] = service(f"PS{number}", name, POLICIES[team], *keys)

    def leaves_slack(self, slack: str) -> None:
        """Slack finds the address no more, and says that the account is deactivated."""
        self.slack.users[slack] = {"deleted": True, "profile": {}}


def healthy(company: Company) -> None:
    """Everything reports, is watched as the standard says, and calls somebody."""
    company.hires()
    for region in (EU, US):
        company.topics[region] = company.topic("oncall", region, ENQUEUE.format(KEY))
    _datadog(company)
    _newrelic(company)
    _aws(company)


def _datadog(company: Company) -> None:
    datadog = company.datadog
    datadog.services = {"Production", "Data", "Search", "Reports"}
    datadog.webhooks = {"socmon": f"https://datadog:secret@{SOCMON.partition('//')[2]}/webhooks/datadog"}
    datadog.channels = {"Main_Account": ["ops", "night", "random"]}
    company.slack.channels = {
        "C0OPS": {"name": "ops"},
        "C0NIGHT": {"name": "night"},
        "C0OLD": {"name": "old"},
    }
    for number in range(1, 9):
        name = f"web-{number}"
        service = {3: "checkout", 5: "accounts", 7: "images", 8: "mail"}.get(number, "web")
        company.launch(name, EU, service=service)
        company.agent(name, f"service:{service}", "env:prod")
    for number, service in enumerate(("files", "files", "files", "batch", "ledger", "print"), 1):
        high = ("criticality:high",) if service == "print" else ()
        company.agent(f"dc-{number}", f"service:{service}", "env:prod", *high)
    # Half of a character that somebody cut in two.
    company.tags_anew("dc-3", "service:files", "env:prod", "note:\ud83d")
    # web-4 is watched by its name.
    company.tags_anew("web-4", "service:pinned", "env:prod")
    company.datadog_watches("host:web-4")
    for service in ("web", "checkout", "accounts", "images", "mail", "files", "batch", "ledger", "print"):
        company.datadog_watches(f"service:{service}")
    company.monitors["service:mail", "disk"]["message"] = "A disk is full. @webhook-socmon"
    company.monitors["service:mail", "memory"]["message"] = "Look at it. @slack-ops"
    company.monitors["service:print", "disk"]["message"] = "A disk is full. @slack-night"
    company.monitors["service:images", "memory"]["message"] = "Look at it. @pagerduty-Search"
    company.monitors["service:accounts", "cpu"]["message"] = "Look at it. @pagerduty-Data"
    company.monitors["service:accounts", "memory"]["message"] = "Look at it. @pagerduty-Reports"


def _newrelic(company: Company) -> None:
    newrelic = company.newrelic
    for number in range(1, 6):
        name = f"api-{number}"
        instance = company.launch(name, US, service=name)
        newrelic.entity("HOST", name, hostname=name, instanceId=instance, service=name)
        conditions = dict(NEWRELIC)
        if name == "api-4":
            # Its CPU is watched in AWS.
            del conditions["cpu"]
            company.alarm("api-4 cpu", INSTANCE["cpu"], US, dimensions={"InstanceId": instance})
        if name == "api-5":
            # The agent of CloudWatch knows its file systems.
            del conditions["disk"]
            for path in ("/", "/data"):
                company.watched(
                    f"api-5 {path}", {"disk": AGENT["disk"]}, US, InstanceId=instance, path=path, fstype="xfs"
                )
        company.newrelic_watches(name, f"tags.service = '{name}'", conditions)
    for number in range(1, 4):
        newrelic.entity("HOST", f"node-{number}", hostname=f"node-{number}", service=f"node-{number}")
        company.newrelic_watches(f"node-{number}", f"hostname = 'node-{number}'", NEWRELIC)
    for name in ("cart", "search", "post"):
        newrelic.entity(
            "KUBERNETES_DEPLOYMENT",
            name,
            k8s__clusterName="prod",
            k8s__namespaceName="shop",
            k8s__deploymentName=name,
        )
        company.newrelic_watches(name, f"deploymentName = '{name}'", NEWRELIC_SERVICE)


def _aws(company: Company) -> None:
    bastion = company.launch("bastion", US)
    company.watched("bastion", INSTANCE | AGENT, US, InstanceId=bastion)
    # An agent's own dimensions: here it sends one disk only.
    rds = company.client("rds")
    for name in ("orders-db", "users-db", "billing-db", "audit-db"):
        rds.create_db_instance(
            DBInstanceIdentifier=name, DBInstanceClass="db.m6g.large", Engine="postgres", AllocatedStorage=100
        )
        company.sends(MORE["database"], DBInstanceIdentifier=name)
        company.watched(name, DATABASE, DBInstanceIdentifier=name)
    rds.create_db_cluster(
        DBClusterIdentifier="journal",
        Engine="aurora-mysql",
        MasterUsername="root",
        MasterUserPassword="hunter2hunter2",
    )
    company.watched("journal", AURORA, DBClusterIdentifier="journal")
    for name in ("sessions", "pages", "rates"):
        company.client("elasticache").create_cache_cluster(
            CacheClusterId=name, Engine="redis", CacheNodeType="cache.t4g.small", NumCacheNodes=1
        )
        company.sends(MORE["cache"], CacheClusterId=name)
        company.watched(name, CACHE, CacheClusterId=name)
    _functions(company)
    _balancers(company)
    _containers(company)


def _functions(company: Company) -> None:
    iam = company.client("iam")
    role = iam.create_role(RoleName="functions", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    for name in ("thumbnails", "invoices", "exports", "hooks", "mailer"):
        company.client("lambda", US).create_function(
            FunctionName=name, Runtime="python3.12", Role=role, Handler="x.y", Code={"ZipFile": b"code"}
        )
        company.watched(name, FUNCTION, US, FunctionName=name)


def _balancers(company: Company) -> None:
    ec2, elb = company.client("ec2"), company.client("elbv2")
    subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]][:2]
    for name in ("edge", "intern"):
        made = elb.create_load_balancer(Name=name, Subnets=subnets)["LoadBalancers"][0]
        balancer = made["LoadBalancerArn"].partition(":loadbalancer/")[2]
        company.sends(MORE["balancer"], LoadBalancer=balancer)
        company.watched(name, BALANCER, LoadBalancer=balancer)
        company.watched(
            f"{name} a",
            {"healthy_targets": TARGETS},
            TargetGroup=f"targetgroup/{name}/1",
            LoadBalancer=balancer,
        )
        company.instances[name] = balancer
    made = elb.create_load_balancer(Name="partner", Subnets=subnets, Type="network")["LoadBalancers"][0]
    balancer = company.aws.of_connections(made["LoadBalancerArn"]).partition(":loadbalancer/")[2]
    company.watched("partner", {"errors": CONNECTIONS["errors"]}, LoadBalancer=balancer)
    company.watched(
        "partner",
        {"healthy_targets": CONNECTIONS["healthy_targets"]},
        TargetGroup="targetgroup/partner/1",
        LoadBalancer=balancer,
    )


def _containers(company: Company) -> None:
    ecs, eks = company.client("ecs"), company.client("eks")
    ecs.create_cluster(clusterName="prod")
    ecs.register_task_definition(
        family="app", containerDefinitions=[{"name": "app", "image": "app", "memory": 64}]
    )
    for name in ("billing", "reports", "ads"):
        ecs.create_service(cluster="prod", serviceName=name, taskDefinition="app", desiredCount=1)
        company.watched(f"prod/{name}", SERVICE, ClusterName="prod", ServiceName=name)
    subnets = [one["SubnetId"] for one in company.client("ec2").describe_subnets()["Subnets"]][:2]
    eks.create_cluster(
        name="k8s",
        roleArn=f"arn:aws:iam::{company.aws.ACCOUNT}:role/eks",
        resourcesVpcConfig={"subnetIds": subnets},
    )
    company.watched("k8s", CLUSTER, ClusterName="k8s")
