"""App Home as people see it, and that it follows what others did without ever asking more of Slack than it gives."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings

from bot.adapters.database.writer import Database
from bot.adapters.slack.directory import Directory
from bot.adapters.slack.home import digest, home_view
from bot.adapters.slack.homes import MOST_AT_ONCE, Homes
from bot.adapters.slack.self_test_message import received_message, self_test_message
from bot.adapters.slack.web import SlackWeb, web_client
from bot.adapters.system import SystemRandomness
from bot.domain.home import Few, Home, Listing, OnCall, Oversight, on_call_of
from bot.domain.oncall import FaultKind, Roster, RosterFault, StoredRoster
from bot.domain.person import Role
from bot.domain.self_test import SelfTest
from bot.domain.status import Problem, Status
from bot.domain.thread import SlackRoute, SlackRoutes
from bot.playground.block_kit import view_problems
from bot.procedures import check_on_call, show_home
from bot.procedures.receive_alert import receive_alert
from bot.procedures.respond_to_alert import acknowledge
from bot.procedures.show_home import Installation
from tests.adapters.slack.examples import (
    NOW,
    STATES,
    TRIGGERED,
    assert_inert,
    assert_message,
    hostile,
    labels,
    parsed_texts,
)
from tests.reports import KIM, delivery, report
from tests.rosters import EMAIL, PHONE, PUSH, person, roster, shift, team
from tests.slack_server import BROKEN, CUT, TEAM, SlackServer, says, slack_server, too_many
from tests.world import ROUTES, MovableClock, open_database

STATUS = Status(at=NOW, version="1.2.3")
NOTHING = Oversight(
    notes_missing=Few(),
    late=Few(),
    flapping=Few(),
    overdue=Few(),
    faults=(),
    out_of_step={},
    problems=(),
    review=None,
    is_review_current=False,
)


def home(**facts: Any) -> Home:
    known: dict[str, Any] = {
        "at": NOW,
        "has_teams": True,
        "mine": Listing(),
        "others": Listing(),
        "on_call": None,
        "self_test": None,
        "status": STATUS,
    }
    return Home(**(known | facts))


def on_call(given: Roster, user: str = "U1SAM", **facts: Any) -> OnCall:
    known: dict[str, Any] = {"id": 1, "at": NOW, "checked_at": NOW, "roster": given, "digest": "sha256:1"}
    stored = StoredRoster(**(known | facts))
    return on_call_of(stored, stored.faults(NOW), [each.name for each in given.teams], user, NOW)


def shown(given: Home) -> list[str]:
    view = home_view(given, titles={"pagerduty": "PagerDuty"})
    assert view_problems(view) == []
    headers = [block["text"]["text"] for block in view["blocks"] if block["type"] == "header"]
    return headers + [line for text in parsed_texts(view["blocks"]) for line in text.split("\n")]


def test_until_when_how_one_is_reached_and_who_else_is_on_call() -> None:
    lines = shown(home(on_call=on_call(roster(team(shift("PSAM", 1, -1, 2), shift("PKIM", 2))))))

    assert any(
        line.startswith(":telephone_receiver: *You are on call* for platform (level 1) until <!date")
        for line in lines
    )
    assert (
        "You are reached by phone …4711 after 0 min · push ios after 2 min · e-mail s…@example.com after 0 min"
        in lines
    )
    assert any(line.startswith("platform — <@U1SAM> until <!date") for line in lines)
    assert any("roster last confirmed <!date" in line for line in lines)


def test_the_next_shift_or_that_none_is_known() -> None:
    later = shown(home(on_call=on_call(roster(team(shift("PKIM"), shift("PSAM", 1, 3, 4))))))
    never = shown(home(on_call=on_call(roster(team(shift("PKIM"))))))

    assert any(
        "You are not on call. Your next shift is for platform (level 1), from <!date" in line
        for line in later
    )
    assert any(line.startswith("You are not on call, and no shift of yours is known up to") for line in never)


def test_ones_own_faults_are_told_with_the_mend() -> None:
    """Nobody else's: those are the lead's."""
    people = (
        person(methods=(EMAIL,), account_url="https://acme.pagerduty.com/users/PSAM"),
        person("PKIM", methods=()),
    )
    text = "\n".join(shown(home(on_call=on_call(roster(people=people)))))

    assert (
        "Sam is reached by e-mail only, which wakes nobody. Add a phone number or the mobile app there."
        in text
    )
    assert "<https://acme.pagerduty.com/users/PSAM|your profile>" in text
    assert "Kim has no contact method" not in text


def test_what_is_not_known_is_never_shown_as_well() -> None:
    """No team, no answer yet, an old roster, a person nobody knows."""
    old = on_call(roster(), checked_at=NOW - timedelta(hours=2))
    stranger = home_view(home(on_call=on_call(roster(), "U1OUT")), titles={})

    assert "No team is configured, so socmon does not know who is on call." in shown(home(has_teams=False))
    assert any("Nobody has said yet who is on call" in line for line in shown(home()))
    assert any(line.startswith(":warning: Not confirmed since <!date") for line in shown(home(on_call=old)))
    assert any(
        line == ":warning: platform — nobody"
        for line in shown(home(on_call=on_call(roster(team(shift("PSAM", 1, 5, 6))))))
    )
    assert "Link account…" in labels(stranger["blocks"])
    assert "Link account…" not in labels(home_view(home(on_call=old), titles={})["blocks"])


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (None, "You have never sent yourself a test message."),
        (SelfTest(id=1, user="U1SAM", asked_at=NOW), "Slack has not said that it took it."),
        (SelfTest(id=1, user="U1SAM", asked_at=NOW, sent_at=NOW), "not yet confirmed by you."),
        (
            SelfTest(id=1, user="U1SAM", asked_at=NOW, sent_at=NOW, confirmed_at=NOW + timedelta(seconds=12)),
            "you had it 12 s later.",
        ),
    ],
)
def test_the_last_self_test_is_told(test: SelfTest | None, words: str) -> None:
    assert any(line.endswith(words) for line in shown(home(self_test=test, has_teams=False)))


def test_a_lead_is_told_each_topic_that_has_something_to_say() -> None:
    """What is well is one line, and what does not exist yet is none."""
    faults = tuple(RosterFault(kind=FaultKind.GAP, team="platform", says=f"Gap {at}.") for at in range(5))
    problem = Problem(subject="slack:token", since=NOW, text="Slack refuses our token.")
    amiss = replace(
        NOTHING,
        notes_missing=Few(first=tuple(range(1, 11)), count=70),
        late=Few(first=(9,), count=1),
        flapping=Few(first=(4, 5), count=2),
        overdue=Few(first=(7,), count=1),
        faults=faults,
        out_of_step={"pagerduty": 3},
        problems=(problem,),
    )
    lines = shown(
        home(on_call=on_call(roster()), oversight=amiss, status=replace(STATUS, problems=(problem,)))
    )

    for line in (
        ":memo: *70 notes are missing* (A-1, A-2, A-3, A-4, A-5 and 65 more)",
        ":alarm_clock: *1 alert was not acknowledged in time* (A-9)",
        ":repeat: *2 alerts come and go: change their monitors* (A-4, A-5)",
        ":clipboard: *1 gap was not mended in time* (F-7)",
        ":x: *PagerDuty has not been told of 3 acts*; it is told once it answers again",
        ":warning: *5 faults of the roster*, the worst first",
        "• platform — Gap 0.",
        "… and 2 more: *Who is on call*",
        ":clipboard: The contact list has never been reviewed.",
        ":warning: *socmon: 1 thing needs a look*",
    ):
        assert line in lines
    assert any(line.startswith(":x: *slack:token* since <!date") for line in lines)
    calm = shown(home(oversight=NOTHING))
    assert ":white_check_mark: No note is missing, nobody is late, and no tool is out of step." in calm
    assert "For the lead" not in shown(home())


def test_only_its_last_line_changes_with_time() -> None:
    """Else everybody's Home would have to be published again and again."""
    facts: dict[str, Any] = {
        "mine": Listing(alerts=(TRIGGERED,), count=1),
        "on_call": on_call(roster()),
        "oversight": NOTHING,
        "self_test": SelfTest(id=1, user="U1SAM", asked_at=NOW, sent_at=NOW),
    }
    now = home_view(home(**facts), titles={})
    later = home_view(home(**facts | {"at": NOW + timedelta(minutes=7)}), titles={})
    other = home_view(home(**facts | {"mine": Listing(alerts=(TRIGGERED,), count=2)}), titles={})

    assert now != later
    assert digest(now) == digest(later)
    assert digest(now) != digest(other)


def test_the_largest_home_is_one_that_slack_takes() -> None:
    """Ten rows twice, fifty teams, every fault, long names; what is left out is counted."""
    people = tuple(
        person(
            f"P{at:03}",
            name="Ångström " * 20,
            slack="U1SAM" if at < 9 else "",
            methods=(PHONE, PUSH, EMAIL) * 4,
        )
        for at in range(60)
    )
    teams = [team(*(shift(each.id) for each in people), name=f"team {at} " * 12) for at in range(50)]
    says_much = tuple(RosterFault(kind=FaultKind.GAP, team="t" * 200, says="x" * 900) for _ in range(400))
    problems = tuple(Problem(subject="s" * 300, since=NOW, text="&" * 900) for _ in range(9))
    listing = Listing(
        alerts=tuple(replace(TRIGGERED, id=at, title="&" * 900) for at in range(10)), count=5000
    )
    many = Few(first=tuple(range(10)), count=4000)
    amiss = Oversight(
        notes_missing=many,
        late=many,
        flapping=many,
        overdue=many,
        faults=says_much,
        out_of_step={f"tool{at}": 9 for at in range(9)},
        problems=problems,
        review=None,
        is_review_current=False,
    )
    own = replace(on_call(roster(*teams, people=people)), faults=says_much[:40])
    largest = home(
        mine=listing, others=listing, on_call=own, oversight=amiss, status=replace(STATUS, problems=problems)
    )
    lines = shown(largest)

    assert "Needs you now (5,000)" in lines
    assert "… and 4,990 more alerts: `/socmon log open`" in lines
    assert "… and 40 more teams: `/socmon oncall`" in lines


@pytest.mark.parametrize("alert", STATES.values(), ids=STATES)
def test_every_state_can_be_listed(alert: Any) -> None:
    assert shown(home(mine=Listing(alerts=(alert,), count=1)))


@settings(max_examples=12, deadline=None)
@given(hostile, hostile)
def test_no_words_from_outside_do_anything(title: str, name: str) -> None:
    given_roster = roster(team(shift("PANA"), name=name), people=(person("PANA", name=name, slack=""),))
    listing = Listing(alerts=(replace(TRIGGERED, title=title, component=name),), count=1)
    faults = (RosterFault(kind=FaultKind.GONE, team=name, says=title),)
    view = home_view(
        home(mine=listing, on_call=on_call(given_roster), oversight=replace(NOTHING, faults=faults)),
        titles={},
    )

    assert view_problems(view) == []
    for text in parsed_texts(view["blocks"]):
        assert_inert(text)


def test_a_test_message_says_test_wherever_it_is_read() -> None:
    """On the phone, in the list of messages, in the message; and what it does not prove."""
    test = SelfTest(id=7, user="U1SAM", asked_at=NOW, sent_at=NOW, confirmed_at=NOW + timedelta(seconds=9))
    for message in (self_test_message(test), received_message(test)):
        assert_message(message.text, message.blocks)
        assert message.text.startswith("TEST")
        texts = list(parsed_texts(message.blocks))
        assert all("TEST" in text for text in texts)
        assert any("It proves no route" in text for text in texts)
    assert labels(self_test_message(test).blocks) == ["!I received this"]
    assert "received after 9 s" in received_message(test).text


class Stage:
    """Homes between a database and a Slack, under a clock of the test's."""

    def __init__(self, database: Database, slack: SlackServer, session: aiohttp.ClientSession) -> None:
        self.clock = MovableClock()
        client = web_client("xoxb", slack.url)
        client.session = session
        self.database, self.slack = database, slack
        holders = {Role.RESPONDER: ("*",), Role.LEAD: ("U1LEAD",)}
        self.directory = Directory(client, holders, self.clock)
        self.web = SlackWeb(client)
        self.homes = self.replica()

    def replica(self) -> Homes:
        return Homes(
            records=self.database,
            web=self.web,
            directory=self.directory,
            clock=self.clock,
            randomness=SystemRandomness(),
            titles={},
            installation=Installation(sources={}, version="1", teams=("platform",)),
            groups=lambda: self.directory.members(["S1TEAM"]),
        )

    async def opened(self, *users: str) -> None:
        for user in users:
            self.slack.users.setdefault(user, {"profile": {}})
            await self.homes.opened(user, TEAM)
        self.later()

    def later(self, seconds: float = 15) -> None:
        self.clock.move(seconds)

    async def fires(self, key: str = "p") -> None:
        await self.database.write(receive_alert, delivery(report(key)), routes=ROUTES)

    def told(self) -> list[str]:
        """To whom Homes were published since the last question."""
        users = [call.given["user_id"] for call in self.slack.calls if call.method == "views.publish"]
        self.slack.calls.clear()
        return users


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with slack_server() as server:
        yield server


@pytest.fixture
async def stage(sqlite_url: str, slack: SlackServer) -> AsyncIterator[Stage]:
    database = open_database(sqlite_url, MovableClock())
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1)) as session:
        made = Stage(database, slack, session)
        database._clock = made.clock  # noqa: SLF001
        yield made
    database.close()


async def test_what_others_did_is_published_once_to_those_who_look(stage: Stage) -> None:
    await stage.opened("U1SAM", "U1KIM")
    stage.told()
    await stage.fires()

    assert [await stage.homes.follow(), sorted(stage.told())] == [2, ["U1KIM", "U1SAM"]]
    for _ in range(3):
        stage.later()
        assert [await stage.homes.follow(), stage.told()] == [0, []]
    stage.later(86_400)
    await stage.fires("q")
    assert [await stage.homes.follow(), stage.told()] == [0, []]


async def test_who_is_called_as_one_of_a_group_needs_to_act(stage: Stage) -> None:
    stage.slack.groups["S1TEAM"] = ["U1SAM", "U1ANA"]
    routes = SlackRoutes(default=SlackRoute(channel="C0ALERTS", on_call=("S1TEAM",)))
    await stage.database.write(receive_alert, delivery(report()), routes=routes)
    await stage.opened("U1SAM", "U1KIM")
    views = {call["user_id"]: str(call["view"]) for call in stage.slack.given("views.publish")}

    assert "Needs you now (1)" in views["U1SAM"]
    assert "Nobody has taken (1)" in views["U1KIM"]


async def test_who_would_see_nothing_new_gets_nothing(stage: Stage) -> None:
    """The lead alone sees that the contact list was reviewed."""
    await stage.database.write(check_on_call.take_roster, roster(), complete=True)
    await stage.opened("U1SAM", "U1LEAD")
    stage.told()
    lead = await stage.directory.member("U1LEAD")
    await stage.database.write(check_on_call.review_contacts, 1, made_at=stage.clock.now(), by=lead)

    assert [await stage.homes.follow(), stage.told()] == [1, ["U1LEAD"]]


async def test_a_burst_is_one_publication_in_fifteen_seconds(stage: Stage) -> None:
    """And what came during these seconds is not forgotten."""
    await stage.opened("U1SAM")
    stage.told()
    for number in range(5):
        await stage.fires(f"p{number}")
        await stage.homes.follow()
        stage.later(2)
    during = stage.told()
    stage.later(5)
    await stage.homes.follow()

    assert (during, stage.told()) == (["U1SAM"], ["U1SAM"])


async def test_ones_own_act_is_shown_at_once_and_by_the_job_no_more(stage: Stage) -> None:
    await stage.fires()
    await stage.opened("U1KIM")
    stage.told()
    await stage.database.write(acknowledge, 1, by=KIM)
    await stage.homes.acted("U1KIM", TEAM)
    await stage.homes.acted("U1SAM", TEAM)
    at_once = stage.told()
    stage.later()
    await stage.homes.follow()

    assert (at_once, stage.told()) == (["U1KIM"], [])


async def test_two_replicas_publish_it_once(stage: Stage) -> None:
    await stage.opened("U1SAM")
    stage.told()
    await stage.fires()
    other = stage.replica()
    stage.slack.delays["views.publish"] = 0.05

    assert sum(await asyncio.gather(stage.homes.follow(), other.follow())) == 1
    stage.later()
    assert [await stage.homes.follow(), await other.follow(), stage.told()] == [0, 0, ["U1SAM"]]


@pytest.mark.parametrize(("fault", "seconds"), [(too_many(40), 40), (CUT, 60), (says("not_enabled"), 60)])
async def test_slacks_troubles_end_the_look_and_nothing_is_forgotten(
    stage: Stage, fault: Any, seconds: int
) -> None:
    """No second call before the time is up; then everybody is shown the state of then."""
    await stage.opened("U1SAM", "U1KIM")
    stage.told()
    await stage.fires()
    stage.slack.fail("views.publish", fault)
    assert await stage.homes.follow() == 0
    stage.later(seconds - 1)
    await stage.homes.follow()
    assert len(stage.told()) == 1
    stage.later(1)

    assert [await stage.homes.follow(), sorted(stage.told())] == [2, ["U1KIM", "U1SAM"]]


async def test_while_slack_does_not_say_who_people_are_nobody_else_is_asked_for(stage: Stage) -> None:
    """A minute later all of them are."""
    users = [f"U1X{at:02}" for at in range(25)]
    await stage.opened(*users)
    stage.later(301)  # what is known of people is asked for again
    stage.told()
    stage.directory._kept.clear()  # noqa: SLF001 - as after a restart
    stage.slack.always["users.info"] = BROKEN
    await stage.fires()
    assert [await stage.homes.follow(), await stage.homes.follow()] == [0, 0]
    assert stage.slack.sent("users.info", "views.publish") == ["users.info"]
    del stage.slack.always["users.info"]
    stage.later(60)

    assert await stage.homes.follow() == MOST_AT_ONCE


async def test_slack_is_asked_for_no_more_than_it_gives(stage: Stage) -> None:
    """The rest is next; whoever has waited longest comes first."""
    users = [f"U1X{at:02}" for at in range(MOST_AT_ONCE + 5)]
    await stage.opened(*users)
    stage.told()
    await stage.fires()
    first = [await stage.homes.follow(), stage.told()]
    stage.later(1)
    second = [await stage.homes.follow(), stage.told()]

    assert (first, second) == ([MOST_AT_ONCE, users[:MOST_AT_ONCE]], [5, users[MOST_AT_ONCE:]])


async def test_who_leaves_sees_nothing_any_more(stage: Stage) -> None:
    await stage.opened("U1SAM")
    stage.told()
    stage.slack.users["U1SAM"] = {"deleted": True}
    stage.later(301)
    await stage.fires()
    await stage.homes.follow()

    [call] = [call for call in stage.slack.calls if call.method == "views.publish"]
    assert "only full members" in str(call.given["view"])
    assert await stage.database.read(show_home.homes_seen) == []
