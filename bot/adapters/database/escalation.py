"""How far alerts have come in the escalation policy, and which of them wait."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import RowMapping, and_, exists, insert, not_, or_, select

from bot.adapters.database.part import Part
from bot.adapters.database.rows import instant, micros, row_alert
from bot.adapters.database.tables import IS_OPEN, alert, escalation
from bot.domain.alert import Alert, Severity
from bot.domain.escalation import Phase, Progress


class EscalationPart(Part):
    """`bot.ports.EscalationRecords`."""

    def waiting_alerts(
        self, *, patience: Mapping[Severity, timedelta], after: int, most: int
    ) -> list[tuple[Alert, Mapping[Phase, Progress]]]:
        counting = exists().where(escalation.c.alert_id == alert.c.id, escalation.c.left_at.is_(None))
        is_new = or_(
            *(
                and_(alert.c.severity == severity.value, alert.c.triggered_at > micros(self.now - wait))
                for severity, wait in patience.items()
            )
        )
        fires = and_(alert.c.response == "triggered", not_(is_new))
        waits = or_(fires, alert.c.source == "recovered", counting)
        query = select(alert).where(IS_OPEN, alert.c.id > after, waits).order_by(alert.c.id).limit(most)
        found = [row_alert(row) for row in self._sql.execute(query).mappings()]
        known: dict[int, dict[Phase, Progress]] = {one.id: {} for one in found}
        rows = select(escalation).where(escalation.c.alert_id.in_(known))
        for row in self._sql.execute(rows).mappings():
            known[row["alert_id"]][Phase(row["phase"])] = _progress(row)
        return [(one, known[one.id]) for one in found]

    def escalation(self, alert_id: int) -> Mapping[Phase, Progress]:
        rows = self._sql.execute(select(escalation).where(escalation.c.alert_id == alert_id)).mappings()
        return {Phase(row["phase"]): _progress(row) for row in rows}

    def keep_progress(self, alert_id: int, progress: Progress) -> None:
        this = (escalation.c.alert_id == alert_id) & (escalation.c.phase == progress.phase.value)
        self._write(escalation.delete().where(this))
        row = {
            "alert_id": alert_id,
            "phase": progress.phase.value,
            "begun_at": micros(progress.begun_at),
            "done": progress.done,
            "left_at": micros(progress.left_at),
        }
        self._write(insert(escalation).values(row))


def _progress(row: RowMapping) -> Progress:
    return Progress(
        phase=Phase(row["phase"]),
        begun_at=instant(row["begun_at"]),
        done=row["done"],
        left_at=instant(row["left_at"]),
    )
