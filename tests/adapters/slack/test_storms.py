"""Many alerts at once are one message: one digest, whatever Slack does, and every alert has one place in Slack."""

import random
from datetime import timedelta
from itertools import pairwise
from typing import Any

import aiohttp
import pytest

from bot.adapters.slack.projector import Budget
from bot.domain.alert import Change, Severity
from bot.domain.storm import EVERY, Storm, StormRule
from bot.domain.thread import SlackRoute, SlackRoutes
from bot.procedures import respond_to_alert
from bot.procedures.show_alert import release_leases, reroute_threads
from bot.procedures.show_storm import digest_shown, reroute_storms, take_tasks
from tests.adapters.slack.stage import HISTORY, POST, UPDATE, Stage, archived, key_of
from tests.reports import NOTE, SAM
from tests.slack_server import (
    BROKEN,
    CUT,
    LOST,
    NO_JSON,
    SILENT,
    SILENT_BUT_DONE,
    Fault,
    says,
    slack_server,
    too_many,
)
from tests.world import MovableClock, open_database

RULE = StormRule()
TWO_CHANNELS = SlackRoutes(
    default=SlackRoute(channel="C0ALERTS"), rules=[SlackRoute(channel="C0TWO", component="two")]
)


@pytest.fixture
def storms(stage: Stage) -> Stage:
    """A stage on which many alerts become one message."""
    stage.storms = RULE
    stage.projector = stage.new_projector()
    return stage


async def receive_many(stage: Stage, number: int, **facts: Any) -> None:
    for at in range(number):
        await stage.receive(f"{facts.get('component', '')}-{facts.get('severity', '')}-{at}", **facts)


def parents(stage: Stage, channel: str = "") -> list[str]:
    return [key_of(each) for each in stage.slack.parents(channel)]


async def members(stage: Stage, storm_id: int = 1) -> list[int]:
    return await stage.database.read(lambda records: records.storm_members(storm_id))


async def storm(stage: Stage, storm_id: int = 1) -> Storm:
    return await stage.database.read(lambda records: records.storm(storm_id))


async def check_places(stage: Stage) -> None:
    """Each alert is shown in one place that stands in Slack, and its record names it."""
    standing = {(each["channel"], each["ts"]) for each in stage.slack.parents()}

    def places(records: Any) -> list[tuple[int, set[tuple[str, str]], list[tuple[str, str]]]]:
        found = []
        for alert in records.find_alerts(most=10_000):
            thread = records.thread(alert.id)
            home = records.storm(thread.storm_id) if thread.storm_id else thread
            announced = [
                (moment.facts["channel"], moment.facts["ts"])
                for moment in records.timeline(alert.id)
                if moment.kind == "announced"
            ]
            found.append((alert.id, {(home.channel, home.ts or "")}, announced))
        return found

    for alert_id, place, announced in await stage.database.read(places):
        assert place <= standing, f"A-{alert_id} is nowhere in Slack"
        assert {announced[-1]} == place, f"A-{alert_id}'s record names another place"


# It begins


async def test_eleven_alerts_at_once_are_one_message(storms: Stage) -> None:
    """Grouped by component, the first cause first, with counts; nobody is asked to read eleven messages."""
    await receive_many(storms, 1, component="prod-db-1", title="CPU high")
    await receive_many(storms, 10, component="eks-prod-1")
    await storms.settle()

    [digest] = storms.slack.parents()
    text = str(digest["blocks"])
    assert key_of(digest) == "S-1"
    assert "Alert storm · 11 alerts since" in text
    assert text.index("Began with A-1: *prod-db-1*") < text.index("eks-prod-1: 10 alerts")
    assert "Acknowledge all 11" in text
    assert "<@U1SAM>" in digest["text"], "whoever is on call is called, once"
    assert await storms.lag() == 0
    await check_places(storms)


async def test_ten_alerts_are_ten_messages(storms: Stage) -> None:
    await receive_many(storms, 10)
    await storms.settle(9)

    assert parents(storms) == [f"A-{number}" for number in range(1, 10)]


async def test_without_a_rule_there_are_no_storms(stage: Stage) -> None:
    await receive_many(stage, 30)
    await stage.settle()

    assert len(parents(stage)) == 30


async def test_a_channel_without_a_storm_is_not_touched_by_one(storms: Stage) -> None:
    await receive_many(storms, 20, routes=TWO_CHANNELS)
    await receive_many(storms, 2, component="two", routes=TWO_CHANNELS)
    await storms.settle()

    assert (parents(storms, "C0ALERTS"), parents(storms, "C0TWO")) == (["S-1"], ["A-21", "A-22"])


async def test_what_has_a_message_of_its_own_keeps_it(storms: Stage) -> None:
    """Also when Slack's answer to it is lost just as the storm begins."""
    await receive_many(storms, 1, component="first")
    await storms.settle()
    storms.slack.fail(POST, LOST)
    await receive_many(storms, 1, component="second")
    storms.clock.move(1)
    await storms.look()
    await receive_many(storms, 20, component="rest")
    await storms.settle()

    assert sorted(parents(storms)) == ["A-1", "A-2", "S-1"]
    assert await members(storms) == list(range(3, 23))
    await check_places(storms)


async def test_the_first_five_most_severe_keep_their_own_thread(storms: Stage) -> None:
    """Each of them has to be seen at once; the digest says which they are."""
    await receive_many(storms, 20, component="rest")
    await receive_many(storms, 8, component="bad", severity=Severity.SEV1)
    await storms.settle()

    assert parents(storms) == ["S-1", *(f"A-{number}" for number in range(21, 26))]
    assert (await storm(storms)).spared == tuple(range(21, 26))
    storms.clock.move(15)
    await storms.settle()
    assert "A-21, A-22, A-23, A-24, A-25 (SEV1) have their own thread" in str(storms.slack.parents()[0])
    await check_places(storms)


async def test_alerts_that_wait_too_long_become_a_storm(storms: Stage) -> None:
    """Slack was away for a moment: six alerts late are one message."""
    storms.slack.always[POST] = says("internal_error")
    await receive_many(storms, 1, component="x")
    await storms.look()
    await receive_many(storms, 6)
    storms.clock.move(11)
    await storms.look()
    del storms.slack.always[POST]
    await storms.settle()

    assert sorted(parents(storms)) == ["A-1", "S-1"]
    await check_places(storms)


async def test_one_storm_takes_in_all_that_waits_while_slack_is_away(storms: Stage) -> None:
    """An hour without Slack, a trickle of alerts: one digest afterwards, not one each five minutes."""
    storms.slack.always[POST] = BROKEN
    for number in range(30):
        await receive_many(storms, 1, component=f"c{number}")
        await storms.look()
        storms.clock.move(120)
    del storms.slack.always[POST]
    await storms.settle(200)

    assert sum(key.startswith("S-") for key in parents(storms)) == 1
    assert len(parents(storms)) <= 2
    await check_places(storms)


# It goes on


async def test_a_digest_is_updated_in_place_at_most_every_fifteen_seconds(storms: Stage) -> None:
    """Eight alerts a second for a minute: one post and four updates."""
    times = []
    for at in range(480):
        await receive_many(storms, 1, component=f"c{at % 7}-{at}")
        before = len(storms.slack.given(UPDATE))
        await storms.look()
        times += [storms.clock.now()] * (len(storms.slack.given(UPDATE)) - before)
        storms.clock.move(0.125)
    storms.clock.move(15)
    await storms.settle()

    assert parents(storms).count("S-1") == 1
    assert all(later - earlier >= EVERY for earlier, later in pairwise(times))
    assert 3 <= len(times) <= 4
    assert f"{len(await members(storms))} alerts since" in str(storms.slack.parents())
    assert len(parents(storms)) < 5
    await check_places(storms)


async def test_what_people_do_shows_in_the_digest_and_is_told_in_no_thread(storms: Stage) -> None:
    await receive_many(storms, 12)
    await storms.settle()
    await storms.database.write(respond_to_alert.acknowledge, 3, by=SAM)
    await storms.database.write(respond_to_alert.resolve, 4, by=SAM, resolution=NOTE)
    await storms.receive("--5", Change.RECOVERED)
    storms.clock.move(15)
    await storms.settle()

    [digest] = storms.slack.parents()
    assert "10 not acknowledged, 1 acknowledged, 1 resolved · 1 recovered, note needed" in str(digest)
    assert "Acknowledge all 10" in str(digest)
    assert storms.slack.replies() == []
    kinds = [m.kind for m in await storms.database.read(lambda records: records.timeline(3))]
    assert kinds == ["triggered", "announced", "acknowledged"]


async def test_it_is_over_by_itself_and_says_so(storms: Stage) -> None:
    """Single threads resume; the digest stays, and goes on showing how its alerts stand."""
    await receive_many(storms, 12)
    await storms.settle()
    storms.clock.move(RULE.window.total_seconds() + 1)
    await storms.look()
    await receive_many(storms, 1, component="later")
    await storms.settle()

    assert parents(storms) == ["S-1", "A-13"]
    assert "Alert storm over · 12 alerts" in str(storms.slack.parents()[0])
    for number in range(1, 13):
        await storms.database.write(respond_to_alert.resolve, number, by=SAM, resolution=NOTE)
    storms.clock.move(15)
    await storms.settle()
    assert "All are resolved." in str(storms.slack.parents()[0])
    assert "Acknowledge" not in str(storms.slack.parents()[0]["blocks"][-1])


async def test_the_next_storm_is_another_one(storms: Stage) -> None:
    await receive_many(storms, 12)
    await storms.settle()
    storms.clock.move(600)
    await storms.look()
    await receive_many(storms, 12, component="again")
    await storms.settle(100)

    assert parents(storms) == ["S-1", "S-2"]
    assert await members(storms, 2) == list(range(13, 25))


async def test_a_storm_ends_when_storms_are_switched_off(storms: Stage) -> None:
    await receive_many(storms, 12)
    await storms.settle()
    storms.storms = None
    storms.projector = storms.new_projector()
    await receive_many(storms, 2, component="later")
    storms.clock.move(15)
    await storms.settle()

    assert parents(storms) == ["S-1", "A-13", "A-14"]
    assert "Alert storm over" in str(storms.slack.parents()[0])


# Whatever Slack does

UNKNOWN = {
    "500": BROKEN,
    "a gateway's page": NO_JSON,
    "cut": CUT,
    "silent": SILENT,
    "done, but the answer was lost": LOST,
    "done, but too slow": SILENT_BUT_DONE,
    "done, but 500": Fault(status=500, error="internal_error", does_it=True),
}


@pytest.mark.parametrize("fault", UNKNOWN.values(), ids=UNKNOWN.keys())
async def test_after_an_unknown_outcome_there_is_no_second_digest(storms: Stage, fault: Fault) -> None:
    """What was lost is looked for before it is sent again; what it shows is brought up to date."""
    storms.slack.fail(POST, fault)
    await receive_many(storms, 12)
    await storms.look()
    await receive_many(storms, 5, component="meanwhile")
    await storms.settle()

    assert HISTORY in storms.slack.sent()
    assert parents(storms) == ["S-1"]
    assert "17 alerts since" in str(storms.slack.parents()[0])
    await check_places(storms)


async def test_a_digest_lost_with_the_process_is_found_by_the_next_one(storms: Stage) -> None:
    """Killed between sending and storing."""
    await receive_many(storms, 12)
    [task] = await storms.database.write(
        take_tasks, lease="killed", busy_channels=[], updates_allowed=True, except_alerts=[], storms=RULE
    )
    message = storms.projector._digest(task)  # type: ignore[arg-type] # noqa: SLF001
    await storms.projector._show(task, message)  # noqa: SLF001
    assert await storms.database.write(release_leases) == 1
    storms.projector = storms.new_projector()
    assert not await storms.look(), "the dead process's message may still arrive"
    storms.clock.move(14)
    await storms.settle()

    assert parents(storms) == ["S-1"]
    await check_places(storms)


async def test_a_replica_that_lost_the_lease_stores_nothing(storms: Stage) -> None:
    await receive_many(storms, 12)
    wanted: dict[str, Any] = {"busy_channels": [], "updates_allowed": True, "except_alerts": []}
    [paused] = await storms.database.write(take_tasks, lease="one", storms=RULE, **wanted)
    storms.clock.move(16)
    [taken_over] = await storms.database.write(take_tasks, lease="other", storms=RULE, **wanted)

    assert taken_over.lost == "S-1"
    assert isinstance(paused.thread, Storm)
    posted = paused.thread.posted("1.1", revision=1, now=storms.clock.now())
    assert not await storms.database.write(digest_shown, posted, [1, 2])
    assert (await storm(storms)).ts is None


@pytest.mark.parametrize("fault", [too_many(3), BROKEN, CUT], ids=["429", "500", "cut"])
async def test_an_update_that_fails_is_sent_again(storms: Stage, fault: Fault) -> None:
    await receive_many(storms, 12)
    await storms.settle()
    storms.slack.fail(UPDATE, fault)
    await storms.database.write(respond_to_alert.acknowledge, 3, by=SAM)
    storms.clock.move(15)
    await storms.settle()

    assert "11 not acknowledged" in str(storms.slack.parents()[0])
    assert parents(storms) == ["S-1"]


async def test_without_the_history_scope_a_second_digest_says_so(storms: Stage) -> None:
    storms.slack.always[HISTORY] = says("missing_scope")
    storms.slack.fail(POST, LOST)
    await receive_many(storms, 12)
    await storms.settle()

    assert parents(storms) == ["S-1", "S-1"]
    assert "possible duplicate" in str(storms.slack.parents()[1])


async def test_a_deleted_digest_is_posted_anew(storms: Stage) -> None:
    await receive_many(storms, 12)
    await storms.settle()
    storms.slack.messages.clear()
    await storms.database.write(respond_to_alert.acknowledge, 1, by=SAM)
    storms.clock.move(15)
    await storms.settle()

    assert parents(storms) == ["S-1"]
    await check_places(storms)


async def test_a_storm_in_a_closed_channel_goes_to_the_default_one(storms: Stage) -> None:
    """There its alerts are alerts like others: they join the storm that rages there."""
    storms.slack.refuses = archived("C0TWO")
    await receive_many(storms, 12, routes=TWO_CHANNELS)
    await receive_many(storms, 20, component="two", routes=TWO_CHANNELS)
    await storms.settle(100)

    assert parents(storms) == ["S-1"]
    assert len(await members(storms)) == 32
    assert await storms.problems() == ["slack:channel:C0TWO"]
    await check_places(storms)


async def test_a_storm_in_the_default_channel_waits_until_it_is_open(storms: Stage) -> None:
    storms.slack.always[POST] = says("is_archived")
    await receive_many(storms, 12)
    await storms.settle(30)
    assert await storms.problems() == ["slack:channel:C0ALERTS"]
    assert await storms.lag() == 1

    del storms.slack.always[POST]
    await storms.settle(100)
    assert (parents(storms), await storms.problems()) == (["S-1"], [])


async def test_a_storm_that_waits_for_a_closed_channel_follows_a_new_configuration(storms: Stage) -> None:
    storms.slack.refuses = archived("C0ALERTS")
    await receive_many(storms, 12)
    await storms.settle(30)
    routes = SlackRoutes(default=SlackRoute(channel="C0NEW"))
    await storms.database.write(reroute_threads, routes)
    assert await storms.database.write(reroute_storms, routes) == 12
    await storms.settle()

    assert parents(storms, "C0NEW") == ["S-2"]
    assert await storms.problems() == []
    await check_places(storms)


@pytest.mark.parametrize(
    "damage",
    ["DELETE FROM alert WHERE id = 1", "UPDATE alert SET severity = 'SEV0' WHERE id = 1"],
    ids=["gone", "of another version"],
)
async def test_an_alert_that_cannot_be_read_stops_no_digest(storms: Stage, damage: str) -> None:
    await receive_many(storms, 12)
    with storms.database.writing.begin() as connection:
        connection.exec_driver_sql(damage)
    await storms.settle()

    assert parents(storms) == ["S-1"]
    assert "Began with A-2" in str(storms.slack.parents()[0])


# The whole thing


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (2, 3))])
async def test_five_hundred_alerts_in_a_minute(sqlite_url: str, seed: int) -> None:
    """Under Slack's own limits, with answers lost and the process killed: at most 20 messages, all is on record."""
    chance = random.Random(seed)
    clock = MovableClock()
    database = open_database(sqlite_url, clock)
    async with (
        slack_server() as slack,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.3)) as session,
    ):
        stage = Stage(database, slack, clock)
        stage.client.session, stage.storms = session, RULE
        stage.projector = stage.new_projector(Budget())
        critical = chance.randrange(40, 60)
        since, seen_after = 0.0, None
        for number in range(500):
            severe = number == critical or (number > critical and number % 10 == 0)
            severity = Severity.SEV1 if severe else Severity.SEV3
            if number == critical:
                since = clock.elapsed
            await stage.receive(f"p{number}", component=f"host-{number % 9}", severity=severity)
            if chance.random() < 0.1:
                slack.fail(POST, chance.choice([LOST, CUT, BROKEN, too_many(1)]))
            if chance.random() < 0.02:  # killed: the next process begins anew
                await database.write(release_leases)
                stage.projector = stage.new_projector(Budget())
            await stage.look()
            if seen_after is None and f"A-{critical + 1}" in map(key_of, slack.parents()):
                seen_after = clock.elapsed - since
            clock.move(0.12)
        slack.faults.clear()
        await stage.settle(600)

        keys = parents(stage)
        assert len(keys) == len(set(keys)) <= 20
        assert sum(key.startswith("S-") for key in keys) == 1
        log = await database.read(lambda records: records.find_alerts(most=1000))
        assert len(log) == 500
        await check_places(stage)
        assert seen_after is not None, "the first critical alert has a thread of its own"
        assert await stage.lag() == 0
    database.close()


async def test_the_first_critical_alert_of_a_storm_is_seen_within_five_seconds(storms: Stage) -> None:
    """Whenever in the storm it comes, with Slack in order."""
    since = 0.0
    for number in range(200):
        severity = Severity.SEV1 if number == 100 else Severity.SEV4
        await storms.receive(f"p{number}", severity=severity)
        if number == 100:
            since = storms.clock.elapsed
        await storms.look()
        if "A-101" in parents(storms):
            break
        storms.clock.move(0.12)

    assert storms.clock.elapsed - since < 5


async def test_a_storm_counts_as_lag_while_slack_does_not_show_it(storms: Stage) -> None:
    storms.slack.always[POST] = BROKEN
    await receive_many(storms, 50)
    await storms.look()
    storms.clock.move(100)

    number, since = await storms.database.read(lambda records: records.lag())
    assert (number, since) == (1, storms.clock.now() - timedelta(seconds=100))
