"""What can be configured for Alertmanager: the webhook secret, and the way to its API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.errors import WrongSettings
from bot.providers.contract import Secrets, read_table, secret_findings, web_address, webhook_secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertmanagerSettings:
    """Without `url` it is only listened to.

    `external_url` is what its messages call it, `receiver` the one of its receivers that tells socmon.
    """

    secrets: Secrets
    url: str = ""
    external_url: str = ""
    receiver: str = "socmon"
    token: str = field(default="", repr=False)


def read_settings(table: Mapping[str, Any], environ: Mapping[str, str]) -> AlertmanagerSettings:
    """Read `[providers.alertmanager]` and the environment; raises WrongSettings."""
    read_table("alertmanager", table, known=("url", "external_url", "receiver"))
    url = _address("url", table)
    receiver = table.get("receiver", "socmon")
    if not isinstance(receiver, str) or not receiver:
        raise WrongSettings(
            f"providers.alertmanager.receiver is {receiver!r}. Write the name of the receiver that tells socmon."
        )
    return AlertmanagerSettings(
        secrets=webhook_secrets("alertmanager", environ),
        url=url,
        external_url=_address("external_url", table) or url,
        receiver=receiver,
        token=environ.get("SOCMON_ALERTMANAGER_TOKEN", ""),
    )


def findings(settings: AlertmanagerSettings) -> list[str]:
    """What `socmon doctor` says about these settings."""
    return secret_findings("alertmanager", settings.secrets)


def _address(name: str, table: Mapping[str, Any]) -> str:
    value = table.get(name, "")
    if value and not web_address(value):
        raise WrongSettings(
            f"providers.alertmanager.{name} is {value!r}. Write an address like http://alertmanager:9093."
        )
    return str(value).rstrip("/")
