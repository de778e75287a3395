"""`socmon bench coverage` measures what it says: a fleet that is covered but for a few, and its silence."""

from functools import partial

import pytest

from bot.commands.bench import _settings
from bot.commands.bench_coverage import coverage


@pytest.mark.nightly
def test_a_fleet_is_assessed_twice_and_falls_silent() -> None:
    found = coverage((200, 400), partial(_settings, port=0))

    large = found["400 components"]
    assert large["cells"]["covered"] > 0.9 * sum(large["cells"].values())
    assert large["cells"]["gap"] > 0
    assert large["all_tools_silent"]["cells"]["unknown"] == sum(large["cells"].values())
    assert set(found["goals"]) == {"recompute_s", "answer_s", "memory_mib", "ratio"}
