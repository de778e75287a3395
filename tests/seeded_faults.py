"""What is broken in the servers of the seeded fleet, one after the other, and exactly which cells each fault spoils."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bot.playground.pagerduty_shapes import service
from tests.seeded_fleet import (
    AGENT,
    CACHE,
    DATABASE,
    ENQUEUE,
    EU,
    FUNCTION,
    KEY,
    POLICIES,
    SERVICE,
    TARGETS,
    US,
    Alarm,
    Company,
)

ORPHANED = "f" * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is broken in a server, and exactly what follows. `cells` are "component: measure measure"."""

    what: str
    plant: Callable[[Company], None]
    cells: tuple[str, ...]
    why: tuple[str, ...]
    says: str

    @property
    def expected(self) -> Iterator[tuple[tuple[str, str], frozenset[str]]]:
        for line in self.cells:
            name, _, measures = line.partition(": ")
            for measure in measures.split():
                yield (name, measure), frozenset(self.why)


HOST = "cpu memory disk network uptime"
WATCHED = "cpu memory disk uptime"


def _monitor(scope: str, measure: str, **facts: Any) -> Callable[[Company], None]:
    def plant(company: Company) -> None:
        company.monitors[scope, measure].update(facts)

    return plant


def _tells(scope: str, measure: str, message: str) -> Callable[[Company], None]:
    return _monitor(scope, measure, message=message)


def _options(scope: str, measure: str, **options: Any) -> Callable[[Company], None]:
    def plant(company: Company) -> None:
        company.monitors[scope, measure]["options"] |= options

    return plant


def _stops(name: str, how: str, metrics: Iterable[str]) -> Callable[[Company], None]:
    """Datadog's metrics of a host are stale or silent."""

    def plant(company: Company) -> None:
        getattr(company.datadog, how).update((name, metric) for metric in metrics)

    return plant


def _alarm(name: str, spec: Alarm, region: str = EU, **given: Any) -> Callable[[Company], None]:
    return lambda company: company.alarm(name, spec, region, **dict(given))


def _told_elsewhere(name: str, spec: Alarm, topic: Callable[[Company], str], **dimensions: str) -> Any:
    """An alarm notifies another topic."""

    def plant(company: Company) -> None:
        arn = topic(company)
        company.alarm(name, spec, dimensions=dimensions, AlarmActions=[arn], OKActions=[arn])

    return plant


def _pending(company: Company) -> str:
    topic = company.topic("pending", EU, "oncall@example.com")
    company.aws.leave_pending(topic, "oncall@example.com")
    return topic


def _tells_somebody_who_left(company: Company) -> None:
    company.datadog.user("mo@example.com", "Disabled")
    company.monitors["service:checkout", "cpu"]["message"] = "Look at it. @mo@example.com"


def _archived_in_slack(company: Company) -> None:
    """Datadog goes on to send there."""
    company.slack.channels["C0NIGHT"]["is_archived"] = True


def _nobody_on_call(company: Company) -> None:
    company.pagerduty.oncalls = [
        one for one in company.pagerduty.oncalls if one["escalation_policy"]["id"] != POLICIES["data"]
    ]


def _another_policy(company: Company) -> None:
    company.pagerduty.services["Marketing"] = service("PSMARK", "Marketing", "PTMARK")
    company.datadog.services.add("Marketing")
    company.monitors["service:mail", "cpu"]["message"] = "Look at it. @pagerduty-Marketing"


def _mutes_in_new_relic(company: Company) -> None:
    company.newrelic.mute(("hostname", "EQUALS", "api-2"))


def _workflow(name: str, **changes: Any) -> Callable[[Company], None]:
    def plant(company: Company) -> None:
        company.newrelic.workflows[company.workflows[name]].update(changes)

    return plant


def _without_recovery(company: Company) -> None:
    workflow = company.newrelic.workflows[company.workflows["node-1"]]
    workflow["destinationConfigurations"][0]["notificationTriggers"] = ["ACTIVATED"]


def _broken_destination(company: Company) -> None:
    company.newrelic.destinations[company.workflows["post"]]["status"] = "AUTH_ERROR"


def _replaced(company: Company) -> None:
    """A machine comes back as another one of the same name; its alarm stays where it was."""
    old = company.instances["api-4"]
    company.client("ec2", US).terminate_instances(InstanceIds=[old])
    company.series = {at: one for at, one in company.series.items() if ("InstanceId", old) not in at[2]}
    new = company.launch("api-4", US, service="api-4")
    for entity in company.newrelic.entities:
        if entity["name"] == "api-4":
            entity["tags"] = [tag for tag in entity["tags"] if tag["key"] != "instanceId"]
            entity["tags"].append({"key": "instanceId", "values": [new]})


def _without_agent(company: Company) -> None:
    """A machine was made anew, without the agent of CloudWatch."""
    bastion = company.instances["bastion"]
    company.series = {
        at: one
        for at, one in company.series.items()
        if not (at[1].startswith("CWAgent") and ("InstanceId", bastion) in at[2])
    }


def _another_disk(company: Company) -> None:
    company.sends(
        [AGENT["disk"].metric], US, InstanceId=company.instances["api-5"], path="/var/lib", fstype="ext4"
    )


def _another_target_group(company: Company) -> None:
    balancer = company.instances["edge"]
    company.sends([TARGETS.metric], TargetGroup="targetgroup/edge/2", LoadBalancer=balancer)


def _in_another_tool(company: Company) -> None:
    """The disk check of Datadog's agent is off; CloudWatch's agent goes on to send it."""
    company.datadog.silent.add(("web-6", "system.disk.in_use"))
    instance = company.instances["web-6"]
    company.sends([AGENT["disk"].metric], EU, InstanceId=instance, path="/", fstype="xfs")


def _below_a_composite(company: Company) -> None:
    """Its own actions are gone, since a composite alarm tells; but that one waits for another alarm as well."""
    dimensions = {"ClusterName": "prod", "ServiceName": "ads"}
    company.alarm("prod/ads cpu", SERVICE["cpu"], dimensions=dimensions, AlarmActions=[], OKActions=[])
    company.aws.composite(
        "ads are ill",
        'ALARM("prod/ads cpu") AND ALARM("prod/ads memory")',
        actions=[company.topics[EU]],
        region=EU,
    )


_DATADOG_METRICS = (
    "system.cpu.user",
    "system.mem.pct_usable",
    "system.disk.in_use",
    "system.net.bytes_rcvd",
    "system.uptime",
)

FAULTS = (
    # Datadog
    Fault(
        what="an agent stopped a quarter of an hour ago",
        plant=_stops("dc-1", "stale", _DATADOG_METRICS),
        cells=(f"dc-1: {HOST}",),
        why=("reports: stale",),
        says="older than two intervals",
    ),
    Fault(
        what="an agent is known and never reported",
        plant=_stops("dc-2", "silent", _DATADOG_METRICS),
        cells=(f"dc-2: {HOST}",),
        why=("reports: silent",),
        says="has no value",
    ),
    Fault(
        what="a downtime for one host",
        plant=lambda company: company.datadog.downtime("host:dc-3"),
        cells=(f"dc-3: {WATCHED}",),
        why=("threshold: silenced",),
        says="in a downtime for host:dc-3",
    ),
    Fault(
        what="a threshold was raised",
        plant=_monitor(
            "service:batch", "cpu", query="avg(last_5m):avg:system.cpu.user{service:batch} by {host} > 95"
        ),
        cells=("dc-4: cpu",),
        why=("threshold: threshold too weak",),
        says="> 95",
    ),
    Fault(
        what="a window was made longer",
        plant=_monitor(
            "service:batch",
            "memory",
            query="avg(last_30m):avg:system.mem.pct_usable{service:batch} by {host} < 0.1",
        ),
        cells=("dc-4: memory",),
        why=("threshold: window too long",),
        says="after 30 min, later than 5 min",
    ),
    Fault(
        what="missing data is ignored",
        plant=_options("service:batch", "uptime", notify_no_data=False),
        cells=("dc-4: uptime",),
        why=("threshold: no data ignored",),
        says="stays quiet when no data arrives",
    ),
    Fault(
        what="missing data is told after an hour",
        plant=_options("service:ledger", "uptime", no_data_timeframe=60),
        cells=("dc-5: uptime",),
        why=("threshold: window too long",),
        says="after 60 min, later than 5 min",
    ),
    Fault(
        what="an anomaly monitor, which has no threshold",
        plant=_monitor(
            "service:ledger",
            "cpu",
            query="avg(last_4h):anomalies(avg:system.cpu.user{service:ledger} by {host}, 'agile', 2,"
            " direction='above', interval=60, alert_window='last_15m', count_default_zero='true') >= 1",
        ),
        cells=("dc-5: cpu",),
        why=("threshold: no threshold to compare",),
        says="no threshold that the standard could be compared with",
    ),
    Fault(
        what="a monitor fires the other way",
        plant=_monitor(
            "service:ledger",
            "memory",
            query="avg(last_5m):avg:system.mem.pct_usable{service:ledger} by {host} > 0.1",
        ),
        cells=("dc-5: memory",),
        why=("threshold: fires the other way",),
        says="fires < 90",
    ),
    Fault(
        what="one number of all file systems of a host",
        plant=_monitor(
            "service:ledger",
            "disk",
            query="avg(last_15m):avg:system.disk.in_use{service:ledger} by {host} > 0.85",
        ),
        cells=("dc-5: disk",),
        why=("threshold: unreadable filter",),
        says="nothing says which is full",
    ),
    Fault(
        what="the priority is too low for a critical component",
        plant=_monitor("service:print", "cpu", priority=4),
        cells=("dc-6: cpu",),
        why=("threshold: severity below the standard",),
        says="has severity SEV4, below the standard's SEV2",
    ),
    Fault(
        what="a Slack channel that nobody approved",
        plant=_tells("service:print", "memory", "Look at it. @slack-random"),
        cells=("dc-6: memory",),
        why=("routed: channel not approved",),
        says="slack-random is not an approved channel",
    ),
    Fault(
        what="a Slack channel that was archived",
        plant=_archived_in_slack,
        cells=("dc-6: disk",),
        why=("routed: dead target",),
        says="the channel is archived in Slack",
    ),
    Fault(
        what="a Slack channel that Datadog's integration no longer has",
        plant=_tells("service:mail", "memory", "Look at it. @slack-old-ops"),
        cells=("web-8: memory",),
        why=("routed: dead target",),
        says="has no channel old-ops",
    ),
    Fault(
        what="a no-data alert is told to nobody",
        plant=_tells("service:print", "uptime", "{{#is_alert}} @pagerduty-Production {{/is_alert}}"),
        cells=("dc-6: uptime",),
        why=("routed: dead target",),
        says="never of missing data",
    ),
    Fault(
        what="the person whom an e-mail goes to has a disabled account",
        plant=_tells_somebody_who_left,
        cells=("web-3: cpu",),
        why=("routed: dead target",),
        says="account of mo@example.com is disabled",
    ),
    Fault(
        what="a PagerDuty service that the integration no longer has",
        plant=_tells("service:checkout", "memory", "Look at it. @pagerduty-Retired"),
        cells=("web-3: memory",),
        why=("routed: dead target",),
        says="Datadog has no PagerDuty service Retired",
    ),
    Fault(
        what="PagerDuty is told of the alert and not of the recovery",
        plant=_tells("service:checkout", "disk", "{{#is_alert}} @pagerduty-Production {{/is_alert}}"),
        cells=("web-3: disk",),
        why=("routed: recovery not routed",),
        says="never of its recovery",
    ),
    Fault(
        what="a host was renamed, and its monitors look for the old name",
        plant=lambda company: company.renames("web-4", "web-four"),
        cells=(f"web-4: {WATCHED}",),
        why=("threshold: watches another dimension",),
        says="is named after it, and watches host:web-4",
    ),
    Fault(
        what="a tag is another one in Datadog, and the old one in AWS",
        plant=lambda company: company.tags_anew("web-2", "service:attic", "env:prod"),
        cells=(f"web-2: {WATCHED}",),
        why=("threshold: no monitor",),
        says="No monitor watches its",
    ),
    Fault(
        what="the metric arrives in another tool than its monitor",
        plant=_in_another_tool,
        cells=("web-6: disk",),
        why=("threshold: metric does not arrive there",),
        says="watched in datadog, and there system.disk.in_use does not arrive",
    ),
    Fault(
        what="a monitor is a draft",
        plant=_monitor("service:images", "cpu", draft_status="draft"),
        cells=("web-7: cpu",),
        why=("threshold: disabled",),
        says="is disabled",
    ),
    # People
    Fault(
        what="the Slack account of the person on call is deactivated",
        plant=lambda company: company.leaves_slack("U1KIM"),
        cells=("web-7: memory",),
        why=("routed: on call and not reachable",),
        says="calls Kim of search, who cannot be reached now",
    ),
    Fault(
        what="nobody is on call in the team that a service calls",
        plant=_nobody_on_call,
        cells=("web-5: cpu",),
        why=("routed: nobody on call",),
        says="calls data, where nobody is on call now",
    ),
    Fault(
        what="a service that is disabled in PagerDuty",
        plant=lambda company: company.pagerduty.services["Reports"].update(status="disabled"),
        cells=("web-5: memory",),
        why=("routed: dead target",),
        says="disabled",
    ),
    Fault(
        what="a service that calls no team that socmon knows",
        plant=_another_policy,
        cells=("web-8: cpu",),
        why=("routed: service without a team",),
        says="calls by the escalation policy",
    ),
    # New Relic
    Fault(
        what="a condition is disabled",
        plant=_monitor("api-1", "cpu", enabled=False),
        cells=("api-1: cpu",),
        why=("threshold: disabled",),
        says="is disabled",
    ),
    Fault(
        what="a muting rule for one host",
        plant=_mutes_in_new_relic,
        cells=(f"api-2: {WATCHED}",),
        why=("threshold: silenced",),
        says="muted by the rule “Maintenance”",
    ),
    Fault(
        what="no workflow takes the policy",
        plant=_workflow(
            "api-3",
            issuesFilter={
                "predicates": [
                    {"attribute": "labels.policyIds", "operator": "EXACTLY_MATCHES", "values": ["1"]}
                ]
            },
        ),
        cells=(f"api-3: {WATCHED}",),
        why=("routed: no target",),
        says="It notifies nobody",
    ),
    Fault(
        what="the workflow is off",
        plant=_workflow("node-3", workflowEnabled=False),
        cells=(f"node-3: {WATCHED}",),
        why=("routed: dead target",),
        says="the workflow “workflow",
    ),
    Fault(
        what="New Relic cannot deliver to a destination",
        plant=_broken_destination,
        cells=("shop/post: cpu memory uptime",),
        why=("routed: dead target",),
        says="has the status AUTH_ERROR",
    ),
    Fault(
        what="a channel is not told when an issue is closed",
        plant=_without_recovery,
        cells=(f"node-1: {WATCHED}",),
        why=("routed: recovery not routed",),
        says="never of its recovery",
    ),
    Fault(
        what="one metric of an agent stays away",
        plant=lambda company: company.newrelic.silent.add(("node-2", "receiveBytesPerSecond")),
        cells=("node-2: network",),
        why=("reports: silent",),
        says="knows NetworkSample.receiveBytesPerSecond of it, and has no value",
    ),
    # AWS
    Fault(
        what="an alarm on a machine that was replaced",
        plant=_replaced,
        cells=("api-4: cpu",),
        why=("threshold: watches another dimension",),
        says="“api-4 cpu” in cloudwatch is named after it",
    ),
    Fault(
        what="an alarm without action",
        plant=_alarm(
            "orders-db cpu",
            DATABASE["cpu"],
            dimensions={"DBInstanceIdentifier": "orders-db"},
            AlarmActions=[],
            OKActions=[],
        ),
        cells=("orders-db: cpu",),
        why=("routed: dead target",),
        says="It has no alarm action",
    ),
    Fault(
        what="an alarm whose actions are switched off",
        plant=_alarm(
            "orders-db memory",
            DATABASE["memory"],
            dimensions={"DBInstanceIdentifier": "orders-db"},
            ActionsEnabled=False,
        ),
        cells=("orders-db: memory",),
        why=("threshold: silenced",),
        says="ActionsEnabled=false",
    ),
    Fault(
        what="an alarm that is named after another database than it watches",
        plant=_alarm("users-db cpu", DATABASE["cpu"], dimensions={"DBInstanceIdentifier": "audit-db"}),
        cells=("users-db: cpu",),
        why=("threshold: watches another dimension",),
        says="db:audit-db",
    ),
    Fault(
        what="a subscription that was never confirmed",
        plant=_told_elsewhere("users-db disk", DATABASE["disk"], _pending, DBInstanceIdentifier="users-db"),
        cells=("users-db: disk",),
        why=("routed: dead target",),
        says="never confirmed",
    ),
    Fault(
        what="an alarm mute rule",
        plant=lambda company: company.aws.mutes.update({"spring cleaning": ["billing-db cpu"]}),
        cells=("billing-db: cpu",),
        why=("threshold: silenced",),
        says="mute rule spring cleaning",
    ),
    Fault(
        what="an integration key that PagerDuty no longer has",
        plant=_told_elsewhere(
            "billing-db memory",
            DATABASE["memory"],
            lambda company: company.topic("orphaned", EU, ENQUEUE.format(ORPHANED)),
            DBInstanceIdentifier="billing-db",
        ),
        cells=("billing-db: memory",),
        why=("routed: dead target",),
        says="PagerDuty has no such service or integration key",
    ),
    Fault(
        what="an alarm tells PagerDuty nothing of its recovery",
        plant=_alarm(
            "audit-db disk", DATABASE["disk"], dimensions={"DBInstanceIdentifier": "audit-db"}, OKActions=[]
        ),
        cells=("audit-db: disk",),
        why=("routed: recovery not routed",),
        says="never of its recovery",
    ),
    Fault(
        what="raw delivery, which PagerDuty cannot read",
        plant=_told_elsewhere(
            "sessions memory",
            CACHE["memory"],
            lambda company: company.topic("raw", EU, ENQUEUE.format(KEY), raw=True),
            CacheClusterId="sessions",
        ),
        cells=("sessions: memory",),
        why=("routed: dead target",),
        says="Raw message delivery is on",
    ),
    Fault(
        what="a topic that was deleted",
        plant=_told_elsewhere(
            "pages cpu",
            CACHE["cpu"],
            lambda company: f"{company.topics[EU]}-which-was-deleted",
            CacheClusterId="pages",
        ),
        cells=("pages: cpu",),
        why=("routed: dead target",),
        says="This topic does not exist",
    ),
    Fault(
        what="a threshold that is too weak for a function",
        plant=_alarm(
            "hooks errors",
            FUNCTION["errors"],
            US,
            dimensions={"FunctionName": "hooks"},
            Threshold=50.0,
        ),
        cells=("hooks: errors",),
        why=("threshold: threshold too weak",),
        says="> 50",
    ),
    Fault(
        what="a machine without an agent",
        plant=_without_agent,
        cells=("bastion: memory disk",),
        why=("reports: not configured", "threshold: unreadable filter"),
        says="so the alarm gets no values",
    ),
    Fault(
        what="a file system that no alarm is about",
        plant=_another_disk,
        cells=("api-5: disk",),
        why=("threshold: only a part watched",),
        says="nothing watches /var/lib",
    ),
    Fault(
        what="a target group that no alarm is about",
        plant=_another_target_group,
        cells=("edge: healthy_targets",),
        why=("threshold: only a part watched",),
        says="nothing watches targetgroup/edge/2",
    ),
    Fault(
        what="an alarm below a composite one that waits for two",
        plant=_below_a_composite,
        cells=("prod/ads: cpu",),
        why=("routed: dead target",),
        says="It has no alarm action",
    ),
)
