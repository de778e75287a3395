"""What can be configured for Alertmanager: the webhook secret, and the ways to its API and to Prometheus'."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.errors import WrongSettings
from bot.providers.contract import Secrets, read_table, secret_findings, web_address, webhook_secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertmanagerSettings:
    """Without `url` it is only listened to; with `prometheus_url` Prometheus is asked what it watches.

    `external_url` is what its messages call it, `receiver` the one of its receivers that tells socmon. `authorization`
    and `prometheus_authorization` are the headers that proxies before them want. `heartbeat` is the name of the alert
    that always fires; "" for none.
    """

    secrets: Secrets
    url: str = ""
    external_url: str = ""
    receiver: str = "socmon"
    heartbeat: str = "Watchdog"
    prometheus_url: str = ""
    authorization: str = field(default="", repr=False)
    prometheus_authorization: str = field(default="", repr=False)


def read_settings(table: Mapping[str, Any], environ: Mapping[str, str]) -> AlertmanagerSettings:
    """Read `[providers.alertmanager]` and the environment; raises WrongSettings."""
    read_table(
        "alertmanager", table, known=("url", "external_url", "receiver", "prometheus_url", "heartbeat")
    )
    url = _address("url", table)
    receiver = table.get("receiver", "socmon")
    if not isinstance(receiver, str) or not receiver:
        raise WrongSettings(
            f"providers.alertmanager.receiver is {receiver!r}. Write the name of the receiver that tells socmon."
        )
    heartbeat = table.get("heartbeat", "Watchdog")
    if not isinstance(heartbeat, str):
        raise WrongSettings(
            f"providers.alertmanager.heartbeat is {heartbeat!r}. Write the name of the alert that always fires, or"
            ' "" when there is none.'
        )
    prometheus_url = _address("prometheus_url", table)
    if prometheus_url and not url:
        raise WrongSettings(
            "providers.alertmanager.prometheus_url needs url as well: only Alertmanager knows where Prometheus' alerts"
            ' go. Add url = "http://alertmanager:9093".'
        )
    return AlertmanagerSettings(
        secrets=webhook_secrets("alertmanager", environ),
        url=url,
        external_url=_address("external_url", table) or url,
        receiver=receiver,
        heartbeat=heartbeat,
        prometheus_url=prometheus_url,
        authorization=_authorization("ALERTMANAGER", environ),
        prometheus_authorization=_authorization("PROMETHEUS", environ),
    )


def _authorization(name: str, environ: Mapping[str, str]) -> str:
    """SOCMON_<NAME>_TOKEN is a bearer token, SOCMON_<NAME>_BASIC is “user:password”. Raises WrongSettings."""
    token, basic = environ.get(f"SOCMON_{name}_TOKEN", ""), environ.get(f"SOCMON_{name}_BASIC", "")
    if token and basic:
        raise WrongSettings(
            f"SOCMON_{name}_TOKEN and SOCMON_{name}_BASIC are both set. Keep the one that counts."
        )
    if basic and ":" not in basic:
        raise WrongSettings(f"SOCMON_{name}_BASIC holds no colon. Write it as user:password.")
    if basic:
        return f"Basic {b64encode(basic.encode()).decode()}"
    return f"Bearer {token}" if token else ""


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


def own_end(settings: AlertmanagerSettings) -> str:
    """What stands for socmon's own webhook where Alertmanager hides its address."""
    return f"alertmanager-receiver:{settings.receiver}"
