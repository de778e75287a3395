"""Direct messages owed to people."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import RowMapping, exists, insert, select, update

from bot.adapters.database.part import Part
from bot.adapters.database.rows import instant, micros, row_alert
from bot.adapters.database.tables import alert, leaf, notice, thread
from bot.domain.alert import Alert
from bot.domain.notice import Notice, Owed

MOST_KEYS = 1000  # in one statement


class NoticePart(Part):
    """`bot.ports.NoticeRecords`."""

    def owe_notice(self, user: str, alert_id: int, kind: str) -> None:
        same = (notice.c.user == user) & (notice.c.alert_id == alert_id) & notice.c.sent_at.is_(None)
        known = self._sql.execute(select(notice.c.id).where(same, notice.c.kind == kind)).first()
        if known is None:
            row = {
                "id": self._next_id(notice),
                "user": user,
                "alert_id": alert_id,
                "kind": kind,
                "at": micros(self.now),
            }
            self._write(insert(notice).values(row))

    def owed_notices(self, *, tried_before: datetime, most: int) -> list[Owed]:
        lately = (
            select(notice.c.user)
            .where(notice.c.tried_at > micros(tried_before), notice.c.tried_at <= micros(self.now))
            .distinct()
        )
        acted = exists().where(
            leaf.c.alert_id == notice.c.alert_id, leaf.c.by == notice.c.user, leaf.c.at >= notice.c.at
        )
        query = (
            select(notice, thread.c.channel, acted.label("acted"))
            .join(thread, thread.c.alert_id == notice.c.alert_id)
            .where(notice.c.sent_at.is_(None), notice.c.user.not_in(lately))
            .order_by(notice.c.at, notice.c.id)
            .limit(most)
        )
        rows = self._sql.execute(query).mappings().all()
        alerts = self._alerts({row["alert_id"] for row in rows})
        return [
            Owed(
                notice=_notice(row),
                alert=alerts[row["alert_id"]],
                channel=row["channel"],
                has_acted=bool(row["acted"]),
            )
            for row in rows
        ]

    def _alerts(self, ids: set[int]) -> dict[int, Alert]:
        found, every = {}, sorted(ids)
        for start in range(0, len(every), MOST_KEYS):
            some = select(alert).where(alert.c.id.in_(every[start : start + MOST_KEYS]))
            found.update({row["id"]: row_alert(row) for row in self._sql.execute(some).mappings()})
        return found

    def notices_tried(self, ids: Collection[int], *, at: datetime | None) -> None:
        self._write(update(notice).where(notice.c.id.in_(ids)).values(tried_at=micros(at)))

    def notices_sent(self, ids: Collection[int]) -> None:
        self._write(update(notice).where(notice.c.id.in_(ids)).values(sent_at=micros(self.now)))

    def drop_notices(self, ids: Collection[int]) -> None:
        if ids:
            self._write(notice.delete().where(notice.c.id.in_(ids)))

    def drop_sent_notices(self, before: datetime) -> int:
        return self._write(notice.delete().where(notice.c.sent_at < micros(before))).rowcount


def _notice(row: RowMapping) -> Notice:
    return Notice(
        id=row["id"], user=row["user"], alert_id=row["alert_id"], kind=row["kind"], at=instant(row["at"])
    )
