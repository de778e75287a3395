"""What can be configured for Alertmanager: the webhook secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.providers.contract import Secrets, read_table, secret_findings, webhook_secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertmanagerSettings:
    secrets: Secrets


def read_settings(table: Mapping[str, Any], environ: Mapping[str, str]) -> AlertmanagerSettings:
    """Read `[providers.alertmanager]` and the environment; raises WrongSettings."""
    read_table("alertmanager", table, known=())
    return AlertmanagerSettings(secrets=webhook_secrets("alertmanager", environ))


def findings(settings: AlertmanagerSettings) -> list[str]:
    """What `socmon doctor` says about these settings."""
    return secret_findings("alertmanager", settings.secrets)
