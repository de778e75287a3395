"""Grafana's dashboards: each as its image renderer draws it, in the time that socmon asks for.

https://grafana.com/docs/grafana/latest/developers/http_api/dashboard/ and
https://grafana.com/docs/grafana/latest/setup-grafana/image-rendering/ — without the renderer Grafana answers with a
picture that says so, so it is asked first whether it has one.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from bot.domain.dashboard import Captured, Dashboard, Panel, Trouble, Uncaptured
from bot.domain.errors import ToolSilent
from bot.providers.asking import Declined, ask
from bot.providers.contract import Pulled, line, text, understood
from bot.providers.grafana.settings import NAME, GrafanaSettings
from bot.providers.picture import picture

PAGE = 1000
MOST_PAGES = 20
WIDTH, HEIGHT = 1600, 1400
SECONDS = 70.0
NOT_FOUND = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class GrafanaDashboards:
    """In the organisation of the service account's token."""

    settings: GrafanaSettings

    def list(self, at: datetime) -> Pulled[Dashboard]:
        def every() -> Pulled[Dashboard]:
            found: dict[str, Dashboard] = {}
            try:
                account = self._account()
                for number in range(1, MOST_PAGES + 1):
                    asked = urlencode({"type": "dash-db", "limit": PAGE, "page": number})
                    rows = self._ask(f"/api/search?{asked}")
                    found |= {row["uid"]: self._dashboard(row, account) for row in rows}
                    if len(rows) < PAGE:
                        break
            except ToolSilent as error:
                return Pulled(items=tuple(found.values()), complete=False, as_of=at, reason=str(error))
            return Pulled(items=tuple(found.values()), complete=True, as_of=at)

        return understood("Grafana", every, at)

    def capture(self, dashboard: Dashboard, *, start: datetime, end: datetime) -> Captured:
        try:
            if not self._ask("/api/frontend/settings").get("rendererAvailable"):
                raise Uncaptured(
                    Trouble.NO_PICTURE,
                    "This Grafana has no image renderer, so it draws no pictures.",
                    "Install grafana-image-renderer, or capture the page with Chromium: [[dashboards.pages]].",
                )
            account, path, refresh = self._account(), *self._model(dashboard)
        except ToolSilent as error:
            raise Uncaptured(Trouble.SILENT, str(error), "It is taken again next time.") from error
        asked = {
            "from": int(start.timestamp() * 1000),
            "to": int(end.timestamp() * 1000),
            "tz": "UTC",
            "width": WIDTH,
            "height": HEIGHT,
            "timeout": int(SECONDS) - 10,
        }
        url = f"{self.settings.url}/render{path}?{urlencode(asked)}&kiosk"
        content = picture(url, headers=self._headers, seconds=SECONDS)
        return Captured(
            panels=(Panel(title=dashboard.title, picture=content),),
            account=account,
            start=start,
            end=end,
            tells_age=False,
            warnings=() if refresh else ("It does not refresh by itself (auto-refresh is off).",),
        )

    def _model(self, dashboard: Dashboard) -> tuple[str, str]:
        """(its path, how often it refreshes). Raises Uncaptured and ToolSilent."""
        try:
            found = self._ask(f"/api/dashboards/uid/{dashboard.id}")
        except ToolSilent as error:
            if isinstance(error.__cause__, Declined) and error.__cause__.status == NOT_FOUND:
                raise Uncaptured(
                    Trouble.MISSING,
                    "Grafana has no such dashboard any more (404).",
                    "See whether it was deleted, and choose another one.",
                ) from error
            raise
        path = text(found["meta"].get("url"), 500) or f"/d/{dashboard.id}/dashboard"
        return path, text(found["dashboard"].get("refresh"), 40)

    def _account(self) -> str:
        found = self._ask("/api/org")
        return f"organisation {found['id']} ({line(found.get('name'), 60)})"

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.settings.token}"}

    def _ask(self, path: str) -> Any:
        try:
            return ask(f"{self.settings.url}{path}", headers=self._headers)
        except ToolSilent as error:
            refused = isinstance(error, Declined) and error.status in {401, 403}
            mend = (
                "Give GRAFANA_TOKEN a service account's token with the role Viewer."
                if refused
                else "Check providers.grafana.url, and that socmon reaches it."
            )
            raise ToolSilent(f"Grafana did not answer {path.partition('?')[0]}: {error}. {mend}") from error

    def _dashboard(self, row: Any, account: str) -> Dashboard:
        return Dashboard(
            provider=NAME,
            id=text(row["uid"], 100),
            title=line(row.get("title")) or text(row["uid"], 100),
            url=f"{self.settings.url}/d/{text(row['uid'], 100)}",
            account=account,
        )
