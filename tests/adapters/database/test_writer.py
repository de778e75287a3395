"""The one writer: group commit, and what becomes of the others when one unit of work fails."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError

from bot.adapters.database import writer
from bot.adapters.database.engine import journal_mode, sqlite_module
from bot.adapters.database.writer import Database
from bot.domain.delivery import Outcome, Result
from bot.domain.errors import IllegalAct, Unavailable
from bot.domain.evidence import Frontier
from bot.ports import Records
from bot.procedures import respond_to_alert
from bot.procedures.receive_alert import receive_alert
from tests.adapters.database.batches import in_one_batch, unit
from tests.reports import KIM, NOTE, SAM, delivery, report
from tests.world import ROUTES, MovableClock, open_database


def receive(key: str, **facts: Any) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    return unit(receive_alert, delivery(report(key, **facts)), routes=ROUTES)


def fail(records: Records, delivered: Any, error: BaseException) -> None:
    """Do a lot, then fail."""
    receive_alert(records, delivered, routes=ROUTES)
    records.set_problem("half", "done")
    raise error


def head(records: Records) -> tuple[int, int, int]:
    """(entries, alerts, deliveries) that are stored."""
    alerts = records.find_alerts()
    assert [alert.id for alert in alerts] == list(range(len(alerts), 0, -1)), "numbers have no holes"
    return records.tree()[1].size, len(alerts), records.add_delivery(delivery()) - 1


async def test_many_writes_share_a_transaction(database: Database) -> None:
    """Two hundred requests that wait at once cost a few commits, not two hundred."""
    commits: list[object] = []
    event.listen(database.writing, "commit", commits.append)

    receipts = await asyncio.gather(
        *(database.write(receive_alert, delivery(report(f"p{n}")), routes=ROUTES) for n in range(200))
    )

    assert {receipt.alerts[0][1] for receipt in receipts} == set(range(1, 201))
    assert len(commits) < 20


async def test_under_load_a_batch_waits_for_requests_that_are_on_their_way(database: Database) -> None:
    """After a large batch, as many that come within some milliseconds share few commits, and a lone one is answered."""
    commits: list[object] = []
    event.listen(database.writing, "commit", commits.append)

    async def send(number: int, after: float) -> None:
        await asyncio.sleep(after)
        await database.write(receive_alert, delivery(report(f"p{number}")), routes=ROUTES)

    await asyncio.gather(*(send(number, 0) for number in range(40)))
    commits.clear()
    await asyncio.gather(*(send(number, (number - 40) / 4000) for number in range(40, 80)))
    assert len(commits) < 10

    await send(80, 0)
    await send(81, 0)
    assert await database.read(head) == (82, 82, 82)


async def test_one_problem_in_many_deliveries_of_one_batch_is_one_alert(database: Database) -> None:
    """A unit sees what earlier units of its batch have changed."""
    receipts = await in_one_batch(database, *(receive("same") for _ in range(10)))

    outcomes = [receipt.alerts[0][0] for receipt in receipts]
    assert outcomes == [Outcome.NEW, *[Outcome.REPEATED] * 9]
    assert (await database.read(lambda records: records.alert(1))).repeats == 9


async def test_a_delivery_that_is_sent_twice_in_one_batch_counts_once(database: Database) -> None:
    """Two requests with one delivery, at the same moment: one of them is a duplicate."""
    twice = delivery(report())
    receipts = await in_one_batch(database, *(unit(receive_alert, twice, routes=ROUTES) for _ in range(2)))

    assert [receipt.result for receipt in receipts] == [Result.ACCEPTED, Result.DUPLICATE]


async def test_a_unit_that_raises_drops_its_own_changes_and_no_others(database: Database) -> None:
    """Before, within and after a failing unit: all others are stored, and numbers have no holes."""
    error = IllegalAct("no")
    results = await in_one_batch(
        database, receive("before"), unit(fail, delivery(report("failing")), error), receive("after")
    )

    assert results[1] is error
    assert await database.read(head) == (2, 2, 2)
    assert {alert.dedup_key for alert in await database.read(lambda r: r.find_alerts())} == {
        "before",
        "after",
    }


async def test_a_unit_that_raises_leaves_no_trace_of_its_sql(database: Database) -> None:
    """What a unit changed by a statement of its own goes with it, too."""
    await in_one_batch(database, unit(fail, delivery(report("failing")), IllegalAct("no")), receive("after"))

    assert await database.read(lambda records: records.problems()) == []


SURROGATE = "half of a pair \ud800"


@pytest.mark.parametrize(
    "facts", [{"title": SURROGATE}, {"component": SURROGATE}, {"occurrence": SURROGATE}], ids=str
)
async def test_a_text_that_cannot_be_stored_fails_alone(database: Database, facts: Any) -> None:
    """The batch is redone unit by unit, and only the faulty unit fails; its numbers go to the next."""
    results = await in_one_batch(database, receive("before"), receive("faulty", **facts), receive("after"))

    assert isinstance(results[1], Exception)
    assert not isinstance(results[1], Unavailable), "sending it again would not help"
    assert [results[0].alerts[0][1], results[2].alerts[0][1]] == [1, 2]
    assert await database.read(head) == (2, 2, 2)


async def test_a_key_that_cannot_be_looked_up_fails_alone(database: Database) -> None:
    """All keys of a batch are looked up together, and yet one bad key spoils nothing for others."""
    results = await in_one_batch(database, receive("before"), receive(SURROGATE), receive("after"))

    assert isinstance(results[1], Exception)
    assert [results[0].alerts[0][1], results[2].alerts[0][1]] == [1, 2]


async def test_nul_never_harms_a_neighbour(database: Database) -> None:
    """PostgreSQL cannot store U+0000, SQLite can: either way the others are stored."""
    results = await in_one_batch(
        database, receive("before"), receive("nul", title="a\x00b"), receive("after")
    )

    assert results[0].alerts[0][0] is Outcome.NEW
    assert results[2].alerts[0][0] is Outcome.NEW
    assert isinstance(results[1], Exception) == (database.writing.dialect.name == "postgresql")


@pytest.mark.parametrize(
    "error",
    [StopIteration(), RecursionError(), MemoryError(), asyncio.InvalidStateError(), GeneratorExit()],
    ids=repr,
)
async def test_the_writer_outlives_every_fault(database: Database, error: BaseException) -> None:
    """Whatever a unit raises, its caller learns of a failure, all others get their answers, and the next is served."""
    results = await asyncio.wait_for(
        in_one_batch(database, receive("before"), unit(fail, delivery(), error), receive("after")), 20
    )

    assert [isinstance(result, BaseException) for result in results] == [False, True, False]
    assert (await database.write(receive_alert, delivery(report("next")), routes=ROUTES)).alerts[0][1] == 3


async def test_a_caller_that_gives_up_loses_nothing(database: Database) -> None:
    """A request that is cut off while it waits is recorded all the same."""
    waiting = asyncio.ensure_future(database.write(receive_alert, delivery(report()), routes=ROUTES))
    await asyncio.sleep(0)
    waiting.cancel()

    await database.write(receive_alert, delivery(report("next")), routes=ROUTES)
    assert {alert.dedup_key for alert in await database.read(lambda r: r.find_alerts())} >= {
        "next",
        report().dedup_key,
    }


async def test_the_clock_never_undoes_what_a_person_does_at_the_same_moment(
    database: Database, clock: MovableClock
) -> None:
    """A snooze that is over ends in the very batch in which somebody resolves the alert: the resolution stands."""
    for key in ("first", "second"):
        await database.write(receive_alert, delivery(report(key)), routes=ROUTES)
    for alert_id in (1, 2):
        await database.write(respond_to_alert.snooze, alert_id, by=SAM, minutes=30)
    clock.move(31 * 60)

    results = await in_one_batch(
        database,
        unit(respond_to_alert.resolve, 1, by=KIM, resolution=NOTE),
        unit(respond_to_alert.wake_due_alerts),
        unit(respond_to_alert.wake_due_alerts),
    )

    assert results[1:] == [1, 0]
    alert = await database.read(lambda records: records.alert(1))
    assert (alert.resolved_by, alert.resolution) == ("U1KIM", NOTE)


async def test_a_full_queue_asks_senders_to_come_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than grow without end, socmon says “send again”."""
    monkeypatch.setattr(writer, "LONGEST_QUEUE", 0)

    with pytest.raises(Unavailable):
        await database.write(head)


async def test_after_the_end_a_write_is_refused_rather_than_lost(
    sqlite_url: str, clock: MovableClock
) -> None:
    """Nobody waits for ever for a writer that has stopped."""
    database = open_database(sqlite_url, clock)
    database.close()

    with pytest.raises(Unavailable):
        await asyncio.wait_for(database.write(head), 5)


async def test_a_body_full_of_alerts_is_looked_up_in_parts(database: Database) -> None:
    """No database takes as many parameters in one statement as a body of 1 MiB may hold alerts."""
    many = delivery(*(report(f"p{n}", ignored="test notification") for n in range(66_000)))

    receipt = await database.write(receive_alert, many, routes=ROUTES)

    assert len(receipt.alerts) == 66_000


async def test_an_error_of_the_database_shows_no_parameters(database: Database) -> None:
    """Errors end in logs, and logs hold no bodies and no notes."""

    def add_twice(records: Records) -> None:
        records.add_checkpoint(Frontier(), b"canary")
        records.add_checkpoint(Frontier(), b"canary")

    with pytest.raises(IntegrityError) as caught:
        await database.write(add_twice)
    assert "canary" not in str(caught.value)


async def test_a_read_sees_one_state(database: Database) -> None:
    """What is written while somebody reads does not show in the middle of it."""
    if database.writing.dialect.name == "sqlite" and journal_mode(sqlite_module.sqlite_version_info) != "wal":
        pytest.skip("in the rollback journal a writer waits for readers")
    loop = asyncio.get_running_loop()

    def look_twice(records: Records) -> tuple[int, int]:
        before = len(records.find_alerts())
        writing = database.write(receive_alert, delivery(report()), routes=ROUTES)
        asyncio.run_coroutine_threadsafe(writing, loop).result(30)
        return before, len(records.find_alerts())

    assert await database.read(look_twice) == (0, 0)
    assert len(await database.read(lambda records: records.find_alerts())) == 1


async def test_a_read_of_a_database_that_fails_is_explained(database: Database) -> None:
    """Whoever asks is told that the database is the trouble, as with a write."""

    def ask_nonsense(records: Records) -> None:
        records._sql.exec_driver_sql("SELECT * FROM nowhere")  # type: ignore[attr-defined] # noqa: SLF001

    with pytest.raises(Unavailable):
        await database.read(ask_nonsense)
