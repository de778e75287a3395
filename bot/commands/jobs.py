"""`socmon jobs`: what the clock starts, with its last and next runs."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.commands.records import plain, records_of, when
from bot.procedures.keep_schedule import last_run
from bot.settings import Settings
from jobs.schedule import all_jobs, due_times


def print_jobs(settings: Settings, *, as_json: bool) -> int:
    now = datetime.now(UTC)
    rows: list[dict[str, Any]] = []
    with records_of(settings) as ask:
        for job in all_jobs(ZoneInfo(settings.config.timezone), settings.rhythm):
            last = ask(last_run, job.name)
            following = due_times(job.every, now, now)[1]
            rows.append(
                {
                    "job": job.name,
                    "runs": job.says,
                    "catch_up": job.catch_up,
                    "last_due": last[0] if last else None,
                    "status": last[1] if last else "never ran",
                    "finished": last[2] if last else None,
                    "detail": last[3] if last else "",
                    "next": following,
                }
            )
    if as_json:
        print(json.dumps(rows, default=plain, indent=2))
        return 0
    for row in rows:
        print(
            f"{row['job']:<18} {row['runs']:<28} last {when(row['last_due'])} {row['status']}: {row['detail']}"
        )
        print(f"{'':<18} {'':<28} next {when(row['next'])}")
    return 0
