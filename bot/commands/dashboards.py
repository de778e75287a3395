"""`socmon dashboards`: how the chosen dashboards stand, or those that the tools have; exit code 1 when one is a gap."""

import json
from typing import Any

from bot.adapters.system import SystemClock
from bot.commands.records import plain, records_of, when
from bot.domain.dashboard import Capture, Chosen
from bot.procedures import review_dashboards
from bot.procedures.review_dashboards import Standing
from bot.providers import all_providers
from bot.settings import Settings


def print_dashboards(settings: Settings, *, as_json: bool) -> int:
    with records_of(settings) as ask:
        standing: Standing = ask(review_dashboards.standing)
    if as_json:
        print(
            json.dumps([_row(*each) for each in standing.rows], default=plain, ensure_ascii=False, indent=2)
        )
    elif not standing.rows:
        print("no dashboard is chosen: `/socmon dashboards choose` in Slack, or [[dashboards.pages]]")
    else:
        for chosen, one in standing.rows:
            print(f"{chosen.dashboard.key}  {chosen.dashboard.title}: {_told(one)}")
    return 0 if standing.rows and all(one and one.is_kept for _, one in standing.rows) else 1


def print_available(settings: Settings, *, as_json: bool) -> int:
    """What every tool has now. Exit code 1 when one did not tell all."""
    at, rows, code = SystemClock().now(), [], 0
    for name, own in settings.providers.items():
        boards = all_providers()[name].dashboards(own)
        if boards is None:
            continue
        pulled = boards.list(at)
        rows += [
            {"key": one.key, "title": one.title, "account": one.account, "url": one.url}
            for one in pulled.items
        ]
        if not pulled.complete:
            code = 1
            print(f"! {pulled.reason}")
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        for row in rows:
            print(f"{row['key']}  {row['title']}  {row['account']}  {row['url']}")
    return code


def _told(one: Capture | None) -> str:
    if one is None:
        return "no picture yet"
    if one.trouble:
        return f"{one.trouble} at {when(one.at)}. {one.says} {one.mend}"
    said = f"reviewed by {one.reviewed_by} ({one.review})" if one.review else "not reviewed"
    return " ".join([f"captured {when(one.at)}, {said}, {one.picture}", *one.warnings])


def _row(chosen: Chosen, one: Capture | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "key": chosen.dashboard.key,
        "title": chosen.dashboard.title,
        "account": chosen.dashboard.account,
        "url": chosen.dashboard.url,
        "chosen_by": chosen.by,
        "chosen_at": chosen.at,
        "capture": None,
    }
    if one:
        row["capture"] = {
            "id": one.id,
            "at": one.at,
            "start": one.start,
            "end": one.end,
            "picture": one.picture,
            "size": one.size,
            "newest_value": one.newest_at,
            "components": one.components,
            "warnings": one.warnings,
            "trouble": one.trouble,
            "says": one.says,
            "mend": one.mend,
            "reviewed_by": one.reviewed_by,
            "reviewed_at": one.reviewed_at,
            "review": one.review,
        }
    return row
