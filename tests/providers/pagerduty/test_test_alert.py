"""PagerDuty says of a test that began elsewhere how far it came there, and of nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.errors import ToolSilent
from bot.domain.test_alert import Hop, new_nonce
from bot.playground.pagerduty import KEY
from bot.playground.pagerduty_shapes import method
from bot.providers.pagerduty.settings import PagerDutySettings, read_settings
from bot.providers.pagerduty.test_alert import PagerDutyTestAlerts, PagerDutyWitness
from tests.domain.test_test_alert import alert
from tests.fake_pagerduty import WatchedPagerDuty, fake_pagerduty
from tests.reports import START


@pytest.fixture
def pagerduty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WatchedPagerDuty]:
    with fake_pagerduty(lambda: START, tmp_path, monkeypatch) as fake:
        yield fake


def settings(pagerduty: WatchedPagerDuty, **environ: str) -> PagerDutySettings:
    given = {"PAGERDUTY_API_KEY": KEY, "SOCMON_PAGERDUTY_URL": pagerduty.url}
    return read_settings({}, given | environ)


def test_a_test_from_elsewhere_is_found_by_its_nonce(pagerduty: WatchedPagerDuty) -> None:
    """Whatever title the other tool gives the incident; other incidents prove nothing of it."""
    test = alert(Hop.SENT)
    witness = PagerDutyWitness(settings=settings(pagerduty), pause=0.01)
    pagerduty.hire("PSAM", "Sam", "sam@example.com", method("P1"))
    pagerduty.put_on_call("PSAM", 1)
    pagerduty.trigger("CPU high")
    pagerduty.trigger(f"[Triggered] {new_nonce(lambda size: b'x' * size)}")
    nothing = witness.look(test, START)
    pagerduty.trigger(f"[Triggered on run:{test.nonce}] socmon test")
    found = witness.look(test, START + timedelta(seconds=5))

    assert (nothing.items, nothing.complete) == ((), True)
    assert [(one.hop, one.at) for one in found.items] == [(Hop.INCIDENT, START)]
    asked = next(each for each in pagerduty.asked if each.path == "/incidents")
    assert {"since", "until"} <= {name for name, _ in asked.query}


def test_silence_is_no_proof_of_absence(pagerduty: WatchedPagerDuty) -> None:
    witness = PagerDutyWitness(settings=settings(pagerduty), pause=0.01)
    pagerduty.is_down = lambda: True
    looked = witness.look(alert(Hop.SENT), START)

    assert (looked.items, looked.complete, looked.reason != "") == ((), False, True)
    with pytest.raises(ToolSilent):
        witness.explain(alert(Hop.SENT), Hop.NOTIFIED, START)


def test_without_a_rest_key_nobody_can_say_more_than_that_it_was_taken(pagerduty: WatchedPagerDuty) -> None:
    bare = replace(settings(pagerduty), key="", test_key="k")
    [path] = PagerDutyTestAlerts(settings=bare).paths()

    assert path.hops == (Hop.SENT, Hop.SHOWN, Hop.TOLD, Hop.SEEN)
    assert PagerDutyTestAlerts(settings=settings(pagerduty)).paths() == ()
