"""A table as pages to file, with its date; equal arguments give equal bytes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from bot.domain.spreadsheet import Cell

if TYPE_CHECKING:
    from fpdf.fonts import TTFFont

FONT = Path(__file__).parent / "DejaVuSans.ttf"
MOST_LETTERS = 400  # of a cell; the CSV has all
BOX = "□"  # fpdf2 leaves out what a font lacks, and a name would be empty
MOST_ROWS = 2000  # a longer table takes minutes; the CSV has all


def table_pdf(
    title: str,
    about: Sequence[str],
    shown: Mapping[str, tuple[str, int]],
    rows: Sequence[Mapping[str, Cell]],
    at: datetime,
) -> bytes:
    """`shown` maps a column to its heading and its width in shares of the page; `about` are lines under the title.

    Takes about a second, most of it for the font: call it in a worker thread.
    """
    from fpdf import FPDF, FontFace  # noqa: PLC0415 - heavy, and rarely needed

    class Pages(FPDF):
        def footer(self) -> None:
            self.set_y(-12)
            self.cell(text=f"{heading}, page {self.page_no()}")

    heading = f"{title}, {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    pdf = Pages(orientation="landscape")
    pdf.str_alias_nb_pages = ""  # else "{nb}" in a cell becomes a number
    pdf.set_creation_date(at)
    pdf.set_title(title)
    pdf.add_font("DejaVu", fname=FONT)
    pdf.set_font("DejaVu", size=7)
    letters = cast("TTFFont", pdf.current_font).cmap
    cells = [[_text(row.get(column)) for column in shown] for row in rows[:MOST_ROWS]]
    lacking = {letter for row in cells for text in row for letter in text if ord(letter) not in letters}
    boxes = dict.fromkeys(map(ord, lacking), BOX)
    notes = [f"{len(rows):,} lines"]
    if len(rows) > MOST_ROWS:
        notes = [f"The first {MOST_ROWS:,} of {len(rows):,} lines; the CSV has all."]
    if lacking:
        notes.append(f"A letter that is not in the font stands as {BOX}; the CSV has it.")
    pdf.add_page()
    pdf.set_font(size=14)
    pdf.cell(text=heading, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(size=7)
    for line in (*about, *notes):
        pdf.cell(h=5, text=line, new_x="LMARGIN", new_y="NEXT")
    widths = tuple(width for _, width in shown.values())
    plain = FontFace(emphasis="", fill_color=(235, 235, 235))
    with pdf.table(
        col_widths=widths, line_height=4, text_align="LEFT", v_align="TOP", headings_style=plain
    ) as table:
        table.row([name for name, _ in shown.values()])
        for row in cells:
            table.row([text.translate(boxes) for text in row])
    return bytes(pdf.output())


def _text(cell: Cell) -> str:
    """Nothing in a cell is markup, and nothing hides."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    shown = "".join(letter if letter.isprintable() else " " for letter in str(cell or ""))
    return shown if len(shown) <= MOST_LETTERS else f"{shown[: MOST_LETTERS - 1]}…"
