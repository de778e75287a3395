"""A person sends themselves a test message, and says that they received it. It is no alert, and proves no route."""

from collections.abc import Mapping
from dataclasses import replace

from bot.domain.evidence import Actor, Entry, Fact
from bot.domain.person import READERS, Person
from bot.domain.self_test import BETWEEN, AlreadyConfirmed, JustTested, SelfTest, UnknownSelfTest
from bot.ports import Records


def ask_for_self_test(records: Records, *, by: Person) -> SelfTest:
    """On record before anything is sent, so that two clicks send one message. Raises NotPermitted and JustTested."""
    by.require(READERS, "send yourself a test")
    last = records.last_self_test(by.user)
    if last and records.now - last.asked_at < BETWEEN:
        raise JustTested
    test = records.new_self_test(by.user)
    _log(records, "selftest.asked", test, _actor(by))
    return test


def self_test_sent(records: Records, test: SelfTest) -> SelfTest:
    """Slack has taken the message. The click may have been faster than this word of it."""
    known = records.self_test(test.id, user=test.user) or test
    sent = replace(known, sent_at=records.now)
    records.save_self_test(sent)
    _log(records, "selftest.sent", sent, Actor(kind="system"), {"user": test.user})
    return sent


def self_test_not_sent(records: Records, test: SelfTest, *, why: str) -> None:
    """It did not arrive, or nobody knows. `why` is Slack's word for it."""
    _log(records, "selftest.not_sent", test, Actor(kind="system"), {"user": test.user, "why": why})


def confirm_self_test(records: Records, test_id: int, *, by: Person) -> SelfTest:
    """They have it. Raises NotPermitted, UnknownSelfTest and AlreadyConfirmed."""
    by.require(READERS, "confirm a test")
    test = records.self_test(test_id, user=by.user)
    if test is None:
        raise UnknownSelfTest
    if test.confirmed_at:
        raise AlreadyConfirmed
    confirmed = replace(test, confirmed_at=records.now)
    records.save_self_test(confirmed)
    took = confirmed.took
    seconds = max(0, int(took.total_seconds())) if took else 0
    _log(records, "selftest.confirmed", confirmed, _actor(by), {"seconds": seconds})
    return confirmed


def _log(
    records: Records, kind: str, test: SelfTest, actor: Actor, facts: Mapping[str, Fact] | None = None
) -> None:
    records.log(Entry(type=kind, actor=actor, subject={"self_test": test.id}, facts=facts or {}))


def _actor(by: Person) -> Actor:
    return Actor(kind="slack", team=by.team, user=by.user, role=by.role)
