"""What the records answer: counters, timelines, lists, gaps, problems, and what retention leaves."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.adapters.database.writer import Database
from bot.domain.alert import Alert, Change
from bot.domain.delivery import TEST_NOTIFICATION
from bot.domain.errors import UnknownAlert
from bot.ports import Records
from bot.procedures import apply_retention, respond_to_alert
from bot.procedures.apply_retention import forget_old_bodies, forget_old_runs
from bot.procedures.receive_alert import receive_alert, refuse_delivery
from bot.procedures.show_alert import announced, take_tasks
from tests.adapters.database.batches import in_one_batch, unit
from tests.reports import KIM, NOTE, SAM, START, delivery, report
from tests.world import ROUTES, MovableClock


async def trigger(database: Database, key: str, **facts: Any) -> None:
    await database.write(receive_alert, delivery(report(key, **facts)), routes=ROUTES)


def _alert(records: Records, /, number: int) -> Alert:
    return records.alert(number)


def _claim(records: Records, /, job: str, at: datetime) -> bool:
    return records.claim_run(job, at)


async def test_counters_add_up_within_and_across_batches(database: Database, clock: MovableClock) -> None:
    """Ten refusals in one transaction, one in another and one in another hour: the sums are right."""
    await in_one_batch(database, *(unit(refuse_delivery, "datadog", reason="bad secret") for _ in range(10)))
    await database.write(refuse_delivery, "datadog", reason="bad secret")
    clock.move(3600)
    await database.write(refuse_delivery, "datadog", reason="bad secret")
    await database.write(refuse_delivery, "datadog", reason="missing secret")

    everything = await database.read(lambda records: records.counts(START - timedelta(days=1)))
    last_hour = await database.read(lambda records: records.counts(clock.now()))
    assert everything == [
        ("datadog", "delivery", "refused", "bad secret", 12),
        ("datadog", "delivery", "refused", "missing secret", 1),
    ]
    assert [number for *_, number in last_hour] == [1, 1]


async def test_a_timeline_tells_who_did_what_when_in_order(database: Database, clock: MovableClock) -> None:
    """All kinds of moments, with the words that were written; only this alert's."""
    await trigger(database, "p")
    await trigger(database, "other")
    clock.move(60)
    await database.write(respond_to_alert.acknowledge, 1, by=SAM)
    await database.write(respond_to_alert.add_note, 1, by=KIM, text="The disk filled up", link="https://x/p1")
    await database.write(receive_alert, delivery(report("p", Change.RECOVERED)), routes=ROUTES)
    await database.write(respond_to_alert.resolve, 1, by=SAM, resolution=NOTE)

    moments = await database.read(lambda records: records.timeline(1))

    assert [(moment.kind, moment.by) for moment in moments] == [
        ("triggered", "generic"),
        ("acknowledged", "U1SAM"),
        ("noted", "U1KIM"),
        ("recovered", "generic"),
        ("resolved", "U1SAM"),
    ]
    assert [moment.at for moment in moments] == [START, *[START + timedelta(seconds=60)] * 4]
    assert moments[2].text == "The disk filled up\nhttps://x/p1"
    assert moments[4].text == f"{NOTE.found}\n{NOTE.done}"
    assert moments[4].facts["cause"] == "capacity"
    later = await database.read(lambda records: records.timeline(1, after=moments[2].id))
    assert later == moments[3:]
    assert await database.read(lambda records: records.history(1, most=2)) == (moments[-2:], 3)


async def test_alerts_are_found_by_state_owner_and_time(database: Database, clock: MovableClock) -> None:
    """Newest first, and no more than asked for."""
    for key in ("resolved", "mine", "open"):
        await trigger(database, key)
        clock.move(3600)
    await database.write(respond_to_alert.resolve, 1, by=KIM, resolution=NOTE)
    await database.write(respond_to_alert.acknowledge, 2, by=SAM)

    async def found(**given: Any) -> list[int]:
        alerts = await database.read(lambda records: records.find_alerts(**given))
        return [alert.id for alert in alerts]

    assert await found() == [3, 2, 1]
    assert await found(most=2) == [3, 2]
    assert await found(most=2, before=2) == [1]
    assert await found(open_only=True) == [3, 2]
    assert await found(owner="U1SAM") == [2]
    assert await found(owner="U1NOBODY") == []
    assert await found(since=START + timedelta(hours=1)) == [3, 2]


async def test_an_alert_comes_back_as_it_was_stored(database: Database) -> None:
    """Every field survives, however odd its text."""
    odd = "Ünïcödé — 漢字 🔥 ' \" \\ % \n next line"
    when = datetime(1999, 12, 31, 23, 59, 59, 123456, UTC)
    await trigger(
        database, odd, occurrence=odd, title=odd, text=odd, value=odd, occurred_at=when, url="https://x"
    )
    resolved = await database.write(respond_to_alert.resolve, 1, by=SAM, resolution=NOTE)

    alert = await database.read(lambda records: records.alert(1))
    assert alert == resolved
    assert (alert.dedup_key, alert.title, alert.source_at, alert.on_call) == (odd, odd, when, ("U1SAM",))


async def test_an_unknown_number_is_said_to_be_unknown(database: Database) -> None:
    """Also one that no database could hold."""
    for number in (1, 0, -1, 2**62):
        with pytest.raises(UnknownAlert):
            await database.read(_alert, number)


async def test_a_click_that_names_no_possible_alert_is_explained(database: Database) -> None:
    """A number of twelve digits or of thirty: there is no such alert, and nothing fails."""
    for number in (999_999_999_999, 10**30):
        with pytest.raises(UnknownAlert):
            await database.write(respond_to_alert.acknowledge, number, by=SAM)


async def test_a_message_in_slack_leads_to_its_alert(database: Database) -> None:
    """By channel and ts of the parent."""
    await trigger(database, "p")
    [task] = await database.write(
        take_tasks, lease="x", busy_channels=[], updates_allowed=True, except_alerts=[]
    )
    await database.write(announced, task.thread.posted("17.0001", revision=1, moment=-1))

    assert await database.read(lambda records: records.alert_at("C0ALERTS", "17.0001")) == 1
    assert await database.read(lambda records: records.alert_at("C0OTHER", "17.0001")) is None


async def test_when_a_source_was_last_heard(database: Database) -> None:
    """Real deliveries and test notifications are told apart; a refused one is nobody's voice."""
    later, latest = START + timedelta(hours=1), START + timedelta(hours=2)
    test = delivery(report("t", ignored=TEST_NOTIFICATION), received_at=later)
    for given in (delivery(report("p")), test, delivery(report("p"), received_at=latest)):
        await database.write(receive_alert, given, routes=ROUTES)
    await database.write(refuse_delivery, "datadog", reason="bad secret")

    assert await database.read(lambda records: records.last_heard("generic")) == (latest, later)
    assert await database.read(lambda records: records.last_heard("datadog")) == (None, None)


async def test_gaps_are_listed_newest_first(database: Database) -> None:
    """What was genuine and could not be read, or not whole; old ones drop out of the list."""
    for hours, gap, unreadable in ((0, "old", True), (5, "whole", True), (6, "part", False), (7, "", False)):
        at = START + timedelta(hours=hours)
        alerts = () if unreadable else (report(f"p{hours}"),)
        given = delivery(*alerts, received_at=at, gap=gap, unreadable=unreadable)
        await database.write(receive_alert, given, routes=ROUTES)

    gaps = await database.read(lambda records: records.gaps(START + timedelta(hours=1)))
    assert [(at.hour, provider, why) for at, provider, why in gaps] == [
        (9, "generic", "part"),
        (8, "generic", "whole"),
    ]


async def test_a_problem_is_new_once_and_mended_once(database: Database, clock: MovableClock) -> None:
    """Whoever notes it first tells the operators; its text may change, its beginning does not."""
    first = await database.write(lambda records: records.set_problem("slack:token", "revoked"))
    clock.move(60)
    again = await database.write(lambda records: records.set_problem("slack:token", "expired"))
    listed = await database.read(lambda records: records.problems())
    cleared = [await database.write(lambda records: records.clear_problem("slack:token")) for _ in range(2)]

    assert (first, again) == (True, False)
    assert listed == [("slack:token", START, "expired")]
    assert cleared == [True, False]


async def test_retention_forgets_old_bodies_and_says_so(database: Database, clock: MovableClock) -> None:
    """Bodies go, alerts and entries stay; the log tells how many went. Nothing to forget, nothing to tell."""
    await trigger(database, "p")
    clock.move(timedelta(days=399).total_seconds())
    too_early = await database.write(forget_old_bodies, days=400)
    clock.move(timedelta(days=2).total_seconds())
    await database.write(receive_alert, delivery(report("new"), received_at=clock.now()), routes=ROUTES)

    forgotten = [await database.write(forget_old_bodies, days=400) for _ in range(2)]

    page = apply_retention.PAGE
    assert (too_early, forgotten) == ((0, None), [(1, page), (0, page)])
    assert len(await database.read(lambda records: records.find_alerts())) == 2
    assert (await database.read(lambda records: records.tree()))[1].size == 3


async def test_retention_goes_on_page_by_page(
    database: Database, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alerts wait for the writer meanwhile, so no transaction forgets much; each tells the log what it forgot."""
    monkeypatch.setattr(apply_retention, "PAGE", 2)
    for number in range(5):
        await trigger(database, f"old{number}")
        await database.write(_claim, "checkpoint", clock.now())
        clock.move(1)
    clock.move(timedelta(days=401).total_seconds())
    await database.write(receive_alert, delivery(report("new"), received_at=clock.now()), routes=ROUTES)
    size = (await database.read(lambda records: records.tree()))[1].size

    pages: list[int] = []
    place: int | None = 0
    while place is not None:
        number, place = await database.write(forget_old_bodies, days=400, after=place)
        pages.append(number)
    runs = [await database.write(forget_old_runs, ["checkpoint"]) for _ in range(3)]

    assert (pages, runs) == ([2, 2, 1, 0], [2, 2, 0])
    assert (await database.read(lambda records: records.tree()))[1].size == size + 3
    with database.reading.connect() as connection:
        kept = connection.exec_driver_sql("SELECT id FROM delivery WHERE length(body) > 0").scalars().all()
    assert kept == [6]


async def test_runs_of_housekeeping_are_forgotten_after_a_month(
    database: Database, clock: MovableClock
) -> None:
    """Except for the newest one, from which each job goes on; and except for jobs whose every run is evidence."""
    due = [START - timedelta(days=days) for days in (50, 40, 20)]
    for at in due:
        for job in ("checkpoint", "validate"):
            await database.write(_claim, job, at)
    await database.write(lambda records: records.claim_run("asleep", due[0]))

    assert await database.write(forget_old_runs, ["checkpoint", "asleep"]) == 2
    assert (await database.read(lambda records: records.last_run("asleep")) or [None])[0] == due[0]

    def claimed_again(job: str) -> object:
        return lambda records: [records.claim_run(job, at) for at in due]

    assert await database.write(claimed_again("checkpoint")) == [True, True, False]  # type: ignore[arg-type]
    assert await database.write(claimed_again("validate")) == [False, False, False]  # type: ignore[arg-type]
    assert clock.now() == START
