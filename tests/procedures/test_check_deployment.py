"""The gate: what a plan makes has to be watched and routed, and what runs has to stay so."""

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.adapters.inventory import read_deployment
from bot.domain.component import Component, Identity, Kind, Measure
from bot.domain.coverage import State
from bot.domain.deployment import Circumstances, Phase, Verdict
from bot.domain.monitor import Comparator, Monitor, Target, TargetKind, Watches
from bot.domain.scope import Exclusion, InScope
from bot.domain.shortfall import Why
from bot.procedures.assess_coverage import OnRecord
from bot.procedures.check_deployment import Tool, judge
from bot.procedures.check_deployment import record as put_on_record
from bot.providers import all_providers
from bot.standard import read_standard
from handlers.deployments import ASKED
from tests.fleets import MONITORS, OPS, READINGS, ROUTES, STANDARD, TTL, in_scope, monitor
from tests.plans import (
    ACCOUNT,
    REGION,
    TOPIC,
    alarm,
    change,
    configured,
    expression,
    function,
    plan,
    record,
    server,
)
from tests.rosters import NOW
from tests.world import Ledger

SETTINGS: dict[str, Any] = {
    name: all_providers()[name].settings({}, {}) for name in ("cloudwatch", "datadog", "newrelic")
}
APPROVED = replace(ROUTES, approved=ROUTES.approved | {TOPIC})


def tools(*names: str) -> dict[str, Tool]:
    known = all_providers()
    return {
        name: Tool(foresee=partial(known[name].foresee, SETTINGS[name]), collects=known[name].collects)
        for name in names
    }


def check(
    body: bytes | str,
    before: OnRecord,
    *names: str,
    file: str = "plan.json",
    routes: Any = APPROVED,
    standard: Any = STANDARD,
) -> Verdict:
    content = body.encode() if isinstance(body, str) else body
    return judge(
        read_deployment(Path(file), content),
        before,
        tools(*(names or before.monitors)),
        standard=standard,
        routes=routes,
        now=NOW,
        time_to_live=TTL,
    )


def state(verdict: Verdict, address: str, measure: Measure = Measure.CPU) -> State:
    [found] = [one for one in verdict.judged if one.proposed.address == address]
    return next(cell.state for cell in found.cells if cell.measure is measure)


def datadog(*entries: InScope, monitors: Sequence[Monitor] = MONITORS) -> OnRecord:
    return record(*(entries or (in_scope(),)), monitors={"datadog": monitors}, readings={"datadog": READINGS})


def nothing(*names: str) -> OnRecord:
    return record(monitors=dict.fromkeys(names, ()))


# Monitors that exist, of components that do not
def test_a_monitor_by_tag_will_watch_what_has_the_tag() -> None:
    """An instance has no id yet; a monitor over env:prod needs none. Case does not matter, nor which tags they are."""
    made = [
        server("aws_instance.web[3]"),
        server("aws_instance.dev[0]", tags={"Env": "Dev"}, tags_all={"Env": "Dev"}),
        server("aws_instance.bare[0]", tags=None, tags_all={"Env": "PROD"}),
    ]

    verdict = check(plan(*made), datadog())

    assert [one.state for one in verdict.judged] == [State.COVERED, State.GAP, State.COVERED]
    assert not verdict.passed
    said = list(verdict.says())
    assert "✓ aws_instance.web[3] (host) would be watched" in said
    assert [line for line in said if line.startswith("✗")] == [
        f"✗ aws_instance.dev[0] (host) {measure}: No monitor watches its {measure}. Make one that meets the standard,"
        " or let one that exists watch this component as well."
        for measure in ("cpu", "memory", "disk", "uptime")
    ]
    assert any("is not in scope yet" in line for line in said)
    assert any("memory" in line and "only after the deployment" in line for line in said)


@pytest.mark.parametrize(
    ("spoiled", "why"),
    [
        ({"threshold": Decimal(99)}, Why.TOO_WEAK),
        ({"silenced": "in a downtime"}, Why.SILENCED),
        ({"targets": (Target(kind=TargetKind.SLACK, name="@slack-other"),)}, Why.NOT_APPROVED),
        ({"watches": Watches(identities=frozenset({Identity("host", "web-1")}))}, Why.NO_MONITOR),
    ],
    ids=lambda each: each if isinstance(each, Why) else "",
)
def test_what_keeps_a_monitor_from_serving_keeps_it_here(spoiled: dict[str, Any], why: Why) -> None:
    monitors = [replace(one, **spoiled) if one.measure is Measure.CPU else one for one in MONITORS]

    verdict = check(plan(server()), datadog(monitors=monitors))

    [cpu] = [cell for cell in verdict.judged[0].cells if cell.state is State.GAP]
    assert (cpu.measure, cpu.shortfalls[0].why) == (Measure.CPU, why)


def test_a_tool_that_did_not_answer_lets_nothing_pass() -> None:
    """What nobody can tell is unknown, and never covered."""
    before = datadog()

    verdict = check(plan(server()), replace(before, monitors={}), "datadog")

    assert {cell.state for cell in verdict.judged[0].cells if cell.measure is not Measure.NETWORK} == {
        State.UNKNOWN
    }
    assert not verdict.passed


def test_nothing_new_passes() -> None:
    kept = server("aws_instance.web", "no-op", id="i-1", arn="x")
    looked_at = change("aws_instance.other", "read", after={}) | {"mode": "data"}

    verdict = check(plan(kept, looked_at, change("aws_vpc.main", "create", after={})), datadog())

    assert (verdict.passed, verdict.judged, verdict.deployment.skipped) == (True, (), 1)


# Alarms that the same plan makes
def test_an_alarm_of_the_same_plan_counts() -> None:
    """By the name that is known, or by the reference where none is; not for another function."""
    by_name = alarm("aws_cloudwatch_metric_alarm.a", "AWS/Lambda Errors", {"FunctionName": "pay"})
    by_reference = alarm("aws_cloudwatch_metric_alarm.b", "AWS/Lambda Errors", {"FunctionName": ...})
    refers = ["aws_lambda_function.ship.function_name", "aws_lambda_function.ship"]
    made = [
        function(),
        function("aws_lambda_function.ship", ...),
        function("aws_lambda_function.bare", "bare"),
    ]

    verdict = check(
        plan(
            *made,
            by_name,
            by_reference,
            configuration={"resources": [configured("aws_cloudwatch_metric_alarm.b", dimensions=refers)]},
        ),
        nothing("cloudwatch"),
    )

    assert {one.proposed.address: one.state for one in verdict.judged} == {
        "aws_lambda_function.pay": State.COVERED,
        "aws_lambda_function.ship": State.COVERED,
        "aws_lambda_function.bare": State.GAP,
    }
    assert not verdict.judged[0].later, "AWS measures a function by itself"


INSTANCE = {"InstanceId": ...}
CPU: dict[str, Any] = {"statistic": "Average", "threshold": 85}


def test_alarms_with_count_are_told_apart() -> None:
    """Of web[count.index].id a plan tells only web and count.index."""
    of_each = ["aws_instance.web", "count.index"]
    body = plan(
        server("aws_instance.web[0]"),
        server("aws_instance.web[1]"),
        alarm("aws_cloudwatch_metric_alarm.cpu[1]", "AWS/EC2 CPUUtilization", INSTANCE, **CPU),
        configuration={"resources": [configured("aws_cloudwatch_metric_alarm.cpu", dimensions=of_each)]},
    )

    verdict = check(body, nothing("cloudwatch"))

    assert state(verdict, "aws_instance.web[0]") is State.GAP
    assert state(verdict, "aws_instance.web[1]") is State.COVERED
    assert {one.value for one in verdict.judged[1].later} == {"memory", "disk"}


def test_references_lead_through_modules() -> None:
    """An output of one module, given as a variable to another one, which is there once for each key."""
    made = [server(f'module.web["{key}"].aws_instance.this') for key in ("a.b", "c")]
    watching = alarm(
        'module.alarms["a.b"].aws_cloudwatch_metric_alarm.cpu', "AWS/EC2 CPUUtilization", INSTANCE, **CPU
    )
    alarms = {"resources": [configured("aws_cloudwatch_metric_alarm.cpu", dimensions=["var.instance"])]}
    web = {
        "outputs": {"id": {"expression": expression(["aws_instance.this.id", "aws_instance.this"])}},
        "resources": [configured("aws_instance.this")],
    }
    given = expression(['module.web["a.b"].id', 'module.web["a.b"]', "module.web"])
    body = plan(
        *made,
        watching,
        configuration={
            "module_calls": {
                "web": {"module": web, "for_each_expression": {}},
                "alarms": {"module": alarms, "expressions": {"instance": given}},
            }
        },
    )

    verdict = check(body, nothing("cloudwatch"))

    assert state(verdict, 'module.web["a.b"].aws_instance.this') is State.COVERED
    assert state(verdict, 'module.web["c"].aws_instance.this') is State.GAP


def test_for_each_over_the_resources_themselves() -> None:
    made = [server(f'aws_instance.web["{key}"]') for key in "ab"]
    cpu = alarm('aws_cloudwatch_metric_alarm.cpu["b"]', "AWS/EC2 CPUUtilization", INSTANCE, **CPU)
    config = configured("aws_cloudwatch_metric_alarm.cpu", dimensions=["each.value.id", "each.value"])
    config["for_each_expression"] = expression(["aws_instance.web"])

    verdict = check(plan(*made, cpu, configuration={"resources": [config]}), nothing("cloudwatch"))

    assert state(verdict, 'aws_instance.web["a"]') is State.GAP
    assert state(verdict, 'aws_instance.web["b"]') is State.COVERED


def test_alarms_on_everything_that_aws_names_in_its_own_way() -> None:
    """A load balancer by the end of its ARN, a service with its cluster, a query, and one alarm through another."""
    balancer = change("aws_lb.front", "create", after={"name": "front", "load_balancer_type": "application"})
    cluster = change("aws_ecs_cluster.main", "create", after={"name": "main"})
    service = change("aws_ecs_service.api", "create", after={"name": "api", "cluster": ...})
    database = change("aws_db_instance.db", "create", after={"identifier": ...})
    five_hundreds = alarm(
        "aws_cloudwatch_metric_alarm.lb", "AWS/ApplicationELB HTTPCode_ELB_5XX_Count", ..., threshold=10
    )
    names = {"ClusterName": "main", "ServiceName": "api"}
    busy = alarm(
        "aws_cloudwatch_metric_alarm.ecs", "AWS/ECS CPUUtilization", names, **CPU, alarm_actions=None
    )
    metric = {"namespace": "AWS/RDS", "metric_name": "CPUUtilization", "stat": "Average", "period": 300}
    query = {
        "id": "m",
        "metric": [metric | {"dimensions": {"DBInstanceIdentifier": ...}}],
        "return_data": True,
    }
    queried = alarm("aws_cloudwatch_metric_alarm.db", " ", None, **CPU, metric_query=[query])
    whole = change(
        "aws_cloudwatch_composite_alarm.all",
        "create",
        after={
            "alarm_name": "all",
            "alarm_rule": 'ALARM("aws_cloudwatch_metric_alarm-ecs")',
            "alarm_actions": [TOPIC],
        },
    )
    block = [
        {"metric": [{"dimensions": expression(["aws_db_instance.db.identifier", "aws_db_instance.db"])}]}
    ]
    in_blocks = configured("aws_cloudwatch_metric_alarm.db") | {"expressions": {"metric_query": block}}
    configuration = {
        "resources": [
            configured(
                "aws_cloudwatch_metric_alarm.lb", dimensions=["aws_lb.front.arn_suffix", "aws_lb.front"]
            ),
            configured("aws_ecs_service.api", cluster=["aws_ecs_cluster.main.id", "aws_ecs_cluster.main"]),
            in_blocks,
        ]
    }
    made = (balancer, cluster, service, database, five_hundreds, busy, queried, whole)

    verdict = check(
        plan(*made, configuration=configuration), nothing("cloudwatch"), standard=read_standard(None)
    )

    covered = {
        (one.proposed.address, cell.measure.value)
        for one in verdict.judged
        for cell in one.cells
        if cell.state is State.COVERED and cell.monitor
    }
    assert covered == {
        ("aws_lb.front", "errors"),
        ("aws_ecs_service.api", "cpu"),
        ("aws_db_instance.db", "cpu"),
    }


def test_a_reference_proves_nothing_where_the_value_is_known() -> None:
    """An alarm on a whole cluster that takes its name from a service; actions that choose one of two topics."""
    service = change("aws_ecs_service.api", "create", after={"name": "api", "cluster": "main"})
    of_cluster = alarm(
        "aws_cloudwatch_metric_alarm.ecs", "AWS/ECS CPUUtilization", {"ClusterName": "main"}, **CPU
    )
    other = TOPIC.replace("ops", "other")
    topics = [
        change(f"aws_sns_topic.{name}", "no-op", before={"arn": arn}, after={"arn": arn})
        for name, arn in (("ops", TOPIC), ("other", other))
    ]
    chosen = alarm(
        "aws_cloudwatch_metric_alarm.pay", "AWS/Lambda Errors", {"FunctionName": "pay"}, alarm_actions=[other]
    )
    configuration = {
        "resources": [
            configured(
                "aws_cloudwatch_metric_alarm.ecs",
                dimensions=["aws_ecs_service.api.cluster", "aws_ecs_service.api"],
            ),
            configured(
                "aws_cloudwatch_metric_alarm.pay", alarm_actions=["aws_sns_topic.ops", "aws_sns_topic.other"]
            ),
        ]
    }

    verdict = check(
        plan(service, of_cluster, function(), *topics, chosen, configuration=configuration),
        nothing("cloudwatch"),
        standard=read_standard(None),
    )

    api, pay = verdict.judged
    assert api.cells[0].state is State.GAP
    assert [one.why for one in pay.cells[0].shortfalls] == [Why.NOT_APPROVED]


def test_an_alarm_whose_component_cannot_be_told_watches_nothing() -> None:
    """Through a local value, which plans do not tell of; or of several at once."""
    made = [server("aws_instance.web[0]"), server("aws_instance.web[1]")]
    local, several = "aws_cloudwatch_metric_alarm.local", "aws_cloudwatch_metric_alarm.several"
    body = plan(
        *made,
        alarm(local, "AWS/EC2 CPUUtilization", INSTANCE, **CPU),
        alarm(several, "AWS/EC2 CPUUtilization", INSTANCE, **CPU),
        configuration={
            "resources": [
                configured(local, dimensions=["local.id"]),
                configured(several, dimensions=["aws_instance.web"]),
            ]
        },
    )

    verdict = check(body, nothing("cloudwatch"))

    cpu = verdict.judged[0].cells[0]
    assert (cpu.state, cpu.shortfalls[0].why) == (State.GAP, Why.UNREADABLE)
    assert "known only after the plan was applied" in cpu.shortfalls[0].says


SUBSCRIBED = "aws_sns_topic_subscription.ops"


@pytest.mark.parametrize(
    ("protocol", "endpoint", "why"),
    [
        ("https", "https://socmon.example.com/webhooks/cloudwatch", Why.DEAD_TARGET),
        ("email", "kim@example.com", Why.DEAD_TARGET),
        ("https", "https://elsewhere.example.com", Why.NOT_APPROVED),
    ],
)
def test_a_topic_of_the_same_plan_ends_where_it_subscribes(protocol: str, endpoint: str, why: Why) -> None:
    """Mail has to be confirmed first; and a topic that is not named in the settings is not believed."""
    actions = ["aws_sns_topic.ops.arn", "aws_sns_topic.ops"]
    body = plan(
        function(),
        change("aws_sns_topic.ops", "create", after={"name": "ops", "arn": ...}),
        change(
            SUBSCRIBED,
            "create",
            after={"topic_arn": ..., "protocol": protocol, "endpoint": endpoint, "arn": ...},
        ),
        alarm(
            "aws_cloudwatch_metric_alarm.a",
            "AWS/Lambda Errors",
            {"FunctionName": "pay"},
            alarm_actions=...,
            ok_actions=...,
        ),
        configuration={
            "resources": [
                configured(
                    "aws_cloudwatch_metric_alarm.a", alarm_actions=actions, ok_actions=actions, dimensions={}
                ),
                configured(SUBSCRIBED, topic_arn=actions),
            ]
        },
    )

    verdict = check(body, nothing("cloudwatch"), routes=ROUTES)

    found = [one.why for cell in verdict.judged[0].cells for one in cell.shortfalls]
    assert found == [why]


def test_a_topic_that_exists_ends_where_other_alarms_show() -> None:
    """Without being approved itself: it reaches PagerDuty by a subscription that was seen."""
    ends = Target(kind=TargetKind.PAGERDUTY, name="pagerduty", reaches=("Ops", TOPIC))
    other = monitor(provider="cloudwatch", id="arn:other", targets=(ends,))
    body = plan(
        function(), alarm("aws_cloudwatch_metric_alarm.a", "AWS/Lambda Errors", {"FunctionName": "pay"})
    )

    known = check(body, record(monitors={"cloudwatch": [other]}), routes=ROUTES)
    unknown = check(body, nothing("cloudwatch"), routes=ROUTES)

    assert known.passed
    assert [one.why for cell in unknown.judged[0].cells for one in cell.shortfalls] == [Why.NOT_APPROVED]


def test_a_datadog_monitor_of_the_same_plan_counts() -> None:
    monitors = [one for one in MONITORS if one.measure is not Measure.CPU]
    made = change(
        "datadog_monitor.cpu",
        "create",
        after={
            "id": ...,
            "name": "CPU",
            "type": "metric alert",
            "query": "avg(last_5m):avg:system.cpu.user{env:prod} by {host} > 85",
            "message": "It is busy. @pagerduty-Ops",
            "monitor_thresholds": [{"critical": "85", "warning": ""}],
            "priority": "3",
            "notify_no_data": False,
            "tags": None,
        },
    )

    with_it = check(plan(server(), made), datadog(monitors=monitors))
    without = check(plan(server()), datadog(monitors=monitors))

    assert (with_it.passed, without.passed) == (True, False)
    assert with_it.judged[0].cells[0].monitor is not None
    assert with_it.judged[0].cells[0].monitor.targets == (
        replace(OPS, name="pagerduty-Ops", reaches=("Ops",)),
    )


# What runs already
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:pay"
ALARM = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:errors"
PAY = InScope(
    component=Component(
        kind=Kind.FUNCTION,
        name="pay",
        identities=frozenset({Identity("arn", ARN)}),
        sources=frozenset({"cloudwatch"}),
    )
)
WATCHING = monitor(
    Measure.ERRORS,
    provider="cloudwatch",
    id=ALARM,
    comparator=Comparator.AT_LEAST,
    threshold=Decimal(1),
    watches=Watches(identities=frozenset({Identity("arn", ARN)})),
)


@pytest.mark.parametrize(
    ("actions", "changed", "why"),
    [
        (("delete",), None, [Why.NO_MONITOR]),
        (("update",), {"threshold": 5}, [Why.TOO_WEAK]),
        (("update",), {"actions_enabled": False}, [Why.SILENCED]),
        (("update",), {"dimensions": {"FunctionName": "other"}}, [Why.NO_MONITOR]),
        (("update",), {"alarm_description": "Only words."}, []),
        (("delete", "create"), {"alarm_name": "better", "arn": ...}, []),
        (("no-op",), {}, []),
    ],
    ids=["deleted", "weakened", "silenced", "elsewhere", "words", "replaced", "kept"],
)
def test_what_runs_has_to_stay_watched(
    actions: tuple[str, ...], changed: dict[str, Any] | None, why: list[Why]
) -> None:
    before = alarm("aws_cloudwatch_metric_alarm.a", "AWS/Lambda Errors", {"FunctionName": "pay"})["change"][
        "after"
    ]
    before |= {"arn": ALARM, "alarm_name": "errors"}
    after = None if changed is None else before | changed
    told = change("aws_cloudwatch_metric_alarm.a", *actions, before=before, after=after)

    verdict = check(plan(told), record(PAY, monitors={"cloudwatch": [WATCHING]}))

    assert [one.why for cell in verdict.losing for one in cell.shortfalls] == why
    assert verdict.passed == (not why)
    assert all(cell.key == PAY.component.key for cell in verdict.losing)


CONDITION = {
    "id": "77:123",
    "name": "CPU of production",
    "enabled": True,
    "policy_id": "77",
    "type": "static",
    "nrql": [{"query": "SELECT average(cpuPercent) FROM SystemSample WHERE hostname = 'web-1'"}],
    "critical": [{"operator": "above", "threshold": 85, "threshold_duration": 300}],
    "warning": [],
}
MONITOR = {
    "id": "cpu-1",
    "name": "CPU of production",
    "type": "metric alert",
    "query": "avg(last_5m):avg:system.cpu.user{env:prod} by {host} > 85",
    "message": "@pagerduty-Ops",
    "priority": "3",
}
WEAK = {"operator": "above", "threshold": 99, "threshold_duration": 300}
JSON = json.dumps(MONITOR | {"priority": 3, "options": {"thresholds": {"critical": 85}}})


@pytest.mark.parametrize(
    ("kind", "before", "after", "why"),
    [
        ("newrelic_nrql_alert_condition", CONDITION, {}, []),
        ("newrelic_nrql_alert_condition", CONDITION, {"critical": [WEAK]}, [Why.TOO_WEAK]),
        ("newrelic_nrql_alert_condition", CONDITION, {"enabled": False}, [Why.DISABLED]),
        ("newrelic_nrql_alert_condition", CONDITION, None, [Why.NO_MONITOR]),
        ("datadog_monitor", MONITOR, {}, []),
        ("datadog_monitor", MONITOR, {"query": MONITOR["query"].replace("85", "99")}, [Why.TOO_WEAK]),
        ("datadog_monitor", MONITOR, {"message": "Nobody."}, [Why.NO_TARGET]),
        ("datadog_monitor", MONITOR, None, [Why.NO_MONITOR]),
        ("datadog_monitor_json", {"id": "cpu-1", "monitor": JSON}, {}, []),
        (
            "datadog_monitor_json",
            {"id": "cpu-1", "monitor": JSON},
            {"monitor": JSON.replace("prod", "x")},
            [Why.NO_MONITOR],
        ),
    ],
)
def test_monitors_of_other_tools_have_to_stay_as_well(
    kind: str, before: dict[str, Any], after: dict[str, Any] | None, why: list[Why]
) -> None:
    """A condition that changes notifies whom it notified before; that no plan tells."""
    name = kind.partition("_")[0]
    told = change(
        f"{kind}.cpu",
        "delete" if after is None else "update",
        before=before,
        after=None if after is None else before | after,
    )
    number = before["id"].rpartition(":")[2]
    cpu = monitor(provider=name, id=number)
    known = record(in_scope(sources=frozenset({name})), monitors={name: [cpu]}, readings={name: READINGS})

    verdict = check(plan(told), known)

    found = [one.why for cell in verdict.losing for one in cell.shortfalls]
    # Named after production, it is the nearest one even when it watches something else.
    assert [Why.NO_MONITOR if each is Why.ELSEWHERE else each for each in found] == why


def test_of_a_new_condition_nobody_can_say_yet_whom_it_notifies() -> None:
    made = change("newrelic_nrql_alert_condition.cpu", "create", after=CONDITION | {"id": ...})
    tags = {"nrql": [{"query": "SELECT average(cpuPercent) FROM SystemSample FACET entityGuid"}]}
    made["change"]["after"] |= tags

    verdict = check(plan(server(), made), nothing("newrelic"))

    [shortfall] = verdict.judged[0].cells[0].shortfalls
    assert shortfall.why is Why.DEAD_TARGET
    assert "only after the deployment" in shortfall.says


def test_a_component_that_leaves_loses_nothing() -> None:
    """Its alarm may go with it; both are told."""
    gone = change("aws_lambda_function.pay", "delete", before={"function_name": "pay", "arn": ARN})
    watching = change(
        "aws_cloudwatch_metric_alarm.a", "delete", before={"alarm_name": "errors", "arn": ALARM}
    )

    verdict = check(plan(gone, watching), record(PAY, monitors={"cloudwatch": [WATCHING]}))

    assert (verdict.passed, verdict.losing, verdict.deployment.leaving) == (
        True,
        (),
        ["aws_lambda_function.pay"],
    )


def test_a_tag_that_goes_takes_the_monitors_by_that_tag_along() -> None:
    arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-1"
    web = in_scope(identities=frozenset({Identity("host", "web-1"), Identity("arn", arn)}))
    tags = [{"tags": {"env": env}, "tags_all": {"env": env}, "arn": arn} for env in ("prod", "test")]
    retagged = change("aws_instance.web", "update", before=tags[0], after=tags[1])

    verdict = check(plan(retagged), datadog(web))

    assert {cell.measure for cell in verdict.losing} == {
        Measure.CPU,
        Measure.MEMORY,
        Measure.DISK,
        Measure.UPTIME,
    }


def test_what_is_replaced_or_renamed_is_new() -> None:
    """A new instance has a new id, which the old alarm does not name; a function keeps its name, and its alarm."""
    old = {"id": "i-1", "arn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-1", "tags": None}
    new_server = change("aws_instance.a", "delete", "create", before=old, after={"id": ..., "arn": ...})
    new_function = change(
        "aws_lambda_function.pay",
        "create",
        "delete",
        before={"function_name": "pay", "arn": ARN},
        after={"function_name": "pay", "arn": ...},
    )
    named = change(
        "aws_db_instance.db",
        "update",
        before={"identifier": "old", "arn": f"arn:aws:rds:{REGION}:{ACCOUNT}:db:old"},
        after={"identifier": "new", "arn": ...},
    )

    verdict = check(plan(new_server, new_function, named), record(PAY, monitors={"cloudwatch": [WATCHING]}))

    assert [(one.proposed.part, one.state) for one in verdict.judged] == [
        ("replaced", State.GAP),
        ("replaced", State.COVERED),
        ("renamed", State.COVERED),  # the standard of these tests asks nothing of databases
    ]


# Component lists
def test_a_component_list_is_judged_by_what_is_known_of_each() -> None:
    """web-1 runs and stopped to report; web-2 is new, web-3 is excluded on purpose."""
    out = Exclusion(reason="Retired soon.", requested_by="U1", approved_by="U2", until=NOW + TTL)
    listed = "- {name: web-1, kind: host}\n- {name: web-2, kind: host, tags: {env: prod}}\n- {name: web-3, kind: host}"
    before = record(
        in_scope(),
        replace(in_scope("web-3"), exclusion=out),
        monitors={"datadog": MONITORS},
        readings={"datadog": READINGS[1:]},
    )

    verdict = check(listed, before, file="list.yaml")

    assert [(one.state, one.in_scope, one.excluded) for one in verdict.judged] == [
        (State.GAP, True, False),
        (State.COVERED, False, False),
        (State.COVERED, True, True),
    ]
    assert verdict.judged[0].cells[0].shortfalls[0].why is Why.NOT_CONFIGURED


# On record
def test_what_was_asked_and_what_was_deployed_is_on_record(database_url: str) -> None:
    """By the digest of the file, with figures and addresses; a deployment that had not passed shows as such."""
    ledger = Ledger(database_url)
    verdict = check(plan(server("aws_instance.web[3]"), function()), datadog())
    told = Circumstances(phase=Phase.PLANNED, commit="abcdef0", environment="prod")

    ledger.write(put_on_record, verdict, told)
    ledger.write(put_on_record, verdict, replace(told, phase=Phase.DEPLOYED))

    with ledger.database.reading.connect() as connection:
        rows = connection.exec_driver_sql("SELECT leaf FROM leaf ORDER BY seq").scalars()
        asked, deployed = (json.loads(row) for row in rows)
    assert (asked["type"], deployed["type"]) == ("deployment.checked", "deployment.recorded")
    assert asked["facts"] == deployed["facts"]
    facts = deployed["facts"]
    assert deployed["subject"] == {"deployment": facts["digest"]}
    assert {
        name: facts[name] for name in ("passed", "components", "unmonitored", "losing", "scope", "commit")
    } == {
        "passed": False,
        "components": 2,
        "unmonitored": 1,
        "losing": 0,
        "scope": 7,
        "commit": "abcdef0",
    }
    assert [(one["component"], one["state"], one["not_covered"]) for one in facts["verdicts"]] == [
        ("aws_instance.web[3]", "covered", []),
        ("aws_lambda_function.pay", "gap", ["errors"]),
    ]


def test_the_documented_workflow_is_one() -> None:
    """The YAML in the docs is valid, and so is each of its scripts; what it asks for is known."""
    text = (Path(__file__).parents[2] / "docs" / "deployments.md").read_text()
    workflow = yaml.load(text.partition("```yaml\n")[2].partition("```")[0], yaml.BaseLoader)  # noqa: S506 - as text

    steps = workflow["jobs"]["deploy"]["steps"]
    scripts = [step["run"] for step in steps if "run" in step]
    assert set(workflow) == {"name", "on", "permissions", "jobs"}
    assert all(("uses" in step) != ("run" in step) for step in steps)
    for script in scripts:
        done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)  # noqa: S607
        assert (done.returncode, done.stderr) == (0, "")
    asked = workflow["jobs"]["deploy"]["env"]["SOCMON"] + "".join(scripts)
    assert set(re.findall(r"[?&](\w+)=", asked)) == set(ASKED)
