"""What can be configured for New Relic: the webhook secret, and the way to NerdGraph."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.errors import WrongSettings
from bot.providers.contract import Secrets, read_table, secret_findings, webhook_secrets

APIS = {
    "us": "https://api.newrelic.com/graphql",
    "eu": "https://api.eu.newrelic.com/graphql",
    "jp": "https://api.jp.newrelic.com/graphql",
}


EVENTS = {
    "us": "https://insights-collector.newrelic.com",
    "eu": "https://insights-collector.eu01.nr-data.net",
    "jp": "https://insights-collector.jp.nr-data.net",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRelicSettings:
    """Without a user key and an account it is only listened to.

    `test_key` is a license key, with which test alerts begin; `events_url` is where their events go.
    """

    secrets: Secrets
    api_key: str = field(default="", repr=False)
    account: int = 0
    api_url: str = APIS["us"]
    test_key: str = field(default="", repr=False)
    events_url: str = EVENTS["us"]


def read_settings(table: Mapping[str, Any], environ: Mapping[str, str]) -> NewRelicSettings:
    """Read `[providers.newrelic]` and the environment; raises WrongSettings."""
    read_table("newrelic", table, known=())
    account, region = environ.get("NEW_RELIC_ACCOUNT_ID", ""), environ.get("NEW_RELIC_REGION", "us").lower()
    if account and not (account.isascii() and account.isdigit() and len(account) < 12):
        raise WrongSettings(f"NEW_RELIC_ACCOUNT_ID is {account!r}. Write the account's number.")
    if region not in APIS:
        raise WrongSettings(f"NEW_RELIC_REGION is {region!r}. Write one of {', '.join(APIS)}.")
    return NewRelicSettings(
        secrets=webhook_secrets("newrelic", environ),
        api_key=environ.get("NEW_RELIC_API_KEY", ""),
        account=int(account or 0),
        api_url=environ.get("SOCMON_NEWRELIC_URL") or APIS[region],
        test_key=environ.get("SOCMON_NEWRELIC_TEST_KEY", ""),
        events_url=(environ.get("SOCMON_NEWRELIC_EVENTS_URL") or EVENTS[region]).rstrip("/"),
    )


def findings(settings: NewRelicSettings) -> list[str]:
    """What `socmon doctor` says about these settings."""
    return secret_findings("newrelic", settings.secrets)
