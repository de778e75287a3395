"""What Datadog knows of a fleet: asked through its own client, of a server with planted faults."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.domain.alert import Severity
from bot.domain.component import MEASURES, Component, Identity, Kind, Measure
from bot.domain.monitor import Comparator, Monitor, Reports, Target, TargetKind, Watches
from bot.providers.datadog import PROVIDER, client, inventory
from bot.providers.datadog.fleet import DatadogFleet
from tests.fake_datadog import FakeDatadog, fake_datadog
from tests.tls import go_direct

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.fixture
def datadog(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDatadog]:
    go_direct(monkeypatch)
    monkeypatch.setattr(client, "BACKOFF", 0)
    with fake_datadog(NOW) as made:
        yield made


def fleet(datadog: FakeDatadog, **settings: Any) -> DatadogFleet:
    return DatadogFleet(settings=datadog.settings(**settings))


def only_monitor(datadog: FakeDatadog, **settings: Any) -> Monitor:
    pulled = fleet(datadog, **settings).list_monitors(NOW)
    assert (pulled.complete, pulled.reason) == (True, "")
    [monitor] = pulled.items
    return monitor


def component(name: str, **tags: str) -> Component:
    return Component(
        kind=Kind.HOST, name=name, identities=frozenset({Identity("host", name)}), tags={"host": name, **tags}
    )


def test_hosts_and_deployments_are_components(datadog: FakeDatadog) -> None:
    datadog.host(
        "Prod-DB-1",
        *(
            "env:prod",
            "service:a",
            "service:b",
            "region:us-east-1",
            "aws_account:123456789012",
            "cloudfoundry",
        ),
        aliases=["i-0123456789abcdef0", "ip-10-0-0-1.ec2.internal"],
    )
    datadog.deployment("east", "shop", "checkout")
    datadog.deployment("east", "", "")

    pulled = fleet(datadog).list_components(NOW)

    assert (pulled.complete, pulled.calls) == (True, 2)
    host, service = pulled.items
    assert host.key == "instance:i-0123456789abcdef0"
    assert {str(one) for one in host.identities} == {
        *("instance:i-0123456789abcdef0", "host:prod-db-1", "host:ip-10-0-0-1.ec2.internal")
    }
    assert (host.account, host.region) == ("123456789012", "us-east-1")
    assert host.tags["service"] == "a,b"
    assert host.tags["cloudfoundry"] == ""
    assert (service.kind, service.key) == (Kind.SERVICE, "name:east/shop/checkout")


def test_a_lost_second_page_proves_no_absence(datadog: FakeDatadog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "PAGE", 2)
    for number in range(3):
        datadog.host(f"web-{number}")
    assert len(fleet(datadog).list_components(NOW).items) == 3

    datadog.faults["/api/v1/hosts?page"] = [400]
    pulled = fleet(datadog).list_components(NOW)

    assert (len(pulled.items), pulled.complete) == (2, False)
    assert "it answered 400" in pulled.reason
    assert "2 were read before that" in pulled.reason


def test_a_limit_is_waited_for(datadog: FakeDatadog) -> None:
    datadog.host("web-1")
    datadog.faults["/api/v1/hosts"] = [429]
    pulled = fleet(datadog).list_components(NOW)
    assert (pulled.complete, len(pulled.items)) == (True, 1)
    assert datadog.asked.count("/api/v1/hosts") == 2


@pytest.mark.parametrize(
    ("path", "ask", "permission"),
    [
        ("/api/v1/hosts", "list_components", "hosts_read"),
        ("/api/v1/monitor", "list_monitors", "monitors_read"),
        ("/api/v2/downtime", "list_monitors", "monitors_downtime"),
        ("/api/v2/monitor/notification_rule", "list_monitors", "monitors_read"),
        ("/api/v2/query/timeseries", "read_metrics", "timeseries_query"),
    ],
)
def test_a_refusal_names_the_permission(datadog: FakeDatadog, path: str, ask: str, permission: str) -> None:
    datadog.monitor()
    datadog.faults[path] = [403] * 9
    method = getattr(fleet(datadog), ask)

    pulled = method([component("web-1")], NOW) if ask == "read_metrics" else method(NOW)

    assert (pulled.complete, pulled.items) == (False, ())
    assert f"Give the application key and its owner the permission {permission}." in pulled.reason


def test_one_question_a_metric_says_who_reports(datadog: FakeDatadog) -> None:
    for name in ("web-1", "web-2"):
        datadog.host(name)
    datadog.deployment("east", "shop", "checkout")
    datadog.silent.add(("web-1", "system.disk.in_use"))
    datadog.stale.add(("web-1", "system.cpu.user"))
    components = fleet(datadog).list_components(NOW).items

    pulled = fleet(datadog).read_metrics([*components, component("not-of-datadog")], NOW)

    assert (pulled.complete, pulled.calls) == (True, 8)
    states = {(str(one.identity), one.measure): one.state(NOW) for one in pulled.items}
    assert set(states) == {(one.key, measure) for one in components for measure in MEASURES[one.kind]}
    ill = {at: state for at, state in states.items() if state is not Reports.REPORTING}
    assert ill == {
        ("host:web-1", Measure.DISK): Reports.SILENT,
        ("host:web-1", Measure.CPU): Reports.STALE,
    }


def test_a_monitor_in_the_words_of_all_tools(datadog: FakeDatadog) -> None:
    datadog.monitor()
    monitor = only_monitor(datadog, site="datadoghq.eu")
    assert monitor.url == "https://app.datadoghq.eu/monitors/34822915"
    assert (monitor.metric, monitor.measure) == ("system.cpu.user", Measure.CPU)
    assert (monitor.comparator, monitor.threshold) == (Comparator.ABOVE, Decimal(85))
    assert (monitor.window, monitor.severity) == (timedelta(minutes=5), Severity.SEV2)
    assert (monitor.enabled, monitor.silenced, monitor.alerts_on_no_data) == (True, "", True)
    assert monitor.modified_at == datetime(2026, 5, 3, 13, 3, 44, 905085, tzinfo=UTC)
    assert monitor.modified_by_tool
    assert monitor.watches == Watches(tags={"env": "prod"})
    assert monitor.targets == (Target(kind=TargetKind.SLACK, name="slack-ops", reaches=("ops",)),)


@pytest.mark.parametrize(
    ("query", "measure", "comparator", "threshold"),
    [
        ("avg(last_5m):avg:system.cpu.idle{*} by {host} < 15", Measure.CPU, ">", 85),
        ("avg(last_5m):100 - avg:system.cpu.idle{*} by {host} >= 85", Measure.CPU, ">=", 85),
        ("avg(last_1h):avg:system.mem.pct_usable{*} by {host} < 0.1", Measure.MEMORY, ">", 90),
        ("avg(last_5m):(1 - avg:system.mem.pct_usable{*} by {host}) * 100 > 90", Measure.MEMORY, ">", 90),
        ("max(last_5m):max:system.disk.in_use{*} by {host,device} > 0.9", Measure.DISK, ">", 90),
        ("max(last_5m):max:system.disk.in_use{*} by {host} * 100 > 90", Measure.DISK, ">", 90),
        (
            "avg(last_5m):avg:system.cpu.user{*} by {host} + avg:system.cpu.system{*} by {host} > 85",
            *(Measure.CPU, ">", 85),
        ),
        ("avg(last_5m):avg:system.mem.free{*} by {host} < 1000000", Measure.MEMORY, "other", None),
        ("sum(last_5m):avg:system.cpu.user{*} by {host} > 85", Measure.CPU, "other", None),
        (
            "avg(last_5m):anomalies(avg:system.cpu.user{*} by {host}, 'basic', 2) >= 1",
            Measure.CPU,
            "other",
            None,
        ),
        ("avg(last_5m):avg:nginx.net.connections{*} by {host} > 5", None, ">", 5),
        ('logs("service:foo").index("main").rollup("count").last("5m") > 2', None, "other", None),
        ("34822915 && 34822916", None, "other", None),
    ],
)
def test_thresholds_are_in_the_unit_of_the_measure(
    datadog: FakeDatadog, query: str, measure: Measure | None, comparator: str, threshold: int | None
) -> None:
    datadog.monitor(query=query, options={})
    monitor = only_monitor(datadog)
    assert (monitor.measure, monitor.comparator, monitor.threshold) == (measure, comparator, threshold)


def test_a_threshold_that_the_options_contradict_counts_for_nothing(datadog: FakeDatadog) -> None:
    datadog.monitor(query="avg(last_5m):avg:system.cpu.user{*} by {host} > 95")
    monitor = only_monitor(datadog)
    assert monitor.threshold == 95
    assert "Its query says > 95 and its options say 85" in monitor.watches.unreadable
    assert not monitor.watches.sees(component("web-1"))


@pytest.mark.parametrize(
    ("options", "alerts"),
    [
        ({"notify_no_data": False}, False),
        ({}, False),
        ({"on_missing_data": "show_no_data"}, False),
        ({"on_missing_data": "resolve"}, False),
        ({"on_missing_data": "show_and_notify_no_data"}, True),
    ],
)
def test_whether_lost_data_alerts(datadog: FakeDatadog, options: dict[str, Any], alerts: bool) -> None:  # noqa: FBT001
    datadog.monitor(options=options)
    assert only_monitor(datadog).alerts_on_no_data is alerts


def test_the_check_of_the_agent_watches_uptime(datadog: FakeDatadog) -> None:
    query = '"datadog.agent.up".over("env:prod").exclude("role:batch").by("host").last(2).count_by_status()'
    datadog.monitor(
        type="service check", query=query, options={"notify_no_data": True, "no_data_timeframe": 5}
    )
    monitor = only_monitor(datadog)
    assert (monitor.measure, monitor.comparator) == (Measure.UPTIME, Comparator.ABSENT)
    assert monitor.window == monitor.no_data_window == timedelta(minutes=5)
    assert monitor.watches == Watches(tags={"env": "prod"}, without={"role": "batch"})


@pytest.mark.parametrize(
    ("filter_", "seen", "unseen"),
    [
        ("*", {"env": "dev"}, None),
        ("env:prod,!role:batch", {"env": "prod"}, {"env": "prod", "role": "batch"}),
        ("!env:dev,!env:test", {"env": "prod"}, {"env": "test"}),
        ("env:prod AND role NOT IN (batch, cron)", {"env": "Prod"}, {"env": "prod", "role": "cron"}),
        ("env IN (prod,stage)", {"env": "stage"}, {"env": "dev"}),
        ("host:web-1", {}, {"host": "web-2"}),
        ("service:a", {"service": "a,b"}, {"service": "b"}),
    ],
)
def test_a_filter_says_whom_a_monitor_watches(
    datadog: FakeDatadog, filter_: str, seen: dict[str, str], unseen: dict[str, str] | None
) -> None:
    datadog.monitor(query=f"avg(last_5m):avg:system.cpu.user{{{filter_}}} by {{host}} > 85")
    watches = only_monitor(datadog).watches
    assert watches.sees(component("web-1", **seen))
    assert unseen is None or not watches.sees(component(unseen.get("host", "web-1"), **unseen))


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("avg(last_5m):avg:system.cpu.user{host:web-*} by {host} > 85", "cannot read the filter"),
        ("avg(last_5m):avg:system.cpu.user{env:a OR role:b} by {host} > 85", "cannot read the filter"),
        ("avg(last_5m):avg:system.cpu.user{env:prod} > 85", "one number of all components"),
        ("avg(last_5m):avg:system.cpu.user{env:prod} by {region} > 85", "Group it by host"),
        ("avg(last_5m):avg:system.disk.in_use{env:prod} by {host} > 85", "one number of all file systems"),
        (
            "avg(last_5m):avg:system.cpu.user{*} by {host} + avg:system.cpu.system{a:b} by {host} > 85",
            "query of this form",
        ),
    ],
)
def test_what_cannot_be_read_watches_nothing(datadog: FakeDatadog, query: str, why: str) -> None:
    datadog.monitor(query=query)
    watches = only_monitor(datadog).watches
    assert why in watches.unreadable
    assert not watches.sees(component("web-1", env="prod"))


def test_silence_has_a_reason(datadog: FakeDatadog) -> None:
    past, coming = (int((NOW + timedelta(hours=hours)).timestamp()) for hours in (-1, 1))
    datadog.monitor(options={"silenced": {"*": None}})
    datadog.monitor(options={"silenced": {"*": past}})
    datadog.monitor(matching_downtimes=[{"id": 1, "scope": ["env:prod"], "start": past, "end": coming}])
    datadog.monitor(draft_status="draft")
    muted, over, first_version, draft = fleet(datadog).list_monitors(NOW).items
    assert muted.silenced.startswith("in a downtime for * without an end.")
    assert (over.silenced, draft.silenced) == ("", "")
    assert "until 2026-11-24 04:00 UTC" in first_version.silenced
    assert [one.enabled for one in (muted, draft)] == [True, False]


@pytest.mark.parametrize(
    ("scope", "about", "silenced"),
    [
        ("env:prod", {}, True),
        ("*", {"monitor_id": 34822915}, True),
        ("*", {"monitor_id": 1}, False),
        ("*", {"monitor_tags": ["team:platform"]}, True),
        ("*", {"monitor_tags": ["team:platform", "team:data"]}, False),
        ("env:prod OR role:web", {}, True),
        ("env:dev", {}, False),
    ],
)
def test_a_downtime_silences_what_is_in_its_scope(
    datadog: FakeDatadog,
    scope: str,
    about: dict[str, Any],
    silenced: bool,  # noqa: FBT001
) -> None:
    datadog.monitor()
    datadog.downtime(scope, **about)
    assert bool(only_monitor(datadog).silenced) is silenced


def test_a_downtime_of_one_host_silences_that_host(datadog: FakeDatadog) -> None:
    datadog.monitor()
    datadog.downtime("host:web-1")
    monitor = only_monitor(datadog)
    [mute] = monitor.mutes
    assert monitor.silenced == ""
    assert mute.watches.sees(component("web-1"))
    assert not mute.watches.sees(component("web-2"))


def test_blocks_decide_who_is_told_of_what(datadog: FakeDatadog) -> None:
    datadog.monitor(
        message="""Look. @pagerduty-Shop @kim@example.com.
            {{#is_alert}}@slack-alerts{{/is_alert}} {{#is_recovery}}@slack-recoveries{{/is_recovery}}
            {{^is_recovery}}@sns-topic{{/is_recovery}} {{!-- @slack-comment --}}
            {{#is_alert}}{{#is_match "env" "prod"}}@slack-prod{{/is_match}}{{/is_alert}} @slack-{{owner.name}}""",
        options={"escalation_message": "@slack-later", "renotify_interval": 30},
    )
    datadog.services.add("Shop")
    told = {one.name: one for one in only_monitor(datadog).targets}
    assert {name: one.recovery for name, one in told.items() if not one.dead} == {
        "pagerduty-Shop": True,
        "kim@example.com": True,
        "slack-alerts": False,
        "sns-topic": False,
        "slack-later": False,
    }
    assert told["pagerduty-Shop"].reaches == ("Shop",)
    assert "never of an alert" in told["slack-recoveries"].dead
    assert "component's tags" in told["slack-prod"].dead
    assert "made of a variable" in told["slack-{{owner.name}}"].dead
    assert "slack-comment" not in told


def test_notification_rules_add_their_recipients(datadog: FakeDatadog) -> None:
    datadog.monitor(message="")
    datadog.rule("team:platform", recipients=["slack-platform"])
    datadog.rule("team:data", recipients=["slack-data"])
    datadog.rule("service:shop", recipients=["slack-shop"])
    datadog.rule(
        filter={"scope": "team:platform"},
        conditional_recipients={
            "conditions": [
                {"scope": "transition_type:is_alert", "recipients": ["pagerduty-Ops"]},
                {"scope": "priority:p1", "recipients": ["slack-urgent"]},
            ],
            "fallback_recipients": ["slack-rest"],
        },
    )
    datadog.services.add("Ops")
    told = {one.name: one for one in only_monitor(datadog).targets}
    assert {name: one.recovery for name, one in told.items() if not one.dead} == {
        "slack-platform": True,
        "pagerduty-Ops": False,
    }
    assert "component's tags" in told["slack-shop"].dead
    assert "never of an alert" in told["slack-rest"].dead
    assert "slack-data" not in told


def test_dead_ends_are_named(datadog: FakeDatadog) -> None:
    datadog.monitor(
        message="@gone@example.com @new@example.com @kim@example.com @pagerduty-Old @webhook-old @webhook-socmon"
        " @slack-Main_Account-ops @slack-archive"
    )
    for email, status in (("gone", "Disabled"), ("new", "Pending"), ("kim", "Active")):
        datadog.user(f"{email}@example.com", status)
    datadog.webhooks["socmon"] = "https://someone:secret@socmon.example.com/webhooks/datadog?key=secret"
    datadog.channels["Main_Account"] = ["ops"]
    targets = only_monitor(datadog, slack_accounts=("Main_Account",)).targets
    dead = {one.name: one.dead for one in targets if one.dead}
    assert set(dead) == {
        *("gone@example.com", "new@example.com", "pagerduty-Old", "webhook-old", "slack-archive")
    }
    assert "account of gone@example.com is disabled" in dead["gone@example.com"]
    assert "is pending" in dead["new@example.com"]
    assert dead["pagerduty-Old"].startswith("Datadog has no PagerDuty service Old.")
    assert "has no channel archive" in dead["slack-archive"]
    reached = {one.name: one.reaches for one in targets}
    assert reached["slack-Main_Account-ops"] == ("ops",)
    assert reached["webhook-socmon"] == ("socmon", "https://socmon.example.com/webhooks/datadog")


def test_uptime_is_told_by_missing_data(datadog: FakeDatadog) -> None:
    """Who hears of alerts alone never hears that a host is gone."""
    datadog.monitor(
        type="service check",
        query='"datadog.agent.up".over("*").by("host").last(2).count_by_status()',
        message="{{#is_no_data}}@slack-lost{{/is_no_data}} {{#is_alert}}@slack-high{{/is_alert}} @slack-ops",
    )
    told = {one.name: one for one in only_monitor(datadog).targets}
    assert {name: bool(one.dead) for name, one in told.items()} == {
        "slack-lost": False,
        "slack-high": True,
        "slack-ops": False,
    }
    assert "never of missing data" in told["slack-high"].dead
    assert [told[name].recovery for name in ("slack-lost", "slack-ops")] == [False, True]


def test_a_machine_that_is_known_by_its_id_alone(datadog: FakeDatadog) -> None:
    """Datadog's agent calls it so when its host name says nothing."""
    name = "i-0123456789abcdef0"
    datadog.host(name)
    datadog.monitor(query=f"avg(last_5m):avg:system.cpu.user{{host:{name}}} by {{host}} > 85")
    datadog.downtime(f"host:{name}")
    [machine] = fleet(datadog).list_components(NOW).items
    readings = fleet(datadog).read_metrics([machine], NOW).items
    assert machine.identities == {Identity("instance", name)}
    assert {each.state(NOW) for each in readings} == {Reports.REPORTING}
    assert only_monitor(datadog).watches.identities == machine.identities
    assert "in a downtime for host:" in only_monitor(datadog).silenced


def test_an_end_that_could_not_be_checked_reaches_nobody(datadog: FakeDatadog) -> None:
    datadog.monitor(message="@kim@example.com @webhook-socmon")
    datadog.faults["/api/v2/users"] = [403]
    datadog.faults["/api/v1/integration/webhooks/configuration/webhooks/socmon"] = [403]
    pulled = fleet(datadog).list_monitors(NOW)
    assert pulled.complete
    assert ["user_access_read" in pulled.reason, "integrations_read" in pulled.reason] == [True, True]
    assert all(one.dead.startswith("socmon could not check it") for one in pulled.items[0].targets)


def test_a_thousand_hosts_take_few_calls(datadog: FakeDatadog) -> None:
    for number in range(999):
        datadog.host(f"web-{number}", "env:prod")
    for _ in range(300):
        datadog.monitor(message="@pagerduty-Ops @kim@example.com @webhook-socmon")
    known = fleet(datadog)
    components = known.list_components(NOW)
    metrics = known.read_metrics(components.items, NOW)
    monitors = known.list_monitors(NOW)
    assert components.calls + metrics.calls + monitors.calls == len(datadog.asked) == 13


@pytest.mark.parametrize("said", [[1], {}, "x", {"data": [1]}, {"data": [{"attributes": 5}]}])
@pytest.mark.parametrize(
    ("path", "ask"),
    [
        ("/api/v1/hosts", "list_components"),
        ("/api/v1/monitor", "list_monitors"),
        ("/api/v2/downtime", "list_monitors"),
        ("/api/v2/monitor/notification_rule", "list_monitors"),
        ("/api/v2/query/timeseries", "read_metrics"),
    ],
)
def test_an_answer_of_another_form_is_no_answer(datadog: FakeDatadog, path: str, ask: str, said: Any) -> None:
    datadog.monitor()
    datadog.garbage[path] = said
    method = getattr(fleet(datadog), ask)
    pulled = method([component("web-1")], NOW) if ask == "read_metrics" else method(NOW)
    assert (pulled.complete, pulled.items, bool(pulled.reason)) == (False, (), True)


def test_nobody_there_and_nobody_to_ask(datadog: FakeDatadog) -> None:
    pulled = fleet(datadog, api_url="http://127.0.0.1:1").list_monitors(NOW)
    assert (pulled.complete, pulled.items) == (False, ())
    assert "no answer" in pulled.reason
    assert PROVIDER.fleet(datadog.settings()) is not None
    assert PROVIDER.fleet(datadog.settings(app_key="")) is None


def test_hosts_that_slip_between_pages_are_missed_aloud(
    datadog: FakeDatadog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "PAGE", 2)
    for number in range(3):
        datadog.host(f"web-{number}")
    datadog.loses = "web-1"
    pulled = fleet(datadog).list_components(NOW)
    assert (len(pulled.items), pulled.complete) == (2, False)
    assert "counts 3 hosts and listed 2" in pulled.reason


def test_rights_are_asked_for_one_by_one(datadog: FakeDatadog) -> None:
    """One request each; what nothing is called needs the permission all the same."""
    pulled = fleet(datadog).check_rights(NOW)

    assert (pulled.complete, pulled.calls, len(datadog.asked)) == (True, 7, 7)
    datadog.faults["/api/v2/downtime"] = [403]
    refused = fleet(datadog).check_rights(NOW)
    assert set(pulled.items) - set(refused.items) == {"monitors_downtime"}
    assert "Give the application key and its owner the permission monitors_downtime" in refused.reason
