"""The standard's versions on record, its review, and the reminder; on both databases."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.domain.errors import NotPermitted
from bot.domain.standard import Standard
from bot.procedures import review_standard
from bot.procedures.review_standard import OldStandard, StandardStanding
from tests.fleets import STANDARD
from tests.procedures.test_assess_coverage import leaves
from tests.reports import LEAD, SAM
from tests.world import Ledger

STRICTER = replace(STANDARD, severities={}, owner="Kim")
WEEK = 7 * 24 * 3600


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    made = Ledger(database_url)
    yield made
    made.database.close()


def standing(ledger: Ledger, standard: Standard = STANDARD) -> StandardStanding:
    found: StandardStanding = ledger.read(review_standard.standing, standard)
    return found


def test_each_version_is_put_down_once_and_reviewed_by_its_digest(ledger: Ledger) -> None:
    """What changed stands in the log without the names of people; an older text cannot be reviewed any more."""
    assert standing(ledger).newest.number == 0
    ledger.write(review_standard.take_standard, STANDARD)
    ledger.write(review_standard.take_standard, STANDARD)
    with pytest.raises(NotPermitted, match="can't review the standard"):
        ledger.write(review_standard.review, STANDARD.digest, by=SAM)
    ledger.write(review_standard.review, STANDARD.digest, by=LEAD)
    ledger.write(review_standard.take_standard, STRICTER)
    with pytest.raises(OldStandard, match="changed since this was shown"):
        ledger.write(review_standard.review, STANDARD.digest, by=LEAD)

    stands = standing(ledger, STRICTER)

    assert [(one.number, one.reviewed_by) for one in stands.versions] == [(2, ""), (1, "U1LEAD")]
    assert stands.changes(0) == ["host severity, medium: SEV3 → none", "owner: none → Kim"]
    assert any("has changed since it was last reviewed" in each for each in stands.due)
    entries = leaves(ledger, "standard.changed", "standard.reviewed")
    assert [(each["type"], each["facts"]) for each in entries] == [
        ("standard.changed", {"before": "", "after": STANDARD.digest, "changes": []}),
        ("standard.reviewed", {"document": STANDARD.digest}),
        (
            "standard.changed",
            {
                "before": STANDARD.digest,
                "after": STRICTER.digest,
                "changes": ["host severity, medium: SEV3 → none", "owner"],
            },
        ),
    ]


def test_leads_are_reminded_once_a_week_until_it_is_reviewed(ledger: Ledger) -> None:
    assert ledger.read(review_standard.reminder) == ""
    ledger.write(review_standard.take_standard, STANDARD)
    assert "never been reviewed" in ledger.read(review_standard.reminder)
    ledger.write(review_standard.reminded)
    ledger.write(review_standard.take_standard, STRICTER)
    assert ledger.read(review_standard.reminder) == ""
    ledger.clock.move(WEEK)
    assert "never been reviewed" in ledger.read(review_standard.reminder)
    ledger.write(review_standard.review, STRICTER.digest, by=LEAD)
    assert ledger.read(review_standard.reminder) == ""
