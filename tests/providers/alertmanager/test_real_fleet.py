"""What socmon reads of Debian's own Prometheus, which scrapes machines, and its own Alertmanager."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from bot.domain.component import Identity, Measure
from bot.domain.monitor import Comparator, Monitor, Reports, Target, TargetKind
from bot.providers.alertmanager import PROVIDER
from bot.providers.alertmanager.fleet import PrometheusFleet
from tests.alertmanager import running_alertmanager
from tests.processes import wait_until
from tests.prometheus import machine, running_prometheus
from tests.tls import go_direct

# Prometheus looks for new targets only every five seconds.
pytestmark = pytest.mark.nightly

ALERTMANAGER = """\
global: {{smtp_from: a@example.com, smtp_smarthost: 'localhost:25', slack_api_url: 'https://hooks.example.com/x'}}
route:
  receiver: nobody
  routes:
    - matchers: [severity="critical", cluster="c1"]
      receiver: pager
      continue: true
    - matchers: [severity=~"crit.*"]
      receiver: socmon
    - matchers: [severity="warning", env="prod"]
      receiver: team
    - matchers: [severity="info"]
      receiver: team
      mute_time_intervals: [always]
receivers:
  - name: nobody
  - name: pager
    pagerduty_configs: [{{routing_key: 0123456789abcdef0123456789abcdef}}]
  - name: team
    slack_configs: [{{channel: '#ops'}}]
    email_configs: [{{to: 'kim@example.com, Lee <lee@example.com>'}}]
  - name: socmon
    webhook_configs: [{{url: '{url}/webhooks/alertmanager'}}]
time_intervals:
  - name: always
    time_intervals: [{{months: ['1:12']}}]
"""
PROMETHEUS = """\
global:
  scrape_interval: 200ms
  scrape_timeout: 200ms
  evaluation_interval: 200ms
  external_labels: {{cluster: c1, replica: a}}
rule_files: [rules.yml]
alerting:
  alert_relabel_configs: [{{action: labeldrop, regex: replica}}]
  alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]
scrape_configs:
  - job_name: node
    static_configs:
      - {{targets: ['{one}'], labels: {{instance: 'web-1:9100', env: prod}}}}
      - {{targets: ['{two}'], labels: {{instance: 'i-0123456789abcdef0', env: staging}}}}
      - {{targets: ['127.0.0.1:1'], labels: {{instance: 'web-3:9100', env: prod}}}}
  - job_name: shop
    static_configs: [{{targets: ['127.0.0.1:2']}}]
"""
RULES = """\
groups:
  - name: node
    rules:
      - record: cpu:used
        expr: 1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[1m]))
      - {alert: Cpu, expr: 'cpu:used * 100 > 85', for: 4m, labels: {severity: critical}}
      - {alert: Down, expr: 'up{job="node"} == 0', for: 1m, labels: {severity: critical}}
      - alert: Memory
        expr: node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.1
        labels: {severity: warning}
      - {alert: Disk, expr: 'node_filesystem_avail_bytes{instance=~"web-.*"} < 1e9', labels: {severity: info}}
      - {alert: Broken, expr: 'node_uname_info * on (job) group_left () up > 0', labels: {severity: critical}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    fleet: PrometheusFleet
    prometheus: str
    alertmanager: str

    def monitors(self) -> dict[str, Monitor]:
        pulled = self.fleet.list_monitors(datetime.now(UTC))
        assert (pulled.complete, pulled.reason, pulled.calls) == (True, "", 7)
        return {one.id.removeprefix("rules.yml:node:"): one for one in pulled.items}

    def silence(self, **labels: str) -> None:
        now = datetime.now(UTC)
        body = {
            "matchers": [{"name": name, "value": value, "isRegex": False} for name, value in labels.items()],
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(hours=1)).isoformat(),
            "createdBy": "kim",
            "comment": "maintenance",
        }
        headers = {"Content-Type": "application/json"}
        url = f"{self.alertmanager}/api/v2/silences"
        urlopen(Request(url, data=json.dumps(body).encode(), headers=headers), timeout=5).close()


@pytest.fixture(scope="module")
def rig(prometheus: Path, alertmanager: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("prometheus")
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        go_direct(patch)
        one, two = stack.enter_context(machine("web-1")), stack.enter_context(machine("db-1.example.com"))
        alerting = stack.enter_context(
            running_alertmanager(alertmanager, folder, "https://socmon.example.com", ALERTMANAGER)
        )
        (folder / "rules.yml").write_text(RULES)
        config = PROMETHEUS.format(alertmanager=alerting.removeprefix("http://"), one=one, two=two)
        scraping = stack.enter_context(running_prometheus(prometheus, folder, config))
        settings = PROVIDER.settings({"url": alerting, "prometheus_url": scraping}, {})
        made = Rig(fleet=PrometheusFleet(settings=settings), prometheus=scraping, alertmanager=alerting)
        wait_until(lambda: _is_warm(made), what="rules and machines are known", log=folder / "prometheus.log")
        yield made


def _is_warm(rig: Rig) -> bool:
    monitors = rig.fleet.list_monitors(datetime.now(UTC)).items
    return len(rig.fleet.list_components(datetime.now(UTC)).items) == 3 and any(
        not one.enabled for one in monitors
    )


def test_machines_are_components_and_other_targets_are_not(rig: Rig) -> None:
    """Also one that has been down since before socmon looked, by its job."""
    pulled = rig.fleet.list_components(datetime.now(UTC))

    assert (pulled.complete, pulled.calls) == (True, 2)
    assert {frozenset(map(str, one.identities)): one.tags["env"] for one in pulled.items} == {
        frozenset({"host:web-1"}): "prod",
        frozenset({"instance:i-0123456789abcdef0", "host:db-1.example.com"}): "staging",
        frozenset({"host:web-3"}): "prod",
    }


def test_each_measure_is_heard_of_those_that_are_up(rig: Rig) -> None:
    now = datetime.now(UTC)

    pulled = rig.fleet.read_metrics(rig.fleet.list_components(now).items, now)

    assert (pulled.complete, pulled.calls) == (True, 7)
    states = {(str(one.identity), one.measure): one.state(now) for one in pulled.items}
    five = (Measure.CPU, Measure.MEMORY, Measure.DISK, Measure.NETWORK, Measure.UPTIME)
    assert {states["host:web-1", measure] for measure in five} == {Reports.REPORTING}
    assert {states["host:web-3", measure] for measure in five} == {Reports.SILENT}
    assert len(states) == 15


def test_rules_say_what_they_watch(rig: Rig) -> None:
    found = rig.monitors()

    cpu, down, disk, broken = found["Cpu"], found["Down"], found["Disk"], found["Broken"]
    assert (cpu.measure, cpu.comparator, cpu.threshold) == (Measure.CPU, Comparator.ABOVE, Decimal(85))
    assert cpu.window == timedelta(minutes=5)  # one of rate, four of “for”
    assert (down.comparator, dict(down.watches.tags)) == (Comparator.ABSENT, {"job": "node"})
    assert disk.watches.identities == {Identity("host", "web-1"), Identity("host", "web-3")}
    assert not broken.enabled
    assert "found duplicate series" in broken.silenced


def test_alerts_go_where_their_labels_send_them(rig: Rig) -> None:
    """External labels count, “continue” goes on, and where a machine's label decides the rule is parted by it."""
    found = rig.monitors()

    assert found["Cpu"].targets == (
        Target(kind=TargetKind.PAGERDUTY, name="pager"),
        Target(
            kind=TargetKind.WEBHOOK,
            name="https://socmon.example.com/webhooks/alertmanager",
            reaches=("https://socmon.example.com/webhooks/alertmanager",),
        ),
    )
    prod, staging = found["Memory{env=prod}"], found["Memory{env=staging}"]
    assert [(one.kind, one.name, one.recovery) for one in prod.targets] == [
        (TargetKind.EMAIL, "kim@example.com", False),
        (TargetKind.EMAIL, "lee@example.com", False),
        (TargetKind.SLACK, "#ops", False),
    ]
    assert dict(prod.watches.tags) == {"env": "prod"}
    [nobody] = staging.targets
    assert "has no integrations" in nobody.dead
    assert all("time interval “always”" in one.dead for one in found["Disk"].targets)


def test_silences_are_heard_for_whom_they_are(rig: Rig) -> None:
    rig.silence(alertname="Cpu")
    rig.silence(instance="web-1:9100")

    found = rig.monitors()

    assert "by kim (maintenance)" in found["Cpu"].silenced
    assert found["Down"].silenced == ""
    [mute] = found["Down"].mutes
    assert mute.watches.identities == {Identity("host", "web-1")}
