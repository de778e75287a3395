"""When the review of the written standard is due, and what changed from one version to the next."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.domain.component import Kind, Measure
from bot.domain.monitor import Comparator
from bot.domain.standard import Standard, in_words
from bot.domain.standard_version import Version, changes, due, review_due
from tests.fleets import STANDARD, rule

TODAY = date(2026, 11, 24)
KEPT = replace(STANDARD, owner="Kim", approved_by="Ana")
STRICT = replace(KEPT, rules={Kind.HOST: {Measure.CPU: (rule(Comparator.ABOVE, 70),)}})


def version(standard: Standard = KEPT, *, reviewed_days_ago: int | None = None) -> Version:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    if reviewed_days_ago is None:
        return Version(at=at, document=standard.document)
    reviewed_at = at - timedelta(days=reviewed_days_ago)
    return Version(at=at, document=standard.document, reviewed_at=reviewed_at, reviewed_by="U1LEAD")


def dated(standard: Standard, days_ago: int) -> Version:
    return version(replace(standard, reviewed=TODAY - timedelta(days=days_ago)))


@pytest.mark.parametrize(
    ("versions", "says"),
    [
        ([version()], "has never been reviewed"),
        ([version(reviewed_days_ago=365)], ""),
        ([version(reviewed_days_ago=366)], "last reviewed on 2025-11-23, more than a year ago"),
        (
            [version(STRICT), version(reviewed_days_ago=3)],
            "has changed since it was last reviewed, on 2026-11-21",
        ),
        ([version(), version(STRICT), version(reviewed_days_ago=3)], ""),
        ([dated(KEPT, 3)], ""),
        ([dated(KEPT, 400)], "more than a year ago"),
        ([dated(KEPT, -2)], "has never been reviewed"),
        ([dated(STRICT, 3), dated(KEPT, 3)], "has changed since it was last reviewed"),
        ([dated(STRICT, 3), dated(KEPT, 300)], ""),
        ([version(reviewed_days_ago=2), dated(KEPT, 400)], ""),
    ],
    ids=[
        "never",
        "a year ago",
        "over a year ago",
        "changed since",
        "changed, and put back to what was reviewed",
        "by the file's word",
        "by the file's word, long ago",
        "by the file's word, on a day to come",
        "changed, and the date in the file was not",
        "changed, and the date in the file as well",
        "in socmon, which is newer than the file's word",
    ],
)
def test_a_review_is_of_one_version_and_lasts_a_year(versions: list[Version], says: str) -> None:
    """The newest version comes first."""
    said = review_due(versions, TODAY)

    assert (says in said) if says else said == ""


def test_an_owner_and_an_approval_are_missed_as_well() -> None:
    owner, approval, review = due([version(STANDARD)], TODAY)

    assert ("no owner" in owner, "Nobody has approved" in approval, "/socmon standard review" in review) == (
        True,
    ) * 3


def test_a_change_is_told_old_to_new() -> None:
    assert changes(None, STRICT.document) == []
    assert changes(
        KEPT.document, replace(KEPT, rules={**KEPT.rules, **STRICT.rules}, owner="Max").document
    ) == [
        "host cpu: > 85% for 5 min → > 70% for 5 min",
        "host disk: > 85% for 5 min → none",
        "host memory: > 90% for 5 min or < 1000000000 bytes for 5 min → none",
        "host uptime: an alert when no data arrives for 5 min → none",
        "owner: Kim → Max",
    ]


@pytest.mark.parametrize(
    ("measure", "comparator", "threshold", "words"),
    [
        (Measure.MEMORY, Comparator.BELOW, 2**28, "< 256 MiB for 5 min"),
        (Measure.DISK, Comparator.AT_MOST, 10 * 2**30, "<= 10 GiB for 5 min"),
        (Measure.DISK, Comparator.BELOW, 1500, "< 1500 bytes for 5 min"),
        (Measure.LATENCY, Comparator.ABOVE, 2, "> 2 s for 5 min"),
        (Measure.ERRORS, Comparator.AT_LEAST, 5, ">= 5 for 5 min"),
        (Measure.UPTIME, Comparator.ABSENT, None, "an alert when no data arrives for 5 min"),
    ],
)
def test_a_rule_is_told_exactly_and_with_its_unit(
    measure: Measure, comparator: Comparator, threshold: int | None, words: str
) -> None:
    assert in_words(measure, rule(comparator, threshold)) == words
    assert in_words(measure, replace(rule(comparator, threshold), no_data=True)) == f"{words} and on no data"
