"""Picture files of dashboards: looked at without belief, and put together under a heading."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from bot.adapters.web.pixels import look
from bot.adapters.web.sheet import COLUMN, draw
from bot.domain.dashboard import Capture, Dashboard, Panel, Trouble, Uncaptured
from bot.playground.graphs import draw_graph, wave

NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)


def graph(title: str = "CPU") -> bytes:
    end = int(NOW.timestamp())
    points = [[at * 1000, wave("web-1", title, at)] for at in range(end - 3600, end, 60)]
    return draw_graph(title, {"web-1": points}, ((end - 3600) * 1000, end * 1000), size=(COLUMN, 240))


def plain(size: tuple[int, int], form: str = "PNG") -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "#fefefe").save(out, form)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "trouble"),
    [
        (plain((560, 240)), Trouble.BLANK),
        (plain((560, 240), "JPEG"), Trouble.BLANK),
        (plain((560, 7000)), Trouble.HUGE),
        (plain((1, 1)), Trouble.NO_PICTURE),
        (b"<html><title>Sign in</title>", Trouble.NO_PICTURE),
        (b"", Trouble.NO_PICTURE),
        (graph()[:2000], Trouble.HALF_LOADED),
        (b"\x89PNG" * 3_000_000, Trouble.HUGE),
    ],
)
def test_what_is_no_picture_of_anything(content: bytes, trouble: Trouble) -> None:
    with pytest.raises(Uncaptured) as why:
        look(content)
    assert why.value.trouble is trouble


def test_a_graph_is_one() -> None:
    """Also an almost empty one: axes and a title are drawn."""
    assert look(graph()).commonest < 990
    assert look(draw_graph("CPU", {}, (0, 1), size=(COLUMN, 240))).commonest < 998


def test_the_sheet_has_every_panel_as_it_came() -> None:
    """Under the heading, two beside each other; what has no picture is written out."""
    capture: Any = Capture(
        dashboard=Dashboard(provider="datadog", id="abc", title="prod <overview>", account="organisation 1"),
        at=NOW,
        start=NOW - timedelta(hours=3),
        end=NOW,
        components=tuple(f"web-{number}" for number in range(200)),
        warnings=("It is “odd”.",),
    )
    panels = [
        Panel(title="CPU", picture=graph()),
        Panel(title="Memory", picture=graph("Memory")),
        Panel(title="Alarms", lines=("OK cpu-high", "ALARM disk-full")),
    ]

    content = draw(capture, panels, tool="Datadog")

    look(content)
    with Image.open(BytesIO(content)) as sheet, Image.open(BytesIO(panels[0].picture)) as first:
        assert sheet.width == 2 * COLUMN + 48
        kept = sheet.convert("RGB").tobytes()
        rows = [first.convert("RGB").crop((0, y, COLUMN, y + 1)).tobytes() for y in (40, 120, 200)]
    assert all(row in kept for row in rows), "not scaled, not repainted"
