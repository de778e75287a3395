"""Follow-ups in Slack, called tasks there: the form that opens one, the owner's reminder, and a line about it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
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
    quote,
    section,
    text_input,
)
from bot.adapters.slack.text import date, mention, slack_text
from bot.adapters.slack.views import View
from bot.adapters.slack.words import some
from bot.domain.component import Measure
from bot.domain.coverage import Interval
from bot.domain.errors import Unfit
from bot.domain.follow_up import FollowUp, Outcome, gap_of
from bot.procedures.follow_up import MOST_LETTERS

MOST_TASKS = 10
OUTCOMES: Mapping[Outcome, str] = {
    Outcome.MENDED: "it was found mended",
    Outcome.ACCEPTED: "a lead accepted it for a while",
    Outcome.OUT_OF_SCOPE: "it is excluded or out of scope now",
}


def task_form(
    about: do.CellOf, gap: Interval, known: FollowUp | None, *, user: str, due: datetime, zone: ZoneInfo
) -> View:
    """About one cell; what stands there to begin with is the open follow-up, else whoever asks and a day in a week."""
    why = " ".join(slack_text(f"{each.says} {each.mend}", 500) for each in gap.shortfalls)
    what = f"*{_measure(about.measure)}* of {slack_text(about.component, 200)}\n{why}"
    owner: Element = {
        "type": "users_select",
        "action_id": "owner",
        "initial_user": known.owner if known else user,
    }
    day = f"{(known.due_at if known else due).astimezone(zone):%Y-%m-%d}"
    picker: Element = {"type": "datepicker", "action_id": "due", "initial_date": day}
    note = text_input(
        "note",
        "What is to be done?",
        value=known.note if known else "",
        hint="For the owner, and for an auditor who reads it next year. No secrets.",
        fewest=0,
        most=MOST_LETTERS,
    )
    rule = (
        "It closes by itself when an assessment finds the gap closed. Until then the owner is reminded on the day, and"
        " each day after it."
    )
    return {
        "type": "modal",
        "callback_id": do.TASK_FORM,
        "private_metadata": about.value,
        "title": plain("Change task" if known else "Open task", 24),
        "submit": plain("Save" if known else "Open", 24),
        "close": plain("Cancel", 24),
        "blocks": [
            section(what),
            question_block("owner", "Who mends it?", owner),
            question_block("due", "Until when?", picker),
            note | {"optional": True},
            context(rule),
        ],
    }


def read_task(state: Mapping[str, Any], zone: ZoneInfo) -> tuple[str, datetime, str]:
    """(the owner's Slack user id, the end of the chosen day, note); raises Unfit."""
    values = state.get("values") or {}
    owner = str(((values.get("owner") or {}).get("owner") or {}).get("selected_user") or "")
    if not owner:
        raise Unfit("owner", "Choose who mends it.")
    picked = ((values.get("due") or {}).get("due") or {}).get("selected_date")
    try:
        day = datetime.strptime(str(picked), "%Y-%m-%d").replace(tzinfo=zone)
    except ValueError as error:
        raise Unfit("due", "Choose a day.") from error
    note = str(((values.get("note") or {}).get("note") or {}).get("value") or "").strip()
    return owner, datetime.combine(day, time(23, 59, 59), zone), note


def assigned_view(one: FollowUp, *, now: datetime) -> View:
    """In place of the form that was sent."""
    rule = "The owner is told in a direct message. The task closes by itself when an assessment finds the gap closed."
    blocks = [section(f":white_check_mark: *{number(one)} is on record*\n{_task(one, now)}"), context(rule)]
    return {"type": "modal", "title": plain("Task", 24), "close": plain("Close", 24), "blocks": blocks}


def tasks_message(tasks: Sequence[FollowUp], *, now: datetime) -> Message:
    """For their owner: all that is open, what is due first."""
    overdue = sum(one.is_overdue(now) for one in tasks)
    late = f", {overdue:,} overdue" if overdue else ""
    head = f"{some(len(tasks), 'gap')} to mend {'is' if len(tasks) == 1 else 'are'} yours{late}"
    blocks: list[Block] = [section(f"*{head}*")]
    for one in tasks[:MOST_TASKS]:
        blocks.append(section(_task(one, now)))
        if one.note:
            blocks.append(quote(one.note, 600))
        if place := gap_of(one.subject):
            blocks.append(actions([recheck_button(do.CellOf(*place), place[0])]))
    if len(tasks) > MOST_TASKS:
        blocks.append(context(f"… and {some(len(tasks) - MOST_TASKS, 'more task')}: `/socmon coverage gaps`"))
    rule = "A task closes by itself when an assessment finds its gap closed."
    return Message(text=head, blocks=[*blocks, context(rule)])


def task_line(one: FollowUp, now: datetime) -> str:
    """Who mends it until when; or what closed it."""
    if one.closed_at:
        outcome = OUTCOMES[one.outcome or Outcome.MENDED]
        return f":ballot_box_with_check: {number(one)} of {mention(one.owner)} is closed: {outcome}"
    late = ":warning: overdue since" if one.is_overdue(now) else "until"
    return f":clipboard: {number(one)} for {mention(one.owner)} {late} {date(one.due_at)}"


def number(one: FollowUp) -> str:
    return f"F-{one.id}"


def recheck_button(about: do.CellOf, name: str) -> Element:
    """`name` is what the component is called, for a screen reader."""
    spoken = f"Recheck {_measure(about.measure)} of {name}"
    return button("Recheck", do.CELL_RECHECK, about.value, spoken=spoken)


def _task(one: FollowUp, now: datetime) -> str:
    late = ":warning: overdue since" if one.is_overdue(now) else "until"
    place = gap_of(one.subject)
    what = f"{_measure(place[1])} of {slack_text(place[0], 200)}" if place else slack_text(one.subject, 200)
    for_whom = f"for {mention(one.owner)}, asked for by {mention(one.opened_by)}"
    return f"*{number(one)}* {what} · {late} {date(one.due_at)} · {for_whom}"


def _measure(measure: Measure) -> str:
    return measure.replace("_", " ")
