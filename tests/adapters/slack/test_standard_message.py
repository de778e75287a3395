"""The standard as people read it: nothing that Slack refuses, whatever its file says and however often it changed."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.adapters.slack import interactions as do
from bot.adapters.slack import standard_message as told
from bot.domain.standard_version import Version
from bot.procedures.review_standard import StandardStanding
from bot.standard import read_standard
from tests.adapters.slack.examples import HOSTILE_WORDS, assert_message, labels

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


WRITABLE = [word for word in HOSTILE_WORDS if "\ud800" not in word]  # a TOML file is UTF-8


@pytest.mark.parametrize("word", [*WRITABLE, "x" * 5000])
def test_whoever_keeps_it(word: str) -> None:
    """Twenty versions, each with a new owner, and every rule gone in each other one."""
    shipped = read_standard(None)
    own = replace(shipped, owner=word, approved_by=word, rules={})
    texts = [
        replace(own, owner=f"{word} {number}", rules=shipped.rules if number % 2 else {})
        for number in range(20)
    ]
    versions = [
        Version(number=20 - at, at=NOW, document=one.document, reviewed_at=NOW, reviewed_by="U1LEAD")
        for at, one in enumerate(texts)
    ]
    stands = StandardStanding(versions=tuple(versions), now=NOW)
    unrecorded = StandardStanding(versions=(replace(versions[0], number=0), *versions[1:]), now=NOW)

    for message in (
        told.standard_message(stands, own, shipped=shipped),
        told.document_message(stands),
        told.document_message(StandardStanding(versions=tuple(versions[18:]), now=NOW)),
        told.history_message(stands),
        told.reviewed_message(versions[0]),
        told.reminder_message("The standard has never been reviewed."),
    ):
        assert_message(message.text, message.blocks)
    assert "I have reviewed it" in labels(told.document_message(stands).blocks)
    assert do.STANDARD_REVIEWED not in str(told.document_message(unrecorded).blocks)
