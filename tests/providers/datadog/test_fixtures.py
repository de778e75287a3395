"""What socmon makes of Datadog payloads that others recorded (SOCMON_FIXTURES names their folder)."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.providers.datadog import PROVIDER
from tests.providers.deliveries import made_of, read_file, request, webhook_of

WEBHOOK = webhook_of(PROVIDER)

MADE = {
    "real-2015-triggered.json": "triggered SEV2 i-3b93aafb “Dock is almost out of memory...”",
    "real-2015-recovered.json": "recovered SEV3 i-3b93aafb “Dock is almost out of memory...”",
    # Two templates under their names, not a delivery: see below for what is made of each once Datadog fills it in.
    "payload-templates.json": "unreadable: This delivery does not say what happened: $ALERT_TRANSITION is not in it."
    " If a monitor sent it, paste socmon's payload template into the webhook in Datadog; events that no monitor sent"
    " are not read.",
    # A simulator's templates (objects with "payload" and "parameters" by name), which nobody sends over the wire.
    "keep-datadog-alerts_mock.json": "unreadable: This delivery does not say what happened: $ALERT_TRANSITION is not"
    " in it. If a monitor sent it, paste socmon's payload template into the webhook in Datadog; events that no monitor"
    " sent are not read.",
}

FILLED_IN = {
    "$EVENT_MSG": "%%%\n[[Monitor Status](https://app.datadoghq.com/monitors/991)]\n%%%",
    "$LAST_UPDATED": "1795536001000",
    "$EVENT_TYPE": "query_alert_monitor",
    "$EVENT_TITLE": "[Triggered on {host:web-1}] Disk",
    "$ALERT_PRIORITY": "P2",
    "$ALERT_TYPE": "error",
    "$ALERT_QUERY": "avg(last_5m):avg:system.disk.in_use{*} by {host} > 0.9",
    "$ALERT_TRANSITION": "Triggered",
    "$DATE": "1795536000000",
    "$ALERT_SCOPE": "host:web-1",
    "$ORG_ID": "1",
    "$ORG_NAME": "Example",
    "$LINK": "https://app.datadoghq.com/event/event?id=5",
    "$TAGS": "host:web-1",
    "$ID": "5",
    "$ALERT_ID": "991",
}


def test_every_recorded_file_is_accounted_for(fixtures_dir: Path) -> None:
    assert {path.name for path in (fixtures_dir / "datadog-webhook").glob("*.json")} <= set(MADE)


@pytest.mark.parametrize("file", MADE)
def test_what_is_made_of_a_recorded_file(fixtures_dir: Path, file: str) -> None:
    path = fixtures_dir / "datadog-webhook" / file
    if not path.exists():
        pytest.skip(f"{file} is not in this collection")

    assert made_of(WEBHOOK, path) == MADE[file]


def test_the_recorded_pair_is_one_problem(fixtures_dir: Path) -> None:
    [alert] = read_file(WEBHOOK, fixtures_dir / "datadog-webhook/real-2015-triggered.json").alerts

    assert alert.dedup_key == "309811|host:i-3b93aafb"
    assert alert.occurred_at
    assert alert.occurred_at.isoformat() == "2015-11-25T07:12:10+00:00"


def test_recorded_templates_are_read_once_datadog_fills_them_in(fixtures_dir: Path) -> None:
    templates = json.loads((fixtures_dir / "datadog-webhook/payload-templates.json").read_text())

    told = {
        name: WEBHOOK.read(request(json.dumps(fill_in(body)).encode())).alerts[0]
        for name, body in templates.items()
    }

    assert {name: (alert.dedup_key, alert.title, alert.severity.value) for name, alert in told.items()} == {
        "default_2022_from_cassette": ("991|host:web-1", "Disk", "SEV2"),
        "keep": ("991|host:web-1", "Disk", "SEV2"),
    }


def test_datadogs_own_default_payload_is_read(fixtures_dir: Path) -> None:
    """Recorded from Datadog's API: the payload of a webhook that was created without one."""
    cassette = fixtures_dir / "datadog/cassette-v1-get_a_webhook_integration_returns_ok_response.json"
    created = json.loads(cassette.read_text())["interactions"][0]["response"]["body"]
    body = fill_in(json.loads(created["payload"]))

    assert WEBHOOK.read(request(json.dumps(body).encode())).alerts[0].dedup_key == "991|host:web-1"


def fill_in(template: Any) -> Any:
    if isinstance(template, dict):
        return {key: fill_in(value) for key, value in template.items()}
    return FILLED_IN[template]
