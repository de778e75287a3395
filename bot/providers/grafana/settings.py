"""What can be configured for Grafana: the secret, and the headers in which the contact point signs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.errors import WrongSettings
from bot.providers.contract import Secrets, read_table, secret_findings, web_address, webhook_secrets

NAME = "grafana"
SIGNATURE_HEADER = "X-Grafana-Alerting-Signature"
TIMESTAMP_HEADER = "X-Grafana-Alerting-Timestamp"

_HEADER = re.compile(r"[A-Za-z0-9-]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class GrafanaSettings:
    """Header names are lower case. With a `timestamp_header` every delivery has to be signed, with its time.

    `url` and `token` are for its dashboards; without both it is only listened to.
    """

    secrets: Secrets
    signature_header: str = SIGNATURE_HEADER.lower()
    timestamp_header: str = ""
    url: str = ""
    token: str = field(default="", repr=False)


def read_settings(table: Mapping[str, Any], environ: Mapping[str, str]) -> GrafanaSettings:
    """Read `[providers.grafana]` and the environment; raises WrongSettings."""
    read_table(NAME, table, known=("signature_header", "timestamp_header", "url"))
    url = table.get("url", "")
    if not isinstance(url, str) or (url and not web_address(url)):
        raise WrongSettings(f"providers.{NAME}.url is {url!r}. Write Grafana's address, with https://.")
    return GrafanaSettings(
        secrets=webhook_secrets(NAME, environ),
        signature_header=_header(table, "signature_header") or SIGNATURE_HEADER.lower(),
        timestamp_header=_header(table, "timestamp_header"),
        url=url.rstrip("/"),
        token=environ.get("GRAFANA_TOKEN", ""),
    )


def findings(settings: GrafanaSettings) -> list[str]:
    """What `socmon doctor` says about these settings."""
    found = secret_findings(NAME, settings.secrets)
    if not settings.timestamp_header:
        found.append(
            "Grafana's deliveries need no signed time, so whoever copies one can send it again later. From Grafana 12"
            " on set “Timestamp Header” in the contact point, and here"
            f' providers.grafana.timestamp_header = "{TIMESTAMP_HEADER}".'
        )
    return found


def _header(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or (value and not _HEADER.fullmatch(value)):
        raise WrongSettings(
            f'providers.{NAME}.{key} must be the name of an HTTP header, for example "{TIMESTAMP_HEADER}".'
        )
    return value.lower()
