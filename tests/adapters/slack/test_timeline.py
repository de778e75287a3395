"""The timeline view shows everything that happened, page by page, with its number in the evidence log."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.slack.interactions import read_command
from bot.adapters.slack.timeline import resolution_blocks, timeline_view
from bot.domain.alert import Alert, Cause, Resolution
from bot.domain.thread import Moment
from tests.adapters.slack.examples import (
    ACKNOWLEDGED,
    KINDS,
    NOTE,
    RESOLVED,
    STATES,
    TRIGGERED,
    assert_view,
    hostile,
    labels,
    literal_texts,
    moment,
    parsed_texts,
)


def many(amount: int, text: str = "") -> list[Moment]:
    return [moment("noted" if text else "repeated", number, text=text) for number in range(amount)]


@pytest.mark.parametrize("alert", STATES.values(), ids=STATES)
def test_every_state_has_a_timeline(alert: Alert) -> None:
    moments = [moment(kind, number, text="said so") for number, kind in enumerate(KINDS[-20:], 1234)]

    views = [timeline_view(alert, moments, provider_title="Datadog", page=page) for page in (1, 2)]

    for view in views:
        assert_view(view)
    assert "entry 1,234" in "".join(parsed_texts(views[0]["blocks"]))


def test_an_empty_timeline_says_so() -> None:
    view = timeline_view(TRIGGERED, [], provider_title="Datadog")

    assert_view(view)
    assert "Nothing has been recorded yet." in "".join(parsed_texts(view["blocks"]))


def test_the_newest_page_comes_first_and_the_others_are_a_click_away() -> None:
    moments = many(45)

    newest = timeline_view(TRIGGERED, moments, provider_title="Datadog")
    middle = timeline_view(TRIGGERED, moments, provider_title="Datadog", page=2)
    beyond = timeline_view(TRIGGERED, moments, provider_title="Datadog", page=99)

    assert labels(newest["blocks"]) == ["Earlier"]
    assert labels(middle["blocks"]) == ["Earlier", "Later"]
    assert beyond == newest
    assert "45 entries · page 2 of 3" in "".join(parsed_texts(middle["blocks"]))
    pages = [read_command(element["value"])[0] for element in middle["blocks"][-1]["elements"]]
    assert pages == ["1", "3"]


def test_long_notes_make_shorter_pages() -> None:
    """Slack takes views of 250 KB; twenty long notes in a wide script are more."""
    moments = many(20, "注記😀" * 500)

    view = timeline_view(ACKNOWLEDGED, moments, provider_title="Datadog", page=1)

    assert_view(view)
    assert labels(view["blocks"]) == ["Later"]


def test_no_moment_is_lost_between_pages() -> None:
    moments = many(45)

    shown = [
        text
        for page in (1, 2, 3)
        for text in parsed_texts(
            timeline_view(TRIGGERED, moments, provider_title="Datadog", page=page)["blocks"]
        )
        if "reported again" in text
    ]

    assert len(shown) == 45


def test_what_the_source_said_is_on_the_first_page() -> None:
    alert = replace(
        TRIGGERED, text="CPU of *prod-db-1*\n<!channel>", condition="avg(last_5m) > 85", repeats=3
    )

    view = timeline_view(alert, many(45), provider_title="Datadog", page=1)

    assert_view(view)
    assert "CPU of *prod-db-1*\n‹!channel>" in list(literal_texts(view["blocks"]))
    assert "Reported 4 times" in next(parsed_texts(view["blocks"]))


def test_a_resolution_shows_who_when_and_the_whole_note() -> None:
    alert = replace(RESOLVED, resolution=replace(NOTE, follow_up="https://jira.example.com/T-1"))

    texts = [*parsed_texts(resolution_blocks(alert)), *literal_texts(resolution_blocks(alert))]

    assert texts[0].startswith(":white_check_mark: resolved by <@U0SAM> <!date^")
    assert texts[0].endswith("after 29 min · Capacity\n<https://jira.example.com/T-1|Follow-up>")
    assert texts[1:] == ["Found: Long ANALYZE after deploy 1.42", "Done: Added a read replica"]
    assert resolution_blocks(ACKNOWLEDGED) == []


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(list(STATES.values())),
    st.lists(st.tuples(st.sampled_from(KINDS), hostile), max_size=12),
    hostile,
)
def test_hostile_words_do_nothing_in_the_timeline(
    alert: Alert, told: list[tuple[str, str]], text: str
) -> None:
    done = ("done it " + text)[:2000]
    note = Resolution(
        found="found it at last", done=done, cause=Cause.UNKNOWN, follow_up="https://jira.example.com/" + text
    )
    hurt = replace(alert, title=text, condition=text, component=text, text=text, resolution=note)
    moments = [moment(kind, number, text=text) for number, (kind, text) in enumerate(told)]

    assert_view(timeline_view(hurt, moments, provider_title="Datadog", page=1))
