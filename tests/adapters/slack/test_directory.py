"""Who somebody is in Slack, and so which roles they hold; Slack's troubles lock nobody out who was known."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.adapters.slack.directory import Directory
from bot.adapters.slack.web import web_client
from bot.domain.alert import Act
from bot.domain.errors import NotPermitted, Unidentified
from bot.domain.person import READERS, RESPONDERS, Role
from tests.slack_server import BROKEN, TEAM, SlackServer, says, slack_server, too_many
from tests.world import MovableClock

SAM = {"profile": {"email": "Sam@Example.com", "display_name": "sam", "real_name": "Sam Reed"}}
INFO, GROUP = "users.info", "usergroups.users.list"


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with slack_server() as server:
        server.users = {"U1SAM": SAM, "U1KIM": {"profile": {}}}
        yield server


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


def directory(
    slack: SlackServer,
    session: aiohttp.ClientSession,
    clock: MovableClock | None = None,
    **holders: tuple[str, ...],
) -> Directory:
    client = web_client("xoxb", slack.url)
    client.session = session
    return Directory(client, {Role(name): who for name, who in holders.items()}, clock or MovableClock())


HOLDERS = {
    "everybody": ("*",),
    "by user id": ("U1KIM", "U1SAM"),
    "by e-mail, in any case": ("sam@example.COM",),
    "by user group": ("S0TEAM",),
}


@pytest.mark.parametrize("holders", HOLDERS.values(), ids=HOLDERS.keys())
async def test_a_role_is_held(
    slack: SlackServer, session: aiohttp.ClientSession, holders: tuple[str, ...]
) -> None:
    """In each of the ways the configuration can name people."""
    slack.groups["S0TEAM"] = ["U1SAM"]
    person = await directory(slack, session, responders=holders).person("U1SAM", TEAM)

    assert person.roles == {Role.RESPONDER}


async def test_others_do_not_hold_it(slack: SlackServer, session: aiohttp.ClientSession) -> None:
    """Neither by another's id, nor address, nor group; and without an e-mail address nobody matches one."""
    slack.groups["S0TEAM"] = ["U1SAM"]
    slack.users["U1KIM"] = {"profile": {"email": None}}
    here = directory(slack, session, responders=("U1SAM", "sam@example.com", "S0TEAM", "@"))

    assert (await here.person("U1KIM", TEAM)).roles == frozenset()


@pytest.mark.parametrize("kind", ["deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger"])
async def test_only_full_members_hold_roles(
    slack: SlackServer, session: aiohttp.ClientSession, kind: str
) -> None:
    """No bots, no guests, nobody who has left, nobody of another company."""
    slack.users["U1SAM"] = SAM | {kind: True}

    assert (await directory(slack, session, responders=("*",)).person("U1SAM", TEAM)).roles == frozenset()


async def test_nobody_of_another_workspace_holds_roles(
    slack: SlackServer, session: aiohttp.ClientSession
) -> None:
    """The same user id under another team is another person."""
    assert (
        await directory(slack, session, responders=("*",)).person("U1SAM", "T9OTHER")
    ).roles == frozenset()


async def test_a_group_that_is_gone_takes_only_its_own_role(
    slack: SlackServer, session: aiohttp.ClientSession
) -> None:
    """A deleted auditors' group must not keep a responder from acknowledging at 3 a.m."""
    here = directory(slack, session, responders=("U1SAM",), auditors=("S0GONE",))

    person = await here.person("U1SAM", TEAM)

    person.require(RESPONDERS, "acknowledge alerts")
    assert person.roles == {Role.RESPONDER}


async def test_whoever_has_no_role_but_might_have_one_is_told_to_try_again(
    slack: SlackServer, session: aiohttp.ClientSession
) -> None:
    """“You may not” would be a guess while Slack does not say who is in the group."""
    slack.always[GROUP] = BROKEN
    here = directory(slack, session, responders=("S0TEAM",))

    with pytest.raises(Unidentified, match="Try again"):
        await here.person("U1SAM", TEAM)


async def test_answers_are_kept_for_five_minutes(slack: SlackServer, session: aiohttp.ClientSession) -> None:
    """Each click would ask Slack otherwise; after that somebody who was removed loses the role."""
    clock = MovableClock()
    here = directory(slack, session, clock, responders=("*",))
    for _ in range(3):
        await here.person("U1SAM", TEAM)
    asked = slack.sent(INFO)
    slack.users["U1SAM"] = SAM | {"deleted": True}
    still = await here.person("U1SAM", TEAM)
    clock.move(301)

    assert asked == [INFO]
    assert still.roles == {Role.RESPONDER}
    assert (await here.person("U1SAM", TEAM)).roles == frozenset()


FAULTS: dict[str, Any] = {
    "500": BROKEN,
    "429": too_many(60),
    "ratelimited": says("ratelimited"),
    "no": says("fatal_error"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_slacks_troubles_lock_nobody_out_who_was_known(
    slack: SlackServer, session: aiohttp.ClientSession, fault: Any
) -> None:
    """An old answer is better than none; of a stranger nothing is known, so nothing is allowed."""
    clock = MovableClock()
    here = directory(slack, session, clock, responders=("*",))
    await here.person("U1SAM", TEAM)
    clock.move(3600)
    slack.always = {INFO: fault, "auth.test": fault}

    assert (await here.person("U1SAM", TEAM)).roles == {Role.RESPONDER}
    with pytest.raises(Unidentified, match="nothing was changed"):
        await here.person("U1KIM", TEAM)
    clock.move(86_400)
    with pytest.raises(Unidentified):
        await here.person("U1SAM", TEAM)


@pytest.mark.parametrize("error", ["invalid_auth", "missing_scope"])
async def test_a_refusal_of_slack_leaves_no_old_answer_in_use(
    slack: SlackServer, session: aiohttp.ClientSession, error: str
) -> None:
    """Slack was there and told nothing: what it told before is no longer what it says."""
    clock = MovableClock()
    here = directory(slack, session, clock, responders=("*",))
    await here.person("U1SAM", TEAM)
    clock.move(301)
    slack.always[INFO] = says(error)

    with pytest.raises(Unidentified, match=error):
        await here.person("U1SAM", TEAM)


async def test_no_role_outlives_the_group_or_the_account_that_gave_it(
    slack: SlackServer, session: aiohttp.ClientSession
) -> None:
    """Slack says that there is no such group, or no such person: five minutes later the role is gone."""
    clock = MovableClock()
    slack.groups["S0TEAM"] = ["U1SAM"]
    here = directory(slack, session, clock, responders=("S0TEAM",), auditors=("U1KIM",))
    before = [(await here.person(user, TEAM)).roles for user in ("U1SAM", "U1KIM")]
    del slack.groups["S0TEAM"], slack.users["U1KIM"]
    clock.move(301)
    sam, kim = [await here.person(user, TEAM) for user in ("U1SAM", "U1KIM")]

    assert before == [{Role.RESPONDER}, {Role.AUDITOR}]
    assert (sam.roles, kim.roles, sam.is_member, kim.is_member) == (frozenset(), frozenset(), True, False)


async def test_everything_is_asked_at_once(slack: SlackServer, session: aiohttp.ClientSession) -> None:
    """A form opens within three seconds of the click, however many groups give roles."""
    groups = tuple(f"S0{number}" for number in range(4))
    slack.groups = {group: [] for group in groups}
    slack.delays = dict.fromkeys(("auth.test", INFO, GROUP), 0.2)
    started = time.monotonic()
    await directory(slack, session, responders=groups, admins=("U1SAM", *groups)).person("U1SAM", TEAM)

    assert time.monotonic() - started < 0.7
    assert len(slack.calls) == 6


async def test_whoever_cannot_wait_does_not(slack: SlackServer, session: aiohttp.ClientSession) -> None:
    """What comes too late is kept, so that the next try finds it."""
    slack.delays[INFO] = 0.2
    here = directory(slack, session, responders=("*",))
    with pytest.raises(Unidentified, match="in time"):
        await here.person_within(0.05, "U1SAM", TEAM)
    await asyncio.sleep(0.3)

    assert (await here.person_within(0.05, "U1SAM", TEAM)).roles == {Role.RESPONDER}
    assert slack.sent(INFO) == [INFO]


async def test_a_guest_is_told_that_guests_cannot(slack: SlackServer, session: aiohttp.ClientSession) -> None:
    """A role would not help them, so none is spoken of."""
    slack.users["U1SAM"] = SAM | {"is_restricted": True}
    guest = await directory(slack, session, responders=("U1SAM",)).person("U1SAM", TEAM)

    with pytest.raises(NotPermitted, match="only full members") as caught:
        guest.require_for(Act.ACKNOWLEDGE)
    assert "role" not in str(caught.value)


async def test_a_refusal_names_who_may(slack: SlackServer, session: aiohttp.ClientSession) -> None:
    """In a form that Slack shows as names."""
    holders = ("U1KIM", "S0TEAM", "lead@example.com")
    slack.groups["S0TEAM"] = []
    person = await directory(slack, session, responders=holders).person("U1SAM", TEAM)

    with pytest.raises(NotPermitted) as caught:
        person.require(READERS, "read alerts")
    for name in ("<@U1KIM>", "<!subteam^S0TEAM>", "lead@example.com"):
        assert name in str(caught.value)


async def test_admins_are_told_of_trouble_else_the_leads(
    slack: SlackServer, session: aiohttp.ClientSession
) -> None:
    """In whichever way they are named; whoever Slack does not tell of is left out."""
    slack.users = {"U1OPS": {"profile": {"email": "Ops@x.org"}}}
    slack.groups["S0OPS"] = ["U1A", "U1C"]
    lead = ("U1LEAD",)
    every = ("U1A", "S0OPS", "ops@x.org", "W1B", "*", "gone@x.org", "S0GONE")

    assert await directory(slack, session, admins=every).admins() == ["U1A", "U1C", "U1OPS", "W1B"]
    assert await directory(slack, session, engineering_lead=lead).admins() == ["U1LEAD"]
    assert await directory(slack, session, admins=("S0GONE",), engineering_lead=lead).admins() == ["U1LEAD"]
    assert await directory(slack, session, admins=every, engineering_lead=lead).leads() == ["U1LEAD"]
    assert await directory(slack, session, backup_lead=lead).leads() == ["U1LEAD"]
    assert await directory(slack, session, admins=every).leads() == []
    assert await directory(slack, session).admins() == []


async def test_names_are_told_where_slack_knows_them(
    slack: SlackServer, session: aiohttp.ClientSession
) -> None:
    """For texts that must not call anybody, so the others get their bare id; sources and the clock are nobody."""
    slack.users["U1KIM"] = {"profile": {"display_name": "", "real_name": "Kim Roy"}}
    here = directory(slack, session)

    assert await here.names(["U1SAM", "U1KIM", "U1GONE", "datadog", "socmon", ""]) == {
        "U1SAM": "sam",
        "U1KIM": "Kim Roy",
        "U1GONE": "U1GONE",
    }
    slack.always[INFO] = too_many(60)
    assert await directory(slack, session).names(["U1SAM"]) == {"U1SAM": "U1SAM"}


async def test_the_backup_lead_stands_in_where_no_lead_is_known(
    slack: SlackServer, session: aiohttp.ClientSession
) -> None:
    slack.groups["S0LEADS"] = ["U1SAM", "U1KIM"]
    known = directory(slack, session, engineering_lead=("S0LEADS", "U1SAM"), backup_lead=("U1BACK",))
    unknown = directory(slack, session, engineering_lead=("S0GONE",), backup_lead=("sam@example.com",))

    assert await known.leads() == ["U1SAM", "U1KIM"]
    assert await unknown.leads() == ["U1SAM"]
    assert await directory(slack, session).leads() == []


async def test_the_people_of_a_group_are_those_slack_names(
    slack: SlackServer, session: aiohttp.ClientSession
) -> None:
    """Nobody where it does not."""
    slack.groups["S0TEAM"] = ["U1SAM"]

    assert await directory(slack, session).members(["S0TEAM", "S0GONE"]) == {
        "S0TEAM": ("U1SAM",),
        "S0GONE": (),
    }
