"""The weekly record: what is refused, what stands, who may, and who is told; on both databases."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.attestation import Decided, Disposition, Overlap, Separation, is_gone, standing, undecided
from bot.domain.component import Component, Identity, Kind
from bot.domain.errors import IllegalAct, NotPermitted, ThinNote, Unfit
from bot.domain.follow_up import Outcome, finding_subject
from bot.domain.person import Person, Role
from bot.domain.scope import Change, Difference, ExclusionRequest
from bot.domain.slot import Rhythm
from bot.domain.standard_version import Version
from bot.domain.validation import Ended, Finding, Period, Section, Stands, Verdict
from bot.procedures import follow_up
from bot.procedures import validate_monitoring as validate
from bot.procedures.receive_alert import receive_alert
from bot.procedures.respond_to_alert import resolve
from bot.procedures.validate_monitoring import Accept, Answered, Closed, Fix, OldFacts, Overlapping, Undecided
from tests.procedures.test_assess_coverage import leaves
from tests.reports import KIM, LEAD, NOTE, SAM, START, delivery, report
from tests.world import ROUTES, Ledger, open_database

HOLDERS = ((Role.LEAD, ("<@U1LEAD>",)), (Role.BACKUP_LEAD, ("<@U1BACKUP>",)))
BACKUP = Person(team="T1", user="U1BACKUP", roles=frozenset({Role.BACKUP_LEAD}), holders=HOLDERS)
BOSS = replace(LEAD, holders=HOLDERS)
DAY = timedelta(days=1)
WEEK = "2026-W48"  # START is a Tuesday in it; it opens on Monday the 30th, at nine
FOUND = ("metrics:silent", "routes:nobody")


class Fleet:
    """What the facts are made of, for a test to change."""

    def __init__(self) -> None:
        self.findings: tuple[str, ...] = FOUND

    def section(self, _records: Any, _period: Period) -> Section:
        found = tuple(Finding(id=each, says="It is so.", mend="Mend it.") for each in self.findings)
        return Section(name="fleet", verdict=Verdict.BAD, says="as it is", findings=found)


@pytest.fixture(autouse=True)
def fleet(monkeypatch: pytest.MonkeyPatch) -> Fleet:
    made = Fleet()
    monkeypatch.setattr(validate, "SECTIONS", (made.section,))
    return made


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    made = Ledger(database_url)
    made.write(validate.take_rhythm, Rhythm())
    yield made
    made.database.close()


def pass_time(ledger: Ledger, length: timedelta) -> None:
    """What the clock does meanwhile is done at its end."""
    ledger.clock.move(length.total_seconds())
    ledger.write(validate.close_weeks)
    for week in ledger.read(validate.weeks_to_open):
        ledger.write(validate.open_week, ledger.read(validate.look, week))


def accepted(ledger: Ledger, *findings: str, days: int = 30) -> dict[str, Accept]:
    until = ledger.clock.now() + days * DAY
    return {each: Accept(until=until, reason="It is known, and replaced soon") for each in findings}


def attest(
    ledger: Ledger,
    decisions: dict[str, Any] | None = None,
    *,
    week: str = WEEK,
    by: Person = BOSS,
    digest: str = "",
    separation: Separation = Separation.WARN,
) -> Any:
    shown = ledger.read(validate.shown, week, by=by if by.roles else BOSS)
    made = accepted(ledger, *(each.id for each in shown.undecided)) if decisions is None else decisions
    digest = digest or shown.record.digest
    given = {"digest": digest, "decisions": made, "by": by, "separation": separation}
    return ledger.write(validate.attest, week, **given)


def verdicts(ledger: Ledger) -> list[str]:
    now = ledger.clock.now()
    listed = ledger.read(validate.list_validations, START, now)
    return [f"{each.slot.week} {each.says}" for each in listed]


def test_it_is_signed_once_for_exactly_what_was_shown(ledger: Ledger, fleet: Fleet) -> None:
    """Each finding has its word; what is mended has an owner who hears of it, and ends when it is seen to be gone."""
    pass_time(ledger, 7 * DAY)
    old = ledger.read(validate.shown, by=BOSS).record.digest
    with pytest.raises(Undecided, match="2 findings have no decision yet: metrics:silent, routes:nobody"):
        attest(ledger, {})
    fleet.findings = (*FOUND, "rules:too-weak")
    ledger.write(validate.look_again, ledger.read(validate.look, WEEK), by=BOSS)
    with pytest.raises(OldFacts, match="not the newest facts"):
        attest(ledger, digest=old)
    fix = Fix(owner=SAM, until=ledger.clock.now() + 3 * DAY, note="The agent is old")
    with pytest.raises(Unfit, match="not among the findings"):
        attest(ledger, accepted(ledger, *FOUND, "rules:too-weak", "made:up"))
    with pytest.raises(ThinNote, match="at least 10"):
        attest(ledger, accepted(ledger, *FOUND) | {"rules:too-weak": Accept(until=fix.until, reason="why")})

    done = attest(ledger, accepted(ledger, *FOUND) | {"rules:too-weak": fix})

    with pytest.raises(Answered, match="<@U1LEAD> attested 2026-W48 at 2026-12-01"):
        attest(ledger, by=BACKUP)
    assert (done.by, done.role, done.is_late, done.revision) == ("U1LEAD", "engineering_lead", False, 2)
    assert [(each.finding, each.decided) for each in done.dispositions] == [
        ("metrics:silent", Decided.ACCEPT),
        ("routes:nobody", Decided.ACCEPT),
        ("rules:too-weak", Decided.FIX),
    ]
    [task] = ledger.read(lambda records: records.open_follow_ups())
    assert (task.subject, task.owner, task.note) == ("finding:rules:too-weak", "U1SAM", "The agent is old")
    [leaf] = leaves(ledger, "validation.attested")
    assert leaf["facts"]["digest"] == done.digest
    assert set(leaf["commit"]) == {"reason:metrics:silent", "reason:routes:nobody", "reason:rules:too-weak"}
    assert verdicts(ledger) == [
        "2026-W48 attested with exceptions, opened late",
        "2026-W49 not yet due",
    ]
    fleet.findings = ("metrics:silent", "routes:unknown")
    pass_time(ledger, 7 * DAY)
    closed = ledger.read(lambda records: records.latest_follow_up(finding_subject("rules:too-weak")))
    newest = leaves(ledger, "validation.opened")[-1]["facts"]["digest"]
    assert (closed.outcome, closed.proof) == (Outcome.MENDED, newest)
    waiting = ledger.read(validate.shown, "2026-W49", by=BOSS)
    assert [each.id for each in waiting.undecided] == ["routes:unknown"], "what was accepted stands"
    assert "routes:nobody" in waiting.decided, "nobody can tell whether it is gone"
    assert "rules:too-weak" not in waiting.decided


def test_what_was_accepted_comes_back_when_its_time_is_over(ledger: Ledger, fleet: Fleet) -> None:
    pass_time(ledger, 7 * DAY)
    attest(ledger, accepted(ledger, "metrics:silent", days=8) | accepted(ledger, "routes:nobody", days=6))
    pass_time(ledger, 7 * DAY)

    shown = ledger.read(validate.shown, "2026-W49", by=BOSS)

    assert [each.id for each in shown.undecided] == ["routes:nobody"]
    done = attest(ledger, accepted(ledger, "routes:nobody"), week="2026-W49")
    assert [each.week for each in done.dispositions] == ["2026-W48", "2026-W49"]
    fleet.findings = ()
    pass_time(ledger, 7 * DAY)
    assert not attest(ledger, {}, week="2026-W50").has_exceptions
    assert verdicts(ledger)[2] == "2026-W50 attested, opened late"


def test_who_may_attest(ledger: Ledger) -> None:
    """The lead, the backup, and whom the lead names until a day; a delegate's name stands with the lead's."""
    pass_time(ledger, 7 * DAY)
    with pytest.raises(NotPermitted, match="can't attest a week"):
        attest(ledger, by=KIM)
    with pytest.raises(NotPermitted, match="can't name a delegate"):
        ledger.write(validate.delegate, KIM, until=ledger.clock.now() + DAY, by=BACKUP)
    for whom, days in ((BOSS, 5), (replace(KIM, is_member=False), 5), (KIM, 0), (KIM, 100)):
        with pytest.raises(Unfit):
            ledger.write(validate.delegate, whom, until=ledger.clock.now() + days * DAY, by=BOSS)
    named = ledger.write(validate.delegate, KIM, until=ledger.clock.now() + 5 * DAY, by=BOSS)
    with pytest.raises(NotPermitted):
        attest(ledger, by=replace(KIM, is_member=False))

    done = attest(ledger, by=KIM)

    assert (done.by, done.role, done.delegated_by) == ("U1KIM", "delegate", "U1LEAD")
    pass_time(ledger, 7 * DAY)
    with pytest.raises(NotPermitted):
        attest(ledger, week="2026-W49", by=KIM)
    with pytest.raises(IllegalAct, match="over already"):
        ledger.write(validate.end_delegation, named.id, by=BOSS)
    again = ledger.write(validate.delegate, KIM, until=ledger.clock.now() + 5 * DAY, by=BOSS)
    ledger.write(validate.end_delegation, again.id, by=BOSS)
    with pytest.raises(NotPermitted):
        attest(ledger, week="2026-W49", by=KIM)


def test_a_week_that_nobody_answers_is_missed_and_explained(ledger: Ledger) -> None:
    """Late it can be attested; closed it cannot. Why stands on record, and changes nothing."""
    pass_time(ledger, 12 * DAY)
    assert verdicts(ledger)[0] == "2026-W48 overdue, opened late, due 2026-12-04 17:00 UTC"
    pass_time(ledger, 9 * DAY)
    with pytest.raises(Closed, match="closed at 2026-12-14 09:00 UTC and is missed"):
        attest(ledger)
    assert verdicts(ledger)[:2] == [
        "2026-W48 missed: nobody attested; reason asked for",
        "2026-W49 overdue, opened late, due 2026-12-11 17:00 UTC",
    ]
    assert attest(ledger, week="2026-W49").is_late
    with pytest.raises(NotPermitted):
        ledger.write(validate.explain, WEEK, reason="It was forgotten", by=KIM)
    with pytest.raises(ThinNote):
        ledger.write(validate.explain, WEEK, reason="oh", by=BOSS)
    ledger.write(validate.explain, WEEK, reason="Everybody was ill", by=BOSS)
    with pytest.raises(IllegalAct, match="has said why already"):
        ledger.write(validate.explain, WEEK, reason="It was forgotten", by=BACKUP)
    with pytest.raises(IllegalAct, match="was not missed"):
        ledger.write(validate.explain, "2026-W49", reason="It was forgotten", by=BOSS)
    assert verdicts(ledger)[0] == "2026-W48 missed: nobody attested; Everybody was ill"


def test_weeks_that_passed_while_socmon_was_down_are_missed_too(ledger: Ledger) -> None:
    """What can still be attested opens late, what has closed is missed; every week is listed, by a lost row too."""
    pass_time(ledger, 28 * DAY)

    assert [line.partition(",")[0] for line in verdicts(ledger)] == [
        "2026-W48 missed: socmon was down; reason asked for",
        "2026-W49 missed: socmon was down; reason asked for",
        "2026-W50 overdue",
        "2026-W51 open",
        "2026-W52 not yet due",
    ]
    records = ledger.read(lambda records: records.validations(WEEK, "2026-W51"))
    assert [one.ended for one in records] == [Ended.DOWN, Ended.DOWN, None, None]
    with ledger.database.writing.begin() as connection:
        connection.exec_driver_sql("DELETE FROM validation WHERE week = '2026-W49'")
    assert verdicts(ledger)[1] == "2026-W49 missed: there is no record of it; reason asked for"
    before = ledger.read(validate.list_validations, START - 21 * DAY, START)
    assert [each.stands for each in before] == [*[Stands.BEFORE] * 3, Stands.MISSED]


def test_a_clock_that_was_ahead_costs_no_week(ledger: Ledger) -> None:
    """What it put down as missed or open before its time opens when it is due; no later week is left out."""
    pass_time(ledger, 7 * DAY)
    before = ledger.clock.at
    pass_time(ledger, 400 * DAY)
    ledger.clock.at = before
    pass_time(ledger, timedelta(hours=1))
    attest(ledger)
    for _ in range(2):
        pass_time(ledger, 7 * DAY)

    assert ledger.read(validate.weeks_to_open) == []
    attest(ledger, week="2026-W49")
    assert [line.partition(",")[0] for line in verdicts(ledger)] == [
        "2026-W48 attested with exceptions",
        "2026-W49 attested with exceptions",
        "2026-W50 open",
        "2026-W51 not yet due",
    ]


def test_people_are_told_in_time_and_once(ledger: Ledger) -> None:
    """The lead and the channel at once, the lead when due and late, the backup after that; what is over, nobody."""

    def told() -> list[str]:
        taken = ledger.write(validate.take_reminders)
        for each in taken:
            ledger.write(validate.reminder_sent, each)
        return [f"{each.kind} {each.to}" for each in taken]

    pass_time(ledger, 6 * DAY + timedelta(hours=6, minutes=5))
    assert told() == ["opened engineering_lead", "copy channel"]
    assert told() == []
    later = ledger.write(validate.remind_tomorrow, WEEK, by=BOSS)
    assert f"{later.at:%A %H:%M}" == "Tuesday 09:00"
    pass_time(ledger, DAY)
    assert told() == ["tomorrow U1LEAD"]
    ledger.clock.move((3 * DAY).total_seconds())
    assert told() == ["due engineering_lead"]
    ledger.clock.move(DAY.total_seconds())
    untold = ledger.write(validate.take_reminders)
    assert [str(each.kind) for each in untold] == ["late"]
    assert ledger.write(validate.take_reminders) == [], "it is on its way"
    ledger.clock.move(700)
    assert told() == ["late engineering_lead"], "it never arrived"
    pass_time(ledger, 2 * DAY)
    assert told() == ["escalated backup_lead", "opened engineering_lead", "copy channel"]
    attest(ledger)
    attest(ledger, week="2026-W49")
    ledger.clock.move((6 * DAY).total_seconds())
    assert told() == [], "both are answered"


# Separation of duties


def change_scope(ledger: Ledger, user: str) -> None:
    ledger.write(lambda records: records.add_revision(Change.ADDED, Difference(), by=user))


def review_standard(ledger: Ledger, user: str) -> None:
    version = Version(at=START, document=b"{}", reviewed_at=ledger.clock.now(), reviewed_by=user)
    ledger.write(lambda records: records.add_standard_version(version))


def respond(ledger: Ledger, user: str) -> None:
    receipt = ledger.write(receive_alert, delivery(report(f"cpu/{user}")), routes=ROUTES)
    [(_, alert_id, _)] = receipt.alerts
    by = replace(LEAD, user=user)
    ledger.write(resolve, alert_id, resolution=NOTE, by=by)


def approve_exclusion(ledger: Ledger, user: str) -> None:
    request = ExclusionRequest(
        id=0,
        component=Component(kind=Kind.HOST, name="web-1", identities=frozenset({Identity("host", "web-1")})),
        reason="It is replaced soon",
        until=START + 90 * DAY,
        requested_by="U1SAM",
        at=START,
        decided_by=user,
        decided_at=ledger.clock.now(),
        approved=True,
    )
    ledger.write(lambda records: records.save_exclusion_request(request))
    ledger.write(lambda records: records.add_revision(Change.EXCLUDED, Difference(), by=user))


HANDS = {
    Overlap.SCOPE: change_scope,
    Overlap.EXCLUSION: approve_exclusion,
    Overlap.STANDARD: review_standard,
    Overlap.RESPONSE: respond,
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("separation", Separation)
@pytest.mark.parametrize("hands", [each for size in (0, 1, 4) for each in combinations(HANDS, size)], ids=str)
def test_who_had_a_hand_in_it_is_named_or_refused(
    ledger: Ledger, fleet: Fleet, hands: tuple[Overlap, ...], separation: Separation
) -> None:
    """Warned: it stands, is listed, and another lead signs too. Enforced: refused, with who may instead."""
    fleet.findings = ()
    for each in hands:
        HANDS[each](ledger, "U1LEAD")
    pass_time(ledger, 7 * DAY)
    if hands and separation is Separation.ENFORCE:
        with pytest.raises(Overlapping, match="Who may instead: <@U1BACKUP>") as refused:
            attest(ledger, separation=separation)
        assert all(each in str(refused.value) for each in hands)
        assert not attest(ledger, by=BACKUP, separation=separation).has_exceptions
        return

    done = attest(ledger, separation=separation)

    assert done.overlaps == tuple(sorted(hands, key=list(Overlap).index))
    assert done.has_exceptions == bool(hands)
    kinds = [(str(each.kind), str(each.to)) for each in ledger.write(validate.take_reminders)]
    assert kinds == ([("cosign", "backup_lead")] if hands else [])
    with pytest.raises(IllegalAct, match="another lead has to co-sign"):
        ledger.write(validate.cosign, WEEK, digest=done.digest, by=BOSS)
    if not hands:
        with pytest.raises(IllegalAct, match="needs no second signature"):
            ledger.write(validate.cosign, WEEK, digest=done.digest, by=BACKUP)
        return
    with pytest.raises(NotPermitted):
        ledger.write(validate.cosign, WEEK, digest=done.digest, by=KIM)
    signed = ledger.write(validate.cosign, WEEK, digest=done.digest, by=BACKUP)
    assert (signed.cosigned_by, signed.waits_for_cosigner) == ("U1BACKUP", False)
    with pytest.raises(IllegalAct, match="has co-signed"):
        ledger.write(validate.cosign, WEEK, digest=done.digest, by=BACKUP)


def test_two_who_responded_separate_the_duties(ledger: Ledger) -> None:
    respond(ledger, "U1LEAD")
    respond(ledger, "U1SAM")
    pass_time(ledger, 7 * DAY)

    assert attest(ledger).overlaps == ()


async def test_of_two_at_once_one_attests(database_url: str, ledger: Ledger) -> None:
    pass_time(ledger, 7 * DAY)
    digest = ledger.read(validate.shown, by=BOSS).record.digest
    decisions = accepted(ledger, *FOUND)
    opened = [open_database(database_url, ledger.clock) for _ in range(1 if "sqlite" in database_url else 2)]
    given: dict[str, Any] = {"digest": digest, "decisions": decisions, "separation": Separation.WARN}

    came = await asyncio.gather(
        *(
            opened[n % len(opened)].write(validate.attest, WEEK, by=by, **given)
            for n, by in enumerate([BOSS, BACKUP])
        ),
        return_exceptions=True,
    )

    assert sorted(type(each).__name__ for each in came) == ["Answered", "Attestation"]
    assert len(leaves(ledger, "validation.attested")) == 1
    for each in opened:
        each.close()


def test_a_gap_is_reported_by_hand_and_confirmed_by_evidence(ledger: Ledger) -> None:
    """Any reader may; its owner alone cannot say that it is done."""
    due = ledger.clock.now() + 3 * DAY
    says = "The queue has no alarm on its age"
    with pytest.raises(NotPermitted):
        ledger.write(
            follow_up.report, WEEK, says=says, owner=SAM, due_at=due, by=replace(KIM, roles=frozenset())
        )
    first, second = (
        ledger.write(follow_up.report, WEEK, says=says, owner=SAM, due_at=due, by=KIM) for _ in range(2)
    )
    assert (first.subject, second.subject) == ("reported:2026-W48:1", "reported:2026-W48:2")
    with pytest.raises(NotPermitted, match="close what somebody else reported"):
        ledger.write(follow_up.confirm, first.id, proof="It is there now", by=SAM)
    with pytest.raises(ThinNote):
        ledger.write(follow_up.confirm, first.id, proof="done", by=KIM)
    closed = ledger.write(follow_up.confirm, first.id, proof="https://tool.example/alarms/7", by=KIM)
    assert (closed.outcome, closed.proof) == (Outcome.MENDED, "https://tool.example/alarms/7")
    with pytest.raises(IllegalAct, match="no open report"):
        ledger.write(follow_up.confirm, first.id, proof="https://tool.example/alarms/7", by=KIM)


# Findings and decisions

ids = st.sampled_from(["a:x", "a:y", "a:unknown", "b:x", "b:unknown"])
made = st.builds(
    Disposition,
    id=st.integers(1, 9),
    finding=ids,
    decided=st.sampled_from(Decided),
    until=st.integers(-3, 3).map(lambda days: START + days * DAY),
    reason=st.just("r"),
    by=st.just("U1"),
    at=st.integers(-9, -4).map(lambda days: START + days * DAY),
    week=st.just(WEEK),
    ended_at=st.none() | st.just(START - DAY),
)


@given(st.lists(ids, unique=True), st.lists(made), st.sets(ids))
def test_no_finding_is_left_without_a_word(
    findings: list[str], known: list[Disposition], decided: set[str]
) -> None:
    """It has one now, or one that stands: its newest, until a time yet to come."""
    stands = standing(known, START)
    waiting = undecided(findings, stands, decided)

    for finding in findings:
        about = sorted((each for each in known if each.finding == finding), key=lambda one: (one.at, one.id))
        has_a_word = finding in decided or (
            bool(about) and about[-1].until > START and not about[-1].ended_at
        )
        assert (finding in waiting) != has_a_word


@given(ids, st.sets(ids))
def test_of_what_nobody_can_tell_nothing_is_gone(finding: str, findings: set[str]) -> None:
    told = is_gone(finding, findings)

    assert told == (finding not in findings and f"{finding[0]}:unknown" not in findings)
