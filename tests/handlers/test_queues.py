"""What lies in a queue: recorded as if it had come over HTTP, removed only then, and never lost on the way."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.app import Socmon
from bot.domain.alert import Source
from bot.domain.errors import TryAgain, Unavailable
from bot.procedures.receive_alert import receive_alert
from bot.procedures.report_status import report_status
from bot.providers.cloudwatch.envelope import Kind
from bot.providers.cloudwatch.samples import CloudWatchSamples
from bot.providers.cloudwatch.settings import EXAMPLE_QUEUE, EXAMPLE_TOPIC
from bot.providers.cloudwatch.webhook import CloudWatchWebhook
from bot.providers.contract import Queued, QueueLook, Sample, SampleKind, Samples
from handlers import queues
from handlers.queues import LONGEST_PAUSE, PATIENCE, QueueIntake
from tests.handlers.conftest import Build, browser
from tests.reports import START
from tests.world import MovableClock

NAME = "sqs:test"


class Line:
    """A queue in memory. Every message that is not removed comes again with the next look."""

    name = NAME

    def __init__(self, socmon: Socmon) -> None:
        self.settings = socmon.settings.providers["cloudwatch"]
        self.webhook = CloudWatchWebhook(self.settings, socmon.network, self.confirm, waited=True)
        self.messages: dict[str, bytes] = {}
        self.receives: dict[str, int] = {}
        self.away = 0
        self.may_confirm = True

    def put(self, *bodies: bytes) -> None:
        for body in bodies:
            self.messages[f"m{len(self.receives)}"] = body
            self.receives[f"m{len(self.receives)}"] = 0

    def receive(self) -> list[Queued]:
        if self.away:
            self.away -= 1
            raise TryAgain("SQS is away.")
        for each in self.messages:
            self.receives[each] += 1
        return [Queued(id=each, receipt=f"r-{each}", body=body) for each, body in self.messages.items()]

    def remove(self, messages: Sequence[Queued]) -> None:
        for each in messages:
            self.messages.pop(each.id, None)

    def look(self) -> QueueLook:
        return QueueLook(says="")

    def confirm(self, topic: str, token: str) -> None:
        del topic, token
        if not self.may_confirm:
            raise TryAgain("The subscription could not be confirmed.")


class Desk:
    """The queue beside the socmon that takes from it, and what the operators heard."""

    def __init__(self, socmon: Socmon) -> None:
        self.socmon, self.line = socmon, Line(socmon)
        self.told: list[str] = []
        self.left = 0
        self.taking = QueueIntake(
            provider="cloudwatch",
            queue=self.line,
            intake=socmon.intake,
            stopping=self.stopping,
            report=self.report,
            mended=self.mended,
        )

    async def look(self, times: int = 1) -> None:
        self.left = times
        await self.taking.run()

    def stopping(self) -> bool:
        self.left -= 1
        return self.left < 0

    async def report(self, subject: str, text: str) -> None:
        self.told.append(text)
        await self.socmon.operators.report(subject, text)

    async def mended(self, subject: str) -> None:
        self.told.append("mended")
        await self.socmon.operators.mended(subject)

    def counted(self, kind: str = "delivery") -> dict[str, int]:
        found: dict[str, int] = {}
        for _, of, result, _, number in self.socmon.records.read_now(lambda records: records.counts(START)):
            if of == kind:
                found[result] = found.get(result, 0) + number
        return found

    def gaps(self) -> list[str]:
        found = self.socmon.records.read_now(lambda records: records.gaps(START - timedelta(days=1)))
        return [why for _, _, why in found]

    def problems(self) -> list[str]:
        return [subject for subject, _, _ in self.socmon.records.read_now(lambda records: records.problems())]


@pytest.fixture
def desk(build: Build) -> Desk:
    return Desk(build())


@pytest.fixture
def sns(samples: dict[str, Samples]) -> CloudWatchSamples:
    found = samples["cloudwatch"]
    assert isinstance(found, CloudWatchSamples)
    return found


def alarm(
    sns: CloudWatchSamples, number: int, kind: SampleKind = SampleKind.TRIGGERED, at: datetime = START
) -> Sample:
    return sns.sample(kind, problem=number, episode=1, at=at)


async def test_an_alarm_is_recorded_and_then_removed(desk: Desk, sns: CloudWatchSamples) -> None:
    desk.line.put(alarm(sns, 1).body, alarm(sns, 2).body, alarm(sns, 1, SampleKind.RECOVERED).body)

    await desk.look(2)

    first = desk.socmon.records.read_now(lambda records: records.alert(1))
    assert (first.provider, first.source) == ("cloudwatch", Source.RECOVERED)
    assert desk.counted() == {"accepted": 3}
    assert desk.counted("alert") == {"new": 2, "transition": 1}
    assert desk.line.messages == {}


async def test_what_also_came_over_http_is_a_duplicate(desk: Desk, sns: CloudWatchSamples) -> None:
    """By SNS's MessageId, whichever way comes first."""
    both, other = alarm(sns, 1), alarm(sns, 2)

    async def post(sample: Sample) -> str:
        async with browser(desk.socmon) as client:
            answer = await client.post("/webhooks/cloudwatch", content=sample.body, headers=sample.headers)
        return str(answer.json()["result"])

    assert await post(both) == "accepted"
    desk.line.put(both.body, other.body)
    await desk.look()
    assert await post(other) == "duplicate"

    assert desk.counted() == {"accepted": 2, "duplicate": 2}
    assert desk.line.messages == {}


async def test_a_message_may_be_weeks_old(desk: Desk, sns: CloudWatchSamples) -> None:
    """The queue keeps it while socmon is down; over HTTP the same message would be refused as a replay."""
    desk.line.put(alarm(sns, 1, at=START - timedelta(days=13)).body)

    await desk.look()

    assert desk.counted("alert") == {"new": 1}


def forged(sns: CloudWatchSamples) -> bytes:
    return alarm(sns, 1).body.replace(b"ALARM", b"ALERT", 1)


def foreign(sns: CloudWatchSamples) -> bytes:
    fields = {"Type": Kind.NOTIFICATION, "MessageId": "x", "TopicArn": f"{EXAMPLE_TOPIC}-of-others"}
    return sns.signed(fields | {"Message": "hello", "Timestamp": "2026-11-24T03:00:00.000Z"}).body


POISON: dict[str, tuple[Callable[[CloudWatchSamples], bytes], str]] = {
    "not SNS": (lambda _: b'{"hello": "there"}', "is not an SNS message"),
    "raw delivery": (lambda _: b'{"AlarmName": "cpu", "NewStateValue": "ALARM"}', "RawMessageDelivery"),
    "not JSON": (lambda _: b"\xff\x00", "is not JSON"),
    "bad signature": (forged, "signature does not belong"),
    "foreign topic": (foreign, "is not allowed"),
    "unreadable": (lambda sns: alarm(sns, 1, SampleKind.GARBAGE).body, "not JSON"),
}


@pytest.mark.parametrize("kind", POISON)
async def test_poison_is_one_gap_and_stays_in_the_queue(
    desk: Desk, clock: MovableClock, sns: CloudWatchSamples, kind: str
) -> None:
    """However often it comes, over however long a time; the queue's redrive policy takes it away."""
    make, says = POISON[kind]
    body = make(sns)
    desk.line.put(body)

    for _ in range(5):
        await desk.look()
        clock.move(400)

    [gap] = desk.gaps()
    assert says in gap
    assert list(desk.line.messages.values()) == [body]
    assert desk.counted() == {"unreadable": 1, "duplicate": 4}
    assert desk.problems() == []


async def test_poison_keeps_nothing_else_waiting(desk: Desk, sns: CloudWatchSamples) -> None:
    desk.line.put(forged(sns), b"nonsense", alarm(sns, 2).body)

    await desk.look()

    assert desk.counted("alert") == {"new": 1}
    assert list(desk.line.receives.values()) == [1, 1, 1]
    assert len(desk.line.messages) == 2


async def test_a_forged_message_does_not_take_the_place_of_the_genuine_one(
    desk: Desk, sns: CloudWatchSamples
) -> None:
    """It bears the same MessageId, comes first, and makes no duplicate of what SNS signed."""
    desk.line.put(forged(sns), alarm(sns, 1).body)

    await desk.look()

    assert desk.counted() == {"unreadable": 1, "accepted": 1}
    assert desk.counted("alert") == {"new": 1}


async def test_what_nobody_signed_is_no_sign_of_life(desk: Desk, sns: CloudWatchSamples) -> None:
    """Status must not say that CloudWatch was heard when only a stranger was."""

    def heard() -> datetime | None:
        found: datetime | None = desk.socmon.records.read_now(
            lambda records: records.last_heard("cloudwatch")[0]
        )
        return found

    desk.line.put(forged(sns))
    await desk.look()
    assert heard() is None

    desk.line.put(alarm(sns, 2).body)
    await desk.look()
    assert heard() == START


async def test_a_subscription_that_cannot_be_confirmed_keeps_no_alarm_waiting(
    desk: Desk, sns: CloudWatchSamples
) -> None:
    """It is a gap until AWS lets socmon confirm it; then the message has done its work."""
    desk.line.may_confirm = False
    desk.line.put(sns.confirmation(Kind.SUBSCRIPTION, at=START).body, alarm(sns, 1).body)
    await desk.look(2)
    assert desk.gaps() == ["The subscription could not be confirmed."]
    assert desk.counted("alert") == {"new": 1}

    desk.line.may_confirm = True
    await desk.look()
    assert desk.line.messages == {}


async def test_while_the_records_are_away_no_message_uses_up_its_receives(
    desk: Desk, clock: MovableClock, sns: CloudWatchSamples, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long outage of the database must not send genuine alarms to the dead letters."""
    down = True
    write = desk.socmon.records.write

    async def sometimes(procedure: Any, *args: Any, **kwargs: Any) -> Any:
        if down and procedure is receive_alert:
            raise Unavailable("The records cannot be written.")
        return await write(procedure, *args, **kwargs)

    monkeypatch.setattr(desk.socmon.records, "write", sometimes)
    desk.line.put(alarm(sns, 1).body, alarm(sns, 2).body)

    await desk.look(20)
    assert desk.line.receives == {"m0": 1, "m1": 1}
    assert len(desk.line.messages) == 2
    assert desk.problems() == [NAME]

    down = False
    await desk.look()
    assert desk.counted() == {"accepted": 2}
    assert (desk.line.messages, desk.problems()) == ({}, [])
    assert clock.at > START + timedelta(minutes=10), "it waits longer and longer"


async def test_while_the_certificate_cannot_be_fetched_nothing_is_given_up(
    desk: Desk, sns: CloudWatchSamples, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.line.put(alarm(sns, 1).body)
    with monkeypatch.context() as patched:

        async def away(*_: Any, **__: Any) -> Any:
            raise OSError("no route")

        patched.setattr(type(desk.socmon.network), "get", away)
        await desk.look(10)
    assert (desk.gaps(), desk.counted(), desk.line.receives) == ([], {}, {"m0": 1})

    await desk.look()
    assert desk.counted() == {"accepted": 1}


async def test_an_outage_of_aws_is_a_problem_until_it_is_over(desk: Desk, clock: MovableClock) -> None:
    """A hiccup is not; it is tried again ever later, up to once a minute."""
    desk.line.away = PATIENCE - 1
    await desk.look(PATIENCE)
    assert desk.told == ["mended"]

    desk.line.away = 100
    before = clock.at
    await desk.look(50)
    assert desk.problems() == [NAME]
    assert set(desk.told[1:]) == {"SQS is away."}
    assert clock.at - before == timedelta(seconds=1 + 2 + 4 + 8 + 16 + 32 + 44 * LONGEST_PAUSE)
    status = desk.socmon.records.read_now(report_status, {"cloudwatch": "CloudWatch"}, version="1")
    assert [problem.text for problem in status.problems] == ["SQS is away."]
    async with browser(desk.socmon) as client:
        assert (await client.get("/readyz")).json() == {"ready": True, "degraded": ["SQS is away."]}

    desk.line.away = 0
    await desk.look()
    assert (desk.problems(), desk.told[-1]) == ([], "mended")


async def test_a_problem_of_an_earlier_process_is_cleared(desk: Desk) -> None:
    await desk.socmon.operators.report(NAME, "SQS is away.")

    await desk.look()

    assert desk.problems() == []


async def test_what_cannot_be_removed_comes_again_as_a_duplicate(
    desk: Desk, sns: CloudWatchSamples, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Sequence[Queued]) -> None:
        raise TryAgain("It may not be removed.")

    desk.line.put(alarm(sns, 1).body)
    with monkeypatch.context() as patched:
        patched.setattr(desk.line, "remove", refuse)
        await desk.look(PATIENCE)
    assert desk.counted() == {"accepted": 1, "duplicate": PATIENCE - 1}
    assert desk.problems() == [NAME]

    await desk.look()
    assert (desk.line.messages, desk.problems()) == ({}, [])


async def test_a_fault_of_ours_is_a_gap_and_the_queue_goes_on(
    desk: Desk, sns: CloudWatchSamples, monkeypatch: pytest.MonkeyPatch
) -> None:
    check, broken = desk.line.webhook.authenticate, alarm(sns, 1).body

    async def sometimes(request: Any) -> str:
        if request.body == broken:
            raise KeyError("oops")
        return await check(request)

    monkeypatch.setattr(desk.line.webhook, "authenticate", sometimes)
    desk.line.put(broken, alarm(sns, 2).body)

    await desk.look(2)

    assert desk.gaps() == ["socmon failed while it checked this (KeyError); please report this"]
    assert desk.counted("alert") == {"new": 1}


async def test_a_message_that_cannot_be_recorded_at_all_keeps_no_other_waiting(
    desk: Desk, sns: CloudWatchSamples, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even as a gap. It is a problem while it comes again, and ends in the dead letters."""
    write, broken = desk.socmon.records.write, alarm(sns, 1).body

    async def sometimes(procedure: Any, *args: Any, **kwargs: Any) -> Any:
        if procedure is receive_alert and args[0].body == broken:
            raise RuntimeError("nobody thought of this")
        return await write(procedure, *args, **kwargs)

    monkeypatch.setattr(desk.socmon.records, "write", sometimes)
    desk.line.put(broken, alarm(sns, 2).body)

    await desk.look(PATIENCE)

    assert desk.counted() == {"accepted": 1}
    assert desk.line.receives == {"m0": PATIENCE, "m1": 1}
    assert desk.problems() == [NAME]


async def test_a_broken_queue_never_ends_the_look(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash() -> list[Queued]:
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(desk.line, "receive", crash)

    await desk.look(PATIENCE)

    assert "RuntimeError" in desk.told[-1]
    assert desk.problems() == [NAME]


async def test_two_replicas_take_from_one_queue(
    build: Build, sns: CloudWatchSamples, database_url: str
) -> None:
    """Each message is one alert, also when both receive it."""
    first = Desk(build(database_url))
    second = Desk(first.socmon if database_url.startswith("sqlite") else build(database_url))
    second.taking.queue = first.line
    first.line.put(*(alarm(sns, number).body for number in range(30)))
    messages = first.line.receive()
    first.taking.held, second.taking.held = list(messages), list(messages)

    await asyncio.gather(first.look(), second.look())

    counted = first.counted()
    assert counted["accepted"] == 30
    assert first.counted("alert") == {"new": 30}
    assert first.line.messages == {}


async def test_a_look_that_hangs_holds_no_end_up() -> None:
    """The end of the process waits for no thread that waits for AWS."""
    hanging = threading.Event()
    waiting = asyncio.create_task(queues._in_thread(hanging.wait))  # noqa: SLF001 - no other way to see the thread
    await asyncio.sleep(0.05)
    [thread] = [thread for thread in threading.enumerate() if thread.name == "queue"]

    waiting.cancel()
    started = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert time.monotonic() - started < 1
    assert thread.daemon
    hanging.set()
    thread.join()


def test_socmon_listens_at_its_address_and_at_its_queue(build: Build) -> None:
    """A route of any tool that ends at one of them calls whom socmon calls."""
    tables = f'[providers.cloudwatch]\ntopics = ["{EXAMPLE_TOPIC}"]\nqueue = "{EXAMPLE_QUEUE}"\n'
    socmon = build(tables=tables, SOCMON_PUBLIC_URL="https://socmon.example.com")

    routes = socmon.notification_routes(None, START)

    queue = "arn:aws:sqs:eu-west-1:111122223333:socmon-alarms"
    assert routes.own == {"https://socmon.example.com", queue}
