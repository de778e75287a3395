"""Somebody is asked to mend a gap until a day, and told so until it is mended. Only evidence closes it.

That is an assessment, or a week's facts without it. Of what was reported by hand, whoever reported it or a lead says
what shows that it is mended. Whoever owns it may change, and when it is due.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from bot.domain.component import Measure
from bot.domain.coverage import Interval
from bot.domain.errors import IllegalAct, ThinNote, Unfit
from bot.domain.evidence import Actor, Entry, Fact, timestamp
from bot.domain.follow_up import (
    FollowUp,
    Outcome,
    finding_of,
    gap_of,
    gap_subject,
    is_report,
    report_subject,
)
from bot.domain.person import LEADS, READERS, RESPONDERS, Person, Role
from bot.ports import Records

GIVERS = RESPONDERS | {Role.ADMIN}
LONGEST = timedelta(days=366)
MOST_LETTERS = 2000
SHORTEST = 10


class NoGap(IllegalAct):
    """There is nothing to mend there now."""

    def __init__(self, component: str, measure: Measure) -> None:
        super().__init__(
            f"{measure} of {component} is no gap on record now: it is covered by now, not in scope any more, or came"
            " into scope after the newest assessment. Nothing changed. `/socmon coverage gaps` lists what is open."
        )


def gap_to_mend(
    records: Records, component: str, measure: Measure, *, by: Person
) -> tuple[Interval, FollowUp | None]:
    """What is wrong there, and the follow-up that is open about it. Raises NotPermitted and NoGap."""
    by.require(GIVERS, "open tasks")
    gap = next((each for each in records.open_intervals(key=component) if each.measure is measure), None)
    if gap is None:
        raise NoGap(component, measure)
    latest = records.latest_follow_up(gap_subject(component, measure))
    return gap, latest if latest and latest.is_open else None


def assign(
    records: Records,
    component: str,
    measure: Measure,
    *,
    owner: Person,
    due_at: datetime,
    note: str,
    by: Person,
) -> FollowUp:
    """Open a follow-up about a gap, or change the one that is open. Raises NotPermitted, NoGap and Unfit."""
    gap_to_mend(records, component, measure, by=by)
    subject = gap_subject(component, measure)
    return open_about(records, subject, owner=owner, due_at=due_at, note=note, by=by)


def open_about(
    records: Records, subject: str, *, owner: Person, due_at: datetime, note: str, by: Person
) -> FollowUp:
    """Open a follow-up about what was found, or change the one that is open. Raises Unfit."""
    _check(owner, due_at, note, records.now)
    latest = records.latest_follow_up(subject)
    known = latest if latest and latest.is_open else None
    told_at = records.now if owner.user == by.user else None
    if known is None:
        asked = FollowUp(
            subject=subject,
            owner=owner.user,
            due_at=due_at,
            note=note,
            opened_by=by.user,
            opened_at=records.now,
            told_at=told_at,
        )
    else:
        same = (known.owner, known.due_at, known.note) == (owner.user, due_at, note)
        asked = replace(known, owner=owner.user, due_at=due_at, note=note, told_at=told_at)
        if same:
            return known
    asked = replace(asked, id=records.save_follow_up(asked))
    facts = {"owner": asked.owner, "due": timestamp(asked.due_at)}
    actor = Actor(kind="slack", team=by.team, user=by.user, role=by.role)
    _log(records, "changed" if known else "opened", asked, actor, facts=facts, note=note)
    return asked


def close(
    records: Records, one: FollowUp, outcome: Outcome, *, proof: str, facts: Mapping[str, Fact]
) -> None:
    """`proof` names the evidence, `facts` tell of it."""
    records.save_follow_up(replace(one, closed_at=records.now, outcome=outcome, proof=proof))
    told: dict[str, Fact] = {"owner": one.owner, "outcome": outcome.value, "proof": proof, **facts}
    _log(records, "closed", one, Actor(kind="system"), facts=told)


def report(
    records: Records, week: str, *, says: str, owner: Person, due_at: datetime, by: Person
) -> FollowUp:
    """Somebody who reads a week's validation has found a gap by themselves. Raises NotPermitted, ThinNote and Unfit."""
    by.require(READERS, "report a gap")
    if len(says.strip()) < SHORTEST:
        raise ThinNote("note", f"Write at least {SHORTEST} characters: somebody else has to find it by them.")
    numbers = (report_subject(week, number) for number in count(1))
    subject = next(each for each in numbers if records.latest_follow_up(each) is None)
    return open_about(records, subject, owner=owner, due_at=due_at, note=says.strip(), by=by)


def confirm(records: Records, follow_up_id: int, *, proof: str, by: Person) -> FollowUp:
    """What was reported by hand is mended, as `proof` shows: whoever reported it says so, or a lead.

    Raises IllegalAct, NotPermitted and ThinNote.
    """
    known = next((one for one in records.open_follow_ups() if one.id == follow_up_id), None)
    if known is None or not is_report(known.subject):
        raise IllegalAct(
            f"F-{follow_up_id} is no open report. Nothing changed. What socmon found itself closes when it finds it"
            " mended."
        )
    if known.opened_by != by.user:
        by.require(LEADS, "close what somebody else reported")
    if len(proof.strip()) < SHORTEST:
        raise ThinNote(
            "proof", f"Write at least {SHORTEST} characters: what shows that it is mended? A link is best."
        )
    closed = replace(known, closed_at=records.now, outcome=Outcome.MENDED, proof=proof.strip())
    records.save_follow_up(closed)
    actor = Actor(kind="slack", team=by.team, user=by.user, role=by.role)
    facts: dict[str, Fact] = {"owner": closed.owner, "outcome": Outcome.MENDED.value}
    subject: dict[str, str | int] = {"follow_up": closed.id}
    private = {"proof": closed.proof}
    records.log(Entry(type="follow_up.closed", actor=actor, subject=subject, facts=facts, private=private))
    return closed


def to_tell(records: Records, zone: ZoneInfo) -> dict[str, list[FollowUp]]:
    """Owner → all that is open for them, of those who are to be told something now."""
    every = records.open_follow_ups()
    owners = {one.owner for one in every if one.is_to_tell(records.now, zone)}
    return {owner: [one for one in every if one.owner == owner] for owner in sorted(owners)}


def told(records: Records, these: Collection[FollowUp]) -> None:
    """Their owner has been told. What was changed meanwhile is told again."""
    for one in these:
        now = records.latest_follow_up(one.subject)
        if now == one:
            records.save_follow_up(replace(one, told_at=records.now))


def _check(owner: Person, due_at: datetime, note: str, now: datetime) -> None:
    if not owner.roles & GIVERS:
        raise Unfit(
            "owner", "They could not mend it here: they have none of the roles that may. Choose a responder."
        )
    if not now < due_at <= now + LONGEST:
        raise Unfit("due", "Choose today or a day that is yet to come, and at most a year away.")
    if len(note) > MOST_LETTERS:
        raise Unfit(
            "note", f"This has {len(note)} characters; {MOST_LETTERS} are the most. Shorten it, or link."
        )


def _log(
    records: Records,
    what: str,
    one: FollowUp,
    actor: Actor,
    *,
    facts: Mapping[str, Fact],
    note: str = "",
) -> None:
    subject: dict[str, str | int] = {"follow_up": one.id}
    if place := gap_of(one.subject):
        subject |= {"component": place[0], "measure": place[1].value}
    elif finding := finding_of(one.subject):
        subject |= {"finding": finding}
    private = {"note": note} if note else {}
    records.log(Entry(type=f"follow_up.{what}", actor=actor, subject=subject, facts=facts, private=private))
