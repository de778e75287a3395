"""Hand on, take over, snooze, call for help, no action: as Slack sends them, and as the people see them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.adapters.slack import interactions as do
from bot.app import Socmon
from bot.domain.alert import Change, Severity
from bot.procedures import respond_to_alert
from bot.procedures.receive_alert import receive_alert
from jobs.escalate_alerts import escalate_alerts
from jobs.send_notices import send_notices
from tests.handlers.conftest import SIGNING_SECRET, Build
from tests.reports import LEAD, SAM, delivery, report
from tests.slack_requests import click, send, submission, until
from tests.slack_server import SlackServer
from tests.world import ROUTES, MovableClock


def alert(socmon: Socmon) -> Any:
    return socmon.records.read_now(lambda records: records.alert(1))


def kinds(socmon: Socmon) -> list[str]:
    return [moment.kind for moment in socmon.records.read_now(lambda records: records.timeline(1))]


def owed(socmon: Socmon) -> list[tuple[str, str]]:
    found = socmon.records.read_now(lambda records: records.owed_notices(tried_before=records.now, most=10))
    return [(one.notice.user, one.notice.kind) for one in found]


def form(name: str, **fields: dict[str, Any]) -> dict[str, Any]:
    """A form, filled in with Slack's own typed values."""
    payload = submission(name, dict.fromkeys(fields, ""))
    payload["view"]["state"]["values"] = {field: {field: value} for field, value in fields.items()}
    return payload


async def shown(slack: SlackServer) -> dict[str, Any]:
    await until(lambda: slack.given("views.open"))
    view: dict[str, Any] = slack.given("views.open")[-1]["view"]
    return view


async def told(slack: SlackServer) -> dict[str, Any]:
    await until(lambda: slack.given("response_url"))
    answer: dict[str, Any] = slack.given("response_url")[-1]
    return answer


def chosen(command: str) -> tuple[str, str]:
    return do.MORE, do.Target(1, 1).command(command)


# Reassign


async def test_an_alert_is_handed_on_with_a_word(linked: Socmon, slack: SlackServer) -> None:
    await send(linked, click(slack, *chosen(do.REASSIGN)))
    view = await shown(slack)
    assert (view["callback_id"], [block.get("block_id") for block in view["blocks"]][1:]) == (
        do.REASSIGN_FORM,
        ["to", "reason"],
    )

    answer = await send(
        linked,
        form(do.REASSIGN_FORM, to={"selected_user": "U1LEAD"}, reason={"value": "You know the pool"}),
    )
    assert answer.text == ""
    assert (alert(linked).owner, alert(linked).response) == ("U1LEAD", "triggered")
    assert owed(linked) == [("U1LEAD", "assigned")]


@pytest.mark.parametrize(
    ("user", "words"), [("U1OUT", "none of the roles"), ("U1NOBODY", "none of the roles"), ("", "Choose who")]
)
async def test_who_may_not_respond_gets_no_alert(linked: Socmon, user: str, words: str) -> None:
    """The form says so at its field and stays."""
    answer = await send(linked, form(do.REASSIGN_FORM, to={"selected_user": user or None}, reason={}))

    assert words in answer.json()["errors"]["to"]
    assert kinds(linked) == ["triggered"]


# Take over


async def test_whoever_comes_second_is_offered_to_take_it_over(linked: Socmon, slack: SlackServer) -> None:
    """A click on “Acknowledge” that came too late, and one more click."""
    await linked.records.write(respond_to_alert.acknowledge, 1, by=LEAD)
    await send(linked, click(slack, do.ACKNOWLEDGE, do.Target(1, 1).value))
    answer = await told(slack)
    assert "<@U1LEAD> has already acknowledged A-1" in answer["text"]
    [take_over] = answer["blocks"][1]["elements"]

    await send(linked, click(slack, take_over["action_id"], take_over["value"]))
    await until(lambda: alert(linked).owner == "U1SAM")
    assert (alert(linked).acknowledged_by, kinds(linked)[-1]) == ("U1LEAD", "taken_over")


# Snooze


@pytest.mark.parametrize(
    ("fields", "minutes"),
    [
        ({"snooze": {"selected_option": {"value": "120"}}, "until": {"selected_date_time": None}}, 120),
        ({"snooze": {"selected_option": {"value": "30"}}, "until": {"selected_date_time": "in an hour"}}, 60),
    ],
)
async def test_a_snooze_is_chosen_in_a_form(
    linked: Socmon, slack: SlackServer, fields: dict[str, Any], minutes: int
) -> None:
    await send(linked, click(slack, *chosen(do.SNOOZE_FOR)))
    choices = (await shown(slack))["blocks"][1]["element"]["options"]
    assert choices[-1]["text"]["text"] == "Until the next business morning"
    now = datetime.now(UTC)
    if fields["until"]["selected_date_time"]:
        fields = fields | {"until": {"selected_date_time": int((now + timedelta(hours=1)).timestamp())}}
    answer = await send(linked, form(do.SNOOZE_FORM, **fields))

    assert answer.text == ""
    end = alert(linked).snoozed_until
    assert abs(end - now - timedelta(minutes=minutes)) < timedelta(seconds=10)
    assert alert(linked).owner == "U1SAM"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("until", {"selected_date_time": 1_000_000_000}),
        ("until", {"selected_date_time": 9_999_999_999}),
        ("snooze", {"selected_option": {"value": "99999"}}),
        ("snooze", {"selected_option": {"value": "at:123"}}),
        ("snooze", {}),
    ],
)
async def test_a_time_that_is_none_is_refused_at_its_field(
    linked: Socmon, field: str, value: dict[str, Any]
) -> None:
    fields: dict[str, Any] = {"snooze": {}, "until": {}, field: value}
    answer = await send(linked, form(do.SNOOZE_FORM, **fields))

    assert list(answer.json()["errors"]) == [field]
    assert kinds(linked) == ["triggered"]


# Escalate now


@pytest.mark.parametrize("control", [(do.ESCALATE, do.Target(1, 1).value), chosen(do.ESCALATE_NOW)])
async def test_help_is_called_after_one_look_at_whom_it_wakes(
    linked: Socmon, slack: SlackServer, control: tuple[str, str]
) -> None:
    await send(linked, click(slack, *control))
    assert "This calls <@U1LEAD> now." in json.dumps(await shown(slack))

    answer = await send(linked, form(do.ESCALATE_FORM, reason={"value": "I cannot reach the database"}))
    assert answer.text == ""
    assert (kinds(linked)[-1], owed(linked)) == ("escalated", [("U1LEAD", "escalated")])


async def test_where_there_is_nobody_else_one_is_told_so(linked: Socmon, slack: SlackServer) -> None:
    """The lead asks, and Sam, who is on call, has it already."""
    await linked.records.write(respond_to_alert.acknowledge, 1, by=SAM)
    await send(linked, click(slack, *chosen(do.ESCALATE_NOW), user="U1LEAD"))

    assert "There is nobody else to call" in (await told(slack))["text"]


async def test_the_lead_calls_who_is_on_call(linked: Socmon, slack: SlackServer) -> None:
    await send(linked, click(slack, *chosen(do.ESCALATE_NOW), user="U1LEAD"))

    assert "This calls <@U1SAM> now." in json.dumps(await shown(slack))


# No action


@pytest.mark.parametrize("control", [(do.NO_ACTION, do.Target(1, 1).value), chosen(do.CLOSE_NO_ACTION)])
async def test_what_was_over_by_itself_is_closed_in_one_click(
    linked: Socmon, slack: SlackServer, control: tuple[str, str]
) -> None:
    await linked.records.write(receive_alert, delivery(report(change=Change.RECOVERED)), routes=ROUTES)
    await send(linked, click(slack, *control))
    await until(lambda: not alert(linked).is_open)

    assert (alert(linked).resolved_by, alert(linked).resolution.cause) == ("U1SAM", "no_action")


async def test_what_still_fires_is_not(linked: Socmon, slack: SlackServer) -> None:
    await send(linked, click(slack, *chosen(do.CLOSE_NO_ACTION)))

    assert "has not recovered" in (await told(slack))["text"]


# The clock


@pytest.fixture
async def timed(build: Build, slack: SlackServer) -> Socmon:
    """With a SEV1 alert, A-1, that stands in Slack, and a clock that the test moves."""
    slack.users |= {"U1SAM": {"profile": {"display_name": "sam"}}}
    token = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": SIGNING_SECRET, "SLACK_API_URL": slack.url}
    built = build(clock=MovableClock(), **token)
    await built.records.write(receive_alert, delivery(report(severity=Severity.SEV1)), routes=ROUTES)
    await project(built)
    return built


async def project(socmon: Socmon) -> None:
    """Until Slack shows everything."""
    while True:
        socmon.clock.move(60)  # type: ignore[attr-defined]
        found = await socmon.projector._cycle()  # noqa: SLF001
        working = list(socmon.projector._working.values())  # noqa: SLF001
        for task in working:
            await task
        if not found:
            return


async def minutes_pass(socmon: Socmon, minutes: int) -> None:
    for _ in range(minutes * 4):
        socmon.clock.move(15)  # type: ignore[attr-defined]
        await escalate_alerts(socmon)
        await send_notices(socmon)


async def test_a_reminder_rings_in_the_thread_and_in_a_direct_message(
    timed: Socmon, slack: SlackServer
) -> None:
    await minutes_pass(timed, 5)
    await project(timed)

    [reply] = slack.replies()
    assert reply["text"].startswith("A-1: <@U1SAM> :alarm_clock: reminder: nobody has acknowledged it after")
    assert "The next level is called" in reply["text"]
    assert [button["text"]["text"] for button in reply["blocks"][-1]["elements"]] == [
        "Acknowledge",
        "Escalate now…",
    ]
    [direct] = [said for said in slack.messages if said["channel"] == "DU1SAM"]
    assert direct["text"].startswith("1 alert waits for you: A-1 SEV1 prod-db-1 — CPU high, nobody has")


async def test_what_was_settled_before_slack_could_show_it_rings_nobody(
    timed: Socmon, slack: SlackServer
) -> None:
    """The timeline tells it all the same."""
    for _ in range(20):
        timed.clock.move(15)  # type: ignore[attr-defined]
        await escalate_alerts(timed)
    await timed.records.write(respond_to_alert.acknowledge, 1, by=LEAD)
    await send_notices(timed)
    await project(timed)

    [reply] = slack.replies()
    assert "reminder: nobody has acknowledged it" in reply["text"]
    assert "<@U1SAM>" not in json.dumps(reply)
    assert not [said for said in slack.messages if said["channel"].startswith("D")]


async def test_who_acted_is_written_by_name_and_who_is_called_is_mentioned(
    timed: Socmon, slack: SlackServer
) -> None:
    await timed.records.write(respond_to_alert.reassign, 1, by=SAM, to=LEAD, reason="You know the pool")
    await project(timed)

    [reply] = slack.replies()
    assert reply["text"] == "A-1: <@U1LEAD> :handshake: handed to U1LEAD by sam (A-1)"
    assert "<@U1SAM>" not in json.dumps(reply)
    assert "You know the pool" in json.dumps(reply)
