"""The year as an auditor reads it: one row a week, whatever happened in it, for tables and JSON."""

from collections.abc import Iterable
from datetime import UTC, datetime

from bot.domain.spreadsheet import Cell
from bot.domain.validation import Stands, Week

Row = dict[str, Cell]


def year_rows(weeks: Iterable[Week]) -> list[Row]:
    """Times are UTC, people are Slack user ids."""
    return [_row(week) for week in weeks]


def summary(weeks: Iterable[Week]) -> str:
    """“50 of 52 weeks attested (12 with exceptions, 2 late), 1 missed, 1 open”, of those that were ever due."""
    due = [each for each in weeks if each.stands not in {Stands.BEFORE, Stands.NOT_DUE}]
    if not due:
        return "none was due yet"
    answered = [each for each in due if each.attestation]
    notes = [
        (sum(each.stands is Stands.WITH_EXCEPTIONS for each in answered), "with exceptions"),
        (sum(each.is_late for each in answered), "late"),
    ]
    said = ", ".join(f"{number} {what}" for number, what in notes if number)
    rest = [
        f"{number} {what.value}"
        for what in (Stands.MISSED, Stands.OVERDUE, Stands.OPEN)
        if (number := sum(each.stands is what for each in due))
    ]
    whole = f"{len(answered)} of {len(due)} weeks attested" + (f" ({said})" if said else "")
    return ", ".join([whole, *rest])


def _row(week: Week) -> Row:
    slot, record, done = week.slot, week.record, week.attestation
    return {
        "week": slot.week,
        "verdict": week.stands.value,
        "says": week.says,
        "start": _iso(slot.start),
        "end": _iso(slot.end),
        "opens_at": _iso(slot.opens_at),
        "due_at": _iso(slot.due_at),
        "closes_at": _iso(slot.closes_at),
        "time_zone": slot.zone,
        "opened_at": _iso(record.opened_at) if record else None,
        "attested_at": _iso(done.at) if done else None,
        "attested_by": done.by if done else None,
        "as": done.role if done else None,
        "late": week.is_late,
        "facts": done.digest if done else record.digest if record else "",
        "exceptions": " ".join(each.finding for each in done.dispositions) if done else "",
        "overlaps": "; ".join(done.overlaps) if done else "",
        "cosigned_by": done.cosigned_by if done else "",
        "reason": record.reason if record else "",
        "explained_by": record.explained_by if record else "",
    }


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else None
