"""The picture that is kept: a heading of ours, and under it what the tool drew, pixel by pixel as it came."""

from collections.abc import Iterable, Sequence
from importlib.resources import as_file, files
from io import BytesIO
from textwrap import wrap
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from bot.domain.dashboard import Capture, Panel

MARGIN = 16
COLUMN = 560
"""A panel up to so wide has another one beside it."""
NARROWEST = 2 * COLUMN + 3 * MARGIN
INK, QUIET, PAPER, BAND, AMBER = "#1d1c1d", "#54565c", "#ffffff", "#f2f4f7", "#8a5300"
LETTERS_A_LINE = 76
MOST_LINES = 24
MOST_COMPONENTS = 40


def draw(capture: Capture, panels: Sequence[Panel], *, tool: str) -> bytes:
    """PNG. Takes tenths of a second: call it in a thread."""
    with as_file(files("bot.adapters.pdf") / "DejaVuSans.ttf") as font:
        large, small = ImageFont.truetype(str(font), 24), ImageFont.truetype(str(font), 14)
    drawn = [_panel(each, small) for each in panels]
    width = max([NARROWEST, *(each.width + 2 * MARGIN for each in drawn)])
    heading = _heading(capture, tool, width, large, small)
    rows = list(_rows(drawn, width))
    height = heading.height + sum(max(each.height for each in row) + MARGIN for row in rows) + MARGIN
    sheet = Image.new("RGB", (width, height), PAPER)
    sheet.paste(heading, (0, 0))
    top = heading.height + MARGIN
    for row in rows:
        left = MARGIN
        for each in row:
            sheet.paste(each, (left, top))
            left += each.width + MARGIN
        top += max(each.height for each in row) + MARGIN
    out = BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


def _heading(capture: Capture, tool: str, width: int, large: Any, small: Any) -> Any:
    one, form = capture.dashboard, "%Y-%m-%d %H:%M:%S"
    named = capture.components[:MOST_COMPONENTS]
    more = len(capture.components) - len(named)
    shown = ", ".join(named) + (f" and {more} more" if more else "")
    lines = [
        (f"{tool} · account {one.account or 'not told'} · {one.id}", QUIET),
        (
            f"Captured {capture.at:{form}} UTC · shows {capture.start:{form}} to {capture.end:{form}} UTC",
            QUIET,
        ),
        (
            f"Newest value {capture.newest_at:{form}} UTC, by the tool's API"
            if capture.newest_at
            else "Newest value not told",
            QUIET,
        ),
        (f"In scope and shown: {shown or 'nothing that could be recognised'}", QUIET),
        *((f"Warning: {each}", AMBER) for each in capture.warnings),
    ]
    letters = max(40, (width - 2 * MARGIN) // 9)
    wrapped = [(part, colour) for line, colour in lines for part in wrap(line, letters)]
    band = Image.new("RGB", (width, 58 + 20 * len(wrapped) + 10), BAND)
    pen = ImageDraw.Draw(band)
    pen.text((MARGIN, 14), _fit(one.title, letters // 2), fill=INK, font=large)
    for number, (line, colour) in enumerate(wrapped):
        pen.text((MARGIN, 54 + 20 * number), line, fill=colour, font=small)
    pen.line((0, band.height - 1, width, band.height - 1), fill="#c8ccd3")
    return band


def _panel(panel: Panel, small: Any) -> Any:
    if panel.picture:
        with Image.open(BytesIO(panel.picture), formats=("PNG", "JPEG")) as picture:
            shown = picture.convert("RGBA")
        paper = Image.new("RGB", (shown.width, shown.height + 24), PAPER)
        paper.paste(shown, (0, 24), shown)
    else:
        lines = [part for line in panel.lines for part in wrap(line, LETTERS_A_LINE) or [""]][:MOST_LINES]
        paper = Image.new("RGB", (COLUMN, 36 + 20 * max(len(lines), 1)), PAPER)
        pen = ImageDraw.Draw(paper)
        pen.rectangle((0, 24, paper.width - 1, paper.height - 1), outline="#c8ccd3")
        for number, line in enumerate(lines):
            pen.text((8, 29 + 20 * number), line, fill=INK, font=small)
    ImageDraw.Draw(paper).text((0, 2), _fit(panel.title, paper.width // 9), fill=INK, font=small)
    return paper


def _rows(drawn: Iterable[Any], width: int) -> Iterable[list[Any]]:
    row: list[Any] = []
    for each in drawn:
        taken = sum(one.width + MARGIN for one in row) + MARGIN
        if row and taken + each.width + MARGIN > width:
            yield row
            row = []
        row.append(each)
    if row:
        yield row


def _fit(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}…"
