"""What socmon makes of New Relic payloads that others recorded (SOCMON_FIXTURES names their folder)."""

from pathlib import Path

import pytest

from bot.providers.newrelic import PROVIDER
from tests.providers.deliveries import made_of, read_file, webhook_of

WEBHOOK = webhook_of(PROVIDER)

STORAGE = "“PIETER-UBUNTU query result is > 1.0 for 5 minutes on 'Storage on Host Exceeded Threshold'”"

MADE = {
    "alerta-new_relic_notification.json": "ignored: test notification",  # incident 0, "I am a test Violation"
    "zulip-incident_activated_new_default_payload.json": "triggered SEV1 zulip_app"
    " “zulip_app query result is > 1.0 for 1 minutes on 'Zulip Server Low Storage'”",
    # Its page's address is the sample issue's, but its id and its times are not: taken for real.
    "zulip-incident_closed_default_payload.json": "recovered SEV1 main_app-UBUNTU"
    " “main_app-UBUNTU query result is > 2.0 for 1 minutes on 'High CPU'”",
    "zulip-incident_acknowledged_default_payload.json": f"updated SEV2 PIETER-UBUNTU {STORAGE}",
}


def test_every_recorded_file_is_accounted_for(fixtures_dir: Path) -> None:
    assert {path.name for path in (fixtures_dir / "newrelic-webhook").glob("*.json")} <= set(MADE)


@pytest.mark.parametrize("file", MADE)
def test_what_is_made_of_a_recorded_file(fixtures_dir: Path, file: str) -> None:
    path = fixtures_dir / "newrelic-webhook" / file
    if not path.exists():
        pytest.skip(f"{file} is not in this collection")

    assert made_of(WEBHOOK, path) == MADE[file]


def test_an_issue_is_named_by_its_id(fixtures_dir: Path) -> None:
    path = fixtures_dir / "newrelic-webhook/zulip-incident_activated_new_default_payload.json"
    [alert] = read_file(WEBHOOK, path).alerts

    assert alert.dedup_key == alert.occurrence == "c5faa7e6-7b54-402d-af79-f99601e0278c"
    assert alert.condition == "Zulip Server Low Storage"
    assert alert.occurred_at
    assert alert.occurred_at.isoformat() == "2024-04-22T07:08:28.699000+00:00"
