"""An inventory as CSV: a line of headings, then a line a component; separated by commas or semicolons."""

import csv
import io

from bot.adapters.inventory.rows import FIELDS, Problem, Row, unknown_field


def read_csv(file: str, content: bytes) -> tuple[list[Row], int, list[Problem]]:
    """(rows, 0, problems). Several identities or tags (`env=prod`) in a cell are separated by white space."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return [], 0, [Problem(f"{file}:{line}", "it is not UTF-8 text. Save it as UTF-8.")]
    first = text.partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=";" if first.count(";") > first.count(",") else ",",
        strict=True,
    )
    rows: list[Row] = []
    problems: list[Problem] = []
    try:
        headings = [cell.strip().casefold() for cell in next(reader, [])]
        problems += [Problem(f"{file}:1", unknown_field(name)) for name in headings if name not in FIELDS]
        problems += [
            Problem(f"{file}:1", f"the heading {name} stands there twice. Remove one of the two.")
            for name in sorted({each for each in headings if headings.count(each) > 1})
        ]
        if "name" not in headings:
            problems.append(
                Problem(f"{file}:1", "there is no heading “name”. Begin with a line of headings.")
            )
        if problems:
            return [], 0, problems
        start = reader.line_num
        for cells in reader:
            where, start = f"{file}:{start + 1}", reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(headings):
                wrong = f"it has {len(cells)} cells under {len(headings)} headings."
                problems.append(Problem(where, f"{wrong} Quote a cell that holds the separator."))
                continue
            row, fault = _row(where, dict(zip(headings, (cell.strip() for cell in cells), strict=True)))
            rows.append(row)
            problems += fault
    except csv.Error as error:
        problems.append(Problem(f"{file}:{reader.line_num}", f"it is not CSV: {error}. Correct that line."))
    return rows, 0, problems


def _row(where: str, cells: dict[str, str]) -> tuple[Row, list[Problem]]:
    pairs = [each.partition("=") for each in cells.pop("tags", "").split()]
    faults = [
        Problem(where, f"the tag “{name}” has no value. Write name=value.")
        for name, sign, _ in pairs
        if not sign
    ]
    identities = tuple(cells.pop("identities", "").split())
    tags = {name: value for name, _, value in pairs}
    return Row(where=where, fields=cells, identities=identities, tags=tags), faults
