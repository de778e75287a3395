"""Alerts that come and go, and what the leads are told of them."""

from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, literal_column, select

from bot.adapters.database.part import Part
from bot.adapters.database.rows import micros, row_alert
from bot.adapters.database.tables import alert, leaf
from bot.domain.alert import Alert

OPEN: ColumnElement[bool] = literal_column(
    "alert.response <> 'resolved'"
)  # as in the index of the open alerts


class Flapping(Part):
    """`bot.ports.FlappingRecords`."""

    def flapping_alerts(self, *, more_than: int, since: datetime) -> list[Alert]:
        of_it = leaf.c.alert_id == alert.c.id
        lately = select(func.count()).where(of_it, leaf.c.type == "alert.refired", leaf.c.at > micros(since))
        known = exists().where(of_it, leaf.c.type == "alert.flapping")
        query = select(alert).where(
            OPEN, alert.c.flaps > more_than, ~known, lately.scalar_subquery() > more_than
        )
        return [row_alert(row) for row in self._sql.execute(query.order_by(alert.c.id)).mappings()]
