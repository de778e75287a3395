"""Who is on call as people read it: everything in its place, nothing that Slack refuses, no words that do anything."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.slack.oncall_form import link_form
from bot.adapters.slack.oncall_message import contacts_message, oncall_message, reviewed_message
from bot.domain.oncall import ContactMethod, InSlack, Kind, Level, Roster, StoredRoster
from bot.playground.block_kit import view_problems
from bot.procedures.check_on_call import OnCallAnswer
from tests.adapters.slack.examples import (
    assert_inert,
    assert_message,
    hostile,
    labels,
    literal_texts,
    parsed_texts,
)
from tests.rosters import EMAIL, NOW, PHONE, PUSH, person, roster, shift, team

DIGEST = "sha256:0123456789abcdef"
TITLES = {"pagerduty": "PagerDuty"}


def stored(given: Roster, **facts: Any) -> StoredRoster:
    known: dict[str, Any] = {"id": 7, "at": NOW, "checked_at": NOW, "roster": given, "digest": DIGEST}
    return StoredRoster(**(known | facts))


def answer(given: Roster, **facts: Any) -> OnCallAnswer:
    known: dict[str, Any] = {
        "stored": stored(given),
        "teams": given.teams,
        "at": NOW,
        "now": NOW,
        "review": None,
    }
    return OnCallAnswer(**(known | facts))


def lines(given: OnCallAnswer) -> list[str]:
    message = oncall_message(given, titles=TITLES)
    assert_message(message.text, message.blocks)
    return [line for text in parsed_texts(message.blocks) for line in text.split("\n")]


def test_who_until_when_how_and_who_comes_next() -> None:
    """The date is shown in each reader's own time zone."""
    turns = team(shift("PSAM", 1, -1, 2), shift("PKIM", 1, 2, 30), shift("PKIM", 2))
    told = lines(answer(roster(turns)))

    assert told[0] == "*platform* · PagerDuty"
    assert told[1].startswith("1. <@U1SAM> until <!date^")
    assert told[1].endswith(
        "(phone …4711 after 0 min · push ios after 2 min · e-mail s…@example.com after 0 min) → <@U1KIM>"
    )
    assert told[2].startswith("2. after 5 min <@U1KIM> (phone")
    assert told[3:] == [
        "Gaps in the next 14 days: none",
        "Last seen to be so 0 s ago",
        "The contact list has never been reviewed",
    ]


def test_what_is_to_be_mended_is_told_with_the_people_of_the_team_only() -> None:
    given = roster(
        team(shift("PSAM", 1, -1, 2), name="platform"),
        team(shift("PANA"), shift("PMAX", 2), name="data"),
        people=(person(methods=(replace(PHONE, enabled=False),)), person("PANA", slack=""), person("PMAX")),
    )
    told = lines(answer(given, teams=(given.team("platform"),)))

    assert told[1].startswith("1. :warning: <@U1SAM> until")
    assert "phone …4711 (disabled)" in told[1]
    assert told[2] == "2. after 5 min :warning: nobody"
    assert told[3].startswith(":warning: Gaps in the next 14 days: level 1 from <!date")
    assert told[4] == "*To be mended (3)*"
    assert all("Ana" not in line for line in told)


def test_age_and_review_are_told() -> None:
    """An old roster says so; so does a review that was of another one."""
    given = roster()
    old = stored(given, checked_at=NOW - timedelta(days=3))
    review = stored(given, id=6, reviewed_at=NOW - timedelta(days=30), reviewed_by="U1LEAD")
    told = lines(answer(given, stored=old, review=review))
    far = lines(answer(given, stored=old, at=NOW + timedelta(days=13)))
    past = lines(answer(given, at=NOW - timedelta(days=1)))

    assert told[-2:] == [
        ":warning: Last seen to be so 3 d ago",
        "Contact list reviewed by <@U1LEAD> 30 d ago; the roster has changed since",
    ]
    assert any(line.startswith(":grey_question: Shifts are known until") for line in far)
    assert any(line.startswith("As it was known then: the roster of") for line in past)


def test_a_roster_too_large_for_a_message_is_cut_between_teams() -> None:
    """Fifty teams with six levels and ten people each: as many as Slack takes, and how many more."""
    people = tuple(person(f"P{number:03}", methods=(PHONE, PUSH, EMAIL) * 4) for number in range(60))
    shifts = [shift(each.id, number % 6 + 1) for number, each in enumerate(people)]
    levels = tuple(Level(number=number, delay_minutes=5) for number in range(1, 7))
    teams = [team(*shifts, name=f"team {number}", levels=levels) for number in range(50)]
    message = oncall_message(answer(roster(*teams, people=people)), titles=TITLES)

    assert_message(message.text, message.blocks)
    assert "more teams: name one to see it" in str(message.blocks)
    assert "and 5 more" in str(message.blocks)
    assert labels(message.blocks) == ["Contact list", "Link account…"]


def test_where_everything_is_a_rota_there_is_nothing_to_link() -> None:
    given = roster(team(source="rota", policy=""))

    assert labels(oncall_message(answer(given), titles=TITLES).blocks) == ["Contact list"]


@settings(max_examples=50)
@given(hostile, hostile, hostile, st.sampled_from(InSlack))
def test_no_words_of_a_tool_do_anything(name: str, end: str, title: str, known: InSlack) -> None:
    """Whoever can name a person, a team or a device can choose their words."""
    somebody = person(
        name=name, email=end, slack="", in_slack=known, methods=(ContactMethod(kind=Kind.PUSH, end=end),)
    )
    given = roster(team(name=title), people=(somebody, person("PKIM", name=name, gone=True)))
    message = oncall_message(answer(given), titles=TITLES)
    form = link_form([("pagerduty", f"P{at}", name) for at in range(200)], user="U1SAM", titles=TITLES)

    assert_message(message.text, message.blocks)
    for text in parsed_texts(message.blocks):
        assert_inert(text)
    assert view_problems(form) == []
    assert all("<!" not in text and "<@" not in text for text in literal_texts(form))


def test_the_list_and_its_review_are_answered() -> None:
    """The button carries which document was read."""
    sent = contacts_message("escalation-contacts-20261124.csv", stored(roster()), NOW)
    done = reviewed_message(stored(roster()))

    for message in (sent, done):
        assert_message(message.text, message.blocks)
    assert sent.blocks[1]["elements"][0]["value"] == f"7:{int(NOW.timestamp())}"
    assert DIGEST[:19] in done.blocks[0]["text"]["text"]


def test_when_nobody_is_to_be_linked_the_form_says_so() -> None:
    form = link_form([], user="U1SAM", titles=TITLES)

    assert "Everybody on call has a Slack account" in str(form)
    assert view_problems(form) == []
