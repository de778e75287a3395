"""A note says something to somebody who was not there."""

import pytest

from bot.domain.alert import MOST_LETTERS, check_note
from bot.domain.errors import ThinNote


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "fixed",
        "Fixed. Fixed. Fixed.",
        "resolved, done",
        "done. fixed. done",
        "none / resolved",
        "see above see above",
        "Same as above!",
        "aaaaaaaaaaaaaaa",
        "ok ok ok ok ok ok",
        "数据库",
        "x y" * MOST_LETTERS,
    ],
)
def test_a_note_that_says_nothing_is_refused(text: str) -> None:
    """…and the refusal says what a note is."""
    with pytest.raises(ThinNote) as refused:
        check_note("found", text)

    assert refused.value.field == "found"
    assert len(str(refused.value)) > 40


@pytest.mark.parametrize(
    "text",
    [
        "Rolled back to 1.41",
        "Fixed the leak in 1.43 and deployed it",
        "Speicher war voll, Pod neu gestartet",
        "扩容数据库磁盘并重启了服务",
        "データベースのディスク容量を増設して再起動しました",
        "ดิสก์ของฐานข้อมูลเต็มจึงขยายและเริ่มใหม่",
    ],
)
def test_a_short_honest_note_is_enough(text: str) -> None:
    """Also in scripts that put no spaces between words."""
    check_note("found", text)
