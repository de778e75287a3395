"""Inventory, rights, rota and written expectations, as the records tell of them."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from bot.domain.answers import Age, Subject
from bot.domain.prerequisite import Document, Needed, Prerequisite, Standing, documents
from bot.domain.scope import Change, Difference, Heard
from bot.procedures import review_scope
from bot.procedures.check_on_call import review_contacts, take_roster
from bot.procedures.check_prerequisites import prerequisites
from tests.fleets import TTL, in_scope
from tests.reports import LEAD
from tests.rosters import person, roster
from tests.world import Ledger

TODAY = date(2026, 11, 24)
WRITTEN = Document(
    title="document on alerting",
    key="documents.alerting",
    url="https://wiki.example.com/alerting",
    owner="Kim",
    reviewed=date(2026, 6, 1),
)


def ask(ledger: Ledger, needed: Needed, **facts: Any) -> list[tuple[Standing, str]]:
    given = {"tools": {"datadog": "Datadog"}, "has_teams": True, "written": [WRITTEN], "time_to_live": TTL}
    found: list[Prerequisite] = ledger.read(prerequisites, **given | facts)
    assert all(one.mend for one in found if one.standing is not Standing.MET)
    return [(one.standing, f"{one.says} {one.mend}") for one in found if one.needed is needed]


def test_the_inventory_is_in_scope_owned_and_reviewed(ledger: Ledger) -> None:
    [(standing, said)] = ask(ledger, Needed.INVENTORY)
    assert (standing, "socmon scope import" in said) == (Standing.WEAK, True)
    entry = in_scope()
    ledger.write(lambda each: each.add_revision(Change.IMPORTED, Difference(added=(entry,)), by=""))
    unreviewed, unowned = ask(ledger, Needed.INVENTORY)
    assert "never been reviewed" in unreviewed[1]
    assert "1 component has no owner" in unowned[1]
    owned = Difference(changed=((entry, replace(entry, owner="shop")),))
    ledger.write(lambda each: each.add_revision(Change.ADDED, owned, by="U1SAM"))
    ledger.write(review_scope.review, 2, document="sha256:0", by=LEAD)

    assert ask(ledger, Needed.INVENTORY) == [
        (Standing.MET, "1 components, all with an owner, reviewed on 2026-11-24. ")
    ]
    ledger.clock.move(timedelta(days=91).total_seconds())
    [(_, late)] = ask(ledger, Needed.INVENTORY)
    assert "more than 90 days old" in late


def test_what_a_tool_refused_is_named(ledger: Ledger) -> None:
    """A tool that was never asked, one that told everything, one that refused, one that fell silent."""
    assert "docs/providers" in ask(ledger, Needed.RIGHTS, tools={})[0][1]
    assert ask(ledger, Needed.RIGHTS)[0][0] is Standing.WEAK
    now = ledger.clock.now()
    whole = Age(provider="datadog", subject=Subject.METRICS, asked_at=now, whole_at=now)
    ledger.write(lambda records: records.save_answer(whole, b""))
    assert [standing for standing, _ in ask(ledger, Needed.RIGHTS)] == [Standing.MET]
    old = replace(whole, whole_at=now - timedelta(hours=1))
    ledger.write(lambda records: records.save_answer(old, b""))
    [(standing, said)] = ask(ledger, Needed.RIGHTS)
    assert (standing, "too long ago" in said) == (Standing.WEAK, True)
    refused = Heard(source="datadog", asked_at=now, reason="Give the key hosts_read.")
    ledger.write(lambda records: records.save_heard(refused))
    [(standing, said)] = ask(ledger, Needed.RIGHTS)
    assert (standing, "Give the key hosts_read." in said) == (Standing.UNMET, True)


def test_who_is_on_call_is_known_reachable_and_reviewed(ledger: Ledger) -> None:
    assert "No team is configured" in ask(ledger, Needed.ON_CALL, has_teams=False)[0][1]
    assert "does not know yet" in ask(ledger, Needed.ON_CALL)[0][1]
    ledger.write(take_roster, roster(), complete=True)
    assert [standing for standing, _ in ask(ledger, Needed.ON_CALL)] == [Standing.MET, Standing.WEAK]
    ledger.write(review_contacts, 1, made_at=ledger.clock.now(), by=LEAD)
    assert [standing for standing, _ in ask(ledger, Needed.ON_CALL)] == [Standing.MET, Standing.MET]
    ledger.write(take_roster, roster(people=(person(methods=()), person("PKIM"))), complete=True)
    ledger.clock.move(4 * 3600)
    stale, unreachable, _ = ask(ledger, Needed.ON_CALL)
    assert stale[0] is unreachable[0] is Standing.UNMET
    assert "last known 4 h ago" in stale[1]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (
            {"url": ""},
            'Name it under [documents]: alerting = { url = "https://…", owner = "…", reviewed = 2026-11-24 }',
        ),
        ({"reviewed": None}, "has no review date. Read it, and set documents.alerting reviewed"),
        ({"reviewed": date(2025, 11, 23)}, "was last reviewed on 2025-11-23, more than a year ago"),
        ({"reviewed": date(2026, 11, 25)}, "which is yet to come"),
        ({"owner": ""}, "names no owner"),
    ],
)
def test_written_expectations_have_an_owner_and_a_review(changed: dict[str, Any], says: str) -> None:
    [one] = documents([replace(WRITTEN, **changed)], TODAY)

    assert (one.standing, says in f"{one.says} {one.mend}") == (Standing.WEAK, True)
    assert documents([replace(WRITTEN, reviewed=date(2025, 11, 24))], TODAY)[0].standing is Standing.MET
