"""What socmon makes of Alertmanager payloads that others recorded (SOCMON_FIXTURES names their folder)."""

from pathlib import Path

import pytest

from bot.providers.alertmanager import PROVIDER
from tests.providers.deliveries import made_of, read_file, webhook_of

WEBHOOK = webhook_of(PROVIDER)

LEFT_OUT = "gap: Alertmanager left out 1 alert (max_alerts)."

MADE = {
    "live-0.25-01-firing-2alerts.json": f"triggered SEV3 b “DiskFull” + triggered SEV3 c “DiskFull” + {LEFT_OUT}",
    "live-0.25-02-firing-2alerts.json": f"recovered SEV3 b “DiskFull” + triggered SEV3 c “DiskFull” + {LEFT_OUT}",
    "live-0.25-03-firing-1alerts.json": "triggered SEV3 127.0.0.1 “TargetDown”",
    "live-0.25-04-resolved-2alerts.json": f"recovered SEV3 a “DiskFull” + recovered SEV3 c “DiskFull” + {LEFT_OUT}",
    # A simulator's templates (objects with "payload" and "parameters" by name), which nobody sends over the wire.
    "keep-prometheus-alerts_mock.json": "unreadable: The body has no list of alerts, so Alertmanager's webhook"
    " receiver did not make it.",
}


def test_every_recorded_file_is_accounted_for(fixtures_dir: Path) -> None:
    assert {path.name for path in (fixtures_dir / "alertmanager").glob("*.json")} <= set(MADE)


@pytest.mark.parametrize("file", MADE)
def test_what_is_made_of_a_recorded_file(fixtures_dir: Path, file: str) -> None:
    path = fixtures_dir / "alertmanager" / file
    if not path.exists():
        pytest.skip(f"{file} is not in this collection")

    assert made_of(WEBHOOK, path) == MADE[file]


def test_a_recorded_episode_ends_where_it_began(fixtures_dir: Path) -> None:
    """Two live deliveries of one group: first `b` fires, then it is resolved while `c` goes on."""
    folder = fixtures_dir / "alertmanager"
    began = read_file(WEBHOOK, folder / "live-0.25-01-firing-2alerts.json").alerts
    later = read_file(WEBHOOK, folder / "live-0.25-02-firing-2alerts.json").alerts

    assert [(alert.dedup_key, alert.occurrence) for alert in began] == [
        (alert.dedup_key, alert.occurrence) for alert in later
    ]
