"""A test alert is sent along a path and followed to a person; what became of it, and of each hop, is on record.

The job `jobs/follow_test_alerts.py` drives the tests that are not finished, one step after the other; each of its steps
is one of these functions. A nonce that comes back in a delivery is recognised by `receive_alert`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.alert import Change, Reported, Severity
from bot.domain.delivery import TEST_NOTIFICATION, Delivery, Result
from bot.domain.errors import IllegalAct, ThinNote
from bot.domain.evidence import Actor, Entry, Fact, timestamp
from bot.domain.person import LEADS, READERS, RESPONDERS, Person, Role
from bot.domain.test_alert import (
    CLEAN_AGAIN,
    CLEAN_FOR,
    CONSENT_WITHIN,
    LOST_AFTER,
    Cause,
    Hop,
    KnownPath,
    Message,
    Mode,
    NeedsConsent,
    PathStanding,
    Sent,
    TestAlert,
    TestIsOver,
    TestPath,
    UnderWay,
    UnknownPath,
    UnknownTest,
    Verdict,
    Witnessed,
    nonce_in,
)
from bot.ports import Records
from bot.procedures.check_on_call import who_is_called
from bot.procedures.escalate_alert import Reach

JOB = "test-alerts"
TESTERS = RESPONDERS | {Role.ADMIN}
BUSY = timedelta(minutes=2)
SHORTEST_REASON = 10
_SYSTEM = Actor(kind="system")


# The paths
def keep_paths(records: Records, paths: Collection[TestPath]) -> None:
    """Put down what can be tested from now on. A path that comes back has to be proven anew."""
    known = {one.path.id: one for one in records.test_paths()}
    for path in paths:
        before = known.get(path.id)
        if before is None or before.gone_at:
            records.save_test_path(KnownPath(path=path, since=records.now))
            _log_path(records, "test.path_added", path)
        elif before.path != path:
            records.save_test_path(replace(before, path=path))
            _log_path(records, "test.path_changed", path)
    there = {path.id for path in paths}
    for before in known.values():
        if before.gone_at is None and before.path.id not in there:
            records.save_test_path(replace(before, gone_at=records.now))
            _log_path(records, "test.path_removed", before.path)


def standing(records: Records, *, by: Person | None = None) -> list[PathStanding]:
    """How fresh the proof of each path is. Raises NotPermitted."""
    if by:
        by.require(READERS, "see the test alerts")
    found = []
    for known in records.test_paths():
        if known.gone_at is None:
            newest, proven = records.newest_tests(known.path.id)
            since = known.since
            # What was proven before the path came back proves nothing of it now.
            newest, proven = (one if one and one.asked_at >= since else None for one in (newest, proven))
            found.append(PathStanding(known=known, newest=newest, proven=proven))
    return found


# Beginning
def begin(
    records: Records,
    path_id: str,
    *,
    nonce: str,
    mode: Mode,
    reach: Reach,
    component: str = "",
    by: Person | None = None,
    at_once: bool = False,
    reason: str = "",
) -> TestAlert:
    """On record before anything is sent. `by` is None for the terminal.

    A live test waits for the consent of the person on call, unless a lead sends it `at_once` and says why.
    Raises NotPermitted, UnknownPath, UnderWay and ThinNote.
    """
    if by:
        by.require(
            LEADS if at_once else TESTERS, "send a page without consent" if at_once else "send test alerts"
        )
    if at_once and len(reason.strip()) < SHORTEST_REASON:
        raise ThinNote(
            "reason",
            f"A page without the consent of the person on call needs a reason of at least {SHORTEST_REASON} letters."
            " Nothing was sent.",
        )
    test = _begin(records, path_id, nonce, mode, component, reach=reach)
    if by:
        test = replace(test, asked_by=by.user)
    if at_once:
        test = replace(test, consent_by=by.user if by else "terminal", consent_at=records.now)
    test = replace(test, reason=reason.strip())
    _ask(records, test, by)
    return test


def begin_due(records: Records, nonces: Sequence[str], *, reach: Reach) -> list[TestAlert]:
    """By the clock: a quiet test of each path that is not proven, or would not be before the next look."""
    begun = []
    due = [one for one in standing(records) if one.is_to_be_tested(records.now)]
    for one, nonce in zip(due, nonces, strict=False):
        try:
            test = _begin(records, one.known.path.id, nonce, Mode.QUIET, "", reach=reach)
        except UnderWay:
            continue
        test = replace(test, on_schedule=True)
        _ask(records, test, None)
        begun.append(test)
    return begun


def _begin(
    records: Records, path_id: str, nonce: str, mode: Mode, component: str, *, reach: Reach
) -> TestAlert:
    paths = {one.path.id: one.path for one in records.test_paths() if one.gone_at is None}
    path = paths.get(path_id)
    if path is None:
        raise UnknownPath(path_id, sorted(paths))
    running = next(
        (one for one in records.unfinished_tests() if one.path == path_id and not one.is_over), None
    )
    if running:
        raise UnderWay(running)
    channel, person = _route(records, path.provider, component, mode, reach)
    return TestAlert(
        id=records.new_test_id(),
        path=path.id,
        provider=path.provider,
        title=path.title,
        nonce=nonce,
        component=component,
        mode=mode,
        expects=path.hops,
        asked_at=records.now,
        channel=channel,
        person=person,
    )


def _route(records: Records, provider: str, component: str, mode: Mode, reach: Reach) -> tuple[str, str]:
    """(the channel where such alerts go, the Slack user who is called for them; "" when nobody is)."""
    severity = Severity.SEV1 if mode is Mode.LIVE else Severity.SEV3
    about = Reported(change=Change.TRIGGERED, dedup_key="", component=component, severity=severity)
    route = reach.routes.of(provider, about)
    called, _ = who_is_called(records, route)
    people = [each for one in called for each in reach.members.get(one, (one,))]
    return route.channel, next((each for each in people if each[:1] in {"U", "W"}), "")


def _ask(records: Records, test: TestAlert, by: Person | None) -> None:
    records.save_test_alert(test)
    facts: dict[str, Fact] = {
        "path": test.path,
        "mode": test.mode.value,
        "nonce": test.nonce,
        "on_schedule": test.on_schedule,
        "without_consent": bool(test.consent_by),
        "self_test": test.is_self_test,
    }
    private = {"reason": test.reason} if test.reason else {}
    if test.component:
        facts["component"] = test.component
    _log(records, "test.asked", test, _actor(by), facts=facts, private=private)


# Consent
def agree(records: Records, test_id: int, *, by: Person) -> TestAlert:
    """The person on call lets themselves be paged now. Raises UnknownTest, TestIsOver and NeedsConsent."""
    test = _waiting(records, test_id, by)
    agreed = replace(test, consent_by=by.user, consent_at=records.now, dirty=True)
    records.save_test_alert(agreed)
    _log(records, "test.agreed", agreed, _actor(by))
    return agreed


def decline(records: Records, test_id: int, *, by: Person) -> TestAlert:
    """Not now. Raises as `agree`."""
    test = _waiting(records, test_id, by)
    cause = Cause(says="The person on call did not want to be paged now.", mend="Ask again at a better time.")
    return _end(records, test.not_run(cause, records.now), _actor(by))


def _waiting(records: Records, test_id: int, by: Person) -> TestAlert:
    test = records.test_alert(test_id)
    if test.is_over:
        raise TestIsOver(test)
    if not test.waits_for_consent:
        raise IllegalAct(f"Test {test.name} is on its way already. Nothing changed.")
    if test.person != by.user:
        raise NeedsConsent(test)
    return test


# Sending and following
def known(records: Records, test_id: int) -> TestAlert:
    """Raises UnknownTest."""
    return records.test_alert(test_id)


def take(records: Records, test_id: int) -> TestAlert | None:
    """The test, for whoever works on it now; None while somebody else does."""
    test = records.test_alert(test_id)
    if test.busy_until and test.busy_until > records.now:
        return None
    taken = replace(test, busy_until=records.now + BUSY)
    records.save_test_alert(taken)
    return taken


def name_person(records: Records, test_id: int, *, reach: Reach) -> TestAlert:
    """Who is on call now, for a test of which nobody knew it when it was asked for."""
    test = records.test_alert(test_id)
    _, person = _route(records, test.provider, test.component, test.mode, reach)
    named = replace(test, person=test.person or person)
    records.save_test_alert(named)
    return named


def let_go(records: Records, test_id: int) -> None:
    records.save_test_alert(replace(records.test_alert(test_id), busy_until=None))


def next_try(records: Records, test_id: int) -> TestAlert | None:
    """The test, if it is to be sent now: on record before it is, so that a crash leaves word of what may be there."""
    test = records.test_alert(test_id)
    if test.is_over or test.trying_at or test.waits_for_consent:
        return None
    refused = sum(_refusals(records, test).values())
    trying = replace(test, trying_at=records.now, refused=refused)
    records.save_test_alert(trying)
    return trying


def sent(records: Records, test_id: int, what: Sent) -> TestAlert:
    """The tool has taken it. Its word of it may have been faster than this."""
    test = records.test_alert(test_id)
    known = replace(test.seen_at(Hop.SENT, records.now), reference=what.reference, link=what.link)
    records.save_test_alert(known)
    _log(records, "test.sent", known, _SYSTEM, facts={"reference": what.reference})
    return known


def failed(records: Records, test_id: int, hop: Hop, cause: Cause) -> TestAlert:
    """Something on the way said no. What is over stays as it is."""
    test = records.test_alert(test_id)
    if test.is_over:
        return test
    return _end(records, test.failed(hop, cause, records.now), _SYSTEM)


def witnessed(records: Records, test_id: int, seen: Sequence[Witnessed]) -> TestAlert:
    """What a tool says it saw of it."""
    test = records.test_alert(test_id)
    for one in seen:
        test = _pass(records, test, one.hop, one.at, _SYSTEM, means=one.means)
    return test


def unfinished(records: Records) -> list[TestAlert]:
    """What there is to do something about, oldest first."""
    return records.unfinished_tests()


def told(records: Records, test_id: int, message: Message) -> TestAlert:
    """A direct message with the button stands in Slack."""
    test = replace(records.test_alert(test_id), told=message)
    return _pass(records, test, Hop.TOLD, records.now, _SYSTEM)


def shows(records: Records, test_id: int, what: TestAlert, message: Message | None) -> TestAlert:
    """A message in Slack says what the test was when `what` was read; None when no message ever will.

    That the channel works counts once the message there says that the signal has arrived.
    """
    test = records.test_alert(test_id)
    test = replace(test, shown=message, dirty=_says(test) != _says(what))
    if message and Hop.SHOWN in test.missing and not waits_for(what, Hop.SHOWN):
        return _pass(records, test, Hop.SHOWN, records.now, _SYSTEM)
    records.save_test_alert(test)
    return test


def consent_asked(records: Records, test_id: int, message: Message) -> None:
    records.save_test_alert(replace(records.test_alert(test_id), consent=message))


def _says(test: TestAlert) -> tuple[object, ...]:
    """What a message says of it."""
    return (test.passed, test.means, test.verdict, test.cleaned_at, test.cleaning, test.consent_by)


def waits_for(test: TestAlert, hop: Hop) -> tuple[Hop, ...]:
    """What of the path has to come before this hop and has not; of Slack's hops only the signal itself has to."""
    needed = {Hop.SENT, Hop.RECEIVED} if hop in {Hop.SHOWN, Hop.TOLD} else set(Hop)
    order = test.expects
    return tuple(one for one in test.missing if one in needed and order.index(one) < order.index(hop))


def seen(records: Records, test_id: int, *, by: Person) -> TestAlert:
    """A person says that it has reached them. Raises NotPermitted, UnknownTest and TestIsOver."""
    by.require(READERS, "confirm a test alert")
    test = records.test_alert(test_id)
    if Hop.SEEN in test.passed:
        raise IllegalAct(f"It is on record already that test {test.name} was received. Nothing changed.")
    if test.is_over:
        raise TestIsOver(test)
    if test.person and by.user != test.person:
        raise IllegalAct(
            f"Test {test.name} is for <@{test.person}>, so your click proves nothing of it. Nothing was recorded. Leave"
            " it to them."
        )
    return _pass(records, test, Hop.SEEN, records.now, _actor(by))


def of_link(records: Records, digest: str) -> TestAlert:
    """The test that a link confirms; looks only. Raises UnknownTest."""
    test = records.test_with_link(digest)
    if test is None:
        raise UnknownTest
    return test


def seen_by_link(records: Records, digest: str) -> TestAlert:
    """Whoever has the message has pressed the button behind its link. Raises UnknownTest and TestIsOver."""
    test = of_link(records, digest)
    if Hop.SEEN in test.passed:
        return test
    if test.is_over:
        raise TestIsOver(test)
    return _pass(records, test, Hop.SEEN, records.now, _SYSTEM)


def settle(records: Records, test_id: int, cause: Cause | None = None) -> TestAlert:
    """Say what became of it, once that is certain. `cause` is why the overdue hop has not come, as far as known."""
    test = records.test_alert(test_id)
    if test.is_over:
        return test
    if test.sent_at and not test.missing:
        return _end(records, test.delivered(records.now), _SYSTEM)
    if hop := test.overdue_hop(records.now):
        return _end(records, test.timed_out(hop, cause or likely(hop), records.now), _SYSTEM)
    if test.waits_for_consent and records.now - test.asked_at >= CONSENT_WITHIN:
        nobody = Cause(
            says="Nobody on call said yes to being paged in time."
            if test.person
            else "Nobody is on call now.",
            mend="Ask again, or let a lead send it without waiting." if test.person else "Fill the shift.",
        )
        return _end(records, test.not_run(nobody, records.now), _SYSTEM)
    if test.trying_at and test.sent_at is None and records.now - test.trying_at >= LOST_AFTER:
        lost = Cause(
            says="socmon stopped while it was sending, so nobody can tell whether anything was sent.",
            mend="Begin another test.",
        )
        return _end(records, test.failed(Hop.SENT, lost, records.now), _SYSTEM)
    return test


def cause_here(records: Records, test: TestAlert, hop: Hop) -> Cause | None:
    """Why the hop has not come, as far as socmon's own records tell."""
    if hop is not Hop.RECEIVED or test.trying_at is None:
        return None
    refused = _refusals(records, test)
    if sum(refused.values()) > test.refused:
        why = max(refused, key=lambda reason: refused[reason])
        return Cause(
            says=f"A delivery of {test.provider} came and was refused: {why}.",
            mend=f"Give {test.provider} the secret that socmon has in SOCMON_WEBHOOK_SECRET_{test.provider.upper()}.",
        )
    gaps = [why for _, provider, why in records.gaps(test.trying_at) if provider == test.provider]
    if gaps:
        return Cause(
            says=f"A delivery of {test.provider} came and could not be read: {gaps[0]}",
            mend="Put the message template right that the documentation of this provider shows.",
        )
    return None


def likely(hop: Hop) -> Cause:
    """What is mostly wrong when nobody knows better."""
    says, mend = _LIKELY[hop]
    return Cause(says=says, mend=mend)


_LIKELY = {
    Hop.SENT: ("The tool did not take the signal.", "Test the connection with `socmon doctor`."),
    Hop.RECEIVED: (
        "The tool took the signal, and no word of it came here.",
        "See that the rule that watches for it notifies socmon, and that socmon's address can be reached from there.",
    ),
    Hop.INCIDENT: (
        "No incident was made of it.",
        "See that the rule notifies the paging service, and that the service's integration key still exists.",
    ),
    Hop.NOTIFIED: (
        "There is an incident, and nobody was notified of it.",
        "See that somebody is on call there, with a notification rule for this urgency.",
    ),
    Hop.SHOWN: (
        "Slack did not show it in the channel.",
        "See that the channel exists and that socmon is in it.",
    ),
    Hop.TOLD: ("No direct message reached the person on call.", "`/socmon oncall` says who is on call."),
    Hop.SEEN: (
        "It was delivered, and nobody said that they have it.",
        "Ask the person on call whether they saw it, and test again when they are there.",
    ),
}


# Cleaning up
def cleaned_up(records: Records, test_id: int, what: str) -> None:
    """Nothing of it is left in the tool."""
    cleaned = replace(records.test_alert(test_id), cleaned_at=records.now, cleaning=what, dirty=True)
    records.save_test_alert(cleaned)
    _log(records, "test.cleaned_up", cleaned, _SYSTEM, facts={"what": what})


def not_cleaned_up(records: Records, test_id: int, why: str) -> TestAlert:
    """It is tried again for a day; on record when the reason is new, and when it is given up."""
    test = records.test_alert(test_id)
    given_up = test.ended_at is not None and records.now - test.ended_at > CLEAN_FOR
    left = replace(test, cleaning=why, clean_after=records.now + CLEAN_AGAIN, is_left=given_up, dirty=True)
    records.save_test_alert(left)
    if test.cleaning != why or given_up:
        facts = {"given_up": given_up}
        _log(records, "test.not_cleaned_up", left, _SYSTEM, facts=facts, private={"why": why})
    return left


# What comes back
def recognise(records: Records, delivery: Delivery) -> tuple[Delivery, list[tuple[TestAlert, str]]]:
    """(the delivery, in which what belongs to a test of ours has no effect; those tests, each with the problem's key).

    Only a nonce that is on record hides anything: a real alert cannot be taken for a test by its words.
    """
    tests: list[tuple[TestAlert, str]] = []
    alerts = []
    for one in delivery.alerts:
        test = test_of(records, one)
        if test:
            tests.append((test, one.dedup_key))
        alerts.append(replace(one, ignored=TEST_NOTIFICATION) if test else one)
    return (replace(delivery, alerts=tuple(alerts)), tests) if tests else (delivery, tests)


def test_of(records: Records, one: Reported) -> TestAlert | None:
    """The test that a report belongs to, by the nonce in it."""
    nonce = nonce_in(one.title, one.text, one.component, one.condition, one.value, one.dedup_key, one.said)
    return records.test_with_nonce(nonce) if nonce else None


def hear(records: Records, test_id: int, key: str, delivery: Delivery, number: int) -> None:
    """Word of a test has come, by way of its own tool or of the paging tool that it went on to."""
    if delivery.was_asked_for:
        return  # found out by asking: that shows nothing of the way here
    test, actor = records.test_alert(test_id), Actor(kind="provider", user=delivery.provider)
    facts: dict[str, Fact] = {"delivery": number, "verified_by": delivery.verified_by}
    if delivery.provider == test.provider:
        # A tool may tell of the end without the nonce (CloudWatch: its own reason), so the problem is remembered.
        test = replace(test, problem=key)
        _pass(records, test, Hop.RECEIVED, delivery.received_at, actor, facts=facts)
    else:
        _pass(records, test, Hop.INCIDENT, delivery.received_at, actor, facts=facts)


def _pass(
    records: Records,
    test: TestAlert,
    hop: Hop,
    at: datetime,
    actor: Actor,
    *,
    means: Sequence[str] = (),
    facts: Mapping[str, Fact] | None = None,
) -> TestAlert:
    """The first sighting goes on record, also of a test that is over: then it says how late it was."""
    known = test.seen_at(hop, at, means=means)
    records.save_test_alert(known)
    if hop not in test.passed or known.means != test.means:
        said: dict[str, Fact] = {"hop": hop.value, "seen_at": timestamp(at), **(facts or {})}
        if means:
            said["means"] = list(means)
        if (took := known.after(hop)) is not None:
            said["milliseconds"] = int(took / timedelta(milliseconds=1))
        kind = {Hop.RECEIVED: "test.received", Hop.SEEN: "test.seen"}.get(hop, "test.passed")
        _log(records, kind, known, actor, facts=said)
    return known


def _end(records: Records, test: TestAlert, actor: Actor) -> TestAlert:
    records.save_test_alert(test)
    facts: dict[str, Fact] = {"verdict": test.verdict.value if test.verdict else "", "path": test.path}
    facts["passed"] = {hop.value: timestamp(at) for hop, at in test.passed.items()}
    private = {}
    if test.broken:
        facts["broken"] = test.broken.value
    if test.cause:
        private["cause"] = f"{test.cause.says} {test.cause.mend}"
    kind = {Verdict.DELIVERED: "test.delivered", Verdict.NOT_RUN: "test.not_run"}
    _log(
        records,
        kind.get(test.verdict or Verdict.FAILED, "test.failed"),
        test,
        actor,
        facts=facts,
        private=private,
    )
    return test


def _refusals(records: Records, test: TestAlert) -> dict[str, int]:
    """Why → how many deliveries of the provider were refused since the hour in which the test was asked for."""
    found: dict[str, int] = {}
    for provider, kind, result, reason, number in records.counts(test.asked_at):
        if (provider, kind, result) == (test.provider, "delivery", Result.REFUSED):
            found[reason] = found.get(reason, 0) + number
    return found


def _log(
    records: Records,
    kind: str,
    test: TestAlert,
    actor: Actor,
    *,
    facts: Mapping[str, Fact] | None = None,
    private: Mapping[str, str] | None = None,
) -> None:
    subject = {"test": test.id}
    records.log(Entry(type=kind, actor=actor, subject=subject, facts=facts or {}, private=private or {}))


def _log_path(records: Records, kind: str, path: TestPath) -> None:
    facts: dict[str, Fact] = {"hops": [hop.value for hop in path.hops]}
    records.log(Entry(type=kind, actor=_SYSTEM, subject={"test_path": path.id}, facts=facts))


def _actor(by: Person | None) -> Actor:
    return Actor(kind="slack", team=by.team, user=by.user, role=by.role) if by else _SYSTEM
