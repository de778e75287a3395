"""Alertmanager's active alerts, asked over its API.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml (GET /alerts)
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.comparison import OpenAlert
from bot.domain.errors import ToolSilent, Unreadable
from bot.providers.alertmanager.settings import AlertmanagerSettings
from bot.providers.alertmanager.webhook import reported
from bot.providers.asking import ask
from bot.providers.contract import Alerts, Pulled


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertmanagerAlerts(Alerts):
    settings: AlertmanagerSettings

    def list_open(self, at: datetime) -> Pulled[OpenAlert]:
        url = f"{self.settings.url}/api/v2/alerts?active=true&silenced=true&inhibited=true&unprocessed=true"
        proof = self.settings.authorization
        try:
            found = ask(url, headers={"Authorization": proof} if proof else {})
            items = tuple(self._open(one, at) for one in _list(found))
        except (ToolSilent, Unreadable) as error:
            why = f"Alertmanager at {self.settings.url} did not say which alerts are active: {error}."
            return Pulled(items=(), complete=False, as_of=at, reason=why)
        return Pulled(items=items, complete=True, as_of=at)

    def covers(self, key: str) -> bool:
        """Another Alertmanager's alerts are not this one's to end."""
        return key.endswith(f"|{self.settings.external_url}")

    def _open(self, alert: Any, at: datetime) -> OpenAlert:
        """As in a webhook, but for the status, which says here whether anybody is told."""
        if not isinstance(alert, dict):
            raise Unreadable("an alert is not an object")
        status, receivers = alert.get("status"), alert.get("receivers")
        state = status.get("state") if isinstance(status, dict) else ""
        names = {one.get("name") for one in receivers or [] if isinstance(one, dict)}
        report = reported(
            alert | {"status": "firing"},
            {"externalURL": self.settings.external_url},
            at,
            heartbeat=self.settings.heartbeat,
        )
        return OpenAlert(
            reported=report,
            begins=report.dedup_key.partition("|")[0] + "|",
            quiet=state != "active" or self.settings.receiver not in names or bool(report.ignored),
        )


def _list(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise ToolSilent("its answer is no list")
    return found
