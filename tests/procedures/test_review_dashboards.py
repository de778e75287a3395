"""Dashboards from the choice to the review: every picture and every failure is on record, and so is who looked."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.dashboard import Capture, Dashboard, Review, Rules, Trouble, Uncaptured
from bot.domain.errors import NotPermitted
from bot.domain.follow_up import Outcome
from bot.domain.validation import Period, Section, Verdict
from bot.procedures import review_dashboards as boards
from bot.procedures.review_dashboards import ByConfiguration, NotChosen, NothingToReview, TooMany
from tests.fleets import in_scope
from tests.procedures.test_assess_coverage import leaves
from tests.reports import KIM, LEAD, SAM
from tests.world import Ledger

RULES = Rules(name_like="prod", stale_after=timedelta(minutes=15), window=timedelta(hours=3))
PICTURE = f"sha256:{'ab' * 32}"


def board(name: str = "prod-overview", provider: str = "datadog") -> Dashboard:
    return Dashboard(provider=provider, id=name, title=name, account="organisation 1")


def keep(ledger: Ledger, one: Dashboard, **facts: object) -> Capture:
    now = ledger.clock.now()
    made = Capture(dashboard=one, at=now, start=now - RULES.window, end=now, picture=PICTURE, size=9)
    kept: Capture = ledger.write(boards.keep_capture, replace(made, **facts))  # type: ignore[arg-type]
    return kept


def refuse(ledger: Ledger, one: Dashboard, trouble: Trouble = Trouble.LOGIN) -> Capture:
    why = Uncaptured(trouble, "A login page came.", "Check the credentials.")
    made = boards.refused(one, why, RULES, at=ledger.clock.now())
    kept: Capture = ledger.write(boards.keep_capture, made)
    return kept


def section(ledger: Ledger) -> Section:
    now = ledger.clock.now()
    period = Period(week="2026-W48", start=now - timedelta(days=1), end=now)
    found: Section = ledger.read(boards.dashboards, period)
    return found


def test_from_the_choice_to_the_review(database_url: str) -> None:
    """A refused picture is a gap until one is kept; nothing is good before a person has looked."""
    ledger = Ledger(database_url)
    assert section(ledger).findings[0].id == "dashboards:none"
    ledger.write(boards.choose, board(), by=LEAD)
    ledger.write(boards.choose, board(), by=LEAD)
    assert [each.id for each in section(ledger).findings] == ["dashboards:missing"]

    refused = refuse(ledger, board())
    broken = section(ledger)
    assert ledger.read(boards.to_show) == [], "there is nothing to look at"
    with pytest.raises(NothingToReview):
        ledger.write(boards.review, refused.id, by=SAM)
    kept = keep(ledger, board(), components=("web-1",), newest_at=ledger.clock.now())
    waits = section(ledger)
    assert ledger.read(boards.to_show) == [kept]
    ledger.write(boards.shown, kept.id)
    assert ledger.read(boards.to_show) == []
    assert [one.id for one in ledger.read(boards.waiting, by=SAM)] == [kept.id]
    done = ledger.write(boards.review, kept.id, by=SAM)
    good = section(ledger)
    with pytest.raises(NothingToReview, match="reviewed this picture already"):
        ledger.write(boards.review, kept.id, by=KIM)

    assert (broken.verdict, [each.id for each in broken.findings]) == (Verdict.BAD, ["dashboards:refused"])
    assert "prod-overview: A login page came." in broken.findings[0].says
    assert (waits.verdict, [each.id for each in waits.findings]) == (
        Verdict.WARNING,
        ["dashboards:unreviewed"],
    )
    assert (good.verdict, good.findings, good.says) == (Verdict.GOOD, (), "1 of 1 captured, 1 reviewed")
    assert good.facts["pictures"] == [PICTURE]
    assert (done.reviewed_by, done.review) == (SAM.user, Review.NOTHING_UNUSUAL)
    kinds = ("chosen", "refused", "captured", "reviewed")
    entries = leaves(ledger, *(f"dashboard.{kind}" for kind in kinds))
    assert [each["type"].removeprefix("dashboard.") for each in entries] == list(kinds)
    assert entries[1]["facts"]["trouble"] == "login page"
    assert entries[2]["facts"]["picture"] == entries[3]["facts"]["picture"] == PICTURE
    assert entries[3]["actor"] == {"kind": "slack", "team": "T1", "user": SAM.user, "role": "responders"}
    ledger.database.close()


def test_a_good_picture_stays_good_when_a_later_one_fails(ledger: Ledger) -> None:
    """And an old one proves nothing of this week."""
    ledger.write(boards.choose, board(), by=LEAD)
    kept = keep(ledger, board())
    ledger.write(boards.review, kept.id, by=SAM)
    refuse(ledger, board())
    assert section(ledger).verdict is Verdict.GOOD
    ledger.clock.move(2 * 24 * 3600)
    assert [each.id for each in section(ledger).findings] == ["dashboards:missing"]


def test_a_follow_up_closes_by_a_later_review(ledger: Ledger) -> None:
    ledger.write(boards.choose, board(), by=LEAD)
    first = keep(ledger, board())
    due = ledger.clock.now() + timedelta(days=7)
    given = {"owner": KIM, "due_at": due, "note": "CPU of db-1 climbs", "by": SAM}
    done, task = ledger.write(boards.follow_up_on, first.id, **given)
    with pytest.raises(NothingToReview):
        ledger.write(boards.follow_up_on, first.id, **given)
    assert (done.review, task.subject, task.owner) == (
        Review.FOLLOW_UP,
        "dashboard:datadog:prod-overview",
        KIM.user,
    )

    second = keep(ledger, board())
    ledger.write(boards.review, second.id, by=KIM)

    closed = ledger.read(lambda records: records.latest_follow_up(task.subject))
    assert (closed.outcome, closed.proof) == (Outcome.MENDED, second.picture)


def test_who_may_and_how_many(ledger: Ledger) -> None:
    with pytest.raises(NotPermitted):
        ledger.write(boards.choose, board(), by=SAM)
    for number in range(20):
        ledger.write(boards.choose, board(f"prod-{number}"), by=LEAD)
    with pytest.raises(TooMany):
        ledger.write(boards.choose, board("prod-20"), by=LEAD)
    ledger.write(boards.leave_out, "datadog:prod-0", by=LEAD)
    with pytest.raises(NotChosen):
        ledger.write(boards.leave_out, "datadog:prod-0", by=LEAD)
    keep(ledger, board("prod-0"))
    assert ledger.read(boards.to_show) == [], "it is not looked at any more"


def test_pages_of_the_configuration(ledger: Ledger) -> None:
    """They are chosen by it and by nobody else."""
    page = board("https://status.example.com/", "page")
    ledger.write(boards.take_pages, [page])
    ledger.write(boards.take_pages, [page])
    with pytest.raises(ByConfiguration):
        ledger.write(boards.leave_out, page.key, by=LEAD)
    ledger.write(boards.choose, board(), by=LEAD)
    ledger.write(boards.take_pages, [])
    chosen = ledger.read(lambda records: records.chosen_dashboards())
    assert [one.dashboard.id for one in chosen] == ["prod-overview"]
    assert len(leaves(ledger, "dashboard.chosen", "dashboard.left_out")) == 3


def test_what_is_in_scope_is_recognised_by_any_of_its_names() -> None:
    entries = [in_scope("web-1"), in_scope("db-1"), in_scope("cache-1")]
    assert boards.seen_components(entries, {"WEB-1", "db-1", "somebody-elses"}) == ("db-1", "web-1")
