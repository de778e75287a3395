"""What can be configured for New Relic: the webhook secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.providers.contract import Secrets, read_table, secret_findings, webhook_secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRelicSettings:
    secrets: Secrets


def read_settings(table: Mapping[str, Any], environ: Mapping[str, str]) -> NewRelicSettings:
    """Read `[providers.newrelic]` and the environment; raises WrongSettings."""
    read_table("newrelic", table, known=())
    return NewRelicSettings(secrets=webhook_secrets("newrelic", environ))


def findings(settings: NewRelicSettings) -> list[str]:
    """What `socmon doctor` says about these settings."""
    return secret_findings("newrelic", settings.secrets)
