"""Forms ask for what the record needs, and their readers take nothing less."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from bot.adapters.slack import interactions as do
from bot.adapters.slack.forms import (
    add_note_form,
    amend_form,
    begun,
    escalate_form,
    field_error,
    first_field_error,
    note_form,
    read_add_note,
    read_message,
    read_note,
    read_reassign,
    read_reopen,
    read_resolution,
    read_snooze,
    reassign_form,
    reopen_form,
    resolve_form,
    snooze_form,
    with_draft,
)
from bot.adapters.slack.views import already_resolved_view, error_view, info_view, waiting_view
from bot.domain.alert import Alert, Cause, Resolution
from bot.domain.errors import ThinNote, Unfit, UnknownAlert
from tests.adapters.slack.examples import (
    ACKNOWLEDGED,
    NOTE,
    NOW,
    RESOLVED,
    STATES,
    TRIGGERED,
    assert_view,
    hostile,
    parsed_texts,
)

ABOUT: dict[str, Any] = {"now": NOW, "provider_title": "Datadog"}
WHOLE = replace(NOTE, security=True, follow_up="https://jira.example.com/T-1")


def inputs(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}


def typed(**fields: object) -> dict[str, Any]:
    """What Slack sends as `view.state` for these fields."""
    return {"values": {name: {name: value} for name, value in fields.items()}}


def words(value: str | None) -> dict[str, Any]:
    return {"type": "plain_text_input", "value": value}


def picked(value: str) -> dict[str, Any]:
    option = {"text": {"type": "plain_text", "text": value}, "value": value}
    return {"type": "static_select", "selected_option": option}


def filled(**other: object) -> dict[str, Any]:
    fields: dict[str, object] = {
        "found": words(NOTE.found),
        "done": words(NOTE.done),
        "cause": picked("capacity"),
        "security": {"type": "checkboxes", "selected_options": []},
        "follow_up": {"type": "url_text_input", "value": None},
    }
    return typed(**(fields | other))


def all_forms(alert: Alert) -> list[dict[str, Any]]:
    return [
        resolve_form(alert, **ABOUT),
        amend_form(alert, **ABOUT),
        note_form(alert, **ABOUT),
        reopen_form(alert, **ABOUT),
        add_note_form([alert], selected=alert.id, text="killed pid", link="https://x.slack.com/p1"),
        add_note_form([alert], selected=None, text="", link=""),
        already_resolved_view(alert),
        snooze_form(alert, **ABOUT, morning=NOW + timedelta(hours=19)),
        reassign_form(alert, **ABOUT),
        escalate_form(alert, **ABOUT, called=["U0KIM", "S0PLATFORM", "kim@example.com"]),
    ]


@pytest.mark.parametrize("alert", STATES.values(), ids=STATES)
def test_every_form_is_a_view_slack_takes(alert: Alert) -> None:
    for view in all_forms(alert):
        assert_view(view)


def test_the_longest_numbers_and_titles_fit() -> None:
    for view in all_forms(replace(RESOLVED, id=999_999, component="c" * 500, title="t" * 5000)):
        assert_view(view)


def test_an_hour_is_what_a_snooze_form_suggests() -> None:
    fields = inputs(snooze_form(ACKNOWLEDGED, **ABOUT, morning=NOW + timedelta(hours=19)))

    assert fields["snooze"]["element"]["initial_option"]["value"] == "60"
    assert fields["until"]["optional"] is True


def test_the_next_business_morning_is_the_time_that_was_shown() -> None:
    """However long the form stays open."""
    morning = NOW + timedelta(hours=19)
    option = inputs(snooze_form(ACKNOWLEDGED, **ABOUT, morning=morning))["snooze"]["element"]["options"][-1]
    state = typed(snooze=picked(option["value"]), until={"selected_date_time": None})

    assert read_snooze(state, NOW + timedelta(hours=1)) == morning
    with pytest.raises(Unfit):
        read_snooze(state, morning)


def test_a_word_to_the_others_may_be_missing_and_may_not_be_endless() -> None:
    assert read_message(typed(reason=words(None))) == ""
    assert read_message(typed(reason=words("short"))) == "short"
    with pytest.raises(Unfit, match="2001 characters"):
        read_message(typed(reason=words("x" * 2001)))


def test_who_gets_it_is_asked_for() -> None:
    given = {"type": "users_select", "selected_user": "U0KIM"}
    assert read_reassign(typed(to=given, reason=words("You know it"))) == ("U0KIM", "You know it")
    with pytest.raises(Unfit) as refused:
        read_reassign(typed(to={"type": "users_select", "selected_user": None}))
    assert refused.value.field == "to"


def test_the_resolve_form_asks_in_this_order_with_the_cursor_in_the_first_field() -> None:
    view = resolve_form(ACKNOWLEDGED, **ABOUT)

    fields = inputs(view)
    assert list(fields) == ["found", "done", "cause", "security", "follow_up"]
    assert fields["found"]["element"]["focus_on_load"] is True
    assert (fields["found"]["element"]["min_length"], fields["done"]["element"]["max_length"]) == (10, 2000)
    assert [o["value"] for o in fields["cause"]["element"]["options"]] == [
        cause.value for cause in Cause if cause is not Cause.NO_ACTION
    ]
    assert [name for name, field in fields.items() if field.get("optional")] == ["security", "follow_up"]
    assert all(field["element"]["action_id"] == name for name, field in fields.items())
    assert (view["callback_id"], view["private_metadata"]) == ("al_resolve_submit", '{"a":412,"v":2}')


def test_the_resolve_form_says_when_the_source_still_fires() -> None:
    small = next(parsed_texts(resolve_form(ACKNOWLEDGED, **ABOUT)["blocks"]))

    assert "open for 3 min · Datadog says: still firing" in small


def test_editing_starts_from_the_present_note() -> None:
    view = amend_form(replace(RESOLVED, resolution=WHOLE), **ABOUT)

    fields = {name: field["element"] for name, field in inputs(view).items()}
    assert view["callback_id"] == do.AMEND_FORM
    assert fields["found"]["initial_value"] == WHOLE.found
    assert fields["done"]["initial_value"] == WHOLE.done
    assert fields["cause"]["initial_option"]["value"] == "capacity"
    assert fields["security"]["initial_options"] == fields["security"]["options"]
    assert fields["follow_up"]["initial_value"] == "https://jira.example.com/T-1"


def test_a_message_becomes_a_note_on_the_alert_of_its_thread() -> None:
    view = add_note_form(
        [TRIGGERED, replace(TRIGGERED, id=413)],
        selected=413,
        text="killed pid",
        link="https://x.slack.com/p1",
    )

    fields = {name: field["element"] for name, field in inputs(view).items()}
    assert fields["alert"]["initial_option"]["value"] == "413"
    assert fields["text"]["initial_value"] == "killed pid"
    assert do.read_link(view["private_metadata"]) == "https://x.slack.com/p1"


def test_a_long_message_and_a_long_list_are_cut_to_what_slack_takes() -> None:
    alerts = [replace(TRIGGERED, id=number) for number in range(1, 200)]

    assert_view(add_note_form(alerts, selected=150, text="long " * 1000, link="https://x/" + "y" * 5000))


def test_a_filled_form_is_read_as_a_resolution() -> None:
    whole = filled(
        security={"type": "checkboxes", "selected_options": [{"value": "security"}]},
        follow_up={"type": "url_text_input", "value": "https://jira.example.com/T-1"},
        found=words("  " + NOTE.found + "\n"),
    )

    assert read_resolution(filled()) == NOTE
    assert read_resolution(whole) == WHOLE


def test_what_is_prefilled_is_read_back_unchanged() -> None:
    fields = {name: field["element"] for name, field in inputs(amend_form(RESOLVED, **ABOUT)).items()}

    state = filled(
        found=words(fields["found"]["initial_value"]),
        done=words(fields["done"]["initial_value"]),
        cause=picked(fields["cause"]["initial_option"]["value"]),
    )
    assert read_resolution(state) == RESOLVED.resolution


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("found", words("n/a")),
        ("found", words(None)),
        ("found", {}),
        ("done", words("fixed")),
        ("done", words("word " * 1000)),
        ("cause", picked("weather")),
        ("cause", {"selected_option": None}),
        ("follow_up", words("jira.example.com/T-1")),
        ("follow_up", words("https://" + "x" * 3000)),
    ],
)
def test_a_thin_note_is_refused_at_its_field(field: str, value: object) -> None:
    with pytest.raises(ThinNote) as refused:
        read_resolution(filled(**{field: value}))

    assert list(field_error(refused.value)) == [field]
    assert 0 < len(field_error(refused.value)[field]) <= 150


def test_the_other_forms_are_read() -> None:
    assert read_note(typed(text=words(" restarted the pool "))) == "restarted the pool"
    assert read_reopen(typed(reason=words("the alarm is back"))) == "the alarm is back"
    assert read_add_note(typed(alert=picked("413"), text=words("killed pid 3112"))) == (
        413,
        "killed pid 3112",
    )


@pytest.mark.parametrize(
    ("read", "state", "field"),
    [
        (read_note, typed(text=words("ok")), "text"),
        (read_note, {}, "text"),
        (read_reopen, typed(reason=words(None)), "reason"),
        (read_add_note, typed(alert={"selected_option": None}, text=words("killed pid 3112")), "alert"),
        (read_add_note, typed(alert=picked("413; drop"), text=words("killed pid 3112")), "alert"),
        (read_add_note, typed(alert=picked("413"), text=words("fixed")), "text"),
    ],
)
def test_thin_or_foreign_input_is_refused_at_its_field(read: Any, state: dict[str, Any], field: str) -> None:
    with pytest.raises(ThinNote) as refused:
        read(state)

    assert refused.value.field == field


def test_a_view_says_who_was_faster() -> None:
    view = already_resolved_view(RESOLVED)

    assert "resolved by <@U0SAM>" in "".join(parsed_texts(view["blocks"]))
    assert "submit" not in view


def test_an_error_says_what_why_and_what_next() -> None:
    view = error_view("A-1 was not changed. Somebody resolved it. Reopen it.")

    assert list(parsed_texts(view["blocks"])) == ["A-1 was not changed. Somebody resolved it. Reopen it."]
    for each in (
        view,
        error_view(str(UnknownAlert("<!channel>"))),
        info_view("Nothing open", "All is well."),
    ):
        assert_view(each)
    assert_view(waiting_view())


def test_whoever_was_slower_sees_the_note_instead_of_the_form() -> None:
    assert resolve_form(RESOLVED, **ABOUT) == already_resolved_view(RESOLVED)


# What somebody had begun to write

BEGUN = {
    "found": "The pool ran out of connections",
    "done": "Raised the limit to 200",
    "cause": "capacity",
    "security": "security",
    "follow_up": "https://jira.example.com/T-1",
}


def left(view: dict[str, Any], state: dict[str, Any]) -> dict[str, str]:
    return begun(view | {"state": state})


def test_what_was_begun_stands_in_the_form_again() -> None:
    """Every kind of field; and closing it once more unchanged is nothing new."""
    written = filled(
        found=words(BEGUN["found"]),
        done=words(BEGUN["done"]),
        security={"type": "checkboxes", "selected_options": [{"value": "security"}]},
        follow_up={"type": "url_text_input", "value": BEGUN["follow_up"]},
    )
    assert left(resolve_form(TRIGGERED, **ABOUT), written) == BEGUN

    again = with_draft(resolve_form(TRIGGERED, **ABOUT), BEGUN)
    fields = {name: block["element"] for name, block in inputs(again).items()}
    assert_view(again)
    assert fields["found"]["initial_value"] == BEGUN["found"]
    assert fields["cause"]["initial_option"]["value"] == "capacity"
    assert fields["security"]["initial_options"] == fields["security"]["options"]
    assert fields["follow_up"]["initial_value"] == BEGUN["follow_up"]
    assert left(again, written) == {}


def test_an_untouched_form_leaves_nothing() -> None:
    """Empty, or with the note as it stood before; Slack does not always tell what stands in a closed form."""
    assert left(resolve_form(TRIGGERED, **ABOUT), filled_with_nothing()) == {}
    assert left(resolve_form(TRIGGERED, **ABOUT), {"values": {}}) == {}
    assert left(resolve_form(TRIGGERED, **ABOUT), {}) == {}
    assert left(amend_form(RESOLVED, **ABOUT), filled()) == {}
    assert left(amend_form(RESOLVED, **ABOUT), filled(done=words("Another ending"))) == {
        "done": "Another ending"
    }


def filled_with_nothing() -> dict[str, Any]:
    return typed(
        found=words(None), done=words(None), cause={"type": "static_select", "selected_option": None}
    )


@pytest.mark.parametrize(
    "odd",
    [{"found": "short"}, {"follow_up": "jira"}, {"cause": "gremlins"}, {"security": "?"}, {"gone": "field"}],
    ids=str,
)
def test_what_slack_would_object_to_keeps_no_form_shut(odd: dict[str, str]) -> None:
    """Slack refuses a whole view over one field, so such a piece of a draft is left out."""
    assert with_draft(resolve_form(TRIGGERED, **ABOUT), odd) == resolve_form(TRIGGERED, **ABOUT)


DRAFTS = {
    do.RESOLVE_FORM,
    do.AMEND_FORM,
    do.NOTE_FORM,
    do.REOPEN_FORM,
    do.REASSIGN_FORM,
    do.ESCALATE_FORM,
}


def test_closing_is_told_where_a_draft_is_kept() -> None:
    for view in all_forms(TRIGGERED):
        kept = view.get("callback_id") in DRAFTS
        assert view.get("notify_on_close", False) is kept


def test_what_is_about_no_field_is_shown_at_the_first() -> None:
    assert first_field_error(resolve_form(TRIGGERED, **ABOUT), "Send again.") == {"found": "Send again."}


@settings(max_examples=40, deadline=None)
@given(hostile, hostile)
def test_hostile_words_do_nothing_in_a_form(text: str, done: str) -> None:
    note = Resolution(found="found it at last", done=("done it " + done)[:2000], cause=Cause.UNKNOWN)
    hurt = replace(RESOLVED, title=text, component=text, resolution=note)

    for view in all_forms(hurt):
        _without_initial_values(view)
        assert_view(view)
    assert_view(resolve_form(replace(TRIGGERED, title=text), **ABOUT))


def _without_initial_values(view: dict[str, Any]) -> None:
    """What a person wrote is given back as it was, for editing: Slack parses nothing in an input."""
    for block in inputs(view).values():
        block["element"].pop("initial_value", None)
    json.dumps(view)
