"""A person answers an alert: acknowledge, note, snooze, release, resolve, amend, reopen; refused, or recorded whole.

A click is refused only when its step is no longer in the table of `bot.domain.alert`, or (snooze, wake, release) when
the alert has changed hands since the version that was `seen`; notes and source changes never make it stale. What comes
from a form names it by `form`, and is recorded once however often Slack sends it. Every act raises NotPermitted,
UnknownAlert or IllegalAct, and then nothing has changed.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from bot.domain.alert import Act, Alert, Resolution, Response, check_note
from bot.domain.errors import IllegalAct
from bot.domain.evidence import Actor, Entry, Fact, timestamp
from bot.domain.person import LEADS, Person
from bot.domain.retelling import details_of, source_facts
from bot.ports import Records


def acknowledge(records: Records, alert_id: int, *, by: Person) -> Alert:
    """The first acknowledgement stands; the person becomes the owner."""
    alert = _before(records, alert_id, Act.ACKNOWLEDGE, by)
    return _did(records, alert.after(Act.ACKNOWLEDGE, by=by.user, at=records.now), "acknowledged", by)


def snooze(records: Records, alert_id: int, *, by: Person, minutes: int, seen: int | None = None) -> Alert:
    """Quiet until a time; whoever snoozes an alert nobody owns becomes its owner."""
    alert = _before(records, alert_id, Act.SNOOZE, by)
    until = records.now + timedelta(minutes=minutes)
    snoozed = alert.after(Act.SNOOZE, by=by.user, at=records.now, until=until)
    _check_seen(alert, seen, by)
    return _did(records, snoozed, "snoozed", by, facts={"until": timestamp(until)})


def wake(records: Records, alert_id: int, *, by: Person, seen: int | None = None) -> Alert:
    """End a snooze early."""
    alert = _before(records, alert_id, Act.WAKE, by)
    woken = alert.after(Act.WAKE, by=by.user, at=records.now)
    _check_seen(alert, seen, by)
    return _did(records, woken, "woke", by)


def wake_due_alerts(records: Records) -> int:
    """The clock ends the snoozes that are over; returns how many."""
    due = records.due_snoozes()
    for alert in due:
        _did(records, alert.after(Act.WAKE, by="socmon", at=records.now), "woke", None)
    return len(due)


def release(records: Records, alert_id: int, *, by: Person, seen: int | None = None) -> Alert:
    """Give an alert back. Only its owner or a lead may."""
    alert = _before(records, alert_id, Act.RELEASE, by)
    released = alert.after(Act.RELEASE, by=by.user, at=records.now)
    if alert.owner != by.user:
        by.require(LEADS, f"release A-{alert.id}, which is <@{alert.owner}>'s")
    _check_seen(alert, seen, by)
    return _did(records, released, "released", by)


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
    new = replace(
        old,
        id=records.new_alert_id(),
        response=Response.TRIGGERED,
        triggered_at=records.now,
        owner=None,
        acknowledged_at=None,
        resolved_at=None,
        resolved_by=None,
        resolution=None,
        amended_by=None,
        repeats=0,
        flaps=0,
        previous_id=old.id,
        version=1,
    )
    records.add_alert(new, channel=records.thread(old.id).channel)
    records.drop_draft(by.user, alert_id, Act.REOPEN)
    _did(records, old, "reopened_as", by, facts={"alert": new.id, **_from(form)})
    facts: dict[str, Fact] = {"previous": old.id, "provider": new.provider, **source_facts(new)}
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


def _is_again(records: Records, alert: Alert, form: str, by: Person) -> bool:
    """Slack tells the person to send a form again when our answer was late; the first time stands."""
    return bool(form) and records.took_form(alert.id, form, by=by.user)


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
    """Save the alert after an act, let Slack catch up, and log who did what in which role."""
    records.save_alert(alert)
    records.show(alert.id)
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


def _facts(resolution: Resolution) -> dict[str, Fact]:
    return {"cause": resolution.cause, "security": resolution.security}


def _private(resolution: Resolution) -> dict[str, str]:
    return {"found": resolution.found, "done": resolution.done, "follow_up": resolution.follow_up}
