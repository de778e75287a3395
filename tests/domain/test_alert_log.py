"""The exported alert log is complete, exact and harmless to open."""

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alert_log import COLUMNS, log_rows, summary, to_csv, to_json
from tests.adapters.slack.examples import ACKNOWLEDGED, NOTE, OPENED, RECOVERED, RESOLVED, STATES, TRIGGERED

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def opened(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_row_tells_an_alert_from_its_trigger_to_its_note() -> None:
    assert log_rows([replace(RESOLVED, previous_id=400)]) == [
        {
            "number": "A-412",
            "provider": "datadog",
            "component": "prod-db-1",
            "title": "CPU > 85 % for 5 min",
            "severity": "SEV1",
            "state": "resolved",
            "source": "recovered",
            "triggered_at": "2026-11-24T14:02:00Z",
            "acknowledged_at": "2026-11-24T14:05:00Z",
            "acknowledged_by": "U0SAM",
            "owner": "U0SAM",
            "recovered_at": "2026-11-24T14:05:00Z",
            "resolved_at": "2026-11-24T14:31:00Z",
            "resolved_by": "U0SAM",
            "minutes_to_acknowledge": 3.0,
            "minutes_to_resolve": 29.0,
            "found": "Long ANALYZE after deploy 1.42",
            "done": "Added a read replica",
            "cause": "capacity",
            "security": False,
            "follow_up": "",
            "note_edited_by": None,
            "previous": "A-400",
        }
    ]


def test_what_has_not_happened_is_empty_not_zero() -> None:
    row = log_rows([TRIGGERED])[0]

    assert row["state"] == "triggered"
    assert [row[name] for name in ("acknowledged_at", "minutes_to_resolve", "found", "security")] == [
        None
    ] * 4
    assert opened(to_csv([row]))[0]["minutes_to_resolve"] == ""
    assert log_rows([RECOVERED])[0]["state"] == "recovered, note needed"


def test_whoever_acknowledged_it_stays_on_record_when_it_is_handed_on() -> None:
    row = log_rows([replace(ACKNOWLEDGED, owner="U0KIM")])[0]

    assert (row["acknowledged_by"], row["owner"]) == ("U0SAM", "U0KIM")
    assigned = log_rows([replace(TRIGGERED, owner="U0KIM")])[0]
    assert (assigned["acknowledged_by"], assigned["owner"]) == (None, "U0KIM")


def test_rows_stand_in_the_order_of_their_numbers() -> None:
    assert [row["number"] for row in log_rows([replace(TRIGGERED, id=n) for n in (12, 9, 10)])] == [
        "A-9",
        "A-10",
        "A-12",
    ]


def test_every_state_is_written_in_both_formats() -> None:
    rows = log_rows(replace(alert, id=number) for number, alert in enumerate(STATES.values(), 1))

    assert json.loads(to_json(rows)) == rows
    assert len(opened(to_csv(rows))) == len(STATES)
    assert all(tuple(row) == COLUMNS for row in rows)
    assert all(tuple(row) == COLUMNS for row in opened(to_csv(rows)))


def test_an_empty_log_still_has_its_columns() -> None:
    assert to_csv([]) == ",".join(f'"{name}"' for name in COLUMNS) + "\r\n"
    assert to_json([]) == "[]\n"


@pytest.mark.parametrize(
    "title",
    [
        '=HYPERLINK("http://evil.example")',
        "+1",
        "-1+2",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "  =1",
        "\u200b=1",
        "\u00a0=1",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff201",
    ],
)
def test_no_cell_is_a_formula(title: str) -> None:
    """OWASP: whoever opens the log in a spreadsheet must not run what an alert says."""
    cell = opened(to_csv(log_rows([replace(TRIGGERED, title=title)])))[0]["title"]

    assert cell == "'" + title


@given(st.text(st.characters(codec="utf-8"), max_size=60), st.text(alphabet=' ;,"\n=+@a', max_size=20))
def test_whatever_an_alert_says_stays_in_its_cell(title: str, done: str) -> None:
    alert = replace(RESOLVED, title=title, resolution=replace(NOTE, done=done))

    row = opened(to_csv(log_rows([alert])))[0]

    for cell, said in ((row["title"], title), (row["done"], done)):
        assert cell.removeprefix("'") == said.removeprefix("'")
        assert not normalize("NFKC", cell).lstrip().startswith(FORMULA)
    assert row["number"] == "A-412"


def test_every_cell_is_quoted_for_spreadsheets_that_split_at_semicolons() -> None:
    assert '"a;=1"' in to_csv(log_rows([replace(TRIGGERED, title="a;=1")]))


def test_the_figures_are_over_all_alerts() -> None:
    slow = replace(RESOLVED, acknowledged_at=OPENED + timedelta(minutes=9))

    figures = summary([RESOLVED, slow, ACKNOWLEDGED, TRIGGERED])

    assert (figures.count, figures.open, figures.without_note) == (4, 2, 2)
    assert (figures.minutes_to_acknowledge, figures.minutes_to_resolve) == (3.0, 29.0)
    assert summary([]).minutes_to_resolve is None
