"""App Home: what waits for this person, what nobody has taken, and how socmon is doing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.adapters.slack import interactions as do
from bot.adapters.slack.elements import Block, button, context, plain, section
from bot.adapters.slack.status_message import status_message
from bot.adapters.slack.text import date, own_words, slack_text
from bot.adapters.slack.words import look, number, some, state, subject
from bot.domain.alert import Alert
from bot.domain.status import Status

MOST_LISTED = 10
DIVIDER: Block = {"type": "divider"}


def home_view(
    mine: Sequence[Alert],
    others: Sequence[Alert],
    status: Status,
    *,
    now: datetime,
    titles: Mapping[str, str],
) -> dict[str, Any]:
    """`mine` wait for this person, `others` for anybody; both most severe first."""
    blocks = [
        *_list("Needs you now", mine, now, titles, nothing=":white_check_mark: Nothing waits for you."),
        DIVIDER,
        *_list("Nobody has taken", others, now, titles, nothing="Every open alert has somebody."),
        DIVIDER,
        _header("socmon itself"),
        *status_message(status).blocks,
    ]
    return {"type": "home", "blocks": blocks}


def refused_home(message: str) -> dict[str, Any]:
    """For those who may not see it, or when it cannot be read: why, and who may."""
    return {"type": "home", "blocks": [_header("socmon"), section(own_words(message))]}


def _list(
    title: str, alerts: Sequence[Alert], now: datetime, titles: Mapping[str, str], *, nothing: str
) -> list[Block]:
    head = _header(f"{title} ({len(alerts)})" if alerts else title)
    if not alerts:
        return [head, section(nothing)]
    rows = [_row(alert, now, titles) for alert in alerts[:MOST_LISTED]]
    left = len(alerts) - len(rows)
    return [
        head,
        *rows,
        *([context(f"… and {some(left, 'more alert')}: `/socmon log open`")] if left else []),
    ]


def _row(alert: Alert, now: datetime, titles: Mapping[str, str]) -> Block:
    component = f"{slack_text(alert.component, 60)} — " if alert.component else ""
    source = slack_text(titles.get(alert.provider, alert.provider), 40)
    text = (
        f"{look(alert, now)} *{number(alert)} · {alert.severity} · {state(alert, now)}*\n"
        f"{component}{subject(alert)} · {source} · {date(alert.triggered_at)}"
    )
    value = do.Target(alert.id, alert.version).value
    taken = alert.owner is not None or alert.note_needed
    label, action_id = ("Resolve…", do.RESOLVE) if taken else ("Acknowledge", do.ACKNOWLEDGE)
    spoken = f"{label.rstrip('…')} {number(alert)}"
    return section(text) | {"accessory": button(label, action_id, value, spoken=spoken, primary=not taken)}


def _header(text: str) -> Block:
    return {"type": "header", "text": plain(text, 150)}
