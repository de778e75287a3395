"""How long each hop may take, and how fresh the proof of a path is."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.test_alert import (
    Hop,
    KnownPath,
    Message,
    Mode,
    PathStanding,
    Proof,
    TestAlert,
    TestPath,
    Verdict,
    new_nonce,
    nonce_in,
)
from tests.reports import START

HOPS = (Hop.SENT, Hop.RECEIVED, Hop.SHOWN, Hop.TOLD, Hop.SEEN)
PATH = TestPath(id="datadog", provider="datadog", title="Datadog → Slack", hops=HOPS)


def alert(*passed: Hop, mode: Mode = Mode.QUIET, **facts: object) -> TestAlert:
    test = TestAlert(
        id=1,
        path=PATH.id,
        provider=PATH.provider,
        title=PATH.title,
        nonce=new_nonce(bytes),
        component="",
        mode=mode,
        expects=HOPS,
        asked_at=START,
        trying_at=START,
        passed=dict.fromkeys(passed, START),
    )
    return replace(test, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("test", "minutes", "hop"),
    [
        (alert(), 60, None),
        (alert(Hop.SENT), 4.9, None),
        (alert(Hop.SENT), 5, Hop.RECEIVED),
        (alert(Hop.SENT, Hop.TOLD, Hop.SEEN), 5, Hop.RECEIVED),
        (alert(Hop.SENT, Hop.RECEIVED, Hop.SHOWN), 5, Hop.TOLD),
        (alert(*HOPS[:-1]), 239, None),
        (alert(*HOPS[:-1]), 240, Hop.SEEN),
        (alert(*HOPS[:-1], mode=Mode.LIVE), 5, Hop.SEEN),
        (alert(*HOPS), 600, None),
    ],
)
def test_the_first_hop_that_does_not_come_is_named(test: TestAlert, minutes: float, hop: Hop | None) -> None:
    """Five minutes until a person can see it; the click on a quiet test may take half a working day."""
    assert test.overdue_hop(START + timedelta(minutes=minutes)) is hop


@pytest.mark.parametrize(
    ("newest", "proven", "days", "proof", "to_be_tested"),
    [
        (None, None, 0, Proof.NEVER, True),
        (None, None, 91, Proof.OVERDUE, True),
        ("delivered", 0, 22, Proof.PROVEN, False),
        ("delivered", 0, 23, Proof.PROVEN, True),
        ("delivered", 0, 35, Proof.PROVEN, True),
        ("delivered", 0, 36, Proof.DUE, True),
        ("delivered", 0, 91, Proof.OVERDUE, True),
        ("failed", 0, 1, Proof.BROKEN, True),
        ("timed out", None, 1, Proof.BROKEN, True),
    ],
)
def test_a_proof_grows_old(
    newest: str | None,
    proven: int | None,
    days: int,
    proof: Proof,
    to_be_tested: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Tested before 30 days with a weekly look, due after 35, overdue after 90; a broken path is not proven."""
    stands = PathStanding(
        known=KnownPath(path=PATH, since=START),
        newest=alert(verdict=Verdict(newest)) if newest else None,
        proven=alert(ended_at=START) if proven is not None else None,
    )
    now = START + timedelta(days=days)

    assert (stands.proof(now), stands.is_to_be_tested(now)) == (proof, to_be_tested)


@pytest.mark.parametrize(
    ("test", "minutes", "rests"),
    [
        (alert(*HOPS[:-1], dirty=False), 10, True),
        (alert(*HOPS[:-1], dirty=False), 240, False),
        (alert(*HOPS[:-1]), 10, False),
        (alert(*HOPS, dirty=False), 10, False),
        (alert(Hop.SENT, dirty=False), 1, False),
        (alert(mode=Mode.LIVE, dirty=False, trying_at=None), 1, False),
        (alert(mode=Mode.LIVE, dirty=False, consent=Message(channel="D1", ts="1")), 1, True),
        (alert(mode=Mode.LIVE, dirty=False, consent=Message(channel="D1", ts="1")), 15, False),
    ],
)
def test_what_waits_for_a_click_costs_nothing(
    test: TestAlert,
    minutes: int,
    rests: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert test.rests(START + timedelta(minutes=minutes)) is rests


def test_a_nonce_is_found_wherever_a_tool_passes_it_on() -> None:
    nonce = new_nonce(bytes)
    assert nonce_in("", f"[TEST] component:x,run:{nonce},env:prod") == nonce
    assert nonce_in("socmon-test-", "socmon-test-xyz", nonce[:-1]) == ""


@pytest.mark.parametrize("hops", [(), (Hop.SEEN,), (Hop.SENT, Hop.SEEN, Hop.SEEN)])
def test_a_path_begins_with_being_sent(hops: tuple[Hop, ...]) -> None:
    with pytest.raises(ValueError, match="begin with sent"):
        replace(PATH, hops=hops)
