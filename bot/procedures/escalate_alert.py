"""The clock calls somebody: whose alert it is, the next level, the lead; each step of the policy once, on record.

Whoever has just acted on the alert is not called: they know. A step that would call nobody else waits for a moment.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.alert import Alert, Severity
from bot.domain.escalation import Phase, Policy, Progress, Step, Target, due, next_step, present
from bot.domain.evidence import Actor, Entry
from bot.domain.notice import NoticeKind
from bot.domain.thread import Moment, SlackRoutes
from bot.ports import Records

PAGE = 100  # read in less than the 50 ms for which a reader may hold up the writer
JUST = timedelta(minutes=2)  # so long ago somebody "just" acted
NOBODY = "escalation:nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Who there is to call: the leads, the people of each user group, and which team an alert belongs to."""

    leads: tuple[str, ...] = ()
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    routes: SlackRoutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Whom to call: `called` are mentioned (users and groups), `people` told directly. `level` of the roster, or 0."""

    target: Target
    called: tuple[str, ...]
    people: tuple[str, ...]
    level: int = 0


def alerts_to_escalate(records: Records, policy: Policy, *, after: int) -> tuple[list[int], int | None]:
    """(the alerts of this page for which the clock has something to do, where the next page begins). Reads only."""
    patience = {severity: policy.patience(severity) for severity in Severity}
    page = records.waiting_alerts(patience=patience, after=after, most=PAGE)
    found = []
    for alert, known in page:
        progress, kept = present(alert, known, records.now)
        if kept or due(alert, progress, policy, records.now):
            found.append(alert.id)
    return found, page[-1][0].id if len(page) == PAGE else None


def escalate_alert(records: Records, alert_id: int, *, policy: Policy, reach: Reach) -> int:
    """Take the steps that are due; returns how many. What changed meanwhile counts: it looks again."""
    alert = records.alert(alert_id)
    known = records.escalation(alert_id)
    progress, kept = present(alert, known, records.now)
    for one in kept:
        records.keep_progress(alert_id, one)
    if progress is None:
        return 0
    before = progress.done
    for step in due(alert, progress, policy, records.now):
        call = whom(records, alert, step.target, reach, acted=just_acted(records, alert))
        if call is None:
            _nobody(records, alert, step)
            break
        if not call.called:
            break  # everybody there is to call has just acted: in a moment they have not
        progress = replace(progress, done=progress.done + 1)
        _log(records, alert, step, call, progress, following=next_step(alert, progress, policy))
        _owe(records, alert, progress.phase, call)
        records.clear_problem(NOBODY)
    if progress.done > before:
        records.keep_progress(alert_id, progress)
        records.show(alert_id)
    return progress.done - before


def whom(
    records: Records, alert: Alert, target: Target, reach: Reach, *, acted: Collection[str]
) -> Call | None:
    """Whom a call for the target reaches, but for those who have `acted`; the lead where there is nobody else.

    Where Slack knows nobody of them, so that no mention rings, the lead is called as well.

    None when nobody is known at all.
    """
    names, level = _names(records, alert, target, reach)
    if not names:
        target, names, level = Target.LEAD, reach.leads, 0
    if not any(map(_is_heard, names)):
        names = (*names, *reach.leads)
    if not names:
        return None
    names = tuple(dict.fromkeys(each for name in names for each in _without(name, acted, reach)))
    people = dict.fromkeys(each for name in names for each in reach.members.get(name, (name,)))
    return Call(target=target, called=names, people=tuple(filter(_is_user, people)), level=level)


def _names(records: Records, alert: Alert, target: Target, reach: Reach) -> tuple[tuple[str, ...], int]:
    """(users and groups, the level they are at, if any)."""
    match target:
        case Target.OWNER:
            return ((alert.owner,) if alert.owner else alert.on_call), 0
        case Target.NEXT_LEVEL:
            return _next_level(records, alert, reach)
        case Target.LEAD:
            return reach.leads, 0


def just_acted(records: Records, alert: Alert) -> set[str]:
    """Who has acted on the alert a moment ago."""
    moments, _ = records.history(alert.id, most=20)
    return {moment.by for moment in moments if records.now - moment.at < JUST}


def _next_level(records: Records, alert: Alert, reach: Reach) -> tuple[tuple[str, ...], int]:
    """The level above those that were called; without a roster, who was on call, unless they are the owner's call."""
    moments, _ = records.history(alert.id, most=PAGE)
    level = max([1, *map(_level_of, moments)]) + 1
    team = reach.routes.of(alert.provider, alert).team
    if names := records.on_call_at(team, level):
        return names, level
    return (tuple(name for name in alert.on_call if name != alert.owner) if alert.owner else ()), 0


def _level_of(moment: Moment) -> int:
    level = moment.facts.get("level")
    return level if isinstance(level, int) else 0


def _without(name: str, acted: Collection[str], reach: Reach) -> tuple[str, ...]:
    """The name but for those who have acted; of a group that holds one of them, the others by name."""
    members = reach.members.get(name, ())
    if not set(members) & set(acted):
        return () if name in acted else (name,)
    return tuple(each for each in members if each not in acted)


def _is_heard(name: str) -> bool:
    """Whether a mention rings somebody: of a user or a group, and not the address of somebody who has no account."""
    return _is_user(name) or (name.startswith("S") and "@" not in name)


def _is_user(name: str) -> bool:
    """A Slack user, and not a group or the address of somebody who has no account."""
    return name.startswith(("U", "W")) and "@" not in name


def _log(
    records: Records,
    alert: Alert,
    step: Step,
    call: Call,
    progress: Progress,
    *,
    following: tuple[Step, datetime] | None,
) -> None:
    kind = "reminded" if step.target is Target.OWNER else "escalated"
    facts = {
        "version": alert.version,
        "response": alert.response.value,
        "phase": progress.phase.value,
        "step": progress.done,
        "target": call.target.value,
        "called": " ".join(call.called),
    }
    if call.level:
        facts["level"] = call.level
    if following:
        facts |= {"next": following[0].target.value, "next_at": following[1].isoformat(timespec="seconds")}
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


def _owe(records: Records, alert: Alert, phase: Phase, call: Call) -> None:
    kind = NoticeKind.NOTE_MISSING if phase is Phase.NOTE_MISSING else NoticeKind.UNACKNOWLEDGED
    for user in call.people:
        records.owe_notice(user, alert.id, kind)


def _nobody(records: Records, alert: Alert, step: Step) -> None:
    records.set_problem(
        NOBODY,
        f"A-{alert.id} waits, and there is nobody to call for it ({step.target.value.replace('_', ' ')}): nobody is on"
        " call, and no Engineering Lead is known. Name people under [slack] on_call and [roles] engineering_lead, then"
        " restart.",
    )
