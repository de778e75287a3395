"""What can be configured for Datadog: the webhook secret, and the way to its API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.errors import WrongSettings
from bot.providers.contract import Secrets, read_table, secret_findings, webhook_secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class DatadogSettings:
    """Without both keys it is only listened to. `webhook` is the integration's name in @webhook-…; "*" is any monitor.

    `slack_accounts` are the names of the Slack workspaces in Datadog's Slack integration, which no call lists.
    `proxy` and `ca_file` are for the client, which knows neither HTTPS_PROXY nor SSL_CERT_FILE.
    """

    secrets: Secrets
    webhook: str = "socmon"
    slack_accounts: tuple[str, ...] = ()
    api_key: str = field(default="", repr=False)
    app_key: str = field(default="", repr=False)
    site: str = ""
    api_url: str = ""
    proxy: str = field(default="", repr=False)
    ca_file: str = ""


def read_settings(table: Mapping[str, Any], environ: Mapping[str, str]) -> DatadogSettings:
    """Read `[providers.datadog]` and the environment; raises WrongSettings."""
    read_table("datadog", table, known=("webhook", "slack_accounts"))
    webhook = table.get("webhook", "socmon")
    if not isinstance(webhook, str) or not webhook:
        raise WrongSettings(
            f"providers.datadog.webhook is {webhook!r}. Write the name that stands behind @webhook- in your monitors."
        )
    accounts = table.get("slack_accounts", [])
    if not isinstance(accounts, list) or not all(isinstance(one, str) and one for one in accounts):
        raise WrongSettings(
            f"providers.datadog.slack_accounts is {accounts!r}. Write the names of the accounts in Datadog's Slack"
            ' integration, as in ["Main_Account"].'
        )
    return DatadogSettings(
        secrets=webhook_secrets("datadog", environ),
        webhook=webhook.removeprefix("@webhook-"),
        slack_accounts=tuple(accounts),
        api_key=environ.get("DD_API_KEY", ""),
        app_key=environ.get("DD_APP_KEY", ""),
        site=environ.get("DD_SITE", ""),
        api_url=environ.get("SOCMON_DATADOG_URL", "").rstrip("/"),
        proxy=environ.get("HTTPS_PROXY") or environ.get("https_proxy") or "",
        ca_file=environ.get("SSL_CERT_FILE", ""),
    )


def findings(settings: DatadogSettings) -> list[str]:
    """What `socmon doctor` says about these settings."""
    return secret_findings("datadog", settings.secrets)
