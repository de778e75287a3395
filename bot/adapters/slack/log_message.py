"""The alert log in Slack: the newest rows to read at once, the figures, and the way to the whole of it."""

from collections.abc import Sequence
from datetime import datetime

from bot.adapters.slack import interactions as do
from bot.adapters.slack.blocks import MOST_LETTERS, Message, letters
from bot.adapters.slack.elements import Block, actions, button, context, section
from bot.adapters.slack.text import mention, plain_text, slack_text
from bot.adapters.slack.timeline import resolution_blocks, tell
from bot.adapters.slack.words import ago, duration, look, number, some, subject
from bot.domain.alert import Alert
from bot.domain.alert_log import Summary
from bot.domain.thread import Moment

MOST_ROWS = 20
MOST_TOLD = 40  # blocks; Slack takes fifty in a message
_ROWS_A_SECTION = 5


def log_message(alerts: Sequence[Alert], *, figures: Summary, asked: str, now: datetime) -> Message:
    """The first rows of `alerts`, which come newest first. `figures` are over all that were asked for.

    `asked` is the filter as it was typed ("open", "7d"); the export buttons carry it.
    """
    name = slack_text(asked, 40) or "all"
    if not figures.count:
        line = f"No alerts for “{name}”. `/socmon help` lists the filters."
        return Message(text=line, blocks=[section(line)])
    head = f"*Alert log · {name}* — {_figures(figures)}"
    shown = list(alerts[:MOST_ROWS])
    rows = [_row(alert, now) for alert in shown]
    groups = [
        section("\n".join(rows[at : at + _ROWS_A_SECTION])) for at in range(0, len(rows), _ROWS_A_SECTION)
    ]
    more = (
        f"Showing {len(shown)} of {figures.count:,}, newest first; export for all."
        if len(shown) < figures.count
        else ""
    )
    small = [context(more)] if more else []
    text = f"Alert log: {_figures(figures)}"
    return Message(text=text, blocks=[section(head), *groups, *small, actions(_exports(asked))])


def record_message(
    alert: Alert, moments: Sequence[Moment], *, left_out: int = 0, provider_title: str, now: datetime
) -> Message:
    """One alert and the end of its timeline, for one person. `left_out` are entries before `moments`."""
    end = resolution_blocks(alert)
    told: list[Block] = []
    earlier = left_out + len(moments)
    for moment in reversed(moments):
        more = tell(alert, moment, provider_title, moments=moments).blocks
        if end and moment.kind in {"resolved", "amended"}:
            more = more[:1]  # the note stands at the end, once
        longer = [*more, *told]
        if len(longer) > MOST_TOLD or letters([*longer, *end]) > MOST_LETTERS:
            break
        told = longer
        earlier -= 1
    where = "choose *Timeline &amp; evidence* in the alert's ⋯ menu"
    before = [context(f"… {some(earlier, 'earlier entry', 'earlier entries')}: {where}")] if earlier else []
    return Message(text=number(alert), blocks=[section(_row(alert, now)), *before, *told, *end])


def _figures(figures: Summary) -> str:
    parts = [
        some(figures.count, "alert"),
        f"{figures.open:,} open" if figures.open else "",
        f"median to acknowledge {_minutes(figures.minutes_to_acknowledge)}",
        f"median to resolve {_minutes(figures.minutes_to_resolve)}",
        f"{figures.without_note:,} without a note" if figures.without_note else "all have notes",
    ]
    return " · ".join(filter(None, parts))


def _minutes(amount: float | None) -> str:
    return "–" if amount is None else f"{amount:g} min"


def _row(alert: Alert, now: datetime) -> str:
    component = f"{slack_text(alert.component, 40)} — " if alert.component else ""
    what = f"*{number(alert)}* {alert.severity} · {component}{subject(alert, 80)}"
    return f"{look(alert, now)} {what} · {_standing(alert, now)}"


def _standing(alert: Alert, now: datetime) -> str:
    if alert.resolved_at:
        return f"{duration(alert.resolved_at - alert.triggered_at)} · {mention(alert.resolved_by or '')}"
    owner = mention(alert.owner) if alert.owner else "nobody's yet"
    return f"opened {ago(alert.triggered_at, now)} · {owner}"


def _exports(asked: str) -> list[dict[str, object]]:
    value = plain_text(asked, 200) or "7d"
    return [
        button("Export CSV", do.EXPORT_CSV, value, spoken=f"Export the alert log {asked} as CSV"),
        button("Export JSON", do.EXPORT_JSON, value, spoken=f"Export the alert log {asked} as JSON"),
    ]
