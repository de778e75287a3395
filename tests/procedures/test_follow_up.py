"""Somebody is to mend a gap until a day: on record from first to last, and only an assessment closes it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.component import Measure
from bot.domain.errors import NotPermitted, Unfit
from bot.domain.follow_up import FollowUp, Outcome, gap_subject
from bot.domain.person import Person
from bot.domain.scope import Change, Difference, Exclusion, InScope
from bot.procedures import follow_up
from bot.procedures.follow_up import NoGap
from tests.fleets import in_scope
from tests.procedures.test_assess_coverage import OUTSIDER, leaves, run
from tests.reports import KIM, SAM
from tests.world import Ledger

BERLIN = ZoneInfo("Europe/Berlin")
WEB = "host:web-1"
CPU = gap_subject(WEB, Measure.CPU)


def scope(ledger: Ledger, entry: InScope) -> None:
    ledger.write(
        lambda records: records.add_revision(Change.IMPORTED, Difference(added=(entry,)), by="U1LEAD")
    )


def assign(ledger: Ledger, *, owner: Person = KIM, days: int = 7, note: str = "Add a monitor") -> FollowUp:
    due = ledger.clock.now() + timedelta(days=days)
    given = {"owner": owner, "due_at": due, "note": note, "by": SAM}
    task: FollowUp = ledger.write(follow_up.assign, WEB, Measure.CPU, **given)
    return task


def test_a_gap_is_somebodys_until_it_is_green(database_url: str) -> None:
    """Opened, handed on, closed by the assessment that finds it covered; a new gap needs a new task."""
    ledger = Ledger(database_url)
    scope(ledger, in_scope())
    run(ledger, [])

    first = assign(ledger)
    again = assign(ledger, owner=SAM, days=3)
    run(ledger, [])
    still = ledger.read(lambda records: records.latest_follow_up(CPU))
    kept = run(ledger)
    closed = ledger.read(lambda records: records.latest_follow_up(CPU))
    run(ledger, [])
    second = assign(ledger)

    assert (first.id, again.id, again.owner, again.opened_by) == (1, 1, SAM.user, SAM.user)
    assert still == again
    assert (kept.settled, closed.outcome, closed.proof) == (1, Outcome.MENDED, kept.run.digest)
    assert (second.id, second.is_open) == (2, True)
    entries = leaves(ledger, "follow_up.opened", "follow_up.changed", "follow_up.closed")
    assert [each["type"].partition(".")[2] for each in entries] == ["opened", "changed", "closed", "opened"]
    assert entries[0]["subject"] == {"follow_up": 1, "component": WEB, "measure": "cpu"}
    assert entries[0]["facts"]["owner"] == KIM.user
    assert "Add a monitor" not in str(entries), "what a person wrote is only committed to"
    assert entries[2]["facts"]["proof"] == kept.run.digest
    ledger.database.close()


def test_what_is_excluded_needs_no_mending(ledger: Ledger) -> None:
    """Its task is closed, and not as mended."""
    scope(ledger, in_scope())
    run(ledger, [])
    assign(ledger)
    until = ledger.clock.now() + timedelta(days=30)
    out = Exclusion(reason="Test system", requested_by="U1", approved_by="U2", until=until)
    changed = InScope(component=in_scope().component, exclusion=out)
    made = Difference(changed=((in_scope(), changed),))
    ledger.write(lambda records: records.add_revision(Change.EXCLUDED, made, by="U2"))

    run(ledger, [], scope={WEB: changed}, revision=2)

    closed = ledger.read(lambda records: records.latest_follow_up(CPU))
    assert closed.outcome is Outcome.OUT_OF_SCOPE


def test_who_may_and_what_is_no_task(ledger: Ledger) -> None:
    scope(ledger, in_scope())
    run(ledger, [])

    with pytest.raises(Unfit) as wrong:
        assign(ledger, owner=OUTSIDER)
    assert wrong.value.field == "owner"
    for days in (-1, 400):
        with pytest.raises(Unfit):
            assign(ledger, days=days)
    with pytest.raises(NotPermitted):
        ledger.read(follow_up.gap_to_mend, WEB, Measure.CPU, by=OUTSIDER)
    with pytest.raises(NoGap):
        ledger.read(follow_up.gap_to_mend, WEB, Measure.NETWORK, by=SAM)


def test_owners_are_told_at_once_and_each_morning_when_it_is_due(ledger: Ledger) -> None:
    """Never twice a day; what was handed on while the message was under way is told to its new owner."""
    scope(ledger, in_scope())
    run(ledger, [])
    task = assign(ledger, days=2)

    def owed() -> dict[str, list[FollowUp]]:
        found: dict[str, list[FollowUp]] = ledger.read(follow_up.to_tell, BERLIN)
        return found

    at_once = owed()
    assign(ledger, owner=SAM, days=2)
    ledger.write(follow_up.told, at_once[KIM.user])
    handed_on = owed()

    assert at_once == {KIM.user: [task]}
    assert handed_on == {}, "Sam did that himself"
    due = task.due_at.date()
    told = []
    for hours in range(24 * 5):
        ledger.clock.at = datetime(2026, 11, 25, tzinfo=UTC) + timedelta(hours=hours)
        if now := owed():
            told.append(ledger.clock.at)
            ledger.write(follow_up.told, now[SAM.user])
    assert [at.hour for at in told] == [8] * len(told), "nine o'clock in Berlin"
    assert [at.date() for at in told] == [due + timedelta(days=day) for day in range(len(told))]
    assert len(told) == 4
