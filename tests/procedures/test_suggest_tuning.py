"""A problem that comes and goes is one alert, and the lead is told once that its monitor should be changed."""

import pytest

from bot.adapters.database.tables import notice
from bot.domain.alert import Change
from bot.domain.flapping import MOST_FLAPS
from bot.procedures import respond_to_alert
from bot.procedures.receive_alert import receive_alert
from bot.procedures.suggest_tuning import is_anything_flapping, suggest_tuning
from tests.reports import NOTE, SAM, delivery, report
from tests.world import ROUTES, Ledger


def flap(ledger: Ledger, times: int, *, minutes: float = 1) -> None:
    ledger.write(receive_alert, delivery(report("p")), routes=ROUTES)
    for _ in range(times):
        for change in (Change.RECOVERED, Change.TRIGGERED):
            ledger.clock.move(minutes * 30)
            ledger.write(receive_alert, delivery(report("p", change)), routes=ROUTES)


def suggest(ledger: Ledger) -> int:
    suggested: int = ledger.write(suggest_tuning, leads=["U1LEAD", "U1BACKUP"])
    return suggested


def kinds(ledger: Ledger) -> list[str]:
    return [moment.kind for moment in ledger.read(lambda records: records.timeline(1))]


def notices(ledger: Ledger) -> list[tuple[str, int, str]]:
    with ledger.database.reading.connect() as connection:
        rows = connection.execute(notice.select().order_by(notice.c.id))
        return [(row.user, row.alert_id, row.kind) for row in rows]


def test_the_lead_is_told_once_of_one_alert(ledger: Ledger) -> None:
    """However long it goes on: one alert, its count of flaps, one suggestion."""
    flap(ledger, MOST_FLAPS + 1)
    assert ledger.read(is_anything_flapping)
    assert [suggest(ledger), suggest(ledger)] == [1, 0]
    flap(ledger, 20)
    assert suggest(ledger) == 0

    alert = ledger.read(lambda records: records.alert(1))
    assert alert.flaps == MOST_FLAPS + 1 + 20
    assert kinds(ledger).count("flapping") == 1
    assert notices(ledger) == [("U1LEAD", 1, "flapping"), ("U1BACKUP", 1, "flapping")]


@pytest.mark.parametrize(("times", "minutes"), [(MOST_FLAPS, 1), (MOST_FLAPS + 1, 15), (30, 15)])
def test_a_few_times_or_over_a_long_time_is_no_flapping(ledger: Ledger, times: int, minutes: float) -> None:
    flap(ledger, times, minutes=minutes)

    assert not ledger.read(is_anything_flapping)
    assert suggest(ledger) == 0


def test_what_is_resolved_needs_no_suggestion(ledger: Ledger) -> None:
    flap(ledger, MOST_FLAPS + 1)
    ledger.write(respond_to_alert.resolve, 1, by=SAM, resolution=NOTE)

    assert suggest(ledger) == 0


def test_without_a_lead_it_stands_in_the_timeline_all_the_same(ledger: Ledger) -> None:
    flap(ledger, MOST_FLAPS + 1)
    assert ledger.write(suggest_tuning, leads=[]) == 1

    assert kinds(ledger)[-1] == "flapping"
