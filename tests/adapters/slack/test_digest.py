"""The digest of a storm and its list: Slack takes them, they say how things stand, and hostile words do nothing."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.slack import interactions as do
from bot.adapters.slack.digest import (
    PAGE,
    digest_message,
    report,
    resolve_all_form,
    storm_list,
    ticked_here,
)
from bot.domain.alert import Alert, Severity
from bot.domain.storm import Digest, Group, Storm, StormRule
from tests.adapters.slack.examples import (
    NOW,
    OPENED,
    STATES,
    TRIGGERED,
    assert_message,
    assert_view,
    hostile,
    labels,
    parsed_texts,
    shown_lines,
)

RULE = StormRule()
STORM = Storm(id=7, channel="C0ALERTS", revision=3, projected=2, next_at=NOW, began_at=OPENED, ts="1.1")
OVER = replace(STORM, ended_at=OPENED + timedelta(minutes=9))
GROUPS = (
    Group(component="prod-db-1", alerts=9, open=9, worst=Severity.SEV1),
    Group(component="eks-prod-1", alerts=21, open=20, worst=Severity.SEV2),
    Group(component="", alerts=2, open=0, worst=Severity.SEV3),
)
DIGEST = Digest(
    alerts=37,
    waiting=30,
    acknowledged=5,
    recovered=3,
    resolved=2,
    first=TRIGGERED,
    newest=460,
    groups=GROUPS,
    components=5,
)
DONE = replace(DIGEST, waiting=0, acknowledged=0, recovered=0, resolved=37)


def text(storm: Storm = STORM, digest: Digest = DIGEST, rule: StormRule | None = RULE) -> str:
    message = digest_message(storm, digest, rule=rule)
    assert_message(message.text, message.blocks)
    return "\n".join(parsed_texts(message.blocks))


def test_what_a_digest_says() -> None:
    said = text()

    assert ":rotating_light: *Alert storm · 37 alerts since" in said
    assert "30 not acknowledged, 5 acknowledged, 2 resolved · 3 recovered, note needed" in said
    assert "Began with A-412: *prod-db-1* — CPU &gt; 85 % for 5 min" in said
    assert "• prod-db-1: 9 alerts, SEV1, the first\n• eks-prod-1: 21 alerts, SEV2\n" in said
    assert "• no component: 2 alerts, SEV3, all resolved\n• 2 more components: 5 alerts" in said
    assert "Single threads resume below 10 alerts in 5 min." in said


def test_a_phone_shows_it_without_much_scrolling() -> None:
    message = digest_message(replace(STORM, spared=(1, 2, 3, 4, 5)), DIGEST, rule=RULE)

    assert len(shown_lines(message.blocks)) <= 16
    assert labels(message.blocks) == ["!Acknowledge all 30", "Open list"]


@pytest.mark.parametrize(
    ("digest", "sign"),
    [
        (DIGEST, ":red_circle:"),
        (replace(DIGEST, waiting=0, acknowledged=35), ":large_yellow_circle:"),
        (replace(DIGEST, waiting=0, acknowledged=35, recovered=35), ":large_blue_circle:"),
        (DONE, ":white_check_mark:"),
    ],
)
def test_when_it_is_over_it_says_what_is_left(digest: Digest, sign: str) -> None:
    said = text(OVER, digest)

    assert said.startswith(f"{sign} *Alert storm over · 37 alerts from")
    assert "New alerts get threads of their own again." in said


def test_nobody_is_called_and_nothing_asked_when_all_is_done() -> None:
    message = digest_message(OVER, DONE, rule=RULE)

    assert "<@" not in message.text + str(message.blocks)
    assert labels(message.blocks) == ["Open list"]


def test_the_question_before_all_are_acknowledged_names_their_number() -> None:
    [button, _] = digest_message(STORM, DIGEST, rule=RULE).blocks[-1]["elements"]

    assert button["confirm"]["title"]["text"] == "Acknowledge 30 alerts?"
    assert do.read_value(button["value"]) == do.Target(7, 460)


def test_trouble_with_the_message_is_said() -> None:
    message = digest_message(STORM, DIGEST, rule=None, notices=["possible duplicate: x"])

    assert ":warning: possible duplicate" in str(message.blocks)


def alerts(number: int) -> list[Alert]:
    states = [alert for alert in STATES.values() if alert.is_open]
    return [replace(states[at % len(states)], id=at + 1) for at in range(number)]


def listing(number: int = PAGE, **given: Any) -> dict[str, Any]:
    wanted: dict[str, Any] = {"page": 1, "ticked": [], "now": NOW} | given
    view = storm_list(STORM, DIGEST, alerts(number), **wanted)
    assert_view(view)
    return view


@pytest.mark.parametrize("number", [0, 1, 10, 11, 20])
def test_a_list_has_a_box_for_each_alert(number: int) -> None:
    _, offered = ticked_here(listing(number))

    assert offered == set(range(1, number + 1))


def test_pages_are_turned_and_the_ticks_of_other_pages_stay() -> None:
    view = listing(page=2, ticked=[3, 450], said="3 alerts resolved.")

    assert labels(view["blocks"]) == ["!Acknowledge ticked, or all 30", "Previous"]
    assert "2 alerts ticked so far" in str(view["blocks"])
    assert do.read_listed(view["private_metadata"]) == do.Listed(7, 460, 2, (3, 450))
    boxes = [block for block in view["blocks"] if block["type"] == "input"]
    assert [each["value"] for each in boxes[0]["element"]["initial_options"]] == ["3"]


def test_what_is_ticked_on_the_page_is_read() -> None:
    view = listing()
    boxes = [block for block in view["blocks"] if block["type"] == "input"]
    options = boxes[1]["element"]["options"]
    view["state"] = {"values": {boxes[1]["block_id"]: {"ticks": {"selected_options": options[:2]}}}}

    assert ticked_here(view)[0] == {11, 12}


def test_when_all_is_resolved_there_is_nothing_to_send() -> None:
    view = storm_list(OVER, DONE, [], page=1, ticked=[], now=NOW)

    assert_view(view)
    assert "submit" not in view


def test_one_note_for_all() -> None:
    view = resolve_all_form(do.Listed(7, 460, 1), range(1, 38), firing=12)

    assert_view(view)
    assert (view["title"]["text"], view["submit"]["text"]) == ("Resolve 37 alerts", "Resolve 37")
    assert "12 of them still firing" in str(view)


@given(st.lists(st.integers(1, 10**7), unique=True, max_size=300))
def test_a_list_carries_what_is_ticked(ids: list[int]) -> None:
    listed = do.Listed(7, 460, 3, tuple(sorted(ids)))
    try:
        metadata = listed.metadata
    except do.TooManyTicked:
        assert len(ids) > 250
        return

    assert do.read_listed(metadata) == listed


@pytest.mark.parametrize("metadata", ["", "{}", "[]", '{"s":1,"n":2,"p":1,"t":"x"}', json.dumps({"a": 1})])
def test_a_list_of_another_version_is_refused(metadata: str) -> None:
    with pytest.raises(do.UnknownControl):
        do.read_listed(metadata)


def test_a_report_says_how_many_and_why_not() -> None:
    why = [(number, f"<@U1KIM> has already acknowledged A-{number}. Nothing changed.") for number in range(8)]

    said = report("acknowledged", 30, why, 2)
    assert said.startswith(
        "30 alerts acknowledged.\n8 alerts skipped:\n• <@U1KIM> has already acknowledged A-0.\n"
    )
    assert "… and 3 more" in said
    assert "2 newer alerts came after what you saw" in said


@given(hostile, st.sampled_from([STORM, OVER]))
def test_hostile_words_do_nothing_in_a_digest_or_its_list(words: str, storm: Storm) -> None:
    alert = replace(TRIGGERED, title=words, component=words, condition=words, on_call=(words,))
    digest = replace(DIGEST, first=alert, groups=(replace(GROUPS[0], component=words),))
    message = digest_message(storm, digest, rule=RULE)

    assert_message(message.text, message.blocks)
    assert_view(storm_list(storm, digest, [alert], page=1, ticked=[412], now=NOW, said="1 alert resolved."))
