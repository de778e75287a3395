"""The records are compared with what a tool says is open; what was missed in either direction is mended, on record.

A tool's answer that is not complete may add facts and never proves absence. What moved within two minutes before the
tool was asked is left to its own messages.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime

from bot.domain.alert import Alert, Change, Reported, Response, Source
from bot.domain.comparison import MARGIN, OpenAlert, Repairs
from bot.domain.delivery import COMPARISON, Delivery
from bot.domain.evidence import Actor, Entry
from bot.domain.thread import SlackRoutes
from bot.domain.tool import ToolAct, WriteState
from bot.ports import Records
from bot.procedures.receive_alert import receive_alert
from bot.procedures.test_alerting import test_of

MOST_MOMENTS = 50
RESOLVED_HERE = "resolved here"


def compare_with_tool(
    records: Records,
    provider: str,
    found: Sequence[OpenAlert],
    *,
    complete: bool,
    as_of: datetime,
    covers: Callable[[str], bool] = lambda _key: True,
    routes: SlackRoutes,
) -> Repairs:
    """Mend what differs; returns what that was. `as_of` is when the tool was asked, before its answer.

    `covers` says of a problem's key whether it was asked for at all.
    """
    missed, kinds = _what_is_open(records, provider, found, as_of)
    if complete:
        recovered = _what_is_over(records, provider, found, as_of, covers)
        missed += recovered
        kinds += ["recovered"] * len(recovered) + ["retold"] * _send_anew(records, provider)
    if missed:
        receive_alert(records, _delivery(records, provider, missed, as_of), routes=routes)
    for kind in kinds:
        records.count(provider, "repair", kind)
    return Repairs(counts=dict(Counter(kinds)))


def _what_is_open(
    records: Records, provider: str, found: Sequence[OpenAlert], as_of: datetime
) -> tuple[list[Reported], list[str]]:
    """(what was missed, the kinds of repair)."""
    missed: list[Reported] = []
    kinds: list[str] = []
    for one in found:
        if test_of(records, one.reported):
            continue  # a test alert of ours, which is no alert
        known = _known(records, provider, one)
        report, kind = _difference(records, known, one, as_of)
        if report:
            missed.append(report)
        elif known and kind == RESOLVED_HERE:
            kind = _tell_again(records, known)
        kinds += [kind] if kind else []
    return missed, kinds


def _what_is_over(
    records: Records,
    provider: str,
    found: Sequence[OpenAlert],
    as_of: datetime,
    covers: Callable[[str], bool],
) -> list[Reported]:
    there = {key for one in found for key in one.keys}
    begun = {one.begins for one in found if one.begins}
    return [
        _recovery(alert, as_of)
        for alert in records.not_recovered(provider)
        if alert.dedup_key not in there
        and alert.dedup_key.partition("|")[0] + "|" not in begun
        and covers(alert.dedup_key)
        and _has_settled(records, alert, as_of)
    ]


def _known(records: Records, provider: str, one: OpenAlert) -> Alert | None:
    """The newest alert of this problem, under whichever name its messages gave it."""
    alerts = (records.latest_alert(provider, key) for key in one.keys)
    named = next((alert for alert in alerts if alert), None)
    return named or (records.latest_alert_like(provider, one.begins) if one.begins else None)


def _difference(
    records: Records, known: Alert | None, one: OpenAlert, as_of: datetime
) -> tuple[Reported | None, str]:
    """(what the tool's message would have said, the kind of repair); nothing where both agree."""
    if known is None:
        began = one.reported.occurred_at
        is_new = not one.quiet and (began is None or began <= as_of - MARGIN)
        return (one.reported, "opened") if is_new else (None, "")
    if not _has_settled(records, known, as_of):
        return None, ""
    if known.source is Source.RECOVERED:
        return (None, "") if one.quiet else (replace(one.reported, dedup_key=known.dedup_key), "opened")
    if known.response is Response.RESOLVED:
        return None, RESOLVED_HERE
    if one.acknowledged and known.response is Response.TRIGGERED and not _was_released(records, known, one):
        return _acknowledgement(known, one), "acknowledged"
    return None, ""


def _has_settled(records: Records, alert: Alert, as_of: datetime) -> bool:
    """Whether nothing happened to it so lately that a message may be under way."""
    times = (
        alert.triggered_at,
        alert.acknowledged_at,
        alert.recovered_at,
        alert.resolved_at,
        *(moment.at for moment in records.history(alert.id, most=1)[0]),
    )
    return all(at is None or at <= as_of - MARGIN for at in times)


def _was_released(records: Records, alert: Alert, one: OpenAlert) -> bool:
    """Somebody gave it back here after they had acknowledged it there, which the tool has no word for."""
    moments, _ = records.history(alert.id, most=MOST_MOMENTS)
    released = [moment.at for moment in moments if moment.kind == "released"]
    at = one.acknowledged.at if one.acknowledged else None
    return bool(released) and (at is None or at <= released[-1])


def _acknowledgement(alert: Alert, one: OpenAlert) -> Reported:
    return Reported(
        change=Change.UPDATED,
        dedup_key=alert.dedup_key,
        occurred_at=one.reported.occurred_at,
        title=one.reported.title,
        severity=alert.severity,
        said=f"acknowledged there by {one.acknowledged.name or one.acknowledged.account}"
        if one.acknowledged
        else "",
        done=one.acknowledged,
    )


def _recovery(alert: Alert, as_of: datetime) -> Reported:
    """Its recovery was missed. Nobody knows when it was; the time at which it was not open is certain."""
    return Reported(
        change=Change.RECOVERED,
        dedup_key=alert.dedup_key,
        occurrence=alert.occurrence,
        occurred_at=max(as_of, alert.source_at),
        title=alert.title,
        severity=alert.severity,
    )


def _tell_again(records: Records, alert: Alert) -> str:
    """A person has resolved it, and the tool goes on with it: it is told where it can be, else that is marked, once."""
    resolves = [one for one in records.vendor_writes(alert.id) if one.action is ToolAct.RESOLVE]
    if resolves and resolves[-1].state in {WriteState.PENDING, WriteState.FAILED}:
        return ""  # under way, or begun anew below
    if not resolves and alert.resolution:
        words = f"Found: {alert.resolution.found} Done: {alert.resolution.done}"
        records.tell_tool(alert, ToolAct.RESOLVE, by=alert.resolved_by or "socmon", text=words)
        if records.vendor_writes(alert.id):
            _log(records, alert, "retold", action=ToolAct.RESOLVE)
            return "retold"
    if any(moment.kind == "still_open" for moment in records.history(alert.id, most=MOST_MOMENTS)[0]):
        return ""
    records.show(alert.id)
    _log(records, alert, "still_open")
    return "still_open"


def _send_anew(records: Records, provider: str) -> int:
    """The tool answers again: what it did not answer to begins anew."""
    failed = records.failed_writes(provider)
    for write in failed:
        records.save_vendor_write(replace(write.again(records.now), lease=None))
        records.show(write.alert_id)
        _log(records, records.alert(write.alert_id), "retold", action=write.action)
    return len(failed)


def _log(records: Records, alert: Alert, kind: str, *, action: str = "") -> None:
    facts = {"provider": alert.provider, "verified_by": COMPARISON} | ({"action": action} if action else {})
    records.log(
        Entry(
            type=f"alert.{kind}",
            actor=Actor(kind="system"),
            subject={"alert": alert.id},
            facts=facts,
            private={},
            alert_id=alert.id,
        )
    )


def _delivery(records: Records, provider: str, missed: Sequence[Reported], as_of: datetime) -> Delivery:
    body = {"asked_at": as_of.isoformat(), "alerts": [asdict(one) for one in missed]}
    return Delivery(
        provider=provider,
        delivery_id=f"{COMPARISON}@{as_of.isoformat()}",
        received_at=records.now,
        verified_by=COMPARISON,
        body=json.dumps(body, default=str, ensure_ascii=False, sort_keys=True).encode(),
        alerts=tuple(missed),
    )
