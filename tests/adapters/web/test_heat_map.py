"""The heat map shows every cell that is not covered, by colour and by shape, however many there are."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from bot.adapters.web.heat_map import MOST_HEIGHT, WIDTH, heat_map
from bot.adapters.web.picture import png_of
from bot.domain.component import MEASURES, Kind, Measure
from bot.domain.coverage import Interval, Run, State
from bot.procedures.assess_coverage import Picture
from tests.fleets import in_scope
from tests.rosters import NOW

SVG = "{http://www.w3.org/2000/svg}"
OUT = {("host:web-0", Measure.CPU): State.GAP, ("host:web-1", Measure.DISK): State.UNKNOWN}


def drawn(number: int, *, name: str = "web") -> Picture:
    """Hosts, one with a gap, another with what nobody knows."""
    tally = {(Kind.HOST, measure): {State.COVERED: number} for measure in MEASURES[Kind.HOST]}
    for (_, measure), state in OUT.items():
        tally[Kind.HOST, measure] = {State.COVERED: number - 1, state: 1}
    run = Run(at=NOW, scope=1, standard="", components=number, excluded=0, tally=tally, digest="")
    return Picture(
        run=run,
        entries=tuple(in_scope(f"{name}-{at}") for at in range(number)),
        out={
            place: Interval(key=place[0], measure=place[1], state=state, since=NOW)
            for place, state in OUT.items()
        },
        ages=(),
        now=NOW,
    )


@pytest.mark.parametrize("number", [3, 60, 3000])
def test_every_size_of_fleet_is_drawn(number: int) -> None:
    root = ET.fromstring(heat_map(drawn(number)))  # noqa: S314 - our own
    marks = [use.get("href") for use in root.iter(f"{SVG}use")]
    said = " ".join(root.itertext())

    assert (marks.count("#gap"), marks.count("#unknown")) == (2, 2)  # each once in the legend
    assert f"host ({number:,})" in said
    assert f"{5 * number - 2:,} of {5 * number:,} covered" in said
    assert "2026-11-24 03:00 UTC" in said
    assert (int(root.get("width", 0)), int(root.get("height", 0)) <= MOST_HEIGHT) == (WIDTH, True)


def test_figures_alone_give_the_same_picture() -> None:
    """Of very many components nobody has to read each."""
    whole = drawn(3000)

    assert heat_map(replace(whole, entries=(), out={})) == heat_map(whole)


def test_a_name_from_outside_is_only_a_name() -> None:
    assert "<script>" not in heat_map(drawn(3, name="<script>x</script>"))


def test_the_picture_is_a_png_with_letters() -> None:
    """In our own font, so also where none is installed; two pixels a unit, and small enough for a phone."""
    content = png_of(drawn(3))

    assert content.startswith(b"\x89PNG")
    assert int.from_bytes(content[16:20]) == 2 * WIDTH
    assert len(content) < 200_000
    assert content != png_of(drawn(3, name="api")), "another name is drawn otherwise"
