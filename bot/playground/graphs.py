"""Graphs as a monitoring tool draws them: lines over time, by name. Their values are made up, the same each time."""

from collections.abc import Mapping, Sequence
from importlib.resources import as_file, files
from io import BytesIO
from math import sin
from zlib import crc32

from PIL import Image, ImageDraw, ImageFont

COLOURS = ("#3b7dd8", "#e0662f", "#3a9d5d", "#9a55c4", "#c93c54", "#2d9bb0", "#b58a17", "#5a6472")
MOST_NAMED = 6
INK, QUIET, GRID = "#2b2d33", "#6a6f78", "#e3e6eb"
Line = Sequence[Sequence[float]]


def wave(name: str, metric: str, at: int) -> float:
    """Between 0 and 100; `at` in seconds."""
    seed = crc32(f"{name} {metric}".encode())
    slow, fast = sin(at / (2400 + seed % 1800) + seed), sin(at / (190 + seed % 150) + seed)
    return round(25 + seed % 35 + 14 * slow + 5 * fast, 2)


def draw_graph(
    title: str, lines: Mapping[str, Line], span: tuple[int, int], *, size: tuple[int, int]
) -> bytes:
    """PNG; `lines` are (time, value) by name, `span` is the time that is drawn, in milliseconds."""
    width, height = size
    picture = Image.new("RGB", size, "#ffffff")
    pen = ImageDraw.Draw(picture)
    with as_file(files("bot.adapters.pdf") / "DejaVuSans.ttf") as font:
        letters, small = ImageFont.truetype(str(font), 13), ImageFont.truetype(str(font), 10)
    pen.text((10, 6), title[:70], fill=INK, font=letters)
    left, top, right, bottom = 40, 30, width - 10, height - 38
    for step in range(5):
        y = bottom - (bottom - top) * step // 4
        pen.line((left, y, right, y), fill=GRID)
        pen.text((8, y - 6), str(25 * step), fill=QUIET, font=small)
    start, end = span
    for number, (name, points) in enumerate(sorted(lines.items())):
        colour = COLOURS[number % len(COLOURS)]
        drawn = [
            (
                left + (right - left) * (at - start) / max(end - start, 1),
                bottom - (bottom - top) * min(max(value, 0), 100) / 100,
            )
            for at, value in points
        ]
        if len(drawn) > 1:
            pen.line(drawn, fill=colour, width=2)
        if number < MOST_NAMED:
            x = left + number * (right - left) // MOST_NAMED
            pen.rectangle((x, height - 22, x + 8, height - 14), fill=colour)
            pen.text((x + 12, height - 25), name[:12], fill=INK, font=small)
    if not lines:
        pen.text((width // 2 - 40, height // 2), "(no data)", fill=QUIET, font=letters)
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
