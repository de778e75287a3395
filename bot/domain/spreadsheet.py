"""Tables for spreadsheets: every cell quoted, and none a formula, whoever wrote it."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from unicodedata import normalize

Cell = str | int | float | bool | None

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Cell]]) -> str:
    """RFC 4180, every cell quoted, so that no spreadsheet's separator splits one; no cell is a formula."""
    written = io.StringIO()
    writer = csv.DictWriter(written, columns, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows([{name: shown(cell) for name, cell in row.items()} for row in rows])
    return written.getvalue()


def shown(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return _defused(cell) if isinstance(cell, str) else str(cell)


def _defused(text: str) -> str:
    """The text with an apostrophe in front where a spreadsheet could take it for a formula (CWE-1236).

    Spreadsheets look past white space and invisible characters, and take the full-width ＝ ＋ － ＠ as well.
    """
    seen = normalize("NFKC", "".join(c for c in text if c.isprintable())).lstrip()
    return f"'{text}" if text.startswith(_FORMULA) or seen.startswith(_FORMULA) else text
