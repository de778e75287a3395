"""App Home: for those who may read, and in step with what its owner does."""

import json
from typing import Any

import pytest

from bot.adapters.slack import interactions as do
from bot.app import Socmon
from bot.domain.errors import Unavailable
from bot.playground.block_kit import view_problems
from bot.procedures import respond_to_alert
from jobs.refresh_homes import refresh_homes
from tests.reports import KIM
from tests.slack_requests import click, click_in, event, send, submission, until
from tests.slack_server import BROKEN, SlackServer, says


def homes(slack: SlackServer, user: str = "U1SAM") -> list[str]:
    """What each Home that was published to somebody shows."""
    given = slack.given("views.publish")
    return [json.dumps(each["view"]) for each in given if each["user_id"] == user]


async def opened(socmon: Socmon, slack: SlackServer, user: str = "U1SAM") -> str:
    before = len(homes(slack, user))
    await send(socmon, event("app_home_opened", user=user, tab="home", channel="D1"))
    await until(lambda: len(homes(slack, user)) > before)
    return homes(slack, user)[-1]


async def test_a_role_is_needed_to_see_it(linked: Socmon, slack: SlackServer) -> None:
    """Neither titles nor buttons nor status for others; they read who may, guests that guests cannot."""
    slack.users["U1GUEST"] = {"profile": {}, "is_restricted": True}
    seen = {user: await opened(linked, slack, user) for user in ("U1SAM", "U1OUT", "U1GUEST", "U1GONE")}

    assert "CPU high" in seen["U1SAM"]
    for user, words in (("U1OUT", "<@U1SAM>"), ("U1GUEST", "only full members"), ("U1GONE", "only full")):
        assert words in seen[user]
        for hidden in ("CPU high", do.ACKNOWLEDGE, "Evidence log"):
            assert hidden not in seen[user]


async def test_an_auditor_may_read_it(linked: Socmon, slack: SlackServer) -> None:
    slack.users["U1ADMIN"] = {"profile": {}}

    assert "CPU high" in await opened(linked, slack, "U1ADMIN")


async def test_trouble_is_told_there(
    linked: Socmon, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than an old Home, or none."""
    slack.fail("users.info", BROKEN)
    unknown = await opened(linked, slack)

    async def away(*_: Any, **__: Any) -> Any:
        raise Unavailable("The database does not answer.")

    monkeypatch.setattr(linked.records, "read", away)

    assert "Try again" in unknown
    assert "The database does not answer." in await opened(linked, slack)


async def test_it_follows_what_its_owner_does(linked: Socmon, slack: SlackServer) -> None:
    """Acknowledged there, resolved in a form: each time it is published anew."""
    first = await opened(linked, slack)
    await send(linked, click_in("home", do.ACKNOWLEDGE, do.Target(1, 1).value))
    await until(lambda: len(homes(slack)) == 2)
    note = {"found": "A worker leaked memory after 1.42", "done": "Rolled back to 1.41", "cause": "deploy"}
    await send(linked, submission(do.RESOLVE_FORM, note))
    await until(lambda: len(homes(slack)) == 3)

    assert do.ACKNOWLEDGE in first
    assert do.ACKNOWLEDGE not in homes(slack)[1]
    assert do.RESOLVE in homes(slack)[1]
    assert "Nothing waits for you" in homes(slack)[2]


async def test_a_home_that_cannot_be_published_spoils_nothing(linked: Socmon, slack: SlackServer) -> None:
    """The form was taken, and Slack is told so, whatever becomes of the Home."""
    await opened(linked, slack)
    slack.always["views.publish"] = says("not_enabled")
    answer = await send(linked, submission(do.NOTE_FORM, {"text": "I see many connections open"}))
    await until(lambda: len(homes(slack)) == 2)

    assert (answer.status_code, answer.text) == (200, "")


async def test_nobody_gets_a_home_they_never_opened(linked: Socmon, slack: SlackServer) -> None:
    await send(linked, click(slack, do.ACKNOWLEDGE, do.Target(1, 1).value))
    await until(lambda: "acknowledged" in str(linked.records.read_now(lambda r: r.timeline(1))))

    assert homes(slack) == []


async def test_the_job_shows_what_others_did(linked: Socmon, slack: SlackServer) -> None:
    """Who looks at it is on record, so any process may run it."""
    await opened(linked, slack)
    await linked.records.write(respond_to_alert.acknowledge, 1, by=KIM)
    with linked.records.writing.begin() as connection:
        connection.exec_driver_sql("UPDATE home SET shown_at = 0")  # a quarter of a minute ago

    assert await refresh_homes(linked) == "1 published"
    assert "Nobody has taken" in homes(slack)[-1]
    assert "CPU high" not in homes(slack)[-1]


async def test_a_self_test_is_sent_confirmed_and_told_in_the_home(linked: Socmon, slack: SlackServer) -> None:
    """TEST in the message; a second click is answered kindly; the confirmation takes the button's place."""
    assert "never sent yourself a test" in await opened(linked, slack)
    await send(linked, click_in("home", do.SELF_TEST, "home"))
    await until(lambda: "not yet confirmed" in homes(slack)[-1])
    await send(linked, click_in("home", do.SELF_TEST, "home"))
    await until(lambda: len(slack.messages) == 2)
    test, kindly = slack.messages

    assert (test["channel"], test["text"][:4]) == ("DU1SAM", "TEST")
    assert "less than a minute ago" in kindly["text"]
    [button] = test["blocks"][1]["elements"]
    await send(
        linked,
        click(slack, button["action_id"], button["value"]) | {"channel": {"id": "DU1SAM"}, "message": test},
    )
    await until(lambda: "you had it" in homes(slack)[-1])
    assert "you received it" in str(slack.messages[0]["blocks"])
    assert linked.records.read_now(lambda r: r.find_alerts()) == [
        linked.records.read_now(lambda r: r.alert(1))
    ]


async def test_a_test_that_slack_does_not_take_says_so(linked: Socmon, slack: SlackServer) -> None:
    """That is what it is for."""
    await opened(linked, slack)
    slack.fail("chat.postMessage", BROKEN)
    await send(linked, click_in("home", do.SELF_TEST, "home"))
    await until(lambda: "Slack has not said that it took it" in homes(slack)[-1])
    await until(lambda: slack.messages)

    assert "Slack has not taken your test message" in slack.messages[0]["text"]


async def test_its_buttons_show_what_the_commands_would(linked: Socmon, slack: SlackServer) -> None:
    """In a form, since a Home has no room for an answer; for those who may read."""
    await send(linked, click_in("home", do.SHOW_STATUS, "home", user="U1LEAD"))
    await until(lambda: slack.given("views.open"))
    await send(linked, click_in("home", do.SHOW_STATUS, "home", user="U1OUT"))
    await send(linked, click_in("home", do.SHOW_ON_CALL, "home"))
    await until(lambda: len(slack.messages) == 2)

    [form] = slack.given("views.open")
    assert "Evidence log" in str(form["view"])
    assert view_problems(form["view"]) == []
    assert {"none of the roles" in each["text"] for each in slack.messages} == {True, False}
    assert "does not know yet who is on call" in str(slack.messages)


async def test_an_old_button_is_refused_when_somebody_took_the_alert(
    linked: Socmon, slack: SlackServer
) -> None:
    """The version that the button carries reaches the procedure."""
    await linked.records.write(respond_to_alert.acknowledge, 1, by=KIM)
    await send(linked, click(slack, do.MORE, do.Target(1, 1).command(do.SNOOZE_30)))
    await until(lambda: slack.given("response_url"))

    assert "<@U1KIM> owns it now" in slack.given("response_url")[0]["text"]
    assert linked.records.read_now(lambda r: r.alert(1)).snoozed_until is None


async def test_a_double_click_on_a_page_of_the_timeline_is_no_fault(
    linked: Socmon, slack: SlackServer
) -> None:
    """The first click has turned the page already."""
    slack.fail("views.update", says("hash_conflict"))
    await send(linked, click_in("modal", do.EARLIER, do.Target(1, 1).command("1")))
    await until(lambda: slack.given("views.update"))
    await send(linked, click_in("modal", do.EARLIER, do.Target(1, 1).command("1")))
    await until(lambda: len(slack.given("views.update")) == 2)

    assert slack.given("chat.postMessage") == []
