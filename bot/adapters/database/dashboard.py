"""Which dashboards are looked at each week, and what came of each capture."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, delete, func, insert, select, update

from bot.adapters.database.part import Part
from bot.adapters.database.rows import instant, micros
from bot.adapters.database.tables import dashboard, dashboard_capture
from bot.domain.dashboard import Capture, Chosen, Dashboard, Review, Trouble


class DashboardPart(Part):
    """`bot.ports.DashboardRecords`."""

    def chosen_dashboards(self) -> list[Chosen]:
        rows = self._sql.execute(
            select(dashboard).order_by(dashboard.c.provider, dashboard.c.title)
        ).mappings()
        return [
            Chosen(dashboard=_dashboard(row), by=row["chosen_by"], at=instant(row["chosen_at"]))
            for row in rows
        ]

    def choose_dashboard(self, chosen: Chosen) -> None:
        self.leave_out_dashboard(chosen.dashboard.key)
        row = _named(chosen.dashboard) | {"chosen_by": chosen.by, "chosen_at": micros(chosen.at)}
        self._write(insert(dashboard).values(row))

    def leave_out_dashboard(self, key: str) -> None:
        self._write(delete(dashboard).where(dashboard.c.key == key))

    def latest_captures(self) -> list[Capture]:
        newest = select(func.max(dashboard_capture.c.id)).group_by(dashboard_capture.c.key)
        query = select(dashboard_capture).where(dashboard_capture.c.id.in_(newest))
        return [_capture(row) for row in self._sql.execute(query.order_by(dashboard_capture.c.id)).mappings()]

    def captures_since(self, at: datetime) -> list[Capture]:
        query = select(dashboard_capture).where(dashboard_capture.c.at >= micros(at))
        return [_capture(row) for row in self._sql.execute(query.order_by(dashboard_capture.c.id)).mappings()]

    def capture(self, capture_id: int) -> Capture | None:
        query = select(dashboard_capture).where(dashboard_capture.c.id == capture_id)
        row = self._sql.execute(query).mappings().one_or_none()
        return _capture(row) if row else None

    def save_capture(self, one: Capture) -> int:
        number = one.id or self._next_id(dashboard_capture)
        row: dict[str, Any] = _named(one.dashboard) | {
            "at": micros(one.at),
            "began_at": micros(one.start),
            "ended_at": micros(one.end),
            "picture": one.picture,
            "size": one.size,
            "newest_at": micros(one.newest_at),
            "components": json.dumps(one.components, ensure_ascii=False),
            "warnings": json.dumps(one.warnings, ensure_ascii=False),
            "trouble": one.trouble,
            "says": one.says,
            "mend": one.mend,
            "shown_at": micros(one.shown_at),
            "reviewed_by": one.reviewed_by,
            "reviewed_at": micros(one.reviewed_at),
            "review": one.review,
        }
        if one.id:
            self._write(update(dashboard_capture).where(dashboard_capture.c.id == number).values(row))
        else:
            self._write(insert(dashboard_capture).values(row | {"id": number}))
        return number


def _named(one: Dashboard) -> dict[str, Any]:
    return {
        "key": one.key,
        "provider": one.provider,
        "dashboard": one.id,
        "title": one.title,
        "url": one.url,
        "account": one.account,
    }


def _dashboard(row: RowMapping) -> Dashboard:
    return Dashboard(
        provider=row["provider"],
        id=row["dashboard"],
        title=row["title"],
        url=row["url"],
        account=row["account"],
    )


def _capture(row: RowMapping) -> Capture:
    return Capture(
        id=row["id"],
        dashboard=_dashboard(row),
        at=instant(row["at"]),
        start=instant(row["began_at"]),
        end=instant(row["ended_at"]),
        picture=row["picture"],
        size=row["size"],
        newest_at=instant(row["newest_at"]),
        components=tuple(json.loads(row["components"])),
        warnings=tuple(json.loads(row["warnings"])),
        trouble=Trouble(row["trouble"]) if row["trouble"] else None,
        says=row["says"],
        mend=row["mend"],
        shown_at=instant(row["shown_at"]),
        reviewed_by=row["reviewed_by"],
        reviewed_at=instant(row["reviewed_at"]),
        review=Review(row["review"]) if row["review"] else None,
    )
