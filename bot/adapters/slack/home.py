"""App Home: what waits for this person, whether they are on call and reachable, and for a lead what is amiss.

Times stand there and no ages, so that a view only changes when the facts do; only its last line tells when it was made.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from bot.adapters.slack import interactions as do
from bot.adapters.slack.elements import Block, Element, actions, button, context, plain, section, sections
from bot.adapters.slack.oncall_message import person_name
from bot.adapters.slack.text import date, link, mention, own_words, slack_text
from bot.adapters.slack.validation_message import attest_button, cosign_button, explain_button
from bot.adapters.slack.words import duration, look, number, some, state, subject
from bot.domain.alert import Alert
from bot.domain.contact_list import told
from bot.domain.evidence import canonical
from bot.domain.home import Duty, Few, Home, Listing, OnCall, Oversight, TeamNow
from bot.domain.oncall import LATEST_RING, FaultKind, RosterFault
from bot.domain.self_test import SelfTest
from bot.domain.status import Problem, Status
from bot.domain.validation import Week

MOST_METHODS = 6
MOST_TEAMS = 10
MOST_PEOPLE = 5
MOST_FAULTS = 3
MOST_PROBLEMS = 3
MOST_NUMBERS = 5
MOST_WEEKS = 5
DIVIDER: Block = {"type": "divider"}
MADE_AT = "made_at"
"""The block that says when the view was made: the one that is always new."""

_IN_PROFILE = "Add a phone number or the mobile app there."
MENDS: dict[FaultKind, str] = {
    FaultKind.NO_METHOD: _IN_PROFILE,
    FaultKind.ONLY_EMAIL: _IN_PROFILE,
    FaultKind.METHOD_DISABLED: "Enable it there, or remove it.",
    FaultKind.METHOD_BLOCKED: "Confirm it anew there, or replace it.",
    FaultKind.NO_RULE: "Add a high-urgency rule there for a phone or the mobile app.",
    FaultKind.RULE_TOO_LATE: f"Add a high-urgency rule there that rings within {LATEST_RING} minutes.",
    FaultKind.GONE: "Ask an admin of the tool to take you out of its shifts.",
}
"""What a person can do about a fault of their own; “there” is their profile in the tool."""


def home_view(home: Home, *, titles: Mapping[str, str]) -> dict[str, Any]:
    """At most some sixty blocks; `titles` are the providers' names."""
    nothing = ":white_check_mark: Nothing waits for you."
    blocks = [
        *_list("Needs you now", home.mine, home.at, titles, nothing=nothing),
        *(_lead(home, home.oversight, titles) if home.oversight else []),
        DIVIDER,
        *_on_call(home),
        DIVIDER,
        *_list(
            "Nobody has taken",
            home.others,
            home.at,
            titles,
            nothing="No other alert waits for somebody to take it.",
        ),
        DIVIDER,
        _socmon(home.status),
        _made_at(home),
    ]
    return {"type": "home", "blocks": blocks}


def refused_home(message: str) -> dict[str, Any]:
    """For those who may not see it, or when it cannot be read: why, and who may."""
    return {"type": "home", "blocks": [_header("socmon"), section(own_words(message))]}


def digest(view: Mapping[str, Any]) -> str:
    """What a person sees, but for when it was made: equal digests need no new publication."""
    blocks = [block for block in view["blocks"] if block.get("block_id") != MADE_AT]
    return sha256(canonical(blocks)).hexdigest()


def _list(
    title: str, listing: Listing, now: datetime, titles: Mapping[str, str], *, nothing: str
) -> list[Block]:
    head = _header(f"{title} ({listing.count:,})" if listing.count else title)
    if not listing.count:
        return [head, section(nothing)]
    rows = [_row(alert, now, titles) for alert in listing.alerts]
    left = listing.count - len(rows)
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


def _on_call(home: Home) -> list[Block]:
    known = home.on_call
    buttons = [_button("Send me a test", do.SELF_TEST, "Send me a test message")]
    if known is None:
        why = (
            ":grey_question: Nobody has said yet who is on call: no tool has answered. `socmon doctor` says why."
            if home.has_teams
            else "No team is configured, so socmon does not know who is on call."
        )
        return [_header("On call"), *sections([why, _tested(home.self_test)]), actions(buttons)]
    buttons.append(_button("Who is on call", do.SHOW_ON_CALL, "Show who is on call, at every level"))
    if known.is_linkable and not known.is_known:
        buttons.append(
            _button("Link account…", do.LINK_ACCOUNT, "Link an account in a tool to your Slack user")
        )
    stale = f":warning: Not confirmed since {date(known.checked_at)}, so this may be out of date."
    yours = [
        *([stale] if known.is_stale else []),
        *_turns(known),
        *([_methods(known)] if known.is_known else []),
        *(_own_fault(fault, known.profile) for fault in known.faults),
        _tested(home.self_test),
    ]
    return [_header("On call"), *sections(yours), *_now(known.teams), actions(buttons)]


def _turns(known: OnCall) -> list[str]:
    if known.duties:
        return [
            f":telephone_receiver: *You are on call* {_duty(each)}{_until(each.end)}" for each in known.duties
        ]
    if known.following:
        coming = known.following
        return [
            f"You are not on call. Your next shift is {_duty(coming)}, from {date(coming.start)}{_until(coming.end)}"
        ]
    if known.is_known:
        return [f"You are not on call, and no shift of yours is known up to {date(known.known_until)}."]
    return ["You stand in no shift that socmon knows."]


def _duty(duty: Duty) -> str:
    return f"for {slack_text(duty.team, 60)} (level {duty.level})"


def _until(end: datetime | None) -> str:
    return f" until {date(end)}" if end else ""


def _methods(known: OnCall) -> str:
    if not known.methods:
        return ":warning: You have no contact method."
    ways = " · ".join(slack_text(told(each), 60) for each in known.methods[:MOST_METHODS])
    left = len(known.methods) - MOST_METHODS
    return f"You are reached by {ways}{f' and {left} more' if left > 0 else ''}"


def _own_fault(fault: RosterFault, profile: str) -> str:
    where = f" ({link(profile, 'your profile')})" if profile else " (your profile in the tool)"
    mend = MENDS.get(fault.kind, "")
    return f":warning: {slack_text(fault.says, 240)}{f' {mend}{where}' if mend else ''}"


def _now(teams: Sequence[TeamNow]) -> list[Block]:
    lines = [_team_now(each) for each in teams[:MOST_TEAMS]]
    left = len(teams) - len(lines)
    more = [f"… and {some(left, 'more team')}: `/socmon oncall`"] if left else []
    return sections(["*On call now*", *lines, *more]) if lines else []


def _team_now(team: TeamNow) -> str:
    name = slack_text(team.team, 60)
    if not team.people:
        return f":warning: {name} — nobody"
    left = len(team.people) - MOST_PEOPLE
    people = " ".join(person_name(each) for each in team.people[:MOST_PEOPLE])
    return f"{name} — {people}{f' and {left} more' if left > 0 else ''}{_until(team.end)}"


def _tested(test: SelfTest | None) -> str:
    if test is None:
        return "You have never sent yourself a test message."
    if test.took is not None:
        took = f"you had it {duration(test.took)} later"
        return f":white_check_mark: Your last test message: {date(test.sent_at or test.asked_at)}, {took}."
    if test.sent_at is None:
        return f":warning: Your last test message: {date(test.asked_at)}; Slack has not said that it took it."
    return f":hourglass_flowing_sand: Your last test message: {date(test.sent_at)}, not yet confirmed by you."


def _lead(home: Home, seen: Oversight, titles: Mapping[str, str]) -> list[Block]:
    """One line a topic, and only those with something to say; a further topic is a further line."""
    late = [
        _few(":memo:", seen.notes_missing, "note is missing", "notes are missing"),
        _few(
            ":alarm_clock:",
            seen.late,
            "alert was not acknowledged in time",
            "alerts were not acknowledged in time",
        ),
        _few(
            ":repeat:",
            seen.flapping,
            "alert comes and goes: change its monitor",
            "alerts come and go: change their monitors",
        ),
        _few(
            ":clipboard:",
            seen.overdue,
            "gap was not mended in time",
            "gaps were not mended in time",
            prefix="F-",
        ),
        *_out_of_step(seen.out_of_step, titles),
    ]
    well = ":white_check_mark: No note is missing, nobody is late, and no tool is out of step."
    lines = [line for line in late if line] or [well]
    return [
        DIVIDER,
        _header("For the lead"),
        *_weeks(home.status.weeks),
        *sections(lines),
        *sections(_roster_faults(seen.faults)),
        *_problems(seen.problems),
        *sections([_review(seen)] if home.on_call else []),
        *_acting(home, seen),
    ]


def _weeks(weeks: Sequence[Week]) -> list[Block]:
    """The validations that wait for somebody, each with what is to be done; the newest few."""
    rows = [row for week in weeks if (row := _week(week))]
    left = len(rows) - MOST_WEEKS
    more = [context(f"… and {some(left, 'more validation')}: *Status*")] if left > 0 else []
    return [*rows[-MOST_WEEKS:], *more]


def _week(week: Week) -> Block | None:
    record, name = week.record, week.slot.week
    if record is None:
        return None
    if record.missed_at and not record.reason:
        line, ask = (
            f":x: *The validation of {name} was missed*, and nobody has said why",
            explain_button(record),
        )
    elif record.attestation and record.attestation.waits_for_cosigner:
        line, ask = f":warning: *{name} waits for a second signature*: duties overlap", cosign_button(record)
    elif record.attestation is None and record.missed_at is None:
        sign = ":alarm_clock:" if week.needs_a_look else ":clipboard:"
        line, ask = f"{sign} *Validation of {name}*, due {date(week.slot.due_at)}", attest_button(record)
    else:
        return None
    return section(line) | {"accessory": ask}


def _few(sign: str, few: Few, one: str, many: str, *, prefix: str = "A-") -> str:
    if not few.count:
        return ""
    listed = ", ".join(f"{prefix}{each}" for each in few.first[:MOST_NUMBERS])
    left = few.count - min(few.count, MOST_NUMBERS)
    return f"{sign} *{some(few.count, one, many)}* ({listed}{f' and {left:,} more' if left else ''})"


def _out_of_step(tools: Mapping[str, int], titles: Mapping[str, str]) -> list[str]:
    return [
        f":x: *{slack_text(titles.get(name, name), 40)} has not been told of {some(acts, 'act')}*; it is told once it"
        " answers again"
        for name, acts in tools.items()
    ]


def _roster_faults(faults: Sequence[RosterFault]) -> list[str]:
    if not faults:
        return []
    left = len(faults) - MOST_FAULTS
    return [
        f":warning: *{some(len(faults), 'fault')} of the roster*{', the worst first' if len(faults) > 1 else ''}",
        *(
            f"• {f'{slack_text(each.team, 60)} — ' if each.team else ''}{slack_text(each.says, 240)}"
            for each in faults[:MOST_FAULTS]
        ),
        *([f"… and {left:,} more: *Who is on call*"] if left > 0 else []),
    ]


def _problems(problems: Sequence[Problem]) -> list[Block]:
    listed = [
        section(f":x: *{slack_text(each.subject, 80)}* since {date(each.since)} — {own_words(each.text)}")
        for each in problems[:MOST_PROBLEMS]
    ]
    left = len(problems) - len(listed)
    return [*listed, *([context(f"… and {some(left, 'more problem')}: *Status*")] if left else [])]


def _review(seen: Oversight) -> str:
    if seen.review is None or seen.review.reviewed_at is None:
        return ":clipboard: The contact list has never been reviewed."
    changed = "" if seen.is_review_current else "; the roster has changed since"
    by = mention(seen.review.reviewed_by)
    return f":clipboard: Contact list reviewed by {by} {date(seen.review.reviewed_at)}{changed}."


def _acting(home: Home, seen: Oversight) -> list[Block]:
    buttons = [_contact_list()] if home.on_call else []
    if seen.overdue.count:
        buttons.append(
            button("Gaps", do.COVERAGE_GAPS, "0", spoken="List all gaps of coverage, and whose task they are")
        )
    return [actions(buttons)] if buttons else []


def _contact_list() -> Element:
    return button("Contact list", do.CONTACTS, "csv", spoken="Send me the escalation contact list")


def _socmon(status: Status) -> Block:
    line = (
        f":warning: *socmon: {some(status.troubles, 'thing needs', 'things need')} a look*"
        if status.troubles
        else ":white_check_mark: *socmon is well*"
    )
    return section(line) | {"accessory": _button("Status", do.SHOW_STATUS, "Show how socmon is doing")}


def _made_at(home: Home) -> Block:
    roster = f" · roster last confirmed {date(home.on_call.checked_at)}" if home.on_call else ""
    version = f"socmon {slack_text(home.status.version, 40)}"
    return context(f"As of {date(home.at)}{roster} · {version}") | {"block_id": MADE_AT}


def _button(label: str, action_id: str, spoken: str) -> Element:
    return button(label, action_id, "home", spoken=spoken)


def _header(text: str) -> Block:
    return {"type": "header", "text": plain(text, 150)}
