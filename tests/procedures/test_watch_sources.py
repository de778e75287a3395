"""Sources that fall silent are on record once, and again when they are heard; a heartbeat is no alert."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot.adapters.database.tables import leaf
from bot.domain.alert import Change
from bot.domain.delivery import HEARTBEAT, Delivery
from bot.domain.validation import Verdict
from bot.procedures import watch_sources as procedure
from bot.procedures.receive_alert import receive_alert
from tests.reports import delivery, report
from tests.world import ROUTES, Ledger

MINUTE = 60


@pytest.fixture
def anywhere(database_url: str) -> Any:
    made = Ledger(database_url)
    yield made
    made.database.close()


def watchdog(ledger: Ledger, change: Change = Change.TRIGGERED, body: bytes = b"{}") -> Delivery:
    beat = report("w", change, title="Watchdog of prod", ignored=HEARTBEAT)
    at = ledger.clock.now()
    same = f"{body!r}@{int(at.timestamp()) // 300}"
    return delivery(beat, provider="alertmanager", received_at=at, body=body, delivery_id=same, named=False)


def hear(ledger: Ledger, change: Change = Change.TRIGGERED) -> None:
    ledger.write(receive_alert, watchdog(ledger, change), routes=ROUTES)


def watch(ledger: Ledger, minutes: int, **expected: int | None) -> list[str]:
    """Each minute, as the job does; returns who is silent at the end."""
    for _ in range(minutes):
        ledger.write(procedure.watch_sources, expected or {"alertmanager": None})
        ledger.clock.move(MINUTE - 1)
    return [one.name or one.provider for one in ledger.read(procedure.silent_sources)]


def kinds(ledger: Ledger) -> list[str]:
    with ledger.database.reading.connect() as connection:
        types = connection.execute(select(leaf.c.type).order_by(leaf.c.seq)).scalars()
        return [one for one in types if one.startswith("source.")]


def test_a_heartbeat_that_stops_is_the_alarm_once(anywhere: Ledger) -> None:
    """It beats each minute in equal bodies, of which some are taken for re-sends; it is heard in each of them."""
    ledger = anywhere
    for _ in range(30):
        hear(ledger)
        assert watch(ledger, 1) == []
    assert ledger.read(lambda records: records.given_numbers())[0] == 0
    beats = ledger.read(lambda records: records.counted("heartbeat", ("heard",)))
    assert beats == 30

    assert watch(ledger, 5) == []
    assert watch(ledger, 20) == ["Watchdog of prod"]
    section = ledger.read(procedure.sources)
    assert (section.verdict, section.findings[0].id) == (Verdict.BAD, "sources:silent:alertmanager:w")
    hear(ledger)

    assert watch(ledger, 2) == []
    assert kinds(ledger) == ["source.silent", "source.heard_again"]
    assert ledger.read(procedure.sources).verdict is Verdict.GOOD


def test_a_heartbeat_that_its_tool_calls_over_is_the_alarm_at_once(ledger: Ledger) -> None:
    hear(ledger)
    hear(ledger, Change.RECOVERED)

    assert watch(ledger, 1) == ["Watchdog of prod"]
    (pulse,) = ledger.read(procedure.silent_sources)
    assert "says that its heartbeat Watchdog of prod is over" in procedure.says(pulse, "Alertmanager")


def test_after_a_stop_socmon_waits_before_it_accuses(ledger: Ledger) -> None:
    """As long as it would have waited from then on; and what it accused before stays accused."""
    ledger.write(receive_alert, delivery(report(), provider="datadog"), routes=ROUTES)
    assert watch(ledger, 25, datadog=30) == []
    ledger.clock.move(5 * 3600)

    assert watch(ledger, 29, datadog=30) == []
    assert watch(ledger, 3, datadog=30) == ["datadog"]
    ledger.clock.move(5 * 3600)
    assert watch(ledger, 1, datadog=30) == ["datadog"]
    assert kinds(ledger) == ["source.silent"]


def test_a_source_that_was_never_heard_is_accused_when_that_was_configured(ledger: Ledger) -> None:
    assert watch(ledger, 40, datadog=30, newrelic=None) == ["datadog"]
    assert ledger.read(procedure.sources).facts == {"sources": 2, "silent": 1, "not_judged": 1}


def test_a_heartbeat_of_a_cluster_that_is_gone_is_retired_on_record(ledger: Ledger) -> None:
    hear(ledger)
    hear(ledger, Change.RECOVERED)
    watch(ledger, 1)
    ledger.clock.move(timedelta(days=7).total_seconds() + MINUTE)

    assert watch(ledger, 1) == []
    assert kinds(ledger) == ["source.silent", "source.retired"]
