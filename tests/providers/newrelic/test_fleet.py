"""What New Relic knows of a fleet, asked of a GraphQL server with planted faults."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.domain.alert import Severity
from bot.domain.component import MEASURES, Component, Identity, Kind, Measure
from bot.domain.monitor import Comparator, Monitor, Reports, Target, TargetKind, Watches
from bot.providers.newrelic import PROVIDER, metrics, nerdgraph
from bot.providers.newrelic.fleet import NewRelicFleet
from tests.fake_newrelic import FakeNewRelic, fake_newrelic, term
from tests.tls import go_direct

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PLATFORM = ("labels.policyIds", "EXACTLY_MATCHES", ["12"])


@pytest.fixture
def newrelic(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeNewRelic]:
    go_direct(monkeypatch)
    monkeypatch.setattr(nerdgraph, "PAUSES", (0.0, 0.0, 0.0))
    with fake_newrelic(NOW) as made:
        yield made


def fleet(newrelic: FakeNewRelic, **settings: Any) -> NewRelicFleet:
    return NewRelicFleet(settings=newrelic.settings(**settings))


def only_monitor(newrelic: FakeNewRelic) -> Monitor:
    pulled = fleet(newrelic).list_monitors(NOW)
    assert (pulled.complete, pulled.reason) == (True, "")
    [monitor] = pulled.items
    return monitor


def query_of(newrelic: FakeNewRelic, query: str, **facts: Any) -> Monitor:
    newrelic.condition(nrql={"query": query}, **facts)
    return only_monitor(newrelic)


def component(name: str, **tags: str) -> Component:
    return Component(kind=Kind.HOST, name=name, identities=frozenset({Identity("host", name)}), tags=tags)


def test_hosts_and_deployments_are_components(newrelic: FakeNewRelic) -> None:
    newrelic.entity(
        "HOST",
        "Prod-DB-1",
        env="prod",
        fullHostname="prod-db-1.example.com",
        instanceId="i-0123456789abcdef0",
        awsRegion="us-east-1",
    )
    newrelic.entity(
        "KUBERNETES_DEPLOYMENT",
        "checkout",
        k8s__clusterName="east",
        k8s__namespaceName="shop",
        k8s__deploymentName="checkout",
    )

    pulled = fleet(newrelic).list_components(NOW)

    assert (pulled.complete, pulled.calls) == (True, 1)
    host, service = pulled.items
    assert {str(one) for one in host.identities} == {
        *("guid:GUID-HOST-Prod-DB-1", "instance:i-0123456789abcdef0", "host:prod-db-1"),
        "host:prod-db-1.example.com",
    }
    assert (host.region, host.tags["env"]) == ("us-east-1", "prod")
    assert service.kind is Kind.SERVICE
    assert Identity("name", "east/shop/checkout") in service.identities


def test_a_lost_second_page_proves_no_absence(newrelic: FakeNewRelic) -> None:
    newrelic.page = 2
    for number in range(3):
        newrelic.entity("HOST", f"web-{number}")
    assert len(fleet(newrelic).list_components(NOW).items) == 3

    newrelic.faults["entitySearch?"] = ["Timeout"]
    pulled = fleet(newrelic).list_components(NOW)

    assert (len(pulled.items), pulled.complete) == (2, False)
    assert "“Timeout”" in pulled.reason
    assert "2 were read before that" in pulled.reason


@pytest.mark.parametrize("status", [429, 503])
def test_a_limit_is_waited_for(newrelic: FakeNewRelic, status: int) -> None:
    newrelic.entity("HOST", "web-1")
    newrelic.faults["entitySearch"] = [status]
    pulled = fleet(newrelic).list_components(NOW)
    assert (pulled.complete, len(pulled.items), pulled.calls) == (True, 1, 2)


@pytest.mark.parametrize("fault", [403, "Access denied."])
@pytest.mark.parametrize(
    ("word", "ask", "needed"),
    [
        ("entitySearch", "list_components", "access to the account's infrastructure"),
        ("nrql(", "read_metrics", "access to the account's data"),
        ("mutingRules", "list_monitors", "a role that may view alert policies, conditions and muting rules"),
        ("policiesSearch", "list_monitors", "a role that may view alert policies"),
        ("destinations(", "list_monitors", "a role that may view workflows and destinations"),
    ],
)
def test_a_refusal_names_what_is_needed(
    newrelic: FakeNewRelic, fault: int | str, word: str, ask: str, needed: str
) -> None:
    newrelic.condition()
    newrelic.faults[word] = [fault] * 9
    method = getattr(fleet(newrelic), ask)

    pulled = method([component("web-1")], NOW) if ask == "read_metrics" else method(NOW)

    assert (pulled.complete, pulled.items) == (False, ())
    assert f"The user of NEW_RELIC_API_KEY needs {needed}" in pulled.reason


def test_one_question_an_event_says_who_reports(newrelic: FakeNewRelic) -> None:
    for name in ("web-1", "web-2"):
        newrelic.entity("HOST", name)
    names = {"k8s__clusterName": "east", "k8s__namespaceName": "shop", "k8s__deploymentName": "checkout"}
    newrelic.entity("KUBERNETES_DEPLOYMENT", "checkout", **names)
    newrelic.silent.add(("web-1", "receiveBytesPerSecond"))
    newrelic.stale.add(("web-1", "cpuPercent"))
    components = fleet(newrelic).list_components(NOW).items

    pulled = fleet(newrelic).read_metrics([*components, component("not-of-newrelic")], NOW)

    assert (pulled.complete, pulled.calls) == (True, 3)
    states = {
        (one.name, reading.measure): reading.state(NOW)
        for reading in pulled.items
        for one in components
        if reading.identity in one.identities
    }
    assert set(states) == {(one.name, measure) for one in components for measure in MEASURES[one.kind]}
    assert {at: state for at, state in states.items() if state is not Reports.REPORTING} == {
        ("web-1", Measure.NETWORK): Reports.SILENT,
        ("web-1", Measure.CPU): Reports.STALE,
    }


def test_more_than_one_answer_holds_leaves_the_rest_unknown(
    newrelic: FakeNewRelic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "MOST_FACETS", 1)
    newrelic.entity("HOST", "web-1")
    components = fleet(newrelic).list_components(NOW).items
    newrelic.entity("HOST", "web-2")
    newrelic.entities.reverse()
    newrelic.silent |= {("web-1", one.attribute) for one in metrics.METRICS}
    pulled = fleet(newrelic).read_metrics(components, NOW)
    assert (pulled.complete, pulled.items) == (False, ())
    assert "Divide the components among accounts" in pulled.reason


def test_a_condition_in_the_words_of_all_tools(newrelic: FakeNewRelic) -> None:
    newrelic.condition()
    newrelic.route("EMAIL", PLATFORM, email="ops@example.com, kim@example.com")
    monitor = only_monitor(newrelic)
    assert (monitor.id, monitor.metric, monitor.measure) == ("12345", "SystemSample.cpuPercent", Measure.CPU)
    assert (monitor.comparator, monitor.threshold) == (Comparator.ABOVE, Decimal(85))
    assert (monitor.window, monitor.severity) == (timedelta(minutes=5), Severity.SEV1)
    assert (monitor.enabled, monitor.silenced, monitor.alerts_on_no_data) == (True, "", True)
    assert (monitor.modified_at, monitor.modified_by_tool) == (None, False)
    assert monitor.watches == Watches(tags={"env": "prod"})
    assert monitor.targets == (
        Target(kind=TargetKind.EMAIL, name="email 0", reaches=("ops@example.com", "kim@example.com")),
    )


@pytest.mark.parametrize(
    ("query", "operator", "said"),
    [
        ("FROM SystemSample SELECT average(cpuIdlePercent) FACET hostname", "BELOW", ("cpu", ">", 15)),
        ("SELECT max(diskUsedPercent) FROM StorageSample FACET entityGuid, mountPoint", "ABOVE", ("disk", ">", 85)),
        ("SELECT latest(host.cpuPercent) FROM Metric FACET entity.guid", "ABOVE_OR_EQUALS", ("cpu", ">=", 85)),
        ("SELECT percentile(memoryUsedPercent, 95) FROM SystemSample FACET hostname", "ABOVE", ("memory", ">", 85)),
        ("SELECT sum(cpuPercent) FROM SystemSample FACET hostname", "ABOVE", ("cpu", "other", None)),
        ("SELECT average(cpuPercent) FROM SystemSample FACET hostname", "EQUALS", ("cpu", "other", None)),
        ("SELECT average(memoryUsedBytes) FROM K8sContainerSample", "ABOVE", ("memory", "other", None)),
        ("SELECT max(memoryWorkingSetUtilization) FROM K8sContainerSample", "ABOVE", ("memory", ">", 85)),
        ("SELECT count(*) FROM SystemSample FACET entityGuid", "BELOW", ("uptime", "absent", None)),
        ("SELECT count(*) FROM K8sContainerSample FACET deploymentName", "BELOW", ("uptime", "absent", None)),
        ("SELECT average(duration) FROM Transaction", "ABOVE", (None, "other", None)),
    ],
)  # fmt: skip
def test_thresholds_are_in_the_unit_of_the_measure(
    newrelic: FakeNewRelic, query: str, operator: str, said: tuple[str | None, str, int | None]
) -> None:
    terms = [term(priority="WARNING", threshold=1), term(operator=operator)]
    monitor = query_of(newrelic, query, terms=terms)
    assert (monitor.measure, monitor.comparator, monitor.threshold) == said


def test_what_else_weakens_a_condition(newrelic: FakeNewRelic) -> None:
    newrelic.condition(enabled=False)
    newrelic.condition(type="BASELINE")
    newrelic.condition(expiration={"openViolationOnExpiration": False})
    newrelic.condition(terms=[term(priority="WARNING")])
    disabled, baseline, deaf, warning = fleet(newrelic).list_monitors(NOW).items
    assert (disabled.enabled, baseline.comparator, baseline.threshold) == (False, Comparator.OTHER, None)
    assert (deaf.alerts_on_no_data, warning.severity) == (False, Severity.SEV3)
    assert (disabled.no_data_window, deaf.no_data_window) == (timedelta(minutes=10), None)


@pytest.mark.parametrize(
    ("where", "seen", "unseen"),
    [
        ("", {"env": "dev"}, None),
        ("WHERE `tags.env` = 'prod' AND role != 'batch'", {"env": "prod"}, {"env": "prod", "role": "batch"}),
        ("WHERE label.env IN ('prod', 'stage')", {"env": "stage"}, {"env": "dev"}),
        ("where env NOT IN ('dev','test')", {"env": "prod"}, {"env": "test"}),
        ("WHERE hostname = 'Web-1'", {}, None),
        ("WHERE note = 'from AND to'", {"note": "from AND to"}, {"note": "to"}),
    ],
)
def test_a_filter_says_whom_a_condition_watches(
    newrelic: FakeNewRelic, where: str, seen: dict[str, str], unseen: dict[str, str] | None
) -> None:
    query = f"SELECT average(cpuPercent) FROM SystemSample {where} FACET entityGuid"  # noqa: S608 - no SQL
    watches = query_of(newrelic, query).watches
    assert watches.unreadable == ""
    assert watches.sees(component("web-1", **seen))
    assert unseen is None or not watches.sees(component("web-1", **unseen))
    assert watches.sees(component("web-2", **seen)) is ("hostname" not in where)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("SELECT average(cpuPercent) FROM SystemSample WHERE hostname LIKE 'web-%' FACET hostname", "LIKE 'web-%'”"),
        ("SELECT average(cpuPercent) FROM SystemSample WHERE a = 1 OR b = 2 FACET hostname", "cannot read the filter"),
        ("SELECT average(cpuPercent) FROM SystemSample WHERE hostname != 'a' FACET hostname", "leaves single ones out"),
        ("SELECT average(cpuPercent) FROM SystemSample", "one number of all components"),
        ("SELECT average(cpuPercent) FROM SystemSample FACET awsRegion", "Add FACET entityGuid"),
        ("SELECT average(diskUsedPercent) FROM StorageSample FACET entityGuid", "which is full"),
        ("SELECT max(diskUsedPercent) FROM SystemSample FACET entityGuid", "one number of all file systems"),
        ("SELECT average(cpuPercent) + 5 FROM SystemSample FACET hostname", "one function of one attribute"),
        ("FROM (FROM SystemSample SELECT max(cpuPercent) AS c) SELECT average(c)", "a query inside a query"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_watches_nothing(newrelic: FakeNewRelic, query: str, why: str) -> None:
    watches = query_of(newrelic, query).watches
    assert why in watches.unreadable
    assert not watches.sees(component("web-1"))


@pytest.mark.parametrize(
    ("parts", "facts", "silenced"),
    [
        ([("conditionName", "EQUALS", "CPU is high")], {}, "muted by the rule “Maintenance”."),
        ([("policyName", "CONTAINS", "Plat")], {}, "muted by"),
        ([("policyName", "EQUALS", "Platform"), ("conditionName", "EQUALS", "other")], {}, ""),
        ([("policyId", "EQUALS", "1"), ("conditionId", "EQUALS", "12345")], {"operator": "OR"}, "muted by"),
        ([("conditionName", "EQUALS", "CPU is high")], {"status": "SCHEDULED"}, ""),
        ([("conditionName", "EQUALS", "CPU is high")], {"enabled": False}, ""),
        ([("conditionType", "EQUALS", "static")], {}, "perhaps muted by"),
    ],
)
def test_muting_rules_silence(
    newrelic: FakeNewRelic, parts: list[tuple[str, str, str]], facts: dict[str, Any], silenced: str
) -> None:
    newrelic.condition()
    newrelic.mute(*parts, **facts)
    found = only_monitor(newrelic).silenced
    assert found.startswith(silenced)
    assert bool(found) is bool(silenced)


def test_a_rule_for_one_host_mutes_that_host(newrelic: FakeNewRelic) -> None:
    newrelic.condition()
    newrelic.mute(("targetName", "EQUALS", "web-1"), ("policyName", "EQUALS", "Platform"))
    monitor = only_monitor(newrelic)
    [mute] = monitor.mutes
    assert monitor.silenced == ""
    assert [mute.watches.sees(component(name)) for name in ("web-1", "web-2")] == [True, False]


def test_a_workflow_may_notify_of_muted_issues(newrelic: FakeNewRelic) -> None:
    newrelic.condition()
    newrelic.mute(("policyName", "EQUALS", "Platform"))
    newrelic.route("EMAIL", PLATFORM, email="kim@example.com")
    newrelic.route(
        "WEBHOOK", workflow={"mutingRulesHandling": "NOTIFY_ALL_ISSUES"}, url="https://example.com"
    )
    monitor = only_monitor(newrelic)
    assert monitor.silenced == ""
    assert [one.dead.partition(" ")[0] for one in monitor.targets] == ["muted", ""]


def test_workflows_choose_by_what_is_known_of_a_condition(newrelic: FakeNewRelic) -> None:
    newrelic.condition()
    for number, predicate in enumerate(
        [
            PLATFORM,
            ("labels.policyIds", "CONTAINS", ["1"]),
            ("labels.policyIds", "EXACTLY_MATCHES", []),
            ("source", "CONTAINS", ["newrelic"]),
            ("accumulations.policyName", "STARTS_WITH", ["Data"]),
            ("priority", "EQUAL", ["CRITICAL"]),
            ("accumulations.tag.team", "EXACTLY_MATCHES", ["web"]),
        ]
    ):
        newrelic.route("EMAIL", predicate, email=f"{number}@example.com")
    told = {one.reaches[0][0]: one.dead for one in only_monitor(newrelic).targets}
    assert [number for number, dead in told.items() if not dead] == ["0", "2", "3", "5"]
    assert "it depends on the component" in told["6"]


def test_dead_ends_are_named(newrelic: FakeNewRelic) -> None:
    newrelic.condition()
    newrelic.route("EMAIL", destination={"status": "AUTH_ERROR"}, email="a@example.com")
    newrelic.route("EMAIL", destination={"active": False}, email="b@example.com")
    newrelic.route("EMAIL", workflow={"workflowEnabled": False}, email="c@example.com")
    newrelic.route("EMAIL", workflow={"destinationsEnabled": False}, email="d@example.com")
    newrelic.route("WEBHOOK", triggers=("CLOSED",), url="https://example.com")
    newrelic.route("PAGERDUTY_SERVICE_INTEGRATION", channel={"destinationId": "gone"})
    newrelic.route("SLACK", channel={"id": "gone"}, channelId="C1")
    newrelic.route("SLACK", triggers=("ACTIVATED",), channelId="C2")
    *dead, slack = only_monitor(newrelic).targets
    for target, why in zip(
        dead,
        (
            *("the status AUTH_ERROR", "is off", "“workflow 2” is off", "“workflow 3” is off"),
            *("not when an issue is activated", "does not exist", "does not exist"),
        ),
        strict=True,
    ):
        assert why in target.dead
    assert (slack.kind, slack.reaches, slack.recovery, slack.dead) == (TargetKind.SLACK, ("C2",), False, "")


def test_a_thousand_hosts_take_few_calls(newrelic: FakeNewRelic) -> None:
    for number in range(999):
        newrelic.entity("HOST", f"web-{number}")
    for _ in range(150):
        newrelic.condition()
    newrelic.route("EMAIL", PLATFORM, email="kim@example.com")
    known = fleet(newrelic)
    components = known.list_components(NOW)
    readings = known.read_metrics(components.items, NOW)
    monitors = known.list_monitors(NOW)
    assert components.calls + readings.calls + monitors.calls == len(newrelic.asked) == 13


@pytest.mark.parametrize(
    "said", [[], "x", {"data": []}, {"data": {"actor": {"account": 5, "entitySearch": "x"}}}]
)
@pytest.mark.parametrize(
    ("word", "ask"),
    [
        ("entitySearch", "list_components"),
        ("nrql(", "read_metrics"),
        ("mutingRules", "list_monitors"),
        ("nrqlConditionsSearch", "list_monitors"),
        ("workflows(", "list_monitors"),
    ],
)
def test_an_answer_of_another_form_is_no_answer(
    newrelic: FakeNewRelic, word: str, ask: str, said: Any
) -> None:
    newrelic.garbage[word] = said
    method = getattr(fleet(newrelic), ask)
    pulled = method([component("web-1")], NOW) if ask == "read_metrics" else method(NOW)
    assert (pulled.complete, pulled.items, bool(pulled.reason)) == (False, (), True)


def test_nobody_there_and_nobody_to_ask(newrelic: FakeNewRelic) -> None:
    pulled = fleet(newrelic, api_url="http://127.0.0.1:1").list_monitors(NOW)
    assert (pulled.complete, pulled.items) == (False, ())
    assert "no answer" in pulled.reason
    assert PROVIDER.fleet(newrelic.settings()) is not None
    assert PROVIDER.fleet(newrelic.settings(api_key="")) is None


def test_rights_are_asked_for_one_by_one(newrelic: FakeNewRelic) -> None:
    pulled = fleet(newrelic).check_rights(NOW)

    assert (pulled.complete, pulled.calls, len(pulled.items)) == (True, 8, 4)
    newrelic.faults["mutingRules"] = ["Access denied."]
    refused = fleet(newrelic).check_rights(NOW)
    missing = "a role that may view alert policies, conditions and muting rules"
    assert set(pulled.items) - set(refused.items) == {missing}
    assert missing in refused.reason
