"""Two people and the source act at the same moment: one winner, a kind word to the other, no illegal state."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from bot.adapters.database.writer import Database
from bot.domain.alert import RESPONSES, Act, Alert, Change, NoAction, Response, Severity
from bot.domain.errors import IllegalAct, SomebodyElses
from bot.domain.escalation import Policy
from bot.domain.person import Person
from bot.procedures import respond_to_alert
from bot.procedures.escalate_alert import Reach, escalate_alert
from bot.procedures.receive_alert import receive_alert
from tests.reports import KIM, LEAD, NOTE, SAM, delivery, report
from tests.world import ROUTES, MovableClock, open_database

REACH = Reach(leads=("U1LEAD",), routes=ROUTES)
MILD = NoAction(severities=frozenset(Severity))
TIMES = {"sqlite": 1000, "postgresql": 200}

Replicas = list[Database]


@pytest.fixture
async def replicas(database_url: str) -> AsyncIterator[Replicas]:
    """SQLite has one process; of PostgreSQL there are two, so that the two people meet in the database."""
    clock = MovableClock()
    amount = 1 if database_url.startswith("sqlite") else 2
    opened = [open_database(database_url, clock) for _ in range(amount)]
    yield opened
    for one in opened:
        one.close()


def times(replicas: Replicas) -> int:
    return TIMES[replicas[0].writing.dialect.name]


async def problems(replicas: Replicas, chance: random.Random) -> AsyncIterator[dict[int, str]]:
    """Alert → its problem, a few at a time: everybody acts on all of these at the same moment."""
    keys = [f"p{number}" for number in range(times(replicas))]
    while keys:
        some = [keys.pop() for _ in range(min(len(keys), chance.randint(1, 20)))]
        receipt = await replicas[0].write(receive_alert, delivery(*map(report, some)), routes=ROUTES)
        yield {alert_id: key for (_, alert_id, _), key in zip(receipt.alerts, some, strict=True) if alert_id}


async def all_at_once(acts: list[tuple[int, Awaitable[Any]]], chance: random.Random) -> dict[int, list[Any]]:
    """Alert → what came of the acts on it: the alert as it was left, or the refusal."""
    chance.shuffle(acts)
    came: dict[int, list[Any]] = {}
    done = await asyncio.gather(*(act for _, act in acts), return_exceptions=True)
    for (alert_id, _), one in zip(acts, done, strict=True):
        came.setdefault(alert_id, []).append(one)
    return came


def told(database: Database, alert_id: int) -> list[str]:
    return [moment.kind for moment in database.read_now(lambda records: records.timeline(alert_id))]


async def test_of_two_acknowledgements_the_first_stands(replicas: Replicas) -> None:
    """While the source recovers. The other one is told who was faster, and offered to take it over."""
    winners: Counter[str] = Counter()
    chance = random.Random(412)
    here, there = replicas[0], replicas[-1]
    async for keys in problems(replicas, chance):
        acts: list[tuple[int, Awaitable[Any]]] = []
        for alert_id, key in keys.items():
            recovery = delivery(report(key, change=Change.RECOVERED))
            acts += [
                (alert_id, here.write(respond_to_alert.acknowledge, alert_id, by=SAM)),
                (alert_id, there.write(respond_to_alert.acknowledge, alert_id, by=KIM)),
                (alert_id, chance.choice(replicas).write(receive_alert, recovery, routes=ROUTES)),
            ]
        for alert_id, came in (await all_at_once(acts, chance)).items():
            [won] = [one for one in came if isinstance(one, Alert)]
            [lost] = [one for one in came if isinstance(one, Exception)]
            alert = here.read_now(lambda records: records.alert(alert_id))  # noqa: B023 - called at once
            assert alert.owner == alert.acknowledged_by == won.owner
            assert isinstance(lost, SomebodyElses)
            assert str(lost) == f"<@{won.owner}> has already acknowledged A-{alert_id}. Nothing changed."
            assert (alert.version, alert.note_needed) == (2, True)
            assert sorted(told(here, alert_id)) == ["acknowledged", "recovered", "triggered"]
            winners[str(won.owner)] += 1
    assert (len(winners), winners.total()) == (2, times(replicas)), "either of them can be faster"


Do = Callable[[Database, int, Person], Awaitable[Any]]
ACTS: dict[Act, Do] = {
    Act.ACKNOWLEDGE: lambda at, alert_id, by: at.write(respond_to_alert.acknowledge, alert_id, by=by),
    Act.SNOOZE: lambda at, alert_id, by: at.write(respond_to_alert.snooze, alert_id, by=by, minutes=30),
    Act.REASSIGN: lambda at, alert_id, by: at.write(respond_to_alert.reassign, alert_id, by=by, to=LEAD),
    Act.TAKE_OVER: lambda at, alert_id, by: at.write(respond_to_alert.take_over, alert_id, by=by),
    Act.RELEASE: lambda at, alert_id, by: at.write(respond_to_alert.release, alert_id, by=by),
    Act.ESCALATE: lambda at, alert_id, by: at.write(
        respond_to_alert.escalate_now, alert_id, by=by, reach=REACH
    ),
    Act.RESOLVE: lambda at, alert_id, by: at.write(
        respond_to_alert.resolve, alert_id, by=by, resolution=NOTE
    ),
    Act.NO_ACTION: lambda at, alert_id, by: at.write(
        respond_to_alert.resolve_without_action, alert_id, by=by, policy=MILD
    ),
}
KINDS = {
    "acknowledged": Act.ACKNOWLEDGE,
    "snoozed": Act.SNOOZE,
    "reassigned": Act.REASSIGN,
    "taken_over": Act.TAKE_OVER,
    "released": Act.RELEASE,
    "resolved": Act.RESOLVE,
}


async def test_whatever_they_do_at_once_there_is_no_illegal_state(replicas: Replicas) -> None:
    """Any two acts, the source and the clock: what was refused left no trace, and the log tells one legal story."""
    chance = random.Random(7)
    seen: Counter[str] = Counter()
    here, there = replicas[0], replicas[-1]
    async for keys in problems(replicas, chance):
        owned = [alert_id for alert_id in keys if chance.random() < 0.5]
        await asyncio.gather(
            *(here.write(respond_to_alert.acknowledge, one, by=chance.choice([SAM, KIM])) for one in owned)
        )
        acts: list[tuple[int, Awaitable[Any]]] = []
        for alert_id, key in keys.items():
            change = chance.choice([Change.RECOVERED, Change.NO_DATA, Change.TRIGGERED])
            said = delivery(report(key, change=change))
            first, second = chance.choices(list(ACTS.values()), k=2)
            acts += [
                (alert_id, first(here, alert_id, SAM)),
                (alert_id, second(there, alert_id, KIM)),
                (alert_id, there.write(receive_alert, said, routes=ROUTES)),
                (alert_id, here.write(escalate_alert, alert_id, policy=Policy(), reach=REACH)),
            ]
        for alert_id, came in (await all_at_once(acts, chance)).items():
            refused = [one for one in came if isinstance(one, BaseException)]
            assert all(isinstance(one, IllegalAct) and len(str(one)) > 20 for one in refused)
            alert = here.read_now(lambda records: records.alert(alert_id))  # noqa: B023 - called at once
            story = told(here, alert_id)
            acted = [kind for kind in story if kind in {*KINDS, "escalated"}]
            assert len(acted) == 2 - len(refused) + (alert_id in owned), (
                "a refusal leaves no trace, an act one"
            )
            _is_legal(alert, story)
            seen.update(story)
    assert set(KINDS) <= set(seen)


def _is_legal(alert: Alert, story: list[str]) -> None:
    """The story, told again by the table alone, ends where the alert is."""
    state = Response.TRIGGERED
    for kind in story:
        if act := KINDS.get(kind):
            assert (state, act) in RESPONSES, f"{kind} while {state}"
            state = RESPONSES[state, act]
    assert alert.response is state
    assert (alert.resolution is None) == (state is not Response.RESOLVED)
    assert (alert.owner is None) <= (state is not Response.ACKNOWLEDGED)
