"""A person answers an alert: takes it, hands it on, calls for help, notes, resolves; refused, or recorded whole.

A click is refused only when its step is no longer in the table of `bot.domain.alert`, or (snooze, wake, release,
reassign, take over) when the alert has changed hands since the version that was `seen`; notes and source changes never
make it stale. What comes from a form names it by `form`, and is recorded once however often Slack sends it. Every act
raises NotPermitted, UnknownAlert or IllegalAct, and then nothing has changed.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.alert import Act, Alert, Cause, NoAction, Resolution, Response, check_note
from bot.domain.errors import IllegalAct, SomebodyElses, Unfit
from bot.domain.escalation import Phase, Progress, Target
from bot.domain.evidence import Actor, Entry, Fact, timestamp
from bot.domain.notice import NoticeKind
from bot.domain.person import LEADS, RESPONDERS, Person
from bot.domain.retelling import details_of, source_facts
from bot.domain.tool import ToolAct
from bot.ports import Records
from bot.procedures.escalate_alert import Call, Reach, whom


def acknowledge(records: Records, alert_id: int, *, by: Person) -> Alert:
    """The first acknowledgement stands; the person becomes the owner."""
    alert = _before(records, alert_id, Act.ACKNOWLEDGE, by)
    return _did(records, alert.after(Act.ACKNOWLEDGE, by=by.user, at=records.now), "acknowledged", by)


def snooze(
    records: Records,
    alert_id: int,
    *,
    by: Person,
    minutes: int = 0,
    until: datetime | None = None,
    seen: int | None = None,
    form: str = "",
) -> Alert:
    """Quiet for so many minutes, or until a time; whoever snoozes an alert nobody has acknowledged owns it.

    A source that recovers and fires again does not end it.
    """
    alert = _before(records, alert_id, Act.SNOOZE, by)
    if _is_again(records, alert, form, by):
        return alert
    until = until or records.now + timedelta(minutes=minutes)
    snoozed = alert.after(Act.SNOOZE, by=by.user, at=records.now, until=until)
    _check_seen(alert, seen, by)
    return _did(records, snoozed, "snoozed", by, facts={"until": timestamp(until), **_from(form)})


def wake(records: Records, alert_id: int, *, by: Person, seen: int | None = None) -> Alert:
    """End a snooze early."""
    alert = _before(records, alert_id, Act.WAKE, by)
    woken = alert.after(Act.WAKE, by=by.user, at=records.now)
    _check_seen(alert, seen, by)
    return _did(records, woken, "woke", by)


def wake_due_alerts(records: Records) -> int:
    """The clock ends the snoozes that are over, and their owners hear of it; returns how many."""
    due = records.due_snoozes()
    for alert in due:
        called: dict[str, Fact] = {"called": alert.owner} if alert.owner else {}
        _did(records, alert.after(Act.WAKE, by="socmon", at=records.now), "woke", None, facts=called)
        if alert.owner:
            records.owe_notice(alert.owner, alert.id, NoticeKind.AWAKE)
    return len(due)


def release(records: Records, alert_id: int, *, by: Person, seen: int | None = None) -> Alert:
    """Give an alert back. Only its owner or a lead may."""
    alert = _before(records, alert_id, Act.RELEASE, by)
    released = alert.after(Act.RELEASE, by=by.user, at=records.now)
    if alert.owner != by.user:
        _require_lead(alert, by)
    _check_seen(alert, seen, by)
    # The clock for its acknowledgement begins anew.
    records.keep_progress(alert_id, Progress(phase=Phase.UNACKNOWLEDGED, begun_at=records.now))
    return _did(records, released, "released", by)


def reassign(
    records: Records,
    alert_id: int,
    *,
    by: Person,
    to: Person,
    reason: str = "",
    seen: int | None = None,
    form: str = "",
) -> Alert:
    """Hand an alert to somebody who may respond to alerts; they are told. Raises Unfit for anybody else.

    An alert that nobody has acknowledged still has to be, by whose it is now.
    """
    alert = _before(records, alert_id, Act.REASSIGN, by)
    if _is_again(records, alert, form, by):
        return alert
    handed = alert.after(Act.REASSIGN, by=by.user, at=records.now, to=to.user)
    _check_can_respond(to)
    _check_seen(alert, seen, by)
    records.drop_draft(by.user, alert_id, Act.REASSIGN)
    facts: dict[str, Fact] = {"to": to.user, **_former(alert), **_from(form)}
    if to.user != by.user:
        facts["called"] = to.user
        records.owe_notice(to.user, alert_id, NoticeKind.ASSIGNED)
    return _did(records, handed, "reassigned", by, facts=facts, private={"reason": reason})


def take_over(records: Records, alert_id: int, *, by: Person, seen: int | None = None) -> Alert:
    """Make somebody else's alert one's own, on record. Who acknowledged it first stays as it was."""
    alert = _before(records, alert_id, Act.TAKE_OVER, by)
    taken = alert.after(Act.TAKE_OVER, by=by.user, at=records.now)
    _check_seen(alert, seen, by)
    return _did(records, taken, "taken_over", by, facts={**_former(alert), "called": alert.owner})


def escalate_now(
    records: Records, alert_id: int, *, by: Person, reach: Reach, reason: str = "", form: str = ""
) -> Alert:
    """Call the next level, without waiting for the clock. Refused when there is nobody else to call."""
    alert = _before(records, alert_id, Act.ESCALATE, by)
    if _is_again(records, alert, form, by):
        return alert
    escalated = alert.after(Act.ESCALATE, by=by.user, at=records.now)
    call = call_for_help(records, alert, reach, by=by)
    records.drop_draft(by.user, alert_id, Act.ESCALATE)
    for user in call.people:
        records.owe_notice(user, alert_id, NoticeKind.ESCALATED)
    facts: dict[str, Fact] = {"target": call.target.value, "called": " ".join(call.called), **_from(form)}
    if call.level:
        facts["level"] = call.level
    return _did(records, escalated, "escalated", by, facts=facts, private={"reason": reason})


def add_note(
    records: Records, alert_id: int, *, by: Person, text: str, link: str = "", form: str = ""
) -> Alert:
    """File what somebody saw or did; `link` is where the words were first written. Raises ThinNote."""
    check_note("text", text)
    alert = _before(records, alert_id, Act.NOTE, by)
    if _is_again(records, alert, form, by):
        return alert
    noted = alert.after(Act.NOTE, by=by.user, at=records.now)
    records.drop_draft(by.user, alert_id, Act.NOTE)
    return _did(records, noted, "noted", by, facts=_from(form), private={"text": text, "link": link})


def resolve(records: Records, alert_id: int, *, by: Person, resolution: Resolution, form: str = "") -> Alert:
    """Close an alert with a note. There is no other way to close one."""
    resolution.check()
    alert = _before(records, alert_id, Act.RESOLVE, by)
    if _is_again(records, alert, form, by):
        return alert
    resolved = alert.after(Act.RESOLVE, by=by.user, at=records.now, resolution=resolution)
    records.drop_draft(by.user, alert_id, Act.RESOLVE)
    facts = _facts(resolution) | _from(form)
    return _did(records, resolved, "resolved", by, facts=facts, private=_private(resolution))


def resolve_without_action(records: Records, alert_id: int, *, by: Person, policy: NoAction) -> Alert:
    """Close an alert that was over by itself, where the policy allows it; it stands as this person's note."""
    alert = _before(records, alert_id, Act.NO_ACTION, by)
    lasted = (alert.recovered_at or records.now) - alert.triggered_at
    note = Resolution(
        found=f"It recovered by itself, {_minutes(lasted)} after it had triggered.",
        done="No action was needed: the policy allows that for an alert so mild and so short.",
        cause=Cause.NO_ACTION,
    )
    resolved = alert.after(Act.NO_ACTION, by=by.user, at=records.now, resolution=note)
    policy.check(alert)
    return _did(records, resolved, "resolved", by, facts=_facts(note), private=_private(note))


def amend(records: Records, alert_id: int, *, by: Person, resolution: Resolution, form: str = "") -> Alert:
    """Add a revision of the resolution note; the earlier ones stay in the log."""
    resolution.check()
    alert = _before(records, alert_id, Act.AMEND, by)
    if _is_again(records, alert, form, by):
        return alert
    amended = alert.after(Act.AMEND, by=by.user, at=records.now, resolution=resolution)
    records.drop_draft(by.user, alert_id, Act.AMEND)
    facts = _facts(resolution) | _from(form)
    return _did(records, amended, "amended", by, facts=facts, private=_private(resolution))


def reopen(records: Records, alert_id: int, *, by: Person, reason: str, form: str = "") -> Alert:
    """Take a resolved problem up again as a new alert, linked to the old one; returns it. Raises ThinNote."""
    check_note("reason", reason)
    old = _before(records, alert_id, Act.REOPEN, by)
    if _is_again(records, old, form, by):
        return records.latest_alert(old.provider, old.dedup_key) or old
    old = old.after(Act.REOPEN, by=by.user, at=records.now)
    latest = records.latest_alert(old.provider, old.dedup_key)
    if latest is not None and latest.id != old.id:
        raise IllegalAct(
            f"A-{latest.id} is a newer occurrence of the same problem. Nothing changed. Work there instead."
        )
    roster = records.latest_roster() if old.roster_id else None
    new = replace(
        old,
        id=records.new_alert_id(),
        response=Response.TRIGGERED,
        triggered_at=records.now,
        owner=None,
        acknowledged_at=None,
        acknowledged_by=None,
        resolved_at=None,
        resolved_by=None,
        resolution=None,
        amended_by=None,
        repeats=0,
        flaps=0,
        previous_id=old.id,
        roster_id=roster.id if roster else None,
        version=1,
    )
    records.add_alert(new, channel=records.thread(old.id).channel)
    records.drop_draft(by.user, alert_id, Act.REOPEN)
    _did(records, old, "reopened_as", by, facts={"alert": new.id, **_from(form)})
    facts: dict[str, Fact] = {"previous": old.id, "provider": new.provider, **source_facts(new)}
    if roster:
        facts["roster"] = roster.digest
    private = {"reason": reason, "title": new.title, "details": details_of(new)}
    return _did(records, new, "reopened", by, facts=facts, private=private)


def _before(records: Records, alert_id: int, act: Act, by: Person) -> Alert:
    by.require_for(act)
    return records.alert(alert_id)


def _check_seen(alert: Alert, seen: int | None, by: Person) -> None:
    """Refuse a click on a button that was drawn before the alert changed hands. Who owns it is not surprised."""
    if seen is None or seen == alert.version or alert.owner == by.user:
        return
    now = f"<@{alert.owner}> owns it now" if alert.owner else "nobody owns it now"
    raise IllegalAct(
        f"A-{alert.id} has changed hands since this button was drawn: {now}. Nothing changed."
        " Look at the alert, then choose again."
    )


def _require_lead(alert: Alert, by: Person) -> None:
    """Only its owner and the leads may give an alert back; everybody else may take it over."""
    if not by.roles & LEADS:
        raise SomebodyElses(
            f"A-{alert.id} is <@{alert.owner}>'s alert, so only they and the leads can release it. Nothing changed."
            " If you want to work on it, take it over: that records the hand-over.",
            alert.id,
            alert.version,
        )


def _check_can_respond(to: Person) -> None:
    if not to.is_member or not to.roles & RESPONDERS:
        raise Unfit(
            "to",
            "This person can't work on alerts: their Slack account has none of the roles that may. Choose a responder,"
            " or ask an admin to name them under [roles] in the configuration.",
        )


def call_for_help(records: Records, alert: Alert, reach: Reach, *, by: Person) -> Call:
    """Whom “Escalate now” calls: the next level, else the leads, else who is on call; never who asks or owns it.

    Raises IllegalAct when there is nobody.
    """
    know = {by.user, *filter(None, [alert.owner])}
    for target in (Target.NEXT_LEVEL, Target.LEAD, Target.OWNER):
        call = whom(records, alert, target, reach, acted=know)
        if call and call.called:
            return call
    raise IllegalAct(
        f"There is nobody else to call for A-{alert.id}: no next level is known, nobody on call and no Engineering Lead"
        " but you and its owner."
        " Nothing changed. Reassign it, or ask an admin to name people under [roles] in the configuration."
    )


def _is_again(records: Records, alert: Alert, form: str, by: Person) -> bool:
    """Slack tells the person to send a form again when our answer was late; the first time stands."""
    return bool(form) and records.took_form(alert.id, form, by=by.user)


def _former(alert: Alert) -> dict[str, Fact]:
    return {"from": alert.owner} if alert.owner else {}


def _minutes(length: timedelta) -> str:
    minutes = max(0, length // timedelta(minutes=1))
    return f"{minutes} min" if minutes else "less than a minute"


def _from(form: str) -> dict[str, Fact]:
    return {"form": form} if form else {}


def _did(
    records: Records,
    alert: Alert,
    kind: str,
    by: Person | None,
    *,
    facts: Mapping[str, Fact] | None = None,
    private: Mapping[str, str] | None = None,
) -> Alert:
    """Save the alert after an act, let Slack and the alert's tool catch up, and log who did what in which role."""
    records.save_alert(alert)
    records.show(alert.id)
    if by and (told := _TOLD.get(kind)):
        records.tell_tool(alert, told, by=by.user, text=_words(alert, kind, facts or {}, private or {}))
    actor = Actor(kind="slack", team=by.team, user=by.user, role=by.role) if by else Actor(kind="system")
    records.log(
        Entry(
            type=f"alert.{kind}",
            actor=actor,
            subject={"alert": alert.id},
            facts={"version": alert.version, "response": alert.response, **(facts or {})},
            private={path: text for path, text in (private or {}).items() if text},
            alert_id=alert.id,
        )
    )
    return alert


# What each act is in the alert's tool. What a tool has no word for, it is told as a note.
_TOLD = {
    "acknowledged": ToolAct.ACKNOWLEDGE,
    "taken_over": ToolAct.REASSIGN,
    "reassigned": ToolAct.REASSIGN,
    "escalated": ToolAct.ESCALATE,
    "snoozed": ToolAct.SNOOZE,
    "released": ToolAct.NOTE,
    "noted": ToolAct.NOTE,
    "resolved": ToolAct.RESOLVE,
    "amended": ToolAct.NOTE,
    "reopened": ToolAct.NOTE,
}


def _words(alert: Alert, kind: str, facts: Mapping[str, Fact], private: Mapping[str, str]) -> str:
    """What goes to the tool with it."""
    resolution = f"Found: {private.get('found', '')} Done: {private.get('done', '')}"
    words = {
        "snoozed": str(facts.get("until", "")),
        "taken_over": alert.owner,
        "reassigned": alert.owner,
        "escalated": str(facts.get("level", "")),
        "released": f"gave A-{alert.id} back: nobody owns it now.",
        "resolved": resolution,
        "amended": f"The resolution note says now: {resolution}",
        "reopened": f"took it up again as A-{alert.id}: {private.get('reason', '')}",
    }
    return words.get(kind, private.get("text")) or ""


def _facts(resolution: Resolution) -> dict[str, Fact]:
    return {"cause": resolution.cause, "security": resolution.security}


def _private(resolution: Resolution) -> dict[str, str]:
    return {"found": resolution.found, "done": resolution.done, "follow_up": resolution.follow_up}
