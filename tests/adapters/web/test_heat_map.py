"""The heat map shows every cell that is not covered, by colour and by shape, however many there are."""

from xml.etree import ElementTree as ET

import pytest

from bot.adapters.web.heat_map import heat_map
from bot.domain.component import Measure
from bot.domain.coverage import State
from tests.fleets import in_scope
from tests.rosters import NOW

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("number", [3, 60, 1000, 3000])
def test_every_size_of_fleet_is_drawn(number: int) -> None:
    entries = [in_scope(f"web-{at}") for at in range(number)]
    out = {("host:web-0", Measure.CPU): State.GAP, ("host:web-1", Measure.DISK): State.UNKNOWN}

    drawn = heat_map(entries, out, assessed_at=NOW, now=NOW)

    root = ET.fromstring(drawn)  # noqa: S314 - our own
    marks = [use.get("href") for use in root.iter(f"{SVG}use")]
    said = " ".join(root.itertext())
    assert (marks.count("#gap"), marks.count("#unknown")) == (2, 2)  # each once in the legend
    assert f"host ({number:,})" in said
    assert "2026-11-24 03:00 UTC" in said
    assert len(drawn) < 1_000_000


def test_a_name_from_outside_is_only_a_name() -> None:
    drawn = heat_map([in_scope("<script>x</script>")], {}, assessed_at=NOW, now=NOW)

    assert "<script>" not in drawn
