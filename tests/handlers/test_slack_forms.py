"""Forms over signed requests: nothing that somebody wrote is lost, and everything is recorded once."""

import json
from typing import Any

import pytest

from bot.adapters.slack import interactions as do
from bot.app import Socmon
from bot.domain.alert import Act, Response
from bot.domain.errors import Unavailable
from bot.procedures import respond_to_alert
from bot.procedures.keep_draft import keep_draft, open_form
from handlers.slack import desk
from tests.reports import KIM, NOTE, SAM
from tests.slack_requests import click, closed, send, shortcut, submission, until
from tests.slack_server import BROKEN, CUT, SlackServer, says

WORDS = "I see many connections open"
RESOLVE = {"found": "A worker leaked memory after 1.42", "done": "Rolled back to 1.41", "cause": "deploy"}


def kinds(socmon: Socmon) -> list[str]:
    return [moment.kind for moment in socmon.records.read_now(lambda records: records.timeline(1))]


def draft(socmon: Socmon, act: Act = Act.RESOLVE) -> Any:
    return socmon.records.read_now(open_form, 1, act, by=SAM)[1]


def shown(slack: SlackServer, method: str = "views.open") -> dict[str, Any]:
    view: dict[str, Any] = slack.given(method)[-1]["view"]
    return view


# A form that cannot be taken


async def test_while_the_database_is_away_the_form_stays(
    linked: Socmon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the reason at its first field; the person sends it again as it is."""

    async def away(*_: Any, **__: Any) -> Any:
        raise Unavailable("The database did not store this. Nothing was recorded; send again.")

    monkeypatch.setattr(linked.records, "write", away)
    answer = await send(linked, submission(do.RESOLVE_FORM, RESOLVE))

    assert answer.json() == {
        "response_action": "errors",
        "errors": {"found": "The database did not store this. Nothing was recorded; send again."},
    }


async def test_while_slack_does_not_say_who_it_is_the_form_stays(linked: Socmon, slack: SlackServer) -> None:
    slack.always["users.info"] = BROKEN
    answer = await send(linked, submission(do.RESOLVE_FORM, RESOLVE))

    assert answer.json()["response_action"] == "errors"
    assert "Try again" in answer.json()["errors"]["found"]


async def test_a_fault_of_ours_leaves_the_form_as_well(
    linked: Socmon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("x")

    monkeypatch.setattr(respond_to_alert, "add_note", broken)
    answer = await send(linked, submission(do.NOTE_FORM, {"text": WORDS}))

    assert "socmon failed" in answer.json()["errors"]["text"]


@pytest.mark.parametrize("user", ["U1SAM", "U1OUT"])
async def test_a_refusal_is_laid_on_top_of_the_form(linked: Socmon, user: str) -> None:
    """Somebody was faster, or the person may not: what they wrote is underneath, and kept for a day."""
    await linked.records.write(respond_to_alert.resolve, 1, by=KIM, resolution=NOTE)
    answer = await send(linked, submission(do.RESOLVE_FORM, RESOLVE, user=user))

    assert answer.json()["response_action"] == "push"
    assert ("already resolved" if user == "U1SAM" else "<@U1SAM>") in json.dumps(answer.json()["view"])
    if user == "U1SAM":
        await until(lambda: draft(linked) == RESOLVE)


# A form that was closed


async def test_a_closed_form_is_filled_in_the_next_time(linked: Socmon, slack: SlackServer) -> None:
    await send(linked, closed(do.RESOLVE_FORM, RESOLVE))
    await until(lambda: draft(linked))
    await send(linked, click(slack, do.RESOLVE, do.Target(1, 1).value))
    await until(lambda: slack.given("views.open"))

    blocks = {block.get("block_id"): block for block in shown(slack)["blocks"]}
    assert blocks["found"]["element"]["initial_value"] == RESOLVE["found"]
    assert blocks["cause"]["element"]["initial_option"]["value"] == "deploy"


async def test_an_untouched_form_keeps_nothing(linked: Socmon) -> None:
    """Nor does one of which Slack tells nothing take away what was kept."""
    await linked.records.write(keep_draft, 1, Act.RESOLVE, person="U1SAM", fields=RESOLVE)
    answer = await send(linked, closed(do.RESOLVE_FORM, {}))

    assert answer.status_code == 200
    assert draft(linked) == RESOLVE


async def test_what_was_sent_is_kept_no_longer(linked: Socmon) -> None:
    await linked.records.write(keep_draft, 1, Act.RESOLVE, person="U1SAM", fields=RESOLVE)
    await send(linked, submission(do.RESOLVE_FORM, RESOLVE))

    assert kinds(linked)[-1] == "resolved"
    assert draft(linked) == {}


# A form that is sent twice


async def test_a_form_whose_answer_was_late_is_recorded_once(linked: Socmon) -> None:
    """Slack told the person to try again; both times it is taken."""
    answers = [await send(linked, submission(do.NOTE_FORM, {"text": WORDS})) for _ in range(2)]
    other = await send(linked, submission(do.NOTE_FORM, {"text": WORDS}, id="V2"))

    assert [answer.text for answer in (*answers, other)] == ["", "", ""]
    assert kinds(linked).count("noted") == 2


async def test_slack_is_not_kept_waiting_for_who_it_is(
    linked: Socmon, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person is told to send again, and then it is known."""
    monkeypatch.setattr(desk, "IDENTITY_SECONDS", 0.1)
    slack.delays["users.info"] = 0.5
    first = await send(linked, submission(do.NOTE_FORM, {"text": WORDS}))
    await until(lambda: "user:U1SAM" in linked.directory._kept)  # noqa: SLF001
    second = await send(linked, submission(do.NOTE_FORM, {"text": WORDS}))

    assert "in time" in first.json()["errors"]["text"]
    assert second.text == ""
    assert kinds(linked).count("noted") == 1


# Opening a form


async def test_a_form_opens_at_once(linked: Socmon, slack: SlackServer) -> None:
    """Without a waiting view before it, when there is nothing to wait for."""
    await send(linked, click(slack, do.RESOLVE, do.Target(1, 1).value))
    await until(lambda: slack.given("views.open"))

    assert shown(slack)["callback_id"] == do.RESOLVE_FORM
    assert slack.given("views.update") == []


async def test_a_slow_look_up_does_not_use_the_trigger_up(
    linked: Socmon, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A waiting view opens in time, and becomes the form."""
    monkeypatch.setattr(desk, "OPENING_SECONDS", 0.05)
    slack.delays["users.info"] = 0.3
    await send(linked, click(slack, do.RESOLVE, do.Target(1, 1).value))
    await until(lambda: slack.given("views.update"))

    assert "moment" in json.dumps(shown(slack))
    assert shown(slack, "views.update")["callback_id"] == do.RESOLVE_FORM


@pytest.mark.parametrize(("user", "words"), [("U1OUT", "<@U1SAM>"), ("U1GONE", "only full members")])
async def test_a_waiting_view_tells_a_refusal_too(
    linked: Socmon, slack: SlackServer, monkeypatch: pytest.MonkeyPatch, user: str, words: str
) -> None:
    monkeypatch.setattr(desk, "OPENING_SECONDS", 0.05)
    slack.delays["users.info"] = 0.3
    await send(linked, click(slack, do.RESOLVE, do.Target(1, 1).value, user))
    await until(lambda: slack.given("views.update"))

    assert words in json.dumps(shown(slack, "views.update"))


@pytest.mark.parametrize("error", ["hash_conflict", "not_found"])
async def test_a_view_that_was_closed_meanwhile_is_no_fault(
    linked: Socmon, slack: SlackServer, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    monkeypatch.setattr(desk, "OPENING_SECONDS", 0.05)
    slack.delays["users.info"] = 0.3
    slack.always["views.update"] = says(error)
    await send(linked, click(slack, do.RESOLVE, do.Target(1, 1).value))
    await until(lambda: slack.given("views.update"))
    await send(linked, click(slack, do.ACKNOWLEDGE, do.Target(1, 1).value))
    await until(lambda: "acknowledged" in kinds(linked))

    assert slack.given("response_url") == []


async def test_an_expired_trigger_gives_the_button_again(linked: Socmon, slack: SlackServer) -> None:
    """In a message only the person sees; pressed, it opens the form."""
    slack.fail("views.open", says("expired_trigger_id"))
    await send(linked, click(slack, do.MORE, do.Target(1, 1).command(do.NOTE)))
    await until(lambda: slack.given("response_url"))
    [again] = slack.given("response_url")[0]["blocks"][1]["elements"]
    await send(linked, click(slack, again["action_id"], again["value"]))
    await until(lambda: len(slack.given("views.open")) == 2)

    assert shown(slack)["callback_id"] == do.NOTE_FORM


# The shortcut


MESSAGE = {"ts": "1.1", "text": "hello there all"}


async def test_a_shortcut_whose_trigger_expired_says_so(linked: Socmon, slack: SlackServer) -> None:
    slack.fail("views.open", says("expired_trigger_id"))
    await send(linked, shortcut(slack, MESSAGE))
    await until(lambda: slack.given("response_url"))

    assert "shortcut once more" in slack.given("response_url")[0]["text"]


@pytest.mark.parametrize("fault", [CUT, BROKEN, says("message_not_found")])
async def test_a_note_is_worth_keeping_without_its_link(
    linked: Socmon, slack: SlackServer, fault: Any
) -> None:
    slack.always["chat.getPermalink"] = fault
    await send(linked, shortcut(slack, MESSAGE))
    await until(lambda: slack.given("views.open"))

    assert shown(slack)["callback_id"] == do.ADD_NOTE_FORM
    assert do.read_link(shown(slack)["private_metadata"]) == ""


async def test_whoever_may_not_file_notes_is_told(linked: Socmon, slack: SlackServer) -> None:
    await send(linked, shortcut(slack, MESSAGE, user="U1OUT"))
    await until(lambda: slack.given("response_url"))

    assert "You can't add notes to alerts" in slack.given("response_url")[0]["text"]


async def test_what_was_resolved_meanwhile_is_shown_instead_of_the_form(
    linked: Socmon, slack: SlackServer
) -> None:
    await linked.records.write(respond_to_alert.resolve, 1, by=KIM, resolution=NOTE)
    await send(linked, click(slack, do.RESOLVE, do.Target(1, 1).value))
    await until(lambda: slack.given("views.open"))

    assert NOTE.found in json.dumps(shown(slack))
    assert linked.records.read_now(lambda r: r.alert(1)).response is Response.RESOLVED
