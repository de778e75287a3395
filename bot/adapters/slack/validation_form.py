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
REST = "rest"
REVIEWED = "reviewed"
_CHOICES = {Decided.FIX: "Fix", Decided.ACCEPT: "Accept"}


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
    rule = "*Fix*: the person mends it until the day, and is reminded. *Accept*: it stays so until the day; say why."
    asked: list[Block] = []
    for key, findings in _groups(waiting).items():
        asked += _question(key, findings, user=user, day=_day(shown.now, zone))
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
            *([section(f"*{some(len(waiting), 'finding')} to decide*"), context(rule)] if waiting else []),
            *asked,
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
    chosen = {
        key: (_read(key, values, day=_day(shown.now, zone), user=user, zone=zone), findings)
        for key, findings in _groups(shown.undecided).items()
    }
    missing = [_field(key) for key, (choice, _) in chosen.items() if choice is None]
    if set(missing) - {block.get("block_id") for block in view["blocks"]}:
        raise Unfit(
            REVIEWED,
            "A decision from before has run out while this form was open. Nothing was recorded. Close it, and choose"
            " Attest… again.",
        )
    if missing:
        raise Unfit(missing[0], "Choose Fix or Accept for it. Nothing was recorded.", also=missing[1:])
    return {each.id: choice for choice, findings in chosen.values() if choice for each in findings}


def attested_view(done: Attestation, shown: Shown) -> View:
    """In place of the form that was sent."""
    says = {each.id: each.says for each in (shown.facts.findings if shown.facts else ())}
    rule = (
        f"On record with exactly these facts: {short(done.digest)}. Every message about {done.week} shows it."
    )
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


def _groups(waiting: Sequence[Finding]) -> dict[str, list[Finding]]:
    """One question for each; of very many, one for all that are left."""
    if len(waiting) <= MOST_SINGLE:
        return {each.id: [each] for each in waiting}
    first = {each.id: [each] for each in waiting[: MOST_SINGLE - 1]}
    return {**first, REST: list(waiting[MOST_SINGLE - 1 :])}


def _question(key: str, findings: Sequence[Finding], *, user: str, day: str) -> list[Block]:
    """The finding; the choice, until when and who in a row; and why."""
    if len(findings) == 1:
        [one] = findings
        what = [section(f"*{section_name(one.id.partition(':')[0])}*  {finding_text(one)}")]
    else:
        what = sections([f"*{some(len(findings), 'other finding')}*", *map(finding_text, findings)])
    reason = text_input("reason", "Reason, needed to accept; or a note", fewest=0, most=MOST_LETTERS)
    reason["element"] |= {"multiline": False}
    return [
        *what,
        actions(
            [
                {
                    "type": "radio_buttons",
                    "action_id": do.DECISION,
                    "options": [option(label, value) for value, label in _CHOICES.items()],
                },
                {"type": "datepicker", "action_id": do.DECISION_UNTIL, "initial_date": day},
                {"type": "users_select", "action_id": do.DECISION_OWNER, "initial_user": user},
            ],
            block_id=f"choice {key}",
        ),
        reason | {"block_id": _field(key), "optional": True},
    ]


def _read(key: str, values: Mapping[str, Any], *, day: str, user: str, zone: ZoneInfo) -> Choice | None:
    row = values.get(f"choice {key}") or {}
    picked = ((row.get(do.DECISION) or {}).get("selected_option") or {}).get("value")
    if picked not in set(Decided):
        return None
    until = (row.get(do.DECISION_UNTIL) or {}).get("selected_date") or day
    return Choice(
        field=_field(key),
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
