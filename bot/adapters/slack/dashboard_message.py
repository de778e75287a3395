"""Dashboards in Slack: the picture with its review, how all of them stand, and those that can be chosen."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.adapters.slack import interactions as do
from bot.adapters.slack.blocks import Message
from bot.adapters.slack.elements import (
    Block,
    Element,
    actions,
    button,
    context,
    plain,
    question_block,
    section,
    sections,
    text_input,
)
from bot.adapters.slack.follow_up_message import number
from bot.adapters.slack.text import date, mention, plain_text, slack_text
from bot.adapters.slack.views import View
from bot.adapters.slack.words import ago, some
from bot.domain.dashboard import PAGE, Capture, Chosen, Dashboard, Review
from bot.domain.follow_up import FollowUp
from bot.procedures.follow_up import MOST_LETTERS
from bot.procedures.review_dashboards import CONFIGURATION, Standing

MOST_COMPONENTS = 12
MOST_ALT = 1000
LISTED_A_PAGE = 10
MOST_VALUE = 1900
USUAL = timedelta(days=7)
"""Until a follow-up is due, unless somebody says otherwise."""


# The picture
def picture_called(one: Capture) -> dict[str, Any]:
    """How the file is called in Slack."""
    title = plain_text(one.dashboard.title, 80)
    return {
        "filename": f"dashboard-{one.id}-{one.at:%Y%m%d-%H%M}.png",
        "title": f"{title} {one.at:%Y-%m-%d %H:%M} UTC",
        "alt_txt": _described(one),
    }


def review_message(one: Capture, *, titles: Mapping[str, str], file: str) -> Message:
    """For a person to look at: the picture, what is known of it, and what they can say. `file` is Slack's number."""
    image: Block = {"type": "image", "slack_file": {"id": file}, "alt_text": _described(one)}
    name, value = slack_text(one.dashboard.title, 80), str(one.id)
    buttons = [
        button(
            "Reviewed, nothing unusual",
            do.DASHBOARD_REVIEWED,
            value,
            spoken=f"{plain_text(one.dashboard.title, 40)}: reviewed, nothing unusual",
            primary=True,
        ),
        button(
            "Follow up…",
            do.DASHBOARD_FOLLOW_UP,
            value,
            spoken=f"Follow up on {plain_text(one.dashboard.title, 50)}",
        ),
    ]
    return Message(
        text=f"Dashboard to review: {name}",
        blocks=[section(_head(one, titles)), image, actions(buttons), _small(one)],
    )


def reviewed_message(one: Capture, *, titles: Mapping[str, str], file: str) -> Message:
    """In place of `review_message`; `file` is "" where nobody knows it any more."""
    who = mention(one.reviewed_by)
    line = (
        f":white_check_mark: Reviewed by {who}, nothing unusual"
        if one.review is Review.NOTHING_UNUSUAL
        else f":mag: Reviewed by {who}, who asks to follow up"
    )
    image: Block = {"type": "image", "slack_file": {"id": file}, "alt_text": _described(one)}
    return Message(
        text=f"Dashboard reviewed: {slack_text(one.dashboard.title, 80)}",
        blocks=[section(f"{_head(one, titles)}\n{line}"), *([image] if file else []), _small(one)],
    )


def _head(one: Capture, titles: Mapping[str, str]) -> str:
    shown = [slack_text(name, 60) for name in one.components[:MOST_COMPONENTS]]
    more = len(one.components) - len(shown)
    named = ", ".join(shown) + (f" and {more} more" if more else "")
    lines = [
        f":bar_chart: *{_link(one.dashboard)}*",
        f"{_tool(one.dashboard, titles)} · {slack_text(one.dashboard.account or 'account not told', 80)}",
        f"Shows {date(one.start)} to {date(one.end)}, captured {date(one.at)}",
        f"In scope and shown: {named or 'nothing that could be recognised'}",
        *(f":warning: {slack_text(each, 300)}" for each in one.warnings[:5]),
    ]
    return "\n".join(lines)


def _small(one: Capture) -> Block:
    return context(f"Kept as `{one.picture}` · {one.size:,} bytes")


def _described(one: Capture) -> str:
    shown = f" It shows {', '.join(one.components[:MOST_COMPONENTS])}." if one.components else ""
    return plain_text(
        f"Picture of the dashboard {one.dashboard.title} of {one.at:%Y-%m-%d %H:%M} UTC.{shown}", MOST_ALT
    )


# How all of them stand
def standing_message(standing: Standing, *, titles: Mapping[str, str]) -> Message:
    """Each chosen dashboard with its newest capture."""
    if not standing.rows:
        head = ":warning: *No dashboard is chosen*, so none is looked at"
        return Message(text=head.replace("*", ""), blocks=[section(head), actions([_choose_button()])])
    good = sum(one is not None and one.is_kept for _, one in standing.rows)
    done = sum(one is not None and one.review is not None for _, one in standing.rows)
    head = f"*{some(len(standing.rows), 'dashboard')}* · {good} captured · {done} reviewed"
    lines = [_standing(chosen, one, standing.now, titles) for chosen, one in standing.rows]
    capture = button(
        "Capture now", do.DASHBOARD_CAPTURE, "now", spoken="Take a picture of each chosen dashboard now"
    )
    return Message(
        text=head.replace("*", ""),
        blocks=[
            section(head),
            *sections(lines),
            actions([capture, _choose_button()]),
            context("Captured Mondays at 08:30; a person reviews each picture"),
        ],
    )


def _standing(chosen: Chosen, one: Capture | None, now: datetime, titles: Mapping[str, str]) -> str:
    name = f"*{_link(chosen.dashboard)}* · {_tool(chosen.dashboard, titles)}"
    if one is None:
        return f":grey_question: {name} — no picture yet"
    if one.trouble:
        return f":x: {name} — {one.trouble}, {ago(one.at, now)}. {slack_text(f'{one.says} {one.mend}', 600)}"
    if one.review is None:
        return f":hourglass_flowing_sand: {name} — captured {ago(one.at, now)}, waits for its review"
    said = "nothing unusual" if one.review is Review.NOTHING_UNUSUAL else "to follow up"
    return f":white_check_mark: {name} — captured {ago(one.at, now)}, reviewed by {mention(one.reviewed_by)}: {said}"


# Choosing
def choose_message(
    listed: Sequence[Dashboard],
    chosen: Sequence[Chosen],
    silent: Mapping[str, str],
    *,
    name: str,
    titles: Mapping[str, str],
) -> Message:
    """Those that the tools have, and those that are chosen; `silent` is why a tool did not tell all."""
    known = {one.dashboard.key: one for one in chosen}
    every = {one.dashboard.key: one.dashboard for one in chosen} | {one.key: one for one in listed}
    fitting = [
        one
        for one in sorted(every.values(), key=lambda one: (one.key not in known, one.title.casefold()))
        if name.casefold() in one.title.casefold()
    ]
    about = f" with “{slack_text(name, 60)}” in their name" if name else ""
    head = f"*{some(len(fitting), 'dashboard')}*{about}, {len(known)} chosen"
    blocks: list[Block] = [section(head)]
    for one in fitting[:LISTED_A_PAGE]:
        sign = ":white_check_mark:" if one.key in known else ":heavy_minus_sign:"
        place = f" · {slack_text(one.account, 60)}" if one.account else ""
        blocks.append(
            section(f"{sign} {_link(one)} · {_tool(one, titles)}{place}")
            | {"accessory": _pick(one, known.get(one.key))}
        )
    left = len(fitting) - LISTED_A_PAGE
    small = [
        f"… and {left} more: `/socmon dashboards choose NAME` lists those with a name" if left > 0 else ""
    ]
    small += [
        f":warning: {slack_text(titles.get(tool, tool), 40)}: {slack_text(why, 400)}"
        for tool, why in silent.items()
    ]
    if any(small):
        blocks.append(context(*small))
    return Message(text=head.replace("*", ""), blocks=blocks)


def _pick(one: Dashboard, chosen: Chosen | None) -> Element:
    spoken = plain_text(one.title, 55)
    if chosen and chosen.by == CONFIGURATION:
        return button(
            "By configuration", do.DASHBOARD_LEAVE, one.key[:MOST_VALUE], spoken=f"{spoken}: configured"
        )
    if chosen:
        return button("Leave out", do.DASHBOARD_LEAVE, one.key[:MOST_VALUE], spoken=f"Leave out {spoken}")
    return button("Choose", do.DASHBOARD_CHOOSE, one.key[:MOST_VALUE], spoken=f"Choose {spoken}")


def _choose_button() -> Element:
    return button("Choose…", do.DASHBOARD_LIST, "all", spoken="List the dashboards that can be chosen")


# The form
def follow_up_form(one: Capture, about: do.Reviewing, *, user: str, due: datetime, zone: ZoneInfo) -> View:
    """Who looks closer, until when, and at what."""
    owner: Element = {"type": "users_select", "action_id": "owner", "initial_user": user}
    day = f"{due.astimezone(zone):%Y-%m-%d}"
    picker: Element = {"type": "datepicker", "action_id": "due", "initial_date": day}
    note = text_input(
        "note",
        "What is unusual?",
        hint="For the owner, and for an auditor who reads it next year. No secrets.",
        most=MOST_LETTERS,
        focus=True,
    )
    rule = "It closes when somebody reviews a later picture of this dashboard and finds nothing unusual."
    return {
        "type": "modal",
        "callback_id": do.DASHBOARD_FORM,
        "private_metadata": about.metadata,
        "title": plain("Follow up", 24),
        "submit": plain("Open", 24),
        "close": plain("Cancel", 24),
        "blocks": [
            section(f"*{slack_text(one.dashboard.title, 120)}*, captured {date(one.at)}"),
            note,
            question_block("owner", "Who looks closer?", owner),
            question_block("due", "Until when?", picker),
            context(rule),
        ],
    }


def opened_view(task: FollowUp) -> View:
    """In place of the form that was sent."""
    line = f":white_check_mark: *{number(task)} is on record* for {mention(task.owner)} until {date(task.due_at)}"
    return {
        "type": "modal",
        "title": plain("Follow up", 24),
        "close": plain("Close", 24),
        "blocks": [section(line)],
    }


def _tool(one: Dashboard, titles: Mapping[str, str]) -> str:
    return "web page" if one.provider == PAGE else slack_text(titles.get(one.provider, one.provider), 40)


def _link(one: Dashboard) -> str:
    name = slack_text(one.title, 100)
    return f"<{one.url}|{name}>" if one.url and not {"<", ">", "|", " "} & set(one.url) else name
