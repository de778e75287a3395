"""The forms of the weekly validation: attest, report a gap, say why a week was missed, name a delegate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.adapters.slack import interactions as do
from bot.adapters.slack.elements import (
    Block,
    Element,
    actions,
    context,
    option,
    plain,
    question_block,
    section,
    sections,
    text_input,
)
from bot.adapters.slack.text import date as when
from bot.adapters.slack.text import mention
from bot.adapters.slack.validation_message import (
    attestation_lines,
    days,
    decided_line,
    finding_text,
    section_line,
    section_name,
    short,
)
from bot.adapters.slack.views import View
from bot.adapters.slack.words import some
from bot.domain.attestation import Attestation, Decided, Delegation
from bot.domain.errors import Unfit
from bot.domain.follow_up import FollowUp
from bot.domain.validation import Facts, Finding, Validation
from bot.procedures.validate_monitoring import MOST_LETTERS, SHORTEST_REASON, Shown

USUAL = timedelta(days=7)
"""Until when what is found is mended or accepted, unless somebody says otherwise."""
MOST_SINGLE = 25
"""Findings with a choice of their own, three blocks each: Slack takes 100 in a form."""
FEW = 3
"""Of more than this the rest can be given to somebody in one go. What is accepted is decided one by one."""
REST = "rest"
REVIEWED = "reviewed"
_CHOICES = {
    Decided.FIX: "Fix: the person below mends it until that day",
    Decided.ACCEPT: "Accept until that day, for a reason",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is chosen for a finding; `field` is where a message about it is shown, `owner` a Slack user."""

    field: str
    decided: Decided
    owner: str
    until: datetime
    reason: str


def attest_form(shown: Shown, *, user: str, zone: ZoneInfo) -> View:
    """All that is attested, what was decided on it before, and a choice for each finding that waits for one."""
    record, facts = shown.record, shown.facts
    waiting = shown.undecided
    says = {each.id: each.says for each in (facts.findings if facts else ())}
    kept = [decided_line(shown.decided[each], says[each]) for each in says if each in shown.decided]
    day = _day(shown.now, zone)
    asked = [block for each in waiting[:MOST_SINGLE] for block in _question(each, user=user, day=day)]
    return {
        "type": "modal",
        "callback_id": do.ATTEST_FORM,
        "private_metadata": do.WeekOf(record.week, record.digest).value,
        "title": plain(f"Attest {record.week}", 24),
        "submit": plain("Attest", 24),
        "close": plain("Cancel", 24),
        "blocks": [
            *sections([f"*{days(record.slot)}*", *map(section_line, facts.sections if facts else ())]),
            *(sections(["*Decided before, and standing*", *kept]) if kept else []),
            *([section(f"*{some(len(waiting), 'finding')} to decide*")] if waiting else []),
            *asked,
            *(_rest(waiting[MOST_SINGLE:], user=user, day=day) if len(waiting) > FEW else []),
            {"type": "divider"},
            question_block(REVIEWED, "Your attestation", _reviewed()),
            context(_small_print(facts)),
        ],
    }


def read_attestation(view: View, shown: Shown, *, user: str, zone: ZoneInfo) -> dict[str, Choice]:
    """Finding → what is chosen for it, of those that wait for a decision; raises Unfit."""
    values = (view.get("state") or {}).get("values") or {}
    if not ((values.get(REVIEWED) or {}).get(REVIEWED) or {}).get("selected_options"):
        raise Unfit(REVIEWED, "Tick it when you have reviewed the items above: that is what you attest.")
    day, rows = _day(shown.now, zone), {block.get("block_id") for block in view["blocks"]}

    def read(key: str) -> Choice | None:
        return _read(key, values, day=day, user=user, zone=zone)

    chosen = {each.id: read(each.id) or read(REST) for each in shown.undecided}
    missing = [_field(finding) for finding, choice in chosen.items() if choice is None]
    if missing and not rows.issuperset(missing):
        raise Unfit(
            REVIEWED,
            "Some findings have no choice here: a decision from before has run out, or there are too many to choose one"
            " by one. Nothing was recorded. Fix all others, or close this form and choose Attest… again.",
        )
    if missing:
        raise Unfit(missing[0], "Choose Fix or Accept for it. Nothing was recorded.", also=missing[1:])
    return {finding: choice for finding, choice in chosen.items() if choice}


def attested_view(done: Attestation, shown: Shown) -> View:
    """In place of the form that was sent."""
    says = {each.id: each.says for each in (shown.facts.findings if shown.facts else ())}
    rule = f"On record with exactly the facts {short(done.digest)} · every message about {done.week} shows it"
    return _told(f"{done.week}", [*sections(attestation_lines(done, says)), context(rule)])


def gap_form(week: str, *, user: str, now: datetime, zone: ZoneInfo) -> View:
    """What somebody sees that the validation does not show."""
    owner: Element = {"type": "users_select", "action_id": "owner", "initial_user": user}
    hint = (
        "Which component or route, and what is wrong: not monitored, a wrong threshold, a wrong recipient, …"
    )
    picker: Element = {"type": "datepicker", "action_id": "due", "initial_date": _day(now, zone)}
    rule = "It becomes a follow-up. Whoever reported it, or a lead, says what shows that it is mended."
    return {
        "type": "modal",
        "callback_id": do.GAP_FORM,
        "private_metadata": do.WeekOf(week).value,
        "title": plain("Report gap", 24),
        "submit": plain("Report", 24),
        "close": plain("Cancel", 24),
        "blocks": [
            text_input("note", "What is missing?", hint=hint, most=MOST_LETTERS, focus=True),
            question_block("owner", "Who mends it?", owner),
            question_block("due", "Until when?", picker),
            context(rule),
        ],
    }


def reported_view(one: FollowUp) -> View:
    line = f":white_check_mark: *F-{one.id} is on record*, for {mention(one.owner)} until {when(one.due_at)}."
    return _told("Gap reported", [section(line), context("Whoever owns it is told in a direct message.")])


def explain_form(record: Validation) -> View:
    head = f"*{record.week} · {days(record.slot)}* was missed: {record.ended}."
    reason = text_input(
        "reason",
        "Why did nobody attest it?",
        hint="For an auditor who reads it next year. Nothing personal, no secrets.",
        fewest=SHORTEST_REASON,
        most=MOST_LETTERS,
        focus=True,
    )
    return {
        "type": "modal",
        "callback_id": do.EXPLAIN_FORM,
        "private_metadata": do.WeekOf(record.week).value,
        "title": plain("Why it was missed", 24),
        "submit": plain("Save", 24),
        "close": plain("Cancel", 24),
        "blocks": [section(head), context("It stays missed; the reason goes on record."), reason],
    }


def read_reason(state: Mapping[str, Any]) -> str:
    return str((((state.get("values") or {}).get("reason") or {}).get("reason") or {}).get("value") or "")


def explained_view(record: Validation) -> View:
    return _told("On record", [section(f":white_check_mark: Why {record.week} was missed is on record.")])


def delegate_form() -> View:
    hint = "They may attest until the end of this day; three months at most."
    return {
        "type": "modal",
        "callback_id": do.DELEGATE_FORM,
        "title": plain("Name a delegate", 24),
        "submit": plain("Name", 24),
        "close": plain("Cancel", 24),
        "blocks": [
            question_block("user", "Who attests for you?", {"type": "users_select", "action_id": "user"}),
            question_block("until", "Until when?", {"type": "datepicker", "action_id": "until"}, hint=hint),
        ],
    }


def read_delegate(state: Mapping[str, Any], zone: ZoneInfo) -> tuple[str, datetime]:
    """(Slack user id, the end of the chosen day); raises Unfit."""
    values = state.get("values") or {}
    user = str(((values.get("user") or {}).get("user") or {}).get("selected_user") or "")
    if not user:
        raise Unfit("user", "Choose who attests for you.")
    return user, end_of(
        str(((values.get("until") or {}).get("until") or {}).get("selected_date")), "until", zone
    )


def delegated_line(one: Delegation) -> str:
    return f":white_check_mark: {mention(one.user)} may attest the weekly validation until {when(one.until)}."


def delegated_view(one: Delegation) -> View:
    return _told("Delegate", [section(delegated_line(one))])


def end_of(day: str, field: str, zone: ZoneInfo) -> datetime:
    """The last second of a day like 2026-12-24; raises Unfit."""
    try:
        return datetime.combine(date.fromisoformat(day), time(23, 59, 59), zone)
    except ValueError as error:
        raise Unfit(field, "Choose a day, written as 2026-12-24. Nothing changed.") from error


def _question(finding: Finding, *, user: str, day: str) -> list[Block]:
    """The finding; the choice, until when and who in a row; and why."""
    name = section_name(finding.id.partition(":")[0])
    radio: Element = {
        "type": "radio_buttons",
        "action_id": do.DECISION,
        "options": [option(label, value) for value, label in _CHOICES.items()],
    }
    reason = text_input("reason", "Reason, or a note to whoever mends it", fewest=0, most=MOST_LETTERS)
    reason["element"] |= {"multiline": False}
    return [
        section(f"{name} — {finding_text(finding)}"),
        _row(finding.id, radio, user=user, day=day),
        reason | {"block_id": _field(finding.id), "optional": True},
    ]


def _rest(more: Sequence[Finding], *, user: str, day: str) -> list[Block]:
    """For all that have no choice of their own; `more` are those that cannot have one, so many are there."""
    tick: Element = {
        "type": "checkboxes",
        "action_id": do.DECISION,
        "options": [option("Fix: the person below mends them until that day", Decided.FIX)],
    }
    left = [f"{some(len(more), 'finding')} more:", *map(finding_text, more)] if more else []
    said = sections(["*All others*, which have no choice of their own", *left])
    return [*said, _row(REST, tick, user=user, day=day)]


def _row(key: str, choice: Element, *, user: str, day: str) -> Block:
    picker: Element = {"type": "datepicker", "action_id": do.DECISION_UNTIL, "initial_date": day}
    owner: Element = {"type": "users_select", "action_id": do.DECISION_OWNER, "initial_user": user}
    return actions([choice, picker, owner], block_id=f"choice {key}")


def _read(key: str, values: Mapping[str, Any], *, day: str, user: str, zone: ZoneInfo) -> Choice | None:
    row = values.get(f"choice {key}") or {}
    choice = row.get(do.DECISION) or {}
    ticked = [*(choice.get("selected_options") or ()), choice.get("selected_option") or {}]
    picked = ticked[0].get("value")
    if picked not in set(Decided):
        return None
    until = (row.get(do.DECISION_UNTIL) or {}).get("selected_date") or day
    return Choice(
        field=REVIEWED if key == REST else _field(key),
        decided=Decided(picked),
        owner=str((row.get(do.DECISION_OWNER) or {}).get("selected_user") or user),
        until=end_of(str(until), _field(key), zone),
        reason=str(((values.get(_field(key)) or {}).get("reason") or {}).get("value") or "").strip(),
    )


def _field(key: str) -> str:
    return f"reason {key}"


def _reviewed() -> Element:
    return {
        "type": "checkboxes",
        "action_id": REVIEWED,
        "options": [option("I reviewed the items above", "yes")],
    }


def _day(now: datetime, zone: ZoneInfo) -> str:
    return f"{(now + USUAL).astimezone(zone):%Y-%m-%d}"


def _small_print(facts: Facts | None) -> str:
    signed = "Your Slack account, the time and the digest of exactly these facts go on record."
    return f"Facts of {when(facts.at)} · {short(facts.digest)}\n{signed}" if facts else signed


def _told(title: str, blocks: list[Block]) -> View:
    return {"type": "modal", "title": plain(title, 24), "close": plain("Close", 24), "blocks": blocks}
