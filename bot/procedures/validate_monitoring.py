"""Each week a lead attests to frozen facts: what was found, what becomes of it, and by whom; a missed week is a record.

A week's validation opens with the facts as they stand then, and again whenever somebody looks again. An attestation
names the digest of exactly the facts that were shown. Whatever happens, each week since socmon began has a verdict.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.attestation import (
    CHANNEL,
    Attestation,
    Decided,
    Delegation,
    Disposition,
    Overlap,
    Reminder,
    Separation,
    Told,
    is_gone,
    standing,
    undecided,
)
from bot.domain.errors import IllegalAct, NotPermitted, SocmonError, ThinNote, Unfit
from bot.domain.evidence import Actor, Entry, Fact, timestamp
from bot.domain.follow_up import Outcome, finding_of, finding_subject
from bot.domain.person import LEADS, READERS, Person, Role
from bot.domain.slot import Calendar, Rhythm, Slot, preceding, week_of
from bot.domain.validation import (
    Ended,
    Facts,
    Finding,
    Period,
    Section,
    Stands,
    Validation,
    Week,
    freeze,
    stands,
)
from bot.ports import Records
from bot.procedures import follow_up
from bot.procedures.review_dashboards import dashboards
from bot.procedures.review_tests import tests
from bot.procedures.watch_sources import sources
from bot.procedures.weekly_facts import contacts, follow_ups, metrics, responses, routes, rules, scope

SECTIONS: tuple[Callable[[Records, Period], Section], ...] = (
    scope,
    contacts,
    metrics,
    rules,
    routes,
    tests,
    responses,
    dashboards,
    sources,
    follow_ups,
)
"""What the lead is shown, in order."""

SHORTEST_REASON = 10
MOST_LETTERS = 2000
LONGEST_ACCEPTED = timedelta(days=366)
LONGEST_DELEGATED = timedelta(days=92)
TRY_AGAIN = timedelta(minutes=10)
BEFORE_DUE = timedelta(hours=8)
DAY = timedelta(days=1)


class NoValidation(SocmonError):
    """There is nothing to look at for a week."""

    def __init__(self, week: str) -> None:
        super().__init__(
            f"There is no validation of {week} here: it has not opened, or is from before socmon began. `socmon jobs`"
            " lists every week."
        )


class Answered(IllegalAct):
    """Somebody has attested this week already."""

    def __init__(self, done: Attestation) -> None:
        super().__init__(
            f"<@{done.by}> attested {done.week} at {done.at:%Y-%m-%d %H:%M} UTC. Nothing changed: the first attestation"
            " stands."
        )


class Closed(IllegalAct):
    """It is too late: the week is missed."""

    def __init__(self, slot: Slot) -> None:
        super().__init__(
            f"The validation of {slot.week} closed at {slot.closes_at:%Y-%m-%d %H:%M} UTC and is missed. Nothing"
            " changed. What can be put on record still is the reason."
        )


class OldFacts(IllegalAct):
    """The facts are others by now than those that were shown."""

    def __init__(self, week: str) -> None:
        super().__init__(
            f"These are not the newest facts of {week}: somebody has looked again since they were shown. Nothing was"
            " recorded. Read the newest ones, and attest those."
        )


class Undecided(Unfit):
    """Findings wait for a decision. `findings` are their ids."""

    def __init__(self, findings: Sequence[str]) -> None:
        named = ", ".join(findings)
        super().__init__(
            findings[0],
            f"{len(findings)} findings have no decision yet: {named}. Nothing was recorded. Say of each who mends it"
            " until when, or until when it is accepted and why.",
        )
        self.findings = tuple(findings)


class Overlapping(NotPermitted):
    """The policy has others attest what somebody had a hand in."""

    def __init__(self, overlaps: Sequence[Overlap], instead: str) -> None:
        super().__init__(
            f"You can't attest this week: you {', and '.join(overlaps)}, and by `[policy] separation_of_duties`"
            f" somebody else has to. Nothing was recorded. Who may instead: {instead}."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """The owner mends it until then; a follow-up is opened. `note` may be empty."""

    owner: Person
    until: datetime
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept:
    """It stays as it is until then, and why."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A week's validation as somebody sees it. `decided` are the decisions that stand, by finding.

    `facts` are the newest; None for a week that closed while socmon was down.
    """

    record: Validation
    facts: Facts | None
    decided: Mapping[str, Disposition]
    delegations: tuple[Delegation, ...]
    now: datetime

    @property
    def undecided(self) -> list[Finding]:
        findings = self.facts.findings if self.facts else ()
        return [each for each in findings if each.id not in self.decided]

    @property
    def can_be_attested(self) -> bool:
        return self.record.attestation is None and not self.record.slot.is_closed(self.now)


# The rhythm
def take_rhythm(records: Records, rhythm: Rhythm) -> Rhythm:
    """Put down that validations are due by it from now on, if they were not already. The first one is the beginning."""
    known = records.rhythms()
    if known and known[-1].told == rhythm.told:
        return known[-1]
    begun = replace(rhythm, at=records.now)
    stored = replace(begun, number=records.add_rhythm(begun))
    facts: dict[str, Fact] = {
        "before": list(known[-1].told) if known else None,
        "after": list(rhythm.told),
    }
    records.log(_of_system("validation.rhythm_changed", {"rhythm": stored.number}, facts))
    return stored


# Opening and closing, by the clock
def weeks_to_open(records: Records) -> list[str]:
    """Those whose facts are to be frozen now, oldest first. `close_weeks` has accounted for what closed meanwhile.

    Also those that a clock which was ahead has put down before their time.
    """
    now, newest = records.now, records.newest_week()
    recent = records.validations(preceding(preceding(newest)), newest) if newest else []
    again = [one.slot for one in recent if one.is_premature(now)]
    return [slot.week for slot in (*again, *_unaccounted(records)) if not slot.is_closed(now)]


def look(records: Records, week: str) -> Facts:
    """The facts as they stand now; only looks. Raises NoValidation."""
    record = records.validation(week)
    slot = record.slot if record else _slot(records, week)
    if slot is None or slot.opens_at > records.now:
        raise NoValidation(week)
    period = Period(week=week, start=slot.start, end=slot.end)
    return freeze(period, [section(records, period) for section in SECTIONS], records.now)


def open_week(records: Records, facts: Facts) -> Validation:
    """The week is open, with these facts, whose bytes are kept. When it is open already nothing changes."""
    known = records.validation(facts.week)
    if known and not known.is_premature(records.now):
        return known
    slot = known.slot if known else _slot(records, facts.week)
    if slot is None or slot.is_closed(records.now):
        raise NoValidation(facts.week)
    before = known.revision if known else 0
    opened = _frozen(records, Validation(slot=slot, opened_at=records.now, revision=before), facts)
    told = _facts_of(facts) | _times(slot) | {"late": opened.was_opened_late}
    records.log(_of_system("validation.opened", {"week": slot.week}, told))
    return opened


def look_again(records: Records, facts: Facts, *, by: Person) -> Validation:
    """Newer facts, whose bytes are kept, in place of those shown. Raises as `authority`, Answered and Closed."""
    authority(records, by)
    record = _open(records, facts.week)
    if facts.digest == record.digest:
        return record
    again = _frozen(records, record, facts)
    told = _facts_of(facts) | {"revision": again.revision}
    _log(records, "refreshed", by, {"week": facts.week}, facts=told)
    return again


def close_weeks(records: Records) -> list[Validation]:
    """Put down as missed what nobody has attested until it closed, also while socmon was down. Returns those."""
    down = [
        Validation(slot=slot, ended=Ended.DOWN)
        for slot in _unaccounted(records)
        if slot.is_closed(records.now)
    ]
    left = [
        replace(record, ended=Ended.NOBODY)
        for record in records.unanswered_validations()
        if record.slot.is_closed(records.now)
    ]
    missed = [replace(record, missed_at=records.now) for record in (*left, *down)]
    for record in missed:
        records.save_validation(record)
        told: dict[str, Fact] = _times(record.slot) | {"ended": record.ended and record.ended.value}
        records.log(_of_system("validation.missed", {"week": record.week}, told))
    return missed


# What is shown
def shown(records: Records, week: str = "", *, by: Person) -> Shown:
    """The validation of a week, or the oldest one that waits, else the newest. Raises NotPermitted and NoValidation."""
    by.require(READERS, "see the weekly validation")
    waiting = [] if week else records.unanswered_validations()
    record = waiting[0] if waiting else records.validation(week or records.newest_week())
    if record is None:
        raise NoValidation(week or "any week")
    return _shown(records, record)


def list_validations(
    records: Records, start: datetime, end: datetime, *, by: Person | None = None
) -> list[Week]:
    """Every week that has a moment in this time, oldest first, whatever happened. Raises NotPermitted."""
    if by:
        by.require(READERS, "see the weekly validations")
    calendar = _calendar(records)
    slots = list(calendar.between(start, end))
    if not slots:
        return []
    kept = {one.week: one for one in records.validations(slots[0].week, slots[-1].week)}
    return [stands(slot, kept.get(slot.week), began=calendar.began, now=records.now) for slot in slots]


# What people answer
def authority(records: Records, by: Person) -> tuple[str, str]:
    """(in which role they may attest, who delegated it to them). Raises NotPermitted."""
    if not by.roles & LEADS and by.is_member:
        for one in records.delegations():
            if one.user == by.user and one.stands(records.now):
                return "delegate", one.by
    by.require(LEADS, "attest a week, unless the Engineering Lead names you as delegate")
    return by.role, ""


def overlaps(records: Records, slot: Slot, user: str) -> tuple[Overlap, ...]:
    """The hands that somebody had, since the week began, in what its validation is about."""
    found = [each for each, people in records.hands_in(slot.start, records.now).items() if user in people]
    if records.responders(slot.start, slot.end) == {user}:
        found.append(Overlap.RESPONSE)
    return tuple(sorted(found, key=list(Overlap).index))


def attest(
    records: Records,
    week: str,
    *,
    digest: str,
    decisions: Mapping[str, Fix | Accept],
    by: Person,
    separation: Separation,
) -> Attestation:
    """Somebody answers for the facts with this digest; `decisions` are by finding, and may leave out what stands.

    Raises NotPermitted, Overlapping, NoValidation, Answered, Closed, OldFacts, Undecided, and Unfit, whose fields are
    a finding's id and "owner", "until" or "reason", with a space between.
    """
    role, delegated_by = authority(records, by)
    record = _open(records, week)
    facts = records.facts(week)
    if facts is None or facts.digest != digest or record.digest != digest:
        raise OldFacts(week)
    found = [each.id for each in facts.findings]
    before = _standing(records)
    if strange := sorted(decisions.keys() - set(found)):
        raise Unfit(strange[0], f"{strange[0]} is not among the findings of {week}. Nothing was recorded.")
    if waiting := undecided(found, before, decisions):
        raise Undecided(waiting)
    for finding, decision in decisions.items():
        _check(finding, decision, records.now)
    hands = overlaps(records, record.slot, by.user)
    if hands and separation is Separation.ENFORCE:
        raise Overlapping(hands, _instead(records, record.slot, by))
    made = {each: _decide(records, week, each, decisions[each], by) for each in found if each in decisions}
    done = Attestation(
        week=week,
        at=records.now,
        by=by.user,
        role=role,
        revision=facts.revision,
        digest=digest,
        is_late=record.slot.is_late(records.now),
        delegated_by=delegated_by,
        dispositions=tuple((before | made)[each] for each in found),
        overlaps=hands,
    )
    records.save_attestation(done)
    _log(records, "attested", by, {"week": week}, facts=_attested(done), private=_reasons(made.values()))
    return done


def cosign(records: Records, week: str, *, digest: str, by: Person) -> Attestation:
    """Another lead, without a hand in it, stands by an attestation too.

    Raises NotPermitted, NoValidation, OldFacts and IllegalAct.
    """
    by.require(LEADS, "co-sign a week")
    record = records.validation(week)
    if record is None or record.attestation is None:
        raise NoValidation(week)
    done = record.attestation
    if done.digest != digest:
        raise OldFacts(week)
    if done.cosigned_by:
        raise IllegalAct(f"<@{done.cosigned_by}> has co-signed {week} already. Nothing changed.")
    if done.by == by.user:
        raise IllegalAct(f"You attested {week}, so another lead has to co-sign it. Nothing changed.")
    if not done.overlaps:
        raise IllegalAct(f"{week} needs no second signature: no duties overlap. Nothing changed.")
    if hands := overlaps(records, record.slot, by.user):
        raise IllegalAct(
            f"You {', and '.join(hands)}, so your signature would not separate the duties either. Nothing changed."
            " Another lead has to co-sign."
        )
    signed = replace(done, cosigned_by=by.user, cosigned_at=records.now)
    records.save_attestation(signed)
    _log(records, "cosigned", by, {"week": week}, facts={"digest": digest, "attested_by": done.by})
    return signed


def explain(records: Records, week: str, *, reason: str, by: Person) -> Validation:
    """A lead says why nobody attested a week; missed it stays. Raises NotPermitted, ThinNote and IllegalAct."""
    by.require(LEADS, "say why a week was missed")
    _check_reason("reason", reason)
    slot, record = _slot(records, week), records.validation(week)
    calendar = _calendar(records)
    if (
        slot is None
        or stands(slot, record, began=calendar.began, now=records.now).stands is not Stands.MISSED
    ):
        raise IllegalAct(f"{week} was not missed. Nothing changed. `socmon jobs` lists every week.")
    record = record or Validation(slot=slot, ended=Ended.NO_RECORD, missed_at=records.now)
    if record.reason:
        raise IllegalAct(f"<@{record.explained_by}> has said why already. Nothing changed.")
    told = replace(record, reason=reason.strip(), explained_by=by.user, explained_at=records.now)
    records.save_validation(told)
    _log(records, "explained", by, {"week": week}, private={"reason": told.reason})
    return told


def delegate(records: Records, to: Person, *, until: datetime, by: Person) -> Delegation:
    """The lead lets somebody attest until then. Raises NotPermitted and Unfit."""
    by.require(frozenset({Role.LEAD}), "name a delegate")
    if not to.is_member or to.user == by.user:
        raise Unfit("user", "Choose another full member of this workspace. Nothing changed.")
    if not records.now < until <= records.now + LONGEST_DELEGATED:
        raise Unfit("until", "Choose a day that is yet to come, and at most three months away.")
    named = Delegation(user=to.user, by=by.user, at=records.now, until=until)
    named = replace(named, id=records.save_delegation(named))
    facts = {"delegate": to.user, "until": timestamp(until)}
    _log(records, "delegated", by, {"delegation": named.id}, facts=facts)
    return named


def end_delegation(records: Records, delegation_id: int, *, by: Person) -> Delegation:
    """Raises NotPermitted and IllegalAct."""
    by.require(frozenset({Role.LEAD}), "end a delegation")
    named = next((one for one in records.delegations() if one.id == delegation_id), None)
    if named is None or not named.stands(records.now):
        raise IllegalAct("This delegation is over already. Nothing changed.")
    ended = replace(named, ended_at=records.now)
    records.save_delegation(ended)
    _log(records, "delegation_ended", by, {"delegation": named.id}, facts={"delegate": named.user})
    return ended


# Who is told
def remind_tomorrow(records: Records, week: str, *, by: Person) -> Reminder:
    """Whoever may attest is told again on the next day, at the hour when it opened. Raises as `authority`."""
    authority(records, by)
    slot = _open(records, week).slot
    zone = ZoneInfo(slot.zone)
    tomorrow = records.now.astimezone(zone).date() + DAY
    at = datetime.combine(tomorrow, slot.opens_at.astimezone(zone).time(), zone).astimezone(UTC)
    owed = Reminder(week=week, kind=Told.TOMORROW, to=by.user, at=at)
    records.save_reminder(owed)
    _log(records, "postponed", by, {"week": week}, facts={"until": timestamp(at)})
    return owed


def take_reminders(records: Records) -> list[Reminder]:
    """What is to be sent now. It is on its way from now on: what is not heard of again is tried again after a while."""
    oldest = preceding(preceding(preceding(preceding(week_of(records.now.date())))))
    recent = {one.week: one for one in records.validations(oldest, "9999")}
    known = {(one.week, one.kind, one.to): one for one in records.reminders(oldest)}
    delegates = [one.user for one in records.delegations() if one.stands(records.now)]
    for record in recent.values():
        for owed in _wanted(record, delegates, records.now):
            known.setdefault((owed.week, owed.kind, owed.to), owed)
    due = [
        one for one in known.values() if one.week in recent and _is_due(one, recent[one.week], records.now)
    ]
    taken = [replace(one, tried_at=records.now) for one in due]
    for one in taken:
        records.save_reminder(one)
    return taken


def for_message(records: Records, week: str) -> Shown:
    """What a message shows, whoever reads it. Raises NoValidation."""
    record = records.validation(week)
    if record is None:
        raise NoValidation(week)
    return _shown(records, record)


def reminder_sent(records: Records, one: Reminder) -> None:
    """It stands in Slack, or may."""
    records.save_reminder(replace(one, sent_at=records.now))


def _wanted(record: Validation, delegates: Sequence[str], now: datetime) -> Iterator[Reminder]:
    """Of what is due and what is late only the newest; what was to be told before it opened is not told."""

    def owed(kind: Told, at: datetime, *to: str) -> Iterator[Reminder]:
        return (Reminder(week=record.week, kind=kind, to=each, at=at) for each in to)

    due, opened = record.slot.due_at, record.opened_at
    if record.missed_at:
        yield from owed(Told.MISSED, record.missed_at, Role.LEAD)
    elif done := record.attestation:
        if done.waits_for_cosigner:
            yield from owed(
                Told.COSIGN, done.at, Role.BACKUP_LEAD if done.role != Role.BACKUP_LEAD else Role.LEAD
            )
    elif opened:
        yield from owed(Told.OPENED, opened, Role.LEAD, *delegates)
        yield from owed(Told.COPY, opened, CHANNEL)
        times = {Told.DUE: due - BEFORE_DUE, Told.LATE: due - BEFORE_DUE + DAY}
        passed = [kind for kind, at in times.items() if opened < at <= now]
        if passed:
            yield from owed(passed[-1], times[passed[-1]], Role.LEAD, *delegates)
        yield from owed(Told.ESCALATED, max(opened, due - BEFORE_DUE + 3 * DAY), Role.BACKUP_LEAD)


def _is_due(one: Reminder, record: Validation, now: datetime) -> bool:
    if one.sent_at or one.at > now or (one.tried_at and now - one.tried_at < TRY_AGAIN):
        return False
    match one.kind:
        case Told.MISSED:
            return record.missed_at is not None and not record.reason
        case Told.COSIGN:
            return record.attestation is not None and record.attestation.waits_for_cosigner
        case _:
            return record.attestation is None and not record.slot.is_closed(now)


# How it is put down
def _shown(records: Records, record: Validation) -> Shown:
    return Shown(
        record=record,
        facts=records.facts(record.week),
        decided=_standing(records),
        delegations=tuple(one for one in records.delegations() if one.stands(records.now)),
        now=records.now,
    )


def _calendar(records: Records) -> Calendar:
    """Before the first rhythm is on record nothing was ever due."""
    return Calendar(records.rhythms() or [Rhythm(at=records.now)])


def _slot(records: Records, week: str) -> Slot | None:
    """None for a week that is none, or from before socmon began."""
    calendar = _calendar(records)
    try:
        slot = calendar.slot(week)
    except ValueError:
        return None
    return slot if slot.end > calendar.began else None


def _unaccounted(records: Records) -> list[Slot]:
    """What should have opened by now and has no record."""
    return (
        list(_calendar(records).opened(records.now, after=records.newest_week())) if records.rhythms() else []
    )


def _open(records: Records, week: str) -> Validation:
    record = records.validation(week)
    if record is None:
        raise NoValidation(week)
    if record.attestation:
        raise Answered(record.attestation)
    if record.slot.is_closed(records.now):
        raise Closed(record.slot)
    return record


def _frozen(records: Records, record: Validation, facts: Facts) -> Validation:
    """With these facts as its newest; what they do not find any more is over."""
    stored = replace(facts, revision=record.revision + 1)
    records.add_facts(stored)
    after = replace(record, revision=stored.revision, digest=stored.digest)
    records.save_validation(after)
    found = {each.id for each in facts.findings}
    over = [one for one in records.dispositions() if is_gone(one.finding, found)]
    for decided in over:
        records.save_disposition(replace(decided, ended_at=records.now))
        told: dict[str, Fact] = {"finding": decided.finding, "digest": stored.digest}
        records.log(_of_system("validation.finding_gone", {"disposition": decided.id}, told))
    for one in records.open_follow_ups():
        finding = finding_of(one.subject)
        if finding and is_gone(finding, found):
            told = {"week": record.week, "revision": stored.revision}
            follow_up.close(records, one, Outcome.MENDED, proof=stored.digest, facts=told)
    return after


def _standing(records: Records) -> dict[str, Disposition]:
    return standing(records.dispositions(), records.now)


def _decide(records: Records, week: str, finding: str, decision: Fix | Accept, by: Person) -> Disposition:
    is_fix = isinstance(decision, Fix)
    made = Disposition(
        finding=finding,
        decided=Decided.FIX if is_fix else Decided.ACCEPT,
        until=decision.until,
        reason=(decision.note if isinstance(decision, Fix) else decision.reason).strip(),
        by=by.user,
        at=records.now,
        week=week,
        owner=decision.owner.user if isinstance(decision, Fix) else "",
    )
    subject = finding_subject(finding)
    if isinstance(decision, Fix):
        follow_up.open_about(
            records, subject, owner=decision.owner, due_at=decision.until, note=made.reason, by=by
        )
    elif (open_one := records.latest_follow_up(subject)) and open_one.is_open:
        told = {"week": week, "accepted_by": by.user, "until": timestamp(decision.until)}
        follow_up.close(records, open_one, Outcome.ACCEPTED, proof=week, facts=told)
    return replace(made, id=records.save_disposition(made))


def _check(finding: str, decision: Fix | Accept, now: datetime) -> None:
    if not now < decision.until <= now + LONGEST_ACCEPTED:
        raise Unfit(f"{finding} until", "Choose a day that is yet to come, and at most a year away.")
    if isinstance(decision, Fix):
        if not decision.owner.roles & follow_up.GIVERS:
            raise Unfit(
                f"{finding} owner",
                "They could not mend it here: they have none of the roles that may. Choose a responder.",
            )
        if len(decision.note) > MOST_LETTERS:
            raise Unfit(f"{finding} reason", f"At most {MOST_LETTERS:,} characters fit. Shorten it, or link.")
    else:
        _check_reason(f"{finding} reason", decision.reason)


def _check_reason(field: str, reason: str) -> None:
    if len(reason.strip()) < SHORTEST_REASON:
        raise ThinNote(
            field, f"Write at least {SHORTEST_REASON} characters: an auditor has to understand it later."
        )
    if len(reason) > MOST_LETTERS:
        raise Unfit(field, f"At most {MOST_LETTERS:,} characters fit. Shorten it, or link.")


def _instead(records: Records, slot: Slot, by: Person) -> str:
    """Those who may attest and have no hand in it, as mentions or as the configuration names them."""
    named = [each for role, holders in by.holders if role in LEADS for each in holders]
    named += [f"<@{one.user}>" for one in records.delegations() if one.stands(records.now)]
    free = [
        each
        for each in dict.fromkeys(named)
        if each != f"<@{by.user}>" and not overlaps(records, slot, each.strip("<@>"))
    ]
    return ", ".join(free) or (
        "nobody yet. The Engineering Lead can name a delegate, or an admin a backup lead under [roles]"
    )


def _attested(done: Attestation) -> dict[str, Fact]:
    return {
        "digest": done.digest,
        "revision": done.revision,
        "late": done.is_late,
        "as": done.role,
        "delegated_by": done.delegated_by,
        "overlaps": [each.value for each in done.overlaps],
        "exceptions": [
            {
                "finding": each.finding,
                "decided": each.decided.value,
                "until": timestamp(each.until),
                "owner": each.owner,
                "disposition": each.id,
                "week": each.week,
            }
            for each in done.dispositions
        ],
    }


def _reasons(made: Iterable[Disposition]) -> dict[str, str]:
    return {f"reason:{each.finding}": each.reason for each in made if each.reason}


def _facts_of(facts: Facts) -> dict[str, Fact]:
    return {
        "digest": facts.digest,
        "at": timestamp(facts.at),
        "verdicts": {one.name: one.verdict.value for one in facts.sections},
        "findings": [each.id for each in facts.findings],
    }


def _times(slot: Slot) -> dict[str, Fact]:
    return {
        "start": timestamp(slot.start),
        "end": timestamp(slot.end),
        "opens": timestamp(slot.opens_at),
        "due": timestamp(slot.due_at),
        "closes": timestamp(slot.closes_at),
        "zone": slot.zone,
    }


def _log(
    records: Records,
    what: str,
    by: Person,
    subject: Mapping[str, str | int],
    *,
    facts: Mapping[str, Fact] | None = None,
    private: Mapping[str, str] | None = None,
) -> None:
    actor = Actor(kind="slack", team=by.team, user=by.user, role=by.role)
    kind = f"validation.{what}"
    records.log(Entry(type=kind, actor=actor, subject=subject, facts=facts or {}, private=private or {}))


def _of_system(kind: str, subject: Mapping[str, str | int], facts: Mapping[str, Fact]) -> Entry:
    return Entry(type=kind, actor=Actor(kind="system"), subject=subject, facts=facts)
