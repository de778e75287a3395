"""The contact list on paper: dated, the same bytes for the same facts, and no words in it do anything."""

import re
import zlib
from typing import Any

import pytest

from bot.adapters.pdf.contact_list import contact_pdf
from bot.adapters.pdf.table import table_pdf
from bot.domain.oncall import StoredRoster
from tests.rosters import NOW, person, roster, shift, team


def stored(**facts: Any) -> StoredRoster:
    given = roster(people=(person(**facts), person("PKIM")))
    return StoredRoster(id=1, at=NOW, checked_at=NOW, roster=given, digest="sha256:00ff")


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


def test_the_same_facts_are_the_same_bytes() -> None:
    """And other facts are others; it is a PDF of one page with its title and its date."""
    made = contact_pdf(stored(), NOW)

    assert made == contact_pdf(stored(), NOW)
    assert made != contact_pdf(stored(name="Somebody else"), NOW)
    assert made.startswith(b"%PDF-")
    assert b"D:20261124030000" in made
    assert pages(made) == 1


@pytest.mark.parametrize(
    "name",
    [
        "Łukasz Żółć",
        "Ελένη",
        "Зоя",
        "木村",
        "🔥",
        "**bold** __x__",
        "<b>x</b>",
        ")Tj (x",
        "\\",
        "a\x00b\nc\u202e",
        "x" * 5000,
        "x " * 3000,
    ],
)
def test_any_name_can_be_printed(name: str) -> None:
    """In every script, and whatever somebody calls themselves: no action, no link, no script in the file."""
    made = contact_pdf(stored(name=name), NOW)

    streams = b"".join(
        zlib.decompress(each)
        for each in re.findall(rb"stream\n(.*?)\nendstream", made, re.DOTALL)
        if each[:1] == b"x"
    )
    for word in (b"/JavaScript", b"/JS", b"/URI", b"/Launch", b"/OpenAction /", b"/EmbeddedFile"):
        assert word not in made + streams


def test_a_letter_that_the_font_lacks_is_no_empty_cell() -> None:
    """fpdf2 leaves such letters out; and a name that is its sign for the number of pages stays a name."""

    def table(name: str) -> bytes:
        return table_pdf("People", (), {"name": ("Name", 1)}, [{"name": name}], NOW)

    assert table("木村") == table("東京")
    assert len({table(name) for name in ("木村", "木", "", "{nb}", "1")}) == 5


def test_a_long_list_takes_more_pages() -> None:
    people = tuple(person(f"P{number:03}") for number in range(80))
    given = roster(team(*(shift(each.id) for each in people)), people=people)
    made = contact_pdf(StoredRoster(id=1, at=NOW, checked_at=NOW, roster=given, digest="sha256:00ff"), NOW)

    assert pages(made) > 2
