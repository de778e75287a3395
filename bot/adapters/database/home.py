"""Who opened App Home lately, what they saw, and what there is to show."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.adapters.database.flapping import OPEN
from bot.adapters.database.part import Part
from bot.adapters.database.places import NEVER
from bot.adapters.database.rows import micros
from bot.adapters.database.tables import alert, escalation, home, leaf, vendor_write
from bot.domain.alert import Response, Severity, Source
from bot.domain.escalation import Phase
from bot.domain.home import Few, Glance, SeenHome


class HomePart(Part):
    """`bot.ports.HomeRecords`."""

    def see_home(self, user: str, *, lease: str, lasting: timedelta) -> None:
        row = {"user": user, "seen_at": micros(self.now), **self._taken(lease, lasting)}
        dialect = postgresql if self._sql.dialect.name == "postgresql" else sqlite
        new = dialect.insert(home).values(row | {"shown_at": NEVER})
        self._write(new.on_conflict_do_update(index_elements=["user"], set_=row))

    def take_home(
        self,
        user: str,
        *,
        seen_since: datetime,
        lease: str,
        lasting: timedelta,
        if_due: datetime | None = None,
    ) -> bool:
        this = (home.c.user == user) & (home.c.seen_at > micros(seen_since))
        if if_due is not None:
            this &= self._is_due(if_due)
        return self._write(update(home).where(this).values(self._taken(lease, lasting))).rowcount == 1

    def save_home(self, user: str, shown: str, *, lease: str) -> None:
        mine = case((home.c.lease == lease, shown), else_="")
        free = {"lease": None, "leased_until": NEVER, "shown_at": micros(self.now)}
        self._write(update(home).where(home.c.user == user).values(free | {"shown": mine}))

    def homes(self, *, seen_since: datetime, if_due: datetime) -> list[SeenHome]:
        is_due = self._is_due(if_due).label("is_due")
        lately = select(home.c.user, home.c.shown, is_due).where(home.c.seen_at > micros(seen_since))
        rows = self._sql.execute(lately.order_by(home.c.shown_at, home.c.user))
        return [SeenHome(user=row.user, shown=row.shown, is_due=bool(row.is_due)) for row in rows]

    def forget_home(self, user: str) -> None:
        self._write(home.delete().where(home.c.user == user))

    def forget_homes(self, *, seen_before: datetime) -> int:
        return self._write(home.delete().where(home.c.seen_at < micros(seen_before))).rowcount

    def glances(self) -> list[Glance]:
        return [
            Glance(
                id=number,
                severity=Severity(severity),
                owner=owner,
                on_call=tuple(on_call.split()),
                note_needed=source == Source.RECOVERED,
                is_late=response == Response.TRIGGERED and source != Source.RECOVERED and bool(called),
            )
            for number, severity, owner, on_call, source, response, called in self._sql.execute(_GLANCES)
        ]

    def suggested_tuning(self, *, most: int) -> Few:
        told = exists().where(leaf.c.alert_id == alert.c.id, leaf.c.type == "alert.flapping")
        # Only an alert that fired again can have been suggested: the others need no look at their entries.
        query = select(alert.c.id).where(OPEN, alert.c.flaps > 0, told).order_by(alert.c.id)
        found = list(self._sql.execute(query).scalars())
        return Few(first=tuple(found[:most]), count=len(found))

    def out_of_step(self) -> dict[str, int]:
        failed: ColumnElement[bool] = literal_column("state = 'failed'")  # as in its index
        query = select(vendor_write.c.provider, func.count()).where(failed).group_by(vendor_write.c.provider)
        return {row[0]: row[1] for row in self._sql.execute(query.order_by(vendor_write.c.provider))}

    def _is_due(self, shown_before: datetime) -> ColumnElement[bool]:
        """What was published later than now was so before the clock was put back."""
        long_ago = (home.c.shown_at <= micros(shown_before)) | (home.c.shown_at > micros(self.now))
        return long_ago & (home.c.leased_until <= micros(self._batch.stamp.lease_now))

    def _taken(self, lease: str, lasting: timedelta) -> dict[str, Any]:
        """Until it is saved nobody knows what they see: a crash in between makes it be published anew."""
        return {"shown": "", "lease": lease, "leased_until": micros(self._batch.stamp.lease_now + lasting)}


_CALLED = and_(
    escalation.c.alert_id == alert.c.id,
    escalation.c.phase == Phase.UNACKNOWLEDGED.value,
    escalation.c.done > 0,
)
_GLANCES = (
    select(
        alert.c.id,
        alert.c.severity,
        alert.c.owner,
        alert.c.on_call,
        alert.c.source,
        alert.c.response,
        escalation.c.done,
    )
    .select_from(alert.outerjoin(escalation, _CALLED))
    .where(OPEN)
    .order_by(alert.c.severity, alert.c.id)
)
