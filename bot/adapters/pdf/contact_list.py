"""The escalation contact list as a page to file: the rows of the CSV, its date, and its digest."""

from datetime import UTC, datetime
from pathlib import Path

from bot.domain.contact_list import contact_list, to_csv
from bot.domain.oncall import StoredRoster
from bot.domain.spreadsheet import Cell
from bot.procedures.check_on_call import document_digest

FONT = Path(__file__).parent / "DejaVuSans.ttf"
MOST_LETTERS = 400  # of a cell; the CSV has all
# What of a row is shown, under which heading, and how wide (in shares of the page).
SHOWN = {
    "team": ("Team", 10),
    "level": ("Level", 5),
    "person": ("Person", 14),
    "email": ("E-mail", 20),
    "slack_user": ("Slack", 12),
    "on_call_now": ("Now", 5),
    "until": ("Until", 16),
    "contact_methods": ("Reached by", 30),
    "faults": ("To be mended", 26),
}


def contact_pdf(stored: StoredRoster, at: datetime) -> bytes:
    """Equal arguments give equal bytes. Takes about a second, most of it for the font: call it in a worker thread."""
    from fpdf import FPDF  # noqa: PLC0415 - heavy, and rarely needed

    document = document_digest(to_csv(stored, at))
    pdf = FPDF(orientation="landscape")
    pdf.set_creation_date(at)
    pdf.set_title("Escalation contact list")
    pdf.add_font("DejaVu", fname=FONT)
    pdf.set_font("DejaVu", size=14)
    pdf.add_page()
    pdf.cell(
        text=f"Escalation contact list, {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        new_x="LMARGIN",
        new_y="NEXT",
    )
    pdf.set_font(size=7)
    for line in (f"Roster {stored.digest}", f"The same list as CSV: {document}"):
        pdf.cell(h=5, text=line, new_x="LMARGIN", new_y="NEXT")
    widths = tuple(width for _, width in SHOWN.values())
    with pdf.table(col_widths=widths, line_height=4, text_align="LEFT", first_row_as_headings=False) as table:
        heading = table.row()
        for name, _ in SHOWN.values():
            heading.cell(name)
        for row in contact_list(stored, at):
            cells = table.row()
            for column in SHOWN:
                cells.cell(_text(row.get(column)))
    return bytes(pdf.output())


def _text(cell: Cell) -> str:
    """Nothing in a cell is markup, and nothing hides; a letter that the font lacks is shown as a box."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    shown = "".join(letter if letter.isprintable() else " " for letter in str(cell or ""))
    return shown if len(shown) <= MOST_LETTERS else f"{shown[: MOST_LETTERS - 1]}…"
