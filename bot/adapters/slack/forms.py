"""The forms people fill in about an alert, and the readers of what they filled in.

Block ids are the fields' names, so that the field of a ThinNote says where to show its message.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.adapters.slack import interactions as do
from bot.adapters.slack.elements import (
    Block,
    Element,
    context,
    mrkdwn,
    option,
    plain,
    question_block,
    text_input,
)
from bot.adapters.slack.text import date, mention, slack_text
from bot.adapters.slack.views import View, already_resolved_view
from bot.adapters.slack.words import CAUSES, SOURCES, duration, number, subject
from bot.domain.alert import LONGEST_SNOOZE, MOST_LETTERS, Alert, Cause, Resolution, check_note
from bot.domain.errors import ThinNote, Unfit

State = Mapping[str, Any]

LONGEST_ADDRESS = 2000
MOST_OPTIONS = 100
_SECURITY = "security"
_AT = "at:"
SNOOZES = (
    ("30 minutes", 30),
    ("1 hour", 60),
    ("2 hours", 120),
    ("4 hours", 240),
    ("8 hours", 480),
    ("1 day", 1440),
    ("3 days", 4320),
    ("7 days", 10_080),
)


def resolve_form(alert: Alert, *, now: datetime, provider_title: str) -> View:
    """Asks for the resolution note. Sending it resolves the alert; there is no other way to resolve one.

    When somebody was faster it shows what they wrote.
    """
    if not alert.is_open:
        return already_resolved_view(alert)
    return _form(
        title=f"Resolve {number(alert)}",
        callback_id=do.RESOLVE_FORM,
        submit="Resolve",
        metadata=do.Target(alert.id, alert.version).metadata,
        blocks=[context(*_about(alert, now, provider_title)), *resolution_fields(None)],
    )


def amend_form(alert: Alert, *, now: datetime, provider_title: str) -> View:
    """Asks for a further revision of the resolution note, starting from the present one."""
    rule = "The earlier revisions stay in the evidence log."
    return _form(
        title=f"Edit note {number(alert)}",
        callback_id=do.AMEND_FORM,
        submit="Save",
        metadata=do.Target(alert.id, alert.version).metadata,
        blocks=[context(*_about(alert, now, provider_title), rule), *resolution_fields(alert.resolution)],
    )


def note_form(alert: Alert, *, now: datetime, provider_title: str) -> View:
    return _form(
        title=f"Note on {number(alert)}",
        callback_id=do.NOTE_FORM,
        submit="Add note",
        metadata=do.Target(alert.id, alert.version).metadata,
        blocks=[
            context(*_about(alert, now, provider_title)),
            text_input("text", "What did you see or do?", focus=True),
        ],
    )


def reopen_form(alert: Alert, *, now: datetime, provider_title: str) -> View:
    rule = "The problem continues as a new alert, linked to this one. This one and its note stay as they are."
    return _form(
        title=f"Reopen {number(alert)}",
        callback_id=do.REOPEN_FORM,
        submit="Reopen",
        metadata=do.Target(alert.id, alert.version).metadata,
        blocks=[
            context(*_about(alert, now, provider_title), rule),
            text_input("reason", "Why does it need work again?", focus=True),
        ],
    )


def snooze_form(alert: Alert, *, now: datetime, provider_title: str, morning: datetime) -> View:
    """Asks until when. `morning` is the next business morning; the choice carries its time."""
    choice: Element = {
        "type": "static_select",
        "action_id": "snooze",
        "options": [
            *(option(label, str(minutes)) for label, minutes in SNOOZES),
            option("Until the next business morning", f"{_AT}{int(morning.timestamp())}"),
        ],
        "focus_on_load": True,
    }
    choice["initial_option"] = choice["options"][1]
    rule = f"The next business morning is {date(morning)}. The snooze goes on if the source recovers and fires again."
    return _form(
        title=f"Snooze {number(alert)}",
        callback_id=do.SNOOZE_FORM,
        submit="Snooze",
        metadata=do.Target(alert.id, alert.version).metadata,
        keeps_draft=False,
        blocks=[
            context(*_about(alert, now, provider_title), rule),
            question_block("snooze", "For how long?", choice),
            question_block(
                "until",
                "Or until a time",
                {"type": "datetimepicker", "action_id": "until"},
                hint="At most seven days from now. It counts instead of the choice above.",
                optional=True,
            ),
        ],
    )


def reassign_form(alert: Alert, *, now: datetime, provider_title: str) -> View:
    rule = (
        "They are told, and the hand-over stands in the record."
        if alert.owner or alert.acknowledged_at
        else "They are told, and still have to acknowledge it."
    )
    return _form(
        title=f"Reassign {number(alert)}",
        callback_id=do.REASSIGN_FORM,
        submit="Reassign",
        metadata=do.Target(alert.id, alert.version).metadata,
        blocks=[
            context(*_about(alert, now, provider_title), rule),
            question_block(
                "to",
                "Who takes it?",
                {
                    "type": "users_select",
                    "action_id": "to",
                    "placeholder": plain("Choose a person"),
                    "focus_on_load": True,
                },
            ),
            _message_field(),
        ],
    )


def escalate_form(alert: Alert, *, now: datetime, provider_title: str, called: Sequence[str]) -> View:
    """Says who will be called, since somebody may be woken by it. `called` are Slack users or groups."""
    people = " ".join(map(mention, called))
    return _form(
        title=f"Escalate {number(alert)}",
        callback_id=do.ESCALATE_FORM,
        submit="Escalate now",
        metadata=do.Target(alert.id, alert.version).metadata,
        blocks=[
            context(*_about(alert, now, provider_title), f"This calls {people} now."),
            _message_field(),
        ],
    )


def add_note_form(alerts: Sequence[Alert], *, selected: int | None, text: str, link: str) -> View:
    """Files a Slack message as a note on one of `alerts` (at least one); `text` are its plain words."""
    options = [_alert_option(alert) for alert in alerts[:MOST_OPTIONS]]
    picked = next((each for each in options if each["value"] == str(selected)), None)
    choice: Element = {
        "type": "static_select",
        "action_id": "alert",
        "placeholder": plain("Choose an alert"),
        "options": options,
    }
    if picked:
        choice["initial_option"] = picked
    else:
        choice["focus_on_load"] = True
    return _form(
        title="Add to alert record",
        callback_id=do.ADD_NOTE_FORM,
        submit="Add note",
        metadata=json.dumps({"link": link[:LONGEST_ADDRESS]}),
        keeps_draft=False,  # its words stand in the message they were taken from
        blocks=[
            question_block("alert", "Which alert is it about?", choice),
            text_input(
                "text",
                "What should the record say?",
                hint="Taken from the message. A link to the message is kept with the note.",
                value=text[:MOST_LETTERS],
                focus=picked is not None,
            ),
        ],
    )


def read_resolution(state: State) -> Resolution:
    """The note of a resolve or amend form; raises ThinNote, whose field is the block to show it at."""
    follow_up = _text(state, "follow_up")
    if len(follow_up) > LONGEST_ADDRESS:
        raise ThinNote("follow_up", f"This link has over {LONGEST_ADDRESS:,} characters. Use a shorter one.")
    resolution = Resolution(
        found=_text(state, "found"),
        done=_text(state, "done"),
        cause=_cause(state),
        security=bool(_field(state, _SECURITY).get("selected_options")),
        follow_up=follow_up,
    )
    resolution.check()
    return resolution


def read_note(state: State) -> str:
    """The text of a note form; raises ThinNote."""
    return _checked(state, "text")


def read_reopen(state: State) -> str:
    """The reason of a reopen form; raises ThinNote."""
    return _checked(state, "reason")


def read_add_note(state: State) -> tuple[int, str]:
    """The alert's number and the text of an "Add to alert record" form; raises ThinNote."""
    picked = _selected(state, "alert")
    if not (picked.isascii() and picked.isdigit()):
        raise ThinNote("alert", "Choose the alert that this is about.")
    return int(picked[:18]), _checked(state, "text")


def read_snooze(state: State, now: datetime) -> datetime:
    """Until when; raises Unfit."""
    at = _field(state, "until").get("selected_date_time")
    picked = _selected(state, "snooze")
    if isinstance(at, int) and not isinstance(at, bool):
        until, field = _instant(at, "until"), "until"
    elif picked.startswith(_AT) and picked.removeprefix(_AT).isdecimal():
        until, field = _instant(int(picked.removeprefix(_AT)[:12]), "snooze"), "snooze"
    elif picked in {str(minutes) for _, minutes in SNOOZES}:
        until, field = now + timedelta(minutes=int(picked)), "snooze"
    else:
        raise Unfit("snooze", "Choose for how long, or a time.")
    if not now < until <= now + LONGEST_SNOOZE:
        raise Unfit(field, "Choose a time that is yet to come, and at most seven days away.")
    return until


def read_reassign(state: State) -> tuple[str, str]:
    """Who takes it (a Slack user id), and what they should know; raises Unfit."""
    to = str(_field(state, "to").get("selected_user") or "")
    if not to:
        raise Unfit("to", "Choose who takes it.")
    return to, read_message(state)


def read_message(state: State) -> str:
    """What the others should know; empty when nothing was written. Raises Unfit."""
    text = _text(state, "reason")
    if len(text) > MOST_LETTERS:
        raise Unfit(
            "reason", f"This has {len(text)} characters; {MOST_LETTERS} are the most. Shorten it, or link."
        )
    return text


def field_error(error: Unfit) -> dict[str, str]:
    """For `ack(response_action="errors", errors=…)`: the message at the field it is about."""
    return dict.fromkeys([error.field, *error.also], str(error))


def first_field_error(view: View, message: str) -> dict[str, str]:
    """As `field_error`, for what is about no field in particular."""
    first = next(block["block_id"] for block in view["blocks"] if block["type"] == "input")
    return {first: message}


def begun(view: View) -> dict[str, str]:
    """Field → what a person has written there, of the fields that they have changed; options by their values."""
    initial = {name: _written(_initial(element)) for name, element in _elements(view)}
    values = (view.get("state") or {}).get("values") or {}
    written = {name: _written((values.get(name) or {}).get(name) or {}) for name in initial}
    return {name: text for name, text in written.items() if text and text != initial[name]}


def with_draft(view: View, draft: Mapping[str, str]) -> View:
    """The form, filled in as far as somebody had come before. What Slack would object to does not keep it shut."""
    for name, element in _elements(view):
        text = draft.get(name, "")
        picked = [each for each in element.get("options", ()) if each["value"] in text.split(",")]
        match element["type"]:
            case "static_select" if picked:
                element["initial_option"] = picked[0]
            case "checkboxes" if picked:
                element["initial_options"] = picked
            case "plain_text_input" if len(text) >= element["min_length"]:
                element["initial_value"] = text[: element["max_length"]]
            case "url_text_input" if text.startswith(("https://", "http://")):
                element["initial_value"] = text
            case _:
                pass
    return view


def _elements(view: View) -> list[tuple[str, Element]]:
    return [(block["block_id"], block["element"]) for block in view["blocks"] if block["type"] == "input"]


def _initial(element: Element) -> Element:
    names = ("value", "selected_option", "selected_options")
    return dict(
        zip(names, map(element.get, ("initial_value", "initial_option", "initial_options")), strict=True)
    )


def _written(field: Mapping[str, Any]) -> str:
    options = field.get("selected_options") or filter(None, [field.get("selected_option")])
    return str(field.get("value") or ",".join(str(each["value"]) for each in options))


def _form(
    *,
    title: str,
    callback_id: str,
    submit: str,
    metadata: str,
    blocks: list[Block],
    keeps_draft: bool = True,
) -> View:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "notify_on_close": keeps_draft,
        "title": plain(title, 24),
        "submit": plain(submit, 24),
        "close": plain("Cancel", 24),
        "private_metadata": metadata,
        "blocks": blocks,
    }


def _about(alert: Alert, now: datetime, provider_title: str) -> list[str]:
    """What is being answered, and a warning when the source does not agree that it is over."""
    component = f"{slack_text(alert.component, 60)} — " if alert.component else ""
    what = f"{alert.severity} · {component}{subject(alert)}"
    source = f"{slack_text(provider_title, 40)} says: {SOURCES[alert.source]}"
    if not alert.is_open:
        return [what, source]
    return [what, f"open for {duration(now - alert.triggered_at)} · {source}"]


def resolution_fields(note: Resolution | None) -> list[Block]:
    """What a resolution is asked for, starting from the present one."""
    return [
        text_input("found", "What did you find?", value=note.found if note else "", focus=True),
        text_input("done", "What did you do?", value=note.done if note else ""),
        _cause_field(note.cause if note else None),
        _security_field(ticked=note.security if note else False),
        _follow_up_field(note.follow_up if note else ""),
    ]


def _cause_field(picked: Cause | None) -> Block:
    element: Element = {
        "type": "static_select",
        "action_id": "cause",
        "placeholder": plain("Choose the best fit"),
        "options": [
            option(CAUSES[each], each) for each in Cause if each is not Cause.NO_ACTION or picked is each
        ],
    }
    if picked:
        element["initial_option"] = option(CAUSES[picked], picked)
    return question_block("cause", "Root cause category", element)


def _security_field(*, ticked: bool) -> Block:
    possible = {"text": mrkdwn("Possible security event"), "value": _SECURITY}
    element: Element = {"type": "checkboxes", "action_id": _SECURITY, "options": [possible]}
    if ticked:
        element["initial_options"] = [possible]
    hint = "Tick it when data or access may have been affected: the record is marked for the security review."
    return question_block(_SECURITY, "Security impact", element, hint=hint, optional=True)


def _follow_up_field(address: str) -> Block:
    element: Element = {
        "type": "url_text_input",
        "action_id": "follow_up",
        "placeholder": plain("https://…"),
    }
    if address:
        element["initial_value"] = address
    return question_block("follow_up", "Follow-up link", element, optional=True)


def _message_field() -> Block:
    field = text_input("reason", "What should they know?", fewest=0)
    return field | {"optional": True}


def _instant(seconds: int, field: str) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Unfit(field, "This is no time. Choose another one.") from error


def _alert_option(alert: Alert) -> Element:
    component = f" · {alert.component}" if alert.component else ""
    return option(
        f"{number(alert)} · {alert.severity}{component} — {alert.title or alert.condition}", str(alert.id)
    )


def _field(state: State, name: str) -> Mapping[str, Any]:
    values: Mapping[str, Mapping[str, Mapping[str, Any]]] = state.get("values") or {}
    return (values.get(name) or {}).get(name) or {}


def _text(state: State, name: str) -> str:
    return str(_field(state, name).get("value") or "").strip()


def _selected(state: State, name: str) -> str:
    return str((_field(state, name).get("selected_option") or {}).get("value") or "")


def _checked(state: State, name: str) -> str:
    text = _text(state, name)
    check_note(name, text)
    return text


def _cause(state: State) -> Cause:
    try:
        return Cause(_selected(state, "cause"))
    except ValueError as error:
        raise ThinNote("cause", "Choose the root cause that fits best.") from error
