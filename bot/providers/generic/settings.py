"""What can be configured for the generic webhook: its secret, and where a sender's own JSON says what we ask for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.errors import WrongSettings
from bot.providers.contract import Secrets, nearest, read_table, secret_findings, webhook_secrets

# The fields of one alert, and what a body may hold beside alerts.
ALERT_FIELDS = (
    "status",
    "dedup_key",
    "occurrence",
    "title",
    "component",
    "severity",
    "condition",
    "value",
    "url",
    "runbook",
    "text",
    "occurred_at",
)
BODY_FIELDS = ("alerts", "delivery_id")
STATUSES = ("triggered", "recovered", "no_data", "updated", "test")
DEEPEST_PATH = 10

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GenericSettings:
    """`fields` are paths into the sender's JSON by our field name; `statuses` our status by the sender's word."""

    secrets: Secrets
    fields: Mapping[str, Path] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)


def read_settings(table: Mapping[str, Any], environ: Mapping[str, str]) -> GenericSettings:
    """Read `[providers.generic]` and the environment; raises WrongSettings."""
    read_table("generic", table, known=("fields", "status"))
    fields = _words("fields", table.get("fields", {}))
    read_table("generic.fields", fields, known=(*ALERT_FIELDS, "alerts"))
    statuses = _words("status", table.get("status", {}))
    return GenericSettings(
        secrets=webhook_secrets("generic", environ),
        fields={name: _path(name, path) for name, path in fields.items()},
        statuses={word.strip().lower(): _status(word, ours) for word, ours in statuses.items()},
    )


def findings(settings: GenericSettings) -> list[str]:
    """What `socmon doctor` says about these settings."""
    return secret_findings("generic", settings.secrets)


def _words(name: str, table: Any) -> dict[str, str]:
    if not isinstance(table, dict):
        raise WrongSettings(
            f"providers.generic.{name} has to be a table. docs/providers/generic.md shows one."
        )
    for key, value in table.items():
        if not isinstance(value, str):
            raise WrongSettings(f"providers.generic.{name}.{key} has to be text in quotes (it is {value!r}).")
    return table


def _path(name: str, dotted: str) -> Path:
    path = tuple(dotted.split("."))
    if not all(part == part.strip() and part for part in path) or len(path) > DEEPEST_PATH:
        raise WrongSettings(
            f'providers.generic.fields.{name} = "{dotted}" is not a path: write the names on the way to the value'
            f" with dots between them, at most {DEEPEST_PATH} (incident.name, items.0.id)."
        )
    return path


def _status(word: str, ours: str) -> str:
    if ours not in STATUSES:
        raise WrongSettings(
            f'providers.generic.status."{word}" = "{ours}" is no status.{nearest(ours, STATUSES)}'
        )
    return ours
