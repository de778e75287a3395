"""Domain objects to rows and back. Times become integers: microseconds since 1970 UTC."""

from datetime import UTC, datetime, timedelta
from typing import Any, overload

from sqlalchemy import RowMapping

from bot.domain.alert import Alert, Cause, Resolution, Response, Severity, Source
from bot.domain.storm import Storm
from bot.domain.thread import Place, Thread

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@overload
def micros(at: datetime) -> int: ...
@overload
def micros(at: None) -> None: ...
def micros(at: datetime | None) -> int | None:
    """Microseconds since 1970; naive times are refused by the subtraction."""
    return None if at is None else (at - EPOCH) // MICROSECOND


@overload
def instant(value: int) -> datetime: ...
@overload
def instant(value: None) -> None: ...
def instant(value: int | None) -> datetime | None:
    return None if value is None else EPOCH + timedelta(microseconds=value)


def alert_row(alert: Alert) -> dict[str, Any]:
    note = alert.resolution
    return {
        "id": alert.id,
        "provider": alert.provider,
        "dedup_key": alert.dedup_key,
        "occurrence": alert.occurrence,
        "title": alert.title,
        "component": alert.component,
        "condition": alert.condition,
        "value": alert.value,
        "severity": alert.severity.value,
        "url": alert.url,
        "runbook": alert.runbook,
        "text": alert.text,
        "response": alert.response.value,
        "source": alert.source.value,
        "source_at": micros(alert.source_at),
        "triggered_at": micros(alert.triggered_at),
        "on_call": " ".join(alert.on_call),
        "owner": alert.owner,
        "acknowledged_at": micros(alert.acknowledged_at),
        "acknowledged_by": alert.acknowledged_by,
        "recovered_at": micros(alert.recovered_at),
        "resolved_at": micros(alert.resolved_at),
        "resolved_by": alert.resolved_by,
        "found": note.found if note else None,
        "done": note.done if note else None,
        "cause": note.cause.value if note else None,
        "security": note.security if note else None,
        "follow_up": note.follow_up if note else None,
        "amended_by": alert.amended_by,
        "snoozed_until": micros(alert.snoozed_until),
        "repeats": alert.repeats,
        "flaps": alert.flaps,
        "previous_id": alert.previous_id,
        "roster_id": alert.roster_id,
        "version": alert.version,
    }


def row_alert(row: RowMapping) -> Alert:
    return Alert(
        id=row["id"],
        provider=row["provider"],
        dedup_key=row["dedup_key"],
        occurrence=row["occurrence"],
        title=row["title"],
        component=row["component"],
        condition=row["condition"],
        value=row["value"],
        severity=Severity(row["severity"]),
        url=row["url"],
        runbook=row["runbook"],
        text=row["text"],
        response=Response(row["response"]),
        source=Source(row["source"]),
        source_at=instant(row["source_at"]),
        triggered_at=instant(row["triggered_at"]),
        on_call=tuple(row["on_call"].split()),
        owner=row["owner"],
        acknowledged_at=instant(row["acknowledged_at"]),
        acknowledged_by=row["acknowledged_by"],
        recovered_at=instant(row["recovered_at"]),
        resolved_at=instant(row["resolved_at"]),
        resolved_by=row["resolved_by"],
        resolution=_resolution(row),
        amended_by=row["amended_by"],
        snoozed_until=instant(row["snoozed_until"]),
        repeats=row["repeats"],
        flaps=row["flaps"],
        previous_id=row["previous_id"],
        roster_id=row["roster_id"],
        version=row["version"],
    )


def _resolution(row: RowMapping) -> Resolution | None:
    if row["cause"] is None:
        return None
    return Resolution(
        found=row["found"],
        done=row["done"],
        cause=Cause(row["cause"]),
        security=bool(row["security"]),
        follow_up=row["follow_up"],
    )


def row_thread(row: RowMapping) -> Thread:
    return Thread(
        alert_id=row["alert_id"],
        latest=row["latest"],
        shown=row["shown"],
        asked=bool(row["asked"]),
        storm_id=row["storm_id"],
        **_place(row),
    )


def row_storm(row: RowMapping) -> Storm:
    return Storm(
        id=row["id"],
        began_at=instant(row["began_at"]),
        ended_at=instant(row["ended_at"]),
        spared=tuple(map(int, row["spared"].split())),
        **_place(row),
    )


def _place(row: RowMapping) -> dict[str, Any]:
    return {
        "channel": row["channel"],
        "revision": row["revision"],
        "projected": row["projected"],
        "ts": row["ts"],
        "stale_since": instant(row["stale_since"]),
        "intent": row["intent"],
        "intent_at": instant(row["intent_at"]),
        "attempts": row["attempts"],
        "next_at": instant(row["next_at"]),
        "problem": row["problem"],
        "possible_duplicate": bool(row["possible_duplicate"]),
        "lease": row["lease"],
    }


def thread_progress(thread: Thread) -> dict[str, Any]:
    """What the projector may change; the revision and the newest leaf are the records' own."""
    return place_progress(thread) | {"shown": thread.shown, "asked": thread.asked}


def place_progress(place: Place) -> dict[str, Any]:
    """What the projector may change of any message; the revision is the records' own."""
    return {
        "channel": place.channel,
        "projected": place.projected,
        "ts": place.ts,
        "stale_since": micros(place.stale_since),
        "intent": place.intent,
        "intent_at": micros(place.intent_at),
        "attempts": place.attempts,
        "next_at": micros(place.next_at),
        "problem": place.problem,
        "possible_duplicate": place.possible_duplicate,
    }
