"""A person answers an alert: acknowledge, note, snooze, release, resolve, amend, reopen; refused, or recorded whole.

A click is refused only when its step is no longer in the table of `bot.domain.alert`; notes and source changes never
make it stale. Every act raises NotPermitted, UnknownAlert or IllegalAct, and then nothing has changed.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.alert import Act, Alert, Resolution, Response, check_note
from bot.domain.errors import IllegalAct
from bot.domain.evidence import Actor, Entry
from bot.domain.person import LEADS, Person
from bot.ports import Records


def acknowledge(records: Records, alert_id: int, *, by: Person) -> Alert:
    """The first acknowledgement stands; the person becomes the owner."""
    alert = _before(records, alert_id, Act.ACKNOWLEDGE, by)
    return _did(records, alert.after(Act.ACKNOWLEDGE, by=by.user, at=records.now), "acknowledged", by)


def snooze(records: Records, alert_id: int, *, by: Person, minutes: int) -> Alert:
    """Quiet until a time; whoever snoozes an alert nobody owns becomes its owner."""
    alert = _before(records, alert_id, Act.SNOOZE, by)
    until = records.now + timedelta(minutes=minutes)
    snoozed = alert.after(Act.SNOOZE, by=by.user, at=records.now, until=until)
    return _did(records, snoozed, "snoozed", by, facts={"until": _iso(until)})


def wake(records: Records, alert_id: int, *, by: Person) -> Alert:
    """End a snooze early."""
    alert = _before(records, alert_id, Act.WAKE, by)
    return _did(records, alert.after(Act.WAKE, by=by.user, at=records.now), "woke", by)


def wake_due_alerts(records: Records) -> int:
    """The clock ends the snoozes that are over; returns how many."""
    due = records.due_snoozes()
    for alert in due:
        _did(records, alert.after(Act.WAKE, by="socmon", at=records.now), "woke", None)
    return len(due)


def release(records: Records, alert_id: int, *, by: Person) -> Alert:
    """Give an alert back. Only its owner or a lead may."""
    alert = _before(records, alert_id, Act.RELEASE, by)
    released = alert.after(Act.RELEASE, by=by.user, at=records.now)
    if alert.owner != by.user:
        by.require(LEADS, f"release A-{alert.id}, which is <@{alert.owner}>'s")
    return _did(records, released, "released", by)


def add_note(records: Records, alert_id: int, *, by: Person, text: str, link: str = "") -> Alert:
    """File what somebody saw or did; `link` is where the words were first written. Raises ThinNote."""
    check_note("text", text)
    alert = _before(records, alert_id, Act.NOTE, by)
    noted = alert.after(Act.NOTE, by=by.user, at=records.now)
    return _did(records, noted, "noted", by, private={"text": text, "link": link})


def resolve(records: Records, alert_id: int, *, by: Person, resolution: Resolution) -> Alert:
    """Close an alert with a note. There is no other way to close one."""
    resolution.check()
    alert = _before(records, alert_id, Act.RESOLVE, by)
    resolved = alert.after(Act.RESOLVE, by=by.user, at=records.now, resolution=resolution)
    return _did(records, resolved, "resolved", by, facts=_facts(resolution), private=_private(resolution))


def amend(records: Records, alert_id: int, *, by: Person, resolution: Resolution) -> Alert:
    """Add a revision of the resolution note; the earlier ones stay in the log."""
    resolution.check()
    alert = _before(records, alert_id, Act.AMEND, by)
    amended = alert.after(Act.AMEND, by=by.user, at=records.now, resolution=resolution)
    return _did(records, amended, "amended", by, facts=_facts(resolution), private=_private(resolution))


def reopen(records: Records, alert_id: int, *, by: Person, reason: str) -> Alert:
    """Take a resolved problem up again as a new alert, linked to the old one; returns it. Raises ThinNote."""
    check_note("reason", reason)
    old = _before(records, alert_id, Act.REOPEN, by)
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
        repeats=0,
        flaps=0,
        previous_id=old.id,
        version=1,
    )
    records.add_alert(new, channel=records.thread(old.id).channel)
    _did(records, old, "reopened_as", by, facts={"alert": new.id})
    return _did(records, new, "reopened", by, facts={"previous": old.id}, private={"reason": reason})


def _before(records: Records, alert_id: int, act: Act, by: Person) -> Alert:
    by.require_for(act)
    return records.alert(alert_id)


def _did(
    records: Records,
    alert: Alert,
    kind: str,
    by: Person | None,
    *,
    facts: dict[str, str | int | bool] | None = None,
    private: dict[str, str] | None = None,
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


def _facts(resolution: Resolution) -> dict[str, str | int | bool]:
    return {"cause": resolution.cause, "security": resolution.security}


def _private(resolution: Resolution) -> dict[str, str]:
    return {"found": resolution.found, "done": resolution.done, "follow_up": resolution.follow_up}


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
