"""What the records say of a week, one section a subject. Reads tallies, not the whole scope, which may be very large.

What socmon was not told, or not lately, is unknown: a finding of its own, and never good.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.alert import Alert
from bot.domain.alert_log import summary
from bot.domain.coverage import State
from bot.domain.evidence import Fact, timestamp
from bot.domain.scope import FindingKind
from bot.domain.shortfall import UNKNOWN_WHYS, Question
from bot.domain.validation import Finding, Period, Section, Verdict
from bot.ports import Records

STALE = timedelta(hours=1)
"""Coverage is assessed every 15 minutes; older than this it says nothing of now."""
UNHEARD = timedelta(days=1)
"""Each tool is asked once an hour what there is."""
REVIEWED_EVERY = timedelta(days=365)
PAGE = 500

_WAITING = {
    FindingKind.NEW: ("new", "components that nobody has put in scope"),
    FindingKind.VANISHED: ("vanished", "components in scope that no tool sees any more"),
    FindingKind.RENAMED: ("renamed", "components that the tools call otherwise"),
}


def scope(records: Records, _period: Period) -> Section:
    """Whether what is in scope was reviewed as it stands, and what waits to be decided about it."""
    newest = next(iter(records.scope_revisions(most=1)), None)
    if newest is None:
        nothing = Finding(
            id="scope:none",
            says="Nobody has said what is in scope.",
            mend="Import the approved inventory with `socmon scope import`, or decide in `/socmon scope`.",
        )
        return _section("scope", "nothing is in scope", [nothing])
    found: list[Finding] = []
    if newest.reviewed_at is None:
        found.append(
            Finding(
                id="scope:review",
                says="The scope was changed since a lead last reviewed it, or was never reviewed.",
                mend="Let a lead read it: `/socmon scope review`.",
            )
        )
    waiting = records.count_waiting()
    for kind, (name, words) in _WAITING.items():
        if number := waiting.get(kind, 0):
            mend = "`/socmon scope` shows them."
            found.append(Finding(id=f"scope:{name}", says=f"{number:,} {words}.", mend=mend))
    if requests := len(records.exclusion_requests()):
        says = f"{requests:,} exclusions wait for a lead's approval."
        found.append(Finding(id="scope:exclusions", says=says, mend="`/socmon scope` shows them."))
    silent = [
        one.source
        for one in records.heard()
        if one.complete_at is None or records.now - one.complete_at > UNHEARD
    ]
    if silent:
        found.append(
            Finding(
                id="scope:unknown",
                says=f"What there is has not been told in full for a day by {', '.join(silent)}.",
                mend="`/socmon status` and `socmon doctor` say what is wrong there.",
            )
        )
    run = records.latest_run()
    facts: dict[str, Fact] = {
        "revision": newest.id,
        "reviewed_at": _time(newest.reviewed_at),
        "document": newest.document,
        "components": run.components if run else None,
        "excluded": run.excluded if run else None,
        "waiting": {kind.value: number for kind, number in waiting.items()},
        "silent": silent,
    }
    count = f"{run.components:,} components" if run else "components not yet counted"
    return _section("scope", f"revision {newest.id}, {count}", found, facts, mild=True)


def contacts(records: Records, _period: Period) -> Section:
    """Whether somebody is on call in every team, and can be reached."""
    stored = records.latest_roster()
    if stored is None or stored.is_stale(records.now):
        since = f" since {stored.checked_at:%Y-%m-%d %H:%M} UTC" if stored else ""
        unknown = Finding(
            id="contacts:unknown",
            says=f"socmon was not told who is on call{since}.",
            mend="Name the teams under [on_call], and see `socmon doctor` for their tool.",
        )
        return _section("contacts", "not known now", [unknown])
    # By kind and number: names of people have no place in what is frozen.
    faults = Counter(fault.kind.value for fault in stored.faults(records.now))
    found = [
        Finding(
            id=f"contacts:{kind.replace(' ', '-')}",
            says=f"{number:,} × {kind}.",
            mend="`/socmon oncall` shows the roster and each fault.",
        )
        for kind, number in sorted(faults.items())
    ]
    review = records.last_review()
    reviewed_at = review.reviewed_at if review else None
    if reviewed_at is None or records.now - reviewed_at > REVIEWED_EVERY:
        found.append(
            Finding(
                id="contacts:review",
                says="Nobody has reviewed the escalation contact list within a year.",
                mend="Let a lead read it: `/socmon oncall`, then [Reviewed].",
            )
        )
    facts: dict[str, Fact] = {
        "roster": stored.digest,
        "checked_at": _time(stored.checked_at),
        "teams": len(stored.roster.teams),
        "people": len(stored.roster.responders),
        "faults": dict(faults),
        "reviewed_at": _time(reviewed_at),
    }
    teams, people = len(stored.roster.teams), len(stored.roster.responders)
    return _section("contacts", f"{teams:,} teams, {people:,} people", found, facts, mild=True)


def metrics(records: Records, _period: Period) -> Section:
    """Whether everything in scope reports, now."""
    return _of_coverage(records, "metrics", Question.REPORTS, "reports")


def rules(records: Records, period: Period) -> Section:
    """Whether everything in scope would alert by the standard, and what changed of the rules within the week."""
    section = _of_coverage(records, "rules", Question.THRESHOLD, "is watched by the standard")
    number, losses = 0, Counter[str]()
    for _, change in records.monitor_changes(period.start, period.end):
        number += 1
        losses.update(loss.value for loss in change.losses)
    weaker = f", {losses.total():,} of them to watch less" if losses else ""
    # What is wrong by now is a gap; that it came to be so is an event, which no later week can show to be mended.
    worse = Verdict.WARNING if losses and section.verdict is Verdict.GOOD else section.verdict
    return replace(
        section,
        verdict=worse,
        says=f"{section.says}; {number:,} rules changed{weaker}",
        facts={**section.facts, "changed": number, "losses": dict(losses)},
    )


def routes(records: Records, _period: Period) -> Section:
    """Whether what would alert reaches somebody who is on call."""
    return _of_coverage(records, "routes", Question.ROUTED, "reaches somebody on call")


def responses(records: Records, period: Period) -> Section:
    """How the week's alerts were answered, and what is still open of them and of older ones."""
    alerts = [one for one in _alerts(records, since=period.start) if one.triggered_at < period.end]
    figures = summary(alerts)
    left = [one for one in _alerts(records, open_only=True) if one.triggered_at < period.end]
    unanswered = [one for one in left if one.acknowledged_at is None]
    taken = [one for one in left if one.acknowledged_at is not None]
    found = []
    if unanswered:
        says = f"Nobody has acknowledged {_named(unanswered)}."
        found.append(Finding(id="responses:unacknowledged", says=says, mend="`/socmon log open` lists them."))
    if taken:
        says = f"There is no resolution note of {_named(taken)} yet."
        found.append(Finding(id="responses:open", says=says, mend="`/socmon log open` lists them."))
    facts: dict[str, Fact] = {
        "alerts": figures.count,
        "open": figures.open,
        "left_open": len(left),
        "left_unacknowledged": len(unanswered),
        "by_severity": dict(Counter(one.severity.value for one in alerts)),
        "minutes_to_acknowledge": _text(figures.minutes_to_acknowledge),
        "minutes_to_resolve": _text(figures.minutes_to_resolve),
    }
    resolved = figures.count - figures.open
    told = f"{figures.count:,} alerts, {resolved:,} resolved with a note" if alerts else "no alerts"
    return _section("responses", told, found, facts, mild=not unanswered)


def follow_ups(records: Records, _period: Period) -> Section:
    """Whether what was to be mended is."""
    every = records.open_follow_ups()
    overdue = [one for one in every if one.is_overdue(records.now)]
    found = []
    if overdue:
        numbers = ", ".join(f"F-{one.id}" for one in overdue[:3]) + (", …" if len(overdue) > 3 else "")
        found.append(
            Finding(
                id="follow-ups:overdue",
                says=f"{len(overdue):,} follow-ups are overdue: {numbers}.",
                mend="Ask their owners, or give them to somebody else with a new date.",
            )
        )
    facts: dict[str, Fact] = {"open": len(every), "overdue": len(overdue)}
    return _section("follow-ups", f"{len(every):,} open", found, facts, mild=True)


def _of_coverage(records: Records, name: str, question: Question, does: str) -> Section:
    if not records.scope_revisions(most=1):
        return Section(name=name, verdict=Verdict.BAD, says="nothing is in scope")
    run = records.latest_run()
    if run is None or records.now - run.at > STALE:
        since = f" since {run.at:%Y-%m-%d %H:%M} UTC" if run else ""
        unknown = Finding(
            id=f"{name}:unknown",
            says=f"Coverage has not been assessed{since}, so nobody can tell.",
            mend="`socmon jobs` and `socmon doctor` say what keeps `collect-coverage`.",
        )
        return _section(name, "not known now", [unknown])
    counts = {
        (state, why): number
        for (state, asked, why), number in records.count_shortfalls().items()
        if asked is question
    }
    by_name: dict[str, int] = {}
    for (_, why), number in counts.items():
        slug = "unknown" if why in UNKNOWN_WHYS else why.replace(" ", "-")
        by_name[slug] = by_name.get(slug, 0) + number
    words = {why.replace(" ", "-"): why.value for _, why in counts}
    found = [
        Finding(
            id=f"{name}:{slug}",
            says=f"{number:,} × {words.get(slug, 'nobody can tell')}.",
            mend="`/socmon coverage gaps` lists each with its mend.",
        )
        for slug, number in sorted(by_name.items())
    ]
    cells = sum(run.total(state) for state in State)
    short = sum(counts.values())
    facts: dict[str, Fact] = {
        "assessed_at": timestamp(run.at),
        "assessment": run.digest,
        "standard": run.standard,
        "scope": run.scope,
        "cells": cells,
        "short": by_name,
    }
    told = f"of {cells:,} each {does}" if not short else f"{short:,} of {cells:,} short"
    return _section(name, told, found, facts)


def _section(
    name: str,
    says: str,
    found: Iterable[Finding],
    facts: Mapping[str, Fact] | None = None,
    *,
    mild: bool = False,
) -> Section:
    """`mild` findings are a warning, unless nobody can tell."""
    findings = tuple(found)
    blind = any(each.id.endswith(":unknown") for each in findings)
    worst = Verdict.WARNING if mild and not blind else Verdict.BAD
    verdict = worst if findings else Verdict.GOOD
    return Section(name=name, verdict=verdict, says=says, findings=findings, facts=facts or {})


def _alerts(records: Records, *, since: datetime | None = None, open_only: bool = False) -> Iterator[Alert]:
    before: int | None = None
    while page := records.find_alerts(since=since, open_only=open_only, before=before, most=PAGE):
        yield from page
        before = page[-1].id


def _named(alerts: list[Alert]) -> str:
    """The oldest first."""
    names = ", ".join(f"A-{one.id}" for one in sorted(alerts, key=lambda one: one.id)[:3])
    return f"{names} and {len(alerts) - 3:,} more" if len(alerts) > 3 else names


def _time(at: datetime | None) -> str | None:
    return timestamp(at) if at else None


def _text(minutes: float | None) -> str | None:
    """A fraction stands in evidence as text."""
    return None if minutes is None else str(minutes)
