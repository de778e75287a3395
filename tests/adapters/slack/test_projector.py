"""Slack is kept in step with the records: latest state, most severe first, one parent, whatever Slack does."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.adapters.slack import web
from bot.adapters.slack.projector import Budget
from bot.adapters.slack.web import SlackWeb
from bot.domain.alert import Change, Severity
from bot.domain.errors import Unavailable
from bot.domain.thread import SlackRoute, SlackRoutes
from bot.procedures import respond_to_alert
from bot.procedures.show_alert import MOST_TOLD, release_leases, report_problem, reroute_threads, take_tasks
from tests.adapters.slack.stage import HISTORY, POST, REPLIES, UPDATE, Stage, archived, key_of, until
from tests.reports import KIM, NOTE, SAM
from tests.slack_server import (
    BROKEN,
    CUT,
    LOST,
    NO_JSON,
    SILENT,
    SILENT_BUT_DONE,
    Fault,
    says,
    too_many,
)

TWO_CHANNELS = SlackRoutes(
    default=SlackRoute(channel="C0ONE"), rules=[SlackRoute(channel="C0TWO", component="two")]
)


# In step


async def test_an_alert_is_posted_updated_and_told(stage: Stage) -> None:
    """A new alert is a parent; what happens to it changes the parent first, then is told in its thread."""
    await stage.receive()
    await stage.settle()
    await stage.database.write(respond_to_alert.acknowledge, 1, by=SAM)
    await stage.database.write(respond_to_alert.resolve, 1, by=SAM, resolution=NOTE)
    await stage.settle()

    assert stage.slack.sent() == [POST, UPDATE, POST]
    [parent], [reply] = stage.slack.parents(), stage.slack.replies()
    assert reply["thread_ts"] == parent["ts"]
    assert parent["metadata"] == {"event_type": "socmon_alert", "event_payload": {"key": "A-1"}}
    assert "esolved" in parent["text"]
    assert "triggered" not in reply["text"]
    assert not parent["unfurl_links"]
    assert await stage.lag() == 0


async def test_who_has_just_acted_is_shown_and_not_called(stage: Stage) -> None:
    """Sam reopens an alert, and Kim takes one before Slack shows it: they are named there, others are called.

    Two minutes later it is news to them as well.
    """
    routes = SlackRoutes(default=SlackRoute(channel="C0ALERTS", on_call=("U1SAM", "U1ANA")))
    await stage.receive(routes=routes)
    await stage.settle()
    assert "<@U1SAM> <@U1ANA>" in stage.slack.parents()[0]["text"]
    await stage.database.write(respond_to_alert.resolve, 1, by=SAM, resolution=NOTE)
    await stage.database.write(respond_to_alert.reopen, 1, by=SAM, reason="It is back after ten minutes")
    await stage.receive("taken", routes=routes)
    await stage.database.write(respond_to_alert.acknowledge, 3, by=KIM)
    await stage.settle()
    _, reopened, taken = stage.slack.parents()

    assert "On call U1Sam <@U1ANA>" in reopened["text"]
    assert "<@U1SAM>" not in str(reopened["blocks"])
    assert "<@U1KIM>" not in str(taken)
    assert "acknowledged by U1Kim" in taken["text"]
    stage.clock.move(121)
    await stage.receive("old", routes=routes)
    await stage.settle()
    assert "<@U1SAM>" in stage.slack.parents()[-1]["text"]


async def test_the_intent_is_stored_before_the_request_goes_out(stage: Stage) -> None:
    """When Slack reads the message, the database knows its key: so no crash in between is unknown."""
    await stage.receive()
    known: list[str | None] = []
    do: Callable[[str, dict[str, Any]], dict[str, Any]] = stage.slack._do  # noqa: SLF001

    def remember(method: str, given: dict[str, Any]) -> dict[str, Any]:
        known.append(stage.database.read_now(lambda records: records.thread(1)).intent)
        return do(method, given)

    stage.slack._do = remember  # type: ignore[method-assign] # noqa: SLF001
    await stage.look()

    assert known == ["A-1"]


async def test_a_hundred_changes_cost_one_update_and_one_reply(stage: Stage) -> None:
    """Slack sees how things stand, not each step."""
    await stage.receive()
    await stage.settle()
    for number in range(100):
        change = Change.RECOVERED if number % 2 == 0 else Change.TRIGGERED
        await stage.receive("p", change)
        stage.clock.move(0.001)
    await stage.settle()

    assert stage.slack.sent() == [POST, UPDATE, POST]


async def test_the_most_severe_is_posted_first(stage: Stage) -> None:
    """Parents by severity; updates and replies of older alerts come after all of them."""
    await stage.receive("old", severity=Severity.SEV1)
    await stage.settle()
    await stage.database.write(respond_to_alert.acknowledge, 1, by=SAM)
    for key, severity in (("low", Severity.SEV4), ("high", Severity.SEV1), ("middle", Severity.SEV3)):
        await stage.receive(key, severity=severity)
    await stage.settle()

    order = [given["metadata"]["event_payload"]["key"] for given in stage.slack.given(POST)]
    assert order[:4] == ["A-1", "A-3", "A-4", "A-2"]
    assert order[4].startswith("A-1:")


async def test_nothing_to_do_asks_nothing_of_slack(stage: Stage) -> None:
    """No polling of Slack."""
    assert not await stage.look()
    assert stage.slack.calls == []


# Budgets


async def test_a_channel_gets_one_message_a_second(stage: Stage) -> None:
    """Ten alerts take ten seconds, and no look in between sends more."""
    for number in range(10):
        await stage.receive(f"p{number}")
    sent = []
    for _ in range(48):
        await stage.look()
        sent.append(len(stage.slack.calls))
        stage.clock.move(0.25)

    assert sent[-1] == 10
    assert all(sent[at + 4] - sent[at] <= 1 for at in range(44))


async def test_a_workspace_gets_fifty_updates_a_minute(stage: Stage) -> None:
    """A burst is welcome, the minute's sum is not exceeded, wherever the minute begins."""
    stage.projector = stage.new_projector(Budget(posts_per_second=1000, updates_per_minute=50))
    for number in range(80):
        await stage.receive(f"p{number}")
    await stage.settle(tick=0.01)
    times = []
    for number in range(1, 81):
        await stage.database.write(respond_to_alert.acknowledge, number, by=SAM)
    for _ in range(600):
        before = len(stage.slack.given(UPDATE))
        await stage.look()
        times += [stage.clock.elapsed] * (len(stage.slack.given(UPDATE)) - before)
        stage.clock.move(0.25)

    assert len(times) == 80
    assert max(sum(start <= at < start + 60 for at in times) for start in times) <= 50
    assert times[50] - times[0] < 75


async def test_channels_do_not_wait_for_each_other(stage: Stage) -> None:
    """One channel hangs, the other gets its alerts."""
    await stage.receive("a", component="one", routes=TWO_CHANNELS)
    stage.slack.fail(POST, SILENT)
    hanging = asyncio.ensure_future(stage.look())
    await until(lambda: stage.slack.calls)
    await stage.receive("b", component="two", routes=TWO_CHANNELS)

    await stage.projector._cycle()  # noqa: SLF001
    await until(lambda: len(stage.slack.calls) == 2)

    assert [call.given["channel"] for call in stage.slack.calls] == ["C0ONE", "C0TWO"]
    assert not hanging.done()
    await hanging


@pytest.mark.parametrize("method", [POST, UPDATE])
async def test_slack_asks_to_wait_and_is_obeyed(stage: Stage, method: str) -> None:
    """Not before Retry-After, and being asked to wait is no failed attempt."""
    if method == UPDATE:
        await stage.receive()
        await stage.settle()
        await stage.database.write(respond_to_alert.acknowledge, 1, by=SAM)
        stage.clock.move(1)
    else:
        await stage.receive()
    stage.slack.calls.clear()
    stage.slack.fail(method, too_many(30))
    await stage.look()
    for _ in range(29):
        stage.clock.move(1)
        await stage.look()
    waited = stage.slack.sent(method)
    attempts = (await stage.thread()).attempts
    stage.clock.move(2)
    await stage.look()

    assert (waited, attempts) == ([method], 0)
    assert stage.slack.sent(method) == [method, method]
    await stage.settle()
    assert len(stage.slack.parents()) == 1


async def test_while_one_channel_waits_the_other_goes_on(stage: Stage) -> None:
    """A rate limit of posts is a channel's own."""
    stage.slack.fail(POST, too_many(60))
    await stage.receive("a", component="one", routes=TWO_CHANNELS)
    await stage.look()
    await stage.receive("b", component="one", routes=TWO_CHANNELS)
    await stage.receive("c", component="two", routes=TWO_CHANNELS)
    await stage.settle(10)

    assert [call.given["channel"] for call in stage.slack.calls] == ["C0ONE", "C0TWO"]


# Unknown outcomes

UNKNOWN = {
    "500": BROKEN,
    "a gateway's page": NO_JSON,
    "cut": CUT,
    "silent": SILENT,
    "done, but the answer was lost": LOST,
    "done, but too slow": SILENT_BUT_DONE,
    "done, but 500": Fault(status=500, error="internal_error", does_it=True),
    "fatal_error": says("fatal_error"),
}


@pytest.mark.parametrize("fault", UNKNOWN.values(), ids=UNKNOWN.keys())
async def test_after_an_unknown_outcome_socmon_looks_before_it_posts_again(
    stage: Stage, fault: Fault
) -> None:
    """The message may be there or not: in the end there is exactly one parent."""
    stage.slack.fail(POST, fault)
    await stage.receive()
    await stage.settle()

    assert stage.slack.sent()[:2] == [POST, "auth.test"]
    assert stage.slack.sent().count(POST) == (1 if fault.does_it else 2)
    assert stage.slack.sent().index(HISTORY) == 2
    assert len(stage.slack.parents()) == 1
    assert (await stage.thread()).ts == stage.slack.parents()[0]["ts"]
    assert not (await stage.thread()).possible_duplicate


@pytest.mark.parametrize(
    "fault", [BROKEN, CUT, LOST, SILENT_BUT_DONE], ids=["500", "cut", "lost", "too slow"]
)
async def test_a_reply_is_not_told_twice_either(stage: Stage, fault: Fault) -> None:
    """The same look, in the thread."""
    await stage.receive()
    await stage.settle()
    await stage.database.write(respond_to_alert.acknowledge, 1, by=SAM)
    stage.slack.fail(POST, fault)
    await stage.settle()

    assert REPLIES in stage.slack.sent()
    assert len(stage.slack.replies()) == 1


async def test_a_lost_reply_and_news_after_it_are_each_told_once(stage: Stage) -> None:
    """More happens while the outcome is unknown: the parent is updated, the rest is told in a second reply."""
    await stage.receive()
    await stage.settle()
    await stage.database.write(respond_to_alert.acknowledge, 1, by=SAM)
    stage.slack.fail(POST, LOST)
    await stage.look()
    stage.clock.move(1)
    await stage.look()
    await stage.database.write(respond_to_alert.resolve, 1, by=KIM, resolution=NOTE)
    await stage.settle()

    texts = [reply["text"] for reply in stage.slack.replies()]
    assert len(texts) == 2
    assert "acknowledged" in texts[0]
    assert "acknowledged" not in texts[1]


async def test_an_answer_lost_with_the_process_is_looked_for_by_the_next_one(stage: Stage) -> None:
    """Killed between sending and storing: the next projector adopts the message."""
    stage.slack.fail(POST, LOST)
    await stage.receive()
    [task] = await stage.database.write(
        take_tasks, lease="killed", busy_channels=[], updates_allowed=True, except_alerts=[]
    )
    message = stage.projector._parent(task, task.thread)  # noqa: SLF001
    with pytest.raises(web.NoAnswer):
        await SlackWeb(stage.client).post("C0ALERTS", message, key="A-1")
    stage.clock.move(20)
    stage.projector = stage.new_projector()
    await stage.settle()

    assert len(stage.slack.parents()) == 1
    assert await stage.lag() == 0


async def test_the_look_goes_through_all_pages(stage: Stage) -> None:
    """Others post as well, and a busy channel's history comes in parts."""
    stage.slack.pages = 2
    stage.slack.fail(POST, LOST)
    await stage.receive()
    await stage.look()
    for number in range(7):
        stage.slack.messages.append({"channel": "C0ALERTS", "ts": f"1764000001.{number:06}", "user": "U1SAM"})
    await stage.settle()

    assert stage.slack.sent().count(HISTORY) > 3
    assert stage.slack.sent().count(POST) == 1


async def test_nobody_elses_message_is_taken_for_ours(stage: Stage) -> None:
    """Metadata can be written by any app; only our own user's or bot's message counts."""
    stage.slack.messages.append(
        {
            "channel": "C0ALERTS",
            "ts": "1764000000.900001",
            "user": "U0EVIL",
            "bot_id": "B0EVIL",
            "metadata": {"event_type": "socmon_alert", "event_payload": {"key": "A-1"}},
        }
    )
    stage.slack.fail(POST, CUT)
    await stage.receive()
    await stage.settle()

    assert stage.slack.sent().count(POST) == 2
    assert (await stage.thread()).ts != "1764000000.900001"


async def test_without_the_history_scope_a_duplicate_is_possible_and_said(stage: Stage) -> None:
    """Rather a second message than none: the alert carries a notice, and nothing more is sent than needed."""
    stage.slack.always[HISTORY] = says("missing_scope")
    stage.slack.fail(POST, LOST)
    await stage.receive()
    await stage.settle()

    first, second = stage.slack.parents()
    assert (await stage.thread()).possible_duplicate
    assert (await stage.thread()).ts == second["ts"]
    assert "possible duplicate" not in str(first["blocks"])
    assert "possible duplicate" in str(second["blocks"])
    assert stage.slack.sent(POST, UPDATE) == [POST, POST]
    assert await stage.problems() == []


LOOK_FAILS = {
    "rate limit": too_many(5),
    "500": BROKEN,
    "not in the channel": says("not_in_channel"),
    "token revoked": says("token_revoked"),
    "silent": SILENT,
}


@pytest.mark.parametrize("fault", LOOK_FAILS.values(), ids=LOOK_FAILS.keys())
async def test_a_look_that_fails_proves_nothing(stage: Stage, fault: Fault) -> None:
    """The lost message may still be there: socmon looks again, and does not post before it could look."""
    stage.slack.fail(POST, LOST)
    stage.slack.fail(HISTORY, fault, fault)
    await stage.receive()
    await stage.settle(200)

    assert stage.slack.sent().count(HISTORY) == 3
    assert len(stage.slack.parents()) == 1
    assert await stage.lag() == 0
    assert await stage.problems() == []


async def test_a_rate_limited_look_does_not_hold_up_the_channel(stage: Stage) -> None:
    """Others' alerts are posted meanwhile."""
    stage.slack.fail(POST, LOST)
    stage.slack.fail(HISTORY, too_many(600))
    await stage.receive("p")
    await stage.settle(5)
    await stage.receive("q")
    await stage.settle(5)

    assert {each["metadata"]["event_payload"]["key"] for each in stage.slack.parents()} == {"A-1", "A-2"}


async def test_what_writes_is_one_request_on_the_wire(stage: Stage) -> None:
    """The SDK sends nothing again by itself when the connection ends after the request was read."""
    client = stage.client
    calls: dict[str, Any] = {
        POST: client.chat_postMessage(channel="C0", text="x"),
        UPDATE: client.chat_update(channel="C0", ts="1", text="x"),
        "conversations.open": client.conversations_open(users=["U1"]),
        "views.open": client.views_open(trigger_id="1", view={}),
        "views.publish": client.views_publish(user_id="U1", view={}),
    }
    for method, call in calls.items():
        stage.slack.always[method] = CUT
        with pytest.raises(web.NoAnswer):
            await web.answer_of(call)

    assert stage.slack.sent() == list(calls)


# Refusals


@pytest.mark.parametrize("error", ["channel_not_found", "is_archived", "not_in_channel", "restricted_action"])
async def test_a_closed_channel_is_a_problem_until_it_is_open_again(stage: Stage, error: str) -> None:
    """Told once, shown in status, tried again by itself, and gone from status when it works."""
    stage.slack.fail(POST, *[says(error)] * 3)
    await stage.receive()
    await stage.look()
    during = await stage.problems()
    await stage.settle(200)

    assert during == ["slack:channel:C0ALERTS"]
    assert stage.alarms == ["slack:channel:C0ALERTS"]
    assert await stage.problems() == []
    assert len(stage.slack.parents()) == 1
    assert stage.slack.sent() == [POST] * 4, "a refused message does not exist, so nothing is looked for"


@pytest.mark.parametrize("error", ["invalid_auth", "token_revoked", "account_inactive", "missing_scope"])
async def test_a_dead_token_is_a_problem_until_it_lives_again(stage: Stage, error: str) -> None:
    """Nobody sees alerts in Slack then, so the operators are told; alerts wait in the records."""
    stage.slack.fail(POST, *[says(error)] * 2)
    await stage.receive()
    await stage.look()
    during = await stage.problems()
    await stage.settle(200)

    assert (during, stage.alarms) == (["slack:token"], ["slack:token"])
    assert await stage.problems() == []
    assert len(stage.slack.parents()) == 1


async def test_alerts_of_a_closed_channel_go_to_the_default_one(stage: Stage) -> None:
    """An alert must be seen; the channel is a problem until something can be posted there again."""
    stage.slack.refuses = archived("C0TWO")
    await stage.receive(component="two", routes=TWO_CHANNELS)
    await stage.settle()

    [parent] = stage.slack.parents()
    assert parent["channel"] == "C0ALERTS"
    assert await stage.problems() == ["slack:channel:C0TWO"]

    stage.slack.refuses = archived()
    await stage.receive("next", component="two", routes=TWO_CHANNELS)
    await stage.settle()
    assert await stage.problems() == []


async def test_what_waits_for_a_closed_channel_follows_a_new_configuration(stage: Stage) -> None:
    """The mend that the problem names works, after a restart."""
    stage.slack.refuses = archived("C0ALERTS")
    await stage.receive()
    await stage.settle(30)
    assert await stage.problems() == ["slack:channel:C0ALERTS"]

    routes = SlackRoutes(default=SlackRoute(channel="C0NEW"))
    assert await stage.database.write(reroute_threads, routes) == 1
    await stage.settle()

    assert [parent["channel"] for parent in stage.slack.parents()] == ["C0NEW"]
    assert await stage.problems() == []
    assert await stage.database.write(reroute_threads, routes) == 0


async def test_messages_refused_for_good_do_not_starve_a_channel(stage: Stage) -> None:
    """They are tried ever more seldom, so the others get their turn."""
    refused = {f"A-{number}" for number in range(1, 13)}
    stage.slack.refuses = lambda method, given: (
        "msg_too_long" if method == POST and key_of(given) in refused else ""
    )
    for number in range(12):
        await stage.receive(f"bad{number}")
    for number in range(20):
        await stage.receive(f"good{number}")
    await stage.settle(150)

    assert len(stage.slack.parents()) == 20
    assert await stage.problems() == ["slack:message:msg_too_long"]


async def test_a_parent_that_can_never_be_updated_keeps_no_reply_back(stage: Stage) -> None:
    await stage.receive()
    await stage.settle()
    stage.slack.always[UPDATE] = says("edit_window_closed")
    await stage.database.write(respond_to_alert.acknowledge, 1, by=SAM)
    await stage.settle(900, tick=5)

    assert len(stage.slack.replies()) == 1
    assert stage.alarms == ["slack:message:edit_window_closed"]
    assert await stage.lag() == 0


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM alert WHERE id = 1",
        "UPDATE alert SET severity = 'SEV0' WHERE id = 1",
    ],
    ids=["gone", "of another version"],
)
async def test_an_alert_that_cannot_be_read_stops_no_other(stage: Stage, damage: str) -> None:
    """…and is a visible problem until it can."""
    await stage.receive("damaged", severity=Severity.SEV1)
    await stage.receive("whole")
    with stage.database.writing.begin() as connection:
        connection.exec_driver_sql(damage)
    await stage.settle(30)

    assert [key_of(parent) for parent in stage.slack.parents()] == ["A-2"]
    assert await stage.problems() == ["records:A-1"]


async def test_a_dead_processs_post_may_still_arrive_after_the_restart(stage: Stage) -> None:
    """Before a new process looks for it, the time is over in which Slack may still carry it out."""
    await stage.receive()
    await stage.database.write(
        take_tasks, lease="killed", busy_channels=[], updates_allowed=True, except_alerts=[]
    )
    stage.projector = stage.new_projector()
    assert await stage.database.write(release_leases) == 1
    stage.clock.move(10)
    assert not await stage.look()
    stage.clock.move(4)
    await stage.settle()
    assert stage.slack.sent(HISTORY, POST) == [HISTORY, POST]


async def test_a_late_reply_is_sent_only_by_who_still_has_the_thread(stage: Stage) -> None:
    """Slack took long to tell what people are called; meanwhile another replica has told it."""
    await stage.receive()
    await stage.settle()
    await stage.database.write(respond_to_alert.acknowledge, 1, by=SAM)
    await stage.look()

    async def slow(users: Any) -> dict[str, str]:
        stage.clock.move(20)
        await stage.database.write(
            take_tasks, lease="another", busy_channels=[], updates_allowed=True, except_alerts=[]
        )
        return dict.fromkeys(users, "Sam")

    stage.projector._names = slow  # noqa: SLF001
    stage.clock.move(1)
    await stage.look()

    assert stage.slack.replies() == []


async def test_a_clock_that_was_put_back_holds_nothing_up(stage: Stage) -> None:
    """A back-off that ends in some hours was set under another clock."""
    stage.slack.fail(POST, BROKEN)
    await stage.receive()
    stage.clock.move(3 * 3600)
    await stage.look()
    stage.clock.at -= timedelta(hours=3)
    await stage.settle(30)

    assert len(stage.slack.parents()) == 1


async def test_a_refused_channel_is_not_hammered(stage: Stage) -> None:
    """Six times a minute is enough to notice that it was mended."""
    stage.slack.always[POST] = says("is_archived")
    await stage.receive()
    await stage.settle(301)

    assert 15 <= len(stage.slack.calls) <= 31


async def test_problems_of_an_earlier_process_are_cleared_too(stage: Stage) -> None:
    """A restart forgets nothing: what works again is no problem any more; other problems stay."""
    for subject in ("slack:token", "slack:channel:C0ALERTS", "slack:channel:C0OTHER", "disk"):
        await stage.database.write(report_problem, subject, "mend it")
    stage.projector = stage.new_projector()
    await stage.receive()
    await stage.settle()

    assert await stage.problems() == ["slack:channel:C0OTHER", "disk"]


async def test_problems_that_others_note_are_cleared_as_well(stage: Stage) -> None:
    """Another replica's, or the event that the app was removed: at the latest a minute later."""
    await stage.receive()
    await stage.settle()
    await stage.database.write(report_problem, "slack:token", "revoked")
    stage.clock.move(61)
    await stage.database.write(respond_to_alert.acknowledge, 1, by=SAM)
    await stage.settle()

    assert await stage.problems() == []


async def test_a_deleted_parent_is_posted_anew(stage: Stage) -> None:
    """Whoever deletes the message does not delete the alert."""
    await stage.receive()
    await stage.settle()
    stage.slack.messages.clear()
    await stage.database.write(respond_to_alert.acknowledge, 1, by=SAM)
    await stage.settle()

    [parent] = stage.slack.parents()
    assert "cknowledged" in parent["text"]
    assert (await stage.thread()).ts == parent["ts"]
    assert [reply["thread_ts"] for reply in stage.slack.replies()] == [parent["ts"]]
    assert await stage.problems() == []


async def test_a_parent_that_is_gone_when_a_lost_reply_is_looked_for(stage: Stage) -> None:
    """The thread went with it: the parent is posted anew, and the reply after it."""
    await stage.receive()
    await stage.settle()
    await stage.database.write(respond_to_alert.acknowledge, 1, by=SAM)
    stage.slack.fail(POST, CUT)
    stage.slack.fail(REPLIES, says("thread_not_found"))
    await stage.settle()

    assert len(stage.slack.parents()) == 2
    assert [reply["thread_ts"] for reply in stage.slack.replies()] == [(await stage.thread()).ts]
    assert await stage.problems() == []


@pytest.mark.parametrize("error", ["invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"])
async def test_blocks_that_slack_refuses_do_not_stop_an_alert(stage: Stage, error: str) -> None:
    """It arrives as plain text, which says what is wrong and its number."""
    stage.slack.fail(POST, says(error))
    await stage.receive()
    await stage.settle()
    stage.slack.fail(UPDATE, says(error))
    await stage.database.write(respond_to_alert.acknowledge, 1, by=SAM)
    await stage.settle()

    [parent] = stage.slack.parents()
    assert "blocks" not in stage.slack.given(POST)[1]
    assert stage.slack.given(UPDATE)[1]["blocks"] == [], "else Slack would keep the old ones"
    assert "A-1" in parent["text"]
    assert (parent["metadata"], await stage.lag()) == (stage.slack.given(POST)[0]["metadata"], 0)


async def test_a_message_that_slack_refuses_for_good_stops_no_other(stage: Stage) -> None:
    """It is a problem with a name; the next alerts are posted."""
    stage.slack.fail(POST, says("msg_too_long"))
    await stage.receive("refused")
    await stage.look()
    await stage.receive("next")
    await stage.settle(5)

    assert [each["metadata"]["event_payload"]["key"] for each in stage.slack.parents()] == ["A-2"]
    assert await stage.problems() == ["slack:message:msg_too_long"]
    await stage.settle(60)
    assert await stage.problems() == []


# Faults of our own


async def test_a_database_that_fails_stops_nothing_for_good(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """Posted, and the database did not take note: the message is found again afterwards."""
    await stage.receive()
    healthy = stage.database.write

    async def fail_once(procedure: Any, *args: Any, **kwargs: Any) -> Any:
        if procedure.__name__ == "announced":
            stage.database.write = healthy  # type: ignore[method-assign]
            raise Unavailable("no answer")
        return await healthy(procedure, *args, **kwargs)

    stage.database.write = fail_once  # type: ignore[method-assign]
    await stage.look()
    stage.clock.move(20)
    await stage.settle()

    assert len(stage.slack.parents()) == 1
    assert await stage.lag() == 0
    assert "A-1" in caplog.text


@pytest.mark.parametrize("fault", [too_many(1), BROKEN, says("is_archived")], ids=["429", "500", "refused"])
async def test_nor_when_it_fails_after_slack_did(
    stage: Stage, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    """Both at once: the failure is logged and the thread is taken up again when its lease is over."""
    stage.slack.fail(POST, fault)
    await stage.receive()
    healthy = stage.database.write

    async def fail(procedure: Any, *args: Any, **kwargs: Any) -> Any:
        if procedure.__name__ != "take_tasks":
            raise Unavailable("no answer")
        return await healthy(procedure, *args, **kwargs)

    stage.database.write = fail  # type: ignore[method-assign]
    await stage.look()
    stage.database.write = healthy  # type: ignore[method-assign]
    stage.clock.move(20)
    await stage.settle(100)

    assert "A-1" in caplog.text
    assert len(stage.slack.parents()) == 1


async def test_the_projector_outlives_a_fault_of_its_own(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """It runs for as long as socmon does; an error nobody foresaw is logged, and it goes on."""
    faults = [RuntimeError("nobody foresaw this"), Unavailable("no answer")]
    healthy = stage.database.write

    async def fail_first(procedure: Any, *args: Any, **kwargs: Any) -> Any:
        if faults:
            stage.projector.wake()
            raise faults.pop()
        return await healthy(procedure, *args, **kwargs)

    await stage.receive()
    stage.database.write = fail_first  # type: ignore[method-assign]
    running = asyncio.create_task(stage.projector.run())
    await until(stage.slack.parents)
    running.cancel()
    await asyncio.wait([running])

    assert "nobody foresaw this" in caplog.text


async def test_a_message_that_cannot_be_made_is_a_visible_problem(stage: Stage) -> None:
    """A fault of ours keeps no alert from people without a word, and holds up no other one."""
    await stage.receive("first")
    await stage.receive("second")
    await stage.settle()
    healthy = stage.projector._names  # noqa: SLF001

    async def faulty(_users: Any) -> dict[str, str]:
        raise ValueError("nobody foresaw this")

    stage.projector._names = faulty  # noqa: SLF001
    await stage.database.write(respond_to_alert.acknowledge, 1, by=SAM)
    await stage.settle(10)
    assert stage.alarms == ["slack:message:fault"]
    assert (await stage.thread()).problem == "fault ValueError"

    stage.projector._names = healthy  # noqa: SLF001
    await stage.settle()
    assert await stage.problems() == []
    assert len(stage.slack.replies()) == 1


async def test_a_flapping_source_asks_for_the_note_aloud_once(stage: Stage) -> None:
    """Each later recovery is told, and rings nobody."""
    await stage.receive()
    await stage.settle()
    for _ in range(3):
        stage.clock.move(60)
        await stage.receive("p", Change.RECOVERED)
        await stage.settle()
        stage.clock.move(60)
        await stage.receive("p", Change.TRIGGERED)
        await stage.settle()

    told = [str(reply) for reply in stage.slack.replies() if "What did you find" in str(reply)]
    assert ["<@U1SAM>" in reply for reply in told] == [True, False, False]


@pytest.mark.parametrize("fault", [LOST, CUT], ids=["lost", "cut"])
async def test_a_call_for_the_note_whose_answer_was_lost_rings_once(stage: Stage, fault: Fault) -> None:
    await stage.receive()
    await stage.settle()
    await stage.receive("p", Change.RECOVERED)
    stage.slack.fail(POST, fault)
    await stage.settle()
    stage.clock.move(60)
    await stage.receive("p", Change.TRIGGERED)
    await stage.receive("p", Change.RECOVERED)
    await stage.settle()

    assert sum("<@U1SAM>" in str(reply) for reply in stage.slack.replies()) == 1


async def test_more_news_than_a_reply_holds_are_told_in_several(stage: Stage) -> None:
    """None is passed over."""
    await stage.receive()
    await stage.settle()
    for number in range(MOST_TOLD + 50):
        await stage.database.write(
            respond_to_alert.add_note, 1, by=SAM, text=f"Look number {number} at the disks"
        )
    await stage.settle(300)

    assert len(stage.slack.replies()) == 2
    assert (await stage.thread()).latest == (await stage.thread()).shown


async def test_what_is_under_way_is_finished_at_the_end(stage: Stage) -> None:
    """A stop in the middle of a post waits for the answer and stores it."""
    await stage.receive()
    running = asyncio.create_task(stage.projector.run())
    await until(lambda: stage.slack.calls)
    running.cancel()
    await asyncio.wait([running])

    assert (await stage.thread()).ts == stage.slack.parents()[0]["ts"]


async def test_a_change_is_shown_within_a_moment(stage: Stage) -> None:
    """A wake-up, not the next poll, starts the work."""
    running = asyncio.create_task(stage.projector.run())
    await asyncio.sleep(0.05)
    await stage.receive()
    started = asyncio.get_running_loop().time()
    stage.projector.wake()
    await until(stage.slack.parents)
    took = asyncio.get_running_loop().time() - started
    running.cancel()
    await asyncio.wait([running])

    assert timedelta(seconds=took) < timedelta(seconds=1.5)


async def test_a_budget_that_comes_free_during_a_look_is_not_slept_over(stage: Stage) -> None:
    """Else each post of a storm could wait for the poll: sixty alerts took 95 s instead of 60."""
    await stage.receive()
    await stage.settle()
    projector = stage.projector  # driven by hand: no clock can be stopped inside a look
    projector._looked_at = stage.clock.monotonic()  # noqa: SLF001
    projector._next_post["C0ALERTS"] = stage.clock.monotonic() + 0.001  # noqa: SLF001
    projector._woken.clear()  # noqa: SLF001
    stage.clock.move(0.002)

    await asyncio.wait_for(projector._pause(), 0.5)  # noqa: SLF001
