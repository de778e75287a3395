"""What can be configured for PagerDuty: the secrets of its webhook subscriptions, and the key to its REST API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.errors import WrongSettings
from bot.providers.contract import Secrets, read_table, secret_findings, webhook_secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDutySettings:
    """`key` and `api_url` are for what socmon asks and tells by itself; without a key it does neither."""

    secrets: Secrets
    key: str = field(default="", repr=False)
    api_url: str = ""


def read_settings(table: Mapping[str, Any], environ: Mapping[str, str]) -> PagerDutySettings:
    """Read `[providers.pagerduty]` and the environment; raises WrongSettings."""
    read_table("pagerduty", table, known=())
    url = environ.get("SOCMON_PAGERDUTY_URL", "")
    if url and not url.startswith("https://"):
        raise WrongSettings(
            f"SOCMON_PAGERDUTY_URL is {url!r}, but PagerDuty's key must not travel without TLS. Write https://…, or"
            " unset it for https://api.pagerduty.com."
        )
    return PagerDutySettings(
        secrets=webhook_secrets("pagerduty", environ), key=environ.get("PAGERDUTY_API_KEY", ""), api_url=url
    )


def findings(settings: PagerDutySettings) -> list[str]:
    """What `socmon doctor` says about these settings."""
    return secret_findings("pagerduty", settings.secrets)
