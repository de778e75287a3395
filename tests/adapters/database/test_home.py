"""Who looks at App Home and what they see, on both databases: one publishes, and what is unknown is shown anew."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.domain.alert import Change, Severity
from bot.domain.escalation import Phase, Progress
from bot.procedures import show_home
from bot.procedures.receive_alert import receive_alert
from bot.procedures.respond_to_alert import acknowledge, resolve
from tests.reports import NOTE, SAM, delivery, report
from tests.world import ROUTES, Ledger


@pytest.fixture
def both(database_url: str) -> Iterator[Ledger]:
    made = Ledger(database_url)
    yield made
    made.database.close()


def seen(ledger: Ledger) -> list[tuple[str, bool]]:
    return [(one.shown, one.is_due) for one in ledger.read(show_home.homes_seen)]


def opened(ledger: Ledger, lease: str = "a") -> None:
    ledger.write(show_home.open_home, by=SAM, lease=lease)


def shown(ledger: Ledger, digest: str, lease: str = "a") -> None:
    ledger.write(show_home.home_shown, "U1SAM", digest, lease=lease)


def taken(ledger: Ledger) -> bool:
    """For what others did."""
    got: bool = ledger.write(show_home.take_home, "U1SAM", lease="b", own_act=False)
    return got


def test_nobody_else_publishes_it_meanwhile_nor_just_afterwards(both: Ledger) -> None:
    opened(both)
    during = seen(both), taken(both)
    shown(both, "one")
    just_after = seen(both), taken(both)
    both.clock.move(15)

    assert (during, just_after, seen(both)) == (
        ([("", False)], False),
        ([("one", False)], False),
        [("one", True)],
    )
    assert taken(both)


def test_of_two_publications_at_once_nobody_knows_which_came_last(both: Ledger) -> None:
    """In whichever order they end, it is published anew."""
    for order in (("a", "b"), ("b", "a")):
        opened(both)
        assert both.write(show_home.take_home, "U1SAM", lease="b", own_act=True) is True
        for lease in order:
            shown(both, f"by {lease}", lease)
        both.clock.move(15)
        assert seen(both) == [("", True)]


def test_after_a_crash_it_is_published_anew(both: Ledger) -> None:
    opened(both)
    shown(both, "one")
    both.write(show_home.take_home, "U1SAM", lease="dead", own_act=True)
    both.clock.move(show_home.LEASE.total_seconds())

    assert seen(both) == [("", True)]


def test_who_has_not_looked_for_a_day_is_left_alone_and_forgotten(both: Ledger) -> None:
    opened(both)
    shown(both, "one")
    both.clock.move(timedelta(hours=24).total_seconds())

    assert both.write(show_home.take_home, "U1SAM", lease="b", own_act=True) is False
    assert both.write(show_home.take_home, "U1OUT", lease="b", own_act=True) is False
    assert seen(both) == []
    assert [both.write(show_home.forget_unseen_homes) for _ in range(2)] == [1, 0]


def test_every_open_alert_is_there_at_a_glance(both: Ledger) -> None:
    """Most severe first; late is what the clock has called somebody for and nobody has taken."""
    facts = [
        ("a", Severity.SEV3),
        ("b", Severity.SEV1),
        ("c", Severity.SEV1),
        ("d", Severity.SEV2),
        ("e", Severity.SEV1),
    ]
    for key, severity in facts:
        both.write(receive_alert, delivery(report(key, severity=severity)), routes=ROUTES)
    both.write(receive_alert, delivery(report("d", Change.RECOVERED)), routes=ROUTES)
    called = Progress(phase=Phase.UNACKNOWLEDGED, begun_at=both.clock.now(), done=1)
    for number in (2, 4, 5):
        both.write(lambda records, number=number: records.keep_progress(number, called))
    both.write(acknowledge, 5, by=SAM)
    both.write(resolve, 3, by=SAM, resolution=NOTE)

    found = both.read(lambda records: records.glances())
    assert [(one.id, one.owner, one.note_needed, one.is_late) for one in found] == [
        (2, None, False, True),
        (5, "U1SAM", False, False),
        (4, None, True, False),
        (1, None, False, False),
    ]
