"""A self-test is on record from the click to the confirmation, and is no alert."""

import json
from typing import Any

import pytest

from bot.domain.errors import NotPermitted
from bot.domain.person import Person
from bot.domain.self_test import AlreadyConfirmed, JustTested, SelfTest, UnknownSelfTest
from bot.procedures import self_testing
from tests.reports import KIM, SAM
from tests.world import Ledger


def entries(ledger: Ledger) -> list[tuple[str, str, dict[str, Any]]]:
    with ledger.database.reading.connect() as connection:
        rows = connection.exec_driver_sql('SELECT type, "by", leaf, alert_id FROM leaf ORDER BY seq').all()
    assert all(row.alert_id is None for row in rows)
    return [(row.type, row.by, json.loads(row.leaf).get("facts", {})) for row in rows]


def ask(ledger: Ledger, by: Person = SAM) -> SelfTest:
    test: SelfTest = ledger.write(self_testing.ask_for_self_test, by=by)
    return test


def last(ledger: Ledger) -> SelfTest:
    found: SelfTest = ledger.read(lambda records: records.last_self_test("U1SAM"))
    return found


def test_who_asked_what_was_sent_and_when_it_was_received(database_url: str) -> None:
    ledger = Ledger(database_url)
    test = ask(ledger)
    ledger.write(self_testing.self_test_sent, test)
    ledger.clock.move(11)
    confirmed = ledger.write(self_testing.confirm_self_test, test.id, by=SAM)

    assert last(ledger) == confirmed
    assert confirmed.took.total_seconds() == 12
    assert entries(ledger) == [
        ("selftest.asked", "U1SAM", {}),
        ("selftest.sent", "socmon", {"user": "U1SAM"}),
        ("selftest.confirmed", "U1SAM", {"seconds": 12}),
    ]
    assert ledger.read(lambda records: records.find_alerts()) == []
    ledger.database.close()


def test_a_second_one_within_a_minute_is_refused_kindly(ledger: Ledger) -> None:
    """Each person for themselves."""
    ask(ledger)
    ask(ledger, KIM)
    with pytest.raises(JustTested, match="no second one was sent"):
        ask(ledger)
    ledger.clock.move(60)

    assert ask(ledger).id == 3


def test_the_first_confirmation_stands_and_is_the_persons_own(ledger: Ledger) -> None:
    test = ask(ledger)
    with pytest.raises(UnknownSelfTest):
        ledger.write(self_testing.confirm_self_test, test.id, by=KIM)
    with pytest.raises(UnknownSelfTest):
        ledger.write(self_testing.confirm_self_test, 99, by=SAM)
    ledger.write(self_testing.confirm_self_test, test.id, by=SAM)
    with pytest.raises(AlreadyConfirmed):
        ledger.write(self_testing.confirm_self_test, test.id, by=SAM)

    assert [kind for kind, _, _ in entries(ledger)] == ["selftest.asked", "selftest.confirmed"]


def test_a_click_that_was_faster_than_slacks_answer_stays(ledger: Ledger) -> None:
    test = ask(ledger)
    ledger.write(self_testing.confirm_self_test, test.id, by=SAM)
    sent = ledger.write(self_testing.self_test_sent, test)

    assert last(ledger).confirmed_at is not None
    assert sent.confirmed_at < sent.sent_at


def test_one_that_did_not_go_out_is_on_record_too(ledger: Ledger) -> None:
    ledger.write(self_testing.self_test_not_sent, ask(ledger), why="user_disabled")

    assert entries(ledger)[-1] == ("selftest.not_sent", "socmon", {"user": "U1SAM", "why": "user_disabled"})
    assert last(ledger).sent_at is None


def test_a_stranger_sends_nothing(ledger: Ledger) -> None:
    with pytest.raises(NotPermitted):
        ask(ledger, Person(team="T1", user="U1OUT", roles=frozenset()))
