"""The alert's life under every interleaving of people, sources and retries that hypothesis can think of.

A model that knows only design.md's promises watches the real procedures over a real database.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.domain.alert import Alert, Cause, Change, NoAction, Reported, Resolution, Response, Severity, Source
from bot.domain.delivery import Delivery, Outcome, Result
from bot.domain.errors import IllegalAct, NotPermitted, ThinNote, Unfit
from bot.domain.escalation import Policy
from bot.domain.person import Person, Role
from bot.procedures import respond_to_alert
from bot.procedures.escalate_alert import Reach, escalate_alert
from bot.procedures.receive_alert import receive_alert
from tests.world import ROUTES, Ledger

SAM = Person(team="T1", user="U1SAM", roles=frozenset({Role.RESPONDER}))
KIM = Person(team="T1", user="U1KIM", roles=frozenset({Role.RESPONDER}))
LEAD = Person(team="T1", user="U1LEAD", roles=frozenset({Role.LEAD}))
OUTSIDER = Person(team="T1", user="U1OUT", roles=frozenset())
PEOPLE = [SAM, KIM, LEAD, OUTSIDER]
NOTE = Resolution(
    found="A runaway query held the lock", done="Killed the query, added a limit", cause=Cause.CAPACITY
)
THIN = replace(NOTE, done="fixed")
REACH = Reach(leads=("U1LEAD",), routes=ROUTES)
POLICY = Policy(quiet=None)
MILD = NoAction(severities=frozenset({Severity.SEV3, Severity.SEV4}), longest=timedelta(days=1))
START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


class AlertLife(RuleBasedStateMachine):
    """One problem of one provider, and everybody who pulls at it."""

    @initialize()
    def begin(self) -> None:
        self.ledger = Ledger.shared()
        self.key = self.ledger.fresh_key()
        self.sent: list[Delivery] = []
        self.owner: dict[int, str | None] = {}
        self.acknowledged: dict[int, str | None] = {}
        self.resolved: dict[int, str] = {}
        self.accepted = 0

    # The source
    @rule(
        change=st.sampled_from([Change.TRIGGERED, Change.RECOVERED, Change.NO_DATA]),
        occurrence=st.sampled_from([None, "e1", "e2", "e3"]),
        minute=st.integers(0, 30),
        severity=st.sampled_from(list(Severity)),
    )
    def source_speaks(self, change: Change, occurrence: str | None, minute: int, severity: Severity) -> None:
        reported = Reported(
            change=change,
            dedup_key=self.key,
            occurrence=occurrence,
            occurred_at=START + timedelta(minutes=minute),
            title="CPU high",
            severity=severity,
        )
        delivery = Delivery(
            provider="generic",
            delivery_id=f"{self.key}-{len(self.sent)}",
            received_at=START,
            verified_by="test",
            body=b"{}",
            alerts=(reported,),
        )
        self.sent.append(delivery)
        before = self._latest()
        receipt = self.ledger.write(receive_alert, delivery, routes=ROUTES)

        assert receipt.result is Result.ACCEPTED
        outcome, alert_id, _ = receipt.alerts[0]
        assert alert_id is not None
        if outcome is Outcome.NEW:
            assert before is None or not before.is_open
            self.owner[alert_id] = self.acknowledged[alert_id] = None
        else:
            assert before is not None
            assert before.id == alert_id

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def source_sends_again(self, data: Any) -> None:
        delivery = data.draw(st.sampled_from(self.sent))
        before = self._latest()

        assert self.ledger.write(receive_alert, delivery, routes=ROUTES).result is Result.DUPLICATE
        assert before == self._latest()

    # People
    @precondition(lambda self: self.owner)
    @rule(person=st.sampled_from(PEOPLE), data=st.data())
    def acknowledge(self, person: Person, data: Any) -> None:
        alert_id = data.draw(st.sampled_from(sorted(self.owner)))
        if self._try(respond_to_alert.acknowledge, alert_id, by=person):
            assert self.acknowledged[alert_id] is None, "the first acknowledgement stands"
            self.owner[alert_id] = self.acknowledged[alert_id] = person.user

    @precondition(lambda self: self.owner)
    @rule(person=st.sampled_from(PEOPLE), minutes=st.sampled_from([30, 60, 60 * 24 * 30]), data=st.data())
    def snooze(self, person: Person, minutes: int, data: Any) -> None:
        alert_id = data.draw(st.sampled_from(sorted(self.owner)))
        if self._try(respond_to_alert.snooze, alert_id, by=person, minutes=minutes):
            assert minutes < 60 * 24 * 30
            if self.acknowledged[alert_id] is None:
                self.owner[alert_id] = self.acknowledged[alert_id] = person.user

    @precondition(lambda self: self.owner)
    @rule(person=st.sampled_from(PEOPLE), data=st.data())
    def wake(self, person: Person, data: Any) -> None:
        self._try(respond_to_alert.wake, data.draw(st.sampled_from(sorted(self.owner))), by=person)

    @precondition(lambda self: self.owner)
    @rule(person=st.sampled_from(PEOPLE), data=st.data())
    def release(self, person: Person, data: Any) -> None:
        alert_id = data.draw(st.sampled_from(sorted(self.owner)))
        if self._try(respond_to_alert.release, alert_id, by=person):
            assert self.owner[alert_id] == person.user or person is LEAD
            self.owner[alert_id] = self.acknowledged[alert_id] = None

    @precondition(lambda self: self.owner)
    @rule(person=st.sampled_from(PEOPLE), to=st.sampled_from(PEOPLE), data=st.data())
    def reassign(self, person: Person, to: Person, data: Any) -> None:
        alert_id = data.draw(st.sampled_from(sorted(self.owner)))
        before = self._alert(alert_id)
        if handed := self._try(respond_to_alert.reassign, alert_id, by=person, to=to):
            assert to is not OUTSIDER, "only those who may respond get alerts"
            assert handed.version == before.version + 1
            assert handed.response is before.response, "whoever gets it still has to acknowledge it"
            self.owner[alert_id] = to.user

    @precondition(lambda self: self.owner)
    @rule(person=st.sampled_from(PEOPLE), data=st.data())
    def take_over(self, person: Person, data: Any) -> None:
        alert_id = data.draw(st.sampled_from(sorted(self.owner)))
        if self._try(respond_to_alert.take_over, alert_id, by=person):
            assert self.acknowledged[alert_id] is not None
            assert self.owner[alert_id] not in {None, person.user}
            self.owner[alert_id] = person.user

    @precondition(lambda self: self.owner)
    @rule(person=st.sampled_from(PEOPLE), data=st.data())
    def escalate(self, person: Person, data: Any) -> None:
        alert_id = data.draw(st.sampled_from(sorted(self.owner)))
        before = self._alert(alert_id)
        if self._try(respond_to_alert.escalate_now, alert_id, by=person, reach=REACH):
            assert before == self._alert(alert_id), "to call somebody changes nothing but the timeline"
            called = self._moments(alert_id)[-1].facts["called"].split()
            assert called
            assert not {person.user, self.owner[alert_id]} & set(called), "they know"

    @precondition(lambda self: self.owner)
    @rule(person=st.sampled_from(PEOPLE), data=st.data())
    def close_without_action(self, person: Person, data: Any) -> None:
        alert_id = data.draw(st.sampled_from(sorted(self.owner)))
        before = self._alert(alert_id)
        if self._try(respond_to_alert.resolve_without_action, alert_id, by=person, policy=MILD):
            assert before.note_needed
            assert before.severity in MILD.severities
            self.resolved[alert_id] = person.user

    # The clock
    @precondition(lambda self: self.owner)
    @rule(minutes=st.sampled_from([1, 6, 11, 40, 60 * 26]), data=st.data())
    def time_passes(self, minutes: int, data: Any) -> None:
        alert_id = data.draw(st.sampled_from(sorted(self.owner)))
        self.ledger.clock.move(60 * minutes)
        self.ledger.write(respond_to_alert.wake_due_alerts)
        before, told = self._alert(alert_id), len(self._moments(alert_id))
        taken = self.ledger.write(escalate_alert, alert_id, policy=POLICY, reach=REACH)
        assert before == self._alert(alert_id), "the clock calls people, and decides nothing"
        assert len(self._moments(alert_id)) == told + taken
        if before.response is Response.ACKNOWLEDGED and not before.note_needed:
            assert taken == 0, "nobody is called for what somebody works on"

    @precondition(lambda self: self.owner)
    @rule(person=st.sampled_from(PEOPLE), data=st.data())
    def note(self, person: Person, data: Any) -> None:
        alert_id = data.draw(st.sampled_from(sorted(self.owner)))
        before = self._alert(alert_id)
        if self._try(
            respond_to_alert.add_note, alert_id, by=person, text="The disk filled up with old dumps"
        ):
            assert before == self._alert(alert_id), "a note changes nothing but the timeline"

    @precondition(lambda self: self.owner)
    @rule(person=st.sampled_from(PEOPLE), note=st.sampled_from([NOTE, THIN]), data=st.data())
    def resolve(self, person: Person, note: Resolution, data: Any) -> None:
        alert_id = data.draw(st.sampled_from(sorted(self.owner)))
        if self._try(respond_to_alert.resolve, alert_id, by=person, resolution=note):
            assert note is NOTE, "nobody closes an alert without saying why"
            assert alert_id not in self.resolved
            self.resolved[alert_id] = person.user

    @precondition(lambda self: self.owner)
    @rule(person=st.sampled_from(PEOPLE), data=st.data())
    def amend(self, person: Person, data: Any) -> None:
        alert_id = data.draw(st.sampled_from(sorted(self.owner)))
        if self._try(respond_to_alert.amend, alert_id, by=person, resolution=replace(NOTE, security=True)):
            assert alert_id in self.resolved

    @precondition(lambda self: self.owner)
    @rule(person=st.sampled_from(PEOPLE), data=st.data())
    def reopen(self, person: Person, data: Any) -> None:
        alert_id = data.draw(st.sampled_from(sorted(self.owner)))
        new = self._try(respond_to_alert.reopen, alert_id, by=person, reason="It came back after an hour")
        if new:
            assert alert_id in self.resolved
            assert new.previous_id == alert_id
            self.owner[new.id] = self.acknowledged[new.id] = None

    # What must hold at every moment
    @invariant()
    def promises(self) -> None:
        if not hasattr(self, "owner"):
            return
        alerts = [self._alert(alert_id) for alert_id in sorted(self.owner)]
        still_open = [alert for alert in alerts if alert.is_open]
        assert len(still_open) <= 1, "a problem has at most one open alert"
        assert all(alert.id == alerts[-1].id for alert in still_open), "only the newest can be open"
        for alert in alerts:
            assert (alert.response is Response.RESOLVED) == (alert.id in self.resolved), (
                "never reopened, never bypassed"
            )
            assert (alert.resolution is not None) == (alert.id in self.resolved)
            assert alert.owner == self.owner[alert.id]
            assert alert.acknowledged_by == self.acknowledged[alert.id]
            assert (alert.acknowledged_at is None) == (alert.acknowledged_by is None)
            if alert.is_open:
                is_acknowledged = alert.response is Response.ACKNOWLEDGED
                assert is_acknowledged == (alert.acknowledged_by is not None)
                assert is_acknowledged or alert.snoozed_until is None
            self._check_calls(alert)
            assert alert.note_needed == (alert.source is Source.RECOVERED and alert.is_open)
            self.ledger.check_history(alert)

    def _try(self, procedure: Any, alert_id: int, *, by: Person, **arguments: Any) -> Any:
        """Run an act; a refusal changes nothing and is always explained."""
        before = self._alert(alert_id)
        try:
            after: Alert = self.ledger.write(procedure, alert_id, by=by, **arguments)
        except (IllegalAct, NotPermitted, ThinNote, Unfit) as refusal:
            return self._explained(refusal, before)
        assert by is not OUTSIDER
        if after.id == alert_id and (after.response, after.owner) == (before.response, before.owner):
            assert after.version == before.version, "only response and owner make a click stale"
        return after

    def _explained(self, refusal: Exception, before: Alert) -> None:
        """A refusal says why, and changes nothing."""
        assert len(str(refusal)) > 20
        assert before == self._alert(before.id)

    def _check_calls(self, alert: Alert) -> None:
        """Between two releases each step of a phase is taken once."""
        taken: set[tuple[object, object]] = set()
        for moment in self._moments(alert.id):
            if moment.kind == "released":
                taken = {step for step in taken if step[0] != "unacknowledged"}
            if moment.kind in {"reminded", "escalated"} and moment.by == "socmon":
                step = (moment.facts["phase"], moment.facts["step"])
                assert step not in taken
                taken.add(step)

    def _moments(self, alert_id: int) -> Any:
        return self.ledger.read(lambda records: records.timeline(alert_id))

    def _alert(self, alert_id: int) -> Alert:
        found: Alert = self.ledger.read(lambda records: records.alert(alert_id))
        return found

    def _latest(self) -> Alert | None:
        found: Alert | None = self.ledger.read(lambda records: records.latest_alert("generic", self.key))
        return found


TestAlertLife = AlertLife.TestCase
TestAlertLife.settings = hypothesis_settings(
    max_examples=3 * hypothesis_settings().max_examples,
    stateful_step_count=12,  # 180, and 6,000 each night
)


def test_a_reopened_alert_starts_without_the_old_one_s_editor() -> None:
    """Its note is not written yet, so nobody has edited it."""
    ledger = Ledger.shared()
    reported = Reported(change=Change.TRIGGERED, dedup_key=ledger.fresh_key(), title="CPU high")
    receipt = ledger.write(
        receive_alert,
        Delivery(
            provider="generic",
            delivery_id=reported.dedup_key,
            received_at=START,
            verified_by="test",
            body=b"{}",
            alerts=(reported,),
        ),
        routes=ROUTES,
    )
    alert_id = receipt.alerts[0][1]
    ledger.write(respond_to_alert.resolve, alert_id, by=SAM, resolution=NOTE)
    ledger.write(respond_to_alert.amend, alert_id, by=KIM, resolution=NOTE)
    new = ledger.write(respond_to_alert.reopen, alert_id, by=SAM, reason="It came back after an hour")

    assert new.amended_by is None
    ledger.check_history(new)
