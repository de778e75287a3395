"""A form is opened, and closed again before it was sent: what was written is kept for the same person for a day."""

from collections.abc import Mapping
from datetime import timedelta

from bot.domain.alert import Act, Alert
from bot.domain.person import Person
from bot.ports import Records
from bot.procedures.escalate_alert import Call, Reach
from bot.procedures.respond_to_alert import call_for_help

KEPT = timedelta(hours=24)


def open_form(records: Records, alert_id: int, act: Act, *, by: Person) -> tuple[Alert, Mapping[str, str]]:
    """The alert that a form is about, and what this person had begun to write in it (field → text).

    Raises NotPermitted, since that is better told now than after they wrote it, and UnknownAlert.
    """
    by.require_for(act)
    return records.alert(alert_id), records.draft(by.user, alert_id, act)


def open_call(
    records: Records, alert_id: int, *, by: Person, reach: Reach
) -> tuple[Alert, Mapping[str, str], Call]:
    """As `open_form` for “Escalate now”, with whom it would call. Raises IllegalAct where that is nobody."""
    alert, draft = open_form(records, alert_id, Act.ESCALATE, by=by)
    alert.after(Act.ESCALATE, by=by.user, at=records.now)
    return alert, draft, call_for_help(records, alert, reach, by=by)


def keep_draft(records: Records, alert_id: int, act: Act, *, person: str, fields: Mapping[str, str]) -> None:
    """Keep what a person (a Slack user id) has begun to write. Raises UnknownAlert."""
    records.keep_draft(person, records.alert(alert_id).id, act, fields, until=records.now + KEPT)


def forget_old_drafts(records: Records) -> int:
    """Returns how many were forgotten."""
    return records.drop_drafts()
