"""When a picture of a dashboard is believed: what refutes it, and what is only to be known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.dashboard import (
    MOST_BYTES,
    MOST_SIDE,
    Captured,
    Dashboard,
    Panel,
    Pixels,
    Rules,
    Trouble,
    Uncaptured,
    check_captured,
    check_pixels,
    check_size,
    warnings_of,
)

NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
RULES = Rules(name_like="prod", stale_after=timedelta(minutes=15), window=timedelta(hours=3))
BOARD = Dashboard(provider="datadog", id="abc", title="Production overview", account="organisation 1")
GOT = Captured(
    panels=(Panel(title="CPU", picture=b"png"),),
    account="organisation 1",
    start=NOW - RULES.window,
    end=NOW,
    newest_at=NOW - timedelta(minutes=15),
)


@pytest.mark.parametrize(
    ("changed", "trouble"),
    [
        ({}, None),
        ({"newest_at": NOW - timedelta(minutes=15, seconds=1)}, Trouble.STALE),
        ({"newest_at": None}, Trouble.STALE),
        ({"newest_at": None, "tells_age": False}, None),
        ({"account": "organisation 2"}, Trouble.WRONG_ACCOUNT),
        ({"account": ""}, Trouble.WRONG_ACCOUNT),
        ({"panels": ()}, Trouble.BLANK),
        ({"panels": (Panel(title="Nothing"),)}, Trouble.BLANK),
    ],
)
def test_what_the_tool_says_refutes_its_picture(changed: dict[str, Any], trouble: Trouble | None) -> None:
    got = replace(GOT, **changed)
    if trouble is None:
        check_captured(BOARD, got, RULES, NOW)
        return
    with pytest.raises(Uncaptured) as why:
        check_captured(BOARD, got, RULES, NOW)
    assert why.value.trouble is trouble
    assert why.value.mend


@pytest.mark.parametrize(
    ("pixels", "trouble"),
    [
        (Pixels(width=560, height=240, commonest=997), None),
        (Pixels(width=560, height=240, commonest=998), Trouble.BLANK),
        (Pixels(width=MOST_SIDE + 1, height=240, commonest=500), Trouble.HUGE),
        (Pixels(width=560, height=1, commonest=500), Trouble.NO_PICTURE),
    ],
)
def test_what_a_picture_shows_refutes_it(pixels: Pixels, trouble: Trouble | None) -> None:
    if trouble is None:
        check_pixels(pixels)
        return
    with pytest.raises(Uncaptured) as why:
        check_pixels(pixels)
    assert why.value.trouble is trouble


def test_a_file_has_its_limit() -> None:
    check_size(MOST_BYTES)
    with pytest.raises(Uncaptured, match="8,388,608 are the most"):
        check_size(MOST_BYTES + 1)


def test_what_is_only_to_be_known() -> None:
    assert warnings_of(BOARD, GOT, RULES) == ()
    [name] = warnings_of(replace(BOARD, title="Staging"), GOT, RULES)
    assert "does not say that it is about production" in name
    [age] = warnings_of(BOARD, replace(GOT, newest_at=None, tells_age=False), RULES)
    assert "how fresh" in age
