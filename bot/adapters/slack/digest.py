"""The message of a storm, and the list that opens from it: many alerts at a glance, and what can be done to all."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from bot.adapters.slack import interactions as do
from bot.adapters.slack.blocks import Message
from bot.adapters.slack.elements import (
    Block,
    Element,
    actions,
    button,
    context,
    option,
    plain,
    question_block,
    section,
)
from bot.adapters.slack.forms import resolution_fields
from bot.adapters.slack.text import DateForm, date, mention, own_words, slack_text, utc
from bot.adapters.slack.words import Look, look, number, some, subject
from bot.domain.alert import Alert
from bot.domain.storm import Digest, Group, Storm, StormRule

MOST_MENTIONS = 5
MOST_REASONS = 5
PAGE = 20
IN_A_GROUP = 10  # Slack shows so many checkboxes in one block
TICKS = "ticks"

View = dict[str, Any]


def digest_message(
    storm: Storm, digest: Digest, *, rule: StormRule | None, notices: Sequence[str] = ()
) -> Message:
    """What is happening, where it began, how far people are, and what can be done to all of it.

    `rule` says when the storm is over; without it storms are switched off.
    """
    return Message(
        text=_notification(storm, digest),
        blocks=[
            section(f"{_look(storm, digest)} *{_headline(storm, digest)}*\n{_progress(digest)}"),
            section(_groups(digest)),
            context(
                _calling(digest), _rules(storm, rule), *(f":warning: {slack_text(n, 150)}" for n in notices)
            ),
            actions(_buttons(storm, digest), f"st:{storm.id}:r{storm.revision}"),
        ],
    )


def _look(storm: Storm, digest: Digest) -> str:
    if storm.ended_at is None:
        return ":rotating_light:"
    if digest.waiting:
        return Look.FIRING
    if digest.open:
        return Look.NOTE_NEEDED if digest.recovered == digest.open else Look.ACKNOWLEDGED
    return Look.RESOLVED


def _headline(storm: Storm, digest: Digest) -> str:
    began = date(digest.first.triggered_at, DateForm.TIME)
    if storm.ended_at is None:
        return f"Alert storm · {some(digest.alerts, 'alert')} since {began}"
    return f"Alert storm over · {some(digest.alerts, 'alert')} from {began} to {date(storm.ended_at, DateForm.TIME)}"


def _progress(digest: Digest) -> str:
    if not digest.open:
        return "All are resolved."
    parts = [
        f"{digest.waiting:,} not acknowledged" if digest.waiting else "",
        f"{digest.acknowledged:,} acknowledged" if digest.acknowledged else "",
        f"{digest.resolved:,} resolved" if digest.resolved else "",
    ]
    over = f" · {digest.recovered:,} recovered, note needed" if digest.recovered else ""
    return ", ".join(filter(None, parts)) + over


def _groups(digest: Digest) -> str:
    first = digest.first
    lines = [
        f"Began with {number(first)}: *{_component(first.component)}* — {subject(first)}",
        *(_group(each, began=at == 0 and digest.components > 1) for at, each in enumerate(digest.groups)),
    ]
    left = digest.components - len(digest.groups)
    if left:
        rest = digest.alerts - sum(each.alerts for each in digest.groups)
        lines.append(f"• {some(left, 'more component')}: {some(rest, 'alert')}")
    return "\n".join(lines)


def _group(group: Group, *, began: bool) -> str:
    done = "" if group.open else ", all resolved"
    first = ", the first" if began else ""
    return f"• {_component(group.component)}: {some(group.alerts, 'alert')}, {group.worst}{first}{done}"


def _component(name: str) -> str:
    return slack_text(name, 60).replace(":", "∶") or "no component"


def _calling(digest: Digest) -> str:
    called = digest.first.on_call[:MOST_MENTIONS]
    if not digest.open:
        return ""
    return f"On call {' '.join(map(mention, called))}" if called else "On call: nobody is configured"


def _rules(storm: Storm, rule: StormRule | None) -> str:
    each = f"S-{storm.id} · each alert has its own record and timeline"
    if storm.spared:
        apart = ", ".join(f"A-{one}" for one in storm.spared)
        each += f"; {apart} (SEV1) {'has its' if len(storm.spared) == 1 else 'have their'} own thread"
    if storm.ended_at is not None or rule is None:
        return f"{each}. New alerts get threads of their own again."
    minutes = f"{rule.window.total_seconds() / 60:g} min"
    return f"{each}. Single threads resume below {rule.threshold} alerts in {minutes}."


def _notification(storm: Storm, digest: Digest) -> str:
    what = "Alert storm" if storm.ended_at is None else "Alert storm over"
    component = f"{_component(digest.first.component)} — " if digest.first.component else ""
    began = f"{what}: {some(digest.alerts, 'alert')} since {utc(digest.first.triggered_at)}"
    parts = [
        began,
        f"first {component}{subject(digest.first)}",
        _progress(digest).rstrip("."),
        _calling(digest),
    ]
    return ". ".join(filter(None, [*parts, f"S-{storm.id}"]))


def _buttons(storm: Storm, digest: Digest) -> list[Element]:
    shown = do.Target(storm.id, digest.newest).value
    listed = button("Open list", do.STORM_LIST, shown, spoken=f"Open the list of storm S-{storm.id}")
    if not digest.waiting:
        return [listed]
    return [_acknowledge(storm, digest) | {"confirm": _confirm(digest.waiting)}, listed]


def _acknowledge(storm: Storm, digest: Digest) -> Element:
    return button(
        f"Acknowledge all {digest.waiting:,}",
        do.STORM_ACKNOWLEDGE,
        do.Target(storm.id, digest.newest).value,
        spoken=f"Acknowledge all {some(digest.waiting, 'alert')} of storm S-{storm.id}",
        primary=True,
    )


def _confirm(waiting: int) -> Element:
    alerts = some(waiting, "alert")
    return {
        "title": plain(f"Acknowledge {alerts}?", 100),
        "text": plain(
            f"{alerts} that nobody has acknowledged {'becomes' if waiting == 1 else 'become'} yours. Each gets its own"
            " entry in the record.",
            300,
        ),
        "confirm": plain("Acknowledge", 30),
        "deny": plain("Cancel", 30),
    }


# The list


def storm_list(
    storm: Storm,
    digest: Digest,
    alerts: Sequence[Alert],
    *,
    page: int,
    ticked: Collection[int],
    now: datetime,
    said: str = "",
) -> View:
    """One page of the open alerts, most severe first. `said` is what has just been done.

    `ticked` are the chosen ones of all pages; without any, what is done is done to all.
    """
    target = do.Listed(storm.id, digest.newest, page, tuple(sorted(ticked)))
    pages = max(1, -(-digest.open // PAGE))
    name = f"st:{storm.id}:p{page}:r{storm.revision}"
    blocks: list[Block] = [section(own_words(said))] if said else []
    blocks.append(context(_summary(digest, page, pages, target.ticked)))
    if digest.waiting:  # on top, so that nobody has to scroll for it
        label = plain(f"Acknowledge ticked, or all {digest.waiting:,}")
        acknowledge = _acknowledge(storm, digest) | {"action_id": do.STORM_ACKNOWLEDGE_LISTED, "text": label}
        blocks.append(actions([acknowledge], f"{name}:all"))
    blocks += [
        _boxes(alerts[start : start + IN_A_GROUP], target, start, now)
        for start in range(0, len(alerts), IN_A_GROUP)
    ]
    if turns := _turns(storm, page, pages):
        blocks.append(actions(turns, f"{name}:turn"))
    view: View = {
        "type": "modal",
        "callback_id": do.STORM_LIST_FORM,
        "title": plain(f"Alert storm S-{storm.id}", 24),
        "close": plain("Close", 24),
        "private_metadata": target.metadata,
        "blocks": blocks,
    }
    return view | {"submit": plain("Resolve…", 24)} if digest.open else view


def _summary(digest: Digest, page: int, pages: int, ticked: Sequence[int]) -> str:
    if not digest.open:
        return f":white_check_mark: All {digest.alerts:,} alerts are resolved."
    elsewhere = f" · {some(len(ticked), 'alert')} ticked so far" if ticked else ""
    return (
        f"{some(digest.open, 'open alert')}: {_progress(digest)} · page {page} of {pages}{elsewhere}\n"
        "*Resolve…* and *Acknowledge* are for the ticked ones; when none is ticked, for all."
        " One alert's record: `/socmon log A-…`"
    )


def _boxes(alerts: Sequence[Alert], target: do.Listed, start: int, now: datetime) -> Block:
    options = [_option(alert, now) for alert in alerts]
    element: Element = {"type": "checkboxes", "action_id": TICKS, "options": options}
    picked = [each for alert, each in zip(alerts, options, strict=True) if alert.id in target.ticked]
    if picked:
        element["initial_options"] = picked
    # A name of its own for each page and each state of it: Slack keeps what was ticked under the same name.
    name = f"{TICKS}:{target.page}:{start}:{alerts[0].id}:{len(alerts)}:{target.newest}"
    place = (target.page - 1) * PAGE + start
    label = f"{place + 1} to {place + len(alerts)}" if len(alerts) > 1 else f"{place + 1}"
    return question_block(name, label, element, optional=True)


def _option(alert: Alert, now: datetime) -> Element:
    component = f" · {alert.component}" if alert.component else ""
    text = f"{number(alert)} · {alert.severity} · {_state(alert, now)}{component}"
    return option(text, str(alert.id)) | {"description": plain(alert.title or alert.condition)}


def _state(alert: Alert, now: datetime) -> str:
    """Without names or times, which plain text cannot show."""
    return {
        Look.FIRING: "Firing",
        Look.NO_DATA: "No data",
        Look.ACKNOWLEDGED: "Acknowledged",
        Look.SNOOZED: "Snoozed",
        Look.NOTE_NEEDED: "Recovered, note needed",
        Look.RESOLVED: "Resolved",
    }[look(alert, now)]


def _turns(storm: Storm, page: int, pages: int) -> list[Element]:
    def turn(label: str, action_id: str, to: int) -> Element:
        return button(label, action_id, str(to), spoken=f"{label} page of storm S-{storm.id}")

    previous = [turn("Previous", do.STORM_PREVIOUS, page - 1)] if page > 1 else []
    return [*previous, *([turn("Next", do.STORM_NEXT, page + 1)] if page < pages else [])]


def ticked_here(view: View) -> tuple[set[int], set[int]]:
    """(what is ticked on the page that is open, all that it offers)."""
    values = (view.get("state") or {}).get("values") or {}
    ticked, offered = set(), set()
    for block in view["blocks"]:
        if block["type"] == "input" and block["element"]["type"] == "checkboxes":
            offered |= {int(each["value"]) for each in block["element"]["options"]}
            chosen = (values.get(block["block_id"]) or {}).get(TICKS) or {}
            ticked |= {int(each["value"]) for each in chosen.get("selected_options") or ()}
    return ticked, offered


def resolve_all_form(listed: do.Listed, alert_ids: Sequence[int], *, firing: int) -> View:
    """Asks for the one note that resolves all of them."""
    many = some(len(alert_ids), "alert")
    some_of = ", ".join(f"A-{each}" for each in alert_ids[:10])
    more = f" … and {some(len(alert_ids) - 10, 'more', 'more')}" if len(alert_ids) > 10 else ""
    warning = f":warning: {firing:,} of them still firing, say their sources." if firing else ""
    return {
        "type": "modal",
        "callback_id": do.STORM_RESOLVE_FORM,
        "title": plain(f"Resolve {many}", 24),
        "submit": plain(f"Resolve {len(alert_ids):,}", 24),
        "close": plain("Back", 24),
        "private_metadata": listed.metadata,
        "blocks": [
            context(f"{some_of}{more}", "Each gets this note in its own record.", warning),
            *resolution_fields(None),
        ],
    }


def report(verb: str, done: int, skipped: Sequence[tuple[int, str]], newer: int = 0) -> str:
    """What came of an act on many alerts, in one sentence or a few lines."""
    lines = [f"{some(done, 'alert')} {verb}."]
    if skipped:
        lines.append(f"{some(len(skipped), 'alert')} skipped:")
        lines += [f"• {why.replace(' Nothing changed.', '')}" for _, why in skipped[:MOST_REASONS]]
        if len(skipped) > MOST_REASONS:
            lines.append(f"• … and {len(skipped) - MOST_REASONS:,} more for such reasons")
    if newer:
        lines.append(
            f"{some(newer, 'newer alert')} came after what you saw, so nothing was done to"
            f" {'it' if newer == 1 else 'them'}."
        )
    return "\n".join(lines)
