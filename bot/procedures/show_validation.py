"""The messages about a week stand in Slack once each, and follow what becomes of it; and what they show, in full."""

from dataclasses import replace

from bot.domain.attestation import Delegation, Reminder
from bot.domain.person import READERS, Person
from bot.domain.slot import preceding, week_of
from bot.domain.validation import Facts, Section
from bot.domain.validation_copy import Copy, state_of
from bot.ports import Records
from bot.procedures.validate_monitoring import NoValidation, Shown, authority, for_message

FOLLOWED = 10
"""How many weeks back a message still changes."""


def on_its_way(records: Records, why: Reminder, channel: str) -> tuple[Copy, bool]:
    """Before a message is posted: what is known of it, and whether it was on its way before, so that it may stand."""
    known = [
        one for one in records.validation_copies(why.week) if (one.week, one.kind) == (why.week, why.kind)
    ]
    for one in known:
        if one.channel == channel:
            return one, True
    begun = Copy(week=why.week, kind=why.kind, channel=channel, at=records.now)
    records.save_validation_copy(begun)
    return begun, False


def it_shows(records: Records, one: Copy, ts: str, shown: Shown) -> None:
    """It stands there, and shows this."""
    records.save_validation_copy(replace(one, ts=ts, shown=state_of(shown.record)))


def behind(records: Records) -> list[tuple[Copy, Shown]]:
    """The messages that show what is over, with what they have to show."""
    oldest = week_of(records.now.date())
    for _ in range(FOLLOWED):
        oldest = preceding(oldest)
    standing = [one for one in records.validation_copies(oldest) if one.ts]
    states = {one.week: state_of(one) for one in records.validations(oldest, "9999")} if standing else {}
    return [
        (one, for_message(records, one.week))
        for one in standing
        if one.shown != states.get(one.week, one.shown)
    ]


def to_attest(records: Records, week: str, *, by: Person) -> Shown:
    """What somebody is about to attest. Raises NotPermitted and NoValidation."""
    authority(records, by)
    return for_message(records, week)


def delegates(records: Records, *, by: Person) -> list[Delegation]:
    """Who may attest for the lead now. Raises NotPermitted."""
    by.require(READERS, "see who attests for the lead")
    return [one for one in records.delegations() if one.stands(records.now)]


def in_full(records: Records, week: str, revision: int, name: str, *, by: Person) -> tuple[Facts, Section]:
    """A section of the facts as they were shown. Raises NotPermitted and NoValidation."""
    if not by.roles & READERS:
        authority(records, by)
    facts = records.facts(week, revision)
    found = next((each for each in facts.sections if each.name == name), None) if facts else None
    if facts is None or found is None:
        raise NoValidation(week)
    return facts, found
