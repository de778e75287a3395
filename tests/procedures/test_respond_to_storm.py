"""Many alerts are answered at once, each as if it were alone."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alert import Act, Change, Response, Severity, Source
from bot.domain.errors import IllegalAct, NotPermitted, ThinNote, UnknownStorm
from bot.domain.person import Person
from bot.domain.storm import MOST_SPARED, StormRule
from bot.procedures import respond_to_alert
from bot.procedures.receive_alert import receive_alert
from bot.procedures.respond_to_storm import (
    Choice,
    Done,
    acknowledge_all,
    choose,
    list_storm,
    resolve_all,
)
from bot.procedures.show_storm import digest_shown, take_tasks, watch_storms
from tests.reports import KIM, NOTE, SAM, delivery, report
from tests.world import ROUTES, Ledger

OUTSIDER = Person(team="T1", user="U1OUT", roles=frozenset())
ALL = 10**9


@pytest.fixture
def storm(ledger: Ledger) -> Ledger:
    """Twelve alerts in one storm."""
    rage(ledger, 12)
    return ledger


def rage(ledger: Ledger, number: int) -> None:
    alerts = [report(f"p{at}", component=f"host-{at % 3}") for at in range(number)]
    ledger.write(receive_alert, delivery(*alerts), routes=ROUTES)
    ledger.write(watch_storms, StormRule())


def chosen(ledger: Ledger, act: Act = Act.RESOLVE, **given: Any) -> Choice:
    wanted: dict[str, Any] = {"by": SAM, "newest": ALL} | given
    found: Choice = ledger.read(choose, 1, act, **wanted)
    return found


def kinds(ledger: Ledger, alert_id: int) -> list[str]:
    return [moment.kind for moment in ledger.read(lambda records: records.timeline(alert_id))]


def test_all_are_acknowledged_and_resolved_with_one_note(storm: Ledger) -> None:
    """Every alert has its own owner, note and timeline, as if somebody had clicked twelve times."""
    acknowledged = storm.write(acknowledge_all, chosen(storm, Act.ACKNOWLEDGE).alert_ids, by=SAM)
    resolved = storm.write(resolve_all, chosen(storm).alert_ids, by=SAM, resolution=NOTE, form="V1")

    assert (acknowledged.done, resolved.done, resolved.skipped) == (12, 12, ())
    for number in range(1, 13):
        alert = storm.read(lambda records, number=number: records.alert(number))
        assert (alert.owner, alert.resolved_by, alert.resolution) == ("U1SAM", "U1SAM", NOTE)
        assert kinds(storm, number) == ["triggered", "acknowledged", "resolved"]
        storm.check_history(alert)


def test_what_somebody_else_did_first_stands_and_is_said(storm: Ledger) -> None:
    """One is acknowledged by Kim and one resolved, after the choice was made: both stay hers."""
    ids = chosen(storm, Act.ACKNOWLEDGE).alert_ids
    storm.write(respond_to_alert.acknowledge, 3, by=KIM)
    storm.write(respond_to_alert.resolve, 4, by=KIM, resolution=NOTE)

    done = storm.write(acknowledge_all, ids, by=SAM)

    assert done.done == 10
    assert [number for number, _ in done.skipped] == [3, 4]
    assert "<@U1KIM> has already acknowledged A-3" in done.skipped[0][1]
    assert storm.read(lambda records: records.alert(3)).owner == "U1KIM"


def test_nobody_answers_what_they_have_not_seen(storm: Ledger) -> None:
    """“All” are those that were on screen; what came later is counted, and left alone."""
    choice = chosen(storm, Act.ACKNOWLEDGE, newest=9)

    assert (choice.alert_ids, choice.newer) == (tuple(range(1, 10)), 3)


def test_the_ticked_ones_only_and_only_those_of_the_storm(storm: Ledger) -> None:
    storm.write(receive_alert, delivery(report("other")), routes=ROUTES)  # A-13, outside of the storm

    assert chosen(storm, ticked=[2, 5, 13, 99]).alert_ids == (2, 5)


def test_it_is_said_how_many_are_still_firing(storm: Ledger) -> None:
    storm.write(receive_alert, delivery(report("p0", Change.RECOVERED)), routes=ROUTES)

    assert storm.read(lambda records: records.alert(1)).source is Source.RECOVERED
    assert chosen(storm).firing == 11


def test_a_form_that_comes_twice_is_recorded_once(storm: Ledger) -> None:
    """Slack asks people to send it again when our answer was late."""
    told = [storm.write(resolve_all, (1, 2), by=SAM, resolution=NOTE, form="V1") for _ in range(2)]

    assert told == [Done(done=2, skipped=())] * 2
    assert kinds(storm, 1).count("resolved") == 1


@pytest.mark.parametrize(
    ("work", "error"),
    [
        (lambda ledger: chosen(ledger, Act.ACKNOWLEDGE, by=OUTSIDER), NotPermitted),
        (lambda ledger: ledger.write(acknowledge_all, (1,), by=OUTSIDER), NotPermitted),
        (lambda ledger: ledger.write(resolve_all, (1,), by=OUTSIDER, resolution=NOTE), NotPermitted),
        (lambda ledger: ledger.read(list_storm, 1, by=OUTSIDER, page=1, size=20), NotPermitted),
        (lambda ledger: ledger.read(list_storm, 9, by=SAM, page=1, size=20), UnknownStorm),
        (lambda ledger: ledger.read(choose, 9, Act.RESOLVE, by=SAM, newest=1), UnknownStorm),
    ],
)
def test_who_may_not_and_what_is_unknown_change_nothing(
    storm: Ledger, work: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        work(storm)

    assert kinds(storm, 1) == ["triggered"]


def test_a_thin_note_resolves_nothing(storm: Ledger) -> None:
    with pytest.raises(ThinNote):
        storm.write(resolve_all, (1, 2), by=SAM, resolution=replace(NOTE, done="done"))

    assert kinds(storm, 1) == ["triggered"]


def test_the_list_is_paged_and_most_severe_first(storm: Ledger) -> None:
    storm.write(respond_to_alert.resolve, 1, by=SAM, resolution=NOTE)

    first, last = (storm.read(list_storm, 1, by=SAM, page=page, size=5) for page in (1, 99))

    assert [alert.id for alert in first.alerts] == [2, 3, 4, 5, 6]
    assert ([alert.id for alert in last.alerts], last.page) == ([12], 3)
    assert first.digest is not None
    assert (first.digest.open, first.digest.resolved) == (11, 1)


def test_where_each_alert_is_shown_stands_in_its_record(storm: Ledger) -> None:
    """Logged when the digest that counts it stands in Slack, once."""
    [task] = storm.write(
        take_tasks,
        lease="x",
        busy_channels=[],
        updates_allowed=True,
        except_alerts=[],
        storms=StormRule(),
    )
    shown = task.thread.posted("1.1", revision=task.thread.revision, now=storm.clock.now())
    assert [storm.write(digest_shown, shown, task.news) for _ in range(2)] == [True, False]

    assert kinds(storm, 12) == ["triggered", "announced"]
    moment = storm.read(lambda records: records.timeline(12))[-1]
    assert moment.facts == {"channel": "C0ALERTS", "ts": "1.1", "storm": 1}


ACTS = st.sampled_from(["acknowledge", "resolve", "release", "acknowledge_all", "resolve_all", "recover"])
STEPS = st.lists(st.tuples(ACTS, st.integers(0, 5), st.sampled_from([SAM, KIM])), max_size=12)


@given(STEPS)
def test_bulk_acts_lead_nowhere_that_single_acts_do_not(steps: list[tuple[str, int, Person]]) -> None:
    """Whatever people do in whatever order: done and skipped add up, and every record stays whole."""
    ledger = Ledger.shared()
    keys = [ledger.fresh_key() for _ in range(6)]
    told = ledger.write(receive_alert, delivery(*map(report, keys)), routes=ROUTES)
    ids = [number for _, number, _ in told.alerts]
    for act, at, person in steps:
        before = {each: ledger.read(lambda records, each=each: records.alert(each)) for each in ids}
        try:
            if act == "recover":
                ledger.write(
                    receive_alert, delivery(report(keys[at], Change.RECOVERED, current=False)), routes=ROUTES
                )
            elif act == "acknowledge_all":
                done = ledger.write(acknowledge_all, ids, by=person)
                was = [each for each in ids if before[each].response is Response.TRIGGERED]
                assert (done.done, len(done.skipped)) == (len(was), 6 - len(was))
            elif act == "resolve_all":
                done = ledger.write(resolve_all, ids, by=person, resolution=NOTE)
                was = [each for each in ids if before[each].is_open]
                assert (done.done, len(done.skipped)) == (len(was), 6 - len(was))
            elif act == "resolve":
                ledger.write(respond_to_alert.resolve, ids[at], by=person, resolution=NOTE)
            else:
                ledger.write(getattr(respond_to_alert, act), ids[at], by=person)
        except (IllegalAct, NotPermitted):
            continue
    for each in ids:
        ledger.check_history(ledger.read(lambda records, each=each: records.alert(each)))


def test_the_most_severe_that_are_spared_are_the_first_ones(ledger: Ledger) -> None:
    """…and no later one takes their place."""
    severe = [report(f"bad{at}", severity=Severity.SEV1) for at in range(8)]
    ledger.write(receive_alert, delivery(*severe, *[report(f"p{at}") for at in range(5)]), routes=ROUTES)
    for _ in range(3):
        ledger.write(watch_storms, StormRule())

    storm = ledger.read(lambda records: records.storm(1))
    assert storm.spared == tuple(range(1, MOST_SPARED + 1))
    assert ledger.read(lambda records: records.storm_members(1)) == list(range(6, 14))
