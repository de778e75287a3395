"""How socmon itself is doing, for `/socmon status`: what needs a look first, then every part with its age."""

from datetime import datetime

from bot.adapters.slack.blocks import Message
from bot.adapters.slack.elements import Block, context, section
from bot.adapters.slack.text import date, own_words, slack_text
from bot.adapters.slack.words import ago, duration, some
from bot.domain.delivery import Result
from bot.domain.heartbeat import spoken
from bot.domain.status import IntakeGap, Problem, SourceStatus, Status
from bot.domain.validation import GREEN
from bot.domain.validation_log import summary

MOST_LISTED = 5
MOST_SOURCES = 20

_RESULTS: dict[Result, str] = {
    Result.ACCEPTED: "accepted",
    Result.DUPLICATE: "sent twice",
    Result.REFUSED: "refused",
    Result.UNREADABLE: "unreadable",
}


def status_message(status: Status) -> Message:
    troubles = status.troubles
    line = (
        f":warning: *{some(troubles, 'thing needs', 'things need')} a look*"
        if troubles
        else ":white_check_mark: *All is well*"
    )
    blocks = [
        section(line),
        *_problems(status),
        section(
            "\n".join(_source(source, status.at) for source in status.sources[:MOST_SOURCES]) or _NO_SOURCES
        ),
        *_gaps(status),
        section(f"{_slack(status)}\n{_log(status)}\n{_audit(status)}"),
        section("\n".join(_weeks(status))),
        context(f"socmon {slack_text(status.version, 40)} · {date(status.at)}"),
    ]
    return Message(text=line.split(" ", 1)[1].strip("*"), blocks=blocks)


_NO_SOURCES = (
    ":grey_question: No monitoring tool is connected. Add a `[providers.…]` table to the configuration."
)


def _problems(status: Status) -> list[Block]:
    listed = [section(_problem(problem, status.at)) for problem in status.problems[:MOST_LISTED]]
    return listed + _left(len(status.problems))


def _problem(problem: Problem, now: datetime) -> str:
    lasts = duration(now - problem.since)
    return f":x: *{slack_text(problem.subject, 80)}* for {lasts} — {own_words(problem.text)}"


def _source(source: SourceStatus, now: datetime) -> str:
    sign = _source_sign(source)
    last = (
        f"last delivery {ago(source.last_delivery_at, now)}"
        if source.last_delivery_at
        else "nothing received yet"
    )
    counts = [
        f"{source.results[result]:,} {word}"
        for result, word in _RESULTS.items()
        if source.results.get(result)
    ]
    day = f"24 h: {', '.join(counts)}" if counts else "24 h: none"
    test = f"last test {ago(source.last_test_at, now)}" if source.last_test_at else "never tested"
    return f"{sign} *{slack_text(source.title, 40)}* — {last} · {day} · {test}{_heartbeats(source, now)}"


def _heartbeats(source: SourceStatus, now: datetime) -> str:
    """Each heartbeat's age; of a tool without any, how long its silence is normal."""
    said = ""
    for pulse in source.pulses[:MOST_LISTED]:
        normal = (
            f"{spoken(pulse.allowed)} of silence are normal" if pulse.allowed else "silence not learned yet"
        )
        silent = " · *silent*" if pulse.silent_at else ""
        if pulse.key:
            heard = ago(pulse.heard_at, now) if pulse.heard_at else "never"
            said += f"\n      • {slack_text(pulse.name, 60)} {heard} · {normal}{silent}"
        else:
            said += f" · {normal}{silent}"
    return said


def _source_sign(source: SourceStatus) -> str:
    """A quiet tool may be well or cut off: nobody knows, and so says the sign."""
    if source.failed or any(pulse.silent_at for pulse in source.pulses):
        return ":warning:"
    return ":white_check_mark:" if source.results.get(Result.ACCEPTED) else ":grey_question:"


def _gaps(status: Status) -> list[Block]:
    if not status.gaps:
        return []
    lines = [_gap(gap) for gap in status.gaps[:MOST_LISTED]]
    return [
        section("\n".join(["*Deliveries that could not be read* (kept whole)", *lines])),
        *_left(len(status.gaps)),
    ]


def _gap(gap: IntakeGap) -> str:
    return f":warning: {date(gap.at)} {slack_text(gap.provider, 40)} — {slack_text(gap.why, 300)}"


def _left(amount: int) -> list[Block]:
    return [context(f"… and {amount - MOST_LISTED:,} more")] if amount > MOST_LISTED else []


def _slack(status: Status) -> str:
    if not status.lagging or status.lagging_since is None:
        return ":white_check_mark: *Slack* — in step with the records"
    sign = ":warning:" if status.is_slow else ":hourglass_flowing_sand:"
    since = ago(status.lagging_since, status.at)
    return f"{sign} *Slack* — {some(status.lagging, 'thread')} behind the records, the first since {since}"


def _weeks(status: Status) -> list[str]:
    """All in a line, and each week that is not as it should be."""
    due = [each for each in status.weeks if each.stands not in GREEN]
    sign = ":warning:" if due else ":white_check_mark:"
    left = [f"… and {len(due) - MOST_LISTED:,} more"] if len(due) > MOST_LISTED else []
    return [
        f"{sign} *Weekly validations* — {summary(status.weeks)}",
        *(f":x: {each.slot.week} — {slack_text(each.says, 300)}" for each in due[-MOST_LISTED:]),
        *left,
    ]


def _log(status: Status) -> str:
    entries = some(status.log_size, "entry", "entries")
    if status.checkpoint_at is None:
        return f":grey_question: *Evidence log* — {entries}, no signed checkpoint yet"
    age = ago(status.checkpoint_at, status.at)
    return f":white_check_mark: *Evidence log* — {entries}, last signed checkpoint {age}"


def _audit(status: Status) -> str:
    watch = status.watch
    if watch is None or watch.audited_at is None:
        return ":grey_question: *Self-audit* — none yet"
    if watch.faults:
        found = f":x: *Self-audit* — {own_words(' '.join(one.says for one in watch.faults))}"
    else:
        found = f":white_check_mark: *Self-audit* — all is well, {ago(watch.audited_at, status.at)}"
    if watch.ping_problem:
        return f"{found} · :warning: not told outside: {own_words(watch.ping_problem)}"
    told = f"told outside {ago(watch.pinged_at, status.at)}" if watch.pinged_at else "nobody outside is told"
    return f"{found} · {told}"
