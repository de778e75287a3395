"""What is out of coverage is kept from when to when, each change in the log; what watches less is told old → new."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.domain.answers import Known
from bot.domain.component import Measure
from bot.domain.coverage import State
from bot.domain.errors import NotPermitted
from bot.domain.monitor import Monitor
from bot.domain.monitor_change import Loss, changes
from bot.domain.person import Person
from bot.domain.scope import Criticality, InScope
from bot.domain.shortfall import Why
from bot.procedures import assess_coverage
from bot.procedures.assess_coverage import (
    Kept,
    NoCoverage,
    Outrun,
    Told,
    compare,
    keep,
    keep_part,
    look,
    open_page,
    tell,
)
from tests.fleets import MONITORS, OPS, READINGS, ROUTES, STANDARD, TTL, in_scope, monitor
from tests.reports import SAM
from tests.world import Ledger

OUTSIDER = Person(team="T1", user="U1OUT", roles=frozenset())


def told(ledger: Ledger, monitors: Sequence[Monitor], *, complete: bool = True) -> Told:
    """What Datadog says now, merged with what is on record."""
    at = ledger.clock.now()
    record = ledger.read(assess_coverage.on_record)
    before = assess_coverage.known_before(record.metrics.get("datadog"), record.monitors.get("datadog"))
    fresh = [replace(each, last_at=at) for each in READINGS]
    metrics: Known[Any] = before[0].take(fresh, complete=True, as_of=at, calls=3)
    reason = "" if complete else "page 2 was lost"
    after = before[1].take(monitors, complete=complete, as_of=at, reason=reason, calls=1)
    return tell("datadog", before, metrics, after, asked_at=at)


def run(
    ledger: Ledger,
    monitors: Sequence[Monitor] = MONITORS,
    *,
    complete: bool = True,
    scope: Mapping[str, InScope] | None = None,
    revision: int = 1,
    hosts: int = 1,
) -> Kept:
    said = [told(ledger, monitors, complete=complete)]
    now, newest = ledger.clock.now(), ledger.read(assess_coverage.before).newest
    entries = scope or {f"host:web-{at}": in_scope(f"web-{at}") for at in range(1, hosts + 1)}
    found = look(entries, said, standard=STANDARD, routes=ROUTES, now=now, time_to_live=TTL)
    out = ledger.read(open_page)
    change = compare(found, out, standard=STANDARD, scope=revision, after=newest)
    settled = sum(ledger.write(keep_part, part) for part in change.parts())
    kept: Kept = ledger.write(keep, change.summary, said, settled=settled)
    return kept


def leaves(ledger: Ledger, *kinds: str) -> list[dict[str, Any]]:
    with ledger.database.reading.connect() as connection:
        rows = connection.exec_driver_sql("SELECT leaf FROM leaf ORDER BY seq").scalars()
        every = [json.loads(row) for row in rows]
    return [leaf for leaf in every if leaf["type"] in kinds]


def test_gaps_are_kept_from_when_to_when(database_url: str) -> None:
    """A gap opens once, stays while it lasts, and ends; each is an entry, and each run has one with its figures."""
    ledger = Ledger(database_url)
    without_cpu = [each for each in MONITORS if each.measure is not Measure.CPU]
    start = ledger.clock.now()

    first = run(ledger)
    ledger.clock.move(3600)
    opened = run(ledger, without_cpu)
    ledger.clock.move(3600)
    same = run(ledger, without_cpu)
    (gap,) = ledger.read(lambda records: records.open_intervals(key="host:web-1"))[1:]
    closed = run(ledger)

    assert [(each.opened, each.closed) for each in (first, opened, same, closed)] == [
        (0, 0),
        (1, 0),
        (0, 0),
        (0, 1),
    ]
    assert (gap.measure, gap.state, gap.shortfalls[0].says) == (
        Measure.CPU,
        State.GAP,
        "No monitor watches its cpu.",
    )
    assert ledger.read(lambda records: records.open_intervals()) == []
    runs = leaves(ledger, "coverage.assessed")
    assert [each["facts"]["covered"] for each in runs] == [5, 4, 4, 5]
    assert runs[0]["facts"]["standard"] == STANDARD.digest
    gaps = leaves(ledger, "coverage.gap_opened", "coverage.gap_closed")
    assert [each["subject"] for each in gaps] == [{"component": "host:web-1", "measure": "cpu"}] * 2
    out = ledger.read(lambda records: records.time_out_of_coverage(start, ledger.clock.now()))
    assert timedelta(seconds=3600) <= out["host:web-1"] <= timedelta(seconds=3610)
    half = ledger.read(lambda records: records.time_out_of_coverage(start, start + timedelta(seconds=5400)))
    assert timedelta(seconds=1790) <= half["host:web-1"] <= timedelta(seconds=1800)
    ledger.database.close()


def test_very_many_gaps_are_kept_part_by_part(ledger: Ledger) -> None:
    """Each ends when another kind of gap begins in its place, and many share an entry."""
    first = run(ledger, [], hosts=130)
    before = ledger.read(lambda records: records.open_intervals())

    kept = run(ledger, [replace(each, targets=()) for each in MONITORS], hosts=130)

    after = ledger.read(lambda records: records.open_intervals())
    assert len(before) == len(after) == len({(one.key, one.measure) for one in after}) > 650
    assert {each.why for one in after for each in one.shortfalls} == {Why.NOT_CONFIGURED, Why.NO_TARGET}
    told = leaves(ledger, "coverage.gaps_opened")
    assert sum(each["facts"]["number"] for each in told) == first.opened + kept.opened
    assert leaves(ledger, "coverage.gap_opened") == []


def test_what_watches_less_is_told(database_url: str) -> None:
    """At the first look everything merely begins; a monitor that a broken answer leaves out is not gone."""
    ledger = Ledger(database_url)
    weaker = [
        replace(each, threshold=Decimal(95)) if each.measure is Measure.CPU else each for each in MONITORS
    ]

    begun = run(ledger)
    weakened = run(ledger, weaker)
    broken = run(ledger, [], complete=False)
    deleted = run(ledger, weaker[1:])

    assert (begun.lost, broken.lost) == ((), ())
    assert weakened.lost[0].losses == {Loss.WEAKENED: "> 85 for 5 min → > 95 for 5 min"}
    assert deleted.lost[0].losses == {Loss.DELETED: "> 95 for 5 min → deleted"}
    history = ledger.read(lambda records: records.monitor_history("datadog", "cpu-1"))
    assert [change for _, change in history] == [*weakened.lost, *deleted.lost]
    assert [each["facts"]["losses"] for each in leaves(ledger, "monitor.changed")] == [
        ["weakened"],
        ["deleted"],
    ]
    ages = {age.subject: age for age in ledger.read(lambda records: records.ages())}
    assert [(age.calls, age.reason) for age in ages.values()] == [(3, ""), (1, "")]
    ledger.database.close()


@pytest.mark.parametrize(
    ("facts", "loss"),
    [
        ({"enabled": False}, {Loss.DISABLED}),
        ({"silenced": "muted until 18:00"}, {Loss.MUTED}),
        ({"targets": ()}, {Loss.UNROUTED}),
        ({"targets": (replace(OPS, recovery=False),)}, {Loss.UNROUTED}),
        ({"window": timedelta(minutes=15)}, {Loss.WEAKENED}),
        ({"no_data_window": timedelta(hours=1)}, {Loss.WEAKENED}),
        ({"threshold": Decimal(80)}, set()),
        ({"name": "another name"}, set()),
    ],
)
def test_a_loss_is_told_from_a_mere_change(facts: dict[str, Any], loss: set[Loss]) -> None:
    was: dict[str, Any] = {"alerts_on_no_data": True}
    (change,) = changes([monitor(**was)], [monitor(**was | facts)], complete=True)

    assert set(change.losses) == loss


def test_coverage_is_asked_for(ledger: Ledger) -> None:
    with pytest.raises(NoCoverage):
        ledger.read(assess_coverage.coverage, time_to_live=TTL, most=9)
    run(ledger, [])

    answer = ledger.read(assess_coverage.coverage, time_to_live=TTL, by=SAM, most=9)
    page = ledger.read(assess_coverage.coverage, time_to_live=TTL, by=SAM, start=1, most=2)

    assert answer.counts == {State.GAP: 4}
    assert [gap.measure for gap in answer.gaps] == [Measure.CPU, Measure.DISK, Measure.MEMORY, Measure.UPTIME]
    assert [gap.measure for gap in page.gaps] == [Measure.DISK, Measure.MEMORY]
    assert [age.subject for age in answer.ages] == ["metrics", "monitors"]
    with pytest.raises(NotPermitted):
        ledger.read(assess_coverage.coverage, time_to_live=TTL, by=OUTSIDER, most=9)


def test_what_matters_most_comes_first(ledger: Ledger) -> None:
    """Also when somebody says only later how much it matters; the gap goes on since when it began."""
    run(ledger, [])
    run(ledger, [], scope={"host:web-1": in_scope(), "host:api-1": in_scope("api-1")})
    began = ledger.read(lambda records: records.open_intervals(key="host:web-1"))[1].since
    critical = replace(in_scope(), criticality=Criticality.HIGH)
    run(ledger, [], scope={"host:web-1": critical, "host:api-1": in_scope("api-1")})

    gaps = ledger.read(lambda records: records.urgent_gaps(start=0, most=9))

    assert [gap.key for gap in gaps] == ["host:web-1"] * 4 + ["host:api-1"] * 5
    assert (gaps[0].criticality, gaps[0].since) == (Criticality.HIGH, began)


def test_one_of_two_assessments_at_the_same_moment_is_dropped(database_url: str) -> None:
    """Else each of their gaps would be open twice."""
    ledger = Ledger(database_url)
    run(ledger)
    newest = ledger.read(assess_coverage.before).newest
    said = [told(ledger, [])]
    run(ledger, [])
    found = look(
        {"host:web-1": in_scope()},
        said,
        standard=STANDARD,
        routes=ROUTES,
        now=ledger.clock.now(),
        time_to_live=TTL,
    )

    change = compare(found, [], standard=STANDARD, scope=1, after=newest)
    for part in change.parts():
        with pytest.raises(Outrun):
            ledger.write(keep_part, part)
    with pytest.raises(Outrun):
        ledger.write(keep, change.summary, said)

    assert len(ledger.read(lambda records: records.open_intervals(key="host:web-1"))) == 5
    ledger.database.close()
