"""What socmon makes of answers that New Relic's own client was tested with (SOCMON_FIXTURES names their folder)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.domain.monitor import Target, TargetKind
from bot.providers.newrelic.fleet import NewRelicFleet
from tests.fake_newrelic import FakeNewRelic, fake_newrelic
from tests.tls import go_direct

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.fixture
def newrelic(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeNewRelic]:
    go_direct(monkeypatch)
    with fake_newrelic(NOW) as made:
        yield made


def recorded(folder: Path, name: str, variable: str, *path: str) -> Any:
    answers = json.loads((folder / "newrelic" / f"client-go-{name}.json").read_text())
    found = next(one["json"] for one in answers if one["var"] == variable)["actor"]["account"]
    for part in path:
        found = found[part]
    return found


def test_recorded_routes_and_muting_rules(newrelic: FakeNewRelic, fixtures_dir: Path) -> None:
    ai = "aiNotifications"
    workflows = recorded(
        fixtures_dir,
        *("workflows_workflows_unit_test", "testGetWorkflowResponseJSON"),
        *("aiWorkflows", "workflows", "entities"),
    )
    channels = recorded(
        fixtures_dir,
        *("notifications_channels_test", "testGetChannelResponseJSON", ai, "channels", "entities"),
    )
    destinations = recorded(
        fixtures_dir,
        *(
            "notifications_destinations_test",
            "testGetDestinationResponseJSON",
            ai,
            "destinations",
            "entities",
        ),
    )
    rules = recorded(
        fixtures_dir,
        *("alerts_muting_rules_test", "testMutingRuleListResponseJSON", "alerts", "mutingRules"),
    )
    newrelic.route("EMAIL", email="kim@example.com")
    newrelic.mute()
    for made_up, real in (
        (newrelic.workflows, workflows),
        (newrelic.channels, channels),
        (newrelic.destinations, destinations),
        (newrelic.muting_rules, rules),
    ):
        assert set(made_up.pop()) <= set(real[0])
        made_up.extend(real)
    newrelic.condition(name="please not me")

    [off] = NewRelicFleet(settings=newrelic.settings()).list_monitors(NOW).items
    workflows[0] |= {"workflowEnabled": True, "destinationsEnabled": True}
    workflows[0]["destinationConfigurations"][0]["channelId"] = channels[0]["id"]
    channels[0]["destinationId"] = destinations[0]["id"]
    rules[0]["status"] = "ACTIVE"
    [on] = NewRelicFleet(settings=newrelic.settings()).list_monitors(NOW).items

    assert off.silenced == ""
    assert "the workflow “workflow-test” is off" in off.targets[0].dead
    assert on.silenced.startswith("muted by the rule “Test Muting Rule”.")
    assert on.targets == (
        Target(
            kind=TargetKind.EMAIL,
            name="test-notification-destination-1",
            reaches=("test@newrelic.com",),
            recovery=False,
            dead=on.silenced,
        ),
    )
