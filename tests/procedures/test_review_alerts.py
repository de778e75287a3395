"""Which alerts a message may be filed on."""

import pytest

from bot.domain.errors import NotPermitted
from bot.domain.person import Person
from bot.procedures.receive_alert import receive_alert
from bot.procedures.review_alerts import alerts_to_note
from bot.procedures.show_alert import announced, take_tasks
from tests.reports import SAM, delivery, report
from tests.world import ROUTES, Ledger


def test_the_alert_of_the_thread_comes_first_however_many_are_open(ledger: Ledger) -> None:
    """The list has a hundred places."""
    ledger.write(receive_alert, delivery(report("old")), routes=ROUTES)
    [task] = ledger.write(take_tasks, lease="l", busy_channels=[], updates_allowed=True, except_alerts=[])
    ledger.write(announced, task.thread.posted("1.1", revision=1, moment=0))
    ledger.write(receive_alert, delivery(*[report(f"k{n}") for n in range(101)]), routes=ROUTES)

    alerts, selected = ledger.read(alerts_to_note, "C0ALERTS", "1.1", by=SAM)
    elsewhere, none = ledger.read(alerts_to_note, "C0ALERTS", "9.9", by=SAM)

    assert (alerts[0].id, selected) == (1, 1)
    assert (elsewhere[0].id, none) == (102, None)
    assert len({alert.id for alert in alerts}) == len(alerts)


def test_whoever_may_not_file_notes_is_not_shown_alerts(ledger: Ledger) -> None:
    with pytest.raises(NotPermitted):
        ledger.read(alerts_to_note, "C0", "1.1", by=Person(team="T1", user="U1OUT", roles=frozenset()))
