"""What can be configured for Datadog: the webhook secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.providers.contract import Secrets, read_table, secret_findings, webhook_secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class DatadogSettings:
    secrets: Secrets


def read_settings(table: Mapping[str, Any], environ: Mapping[str, str]) -> DatadogSettings:
    """Read `[providers.datadog]` and the environment; raises WrongSettings."""
    read_table("datadog", table, known=())
    return DatadogSettings(secrets=webhook_secrets("datadog", environ))


def findings(settings: DatadogSettings) -> list[str]:
    """What `socmon doctor` says about these settings."""
    return secret_findings("datadog", settings.secrets)
