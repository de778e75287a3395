"""Messages about one alert: the parent, which always shows its present state, and its thread's replies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.adapters.slack import interactions as do
from bot.adapters.slack.elements import Block, Element, actions, button, context, mrkdwn, overflow, section
from bot.adapters.slack.text import date, link, mention, plain_text, slack_text
from bot.adapters.slack.timeline import NOT_KEPT, TARGETS, Telling, called_by, tell
from bot.adapters.slack.words import CAUSES, SOURCES, TOOL_ACTS, Look, duration, look, number, state, subject
from bot.domain.alert import Alert, NoAction, Response, Source
from bot.domain.escalation import Phase
from bot.domain.thread import Moment
from bot.domain.tool import ToolState, WriteState

MOST_BLOCKS = 45
MOST_LETTERS = 11_000  # of all blocks of one message; Slack refuses some 13,000
MOST_MENTIONS = 5
MOST_CALLS = 3  # in one reply; older ones are told in small print
MOST_CHOICES = 5  # in a menu
MOST_NOTIFIED = 3500
NEVER = NoAction(severities=frozenset())
RECOVERED_BY_ITSELF = "Recovered by itself, no action"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What Slack is sent. `text` is the phone's notification and what a screen reader reads first."""

    text: str
    blocks: list[Block]


def alert_message(
    alert: Alert,
    *,
    revision: int,
    now: datetime,
    provider_title: str,
    notices: Sequence[str] = (),
    no_action: NoAction = NEVER,
    tool: ToolState | None = None,
) -> Message:
    """The parent: one line to know what is wrong, the facts in small print, and what can be done now.

    `notices` are trouble with this message itself ("possible duplicate"); `no_action` is the policy for alerts that
    were over by themselves; `tool` is how far the alert's tool was told.
    """
    block_id = f"al:{alert.id}:v{alert.version}:r{revision}"
    return Message(
        text=_notification(alert, now),
        blocks=[
            section(_headline(alert, now)),
            context(
                _origin(alert, now, provider_title),
                _people(alert),
                _in_step(tool, provider_title),
                *_warnings(notices),
            ),
            actions(_controls(alert, now, no_action), block_id),
        ],
    )


def calling_nobody_of(names: Mapping[str, str], message: Message) -> Message:
    """The same message, with these people (Slack user id → name) written by their names: they know already."""
    marks = {mention(user): slack_text(name, 60).replace(":", "∶") for user, name in names.items()}

    def written(part: Any) -> Any:
        match part:
            case str():
                for mark, name in marks.items():
                    part = part.replace(mark, name)
                return part
            case dict():
                return {key: written(value) for key, value in part.items()}
            case list():
                return [written(each) for each in part]
            case _:
                return part

    return Message(text=written(message.text), blocks=written(message.blocks))


def thread_reply(
    alert: Alert,
    moments: Sequence[Moment],
    *,
    provider_title: str,
    names: Mapping[str, str] | None = None,
    mention: bool = True,
    no_action: NoAction = NEVER,
) -> Message:
    """One reply for the moments that Slack has not shown yet, oldest first.

    Whom a moment calls (a reminder, an escalation, a hand-over), and nobody else, is mentioned, unless it is settled
    by now; everybody else is written by their `names` (Slack user id → name). When the source has recovered and nobody
    has said why, it asks the owner (else who is on call) for the note; with `mention` false it asks without calling
    anybody.
    """
    news = [moment for moment in moments if moment.kind != "announced"] or moments
    told = [_told(alert, moment, provider_title, moments=news, names=names) for moment in news]
    blocks: list[Block] = []
    for shown, telling in enumerate(told):
        longer = _joined(blocks, telling.blocks)
        if len(longer) > MOST_BLOCKS or letters(longer) > MOST_LETTERS:
            blocks.append(
                context(
                    f"… and {len(told) - shown} more: choose *Timeline &amp; evidence* in the ⋯ menu above."
                )
            )
            break
        blocks = longer
    text = f"{number(alert)}: {'; '.join(telling.line for telling in told[:5])}"
    if asks_for_note(alert, moments):
        request = _note_request(alert, called=mention)
        blocks += [section(request), actions(_asking(alert, no_action))]
        text = f"{text}. {request}"
    elif any(is_calling(alert, one) and one.kind != "taken_over" for one in news[-MOST_CALLS:]):
        blocks.append(actions(quick_buttons(alert, no_action)))
    return Message(text=text[:MOST_NOTIFIED], blocks=blocks)


def is_calling(alert: Alert, moment: Moment) -> bool:
    """Whether somebody is called by it whom it still concerns, as the alert is now."""
    match moment.kind:
        case "reminded" | "escalated" if moment.facts.get("phase") == Phase.NOTE_MISSING:
            matters = alert.note_needed
        case "reminded" | "escalated" if moment.by == "socmon":
            matters = alert.response is Response.TRIGGERED and not alert.note_needed
        case "reassigned":
            matters = alert.owner == moment.facts.get("to")
        case "woke":
            matters = alert.snoozed_until is None
        case _:
            matters = True
    return matters and alert.is_open and bool(called_by(moment))


def quick_buttons(alert: Alert, no_action: NoAction = NEVER) -> list[Element]:
    """The two likeliest things to do, for those who are called."""
    if alert.note_needed:
        return _asking(alert, no_action)
    resolve = _button(alert, "Resolve…", do.RESOLVE)
    if alert.response is Response.TRIGGERED:
        return [_primary(_button(alert, "Acknowledge", do.ACKNOWLEDGE)), _escalate_button(alert)]
    return [_primary(resolve), _button(alert, "Snooze 30 min", do.SNOOZE)]


def _told(
    alert: Alert,
    moment: Moment,
    provider_title: str,
    *,
    moments: Sequence[Moment],
    names: Mapping[str, str] | None,
) -> Telling:
    """A moment as the thread tells it: a call in large print, everything else in small."""
    telling = tell(alert, moment, provider_title, moments=moments, names=names)
    if moment not in moments[-MOST_CALLS:] or not is_calling(alert, moment):
        return telling
    line = f"{_called(called_by(moment))} {telling.line} ({number(alert)}){_following(moment)}"
    return Telling(line=line, blocks=[section(line), *telling.blocks[1:]])


def _following(moment: Moment) -> str:
    """Whom the clock calls next, and when."""
    try:
        at = datetime.fromisoformat(moment.facts["next_at"])
        return f". {TARGETS[moment.facts['next']].capitalize()} is called {date(at)}"
    except (KeyError, TypeError, ValueError):  # nobody, or an entry of another version
        return ""


def _asking(alert: Alert, no_action: NoAction) -> list[Element]:
    by_itself = [_button(alert, RECOVERED_BY_ITSELF, do.NO_ACTION)] if no_action.allows(alert) else []
    return [_note_button(alert), *by_itself]


def _escalate_button(alert: Alert) -> Element:
    return _button(alert, "Escalate now…", do.ESCALATE)


def asks_for_note(alert: Alert, moments: Sequence[Moment]) -> bool:
    """Whether a reply about these moments asks for the resolution note."""
    return alert.note_needed and any(moment.kind == "recovered" for moment in moments)


def _headline(alert: Alert, now: datetime) -> str:
    shown = look(alert, now)
    bold = " · ".join(filter(None, [alert.severity, state(alert, now), slack_text(alert.component, 60)]))
    about = _resolution(alert) if shown is Look.RESOLVED else subject(alert) + _value(alert)
    return f"{shown} *{bold}* — {about}"


def _value(alert: Alert) -> str:
    if not alert.value or alert.source is not Source.FIRING or not alert.is_open:
        return ""
    return f" (now {slack_text(alert.value, 40)})"


def _resolution(alert: Alert) -> str:
    note = alert.resolution
    if note is None:
        return "its note is no longer kept"
    flag = "possible security event, " if note.security else ""
    return f"{flag}{CAUSES[note.cause]}: {slack_text(note.done, 150) or NOT_KEPT}"


def _origin(alert: Alert, now: datetime, provider_title: str) -> str:
    surprise = _surprise(alert, now)
    runbook = link(alert.runbook, "Runbook") if alert.is_open else ""
    parts = [
        "" if alert.is_open else subject(alert, 80),
        f"{link(alert.url, provider_title)} says {surprise}" if surprise else link(alert.url, provider_title),
        runbook if runbook.startswith("<") else "",
        number(alert),
        f"earlier: A-{alert.previous_id}" if alert.previous_id else "",
    ]
    return " · ".join(filter(None, parts))


def _surprise(alert: Alert, now: datetime) -> str:
    """What the source says, where the headline does not say it and it is not what one would expect."""
    expected = Source.FIRING if alert.is_open else Source.RECOVERED
    if alert.source is expected or look(alert, now) in {Look.NO_DATA, Look.NOTE_NEEDED}:
        return ""
    return SOURCES[alert.source]


def _people(alert: Alert) -> str:
    parts = [
        _responsible(alert),
        f"opened {date(alert.triggered_at)}",
        _acknowledged(alert),
        f"recovered and fired again {alert.flaps}×" if alert.flaps else "",
        f"note edited by {mention(alert.amended_by)}" if alert.amended_by else "",
    ]
    return " · ".join(filter(None, parts))


def _acknowledged(alert: Alert) -> str:
    if alert.is_open or alert.acknowledged_at is None:
        return ""
    return f"acknowledged after {duration(alert.acknowledged_at - alert.triggered_at)}"


def _responsible(alert: Alert) -> str:
    if alert.owner:
        return "" if alert.owner == alert.resolved_by else f"Owner {mention(alert.owner)}"
    if not alert.is_open:
        return ""
    return f"On call {_called(alert.on_call)}" if alert.on_call else "On call: nobody is configured"


def _called(names: Sequence[str]) -> str:
    return " ".join(mention(name) for name in names[:MOST_MENTIONS])


def _in_step(tool: ToolState | None, title: str) -> str:
    """Whether the tool knows what was done here, with why it does not."""
    if tool is None:
        return ""
    act, why = TOOL_ACTS[tool.action], f" ({slack_text(tool.detail, 150)})" if tool.detail else ""
    match tool.state:
        case WriteState.DONE:
            return f":white_check_mark: {title} knows"
        case WriteState.PENDING if tool.waits_since:
            return f":hourglass_flowing_sand: {title} does not answer{why}; the {act} is saved here and told again"
        case WriteState.PENDING:
            return f":hourglass_flowing_sand: telling {title}"
        case WriteState.FAILED:
            return f":x: {title} has not been told of the {act}{why}; it is told once it answers again"
        case WriteState.REFUSED:
            return f":x: {title} refused the {act}{why}; do it there by hand"


def _warnings(notices: Sequence[str]) -> list[str]:
    return [f":warning: {slack_text(notice, 150)}" for notice in notices[:3]]


def _notification(alert: Alert, now: datetime) -> str:
    """Line 1 in plain words. The mention is what rings a phone, so it stands in the first post as well."""
    condition = state(alert, now, plain=True)
    component = f"{slack_text(alert.component, 60)} — " if alert.component else ""
    about = (
        f"{alert.severity} {condition[0].lower()}{condition[1:]}: {component}{subject(alert)}{_value(alert)}"
    )
    return ". ".join(filter(None, [about, _responsible(alert), number(alert)]))


def _controls(alert: Alert, now: datetime, no_action: NoAction) -> list[Element]:
    """At most two buttons, the likeliest first, and a menu for the rest."""
    acknowledge = _button(alert, "Acknowledge", do.ACKNOWLEDGE)
    resolve = _button(alert, "Resolve…", do.RESOLVE)
    snooze = _button(alert, "Snooze 30 min", do.SNOOZE)
    unowned = alert.response is Response.TRIGGERED
    release = [] if unowned else [("Release", do.RELEASE)]
    match look(alert, now):
        case Look.FIRING | Look.NO_DATA:
            return [
                _primary(acknowledge),
                resolve,
                _more(alert, ("Snooze 30 min", do.SNOOZE_30), _SNOOZE, _REASSIGN, _ESCALATE),
            ]
        case Look.ACKNOWLEDGED:
            return [_primary(resolve), snooze, _more(alert, _NOTE, _REASSIGN, _ESCALATE, *release)]
        case Look.SNOOZED:
            return [
                _button(alert, "Wake now", do.WAKE),
                resolve,
                _more(alert, _SNOOZE, _NOTE, _REASSIGN, *release),
            ]
        case Look.NOTE_NEEDED:
            by_itself = [(RECOVERED_BY_ITSELF, do.CLOSE_NO_ACTION)] if no_action.allows(alert) else []
            wake = [("Wake now", do.WAKE_NOW)] if alert.snoozed_until else []
            more = _more(alert, *by_itself, *wake, _REASSIGN, _NOTE, *release)
            return [_note_button(alert), *([acknowledge] if unowned else []), more]
        case Look.RESOLVED:
            return [_more(alert, ("Reopen…", do.REOPEN), ("Edit note…", do.AMEND), _NOTE)]


_SNOOZE = ("Snooze…", do.SNOOZE_FOR)
_REASSIGN = ("Reassign…", do.REASSIGN)
_ESCALATE = ("Escalate now…", do.ESCALATE_NOW)
_NOTE = ("Add note…", do.NOTE)


def _target(alert: Alert) -> do.Target:
    return do.Target(alert.id, alert.version)


def _button(alert: Alert, label: str, action_id: str) -> Element:
    spoken = (
        f"{label.rstrip('…')} {number(alert)}, {alert.severity} {plain_text(alert.component, 30)}".rstrip()
    )
    return button(label, action_id, _target(alert).value, spoken=spoken)


def _primary(element: Element) -> Element:
    return element | {"style": "primary"}


def _note_button(alert: Alert) -> Element:
    return _primary(_button(alert, "Add resolution note…", do.RESOLVE))


def _more(alert: Alert, *options: tuple[str, str]) -> Element:
    every = [*options[: MOST_CHOICES - 1], ("Timeline & evidence", do.TIMELINE)]
    return overflow(do.MORE, [(label, _target(alert).command(name)) for label, name in every])


def _note_request(alert: Alert, *, called: bool) -> str:
    who = [alert.owner] if alert.owner else list(alert.on_call)
    calling = f"{_called(who)} " if called and who else ""
    question = f"{number(alert)} has recovered. What did you find, and what did you do?"
    return f"{calling}{question} The alert stays open until somebody says so."


def _joined(blocks: list[Block], more: list[Block]) -> list[Block]:
    """Both, with neighbouring small print as one block, so that a burst of facts reads as one list."""
    if not blocks or not more or {blocks[-1]["type"], more[0]["type"]} != {"context"}:
        return [*blocks, *more]
    both = f"{blocks[-1]['elements'][0]['text']}\n{more[0]['elements'][0]['text']}"
    if len(both) > 2900:
        return [*blocks, *more]
    return [*blocks[:-1], {"type": "context", "elements": [mrkdwn(both)]}, *more[1:]]


def letters(blocks: list[Block]) -> int:
    """How much there is to read."""
    return sum(
        len(b["text"]["text"]) if "text" in b else len(b["elements"][0].get("text", "")) for b in blocks
    )
