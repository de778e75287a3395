"""A table as pages to file, with its date; equal arguments give equal bytes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.domain.spreadsheet import Cell

FONT = Path(__file__).parent / "DejaVuSans.ttf"
MOST_LETTERS = 400  # of a cell; the CSV has all
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
    from fpdf import FPDF  # noqa: PLC0415 - heavy, and rarely needed

    pdf = FPDF(orientation="landscape")
    pdf.set_creation_date(at)
    pdf.set_title(title)
    pdf.add_font("DejaVu", fname=FONT)
    pdf.set_font("DejaVu", size=14)
    pdf.add_page()
    heading = f"{title}, {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    pdf.cell(text=heading, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(size=7)
    left = (
        [f"The first {MOST_ROWS:,} of {len(rows):,} lines; the CSV has all."] if len(rows) > MOST_ROWS else []
    )
    for line in (*about, *left):
        pdf.cell(h=5, text=line, new_x="LMARGIN", new_y="NEXT")
    widths = tuple(width for _, width in shown.values())
    with pdf.table(col_widths=widths, line_height=4, text_align="LEFT", first_row_as_headings=False) as table:
        headings = table.row()
        for name, _ in shown.values():
            headings.cell(name)
        for row in rows[:MOST_ROWS]:
            cells = table.row()
            for column in shown:
                cells.cell(_text(row.get(column)))
    return bytes(pdf.output())


def _text(cell: Cell) -> str:
    """Nothing in a cell is markup, and nothing hides; a letter that the font lacks is shown as a box."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    shown = "".join(letter if letter.isprintable() else " " for letter in str(cell or ""))
    return shown if len(shown) <= MOST_LETTERS else f"{shown[: MOST_LETTERS - 1]}…"
