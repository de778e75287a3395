"""Slack's failures on demand: what socmon would see of each, and that each ends."""

import time
from typing import Any

import httpx
import pytest
from slack_sdk.errors import SlackApiError

from bot.playground import API_PATH, TOKEN
from tests.playground.rig import Rig, wait_until


def post(rig: Rig, text: str = "hello", **options: Any) -> httpx.Response:
    return httpx.post(
        f"{rig.url}{API_PATH}chat.postMessage",
        json={"channel": "C0ALERTS", "text": text},
        headers={"Authorization": f"Bearer {TOKEN}"},
        **options,
    )


def error_of(answer: httpx.Response) -> str:
    return str(answer.json().get("error", ""))


def test_the_next_two_calls_are_rate_limited(rig: Rig) -> None:
    rig.fault(kind="rate_limit", times=2, retry_after=7)

    answers = [post(rig) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "7"
    assert rig.transcript()["counters"]["chat.postMessage"] == {"ratelimited": 2, "ok": 1}


def test_slacks_client_reads_the_retry_after(rig: Rig) -> None:
    rig.fault(kind="rate_limit", times=1, retry_after=7)

    with pytest.raises(SlackApiError) as error:
        rig.client().chat_postMessage(channel="C0ALERTS", text="x")

    assert error.value.response.status_code == 429
    assert error.value.response.headers["Retry-After"] == "7"


def test_slack_is_down_for_ten_seconds(rig: Rig) -> None:
    rig.fault(kind="down", seconds=10)

    during = post(rig)
    rig.clock.advance(10)

    assert during.status_code == 500
    assert post(rig).status_code == 200


def test_the_connection_closes_in_the_middle(rig: Rig) -> None:
    rig.fault(kind="down", mode="close", times=1)

    with pytest.raises(httpx.RemoteProtocolError):
        post(rig)

    assert rig.channel()["messages"] == []


def test_no_answer_comes_at_all(rig: Rig) -> None:
    rig.fault(kind="down", mode="timeout", times=1)

    with pytest.raises(httpx.ReadTimeout):
        post(rig, timeout=0.3)

    assert rig.channel()["messages"] == []


def test_an_answer_is_lost_after_the_message_was_stored(rig: Rig) -> None:
    rig.fault(kind="lose_answer", times=1)

    with pytest.raises(httpx.RemoteProtocolError):
        post(rig, "stored once")

    assert [message["text"] for message in rig.channel()["messages"]] == ["stored once"]
    assert rig.transcript()["counters"]["chat.postMessage"] == {"lost_answer": 1}
    assert post(rig).status_code == 200


def test_only_posts_lose_their_answer_unless_another_method_is_named(rig: Rig) -> None:
    rig.fault(kind="lose_answer", times=1)

    assert rig.client().auth_test()["ok"]


def test_a_slow_slack_answers_late(rig: Rig) -> None:
    rig.fault(kind="slow", delay=0.3, times=1)
    started = time.monotonic()

    post(rig)

    assert time.monotonic() - started >= 0.3


def test_a_revoked_token_is_refused_and_told_to_the_bot(rig: Rig) -> None:
    told: list[str] = []

    @rig.bolt.event("tokens_revoked")
    async def revoked(event: dict[str, Any]) -> None:
        told.append(event["type"])

    rig.fault(kind="revoked_token")
    during = error_of(post(rig))
    rig.fault(kind="revoked_token", off=True)

    assert during == "token_revoked"
    assert post(rig).status_code == 200
    # Bolt asks auth.test before it hands the event on, and that is refused by now.
    assert rig.transcript()["sent"]["tokens_revoked"]


def test_an_archived_channel_refuses_and_the_bot_is_told(rig: Rig) -> None:
    told: list[str] = []

    @rig.bolt.event("channel_archive")
    async def archived(event: dict[str, Any]) -> None:
        told.append(event["channel"])

    rig.fault(kind="archive_channel", channel="C0ALERTS")
    during = error_of(post(rig))
    wait_until(lambda: told, what="the bot has heard of it")
    rig.fault(clear=True)

    assert during == "is_archived"
    assert told == ["C0ALERTS"]
    assert post(rig).status_code == 200


def test_a_removed_bot_comes_back_when_the_fault_ends(rig: Rig) -> None:
    rig.fault(kind="remove_bot", channel="C0ALERTS", seconds=5)

    during = error_of(post(rig))
    rig.clock.advance(5)

    assert during == "not_in_channel"
    assert post(rig).status_code == 200


def test_faults_are_listed_and_switched_off(rig: Rig) -> None:
    rig.fault(kind="slow", delay=9, seconds=60)
    listed = rig.http.get("faults").json()["faults"]
    rig.fault(kind="slow", off=True)

    assert [(fault["kind"], fault["seconds_left"]) for fault in listed] == [("slow", 60)]
    assert rig.http.get("faults").json()["faults"] == []


def test_a_fault_of_one_method_leaves_the_others_alone(rig: Rig) -> None:
    rig.fault(kind="rate_limit", times=1, method="chat.update")

    assert post(rig).status_code == 200
    assert len(rig.http.get("faults").json()["faults"]) == 1


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "earthquake"},
        {},
        {"kind": "slow", "delay": "long"},
        {"kind": "down", "mode": "maybe"},
        {"kind": "archive_channel", "channel": "C0NOPE"},
    ],
)
def test_an_impossible_fault_is_explained(rig: Rig, given: dict[str, Any]) -> None:
    answer = rig.fault(**given)

    assert answer.status_code == 400
    assert answer.json()["error"]
