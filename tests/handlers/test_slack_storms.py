"""A storm's buttons and forms over signed requests: what many clicks would do, with kind words about the rest."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from bot.adapters.slack import interactions as do
from bot.app import Socmon
from bot.domain.alert import Response
from bot.domain.errors import Unavailable
from bot.domain.storm import StormRule
from bot.procedures import respond_to_alert, respond_to_storm
from bot.procedures.receive_alert import receive_alert
from bot.procedures.show_storm import watch_storms
from handlers.slack import storms
from tests.reports import NOTE, SAM, delivery, report
from tests.slack_requests import click, click_in, send, submission, until
from tests.slack_server import SlackServer, says
from tests.world import ROUTES

RESOLVE = {"found": "The switch of rack 4 was down", "done": "Replaced the switch", "cause": "hardware"}
EVERYTHING = 25


@pytest.fixture
async def raging(linked: Socmon) -> Socmon:
    """Twenty-five alerts in one storm."""
    alerts = [report(f"p{at}", component=f"host-{at % 3}") for at in range(EVERYTHING - 1)]
    await linked.records.write(receive_alert, delivery(*alerts), routes=ROUTES)
    await linked.records.write(watch_storms, StormRule())
    return linked


def states(socmon: Socmon) -> list[Response]:
    found = socmon.records.read_now(lambda records: records.find_alerts(most=1000))
    return [alert.response for alert in found]


def whispered(slack: SlackServer) -> Callable[[], str]:
    return lambda: "\n".join(str(each) for each in slack.given("response_url"))


async def open_list(socmon: Socmon, slack: SlackServer, user: str = "U1SAM") -> dict[str, Any]:
    await send(socmon, click(slack, do.STORM_LIST, "1:25", user))
    await until(lambda: slack.given("views.open"))
    view: dict[str, Any] = slack.given("views.open")[-1]["view"]
    return view | {"id": "V1", "hash": "h1", "root_view_id": "V1", "state": {"values": {}}}


def tick(view: dict[str, Any], *numbers: int) -> dict[str, Any]:
    values = {}
    for block in view["blocks"]:
        if block["type"] == "input":
            chosen = [each for each in block["element"]["options"] if int(each["value"]) in numbers]
            values[block["block_id"]] = {"ticks": {"selected_options": chosen}}
    return view | {"state": {"values": values}}


def press(view: dict[str, Any], action: str, value: str = "") -> dict[str, Any]:
    return click_in("modal", action, value) | {"view": view}


def shown(slack: SlackServer) -> str:
    return json.dumps(slack.given("views.update")[-1]["view"])


async def note_form(socmon: Socmon, view: dict[str, Any]) -> dict[str, Any]:
    answer = await send(socmon, submission(do.STORM_LIST_FORM, {}, **view))
    assert answer.json()["response_action"] == "push"
    form: dict[str, Any] = answer.json()["view"]
    return form


async def send_note(
    socmon: Socmon, form: dict[str, Any], values: dict[str, str] = RESOLVE, user: str = "U1SAM"
) -> dict[str, Any]:
    view = {"private_metadata": form["private_metadata"], "id": "V2", "root_view_id": "V1"}
    answer = await send(socmon, submission(do.STORM_RESOLVE_FORM, values, user=user, **view))
    return answer.json() if answer.content else {}


async def test_acknowledge_all_from_the_digest(raging: Socmon, slack: SlackServer) -> None:
    """The answer is for the person who clicked; the digest follows by itself."""
    await raging.records.write(respond_to_alert.acknowledge, 3, by=SAM)
    await send(raging, click(slack, do.STORM_ACKNOWLEDGE, "1:24", "U1LEAD"))
    await until(lambda: "acknowledged" in whispered(slack)())

    assert "23 alerts acknowledged, and yours now." in whispered(slack)()
    assert "1 newer alert came after what you saw" in whispered(slack)()
    assert states(raging).count(Response.ACKNOWLEDGED) == 24


async def test_who_may_not_is_told_who_may(raging: Socmon, slack: SlackServer) -> None:
    for action in (do.STORM_ACKNOWLEDGE, do.STORM_LIST):
        slack.calls.clear()
        await send(raging, click(slack, action, "1:25", "U1OUT"))
        await until(lambda: "none of the roles that may" in whispered(slack)())
    assert slack.given("views.open") == []
    assert set(states(raging)) == {Response.TRIGGERED}


async def test_a_storm_that_is_not_here_is_said(raging: Socmon, slack: SlackServer) -> None:
    await send(raging, click(slack, do.STORM_ACKNOWLEDGE, "9:25"))
    await until(lambda: "There is no storm S-9" in whispered(slack)())


async def test_the_list_keeps_ticks_over_its_pages(raging: Socmon, slack: SlackServer) -> None:
    view = tick(await open_list(raging, slack), 2, 11)
    await send(raging, press(view, do.STORM_NEXT, "2"))
    await until(lambda: slack.given("views.update"))
    second = slack.given("views.update")[-1]["view"]
    assert "page 2 of 2 · 2 alerts ticked so far" in str(second)

    view = tick(second | {"id": "V1", "hash": "h2", "root_view_id": "V1"}, 22)
    form = await note_form(raging, view)
    assert form["title"]["text"] == "Resolve 3 alerts"
    assert await send_note(raging, form) == {}
    await until(lambda: "3 alerts resolved with this note" in shown(slack))
    assert states(raging).count(Response.RESOLVED) == 3


async def test_three_clicks_handle_it_all(raging: Socmon, slack: SlackServer) -> None:
    """Open list, Acknowledge all, Resolve with one note."""
    view = await open_list(raging, slack)
    await send(raging, press(view, do.STORM_ACKNOWLEDGE_LISTED, "1:25"))
    await until(lambda: slack.given("views.update"))
    assert "25 alerts acknowledged, and yours now." in shown(slack)
    form = await note_form(raging, view)
    assert "25 of them still firing" in json.dumps(form)
    await send_note(raging, form)
    await until(lambda: "25 alerts resolved with this note" in shown(slack))

    assert "All 25 alerts are resolved." in shown(slack)
    found = raging.records.read_now(lambda records: records.find_alerts(most=100))
    assert {(one.owner, one.resolved_by, one.resolution and one.resolution.done) for one in found} == {
        ("U1SAM", "U1SAM", RESOLVE["done"])
    }


async def test_a_big_storm_is_answered_in_parts(
    raging: Socmon, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that no write keeps incoming alerts waiting; how far it is shows meanwhile."""
    monkeypatch.setattr(storms, "PART", 10)
    form = await note_form(raging, await open_list(raging, slack))
    await send_note(raging, form)
    await until(lambda: slack.given("views.update") and "25 alerts resolved" in shown(slack))

    assert "Resolving: 10 of 25 so far" in json.dumps(slack.given("views.update")[0]["view"])


async def test_who_has_closed_the_list_is_told_in_a_direct_message(
    raging: Socmon, slack: SlackServer
) -> None:
    form = await note_form(raging, await open_list(raging, slack))
    slack.always["views.update"] = says("not_found")
    await send_note(raging, form)

    await until(lambda: "25 alerts resolved" in str(slack.given("chat.postMessage")))


async def test_a_thin_note_stays_in_the_form(raging: Socmon, slack: SlackServer) -> None:
    form = await note_form(raging, await open_list(raging, slack))
    told = await send_note(raging, form, RESOLVE | {"done": "done done"})

    assert list(told["errors"]) == ["done"]
    assert set(states(raging)) == {Response.TRIGGERED}


async def test_while_the_database_is_away_the_form_stays(
    raging: Socmon, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = await note_form(raging, await open_list(raging, slack))

    async def away(*_: Any, **__: Any) -> Any:
        raise Unavailable("The database did not store this. Nothing was recorded; send again.")

    monkeypatch.setattr(raging.records, "write", away)
    told = await send_note(raging, form)

    assert told["errors"] == {"found": "The database did not store this. Nothing was recorded; send again."}


async def test_when_the_database_fails_in_the_middle_what_was_done_is_said(
    raging: Socmon, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the rest can be sent again."""
    monkeypatch.setattr(storms, "PART", 10)
    healthy, writes = raging.records.write, []

    async def fails_later(procedure: Any, *args: Any, **kwargs: Any) -> Any:
        if procedure is respond_to_storm.acknowledge_all:
            writes.append(args)
            if len(writes) == 2:
                raise Unavailable("The database did not store this.")
        return await healthy(procedure, *args, **kwargs)

    monkeypatch.setattr(raging.records, "write", fails_later)
    await send(raging, click(slack, do.STORM_ACKNOWLEDGE, "1:25"))
    await until(lambda: "acknowledged" in whispered(slack)())

    assert "10 alerts acknowledged" in whispered(slack)()
    assert "15 alerts skipped" in whispered(slack)()
    assert "Choose the same again for the rest." in whispered(slack)()


async def test_a_fault_of_ours_leaves_the_form(
    raging: Socmon, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = await note_form(raging, await open_list(raging, slack))

    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("x")

    monkeypatch.setattr(respond_to_storm, "resolve_all", broken)
    assert "socmon failed" in str((await send_note(raging, form))["errors"])


async def test_who_may_not_resolve_is_told_on_top_of_the_form(raging: Socmon, slack: SlackServer) -> None:
    form = await note_form(raging, await open_list(raging, slack))
    told = await send_note(raging, form, user="U1OUT")

    assert told["response_action"] == "push"
    assert "none of the roles" in json.dumps(told["view"])


async def test_when_others_were_faster_there_is_nothing_to_resolve(
    raging: Socmon, slack: SlackServer
) -> None:
    view = await open_list(raging, slack)
    for number in range(1, EVERYTHING + 1):
        await raging.records.write(respond_to_alert.resolve, number, by=SAM, resolution=NOTE)

    assert "None of these alerts is open any more" in json.dumps(await note_form(raging, view))
