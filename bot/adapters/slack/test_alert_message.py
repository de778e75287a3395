"""Test alerts in Slack: TEST in every line that a phone may show; how far it came, whom it asks, what became of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.adapters.slack import interactions as do
from bot.adapters.slack.blocks import Message
from bot.adapters.slack.elements import actions, button, context, section, sections
from bot.adapters.slack.text import date, mention, slack_text
from bot.adapters.slack.words import duration, some
from bot.domain.test_alert import Hop, Mode, PathStanding, Proof, TestAlert, Verdict
from bot.procedures.review_tests import YearOfTests

HOPS = {
    Hop.SENT: "submitted",
    Hop.RECEIVED: "received here",
    Hop.INCIDENT: "incident in PagerDuty",
    Hop.NOTIFIED: "notified by PagerDuty",
    Hop.SHOWN: "shown in this channel",
    Hop.TOLD: "direct message sent",
    Hop.SEEN: "received, says the person",
}
ICONS = {
    Verdict.DELIVERED: ":white_check_mark:",
    Verdict.FAILED: ":x:",
    Verdict.TIMED_OUT: ":x:",
    Verdict.NOT_RUN: ":heavy_minus_sign:",
}
MOST_LISTED = 40
SELF_TEST = (
    "A self-test: who asked for it is on call. It shows what is broken, and proves no path. Let somebody else send"
    " one."
)


def progress_message(test: TestAlert) -> Message:
    """In the channel where alerts of this path go, updated in place."""
    lines = [_title(test), *_hops(test)]
    result = _result(test)
    return Message(
        text=f"TEST {test.name}, no alert: {test.verdict or 'under way'}",
        blocks=[*sections([*lines, *([result] if result else [])]), context(*_small(test))],
    )


def asked_message(test: TestAlert) -> Message:
    """To whoever asked for it."""
    where = f"<#{test.channel}>" if test.channel else "the log"
    waits = f" It waits for {_person(test)} to say yes to being paged." if test.waits_for_consent else ""
    line = f":test_tube: Test {test.name} on {_way(test)} is under way.{waits} How far it comes: {where}."
    own = [context(SELF_TEST)] if test.is_self_test else []
    return Message(text=f"TEST {test.name} is under way", blocks=[section(line), *own])


def told_message(test: TestAlert) -> Message:
    """To the person on call."""
    line = f":test_tube: *TEST, no alert* — {test.name} came along {_way(test)}. Nothing is wrong."
    if test.mode is Mode.LIVE:
        line += " Your phone should have rung as well."
    received = button(
        "I received this", do.TEST_SEEN, str(test.id), spoken=f"I received test {test.name}", primary=True
    )
    return Message(
        text=f"TEST {test.name} from socmon, no alert: press “I received this”.",
        blocks=[
            section(line),
            actions([received]),
            context("Your click goes on record: alerts of this path reach you."),
        ],
    )


def seen_message(test: TestAlert) -> Message:
    """What stands in its place afterwards."""
    after = test.after(Hop.SEEN)
    took = f" {duration(after)} after it was sent" if after is not None else ""
    line = f":white_check_mark: *TEST, no alert* — you received {test.name}{took}. It is on record."
    return Message(text=f"TEST {test.name}, no alert: received", blocks=[section(line)])


def consent_message(test: TestAlert) -> Message:
    """To the person whom a live test will page."""
    asker = mention(test.asked_by) if test.asked_by else "An operator"
    line = (
        f":test_tube: *TEST* — {asker} wants to test {_way(test)} with a real page to you. Nothing is wrong. Your phone"
        " rings once you say yes."
    )
    yes = button(
        "OK, page me", do.TEST_AGREED, str(test.id), spoken=f"Page me for test {test.name}", primary=True
    )
    no = button("Not now", do.TEST_DECLINED, str(test.id), spoken=f"Do not page me for test {test.name}")
    return Message(
        text=f"TEST {test.name}: may socmon page you now?", blocks=[section(line), actions([yes, no])]
    )


def answered_message(test: TestAlert) -> Message:
    said = (
        "you said yes; your phone rings in a moment"
        if test.consent_by
        else "you said not now; nothing was sent"
    )
    return Message(text=f"TEST {test.name}", blocks=[section(f":test_tube: *TEST* {test.name}: {said}.")])


def list_message(year: YearOfTests) -> Message:
    """The paths with the age of their proof, then the newest tests."""
    lines = [
        "*Test alerts*: how fresh the proof of each path is",
        *(_standing(one, year.now) for one in year.standing),
    ]
    if not year.standing:
        lines.append("No path can be tested yet: `socmon test-alert setup` shows what it takes.")
    newest = list(reversed(year.tests))
    if newest:
        lines += ["*Lately*", *map(_line, newest[:MOST_LISTED])]
    if len(newest) > MOST_LISTED:
        lines.append(
            f"… and {some(len(newest) - MOST_LISTED, 'older test')}: `socmon test-alert list` lists all"
        )
    lines += [f":x: the weekly tests of {date(at)} were missed: socmon was down" for at in year.missed]
    hint = "`/socmon test PATH [COMPONENT] [live]` sends one. A test that you send yourself proves no path."
    ask = button("Send a test…", do.TEST_OPEN, "test", spoken="Choose a path and send a test alert")
    blocks = [*sections(lines), *([actions([ask])] if year.standing else []), context(hint)]
    return Message(text="Test alerts", blocks=blocks)


def _title(test: TestAlert) -> str:
    about = f" · {slack_text(test.component, 100)}" if test.component else ""
    return f":test_tube: *TEST {test.name}, no alert* · {_way(test)}{about} · {test.mode}"


def _way(test: TestAlert) -> str:
    return slack_text(test.title, 200)


def _person(test: TestAlert) -> str:
    return mention(test.person) if test.person else "somebody on call"


def _hops(test: TestAlert) -> Iterator[str]:
    """Those that have come, and what is waited for or broken."""
    for hop in test.expects:
        at = test.passed.get(hop)
        if at is not None:
            after = test.after(hop)
            took = "" if hop is Hop.SENT or after is None else f" ({_seconds(after)})"
            means = (
                f" by {slack_text(', '.join(test.means), 100)}" if hop is Hop.NOTIFIED and test.means else ""
            )
            yield f":white_check_mark: {HOPS[hop]}{means} {at:%H:%M:%S} UTC{took}"
        elif hop is test.broken:
            yield f":x: {HOPS[hop]}"
        elif test.is_over:
            yield f":heavy_minus_sign: {HOPS[hop]}"
        elif hop is Hop.SEEN and Hop.TOLD in test.passed:
            yield f":hourglass_flowing_sand: waiting for {_person(test)} to press “I received this”"
        else:
            yield f":hourglass_flowing_sand: {HOPS[hop]}"


def _result(test: TestAlert) -> str:
    if test.verdict is None:
        return ""
    if test.verdict is Verdict.DELIVERED:
        took = f" in {_seconds(test.took)}" if test.took is not None else ""
        return f"*{ICONS[test.verdict]} delivered{took}*"
    why = f" {slack_text(f'{test.cause.says} {test.cause.mend}', 600)}" if test.cause else ""
    at = f" at “{HOPS[test.broken]}”" if test.broken else ""
    return f"*{ICONS[test.verdict]} {test.verdict}{at}*\n{why}".strip()


def _small(test: TestAlert) -> Iterator[str]:
    if test.is_self_test:
        yield SELF_TEST
    if test.consent_by and test.consent_by != test.person and test.mode is Mode.LIVE:
        yield f"Paged without waiting for consent, by {mention(test.consent_by)}: {slack_text(test.reason, 300)}"
    if test.cleaned_at:
        yield f"Cleaned up: {slack_text(test.cleaning, 200)}"
    elif test.cleaning:
        yield f"Not cleaned up yet, it is tried again: {slack_text(test.cleaning, 200)}"
    asked = mention(test.asked_by) if test.asked_by else "the schedule" if test.on_schedule else "an operator"
    yield f"TEST only, counted nowhere · asked for by {asked} {date(test.asked_at)}"


def _standing(one: PathStanding, now: datetime) -> str:
    proof, path = one.proof(now), one.known.path
    proven = one.proven.ended_at if one.proven else None
    last = f"last proven {date(proven)}" if proven else "never proven"
    newest = one.newest
    broken = f" · {newest.name} broke at “{HOPS[newest.broken]}”" if newest and newest.broken else ""
    name, title = slack_text(path.id, 100), slack_text(path.title, 200)
    return f"{_PROOFS[proof]} `{name}` {title}: {proof}, {last}{broken}"


_PROOFS = {
    Proof.PROVEN: ":white_check_mark:",
    Proof.DUE: ":warning:",
    Proof.NEVER: ":warning:",
    Proof.OVERDUE: ":x:",
    Proof.BROKEN: ":x:",
}


def _line(test: TestAlert) -> str:
    icon = ICONS[test.verdict] if test.verdict else ":hourglass_flowing_sand:"
    broken = f" at “{HOPS[test.broken]}”" if test.broken else ""
    took = f" in {_seconds(test.took)}" if test.took is not None else ""
    due = " · scheduled" if test.on_schedule else " · self-test" if test.is_self_test else ""
    became = f"{test.mode}: {test.verdict or 'under way'}{broken}{took}{due}"
    return f"{icon} {test.name} {date(test.asked_at)} `{slack_text(test.path, 100)}` {became}"


def _seconds(length: timedelta | None) -> str:
    if length is None:
        return "?"
    return f"{max(0, round(length.total_seconds()))} s" if length < timedelta(minutes=2) else duration(length)
