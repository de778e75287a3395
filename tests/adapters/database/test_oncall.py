"""Rosters and linked accounts on both databases."""

from datetime import timedelta

import pytest

from bot.domain.errors import UnknownRoster
from bot.domain.oncall import AccountLink
from tests.rosters import NOW, roster, shift, team
from tests.world import Ledger


def test_rosters_are_kept_as_they_were(database_url: str) -> None:
    """Each with when it was first and last seen so, and who reviewed it; a later one changes none before."""
    ledger = Ledger(database_url)
    first, second = roster(), roster(team(shift("PKIM")))
    one = ledger.write(lambda records: records.add_roster(first, checked_at=records.now))
    ledger.clock.move(600)
    ledger.write(lambda records: records.save_roster_check(one.id, records.now))
    ledger.write(lambda records: records.save_roster_review(one.id, by="U1LEAD"))
    two = ledger.write(lambda records: records.add_roster(second, checked_at=records.now))

    stored = ledger.read(lambda records: records.roster(one.id))
    assert (stored.roster, stored.digest, stored.at) == (first, first.digest, one.at)
    assert stored.checked_at - stored.at == timedelta(seconds=601)
    assert (stored.reviewed_by, stored.reviewed_at - stored.at) == ("U1LEAD", timedelta(seconds=602))
    assert ledger.read(lambda records: records.latest_roster()) == two
    assert ledger.read(lambda records: records.roster_at(two.at)) == two
    assert ledger.read(lambda records: records.roster_at(two.at - timedelta(microseconds=1))).id == one.id
    assert ledger.read(lambda records: records.roster_at(one.at - timedelta(seconds=1))) is None
    assert ledger.read(lambda records: records.last_review()).id == one.id
    with pytest.raises(UnknownRoster, match="roster 9"):
        ledger.read(lambda records: records.roster(9))
    ledger.database.close()


def test_the_newest_link_of_an_account_counts(database_url: str) -> None:
    ledger = Ledger(database_url)
    links = [
        AccountLink(provider="pagerduty", account=account, slack_user=user, linked_by="U1LEAD", at=NOW)
        for account, user in (("PSAM", "U1SAM"), ("PKIM", "U2KIM"), ("PSAM", "U3ANA"))
    ]
    for link in links:
        ledger.write(lambda records, link=link: records.link_account(link))

    assert ledger.read(lambda records: records.account_links()) == [links[1], links[2]]
    ledger.database.close()
