"""Slack's rate limits, on a clock that the test moves."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from bot.playground import API_PATH, TOKEN
from bot.playground.rate_limits import POST_BURST, RateLimits, Tier
from tests.playground.rig import HandClock, Rig


@pytest.fixture(scope="module")
def limited() -> Iterator[Rig]:
    rig = Rig(rate_limits=True)
    yield rig
    rig.stop()


def limits(clock: HandClock) -> RateLimits:
    return RateLimits(clock.now, enabled=True)


def test_a_channel_takes_a_small_burst_and_then_one_post_a_second() -> None:
    clock = HandClock()
    slack = limits(clock)

    burst = [slack.retry_after("chat.postMessage", Tier.SPECIAL, "C1") for _ in range(POST_BURST)]
    then = slack.retry_after("chat.postMessage", Tier.SPECIAL, "C1")
    clock.advance(1)
    later = [slack.retry_after("chat.postMessage", Tier.SPECIAL, "C1") for _ in range(2)]

    assert burst == [0] * POST_BURST
    assert then == 1
    assert later == [0, 1]


def test_one_busy_channel_does_not_slow_another() -> None:
    slack = limits(HandClock())
    for _ in range(POST_BURST + 1):
        slack.retry_after("chat.postMessage", Tier.SPECIAL, "C1")

    assert slack.retry_after("chat.postMessage", Tier.SPECIAL, "C2") == 0


@pytest.mark.parametrize("tier", [Tier.TWO, Tier.THREE, Tier.FOUR])
def test_a_tier_is_a_number_of_calls_in_any_minute(tier: Tier) -> None:
    clock = HandClock()
    slack = limits(clock)

    within = [slack.retry_after("m", tier, "") for _ in range(tier.value)]
    clock.advance(59)
    over = slack.retry_after("m", tier, "")
    clock.advance(1)

    assert within == [0] * tier.value
    assert over == 1
    assert slack.retry_after("m", tier, "") == 0


def test_waiting_as_told_is_always_enough() -> None:
    clock = HandClock()
    slack = limits(clock)
    for _ in range(200):
        wait = slack.retry_after("chat.update", Tier.THREE, "C1")
        if wait:
            clock.at += timedelta(seconds=wait)
            assert slack.retry_after("chat.update", Tier.THREE, "C1") == 0


def test_switched_off_limits_never_wait() -> None:
    slack = RateLimits(HandClock().now, enabled=False)

    assert {slack.retry_after("chat.postMessage", Tier.SPECIAL, "C1") for _ in range(100)} == {0}


def test_the_web_api_answers_429_with_retry_after(limited: Rig) -> None:
    def post(method: str, **given: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return httpx.post(f"{limited.url}{API_PATH}{method}", json=given, headers=headers)

    answers = [post("chat.postMessage", channel="C0ALERTS", text="x") for _ in range(POST_BURST + 1)]

    assert [answer.status_code for answer in answers] == [200] * POST_BURST + [429]
    assert answers[-1].headers["retry-after"] == "1"
    assert answers[-1].json() == {"ok": False, "error": "ratelimited"}
    assert post("auth.test").status_code == 200
