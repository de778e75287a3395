"""`socmon jobs`: what the clock starts, with its last and next runs, and every weekly validation of a period."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.commands.records import plain, records_of, when
from bot.domain.validation import Stands, Week
from bot.domain.validation_log import summary, year_rows
from bot.procedures.keep_schedule import last_run
from bot.procedures.validate_monitoring import list_validations
from bot.settings import Settings
from jobs.schedule import all_jobs, due_times

YEAR = timedelta(days=364)
MISSING = frozenset({Stands.MISSED, Stands.OVERDUE})


def print_jobs(
    settings: Settings, *, as_json: bool, first: date | None = None, last: date | None = None
) -> int:
    """The weeks from one day to another, both included; the last year without them. Exit code 1 when one is missing."""
    now, zone = datetime.now(UTC), ZoneInfo(settings.config.timezone)
    end = datetime.combine(last + timedelta(days=1), time(), zone) if last else now
    start = datetime.combine(first, time(), zone) if first else end - YEAR
    with records_of(settings) as ask:
        rows = [_row(ask, job, now) for job in all_jobs(zone, settings.rhythm)]
        weeks: list[Week] = ask(list_validations, start, end)
    if as_json:
        print(json.dumps({"jobs": rows, "weeks": year_rows(weeks)}, default=plain, indent=2))
    else:
        for row in rows:
            print(
                f"{row['job']:<18} {row['runs']:<28} last {when(row['last_due'])} {row['status']}: {row['detail']}"
            )
            print(f"{'':<18} {'':<28} next {when(row['next'])}")
        print(f"\nWeekly validations: {summary(weeks)}")
        for week in weeks:
            print(f"{week.slot.week}  due {week.slot.due_at:%Y-%m-%d %H:%M}Z  {week.says}")
    return 1 if any(week.stands in MISSING for week in weeks) else 0


def _row(ask: Any, job: Any, now: datetime) -> dict[str, Any]:
    last = ask(last_run, job.name)
    return {
        "job": job.name,
        "runs": job.says,
        "catch_up": job.catch_up,
        "last_due": last[0] if last else None,
        "status": last[1] if last else "never ran",
        "finished": last[2] if last else None,
        "detail": last[3] if last else "",
        "next": due_times(job.every, now, now)[1],
    }
