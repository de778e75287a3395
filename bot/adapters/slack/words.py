"""The words and signs for an alert's states: the same in every message, form and list."""

from datetime import datetime, timedelta
from enum import StrEnum

from bot.adapters.slack.text import DateForm, date, mention, slack_text, utc
from bot.domain.alert import Alert, Cause, Response, Source
from bot.domain.tool import ToolAct

CAUSES: dict[Cause, str] = {
    Cause.CAPACITY: "Capacity",
    Cause.DEPLOY: "Deploy or change",
    Cause.DEPENDENCY: "Dependency",
    Cause.HARDWARE: "Hardware or cloud",
    Cause.SECURITY: "Security",
    Cause.CONFIGURATION: "Configuration",
    Cause.FALSE_POSITIVE: "False positive or threshold",
    Cause.UNKNOWN: "Unknown",
    Cause.NO_ACTION: "Recovered by itself",
}

SOURCES: dict[Source, str] = {
    Source.FIRING: "still firing",
    Source.RECOVERED: "recovered",
    Source.UNKNOWN: "no data",
}


TOOL_ACTS: dict[ToolAct, str] = {
    ToolAct.ACKNOWLEDGE: "acknowledgement",
    ToolAct.NOTE: "note",
    ToolAct.REASSIGN: "reassignment",
    ToolAct.ESCALATE: "escalation",
    ToolAct.SNOOZE: "snooze",
    ToolAct.RESOLVE: "resolution",
}

TODAY = timedelta(hours=12)  # near enough that the time alone says when


class Look(StrEnum):
    """How an alert is shown: what matters most of its two states. The value is its emoji, told by shape."""

    FIRING = ":red_circle:"
    NO_DATA = ":grey_question:"
    ACKNOWLEDGED = ":large_yellow_circle:"
    SNOOZED = ":zzz:"
    NOTE_NEEDED = ":large_blue_circle:"
    RESOLVED = ":white_check_mark:"


def look(alert: Alert, now: datetime) -> Look:
    if alert.response is Response.RESOLVED:
        return Look.RESOLVED
    if alert.note_needed:
        return Look.NOTE_NEEDED
    if alert.snoozed_until and alert.snoozed_until > now:
        return Look.SNOOZED
    if alert.response is Response.ACKNOWLEDGED:
        return Look.ACKNOWLEDGED
    return Look.NO_DATA if alert.source is Source.UNKNOWN else Look.FIRING


def state(alert: Alert, now: datetime, *, plain: bool = False) -> str:
    """The state in words, as mrkdwn; `plain` for a notification, which cannot show local times."""

    def when(at: datetime) -> str:
        return utc(at) if plain else date(at, DateForm.TIME if abs(at - now) < TODAY else DateForm.DAY)

    match look(alert, now):
        case Look.FIRING:
            return "Firing"
        case Look.NO_DATA:
            return "No data"
        case Look.ACKNOWLEDGED:
            return f"Acknowledged by {mention(alert.owner or '')}"
        case Look.SNOOZED:
            return f"Snoozed until {when(alert.snoozed_until or now)}"
        case Look.NOTE_NEEDED:
            return f"Recovered {when(alert.recovered_at or alert.source_at)} — note needed"
        case Look.RESOLVED:
            took = duration((alert.resolved_at or now) - alert.triggered_at)
            return f"Resolved in {took} by {mention(alert.resolved_by or '')}"


def subject(alert: Alert, most: int = 110) -> str:
    """What it is about, in the source's words: the title, and the condition if it fits."""
    title, condition = alert.title.strip(), alert.condition.strip()
    if not title or not condition or condition in title:
        return slack_text(title or condition or "(no title)", most)
    both = f"{title} — {condition}"
    return slack_text(both if len(both) <= most else title, most)


def number(alert: Alert) -> str:
    return f"A-{alert.id}"


def duration(length: timedelta) -> str:
    """A length of time in its two largest units: 29 s, 12 min, 3 h 5 min, 2 d 4 h."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60 % 60, seconds // 3600 % 24, seconds // 86400
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    largest = next(at for at, (amount, _) in enumerate(parts) if amount)
    return " ".join(f"{amount} {unit}" for amount, unit in parts[largest : largest + 2] if amount)


def ago(at: datetime, now: datetime) -> str:
    return f"{duration(now - at)} ago"


def some(amount: int, one: str, many: str = "") -> str:
    """An amount with its noun: 1 alert, 2 alerts."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"
