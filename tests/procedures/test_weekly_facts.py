"""What a week's validation says: what is wrong is found under the same name each week, and so is what is unknown."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.domain.alert import Change as AlertChange
from bot.domain.component import Measure
from bot.domain.scope import Change, Difference
from bot.domain.validation import Period, Section, Verdict
from bot.procedures import weekly_facts
from bot.procedures.receive_alert import receive_alert
from bot.procedures.respond_to_alert import acknowledge, resolve
from tests.fleets import MONITORS, in_scope
from tests.procedures.test_assess_coverage import run
from tests.reports import NOTE, SAM, START, delivery, report
from tests.world import ROUTES, Ledger

WEEK = Period(week="2026-W48", start=START - timedelta(days=1), end=START + timedelta(days=6))


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    made = Ledger(database_url)
    yield made
    made.database.close()


def of_coverage(ledger: Ledger) -> list[Section]:
    every = (weekly_facts.metrics, weekly_facts.rules, weekly_facts.routes)
    return [ledger.read(each, WEEK) for each in every]


def found(*sections: Section) -> list[str]:
    return [each.id for section in sections for each in section.findings]


def test_coverage_is_told_by_what_is_short(ledger: Ledger) -> None:
    """Without a scope nothing is good, an old assessment says nothing; rules that changed are named as such."""
    assert [each.verdict for each in of_coverage(ledger)] == [Verdict.BAD] * 3
    assert found(ledger.read(weekly_facts.scope, WEEK)) == ["scope:none"]
    ledger.write(lambda records: records.add_revision(Change.ADDED, Difference(added=(in_scope(),)), by=""))
    assert found(*of_coverage(ledger)) == ["metrics:unknown", "rules:unknown", "routes:unknown"]
    run(ledger)
    assert [each.verdict for each in of_coverage(ledger)] == [Verdict.GOOD] * 3
    assert found(ledger.read(weekly_facts.scope, WEEK)) == ["scope:review"]

    run(ledger, [each for each in MONITORS if each.measure is not Measure.CPU])

    metrics, rules, routes = of_coverage(ledger)
    assert found(metrics, rules, routes) == ["rules:no-monitor"]
    assert (metrics.verdict, rules.verdict) == (Verdict.GOOD, Verdict.BAD)
    assert rules.says == "1 of 5 short; 1 rules changed, 1 of them to watch less"
    assert rules.facts["short"] == {"no-monitor": 1}
    assert metrics.facts["cells"] == 5
    run(ledger)
    assert ledger.read(weekly_facts.rules, WEEK).verdict is Verdict.WARNING, (
        "it came back; that it was gone is told"
    )
    ledger.clock.move(2 * 3600)
    assert found(*of_coverage(ledger)) == ["metrics:unknown", "rules:unknown", "routes:unknown"]


def test_alerts_are_counted_and_what_is_open_is_found(ledger: Ledger) -> None:
    """Of the week and of those before it; what is newer than the week waits for the next one."""
    assert ledger.read(weekly_facts.responses, WEEK).says == "no alerts"
    for number in range(1, 5):
        ledger.write(receive_alert, delivery(report(f"p{number}")), routes=ROUTES)
    ledger.write(acknowledge, 2, by=SAM)
    ledger.write(resolve, 3, by=SAM, resolution=NOTE)
    ledger.write(receive_alert, delivery(report("p4", AlertChange.RECOVERED)), routes=ROUTES)
    ledger.clock.move(timedelta(days=8).total_seconds())
    ledger.write(receive_alert, delivery(report("p5")), routes=ROUTES)

    section = ledger.read(weekly_facts.responses, WEEK)

    assert section.says == "4 alerts, 1 resolved with a note"
    assert [each.says for each in section.findings] == [
        "Nobody has acknowledged A-1, A-4.",
        "There is no resolution note of A-2 yet.",
    ]
    assert section.facts["by_severity"] == {"SEV3": 4}


def test_who_is_on_call_is_unknown_until_it_is_told(ledger: Ledger) -> None:
    section = ledger.read(weekly_facts.contacts, WEEK)

    assert (section.verdict, found(section)) == (Verdict.BAD, ["contacts:unknown"])
