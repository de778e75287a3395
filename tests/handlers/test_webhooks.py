"""POST /webhooks/{provider}: 2xx means stored; whatever is sent, no answer is an accident."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from bot.app import Socmon
from bot.domain.alert import Source
from bot.domain.errors import Unavailable
from bot.procedures.receive_alert import receive_alert
from bot.providers import all_providers
from bot.providers.contract import SampleKind, Samples
from bot.providers.generic.samples import SECRET
from bot.providers.generic.webhook import GenericWebhook
from handlers import webhooks
from handlers.webhooks import LARGEST_BODY
from tests.handlers.conftest import Build, browser
from tests.reports import START
from tests.world import MovableClock

TOKEN = {"x-socmon-token": SECRET}
ALERT = {
    "status": "triggered",
    "dedup_key": "cpu/prod-db-1",
    "title": "High CPU",
    "occurred_at": START.isoformat(),
}


async def post(socmon: Socmon, body: Any, headers: Any = TOKEN, provider: str = "generic") -> httpx.Response:
    content = body if isinstance(body, bytes) or hasattr(body, "__aiter__") else json.dumps(body).encode()
    async with browser(socmon) as client:
        return await client.post(f"/webhooks/{provider}", content=content, headers=headers)


def stored(socmon: Socmon) -> dict[str, int]:
    """How many rows stand in each table that a delivery may touch."""
    with socmon.records.reading.connect() as connection:
        return {
            table: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()  # noqa: S608
            for table in ("delivery", "alert", "leaf", "disclosure")
        }


def counts(socmon: Socmon) -> dict[tuple[str, str], int]:
    found = socmon.records.read_now(lambda records: records.counts(START))
    return {(result, reason): number for _, kind, result, reason, number in found if kind == "delivery"}


NOTHING = {"delivery": 0, "alert": 0, "leaf": 0, "disclosure": 0}


@pytest.mark.parametrize("provider", all_providers())
async def test_every_tool_is_heard(
    build: Build, clock: MovableClock, samples: dict[str, Samples], provider: str
) -> None:
    """A problem, its re-send, its repeat, its end, a test and an unreadable body, from each tool we know."""
    socmon = build()

    async def send(kind: SampleKind, minute: int) -> dict[str, Any]:
        clock.at = START + timedelta(minutes=minute)
        sample = samples[provider].sample(kind, problem=1, episode=1, at=clock.at)
        answer = await post(socmon, sample.body, sample.headers, provider)
        assert answer.status_code == 202, answer.text
        told: dict[str, Any] = answer.json()
        return told

    first = await send(SampleKind.TRIGGERED, 0)
    again = await send(SampleKind.TRIGGERED, 0)
    repeated = await send(SampleKind.REPEATED, 6)
    recovered = await send(SampleKind.RECOVERED, 12)
    test = await send(SampleKind.TEST, 18)
    garbage = await send(SampleKind.GARBAGE, 24)

    assert first["alerts"][0] == {"outcome": "new", "alert": "A-1"}
    assert again == {"result": "duplicate"}
    assert [alert["outcome"] for alert in repeated["alerts"]] == ["repeated"]
    assert recovered["alerts"][0]["outcome"] == "transition"
    assert {alert["outcome"] for alert in test.get("alerts", [])} <= {"ignored"}
    assert garbage["result"] == "unreadable"
    assert garbage["gap"]
    alert = socmon.records.read_now(lambda records: records.alert(1))
    assert (alert.source, alert.provider, len(stored(socmon))) == (Source.RECOVERED, provider, 4)
    assert stored(socmon)["alert"] == 1


async def test_what_was_answered_2xx_is_durable(build: Build, database_url: str) -> None:
    """The answer comes after the commit: another connection sees it at once."""
    socmon = build(database_url)

    answer = await post(socmon, ALERT)

    assert (answer.status_code, answer.json()) == (
        202,
        {"result": "accepted", "alerts": [{"outcome": "new", "alert": "A-1"}]},
    )
    assert stored(socmon) == {"delivery": 1, "alert": 1, "leaf": 1, "disclosure": 3}


async def test_an_equal_body_is_another_delivery_once_it_says_something_new(
    build: Build, clock: MovableClock
) -> None:
    """The smallest alerts have no names and no times: within five minutes the same two bodies tell of a flapping job.

    Re-sends say nothing new; after five minutes an equal body is the tool saying that the problem lasts.
    """
    socmon = build()
    fails = {
        "status": "triggered",
        "dedup_key": "backup/ledger",
        "title": "Backup failed",
        "delivery_id": "job",
    }
    works = {"status": "recovered", "dedup_key": "backup/ledger"}

    told = []
    for minute, body in ((0, fails), (1, fails), (1, works), (2, works), (3, fails), (4, fails), (5, fails)):
        clock.at = START + timedelta(minutes=minute)
        answer = (await post(socmon, body)).json()
        told.append([alert["outcome"] for alert in answer.get("alerts", [])] or answer["result"])

    flaps = [["new"], "duplicate", ["transition"], "duplicate", ["transition"], "duplicate"]
    assert told == [*flaps, ["repeated"]]


async def test_a_hundred_at_once_are_each_answered_for_themselves(build: Build) -> None:
    """Good, bad and doubled requests in one commit."""
    socmon = build()
    requests: list[tuple[Any, Any]] = [(ALERT | {"dedup_key": f"p{n}"}, TOKEN) for n in range(30)]
    requests += [(ALERT, {"x-socmon-token": "wrong"})] * 20 + [(b"nonsense", TOKEN)] * 10

    answers = await asyncio.gather(*(post(socmon, body, headers) for body, headers in requests))

    assert [answer.status_code for answer in answers] == [202] * 30 + [401] * 20 + [202] * 10
    assert counts(socmon) == {
        ("accepted", ""): 30,
        ("refused", "bad secret"): 20,
        ("unreadable", ""): 1,
        ("duplicate", ""): 9,
    }


REFUSED = {
    "no secret": ({}, 401, "missing secret"),
    "a wrong secret": ({"x-socmon-token": "wrong"}, 401, "bad secret"),
    "a secret that is no text": ({"x-socmon-token": b"\xff\xfe\x00\xc3"}, 401, "bad secret"),
    "compressed": (TOKEN | {"content-encoding": "gzip"}, 415, "compressed"),
    "compressed, in capitals": (TOKEN | {"content-encoding": "GZIP"}, 415, "compressed"),
    "said to be too large": (TOKEN | {"content-length": str(LARGEST_BODY + 1)}, 413, "too large"),
    "said to be larger than any number": (TOKEN | {"content-length": "9" * 40}, 413, "too large"),
}


@pytest.mark.parametrize(("headers", "status", "reason"), REFUSED.values(), ids=REFUSED.keys())
async def test_a_refused_delivery_leaves_a_counter_and_nothing_else(
    build: Build, headers: Any, status: int, reason: str
) -> None:
    """No body, no entry; the answer says what to correct, and not what the secret is."""
    socmon = build()

    answer = await post(socmon, ALERT, headers)

    assert answer.status_code == status
    assert answer.json()["error"]
    assert SECRET not in answer.text
    assert stored(socmon) == NOTHING
    assert counts(socmon) == {("refused", reason): 1}


async def test_without_a_configured_secret_a_source_is_closed(build: Build) -> None:
    """Not open: 403, and the answer names the variable to set."""
    socmon = build(SOCMON_WEBHOOK_SECRET_GENERIC="")

    answer = await post(socmon, ALERT)

    assert answer.status_code == 403
    assert "SOCMON_WEBHOOK_SECRET_GENERIC" in answer.text
    assert stored(socmon) == NOTHING


async def test_only_connected_sources_have_an_address(build: Build) -> None:
    """Unknown and disabled ones are 404, whatever they send; other methods are 405."""
    socmon = build(tables="[providers.generic]\n[providers.datadog]\nenabled = false\n")

    async with browser(socmon) as client:
        for provider in ("datadog", "nagios", "generic/x", "..", "%2e%2e", "generic%00"):
            assert (await client.post(f"/webhooks/{provider}", json=ALERT)).status_code == 404, provider
        for method in ("GET", "PUT", "DELETE", "PATCH"):
            assert (await client.request(method, "/webhooks/generic", headers=TOKEN)).status_code == 405
    assert counts(socmon) == {}


async def test_a_large_body_is_refused_while_it_comes(build: Build) -> None:
    """Also without a content-length, and without reading all of it."""
    read = []

    async def endless() -> AsyncIterator[bytes]:
        for number in range(1000):
            read.append(number)
            yield b"x" * 65536

    answer = await post(build(), endless())

    assert answer.status_code == 413
    assert len(read) * 65536 < 2 * LARGEST_BODY + 65536 * 20


@pytest.mark.parametrize("provider", sorted(set(all_providers()) - {"cloudwatch"}))
async def test_a_strangers_body_is_not_waited_for(
    build: Build, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    """Who shows no proof in the headers is refused before the body is read; only SNS has none there."""
    monkeypatch.setattr(webhooks, "read_body", crash)
    socmon = build()

    answer = await post(socmon, b"{}", {}, provider)

    assert answer.status_code == 401
    [(result, reason)] = counts(socmon)
    assert (result, reason in {"missing secret", "missing signature"}) == ("refused", True)


async def test_large_bodies_share_a_budget_and_small_ones_need_none(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Strangers with large bodies cannot fill the memory, nor keep out what is small: nearly every delivery."""
    monkeypatch.setattr(webhooks, "MOST_HELD", 1024 * 1024)
    socmon = build()
    app, may_end, held = socmon.asgi(), asyncio.Event(), []

    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * (900 * 1024)
        held.append(True)
        await may_end.wait()

    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://socmon") as client:

        async def send(content: Any) -> httpx.Response:
            return await client.post("/webhooks/generic", content=content, headers=TOKEN)

        first = asyncio.create_task(send(slow()))
        while not held:  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0.01)
        large = await send(b"y" * (900 * 1024))
        small = await send(json.dumps(ALERT | {"text": "x" * 60_000}).encode())
        may_end.set()
        assert (await first).json()["result"] == "unreadable"
        again = await send(b"y" * (900 * 1024))

    assert (large.status_code, large.headers["retry-after"]) == (503, "5")
    assert (small.status_code, again.status_code) == (202, 202)


async def test_the_largest_body_is_taken(build: Build) -> None:
    """One byte less than too much."""
    rest = LARGEST_BODY - len(json.dumps(ALERT | {"text": ""}))

    answer = await post(build(), ALERT | {"text": "x" * rest})

    assert (answer.status_code, answer.json()["result"]) == (202, "accepted")


async def test_a_body_that_never_ends_is_given_up(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow sender is told to send again; it holds no connection for ever."""
    monkeypatch.setattr(webhooks, "BODY_SECONDS", 0.05)

    async def dripping() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)
        yield b"}"

    answer = await post(build(), dripping())

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_a_connection_that_ends_early_stores_nothing(build: Build) -> None:
    """Half a body is no delivery."""
    socmon = build()
    messages = iter(
        [{"type": "http.request", "body": b'{"status"', "more_body": True}, {"type": "http.disconnect"}]
    )
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/webhooks/generic",
        "query_string": b"",
        "headers": [(b"x-socmon-token", SECRET.encode())],
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    await socmon.asgi()(scope, receive, send)

    assert stored(socmon) == NOTHING
    assert counts(socmon) == {("refused", "cut off"): 1}


async def test_while_the_records_are_away_senders_are_told_to_come_back(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with Retry-After, for genuine and for forged deliveries alike: 5xx is what all tools repeat."""
    socmon = build()

    async def away(*_: Any, **__: Any) -> Any:
        raise Unavailable("The database does not answer. Send again.")

    monkeypatch.setattr(socmon.records, "write", away)

    for headers in (TOKEN, {}):
        answer = await post(socmon, ALERT, headers)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "Send again" in answer.text


# Faults of our own


def crash(*_: Any, **__: Any) -> Any:
    raise KeyError("nobody foresaw this")


async def test_a_reader_that_crashes_loses_nothing(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """The genuine body is kept whole, the gap is shown, and the sender is done."""
    socmon = build()
    monkeypatch.setattr(GenericWebhook, "read", crash)

    answer = await post(socmon, ALERT)

    assert (answer.status_code, answer.json()["result"]) == (202, "unreadable")
    assert "KeyError" in answer.json()["gap"]
    assert stored(socmon) == {"delivery": 1, "alert": 0, "leaf": 1, "disclosure": 2}


async def test_a_procedure_that_crashes_loses_nothing(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, when the fault is in how it is recorded."""
    socmon = build()

    def crash_on_alerts(records: Any, delivery: Any, **rest: Any) -> Any:
        return crash() if delivery.alerts else receive_alert(records, delivery, **rest)

    monkeypatch.setattr(webhooks, "receive_alert", crash_on_alerts)

    answer = await post(socmon, ALERT)

    assert (answer.status_code, answer.json()["result"]) == (202, "unreadable")
    assert stored(socmon) == {"delivery": 1, "alert": 0, "leaf": 1, "disclosure": 2}
    with socmon.records.reading.connect() as connection:
        assert json.loads(connection.exec_driver_sql("SELECT body FROM delivery").scalar_one()) == ALERT


@pytest.mark.parametrize("method", ["check_headers", "follow_up"])
async def test_when_nothing_can_be_kept_the_sender_keeps_it(
    build: Build, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """A crash before we know who sent it: 503, since the sender may be genuine."""
    monkeypatch.setattr(GenericWebhook, method, crash)

    assert (await post(build(), ALERT)).status_code == 503


async def test_when_recording_fails_twice_the_sender_keeps_it(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither as alerts nor as a gap: 503, never a bare 500."""
    monkeypatch.setattr(webhooks, "receive_alert", crash)

    assert (await post(build(), ALERT)).status_code == 503


# Hostile contents

HOSTILE = {
    "NUL": "a\x00b",
    "half a surrogate pair": "a\ud800b",
    "both, everywhere": "\ud83d\x00\udfff",
    "long": "x" * 100_000,
    "mentions": "<!channel> <@U1SAM> <https://x|y> & `code`",
    "control characters": "".join(map(chr, range(32))),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_texts_are_alerts_like_others(build: Build, database_url: str, text: str) -> None:
    """On both databases, in every field: stored, once, and known again."""
    socmon = build(database_url)
    fields = ("dedup_key", "title", "component", "condition", "value", "text", "occurrence", "delivery_id")
    hostile = ALERT | {"url": f"https://x/{text}"} | dict.fromkeys(fields, f"k{text}")

    first = await post(socmon, hostile)
    again = await post(socmon, hostile)
    later = await post(socmon, hostile | {"delivery_id": "another"})

    assert (first.status_code, first.json().get("alerts")) == (202, [{"outcome": "new", "alert": "A-1"}])
    assert again.json() == {"result": "duplicate"}
    assert later.json()["alerts"] == [{"outcome": "repeated", "alert": "A-1"}]


BODIES = {
    "nothing": b"",
    "no JSON": b"status=triggered",
    "a number": b"5",
    "a list": b"[]",
    "an empty object": b"{}",
    "deep": b"[" * 5000,
    "deep objects": b'{"a":' * 5000,
    "a key twice": b'{"status": "triggered", "status": "recovered"}',
    "NaN": b'{"status": NaN}',
    "infinity": b'{"status": "triggered", "dedup_key": "x", "value": 1e999}',
    "a number of 5000 digits": b'{"status": "triggered", "dedup_key": ' + b"9" * 5000 + b"}",
    "bytes that are no text": b'{"status": "\xff\xfe"}',
    "UTF-16": json.dumps(ALERT).encode("utf-16"),
    "with a byte order mark": b"\xef\xbb\xbf" + json.dumps(ALERT).encode(),
    "half": json.dumps(ALERT).encode()[:-1],
    "wrong types": json.dumps({name: {"a": [1]} for name in ALERT}).encode(),
    "alerts that are none": b'{"alerts": [1, null, {}, []]}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_a_genuine_body_is_kept_whatever_it_is(build: Build, body: bytes) -> None:
    """Never an error that makes the tool give up, or PagerDuty switch us off."""
    socmon = build()

    answer = await post(socmon, body)

    assert (answer.status_code, answer.json()["result"] in {"accepted", "unreadable"}) == (202, True)
    assert stored(socmon)["delivery"] == 1


async def test_the_projector_is_woken_once_it_is_stored(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not by what was refused."""
    socmon, woken = build(), []
    monkeypatch.setattr(socmon.projector, "wake", lambda: woken.append(stored(socmon)["alert"]))

    await post(socmon, ALERT, {})
    await post(socmon, ALERT)

    assert woken == [1]
