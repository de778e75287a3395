"""A provider reports alerts; each is recorded once, with its delivery, its evidence and its thread, or nothing is.

Duplicates, repeats, recoveries that overtake their trigger, and old news are told apart here and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from itertools import count

from bot.domain.alert import SOURCES, Alert, Change, Reported, Response, Source
from bot.domain.delivery import TEST_NOTIFICATION, Delivery, Outcome, Receipt, Result
from bot.domain.evidence import Actor, Entry, Fact, timestamp
from bot.domain.retelling import details_of, source_facts
from bot.domain.thread import SlackRoutes
from bot.domain.tool import Done
from bot.ports import Records
from bot.procedures.check_on_call import who_is_called
from bot.procedures.sync_with_tools import did_there, hear_echo, person_of
from bot.procedures.test_alerting import hear, recognise
from bot.procedures.watch_sources import hear_heartbeat

ECHO = "echo of our own write"


def receive_alert(records: Records, delivery: Delivery, *, routes: SlackRoutes) -> Receipt:
    """Record a genuine delivery and what it changes. A heartbeat beats in every copy of a body, and is no alert."""
    for beat in delivery.heartbeats:
        hear_heartbeat(records, delivery.provider, beat)
    if records.seen(delivery.provider, delivery.delivery_id):
        if delivery.named or not _is_news(records, delivery):
            return _counted(records, delivery, Receipt(result=Result.DUPLICATE))
        delivery = replace(delivery, delivery_id=_free_id(records, delivery))
    delivery, tests = recognise(records, delivery)
    number = records.add_delivery(delivery)
    for test, key in tests:
        hear(records, test.id, key, delivery, number)
    if delivery.unreadable:
        _log(records, delivery, number, "delivery.unreadable", first=True)
        return _counted(records, delivery, Receipt(result=Result.UNREADABLE))
    told: list[Told] = []
    first = True
    for reported in delivery.alerts:
        told.append(_receive(records, delivery, number, reported, routes, first=first))
        first = first and told[-1][0] not in _LOGGED
    if first:
        _log(records, delivery, number, "delivery.received", first=True)
    return _counted(records, delivery, Receipt(result=Result.ACCEPTED, alerts=tuple(told)))


def refuse_delivery(records: Records, provider: str, *, reason: str) -> None:
    """A delivery whose sender was not who it should be leaves a counter, and nothing else."""
    records.count(provider, "delivery", Result.REFUSED, reason)


def _is_news(records: Records, delivery: Delivery) -> bool:
    """Whether it says something else than the newest alerts of its problems; of each problem its last word counts."""
    words = {
        one.dedup_key: one for one in delivery.alerts if not one.ignored and one.change is not Change.UPDATED
    }
    alerts = {key: records.latest_alert(delivery.provider, key) for key in words}
    return any(
        alert.heard(words[key], at=records.now).repeats == alert.repeats
        for key, alert in alerts.items()
        if alert
    )


def _free_id(records: Records, delivery: Delivery) -> str:
    """An id for an equal body that is no re-send."""
    ids = (f"{delivery.delivery_id}#{number}" for number in count(2))
    return next(one for one in ids if not records.seen(delivery.provider, one))


_LOGGED = {Outcome.NEW, Outcome.TRANSITION}
_NOTHING: Mapping[str, str | int] = {}
_UNKNOWN = {Change.UPDATED: "no alert to update"}
Told = tuple[Outcome, int | None, str]


def _receive(
    records: Records, delivery: Delivery, number: int, reported: Reported, routes: SlackRoutes, *, first: bool
) -> Told:
    if reported.ignored:
        return Outcome.IGNORED, None, reported.ignored
    latest = records.latest_alert(delivery.provider, reported.dedup_key)
    if latest and reported.done and hear_echo(records, latest, reported.done):
        return Outcome.IGNORED, latest.id, ECHO
    if latest is None and (why := _begins_nothing(records, delivery, reported)):
        return Outcome.IGNORED, None, why
    if latest and reported.change is Change.UPDATED:
        return _update(records, delivery, number, reported, latest, first=first)
    if latest is None or opens_new_episode(latest, reported, at=records.now):
        return _open(records, delivery, number, reported, routes, latest=latest, first=first)
    return _hear(records, delivery, number, reported, latest, first=first)


def _begins_nothing(records: Records, delivery: Delivery, reported: Reported) -> str:
    """Why a report about a problem that never had an alert does not open one; "" when it does."""
    if reported.change is not Change.TRIGGERED and records.is_test(delivery.provider, reported.dedup_key):
        return TEST_NOTIFICATION
    return reported.ignored_if_unknown or _UNKNOWN.get(reported.change, "")


def opens_new_episode(latest: Alert, reported: Reported, *, at: datetime) -> bool:
    """Whether the report is about another episode than the problem's latest one.

    An open alert takes everything its problem says. After a resolution a report is old news when it names the same
    episode, or speaks of a time before the latest word; without either sign it is news: twice is better than never.
    """
    if latest.is_open:
        return False
    when = latest.time_of(reported, at=at)
    has_recovered = latest.source is Source.RECOVERED
    if reported.current and has_recovered and when > latest.source_at:
        return True  # the tool had declared the episode over, and goes on with its old name
    if reported.occurrence is not None and reported.occurrence == latest.occurrence:
        return False
    is_later = reported.occurred_at is None or when > latest.source_at
    if reported.change is Change.RECOVERED:
        return is_later and (reported.occurrence is not None or (reported.ends_episode and has_recovered))
    # What began after the latest alert was over is another episode, even when its recovery has overtaken it.
    return is_later or (latest.over_at is not None and when > latest.over_at)


def _open(
    records: Records,
    delivery: Delivery,
    number: int,
    reported: Reported,
    routes: SlackRoutes,
    *,
    latest: Alert | None,
    first: bool,
) -> Told:
    route = routes.of(delivery.provider, reported)
    source, when = SOURCES[reported.change], reported.occurred_at or records.now
    if latest:
        when = latest.time_of(reported, at=records.now)
        if latest.source is Source.RECOVERED and reported.occurred_at and when <= latest.source_at:
            source, when = Source.RECOVERED, latest.source_at  # its recovery came first
    on_call, roster = who_is_called(records, route)
    alert = Alert(
        id=records.new_alert_id(),
        provider=delivery.provider,
        dedup_key=reported.dedup_key,
        occurrence=reported.occurrence,
        title=reported.title,
        component=reported.component,
        condition=reported.condition,
        value=reported.value,
        severity=reported.severity,
        url=reported.url,
        runbook=reported.runbook,
        text=reported.text,
        response=Response.TRIGGERED,
        source=source,
        source_at=when,
        triggered_at=records.now,
        recovered_at=when if source is Source.RECOVERED else None,
        on_call=on_call,
        previous_id=latest.id if latest else None,
        roster_id=roster.id if roster else None,
    )
    records.add_alert(alert, channel=route.channel)
    known = {"roster": roster.digest} if roster else {}
    _log(records, delivery, number, "alert.triggered", first=first, alert=alert, facts=known)
    return Outcome.NEW, alert.id, ""


def _hear(
    records: Records, delivery: Delivery, number: int, reported: Reported, latest: Alert, *, first: bool
) -> Told:
    alert = latest.heard(reported, at=records.now)
    if alert.repeats > latest.repeats:
        records.save_repeat(alert)
        return Outcome.REPEATED, alert.id, ""
    records.save_alert(alert)
    records.show(alert.id)
    _log(records, delivery, number, f"alert.{_kind(latest, alert)}", first=first, alert=alert)
    return Outcome.TRANSITION, alert.id, alert.source


def _update(
    records: Records, delivery: Delivery, number: int, reported: Reported, latest: Alert, *, first: bool
) -> Told:
    """File what was done in the tool. It can make the alert worse, and never better: people were paged for that.

    What a person did there, where the tool names them, is done here too; it never resolves the alert.
    """
    alert = latest
    if reported.done and (done := did_there(records, latest, reported.done)):
        alert, kind, private = done
        _log_done(
            records, delivery, number, kind, first=first, alert=alert, done=reported.done, private=private
        )
        return Outcome.TRANSITION, alert.id, reported.said
    if reported.raised_to and reported.raised_to < latest.severity:
        alert = replace(latest, severity=reported.raised_to)
        records.save_alert(alert)
        records.show(alert.id)
    _log(records, delivery, number, "alert.updated", first=first, alert=alert, text=reported.said)
    return Outcome.TRANSITION, alert.id, reported.said


def _log_done(
    records: Records,
    delivery: Delivery,
    number: int,
    kind: str,
    *,
    first: bool,
    alert: Alert,
    done: Done,
    private: Mapping[str, str],
) -> None:
    """The person did it, whom the tool vouches for."""
    facts, raw = _of_delivery(delivery, first=first)
    to = {"to": alert.owner or ""} if kind == "reassigned" else {}
    records.log(
        Entry(
            type=f"alert.{kind}",
            actor=Actor(kind="provider", user=person_of(records, delivery.provider, done.account)),
            subject={"delivery": number, "alert": alert.id},
            facts={
                **facts,
                **to,
                "via": delivery.provider,
                "account": done.account,
                "version": alert.version,
                "response": alert.response,
                "owner": alert.owner or "",
            },
            private={**raw, **private},
            alert_id=alert.id,
        )
    )


def _kind(before: Alert, after: Alert) -> str:
    if before.source is after.source:
        return "worsened"
    return {Source.FIRING: "refired", Source.RECOVERED: "recovered", Source.UNKNOWN: "no_data"}[after.source]


def _log(
    records: Records,
    delivery: Delivery,
    number: int,
    kind: str,
    *,
    first: bool,
    alert: Alert | None = None,
    text: str = "",
    facts: Mapping[str, Fact] = _NOTHING,
) -> None:
    """Append an entry."""
    about, private = _of_delivery(delivery, first=first)
    facts = {**about, **facts}
    subject: dict[str, str | int] = {"delivery": number}
    if alert:
        subject["alert"] = alert.id
        facts |= source_facts(alert)
        if kind == "alert.triggered":
            private |= {"title": alert.title, "details": details_of(alert)}
            if alert.previous_id:
                facts["previous"] = alert.previous_id
    if text:
        private["text"] = text
    records.log(
        Entry(
            type=kind,
            actor=Actor(kind="provider", user=delivery.provider),
            subject=subject,
            facts=facts,
            private=private,
            alert_id=alert.id if alert else None,
        )
    )


def _of_delivery(delivery: Delivery, *, first: bool) -> tuple[dict[str, Fact], dict[str, str]]:
    """(facts, private texts). Its first entry carries its row and commits to its body: no later edit goes unseen."""
    facts: dict[str, Fact] = {"provider": delivery.provider, "verified_by": delivery.verified_by}
    if not first:
        return facts, {}
    gap = {"gap": delivery.gap} if delivery.gap else {}
    received = {"received_at": timestamp(delivery.received_at)}
    return facts | received, {"raw": sha256(delivery.body).hexdigest()} | gap


def _counted(records: Records, delivery: Delivery, receipt: Receipt) -> Receipt:
    """Count per delivery and per alert, so that every figure reconciles."""
    records.count(delivery.provider, "delivery", receipt.result)
    for outcome, _, reason in receipt.alerts:
        records.count(delivery.provider, "alert", outcome, reason if outcome is Outcome.IGNORED else "")
    return receipt
