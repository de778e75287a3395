"""A component is left out of monitoring for a while: somebody says why and until when, and another person approves."""

from dataclasses import replace
from datetime import datetime

from bot.domain.component import Component
from bot.domain.errors import IllegalAct, Unfit
from bot.domain.person import LEADS, Person
from bot.domain.scope import (
    LONGEST_EXCLUSION,
    Change,
    Difference,
    Exclusion,
    ExclusionRequest,
    Line,
    Reply,
    from_tags,
)
from bot.ports import Records
from bot.procedures.change_scope import (
    KEEPERS,
    Chosen,
    actor_of,
    check_reason,
    check_unchanged,
    choose,
    choose_again,
    iso,
    log_act,
    reply_to,
    revise,
    settled,
)
from bot.procedures.review_scope import Settled
from bot.procedures.take_inventory import open_findings


def component_to_exclude(
    records: Records, words: str, *, finding: int | None = None, by: Person
) -> Component:
    """The one that somebody wants to leave out, by name or as it was found.

    Raises NotPermitted, UnknownComponent, UnknownFinding and Settled.
    """
    by.require(KEEPERS, "ask for an exclusion")
    if finding is None:
        return choose(records, words, by=by).line.component
    found = records.finding(finding)
    if not found.is_open:
        raise settled(found)
    return found.component


def request_exclusion(
    records: Records, component: Component, *, reason: str, until: datetime, finding: int | None, by: Person
) -> ExclusionRequest:
    """Ask to leave a component out until a day; another person, a lead, has to approve it.

    Raises NotPermitted, Settled, ThinNote and Unfit.
    """
    by.require(KEEPERS, "ask for an exclusion")
    check_reason(reason)
    _check_until(until, records.now)
    if finding is not None and not (found := records.finding(finding)).is_open:
        raise settled(found)
    if any(one.component.is_same(component) for one in records.exclusion_requests()):
        raise Settled(f"An exclusion of {component.name} waits for its approval already. Nothing changed.")
    request = ExclusionRequest(
        id=0,
        component=component,
        reason=reason,
        until=until,
        requested_by=by.user,
        at=records.now,
        finding=finding,
    )
    request = replace(request, id=records.save_exclusion_request(request))
    facts = {"until": iso(until)}
    log_act(
        records,
        "exclusion.requested",
        by,
        {"component": component.key, "request": request.id},
        facts=facts,
        private={"reason": reason},
    )
    return request


def untold_requests(records: Records) -> list[ExclusionRequest]:
    """Exclusions that nobody was asked to approve yet."""
    return [one for one in records.exclusion_requests() if one.told_at is None]


def request_told(records: Records, request_id: int) -> None:
    records.save_exclusion_request(replace(records.exclusion_request(request_id), told_at=records.now))


def chosen_to_exclude(records: Records, request_id: int) -> Chosen:
    """Where the component of a request stands by now."""
    return choose_again(records, records.exclusion_request(request_id).component)


def approve_exclusion(records: Records, request_id: int, chosen: Chosen, *, by: Person) -> ExclusionRequest:
    """A lead who did not ask for it lets a component be left out. Raises NotPermitted, IllegalAct and Settled."""
    request = _undecided(records, request_id, by)
    if request.requested_by == by.user:
        raise IllegalAct(
            "You asked for this exclusion, so another lead has to approve it: nobody approves their own. Nothing"
            " changed."
        )
    if request.until <= records.now:
        raise Settled(f"It was asked for until {request.until:%Y-%m-%d}, which is over. Nothing changed.")
    check_unchanged(records, chosen.revision)
    decided = _decide(records, request, by, approved=True)
    _exclude(records, chosen.line, decided, by)
    return decided


def decline_exclusion(records: Records, request_id: int, *, by: Person) -> ExclusionRequest:
    """A lead, also the one who asked, says no. Raises NotPermitted and Settled."""
    return _decide(records, _undecided(records, request_id, by), by, approved=False)


def _undecided(records: Records, request_id: int, by: Person) -> ExclusionRequest:
    by.require(LEADS, "approve exclusions")
    request = records.exclusion_request(request_id)
    if request.decided_at:
        done = "approved" if request.approved else "declined"
        raise Settled(f"<@{request.decided_by}> has {done} this already. Nothing changed.")
    return request


def _decide(records: Records, request: ExclusionRequest, by: Person, *, approved: bool) -> ExclusionRequest:
    decided = replace(request, decided_by=by.user, decided_at=records.now, approved=approved)
    records.save_exclusion_request(decided)
    log_act(
        records,
        "exclusion.approved" if approved else "exclusion.declined",
        by,
        {"component": request.component.key, "request": request.id},
        facts={"requested_by": request.requested_by, "until": iso(request.until)},
    )
    return decided


def _exclude(records: Records, line: Line, request: ExclusionRequest, by: Person) -> None:
    exclusion = Exclusion(
        reason=request.reason,
        requested_by=request.requested_by,
        approved_by=by.user,
        until=request.until,
    )
    entry = line.entry or from_tags(line.component)
    after = replace(entry, exclusion=exclusion)
    made = Difference(changed=((entry, after),)) if line.entry else Difference(added=(after,))
    revise(
        records,
        Change.EXCLUDED,
        made,
        actor=actor_of(by),
        by=by.user,
        facts={"request": request.id, "until": iso(request.until)},
        private={"reason": request.reason},
    )
    found = [one for one in open_findings(records) if one.is_about(request.component)]
    reply_to(records, found, Reply.EXCLUSION, by)


def _check_until(until: datetime, now: datetime) -> None:
    if until <= now:
        raise Unfit("until", "An exclusion ends in the future. Choose a later day.")
    if until > now + LONGEST_EXCLUSION:
        raise Unfit(
            "until", "An exclusion lasts a year at most. Choose an earlier day; it can be asked for again."
        )
