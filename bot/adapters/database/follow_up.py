"""What somebody is to mend until a day."""

from typing import Any

from sqlalchemy import RowMapping, insert, select, update

from bot.adapters.database.part import Part
from bot.adapters.database.rows import instant, micros
from bot.adapters.database.tables import follow_up
from bot.domain.follow_up import FollowUp, Outcome


class FollowUpPart(Part):
    """`bot.ports.FollowUpRecords`."""

    def latest_follow_up(self, subject: str) -> FollowUp | None:
        about = select(follow_up).where(follow_up.c.subject == subject)
        row = self._sql.execute(about.order_by(follow_up.c.id.desc()).limit(1)).mappings().one_or_none()
        return _follow_up(row) if row else None

    def open_follow_ups(self) -> list[FollowUp]:
        query = select(follow_up).where(follow_up.c.closed_at.is_(None))
        rows = self._sql.execute(query.order_by(follow_up.c.due_at, follow_up.c.id)).mappings()
        return [_follow_up(row) for row in rows]

    def save_follow_up(self, one: FollowUp) -> int:
        number = one.id or self._next_id(follow_up)
        row: dict[str, Any] = {
            "subject": one.subject,
            "owner": one.owner,
            "due_at": micros(one.due_at),
            "note": one.note,
            "opened_by": one.opened_by,
            "opened_at": micros(one.opened_at),
            "told_at": micros(one.told_at),
            "closed_at": micros(one.closed_at),
            "outcome": one.outcome,
            "proof": one.proof,
        }
        if one.id:
            self._write(update(follow_up).where(follow_up.c.id == number).values(row))
        else:
            self._write(insert(follow_up).values(row | {"id": number}))
        return number


def _follow_up(row: RowMapping) -> FollowUp:
    return FollowUp(
        id=row["id"],
        subject=row["subject"],
        owner=row["owner"],
        due_at=instant(row["due_at"]),
        note=row["note"],
        opened_by=row["opened_by"],
        opened_at=instant(row["opened_at"]),
        told_at=instant(row["told_at"]),
        closed_at=instant(row["closed_at"]),
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        proof=row["proof"],
    )
