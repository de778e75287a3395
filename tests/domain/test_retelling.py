"""An alert retold from its entries; tests/procedures/test_alert_life.py compares it with what the procedures store."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.alert import Alert, Response, Source
from bot.domain.evidence import timestamp
from bot.domain.retelling import BrokenStory, Told, differences, retell

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
FIRING: dict[str, Any] = {"provider": "datadog", "severity": "SEV2", "source": "firing", "recovered_at": None}
NOTE: dict[str, Any] = {"cause": "capacity", "security": False}


def told(kind: str, minute: int, *, by: str = "U1SAM", texts: Any = None, **facts: Any) -> Told:
    return Told(kind=kind, at=START + timedelta(minutes=minute), by=by, facts=facts, texts=texts or {})


def retold(*entries: Told) -> Alert:
    alert: Alert | None = None
    for entry in entries:
        alert = retell(alert, entry)
    assert alert is not None
    return alert


OPENED = told("triggered", 0, by="datadog", texts={"title": "CPU high"}, **FIRING)


def test_a_whole_story_is_retold() -> None:
    """Who had it, when it was taken, when it recovered, who closed it with which words."""
    recovered = timestamp(START + timedelta(minutes=3))
    alert = retold(
        OPENED,
        told("announced", 0, by="socmon"),
        told("snoozed", 1, until=timestamp(START + timedelta(hours=1))),
        told("noted", 2, by="U1KIM"),
        told("recovered", 4, by="datadog", **FIRING | {"source": "recovered", "recovered_at": recovered}),
        told("resolved", 5, by="U1KIM", texts={"found": "A lock", "done": "Freed it"}, **NOTE),
        told("amended", 6, texts={"found": "Two locks", "done": "Freed them"}, **NOTE),
    )

    assert (alert.response, alert.source, alert.version) == (Response.RESOLVED, Source.RECOVERED, 3)
    assert (alert.owner, alert.resolved_by, alert.amended_by) == ("U1SAM", "U1KIM", "U1SAM")
    assert alert.acknowledged_at == START + timedelta(minutes=1)
    assert timestamp(alert.recovered_at or START) == recovered
    assert alert.resolution is not None
    assert alert.resolution.found == "Two locks"
    assert alert.snoozed_until is None


def test_a_story_that_went_from_hand_to_hand_is_retold() -> None:
    """Whose it was before anybody acknowledged it, who called whom, and who closed it without a word of their own."""
    recovered = timestamp(START + timedelta(minutes=8))
    alert = retold(
        OPENED,
        told("reassigned", 1, to="U1KIM", called="U1KIM"),
        told("reminded", 5, by="socmon", phase="unacknowledged", step=1, called="U1KIM"),
        told("acknowledged", 6, by="U1KIM"),
        told("escalated", 7, by="U1KIM", called="U1LEAD"),
        told("taken_over", 8, by="U1LEAD", **{"from": "U1KIM"}),
        told("recovered", 9, by="datadog", **FIRING | {"source": "recovered", "recovered_at": recovered}),
        told(
            "resolved",
            10,
            by="U1SAM",
            texts={"found": "It recovered by itself", "done": "Nothing was needed"},
            **NOTE | {"cause": "no_action"},
        ),
    )

    assert (alert.owner, alert.acknowledged_by, alert.resolved_by) == ("U1LEAD", "U1KIM", "U1SAM")
    assert (alert.response, alert.version) == (Response.RESOLVED, 5)


def test_what_differs_is_named() -> None:
    """To the millisecond, which is what an entry carries."""
    one = retold(OPENED, told("acknowledged", 1))
    other = retold(OPENED, told("acknowledged", 2, by="U1KIM"))

    assert differences(one, one) == []
    assert differences(one, other) == ["owner", "acknowledged_at", "acknowledged_by"]


@pytest.mark.parametrize(
    "entries",
    [
        [told("acknowledged", 0)],
        [told("triggered", 0, **FIRING | {"severity": "SEV9"})],
        [told("triggered", 0)],
        [OPENED, told("released", 1)],
        [OPENED, told("taken_over", 1)],
        [OPENED, told("recovered", 1, source="asleep", severity="SEV1")],
        [OPENED, told("resolved", 1, **NOTE)],
        [OPENED, told("snoozed", 1, until="later")],
    ],
    ids=["no beginning", "severity", "no facts", "not allowed", "nobody's", "source", "no words", "no time"],
)
def test_a_story_that_makes_no_sense_is_not_retold(entries: list[Told]) -> None:
    """The log of somebody else than socmon."""
    with pytest.raises(BrokenStory):
        retold(*entries)
