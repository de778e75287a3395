"""What the tools said comes back from its bytes as it was."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from bot.domain.answers import Known
from bot.domain.component import Measure
from bot.domain.monitor import Comparator, Monitor, Mute, Target, TargetKind, Watches
from bot.domain.packed_answers import pack_monitors, pack_readings, unpack_monitors, unpack_readings
from tests.fleets import MONITORS, READINGS, WEB, monitor, reading, whole
from tests.rosters import NOW


def test_answers_are_kept_as_they_were() -> None:
    """Layers, ages and reasons included."""
    odd = monitor(
        id="odd",
        comparator=Comparator.OTHER,
        threshold=None,
        severity=None,
        watches=Watches(identities=frozenset({WEB}), without={"env": "test"}, unreadable="a wildcard"),
        targets=(
            Target(kind=TargetKind.SNS, name="arn", reaches=("a", "b"), recovery=False, dead="pending"),
        ),
        mutes=(Mute(watches=Watches(tags={"host": "web-1"}), why="in a downtime"),),
        modified_at=NOW,
        modified_by_tool=False,
        alerts_on_no_data=True,
    )
    monitors: Known[Monitor] = whole([*MONITORS, replace(odd, threshold=Decimal("0.10"))], 10)
    monitors = monitors.take([odd], complete=False, as_of=NOW, reason="page 2 was lost", calls=2)
    readings = whole(
        [*READINGS[1:], reading(Measure.CPU, None), replace(READINGS[0], interval=timedelta(seconds=10))]
    )

    assert unpack_monitors(pack_monitors(monitors)) == monitors
    unpacked = unpack_readings(pack_readings(readings))
    assert [(each.as_of, tuple(each.items)) for each in unpacked.layers] == [
        (each.as_of, each.items) for each in readings.layers
    ]
    assert replace(unpacked, layers=readings.layers) == readings
    assert len(monitors.layers) == 2
    assert monitors.whole_at == NOW - timedelta(minutes=10)
