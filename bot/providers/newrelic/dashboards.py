"""New Relic's dashboards: each page as the picture that New Relic itself makes of it.

https://docs.newrelic.com/docs/apis/nerdgraph/examples/export-dashboards-pdfpng-using-api/ — the address of a snapshot
is public to whoever has it, so it is fetched at once and never kept or shown.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.dashboard import Captured, Dashboard, Panel, Trouble, Uncaptured
from bot.domain.errors import ToolSilent
from bot.providers.contract import Pulled, line, text, understood, web_address
from bot.providers.newrelic.nerdgraph import Data, Visit
from bot.providers.newrelic.settings import NewRelicSettings
from bot.providers.picture import picture

NEEDED = "access to the account's dashboards"
SECONDS = 60.0
"""New Relic draws the page while it is asked for it."""
SIDE = 2000
MOST_PAGES = 8
SEARCH = """\
query ($search: String!, $cursor: String) {
  actor { entitySearch(query: $search) { results(cursor: $cursor) {
    nextCursor
    entities { guid name type accountId permalink tags { key values } }
  } } }
}"""
SNAPSHOT = "mutation ($guid: EntityGuid!) { dashboardCreateSnapshotUrl(guid: $guid) }"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRelicDashboards:
    """A snapshot is of the page's own default time, which New Relic's answer does not tell."""

    settings: NewRelicSettings

    def list(self, at: datetime) -> Pulled[Dashboard]:
        def ask() -> Pulled[Dashboard]:
            visit = Visit(self.settings)
            search = f"type = 'DASHBOARD' AND accountId = {self.settings.account}"
            rows, whole = _search(visit, search)
            # A dashboard's pages are entities of the same type.
            found = tuple(_dashboard(row) for row in rows if not _is_page(row))
            return Pulled(items=found, complete=whole, as_of=at, calls=visit.calls, reason=visit.reason)

        return understood("New Relic", ask, at)

    def capture(self, dashboard: Dashboard, *, start: datetime, end: datetime) -> Captured:
        visit = Visit(self.settings)
        try:
            guid = dashboard.id.replace("'", "")
            pages, whole = _search(visit, f"parentId = '{guid}' AND tags.isDashboardPage = 'true'")
            panels = tuple(
                Panel(title=line(page.get("name")), picture=_picture(visit, text(page["guid"], 200)))
                for page in pages[:MOST_PAGES]
            )
        except ToolSilent as error:
            raise Uncaptured(Trouble.SILENT, str(error), "It is taken again next time.") from error
        if not whole:
            raise Uncaptured(Trouble.SILENT, visit.reason, "It is taken again next time.")
        if not panels:
            raise Uncaptured(
                Trouble.MISSING,
                "New Relic has no page of such a dashboard any more.",
                "See whether it was deleted, and choose another one.",
            )
        left = len(pages) - len(panels)
        return Captured(
            panels=panels,
            account=str(pages[0].get("accountId") or ""),
            start=start,
            end=end,
            tells_age=False,
            warnings=(
                "New Relic draws each page in its own default time, which may differ from the time told here.",
                *((f"{left} more pages are not on the picture.",) if left else ()),
            ),
        )


def _search(visit: Visit, search: str) -> tuple[list[Data], bool]:
    about = "which dashboards there are"
    return visit.every(about, NEEDED, SEARCH, "entitySearch.results", "entities", search=search)


def _is_page(row: Data) -> bool:
    return any(tag.get("key") == "isDashboardPage" for tag in row.get("tags") or ())


def _dashboard(row: Data) -> Dashboard:
    return Dashboard(
        provider="newrelic",
        id=text(row["guid"], 200),
        title=line(row.get("name")) or text(row["guid"], 200),
        url=web_address(row.get("permalink")),
        account=str(row.get("accountId") or ""),
    )


def _picture(visit: Visit, guid: str) -> bytes:
    told: Any = visit.tell("a picture of the dashboard", NEEDED, SNAPSHOT, guid=guid)
    url = text(told.get("dashboardCreateSnapshotUrl"), 2000)
    png = re.sub(r"\bformat=PDF\b", "format=PNG", url)
    return picture(re.sub(r"\b(width|height)=\d+", rf"\1={SIDE}", png), headers={}, seconds=SECONDS)
