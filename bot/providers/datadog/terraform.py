"""What a plan of Terraform does to Datadog's monitors: put into the form of its API, and read like all others.

https://registry.terraform.io/providers/DataDog/datadog/latest/docs/resources/monitor and …/monitor_json
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.domain.monitor import Monitor
from bot.domain.plan import Foreseen, Resource, touched
from bot.providers.contract import text
from bot.providers.datadog.monitors import read_monitor
from bot.providers.datadog.routes import Routes
from bot.providers.datadog.settings import DatadogSettings

MONITOR, MONITOR_JSON = "datadog_monitor", "datadog_monitor_json"


def foresee(
    settings: DatadogSettings, resources: Sequence[Resource], known: Mapping[str, Monitor], at: datetime
) -> Foreseen:
    """Notification rules and downtimes are not told by a plan: dead ends and silences are as on record."""
    monitors = touched(resources, {MONITOR, MONITOR_JSON})
    routes = Routes(dead=_dead(known), accounts=settings.slack_accounts)
    return Foreseen(
        made=tuple(_made(settings, monitors, known, routes, at)),
        gone=frozenset(number for one in monitors if (number := text(one.before.get("id"), 40))),
    )


def _dead(known: Mapping[str, Monitor]) -> dict[str, str]:
    """Handles that are dead wherever they are used: one that is so in a single monitor may stand in a wrong block."""
    every = [target for one in known.values() for target in one.targets]
    alive = {target.name for target in every if not target.dead}
    return {target.name: target.dead for target in every if target.name not in alive}


def _made(
    settings: DatadogSettings,
    monitors: Sequence[Resource],
    known: Mapping[str, Monitor],
    routes: Routes,
    at: datetime,
) -> Iterator[Monitor]:
    for one in monitors:
        if not one.stays:
            continue
        told = _told(one) if one.type == MONITOR else _json(one)
        number = text(one.after.get("id") or one.before.get("id"), 40) or f"planned {one.address}"
        found = read_monitor({**told, "id": number}, (), routes, settings, at)
        before = known.get(number)
        yield replace(found, silenced=before.silenced, mutes=before.mutes) if before else found


def _told(one: Resource) -> dict[str, Any]:
    after = one.after
    thresholds = next(iter(after.get("monitor_thresholds") or ()), None) or {}
    priority = text(after.get("priority"), 2)
    told = ("name", "type", "query", "message", "tags", "draft_status")
    options = (
        "notify_no_data",
        "no_data_timeframe",
        "on_missing_data",
        "renotify_interval",
        "escalation_message",
    )
    return {
        **{key: after.get(key) for key in told},
        "priority": int(priority) if priority.isdigit() else None,
        "options": {
            **{key: after.get(key) for key in options},
            # Numbers are texts there, "" for none.
            "thresholds": {"critical": thresholds.get("critical") or None},
        },
    }


def _json(one: Resource) -> dict[str, Any]:
    """The monitor as its API has it, as one text; {} while that is not known."""
    try:
        told = json.loads(text(one.after.get("monitor"), 100_000))
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
