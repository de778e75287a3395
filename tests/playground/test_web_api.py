"""The fake Slack's own rules: tokens, scopes, channels, what a message may say, and how a call is answered."""

import json
from typing import Any

import httpx
import pytest
from slack_sdk.errors import SlackApiError

from bot.playground import API_PATH, TOKEN
from bot.playground.people import BOT_USER
from tests.playground.rig import Rig, actions, button, section

EVERYBODY = ["<!channel>", "<!here>", "<!everyone>", "<!here|here>", "before <!CHANNEL> after"]


def call(rig: Rig, method: str, token: str = TOKEN, **given: Any) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = httpx.post(f"{rig.url}{API_PATH}{method}", json=given, headers=headers)
    found: dict[str, Any] = answer.json()
    return found


def test_forms_json_and_queries_say_the_same(rig: Rig) -> None:
    url = f"{rig.url}{API_PATH}conversations.info"
    bearer = {"Authorization": f"Bearer {TOKEN}"}

    answers = [
        httpx.post(url, json={"channel": "C0ALERTS"}, headers=bearer),
        httpx.post(url, data={"channel": "C0ALERTS"}, headers=bearer),
        httpx.post(url, data={"channel": "C0ALERTS", "token": TOKEN}),
        httpx.get(url, params={"channel": "C0ALERTS"}, headers=bearer),
    ]

    assert [answer.json()["channel"]["name"] for answer in answers] == ["alerts"] * 4


@pytest.mark.parametrize(
    ("content_type", "body", "error"),
    [
        ("application/json", b"{", "invalid_json"),
        ("application/json", b"[]", "json_not_object"),
        ("application/x-www-form-urlencoded", b"text=\xff", "invalid_form_data"),
        ("text/plain", b"text", "invalid_post_type"),
    ],
)
def test_an_unreadable_body_is_named(rig: Rig, content_type: str, body: bytes, error: str) -> None:
    answer = httpx.post(f"{rig.url}{API_PATH}auth.test", content=body, headers={"content-type": content_type})

    assert (answer.status_code, answer.json()["error"]) == (200, error)


@pytest.mark.parametrize(
    ("token", "error"),
    [("", "not_authed"), ("xoxb-playground2", "invalid_auth"), ("xoxp-no", "invalid_auth")],
)
def test_only_the_playgrounds_token_is_taken(rig: Rig, token: str, error: str) -> None:
    assert call(rig, "auth.test", token)["error"] == error


def test_auth_test_tells_the_scopes(rig: Rig) -> None:
    answer = rig.client().auth_test()

    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")
    assert answer["user_id"] == BOT_USER
    assert answer["team_id"] == "T0PLAY"


def test_a_method_without_its_scope_is_refused_by_name(rig: Rig) -> None:
    rig.fault(kind="missing_scope", scope="channels:history")

    answer = call(rig, "conversations.history", channel="C0ALERTS")

    assert answer["error"] == "missing_scope"
    assert answer["needed"] == "channels:history"
    assert "chat:write" in answer["provided"]


@pytest.mark.parametrize(
    ("channel", "error"),
    [("C0GENERAL", "not_in_channel"), ("C0NOPE", "channel_not_found"), ("", "channel_not_found")],
)
def test_the_bot_writes_where_it_is_a_member(rig: Rig, channel: str, error: str) -> None:
    assert call(rig, "chat.postMessage", channel=channel, text="hello")["error"] == error


def test_an_archived_channel_takes_nothing(rig: Rig) -> None:
    rig.playground.workspace.channels["C0ALERTS"].archived = True

    assert call(rig, "chat.postMessage", channel="C0ALERTS", text="hello")["error"] == "is_archived"


def test_a_persons_id_leads_to_the_direct_messages(rig: Rig) -> None:
    by_user = call(rig, "chat.postMessage", channel="U0LEAD", text="hello")["channel"]
    opened = call(rig, "conversations.open", users="U0LEAD")["channel"]["id"]

    assert by_user == opened == "D0LEAD"


def test_the_bot_edits_only_what_it_wrote(rig: Rig) -> None:
    said = rig.act("write", channel="C0ALERTS", text="mine")

    assert (
        call(rig, "chat.update", channel="C0ALERTS", ts=said["ts"], text="yours")["error"]
        == "cant_update_message"
    )
    assert call(rig, "chat.delete", channel="C0ALERTS", ts=said["ts"])["error"] == "cant_delete_message"


def test_an_update_keeps_what_it_does_not_name(rig: Rig) -> None:
    metadata = {"event_type": "alert", "event_payload": {"id": 1}}
    posted = call(
        rig, "chat.postMessage", channel="C0ALERTS", text="one", blocks=[section("one")], metadata=metadata
    )

    kept = call(rig, "chat.update", channel="C0ALERTS", ts=posted["ts"], text="two")["message"]
    cleared = call(
        rig, "chat.update", channel="C0ALERTS", ts=posted["ts"], text="three", blocks=[], metadata={}
    )

    assert kept["text"] == "two"
    assert kept["blocks"][0]["text"]["text"] == "one"
    assert kept["metadata"] == metadata
    assert kept["edited"]["user"] == BOT_USER
    assert cleared["message"]["blocks"] == []
    assert "metadata" not in cleared["message"]


def test_an_update_takes_4000_characters_and_no_more(rig: Rig) -> None:
    posted = call(rig, "chat.postMessage", channel="C0ALERTS", text="x" * 50_000)
    update = {"channel": "C0ALERTS", "ts": posted["ts"]}

    assert len(posted["message"]["text"]) == 40_000
    assert call(rig, "chat.update", text="x" * 4000, **update)["ok"]
    assert call(rig, "chat.update", text="x" * 4001, **update)["error"] == "msg_too_long"


@pytest.mark.parametrize("text", EVERYBODY)
def test_a_message_that_rings_everybody_is_refused(rig: Rig, text: str) -> None:
    posted = call(rig, "chat.postMessage", channel="C0ALERTS", text="quiet")
    here = {"channel": "C0ALERTS"}

    answers = [
        call(rig, "chat.postMessage", text=text, **here),
        call(rig, "chat.postMessage", text="fallback", blocks=[section(text)], **here),
        call(rig, "chat.postMessage", text="fallback", attachments=[{"text": text}], **here),
        call(rig, "chat.update", ts=posted["ts"], text=text, **here),
        call(rig, "chat.postEphemeral", user="U0SAM", text=text, **here),
    ]

    assert [answer.get("error") for answer in answers] == ["restricted_action"] * 5


def test_named_or_escaped_everybody_rings_nobody(rig: Rig) -> None:
    here = {"channel": "C0ALERTS"}
    harmless = {"type": "header", "text": {"type": "plain_text", "text": "<!channel>"}}

    assert call(rig, "chat.postMessage", text="&lt;!channel&gt; and @here", **here)["ok"]
    assert call(rig, "chat.postMessage", text="fallback", blocks=[harmless], **here)["ok"]
    assert (
        call(rig, "chat.postMessage", text="@here", link_names=True, **here)["error"] == "restricted_action"
    )


def test_refused_blocks_are_pointed_at(rig: Rig) -> None:
    answer = call(
        rig, "chat.postMessage", channel="C0ALERTS", text="x", blocks=[section(), section("x" * 3001)]
    )

    assert answer["error"] == "invalid_blocks"
    assert answer["errors"] == ["must be less than 3001 characters [json-pointer:/blocks/1/text/text]"]
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/1/text/text]"
    ]


def test_blocks_that_are_no_json_are_refused(rig: Rig) -> None:
    answer = httpx.post(
        f"{rig.url}{API_PATH}chat.postMessage", data={"token": TOKEN, "channel": "C0ALERTS", "blocks": "[{"}
    )

    assert answer.json()["error"] == "invalid_blocks_format"


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"event_type": "x"}, "invalid_metadata_format"),
        ("{", "invalid_metadata_format"),
        ({"event_type": "x", "event_payload": {"k": "v" * 9000}}, "metadata_too_large"),
    ],
)
def test_metadata_has_its_form(rig: Rig, metadata: Any, error: str) -> None:
    answer = call(rig, "chat.postMessage", channel="C0ALERTS", text="x", metadata=metadata)

    assert answer["error"] == error


def test_metadata_is_shown_only_when_asked_for(rig: Rig) -> None:
    metadata = {"event_type": "alert", "event_payload": {}}
    call(rig, "chat.postMessage", channel="C0ALERTS", text="x", metadata=metadata)

    without = call(rig, "conversations.history", channel="C0ALERTS")["messages"][0]
    asked = call(rig, "conversations.history", channel="C0ALERTS", include_all_metadata=True)["messages"][0]

    assert "metadata" not in without
    assert asked["metadata"] == metadata


def test_history_is_bounded_by_oldest_and_latest(rig: Rig) -> None:
    ids = []
    for number in range(4):
        rig.clock.advance(1)
        ids.append(call(rig, "chat.postMessage", channel="C0ALERTS", text=str(number))["ts"])

    def texts(**given: Any) -> list[str]:
        found = call(rig, "conversations.history", channel="C0ALERTS", **given)["messages"]
        return [message["text"] for message in found]

    assert texts(oldest=ids[1]) == ["3", "2"]
    assert texts(oldest=ids[1], inclusive=True) == ["3", "2", "1"]
    assert texts(latest=ids[1]) == ["0"]
    assert texts(oldest=ids[0], latest=ids[3]) == ["2", "1"]


def test_replies_are_in_history_only_when_broadcast(rig: Rig) -> None:
    parent = call(rig, "chat.postMessage", channel="C0ALERTS", text="parent")["ts"]
    call(rig, "chat.postMessage", channel="C0ALERTS", text="quiet", thread_ts=parent)
    call(rig, "chat.postMessage", channel="C0ALERTS", text="loud", thread_ts=parent, reply_broadcast=True)

    found = call(rig, "conversations.history", channel="C0ALERTS")["messages"]

    assert [message["text"] for message in found] == ["loud", "parent"]
    assert found[0]["subtype"] == "thread_broadcast"
    assert found[1]["reply_count"] == 2


def test_a_reply_to_nothing_is_refused(rig: Rig) -> None:
    answer = call(rig, "chat.postMessage", channel="C0ALERTS", text="x", thread_ts="1600000000.000100")

    assert answer["error"] == "thread_not_found"


@pytest.mark.parametrize(
    ("method", "given", "error"),
    [
        ("conversations.history", {"channel": "C0GENERAL"}, "not_in_channel"),
        ("conversations.history", {"channel": "C0ALERTS", "cursor": "!"}, "invalid_cursor"),
        ("conversations.history", {"channel": "C0ALERTS", "limit": 0}, "invalid_limit"),
        ("conversations.history", {"channel": "C0ALERTS", "oldest": "soon"}, "invalid_ts_oldest"),
        ("conversations.replies", {"channel": "C0ALERTS", "ts": "1.1"}, "thread_not_found"),
        ("conversations.open", {}, "users_list_not_supplied"),
        ("conversations.open", {"users": "U0NOBODY"}, "user_not_found"),
        ("usergroups.users.list", {"usergroup": "S0NONE"}, "no_such_subteam"),
        ("chat.postEphemeral", {"channel": "C0SOC2", "user": "U0OUT", "text": "x"}, "user_not_in_channel"),
        ("chat.postEphemeral", {"channel": "C0SOC2", "user": "U0NOBODY", "text": "x"}, "user_not_found"),
        ("views.open", {"trigger_id": "1.2.3"}, "invalid_arguments"),
        ("reactions.add", {"channel": "C0ALERTS", "timestamp": "1.1", "name": "NO SUCH"}, "invalid_name"),
        (
            "bookmarks.add",
            {"channel_id": "C0ALERTS", "type": "link", "link": "ftp:", "title": "x"},
            "invalid_link",
        ),
        ("files.info", {"file": "F0NONE"}, "file_not_found"),
        ("apps.connections.open", {}, "not_allowed_token_type"),
        ("chat.nothing", {}, "unknown_method"),
    ],
)
def test_each_refusal_has_slacks_name(rig: Rig, method: str, given: dict[str, Any], error: str) -> None:
    assert call(rig, method, **given)["error"] == error


def test_the_bot_can_join_and_then_write(rig: Rig) -> None:
    joined = call(rig, "conversations.join", channel="C0GENERAL")
    again = call(rig, "conversations.join", channel="C0GENERAL")

    assert joined["channel"]["is_member"]
    assert again["warning"] == "already_in_channel"
    assert call(rig, "chat.postMessage", channel="C0GENERAL", text="hello all")["ok"]


def test_who_is_on_call_is_a_user_group(rig: Rig) -> None:
    group = call(rig, "usergroups.list", include_users=True, include_count=True)["usergroups"][0]

    assert group["handle"] == "oncall"
    assert call(rig, "usergroups.users.list", usergroup=group["id"])["users"] == group["users"]
    assert group["user_count"] == 2


def test_an_address_is_shown_only_with_its_scope(rig: Rig) -> None:
    shown = call(rig, "users.info", user="U0SAM")["user"]["profile"]
    rig.fault(kind="missing_scope", scope="users:read.email")
    hidden = call(rig, "users.info", user="U0SAM")["user"]["profile"]

    assert shown["email"] == "sam@northwind.example"
    assert "email" not in hidden


def test_a_file_is_whole_before_it_shows(rig: Rig) -> None:
    announced = call(
        rig, "files.getUploadURLExternal", filename="chart.png", length=4, alt_txt="CPU, peak 93 %"
    )
    wrong = httpx.post(announced["upload_url"], content=b"12345")
    early = call(rig, "files.completeUploadExternal", files=[{"id": announced["file_id"]}])
    httpx.post(announced["upload_url"], content=b"1234").raise_for_status()
    shared = call(
        rig, "files.completeUploadExternal", files=[{"id": announced["file_id"]}], channel_id="C0ALERTS"
    )

    message = rig.channel()["messages"][-1]
    picture = httpx.get(f"{rig.url}{message['files'][0]['url_private']}")
    assert wrong.status_code == 400
    assert early["error"] == "file_not_found"
    assert shared["files"][0]["mimetype"] == "image/png"
    assert message["files"][0]["alt_txt"] == "CPU, peak 93 %"
    assert (picture.content, picture.headers["content-type"]) == (b"1234", "image/png")


def test_what_is_no_picture_is_only_downloaded(rig: Rig) -> None:
    rig.client().files_upload_v2(
        channel="C0ALERTS", filename="page.html", content="<script>alert(1)</script>"
    )

    file = rig.channel()["messages"][-1]["files"][0]
    answer = httpx.get(f"{rig.url}{file['url_private']}")

    assert answer.headers["content-disposition"] == "attachment"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_blocks_are_validated_without_a_token(rig: Rig) -> None:
    url = f"{rig.url}{API_PATH}blocks.validate"

    good = httpx.post(url, json={"blocks": [section()]}).json()
    bad = httpx.post(url, json={"view": {"type": "modal", "blocks": []}}).json()

    assert good == {"ok": True}
    assert bad["errors"] == ["missing required field: title [json-pointer:/view]"]


def test_missing_ids_are_filled_in(rig: Rig) -> None:
    blocks = [
        actions(button()),
        {"type": "actions", "elements": [{k: v for k, v in button().items() if k != "action_id"}]},
    ]

    stored = call(rig, "chat.postMessage", channel="C0ALERTS", text="x", blocks=blocks)["message"]["blocks"]

    assert stored[0]["block_id"] == "acts"
    assert stored[1]["block_id"]
    assert stored[1]["elements"][0]["action_id"]


def test_every_call_is_counted_by_its_outcome(rig: Rig) -> None:
    call(rig, "chat.postMessage", channel="C0ALERTS", text="x")
    call(rig, "chat.postMessage", channel="C0NOPE", text="x")
    call(rig, "auth.test", token="wrong")

    transcript = rig.transcript()

    assert transcript["counters"] == {
        "chat.postMessage": {"ok": 1, "channel_not_found": 1},
        "auth.test": {"invalid_auth": 1},
    }
    assert [entry["about"] for entry in transcript["requests"]] == ["C0ALERTS", "C0NOPE", ""]
    assert TOKEN not in json.dumps(transcript["requests"])


def test_slacks_client_reads_refusals_as_errors(rig: Rig) -> None:
    with pytest.raises(SlackApiError) as error:
        rig.client().chat_postMessage(channel="C0ALERTS", text="x", blocks=[{"type": "alert"}])

    assert error.value.response["error"] == "invalid_blocks"
