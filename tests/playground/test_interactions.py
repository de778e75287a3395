"""People act in the playground, and a real Bolt application hears of it as it would from Slack."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.playground.rig import Rig, actions, button, home, modal, plain, section, text_input, wait_until

Body = dict[str, Any]


@pytest.fixture(scope="module")
def hasty() -> Iterator[Rig]:
    """A playground that waits half a second for its bot instead of three, so that the test does not."""
    rig = Rig(patience=0.5)
    yield rig
    rig.stop()


def post(rig: Rig, *blocks: dict[str, Any], channel: str = "C0ALERTS", **more: Any) -> str:
    """The bot posts a message; returns its id."""
    answer = rig.client().chat_postMessage(
        channel=channel, text="fallback", blocks=list(blocks) or None, **more
    )
    return str(answer["ts"])


def click(rig: Rig, ts: str, action_id: str = "go", value: Any = None, **more: Any) -> Body:
    place = {"channel": "C0ALERTS", "ts": ts, "block_id": "acts", "action_id": action_id}
    return rig.act("click", **place, value=value, **more)


def whispers(rig: Rig, user: str = "U0SAM") -> list[str]:
    return [message["text"] for message in rig.state(user)["ephemerals"]]


# Buttons and menus
def test_a_click_reaches_the_bot_with_everything_slack_sends(rig: Rig) -> None:
    heard: list[Body] = []

    @rig.bolt.action("go")
    async def go(ack: Any, body: Body) -> None:
        await ack()
        heard.append(body)

    ts = post(rig, actions(button(value="41:7")))
    result = click(rig, ts)
    wait_until(lambda: heard, what="the bot has heard of the click")

    body = heard[0]
    assert result == {"ok": True}
    assert body["user"]["id"] == "U0SAM"
    assert body["team"] == {"id": "T0PLAY", "domain": "playground"}
    assert (body["enterprise"], body["is_enterprise_install"]) == (None, False)
    assert body["channel"] == {"id": "C0ALERTS", "name": "alerts"}
    assert body["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": "C0ALERTS",
        "is_ephemeral": False,
    }
    assert body["message"]["ts"] == ts
    assert (body["actions"][0]["value"], body["actions"][0]["type"]) == ("41:7", "button")
    assert body["response_url"].startswith(rig.url)


def stored(text: str) -> Body:
    """A plain text as Slack gives it back."""
    return {**plain(text), "emoji": True}


ELEMENTS: dict[str, tuple[Body, Any, Body]] = {
    "overflow": (
        {"type": "overflow", "options": [{"text": plain("Snooze"), "value": "s"}]},
        "s",
        {"selected_option": {"text": stored("Snooze"), "value": "s"}},
    ),
    "static_select": (
        {
            "type": "static_select",
            "options": [{"text": plain("A"), "value": "a"}, {"text": plain("B"), "value": "b"}],
        },
        "b",
        {"selected_option": {"text": stored("B"), "value": "b"}},
    ),
    "users_select": ({"type": "users_select"}, "U0KIM", {"selected_user": "U0KIM"}),
    "channels_select": ({"type": "channels_select"}, "C0SOC2", {"selected_channel": "C0SOC2"}),
    "datepicker": ({"type": "datepicker"}, "2026-11-27", {"selected_date": "2026-11-27"}),
    "datetimepicker": ({"type": "datetimepicker"}, 1795550000, {"selected_date_time": 1795550000}),
    "checkboxes": (
        {"type": "checkboxes", "options": [{"text": plain("A"), "value": "a"}]},
        ["a"],
        {"selected_options": [{"text": stored("A"), "value": "a"}]},
    ),
    "radio_buttons": (
        {"type": "radio_buttons", "options": [{"text": plain("A"), "value": "a"}]},
        "a",
        {"selected_option": {"text": stored("A"), "value": "a"}},
    ),
}


@pytest.mark.parametrize("name", ELEMENTS)
def test_each_element_tells_what_was_chosen(rig: Rig, name: str) -> None:
    element, raw, chosen = ELEMENTS[name]
    heard: list[Body] = []

    @rig.bolt.action("it")
    async def it(ack: Any, action: Body) -> None:
        await ack()
        heard.append(action)

    ts = post(rig, actions({**element, "action_id": "it"}))
    click(rig, ts, "it", raw)
    wait_until(lambda: heard, what="the bot has heard of the choice")

    assert {field: heard[0][field] for field in chosen} == chosen
    assert heard[0]["type"] == name


def test_the_choices_of_a_message_travel_with_its_button(rig: Rig) -> None:
    heard: list[Body] = []

    @rig.bolt.action("go")
    async def go(ack: Any, body: Body) -> None:
        await ack()
        heard.append(body["state"]["values"])

    ts = post(rig, actions({"type": "users_select", "action_id": "who"}, button()))
    click(rig, ts, values={"acts": {"who": "U0KIM"}})
    wait_until(lambda: heard, what="the bot has heard of the click")

    assert heard[0] == {"acts": {"who": {"type": "users_select", "selected_user": "U0KIM"}}}


def test_a_button_that_is_gone_says_so(rig: Rig) -> None:
    ts = post(rig, actions(button()))
    rig.client().chat_update(channel="C0ALERTS", ts=ts, text="done", blocks=[section("done")])

    assert click(rig, ts)["error"] == "not_found"


def test_an_external_menu_asks_the_bot(rig: Rig) -> None:
    @rig.bolt.options("component")
    async def find(ack: Any, payload: Body) -> None:
        names = [name for name in ("prod-db-1", "cache-2") if payload["value"] in name]
        await ack(options=[{"text": plain(name), "value": name} for name in names])

    ts = post(rig, actions({"type": "external_select", "action_id": "component"}))
    place = {"channel": "C0ALERTS", "ts": ts, "block_id": "acts", "action_id": "component"}
    answer = rig.act("options", **place, query="db")

    assert [option["value"] for option in answer["options"]] == ["prod-db-1"]


# Response addresses
def test_a_response_is_for_the_clicker_only_and_in_the_same_thread(rig: Rig) -> None:
    @rig.bolt.action("go")
    async def go(ack: Any, respond: Any) -> None:
        await ack()
        await respond(text="Sam acknowledged this 2 s ago.", replace_original=False)

    parent = post(rig)
    ts = post(rig, actions(button()), thread_ts=parent)
    click(rig, ts)
    wait_until(lambda: whispers(rig), what="the whisper is there")

    assert rig.state("U0KIM")["ephemerals"] == []
    assert rig.state()["ephemerals"][0]["thread_ts"] == parent


def test_a_response_can_replace_the_message(rig: Rig) -> None:
    @rig.bolt.action("go")
    async def go(ack: Any, respond: Any) -> None:
        await ack()
        await respond(text="done", replace_original=True)

    ts = post(rig, actions(button()))
    click(rig, ts)
    wait_until(lambda: rig.channel()["messages"][-1]["text"] == "done", what="the message was replaced")


def test_a_response_can_replace_or_delete_a_whisper(rig: Rig) -> None:
    @rig.bolt.action("go")
    async def go(ack: Any, respond: Any) -> None:
        await ack()
        await respond(text="second", replace_original=True, blocks=[actions(button("away"))])

    @rig.bolt.action("away")
    async def away(ack: Any, respond: Any) -> None:
        await ack()
        await respond(delete_original=True)

    whispered = rig.client().chat_postEphemeral(
        channel="C0ALERTS", user="U0SAM", text="first", blocks=[actions(button())]
    )
    click(rig, str(whispered["message_ts"]))
    wait_until(lambda: whispers(rig) == ["second"], what="the whisper was replaced")
    click(rig, str(whispered["message_ts"]), "away")
    wait_until(lambda: whispers(rig) == [], what="the whisper is gone")


def response_address(rig: Rig) -> str:
    heard: list[str] = []

    @rig.bolt.action("go")
    async def go(ack: Any, body: Body) -> None:
        await ack()
        heard.append(body["response_url"])

    click(rig, post(rig, actions(button())))
    wait_until(lambda: heard, what="the bot has an address")
    return heard[0]


def test_a_response_address_works_five_times(rig: Rig) -> None:
    address = response_address(rig)

    answers = [httpx.post(address, json={"text": str(n)}) for n in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [404]
    assert answers[-1].json()["error"] == "used_url"


def test_a_response_address_works_for_thirty_minutes(rig: Rig) -> None:
    address = response_address(rig)

    rig.clock.advance(30 * 60)
    in_time = httpx.post(address, json={"text": "in time"})
    rig.clock.advance(1)
    late = httpx.post(address, json={"text": "late"})

    assert in_time.status_code == 200
    assert (late.status_code, late.json()["error"]) == (404, "expired_url")


def test_a_response_is_checked_like_any_message(rig: Rig) -> None:
    address = response_address(rig)

    answers = [
        httpx.post(address, json={"text": "<!channel>"}),
        httpx.post(address, json={"text": "x", "blocks": [{"type": "nonsense"}]}),
        httpx.post(address, content=b"{"),
    ]

    assert [answer.text for answer in answers] == ["restricted_action", "invalid_blocks", "invalid_payload"]
    assert {answer.status_code for answer in answers} == {400}


# Modals
def test_a_form_goes_from_click_to_submission(rig: Rig) -> None:
    heard: list[Body] = []

    @rig.bolt.action("go")
    async def go(ack: Any, body: Body, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal(private_metadata="41:7"))

    @rig.bolt.view("form")
    async def form(ack: Any, view: Body) -> None:
        await ack()
        heard.append(view)

    click(rig, post(rig, actions(button())))
    wait_until(lambda: rig.state()["views"], what="the form is open")
    view = rig.state()["views"][0]
    result = rig.act("submit", view_id=view["id"], values={"note": {"text": "long ANALYZE"}})
    wait_until(lambda: heard, what="the bot has the form")

    assert result == {"ok": True}
    assert heard[0]["state"]["values"] == {
        "note": {"text": {"type": "plain_text_input", "value": "long ANALYZE"}}
    }
    assert heard[0]["private_metadata"] == "41:7"
    assert rig.state()["views"] == []


def open_form(rig: Rig, *blocks: dict[str, Any], **more: Any) -> str:
    trigger = rig.playground.workspace.tickets.trigger("U0SAM")
    answer = rig.client().views_open(trigger_id=trigger, view=modal(*blocks, **more))
    return str(answer["view"]["id"])


def test_slack_itself_asks_for_required_fields(rig: Rig) -> None:
    view_id = open_form(rig, text_input(min_length=5), text_input("more"))

    result = rig.act("submit", view_id=view_id, values={"note": {"text": "abc"}})

    assert result["errors"] == {
        "note": "Please write at least 5 characters.",
        "more": "Please complete this required field.",
    }
    assert rig.transcript()["sent"] == {}


FIELDS: dict[str, tuple[Body, str, bool]] = {
    "a web address": ({"type": "url_text_input"}, "https://wiki.example.com/run", True),
    "no web address": ({"type": "url_text_input"}, "the wiki", False),
    "an e-mail address": ({"type": "email_text_input"}, "ana@northwind.example", True),
    "no e-mail address": ({"type": "email_text_input"}, "ana", False),
    "a number": ({"type": "number_input", "is_decimal_allowed": True}, "1.5", True),
    "no whole number": ({"type": "number_input", "is_decimal_allowed": False}, "1.5", False),
    "too small a number": (
        {"type": "number_input", "is_decimal_allowed": False, "min_value": "3"},
        "2",
        False,
    ),
    "no number": ({"type": "number_input", "is_decimal_allowed": True}, "many", False),
}


@pytest.mark.parametrize("name", FIELDS)
def test_slack_itself_checks_the_form_of_a_field(rig: Rig, name: str) -> None:
    element, value, fine = FIELDS[name]

    @rig.bolt.view("form")
    async def form(ack: Any) -> None:
        await ack()

    field = {**text_input(), "element": {**element, "action_id": "text"}}
    result = rig.act("submit", view_id=open_form(rig, field), values={"note": {"text": value}})

    assert result["ok"] is fine


def test_the_bots_objections_stand_at_their_fields(rig: Rig) -> None:
    @rig.bolt.view("form")
    async def form(ack: Any) -> None:
        await ack(response_action="errors", errors={"note": "Say what you found."})

    result = rig.act("submit", view_id=open_form(rig), values={"note": {"text": "fixed"}})

    assert result == {"ok": False, "errors": {"note": "Say what you found."}}
    assert len(rig.state()["views"]) == 1


def test_objections_to_unknown_fields_are_trouble(rig: Rig) -> None:
    @rig.bolt.view("form")
    async def form(ack: Any) -> None:
        await ack(response_action="errors", errors={"elsewhere": "Nobody will see this."})

    result = rig.act("submit", view_id=open_form(rig), values={"note": {"text": "fixed"}})

    assert (result["ok"], result["error"]) == (False, "invalid_arguments")


@pytest.mark.parametrize(
    ("answer", "open_views"),
    [
        pytest.param({}, ["first"], id="nothing: the topmost view closes"),
        pytest.param({"response_action": "clear"}, [], id="clear: all close"),
        pytest.param({"response_action": "push"}, ["first", "second", "third"], id="push: one more"),
        pytest.param({"response_action": "update"}, ["first", "third"], id="update: another in its place"),
    ],
)
def test_a_submission_moves_the_views(rig: Rig, answer: Body, open_views: list[str]) -> None:
    @rig.bolt.view("second")
    async def second(ack: Any) -> None:
        view = (
            {"view": modal(callback_id="third")}
            if answer.get("response_action") in {"push", "update"}
            else {}
        )
        await ack(**answer, **view)

    open_form(rig, callback_id="first")
    trigger = rig.playground.workspace.tickets.trigger("U0SAM")
    pushed = rig.client().views_push(trigger_id=trigger, view=modal(callback_id="second"))["view"]
    result = rig.act("submit", view_id=pushed["id"], values={"note": {"text": "long enough"}})

    assert result == {"ok": True}
    assert [view["callback_id"] for view in rig.state()["views"]] == open_views


def test_an_impossible_view_in_the_answer_is_trouble(rig: Rig) -> None:
    @rig.bolt.view("form")
    async def form(ack: Any) -> None:
        await ack(response_action="update", view=modal(title=plain("x" * 25)))

    result = rig.act("submit", view_id=open_form(rig), values={"note": {"text": "x"}})

    assert result["ok"] is False
    assert rig.transcript()["counters"]["reply"] == {"invalid_arguments": 1}


def test_closing_is_told_only_when_asked_for(rig: Rig) -> None:
    heard: list[bool] = []

    @rig.bolt.view_closed("form")
    async def closed(ack: Any, body: Body) -> None:
        await ack()
        heard.append(body["is_cleared"])

    rig.act("close", view_id=open_form(rig))
    rig.act("close", view_id=open_form(rig, notify_on_close=True))
    wait_until(lambda: heard, what="the bot has heard of the closing")

    assert heard == [False]
    assert rig.state()["views"] == []


def test_a_view_is_nobody_elses(rig: Rig) -> None:
    view_id = open_form(rig)

    result = rig.act("submit", user="U0KIM", view_id=view_id, values={"note": {"text": "x"}})

    assert result["error"] == "not_found"


# Home, shortcuts, commands, messages
def test_opening_the_home_lets_the_bot_fill_it(rig: Rig) -> None:
    @rig.bolt.event("app_home_opened")
    async def opened(event: Body, client: Any) -> None:
        await client.views_publish(
            user_id=event["user"], view=home(section(f"{event['tab']} of {event['channel']}"))
        )

    rig.act("home")
    wait_until(lambda: rig.state()["home"], what="the home is published")

    assert rig.state()["home"]["blocks"][0]["text"]["text"] == "home of D0SAM"


def test_a_click_in_the_home_comes_from_a_view(rig: Rig) -> None:
    heard: list[Body] = []

    @rig.bolt.action("go")
    async def go(ack: Any, body: Body) -> None:
        await ack()
        heard.append(body)

    view = rig.client().views_publish(user_id="U0SAM", view=home(actions(button())))["view"]
    rig.act("click", view_id=view["id"], block_id="acts", action_id="go")
    wait_until(lambda: heard, what="the bot has heard of the click")

    assert heard[0]["container"] == {"type": "view", "view_id": view["id"]}
    assert heard[0]["view"]["type"] == "home"
    assert "response_url" not in heard[0]


def test_the_message_shortcut_brings_the_message(rig: Rig) -> None:
    heard: list[Body] = []

    @rig.bolt.shortcut({"type": "message_action", "callback_id": "sc_add_note"})
    async def note(ack: Any, shortcut: Body) -> None:
        await ack()
        heard.append(shortcut)

    ts = rig.act("write", channel="C0ALERTS", text="killed pid 3112 for @ana")["ts"]
    rig.act("shortcut", callback_id="sc_add_note", channel="C0ALERTS", ts=ts)
    wait_until(lambda: heard, what="the bot has heard of the shortcut")

    assert heard[0]["message"]["text"] == "killed pid 3112 for <@U0LEAD>"
    assert heard[0]["message_ts"] == ts
    assert heard[0]["channel"]["id"] == "C0ALERTS"


def test_a_slash_command_is_escaped_and_answered_to_one_person(rig: Rig) -> None:
    heard: list[Body] = []

    @rig.bolt.command("/socmon")
    async def socmon(ack: Any, command: Body) -> None:
        heard.append(command)
        await ack("Nobody is on call.")

    result = rig.act("write", channel="C0ALERTS", text="/socmon oncall @kim #alerts a<b")

    assert result == {"ok": True}
    assert heard[0]["text"] == "oncall <@U0KIM|kim> <#C0ALERTS|alerts> a&lt;b"
    assert (heard[0]["channel_name"], heard[0]["is_enterprise_install"]) == ("alerts", "false")
    assert whispers(rig) == ["Nobody is on call."]
    assert rig.channel()["messages"] == []


def test_a_command_can_answer_for_all(rig: Rig) -> None:
    @rig.bolt.command("/socmon")
    async def socmon(ack: Any) -> None:
        await ack(text="All covered.", response_type="in_channel")

    rig.act("write", channel="C0ALERTS", text="/socmon coverage share")

    assert [message["text"] for message in rig.channel()["messages"]] == ["All covered."]


def test_a_second_response_to_a_command_is_a_second_message(rig: Rig) -> None:
    """As in Slack, replace_original finds nothing to replace (slackapi/bolt-js#2287)."""

    @rig.bolt.command("/socmon")
    async def socmon(ack: Any, respond: Any) -> None:
        await ack("Working…")
        await respond(text="Done.", replace_original=True)

    rig.act("write", channel="C0ALERTS", text="/socmon status")
    wait_until(lambda: len(whispers(rig)) == 2, what="both are there")

    assert sorted(whispers(rig)) == ["Done.", "Working…"]


def test_a_command_in_a_thread_is_declined_by_slack(rig: Rig) -> None:
    ts = post(rig)
    rig.act("write", channel="C0ALERTS", text="/socmon help", thread_ts=ts)

    assert whispers(rig) == ["/socmon is not supported in threads. Sorry!"]


def test_an_unknown_command_is_declined_by_slack(rig: Rig) -> None:
    rig.act("write", channel="C0ALERTS", text="/socmom help")

    assert "not a valid command" in whispers(rig)[0]


def test_invite_brings_the_bot_in_and_remove_takes_it_out(rig: Rig) -> None:
    rig.act("write", channel="C0GENERAL", text="/invite @socmon")
    inside = rig.channel("C0GENERAL")["members"]
    rig.act("write", channel="C0GENERAL", text="/remove @socmon")

    assert "U0SOCMON" in inside
    assert "U0SOCMON" not in rig.channel("C0GENERAL")["members"]


def test_people_can_talk_in_channels_and_threads(rig: Rig) -> None:
    parent = post(rig)
    rig.act("write", channel="C0ALERTS", text="looking", thread_ts=parent)

    thread = rig.http.get("thread", params={"channel": "C0ALERTS", "ts": parent}).json()["messages"]

    assert [message["text"] for message in thread] == ["fallback", "looking"]
    assert thread[1]["client_msg_id"]


# When the bot fails
def test_a_bot_that_is_late_is_called_late(hasty: Rig) -> None:
    hasty.reset()

    @hasty.bolt.command("/socmon")
    async def socmon(ack: Any) -> None:
        await asyncio.sleep(1)
        await ack()

    result = hasty.act("write", channel="C0ALERTS", text="/socmon status")

    assert result["error"] == "operation_timeout"
    assert whispers(hasty) == ["/socmon failed with the error “operation_timeout”."]


def test_a_late_form_says_try_again_and_stays_open(hasty: Rig) -> None:
    hasty.reset()

    @hasty.bolt.view("form")
    async def form(ack: Any) -> None:
        await asyncio.sleep(1)
        await ack()

    result = hasty.act("submit", view_id=open_form(hasty), values={"note": {"text": "x"}})

    assert result["error"] == "operation_timeout"
    assert "Try again" in result["text"]
    assert len(hasty.state()["views"]) == 1


def test_a_click_nobody_handles_is_an_error(rig: Rig) -> None:
    result = click(rig, post(rig, actions(button())))

    assert (result["ok"], result["error"]) == (False, "http_client_error")


def test_a_command_answer_slack_would_refuse_is_shown_as_refused(rig: Rig) -> None:
    @rig.bolt.command("/socmon")
    async def socmon(ack: Any) -> None:
        await ack(text="fallback", blocks=[{"type": "nonsense"}])

    result = rig.act("write", channel="C0ALERTS", text="/socmon status")

    assert result["error"] == "invalid_blocks"
    assert "invalid_blocks" in whispers(rig)[0]


def test_an_event_that_was_not_taken_comes_again(rig: Rig) -> None:
    """Nobody listens for app_home_opened here, so Bolt answers 404, and Slack sends it once more at once."""
    rig.act("home")
    wait_until(
        lambda: sum(rig.transcript()["sent"].get("app_home_opened", {}).values()) == 2,
        what="it was sent again",
    )


def test_a_forged_signature_is_refused_by_the_bot(rig: Rig) -> None:
    """That Bolt takes the playground's requests means something: it does not take everybody's."""
    body = f"payload={json.dumps({'type': 'block_actions'})}"
    headers = {"X-Slack-Request-Timestamp": "1", "X-Slack-Signature": "v0=00"}

    assert httpx.post(f"{rig.url}/slack/events", content=body, headers=headers).status_code == 401


def test_the_bots_address_answers_slacks_challenge(rig: Rig) -> None:
    loop = rig.served.loop
    assert loop is not None

    answer = asyncio.run_coroutine_threadsafe(rig.playground.interactions.verify_url("a-challenge"), loop)

    assert answer.result(5) is True


# Who is notified
def test_a_new_mention_notifies_and_an_edit_does_not(rig: Rig) -> None:
    ts = post(rig, section("Owner <@U0SAM>"))
    rig.client().chat_update(
        channel="C0ALERTS", ts=ts, text="now <@U0KIM>", blocks=[section("Owner <@U0KIM>")]
    )

    notifications = rig.transcript()["notifications"]

    assert (notifications["U0SAM"], notifications["U0KIM"]) == (1, 0)


def test_a_user_group_rings_its_members_and_a_direct_message_its_reader(rig: Rig) -> None:
    post(rig, section("<!subteam^S0ONCALL>"))
    rig.client().chat_postMessage(channel="U0LEAD", text="Validation is due.")

    notifications = rig.transcript()["notifications"]

    assert [notifications[user] for user in ("U0SAM", "U0KIM", "U0LEAD", "U0OUT")] == [1, 1, 1, 0]


def test_reading_the_channel_leaves_what_rang_in_a_thread(rig: Rig) -> None:
    parent = post(rig, section("<@U0SAM>"))
    reply = post(rig, section("<@U0SAM>"), thread_ts=parent)

    before = rig.channel()["mentions"]
    rig.act("read", channel="C0ALERTS", ts=reply)
    after_channel = rig.transcript()["notifications"]["U0SAM"]
    rig.act("read", channel="C0ALERTS", ts=reply, thread_ts=parent)

    assert (before, rig.channel()["mentions"], rig.channel()["unread"]) == (1, 0, 0)
    assert after_channel == 1
    assert rig.transcript()["notifications"]["U0SAM"] == 0
