"""What tools are owed survives restarts, is sent by one replica at a time, and never twice."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.tool import ToolAct, VendorWrite, WriteState
from bot.procedures.receive_alert import receive_alert
from tests.reports import delivery, report
from tests.world import ROUTES, Ledger

ALL = {"generic": frozenset(ToolAct)}


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    made = Ledger(database_url)
    made.database._outward = ALL  # noqa: SLF001 - as the composition root says
    made.write(receive_alert, delivery(report()), routes=ROUTES)
    yield made
    made.database.close()


def owe(ledger: Ledger, *acts: ToolAct, text: str = "") -> None:
    for act in acts:
        ledger.write(lambda records, act=act: records.tell_tool(records.alert(1), act, by="U1SAM", text=text))


def claim(ledger: Ledger, lease: str) -> list[VendorWrite]:
    found: list[VendorWrite] = ledger.write(
        lambda records: records.claim_vendor_writes(lease=lease, lasting=timedelta(minutes=2), most=20)
    )
    return found


def save(ledger: Ledger, write: VendorWrite, **given: Any) -> bool:
    saved: bool = ledger.write(lambda records: records.save_vendor_write(write, **given))
    return saved


def test_one_replica_has_it_until_its_lease_is_over(ledger: Ledger) -> None:
    owe(ledger, ToolAct.ACKNOWLEDGE)
    [mine] = claim(ledger, "a")
    assert claim(ledger, "b") == []
    ledger.clock.move(180)
    [theirs] = claim(ledger, "b")
    assert not save(ledger, mine.done(ledger.clock.now(), "late"))
    assert save(ledger, theirs.done(ledger.clock.now(), "in time"))
    [stored] = ledger.read(lambda records: records.vendor_writes(1))
    assert (stored.state, stored.detail) == (WriteState.DONE, "in time")


def test_of_each_alert_the_oldest_goes_first(ledger: Ledger) -> None:
    owe(ledger, ToolAct.ACKNOWLEDGE, ToolAct.RESOLVE)
    [first] = claim(ledger, "a")
    assert first.action is ToolAct.ACKNOWLEDGE
    assert claim(ledger, "b") == []
    save(ledger, first.unanswered("503", ledger.clock.now()))
    assert claim(ledger, "b") == []
    ledger.clock.move(5)
    [again] = claim(ledger, "b")
    assert (again.id, again.attempts) == (first.id, 1)
    save(ledger, again.done(ledger.clock.now(), ""))
    assert [one.action for one in claim(ledger, "b")] == [ToolAct.RESOLVE]


def test_an_echo_completes_it_whoever_holds_the_lease(ledger: Ledger) -> None:
    owe(ledger, ToolAct.ACKNOWLEDGE)
    [mine] = claim(ledger, "a")
    assert save(ledger, mine.sending("PSAM", ledger.clock.now()), keep_lease=True)
    [seen] = ledger.read(lambda records: records.vendor_writes(1))
    assert seen.account == "PSAM"
    assert save(ledger, replace(seen.done(ledger.clock.now(), "confirmed"), lease=None))
    assert not save(ledger, mine.unanswered("timed out", ledger.clock.now()))
    assert claim(ledger, "b") == []


def test_only_what_the_tool_takes_is_put_down(ledger: Ledger) -> None:
    ledger.database._outward = {"generic": frozenset({ToolAct.NOTE})}  # noqa: SLF001
    owe(ledger, ToolAct.ACKNOWLEDGE, ToolAct.NOTE)
    assert [one.action for one in ledger.read(lambda records: records.vendor_writes(1))] == [ToolAct.NOTE]


def test_failed_ones_are_found_by_their_tool(ledger: Ledger) -> None:
    owe(ledger, ToolAct.ACKNOWLEDGE)
    [mine] = claim(ledger, "a")
    save(ledger, replace(mine, state=WriteState.FAILED))
    assert [one.id for one in ledger.read(lambda records: records.failed_writes("generic"))] == [mine.id]
    assert ledger.read(lambda records: records.failed_writes("datadog")) == []


def test_names_and_problems_by_their_beginning(ledger: Ledger) -> None:
    ledger.write(lambda records: records.keep_account_name("generic", "P1", "Sam"))
    ledger.write(lambda records: records.keep_account_name("generic", "P1", "Sam Rivera"))
    names = ledger.read(lambda records: records.account_names("generic", ["P1", "P2"]))
    assert names == {"P1": "Sam Rivera"}
    ledger.write(receive_alert, delivery(report("f00d|http://a")), routes=ROUTES)
    ledger.write(receive_alert, delivery(report("f00dd|http://a")), routes=ROUTES)
    found = ledger.read(lambda records: records.latest_alert_like("generic", "f00d|"))
    assert found.id == 2
    assert ledger.read(lambda records: records.latest_alert_like("generic", "f0|")) is None
    assert [one.id for one in ledger.read(lambda records: records.not_recovered("generic"))] == [1, 2, 3]
