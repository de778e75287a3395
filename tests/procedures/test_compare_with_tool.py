"""What was missed is mended in either direction, once; an answer that is not whole proves no absence."""

from datetime import datetime, timedelta
from typing import Any

from bot.domain.alert import Alert, Change, Reported, Response, Source
from bot.domain.comparison import OpenAlert, Repairs
from bot.domain.tool import Done, ToolAct, WriteState
from bot.procedures import respond_to_alert as respond
from bot.procedures.compare_with_tool import compare_with_tool
from bot.procedures.receive_alert import receive_alert
from tests.reports import LEAD, NOTE, SAM, delivery, report
from tests.world import ROUTES, Ledger

KEY = "cpu/prod-db-1"
LATER = 600


def begins(ledger: Ledger, key: str = KEY, **facts: Any) -> int:
    """Some time ago."""
    told = ledger.write(receive_alert, delivery(report(key, **facts)), routes=ROUTES)
    ledger.clock.move(LATER)
    alert_id: int = told.alerts[0][1]
    return alert_id


def there(key: str = KEY, *, since: datetime | None = None, **facts: Any) -> OpenAlert:
    return OpenAlert(reported=report(key, occurred_at=since, current=True), **facts)


def compare(ledger: Ledger, *found: OpenAlert, complete: bool = True, **given: Any) -> dict[str, int]:
    repairs: Repairs = ledger.write(
        compare_with_tool,
        "generic",
        found,
        complete=complete,
        as_of=ledger.clock.now(),
        routes=ROUTES,
        **given,
    )
    return repairs.counts


def alert(ledger: Ledger, alert_id: int = 1) -> Alert:
    found: Alert = ledger.read(lambda records: records.alert(alert_id))
    return found


def kinds(ledger: Ledger, alert_id: int = 1) -> list[str]:
    return [moment.kind for moment in ledger.read(lambda records: records.timeline(alert_id))]


def test_agreement_leaves_no_trace(ledger: Ledger) -> None:
    begins(ledger)
    before = alert(ledger)
    assert compare(ledger, there()) == {}
    assert alert(ledger) == before
    assert kinds(ledger) == ["triggered"]


def test_what_nobody_told_us_of_is_opened_on_record(ledger: Ledger) -> None:
    since = ledger.clock.now() - timedelta(hours=1)
    assert compare(ledger, there(since=since)) == {"opened": 1}
    assert alert(ledger).response is Response.TRIGGERED
    [moment] = ledger.read(lambda records: records.timeline(1))
    assert moment.facts["verified_by"] == "reconcile"
    assert ledger.read(lambda records: records.last_heard("generic")) == (None, None)
    counts = ledger.read(lambda records: records.counts(records.now))
    assert ("generic", "repair", "opened", "", 1) in counts
    ledger.clock.move(LATER)
    assert compare(ledger, there(since=since)) == {}


def test_what_began_a_moment_ago_is_left_to_its_own_message(ledger: Ledger) -> None:
    assert compare(ledger, there(since=ledger.clock.now() - timedelta(seconds=90))) == {}


def test_a_silenced_problem_opens_nothing_and_ends_nothing(ledger: Ledger) -> None:
    begins(ledger)
    assert compare(ledger, there(quiet=True), there("disk/other", quiet=True)) == {}
    assert alert(ledger).source is Source.FIRING


def test_a_missed_recovery_is_heard(ledger: Ledger) -> None:
    begins(ledger)
    assert compare(ledger) == {"recovered": 1}
    assert alert(ledger).note_needed
    assert compare(ledger) == {}


def test_an_answer_that_is_not_whole_proves_no_absence(ledger: Ledger) -> None:
    begins(ledger)
    assert compare(ledger, complete=False) == {}
    assert compare(ledger, covers=lambda _key: False) == {}
    assert alert(ledger).source is Source.FIRING


def test_what_moved_a_moment_ago_is_left_alone(ledger: Ledger) -> None:
    """Its recovery may be under way, or the answer older than its message."""
    begins(ledger)
    ledger.write(respond.add_note, 1, by=SAM, text="Looking at the database now")
    ledger.clock.move(60)
    assert compare(ledger) == {}
    ledger.clock.move(120)
    assert compare(ledger) == {"recovered": 1}


def test_a_missed_refiring_is_heard(ledger: Ledger) -> None:
    began = ledger.clock.now()
    begins(ledger, occurred_at=began)
    ledger.write(
        receive_alert,
        delivery(report(change=Change.RECOVERED, occurred_at=ledger.clock.now())),
        routes=ROUTES,
    )
    ledger.clock.move(LATER)
    assert compare(ledger, there(since=began)) == {"opened": 1}
    assert (alert(ledger).source, alert(ledger).flaps) == (Source.FIRING, 1)


def test_what_a_person_resolved_while_the_tool_goes_on_is_marked_once(ledger: Ledger) -> None:
    begins(ledger)
    ledger.write(respond.resolve, 1, by=SAM, resolution=NOTE)
    ledger.clock.move(LATER)
    assert compare(ledger, there()) == {"still_open": 1}
    assert kinds(ledger) == ["triggered", "resolved", "still_open"]
    ledger.clock.move(LATER)
    assert compare(ledger, there()) == {}
    assert compare(ledger) == {"recovered": 1}
    assert (alert(ledger).response, alert(ledger).source) == (Response.RESOLVED, Source.RECOVERED)


def test_the_same_problem_under_another_of_its_names(ledger: Ledger) -> None:
    begins(ledger, "f00d|http://am-1:9093")
    other = OpenAlert(reported=report("f00d|http://am-2:9093", current=True), begins="f00d|")
    third = OpenAlert(reported=report("n"), aliases=("f00d|http://am-1:9093",))
    assert compare(ledger, other) == {}
    assert compare(ledger, third) == {}


def test_a_missed_acknowledgement_is_theirs(ledger: Ledger) -> None:
    begins(ledger)
    kim = Done(act=ToolAct.ACKNOWLEDGE, account="PKIM", name="Kim", at=ledger.clock.now())
    assert compare(ledger, there(acknowledged=kim)) == {"acknowledged": 1}
    assert alert(ledger).owner == "PKIM"
    ledger.write(respond.release, 1, by=LEAD)
    ledger.clock.move(LATER)
    assert compare(ledger, there(acknowledged=kim)) == {}, "given back here, which the tool cannot know"


def test_who_has_resolved_here_is_told_there_when_it_never_was(ledger: Ledger) -> None:
    """Such as when the tool's key is set only later."""
    begins(ledger)
    ledger.write(respond.resolve, 1, by=SAM, resolution=NOTE)
    ledger.clock.move(LATER)
    ledger.database._outward = {"generic": frozenset(ToolAct)}  # noqa: SLF001 - the key is set, and socmon restarted
    assert compare(ledger, there()) == {"retold": 1}
    [write] = ledger.read(lambda records: records.vendor_writes(1))
    assert (write.action, write.person, write.state) == (ToolAct.RESOLVE, "U1SAM", WriteState.PENDING)
    ledger.clock.move(LATER)
    assert compare(ledger, there()) == {}, "it is under way"


def test_the_recovered_problem_that_is_reopened_there_is_a_new_alert(ledger: Ledger) -> None:
    begins(ledger, occurrence="PINC1")
    ledger.write(receive_alert, delivery(_recovery(ledger)), routes=ROUTES)
    ledger.write(respond.resolve, 1, by=SAM, resolution=NOTE)
    ledger.clock.move(LATER)
    one = OpenAlert(
        reported=report(occurrence="PINC1", occurred_at=ledger.clock.now() - timedelta(days=1), current=True)
    )
    assert compare(ledger, one) == {"opened": 1}
    assert alert(ledger, 2).previous_id == 1


def _recovery(ledger: Ledger) -> Reported:
    return report(change=Change.RECOVERED, occurrence="PINC1", occurred_at=ledger.clock.now())
