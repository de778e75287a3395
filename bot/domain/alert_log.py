"""The alert log as an auditor reads it: one row an alert, as a table, CSV or JSON, and figures over all."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from bot.domain import spreadsheet
from bot.domain.alert import Alert
from bot.domain.spreadsheet import Cell

Row = dict[str, Cell]

COLUMNS = (
    "number",
    "provider",
    "component",
    "title",
    "severity",
    "state",
    "source",
    "triggered_at",
    "acknowledged_at",
    "acknowledged_by",
    "owner",
    "recovered_at",
    "resolved_at",
    "resolved_by",
    "minutes_to_acknowledge",
    "minutes_to_resolve",
    "found",
    "done",
    "cause",
    "security",
    "follow_up",
    "note_edited_by",
    "previous",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The figures over some alerts. The medians are None when no alert has got that far."""

    count: int
    open: int
    without_note: int
    minutes_to_acknowledge: float | None
    minutes_to_resolve: float | None


def log_rows(alerts: Iterable[Alert]) -> list[Row]:
    """One row an alert, by number. Times are UTC; people are Slack user ids."""
    return [_row(alert) for alert in sorted(alerts, key=lambda alert: alert.id)]


def summary(alerts: Iterable[Alert]) -> Summary:
    every = list(alerts)
    return Summary(
        count=len(every),
        open=sum(alert.is_open for alert in every),
        without_note=sum(alert.resolution is None for alert in every),
        minutes_to_acknowledge=_median(
            [_minutes(alert.triggered_at, alert.acknowledged_at) for alert in every]
        ),
        minutes_to_resolve=_median([_minutes(alert.triggered_at, alert.resolved_at) for alert in every]),
    )


def to_csv(rows: Sequence[Row]) -> str:
    return spreadsheet.to_csv(COLUMNS, rows)


def to_json(rows: Sequence[Row]) -> str:
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"


def _row(alert: Alert) -> Row:
    note = alert.resolution
    return {
        "number": f"A-{alert.id}",
        "provider": alert.provider,
        "component": alert.component,
        "title": alert.title,
        "severity": alert.severity.value,
        "state": "recovered, note needed" if alert.note_needed else alert.response.value,
        "source": alert.source.value,
        "triggered_at": _iso(alert.triggered_at),
        "acknowledged_at": _iso(alert.acknowledged_at),
        "acknowledged_by": alert.acknowledged_by,
        "owner": alert.owner,
        "recovered_at": _iso(alert.recovered_at),
        "resolved_at": _iso(alert.resolved_at),
        "resolved_by": alert.resolved_by,
        "minutes_to_acknowledge": _minutes(alert.triggered_at, alert.acknowledged_at),
        "minutes_to_resolve": _minutes(alert.triggered_at, alert.resolved_at),
        "found": note.found if note else None,
        "done": note.done if note else None,
        "cause": note.cause.value if note else None,
        "security": note.security if note else None,
        "follow_up": note.follow_up if note else None,
        "note_edited_by": alert.amended_by,
        "previous": f"A-{alert.previous_id}" if alert.previous_id else None,
    }


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else None


def _minutes(start: datetime, end: datetime | None) -> float | None:
    return round((end - start) / timedelta(minutes=1), 1) if end else None


def _median(minutes: list[float | None]) -> float | None:
    known = [each for each in minutes if each is not None]
    return round(median(known), 1) if known else None
