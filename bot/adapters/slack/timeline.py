"""An alert's timeline in words: what each moment says, and the view that shows them all with their proof."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.adapters.slack import interactions as do
from bot.adapters.slack.elements import Block, Element, actions, button, context, plain, quote, section
from bot.adapters.slack.text import date, link, mention, slack_text
from bot.adapters.slack.words import CAUSES, TOOL_ACTS, duration, number, some, subject
from bot.domain.alert import Alert, Resolution
from bot.domain.delivery import COMPARISON
from bot.domain.escalation import Phase, Target
from bot.domain.flapping import MOST_FLAPS
from bot.domain.thread import Moment

MOST_MOMENTS = 20  # on one page
TARGETS: dict[str, str] = {
    Target.OWNER: "whoever is on call",
    Target.NEXT_LEVEL: "the next level",
    Target.LEAD: "the lead",
}
NOT_KEPT = "(no longer kept)"  # after retention or redaction; the evidence log still has its hash
MOST_BYTES = 150_000  # of one page; Slack takes views of 250 KB


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One moment, told: who did what when, and the words that were written down."""

    line: str
    blocks: list[Block]


def tell(
    alert: Alert,
    moment: Moment,
    provider_title: str,
    *,
    moments: Sequence[Moment] = (),
    numbered: bool = False,
    names: Mapping[str, str] | None = None,
) -> Telling:
    """Tell a moment. The newest of `moments` that carries the resolution note shows it as it stands now.

    `numbered` adds the entry's number in the evidence log. `names` (Slack user id → name) are written instead of
    mentions: a new message that mentions somebody calls them.
    """
    who = _who(moment.by, alert, provider_title, names or {})
    if handed := _HANDED.get(moment.kind):
        line = handed(who, _named(moment, "to", names or {}), _named(moment, "from", names or {}))
    else:
        line = _SENTENCES.get(moment.kind, _unknown_kind)(alert, moment, who)
    line += _how(moment, provider_title)
    if names is None and moment.kind in _CALLS and (called := called_by(moment)):
        line = f"{line}, calling {' '.join(map(mention, called))}"
    quoted = _quoted(alert, moment, moments)
    if moment.text and not quoted:
        line = f"{line} — {slack_text(moment.text, 300)}"
    proof = f" · entry {moment.id:,}" if numbered else ""
    extras = _extras(alert.resolution) if alert.resolution and _carries_note(moment, moments) else ""
    small = context(f"{date(moment.at)} {line}{proof}", extras)
    return Telling(line=line, blocks=[small, *[quote(text) for text in quoted]])


def called_by(moment: Moment) -> list[str]:
    """The Slack users and groups whom a moment called."""
    called = moment.facts.get("called")
    return called.split() if isinstance(called, str) else []


def _how(moment: Moment, provider_title: str) -> str:
    """Where it was done, if not here; how it was found out, if not by a message."""
    there = f" in {slack_text(provider_title, 40)}" if moment.facts.get("via") else ""
    found = "; no message came, found by comparison" if moment.facts.get("verified_by") == COMPARISON else ""
    return there + found


def timeline_view(
    alert: Alert,
    moments: Sequence[Moment],
    *,
    left_out: int = 0,
    provider_title: str,
    page: int | None = None,
) -> dict[str, Any]:
    """Everything that happened, oldest first, in pages counted from 1; without `page`, the newest.

    `left_out` are the entries before `moments`, where there are too many to show.
    """
    told = [tell(alert, moment, provider_title, moments=moments, numbered=True) for moment in moments]
    pages = _pages([telling.blocks for telling in told])
    at = len(pages) if page is None else max(1, min(page, len(pages)))
    blocks = [section(_facts(alert)), *([quote(alert.text, 1000)] if alert.text.strip() and at == 1 else [])]
    blocks += pages[at - 1] or [context("Nothing has been recorded yet.")]
    blocks += _footer(alert, at, len(pages), len(moments), left_out)
    return {
        "type": "modal",
        "callback_id": "al_timeline",
        "title": plain(f"Timeline {number(alert)}", 24),
        "close": plain("Close", 24),
        "private_metadata": do.Target(alert.id, alert.version).metadata,
        "blocks": blocks,
    }


def resolution_blocks(alert: Alert) -> list[Block]:
    """How a resolved alert was resolved: who, when, and the whole note."""
    if alert.resolution is None or alert.resolved_at is None:
        return []
    who, took = mention(alert.resolved_by or ""), duration(alert.resolved_at - alert.triggered_at)
    cause = CAUSES[alert.resolution.cause]
    edited = f" · note edited by {mention(alert.amended_by)}" if alert.amended_by else ""
    line = f":white_check_mark: resolved by {who} {date(alert.resolved_at)}, after {took} · {cause}{edited}"
    return [context(line, _extras(alert.resolution)), *map(quote, _note(alert.resolution))]


Sentence = Callable[[Alert, Moment, str], str]


def _after(alert: Alert, moment: Moment) -> str:
    return duration(moment.at - alert.triggered_at)


def _snoozed(_: Alert, moment: Moment, who: str) -> str:
    try:
        until = f" until {date(datetime.fromisoformat(moment.facts['until']))}"
    except (KeyError, TypeError, ValueError):  # an entry of another version
        until = ""
    return f":zzz: snoozed by {who}{until}"


def _woke(_: Alert, moment: Moment, who: str) -> str:
    return ":alarm_clock: the snooze is over" if moment.by == "socmon" else f":alarm_clock: woken by {who}"


def _reopened(alert: Alert, _: Moment, who: str) -> str:
    earlier = f", continues A-{alert.previous_id}" if alert.previous_id else ""
    return f":repeat: reopened by {who}{earlier}"


def _reopened_as(_: Alert, moment: Moment, who: str) -> str:
    later = moment.facts.get("alert")
    return f":repeat: reopened by {who}, continues " + (
        f"in A-{later}" if isinstance(later, int) else "as a new alert"
    )


def _announced(_: Alert, moment: Moment, __: str) -> str:
    storm = moment.facts.get("storm")
    return f"shown in Slack in the digest of storm S-{storm}" if isinstance(storm, int) else "posted in Slack"


def _flapping(_: Alert, moment: Moment, __: str) -> str:
    told = (
        "the Engineering Lead is asked" if moment.facts.get("told") else "no Engineering Lead is known to ask"
    )
    return (
        f":warning: flapping: it fired again more than {MOST_FLAPS} times within an hour; {told} to raise its monitor's"
        " threshold, or how long it must hold"
    )


def _worsened(alert: Alert, moment: Moment, who: str) -> str:
    return (
        f":arrow_up: {who} says it is {slack_text(str(moment.facts.get('severity', alert.severity)), 10)} now"
    )


def _resolved(alert: Alert, moment: Moment, who: str) -> str:
    cause = next((f" · {words}" for cause, words in CAUSES.items() if cause == moment.facts.get("cause")), "")
    return f":white_check_mark: resolved by {who} after {_after(alert, moment)}{cause}"


def _reminded(alert: Alert, moment: Moment, _: str) -> str:
    return f":alarm_clock: reminder: {_waits_for(alert, moment)}"


def _escalated(alert: Alert, moment: Moment, who: str) -> str:
    target = TARGETS.get(str(moment.facts.get("target")), "somebody else")
    why = _waits_for(alert, moment) if moment.by == "socmon" else f"{who} asks for help"
    return f":rotating_light: escalated to {target}: {why}"


def _waits_for(alert: Alert, moment: Moment) -> str:
    if moment.facts.get("phase") != Phase.NOTE_MISSING:
        return f"nobody has acknowledged it after {_after(alert, moment)}"
    recovered = alert.recovered_at
    since = f", {duration(moment.at - recovered)} after it recovered" if recovered else ""
    return f"its resolution note is missing{since}"


def _named(moment: Moment, fact: str, names: Mapping[str, str]) -> str:
    user = moment.facts.get(fact)
    if not isinstance(user, str):
        return ""
    return slack_text(names[user], 80) if user in names else mention(user)


_HANDED: dict[str, Callable[[str, str, str], str]] = {
    "reassigned": lambda who, to, former: (
        f":handshake: handed to {to or 'somebody'}{f' from {former}' if former else ''} by {who}"
    ),
    "taken_over": lambda who, _, former: (
        f":handshake: taken over{f' from {former}' if former else ''} by {who}"
    ),
}
_CALLS = frozenset({"reminded", "escalated"})


def _act(moment: Moment) -> str:
    known = (words for act, words in TOOL_ACTS.items() if act == moment.facts.get("action"))
    return f"the {next(known, 'act')}"


def _told(_: Alert, moment: Moment, __: str) -> str:
    return f":arrows_counterclockwise: {_act(moment)} is in the tool, too"


def _not_told(_: Alert, moment: Moment, __: str) -> str:
    return f":x: {_act(moment)} is recorded here, and its tool was not told"


def _unknown_kind(_: Alert, moment: Moment, who: str) -> str:
    return f"{slack_text(moment.kind.replace('_', ' '), 60)} by {who}"


_SENTENCES: dict[str, Sentence] = {
    "announced": _announced,
    "triggered": lambda _, __, who: f":red_circle: triggered by {who}",
    "repeated": lambda _, __, who: f"reported again by {who}",
    "worsened": _worsened,
    "recovered": lambda _, __, who: f":large_blue_circle: recovered, says {who}",
    "refired": lambda _, __, who: f":red_circle: firing again, says {who}",
    "flapping": _flapping,
    "no_data": lambda _, __, who: f":grey_question: {who} has no data: nobody knows whether it lasts",
    "updated": lambda _, __, who: f"{who} says",
    "acknowledged": lambda alert, moment, who: (
        f":large_yellow_circle: acknowledged by {who} after {_after(alert, moment)}"
    ),
    "snoozed": _snoozed,
    "woke": _woke,
    "reminded": _reminded,
    "escalated": _escalated,
    "released": lambda _, __, who: f"released by {who}: nobody owns it now",
    "noted": lambda _, __, who: f":memo: note by {who}",
    "resolved": _resolved,
    "amended": lambda _, __, who: (
        f":memo: resolution note edited by {who}; the earlier revisions stay in the log"
    ),
    "reassigned": lambda _, __, who: f":bust_in_silhouette: given to somebody else by {who}",
    "told": _told,
    "retold": lambda _, moment, __: f"{_act(moment)} sent to the tool again, found missing there",
    "not_told": _not_told,
    "still_open": lambda _, __, ___: ":warning: resolved here, and its tool still says that it lasts",
    "reopened": _reopened,
    "reopened_as": _reopened_as,
}

_NOTES = frozenset({"noted", "reopened", "reassigned", "escalated"})
_RESOLUTIONS = frozenset({"resolved", "amended"})


def _who(by: str, alert: Alert, provider_title: str, names: Mapping[str, str]) -> str:
    if by == alert.provider:
        return slack_text(provider_title, 40)
    return slack_text(names[by], 80) if by in names else mention(by)


def _quoted(alert: Alert, moment: Moment, moments: Sequence[Moment]) -> list[str]:
    if alert.resolution and _carries_note(moment, moments):
        return _note(alert.resolution)
    return [moment.text] if moment.kind in _NOTES | _RESOLUTIONS and moment.text else []


def _carries_note(moment: Moment, moments: Sequence[Moment]) -> bool:
    newest = [m for m in moments or [moment] if m.kind in _RESOLUTIONS][-1:]
    return newest == [moment]


def _note(resolution: Resolution) -> list[str]:
    return [f"Found: {resolution.found or NOT_KEPT}", f"Done: {resolution.done or NOT_KEPT}"]


def _extras(resolution: Resolution) -> str:
    security = ":lock: Possible security event" if resolution.security else ""
    follow_up = link(resolution.follow_up, "Follow-up") if resolution.follow_up else ""
    return " · ".join(filter(None, [security, follow_up]))


def _facts(alert: Alert) -> str:
    component = f"{slack_text(alert.component, 100)} — " if alert.component else ""
    lines = [
        f"*{alert.severity} · {number(alert)}* {component}{subject(alert, 300)}",
        f"Condition {slack_text(alert.condition, 300)}" if alert.condition else "",
        f"Reported {some(alert.repeats + 1, 'time')} since {date(alert.triggered_at)}"
        if alert.repeats
        else "",
    ]
    return "\n".join(filter(None, lines))


def _pages(told: list[list[Block]]) -> list[list[Block]]:
    pages: list[list[Block]] = [[]]
    moments = size = 0
    for blocks in told:
        more = len(json.dumps(blocks))
        if moments == MOST_MOMENTS or (moments and size + more > MOST_BYTES):
            pages.append([])
            moments = size = 0
        pages[-1].extend(blocks)
        moments, size = moments + 1, size + more
    return pages


def _footer(alert: Alert, at: int, pages: int, moments: int, left_out: int) -> list[Block]:
    proof = (
        "Each line is an entry of the evidence log. `socmon evidence verify` proves that none was changed."
    )
    besides = f"; {some(left_out, 'earlier one')} left out here" if left_out else ""
    small = context(f"{some(moments, 'entry', 'entries')}{besides} · page {at} of {pages}", proof)
    return [small, actions(_turns(alert, at, pages))] if pages > 1 else [small]


def _turns(alert: Alert, at: int, pages: int) -> list[Element]:
    target = do.Target(alert.id, alert.version)
    earlier = button(
        "Earlier", do.EARLIER, target.command(str(at - 1)), spoken=f"Earlier entries of {number(alert)}"
    )
    later = button("Later", do.LATER, target.command(str(at + 1)), spoken=f"Later entries of {number(alert)}")
    return [*([earlier] if at > 1 else []), *([later] if at < pages else [])]
