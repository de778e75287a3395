"""What can be configured for PagerDuty: the secrets of its webhook subscriptions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.providers.contract import Secrets, read_table, secret_findings, webhook_secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDutySettings:
    secrets: Secrets


def read_settings(table: Mapping[str, Any], environ: Mapping[str, str]) -> PagerDutySettings:
    """Read `[providers.pagerduty]` and the environment; raises WrongSettings."""
    read_table("pagerduty", table, known=())
    return PagerDutySettings(secrets=webhook_secrets("pagerduty", environ))


def findings(settings: PagerDutySettings) -> list[str]:
    """What `socmon doctor` says about these settings."""
    return secret_findings("pagerduty", settings.secrets)
