"""What socmon makes of Datadog's own recorded answers (SOCMON_FIXTURES names their folder)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.domain.monitor import Comparator
from bot.providers.datadog.fleet import DatadogFleet
from tests.fake_datadog import FakeDatadog, fake_datadog
from tests.tls import go_direct

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.fixture
def datadog(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDatadog]:
    go_direct(monkeypatch)
    with fake_datadog(NOW) as made:
        yield made


def recorded(folder: Path, name: str) -> list[Any]:
    """The answers in a recording that were given."""
    interactions = json.loads((folder / "datadog" / f"cassette-{name}.json").read_text())["interactions"]
    return [one["response"]["body"] for one in interactions if one["response"]["status"]["code"] == 200]


def test_recorded_hosts(datadog: FakeDatadog, fixtures_dir: Path) -> None:
    [answer] = recorded(
        fixtures_dir, "v1-get_all_hosts_with_metadata_for_your_organization_returns_ok_response"
    )
    datadog.host("made-up")
    assert set(datadog.hosts.pop()) <= {name for row in answer["host_list"] for name in row}
    datadog.hosts = answer["host_list"]

    pulled = DatadogFleet(settings=datadog.settings()).list_components(NOW)

    assert (pulled.complete, len(pulled.items)) == (True, 41)
    control = next(one for one in pulled.items if one.name == "control-0")
    assert control.tags["instance_group"] == "control"
    assert control.tags["index"] == "0,1984d49c-04b6-470c-a770-218e716c027e"
    assert "host:1984d49c-04b6-470c-a770-218e716c027e" in map(str, control.identities)


def test_recorded_monitors_and_rules(datadog: FakeDatadog, fixtures_dir: Path) -> None:
    for page in recorded(fixtures_dir, "v1-get_all_monitors_returns_ok_response_with_pagination"):
        datadog.monitors += page
    for name in ("a_monitors_details_returns_ok_response", "a_synthetics_monitors_details"):
        answers = recorded(fixtures_dir, f"v1-get_{name}")
        datadog.monitors.append([one for one in answers if "query" in one][-1])
    datadog.monitor()
    made_up = datadog.monitors.pop()
    assert set(made_up) <= {name for one in datadog.monitors for name in one}
    *_, listed = recorded(fixtures_dir, "v2-get_all_monitor_notification_rules_returns_ok_response")[:2]
    datadog.rules = listed["data"]

    pulled = DatadogFleet(settings=datadog.settings()).list_monitors(NOW)

    assert pulled.complete
    latency, *_, log, synthetic = pulled.items
    assert (latency.metric, latency.threshold) == (
        "aws.applicationelb.target_response_time.p95",
        Decimal("0.2"),
    )
    assert latency.watches.tags == {"systemid": "splunk", "aws_account_type": "production"}
    assert latency.modified_at == datetime(2021, 5, 3, 13, 3, 44, 905085, tzinfo=UTC)
    assert (log.comparator, log.alerts_on_no_data) == (Comparator.OTHER, True)
    assert {one.name for one in log.targets} == {"hipchat-channel", "slack-monitor-app"}
    assert synthetic.watches.unreadable
