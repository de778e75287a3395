"""How socmon itself is doing, and nothing unknown shown as well."""

from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot.adapters.evidence.keys import LogKey
from bot.domain.delivery import TEST_NOTIFICATION, Result
from bot.domain.status import IntakeGap, Problem, Status
from bot.procedures.receive_alert import receive_alert, refuse_delivery
from bot.procedures.report_status import report_status
from bot.procedures.seal_log import seal_log
from tests.reports import START, delivery, report
from tests.world import ORIGIN, ROUTES, Ledger

SOURCES = {"generic": "Generic webhook", "datadog": "Datadog"}


def status_of(ledger: Ledger) -> Status:
    found: Status = ledger.read(report_status, SOURCES, version="1.2.3")
    return found


def test_a_new_installation_has_heard_nothing_and_says_so(ledger: Ledger) -> None:
    """Every connected source is listed, also the one that never spoke; no zero stands for “all is well”."""
    status = status_of(ledger)

    assert [(source.title, source.last_delivery_at, source.results) for source in status.sources] == [
        ("Generic webhook", None, {}),
        ("Datadog", None, {}),
    ]
    assert (status.log_size, status.checkpoint_at, status.lagging, status.troubles) == (0, None, 0, 0)
    assert (status.version, status.at) == ("1.2.3", START)


def test_what_needs_a_look_is_counted(ledger: Ledger) -> None:
    """A refused source, a gap, a problem, and Slack behind for more than a minute: four things."""
    ledger.write(receive_alert, delivery(report()), routes=ROUTES)
    gap = delivery(unreadable=True, gap="not JSON", received_at=ledger.clock.now())
    ledger.write(receive_alert, gap, routes=ROUTES)
    ledger.write(receive_alert, gap, routes=ROUTES)
    ledger.write(refuse_delivery, "datadog", reason="bad secret")
    ledger.write(lambda records: records.set_problem("slack:token", "revoked"))
    since = START + timedelta(seconds=1)
    calm = status_of(ledger)
    ledger.clock.move(61)

    status = status_of(ledger)

    assert status.sources[0].results == {Result.ACCEPTED: 1, Result.UNREADABLE: 1, Result.DUPLICATE: 1}
    assert status.sources[1].results == {Result.REFUSED: 1}
    assert status.gaps == (IntakeGap(at=START + timedelta(seconds=1), provider="generic", why="not JSON"),)
    assert [(problem.subject, problem.text) for problem in status.problems] == [("slack:token", "revoked")]
    assert (status.lagging, status.lagging_since) == (1, since)
    assert (calm.is_slow, status.is_slow) == (False, True)
    assert status.troubles == len([Problem, IntakeGap, "generic failing", "datadog failing", "slow"])


def test_yesterdays_figures_drop_out(ledger: Ledger) -> None:
    """Counts are of a day, gaps of a week; when a source last spoke is remembered for good."""
    test = delivery(report(ignored=TEST_NOTIFICATION), gap="a field is unknown")
    ledger.write(receive_alert, test, routes=ROUTES)
    ledger.clock.move(timedelta(days=2).total_seconds())
    after_two_days = status_of(ledger)
    ledger.clock.move(timedelta(days=6).total_seconds())
    after_eight_days = status_of(ledger)

    assert after_two_days.sources[0].results == {}
    assert after_two_days.sources[0].last_test_at == START
    assert (len(after_two_days.gaps), len(after_eight_days.gaps)) == (1, 0)
    assert after_eight_days.sources[0].last_delivery_at == START


def test_the_log_and_its_newest_checkpoint(ledger: Ledger) -> None:
    """How long the log is, and when it was last signed."""
    ledger.write(receive_alert, delivery(report("a"), report("b")), routes=ROUTES)
    ledger.write(seal_log, seal=LogKey(ORIGIN, Ed25519PrivateKey.generate()))

    assert (status_of(ledger).log_size, status_of(ledger).checkpoint_at) == (2, ledger.clock.now())
