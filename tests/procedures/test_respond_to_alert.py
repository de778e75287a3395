"""What people do arrives late, twice, or from an old screen: recorded once, or refused kindly."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.database.writer import Work
from bot.domain.alert import Act, Change
from bot.domain.errors import IllegalAct, NotPermitted
from bot.domain.person import Person
from bot.procedures import respond_to_alert
from bot.procedures.keep_draft import KEPT, forget_old_drafts, keep_draft, open_form
from bot.procedures.receive_alert import receive_alert
from tests.reports import KIM, LEAD, NOTE, SAM, delivery, report
from tests.world import ROUTES, Ledger

OUTSIDER = Person(team="T1", user="U1OUT", roles=frozenset())
FIELDS = {"found": "The pool ran", "cause": "capacity"}


@pytest.fixture
def alert(ledger: Ledger) -> Ledger:
    ledger.write(receive_alert, delivery(report()), routes=ROUTES)
    return ledger


def kinds(ledger: Ledger, alert_id: int = 1) -> list[str]:
    return [moment.kind for moment in ledger.read(lambda records: records.timeline(alert_id))]


# A button that was drawn for another moment


CLICKS: dict[str, Callable[..., Any]] = {
    "snooze": lambda ledger, by, seen: ledger.write(respond_to_alert.snooze, 1, by=by, minutes=30, seen=seen),
    "wake": lambda ledger, by, seen: ledger.write(respond_to_alert.wake, 1, by=by, seen=seen),
    "release": lambda ledger, by, seen: ledger.write(respond_to_alert.release, 1, by=by, seen=seen),
}


@pytest.mark.parametrize("click", CLICKS.values(), ids=CLICKS.keys())
def test_a_button_from_before_the_alert_changed_hands_is_refused(alert: Ledger, click: Any) -> None:
    """Kim owns it and snoozed it meanwhile; the lead, who may, still looked at the alert nobody owned."""
    alert.write(respond_to_alert.acknowledge, 1, by=KIM)
    alert.write(respond_to_alert.snooze, 1, by=KIM, minutes=30)
    before = kinds(alert)

    with pytest.raises(IllegalAct, match="<@U1KIM> owns it now"):
        click(alert, LEAD, 1)
    assert kinds(alert) == before


@pytest.mark.parametrize("click", CLICKS.values(), ids=CLICKS.keys())
def test_notes_and_the_source_never_make_a_button_stale(alert: Ledger, click: Any) -> None:
    """Only a change of hands does; and the owner is never surprised by what they did themselves."""
    owned = alert.write(respond_to_alert.snooze, 1, by=KIM, minutes=30, seen=1)
    alert.write(respond_to_alert.add_note, 1, by=SAM, text="The disk filled up with old dumps")
    alert.write(receive_alert, delivery(report(change=Change.RECOVERED)), routes=ROUTES)

    click(alert, LEAD, owned.version)


def test_the_owner_may_use_an_old_button(alert: Ledger) -> None:
    """A double click on “Snooze” is no reason to complain."""
    for _ in range(2):
        alert.write(respond_to_alert.snooze, 1, by=KIM, minutes=30, seen=1)


# A form that arrives twice

SENDS: dict[str, Callable[..., Any]] = {
    "note": lambda ledger, **given: ledger.write(
        respond_to_alert.add_note, 1, text="The disk filled up with old dumps", **given
    ),
    "resolve": lambda ledger, **given: ledger.write(respond_to_alert.resolve, 1, resolution=NOTE, **given),
    "amend": lambda ledger, **given: ledger.write(
        respond_to_alert.amend, 1, resolution=replace(NOTE, security=True), **given
    ),
    "reopen": lambda ledger, **given: ledger.write(
        respond_to_alert.reopen, 1, reason="It came back after an hour", **given
    ),
}


@pytest.mark.parametrize("act", SENDS)
def test_a_form_that_is_sent_twice_is_recorded_once(alert: Ledger, act: str) -> None:
    """Our answer was late, Slack said “try again”: the second time is a success and changes nothing."""
    if act in {"amend", "reopen"}:
        alert.write(respond_to_alert.resolve, 1, by=SAM, resolution=NOTE)
    first = SENDS[act](alert, by=SAM, form="V1")
    once = kinds(alert)
    again = SENDS[act](alert, by=SAM, form="V1")

    assert again == first
    assert kinds(alert) == once


def test_also_when_both_share_a_transaction(alert: Ledger) -> None:
    """While the database was slow both of them waited for it."""
    given = {"by": SAM, "text": "The disk filled up with old dumps", "form": "V1"}
    works = [Work(respond_to_alert.add_note, (1,), given, None, None) for _ in range(2)]  # type: ignore[arg-type]
    alert.database._transact(works)  # noqa: SLF001 - the writer's own way, without its thread

    assert [work.error for work in works] == [None, None]
    assert kinds(alert).count("noted") == 1


def test_another_form_with_the_same_words_is_another_note(alert: Ledger) -> None:
    for form in ("V1", "V2", "", ""):
        SENDS["note"](alert, by=SAM, form=form)

    assert kinds(alert).count("noted") == 4


# A form that was closed


def test_what_was_begun_is_there_the_next_time(alert: Ledger) -> None:
    """For the same person, the same alert and the same form."""
    alert.write(keep_draft, 1, Act.RESOLVE, person=SAM.user, fields={"found": "An earlier try"})
    alert.write(keep_draft, 1, Act.RESOLVE, person=SAM.user, fields=FIELDS)

    assert alert.read(open_form, 1, Act.RESOLVE, by=SAM)[1] == FIELDS
    assert alert.read(open_form, 1, Act.RESOLVE, by=KIM)[1] == {}
    assert alert.read(open_form, 1, Act.NOTE, by=SAM)[1] == {}


def test_after_a_day_it_is_gone(alert: Ledger) -> None:
    """First from sight, then from the database."""
    alert.write(keep_draft, 1, Act.RESOLVE, person=SAM.user, fields=FIELDS)
    early = alert.write(forget_old_drafts)
    alert.clock.move(KEPT.total_seconds())

    assert alert.read(open_form, 1, Act.RESOLVE, by=SAM)[1] == {}
    assert (early, alert.write(forget_old_drafts), alert.write(forget_old_drafts)) == (0, 1, 0)


@pytest.mark.parametrize("act", SENDS)
def test_what_was_sent_is_no_draft_any_more(alert: Ledger, act: str) -> None:
    """Only the form that was sent; a refused one keeps it."""
    if act in {"amend", "reopen"}:
        alert.write(respond_to_alert.resolve, 1, by=SAM, resolution=NOTE)
    for each in (Act.NOTE, Act.RESOLVE, Act.AMEND, Act.REOPEN):
        alert.write(keep_draft, 1, each, person=SAM.user, fields=FIELDS)
    with pytest.raises(NotPermitted):
        SENDS[act](alert, by=OUTSIDER, form="V1")
    before = alert.read(open_form, 1, Act(act), by=SAM)[1]
    SENDS[act](alert, by=SAM, form="V1")

    left = [one for one in SENDS if alert.read(open_form, 1, Act(one), by=SAM)[1]]
    assert before == FIELDS
    assert left == [one for one in SENDS if one != act]


def test_whoever_may_not_is_told_before_they_write(alert: Ledger) -> None:
    with pytest.raises(NotPermitted, match="add notes to alerts"):
        alert.read(open_form, 1, Act.NOTE, by=OUTSIDER)
