"""What socmon makes of bodies that others have recorded (SOCMON_FIXTURES names the folder)."""

from pathlib import Path

import pytest

from bot.providers.grafana import PROVIDER
from tests.providers.deliveries import made_of, webhook_of

WEBHOOK = webhook_of(PROVIDER)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("alerta-grafana_alert_alerting", "triggered SEV3 zeta.domain “[Alerting] CPU alert”"),
        ("alerta-grafana_alert_ok", "recovered SEV3 “[OK] CPU alert”"),
        # Alert rules for a simulator, and no notifications.
        (
            "keep-grafana-alerts_mock",
            "unreadable: The body has no list of alerts. Remove the custom payload from Grafana's contact point.",
        ),
    ],
)
def test_recorded_bodies(fixtures_dir: Path, name: str, made: str) -> None:
    assert made_of(WEBHOOK, fixtures_dir / f"grafana/{name}.json") == made
