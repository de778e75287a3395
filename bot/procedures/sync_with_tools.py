"""The tools and the records are kept in step: what people do in either is done in the other, and told back only once.

A person acts in Slack: the alert's tool is owed a write, which is sent until the tool has it. A person acts in the
tool: it is done here in their name. Our own write, told back by the tool, completes it and changes nothing else.
"""

from dataclasses import replace
from datetime import timedelta

from bot.domain.alert import Act, Alert, Response
from bot.domain.evidence import Actor, Entry, Fact
from bot.domain.retelling import source_facts
from bot.domain.tool import Done, ToolAct, VendorWrite, WriteState
from bot.ports import Records

LEASE = timedelta(minutes=2)  # longer than all calls of one write take together
AT_ONCE = 20
DETAIL_LETTERS = 300


def hear_echo(records: Records, alert: Alert, done: Done) -> bool:
    """Whether what the tool tells is our own write; then that is completed."""
    user = _user_of(records, alert.provider, done.account)
    writes = records.vendor_writes(alert.id)
    echoed = [one for one in writes if one.is_echoed_by(done, user, now=records.now)]
    if not echoed:
        return False
    # A note may have come with any write; only a note of its own is completed by it.
    same = [one for one in echoed if done.act is not ToolAct.NOTE or one.action is ToolAct.NOTE]
    pending = [one for one in same if one.state is not WriteState.DONE]
    if pending:
        _completed(records, pending[0], "confirmed")
    return True


def did_there(records: Records, alert: Alert, done: Done) -> tuple[Alert, str, dict[str, str]] | None:
    """What a person did in the tool, done here: (the alert, the entry's kind, its private words); None for no change.

    Only facts follow: a tool's person needs no role here, and a note of theirs is filed however thin it is.
    """
    person = person_of(records, alert.provider, done.account)
    if done.name:
        records.keep_account_name(alert.provider, done.account, done.name)
    match done.act:
        case ToolAct.ACKNOWLEDGE if alert.response is Response.TRIGGERED:
            acknowledged = alert.after(Act.ACKNOWLEDGE, by=person, at=records.now)
            return _changed(records, acknowledged), "acknowledged", {}
        case ToolAct.NOTE if done.text:
            records.show(alert.id)
            return alert, "noted", {"text": done.text}
        case ToolAct.REASSIGN if done.to and alert.is_open:
            account, name = done.to
            if name:
                records.keep_account_name(alert.provider, account, name)
            given = alert.given_to(person_of(records, alert.provider, account))
            return None if given is alert else (_changed(records, given), "reassigned", {})
        case _:
            return None


def person_of(records: Records, provider: str, account: str) -> str:
    """The Slack user whom this account is linked to, else the account itself: a person is never guessed by name."""
    return _user_of(records, provider, account) or account


def _user_of(records: Records, provider: str, account: str) -> str | None:
    """By an explicit link, else by the roster, which has found its people in Slack by their e-mail addresses."""
    stored = records.latest_roster()
    return (
        records.user_of(provider, account)
        or (stored.roster.responder(account).slack if stored else None)
        or None
    )


def take_writes(records: Records, *, lease: str) -> list[VendorWrite]:
    """What is to be sent now, at most one write an alert."""
    return records.claim_vendor_writes(lease=lease, lasting=LEASE, most=AT_ONCE)


def account_of(records: Records, provider: str, user: str) -> str | None:
    """The tool's account of a Slack user: by an explicit link, else by the roster."""
    stored = records.latest_roster()
    person = stored.roster.with_slack(user) if stored else None
    known = person.id if person and person.id != user else None  # in a rota people go by their Slack ids
    return records.account_of(provider, user) or known


def where(records: Records, alert_id: int) -> tuple[str, str | None]:
    """(channel, message) that shows the alert."""
    thread = records.thread(alert_id)
    return thread.channel, thread.ts


def about_to_send(records: Records, write: VendorWrite) -> bool:
    """Before the call, so that an echo which overtakes the answer is known. False when an echo was quicker."""
    return records.save_vendor_write(write, keep_lease=True)


def sent(records: Records, write: VendorWrite) -> bool:
    """The tool has taken it. False when an echo was quicker, or another replica has it."""
    if not records.save_vendor_write(write):
        return False
    _told(records, write)
    return True


def not_sent(records: Records, write: VendorWrite) -> None:
    """The tool has refused it, or did not answer: to be tried again, or given up, which is on record."""
    if not records.save_vendor_write(write):
        return
    if write.attempts == 1 or write.state is not WriteState.PENDING:  # not at each try: an update is dear
        records.show(write.alert_id)
    if write.state is not WriteState.PENDING:
        _log(records, write, "not_told")


def _completed(records: Records, write: VendorWrite, detail: str) -> None:
    """By an echo, whoever holds the lease."""
    done = replace(write.done(records.now, detail), lease=None)
    if records.save_vendor_write(done):
        _told(records, done)


def _told(records: Records, write: VendorWrite) -> None:
    """On record. What a resolution ended in the tool that raised the alert is over there."""
    alert = records.alert(write.alert_id)
    if write.action is ToolAct.RESOLVE and alert.resolved_at:
        alert = alert.settled_at_source(at=records.now)
        records.save_alert(alert)
    records.show(alert.id)
    _log(records, write, "told", **source_facts(alert))


def _log(records: Records, write: VendorWrite, kind: str, **facts: Fact) -> None:
    records.log(
        Entry(
            type=f"alert.{kind}",
            actor=Actor(kind="system"),
            subject={"alert": write.alert_id, "write": write.id},
            facts={
                "provider": write.provider,
                "action": write.action,
                "for": write.person,
                "account": write.account,
                "attempts": write.attempts,
                **facts,
            },
            private={"text": write.detail[:DETAIL_LETTERS]} if write.detail else {},
            alert_id=write.alert_id,
        )
    )


def _changed(records: Records, alert: Alert) -> Alert:
    records.save_alert(alert)
    records.show(alert.id)
    return alert
