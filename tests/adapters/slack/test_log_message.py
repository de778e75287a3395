"""The alert log is readable in Slack, and says where the rest of it is."""

import json
from dataclasses import replace

from hypothesis import given, settings

from bot.adapters.slack.blocks import Message
from bot.adapters.slack.log_message import log_message, record_message
from bot.domain.alert import Alert
from bot.domain.alert_log import summary
from tests.adapters.slack.examples import (
    ACKNOWLEDGED,
    KINDS,
    NOW,
    RESOLVED,
    STATES,
    TRIGGERED,
    assert_message,
    hostile,
    labels,
    moment,
    parsed_texts,
)


def listed(*alerts: Alert, asked: str = "7d") -> Message:
    return log_message(alerts, figures=summary(alerts), asked=asked, now=NOW)


def test_the_figures_come_first() -> None:
    message = listed(RESOLVED, TRIGGERED)

    assert message.text == (
        "Alert log: 2 alerts · 1 open · median to acknowledge 3 min · median to resolve 29 min · 1 without a note"
    )
    assert labels(message.blocks) == ["Export CSV", "Export JSON"]
    assert message.blocks[-1]["elements"][0]["value"] == "7d"


def test_a_row_says_what_how_long_and_who() -> None:
    rows = next(
        text for text in parsed_texts(listed(RESOLVED, ACKNOWLEDGED, TRIGGERED).blocks) if "A-412" in text
    )

    assert rows.split("\n") == [
        ":white_check_mark: *A-412* SEV1 · prod-db-1 — CPU &gt; 85 % for 5 min · 29 min · <@U0SAM>",
        ":large_yellow_circle: *A-412* SEV1 · prod-db-1 — CPU &gt; 85 % for 5 min · opened 3 min ago · <@U0SAM>",
        ":red_circle: *A-412* SEV1 · prod-db-1 — CPU &gt; 85 % for 5 min · opened 3 min ago · nobody's yet",
    ]


def test_twenty_rows_are_shown_and_the_rest_is_exported() -> None:
    alerts = [replace(RESOLVED, id=number) for number in range(50, 0, -1)]

    message = listed(*alerts)

    assert_message(message.text, message.blocks)
    shown = "".join(parsed_texts(message.blocks))
    assert shown.count(":white_check_mark:") == 20
    assert "Showing 20 of 50, newest first; export for all." in shown


def test_an_empty_log_says_so() -> None:
    message = listed(asked="mine")

    assert message.text == "No alerts for “mine”. `/socmon help` lists the filters."
    assert_message(message.text, message.blocks)


def test_one_alert_comes_with_its_timeline() -> None:
    moments = [moment(kind, number, text="said so") for number, kind in enumerate(KINDS * 4)]

    message = record_message(RESOLVED, moments, provider_title="Datadog", now=NOW)

    assert_message(message.text, message.blocks)
    assert "earlier entries" in "".join(parsed_texts(message.blocks))
    assert len(message.blocks) > 20


def test_one_alert_comes_with_the_words_of_its_notes() -> None:
    """What people wrote is what somebody who looks an alert up wants to read; the resolution stands there once."""
    moments = [moment("noted", 3, text="The disk filled up"), moment("resolved", 4, text="said so")]

    message = record_message(RESOLVED, moments, provider_title="Datadog", now=NOW)

    said = json.dumps(message.blocks)
    assert "The disk filled up" in said
    assert said.count("Added a read replica") == 1


def test_an_edited_note_names_whose_words_it_is_now() -> None:
    """Nobody is quoted with what somebody else wrote."""
    message = record_message(replace(RESOLVED, amended_by="U0KIM"), [], provider_title="Datadog", now=NOW)

    assert "note edited by <@U0KIM>" in "".join(parsed_texts(message.blocks))


def test_what_is_left_out_is_counted() -> None:
    moments = [moment("noted", number, text="The disk filled up") for number in range(3)]

    message = record_message(RESOLVED, moments, left_out=997, provider_title="Datadog", now=NOW)

    assert "997 earlier entries" in "".join(parsed_texts(message.blocks))


@settings(max_examples=30, deadline=None)
@given(hostile, hostile)
def test_hostile_words_do_nothing_in_the_log(text: str, asked: str) -> None:
    alerts = [replace(alert, title=text, component=text) for alert in [*STATES.values()] * 3]

    message = listed(*alerts, asked=asked)

    assert_message(message.text, message.blocks)
