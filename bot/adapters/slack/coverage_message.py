"""Coverage, for `/socmon coverage`: how much of each kind is covered, gaps with reason and mend, the tools' ages."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.adapters.slack.blocks import MOST_LETTERS, Message, letters
from bot.adapters.slack.elements import Block, context, section, sections
from bot.adapters.slack.text import date, slack_text
from bot.adapters.slack.words import ago, duration, some
from bot.domain.answers import Age
from bot.domain.component import MEASURES, Kind, Measure
from bot.domain.coverage import Interval, Run, State
from bot.domain.monitor_change import MonitorChange
from bot.domain.spending import spending
from bot.procedures.assess_coverage import CoverageAnswer

MOST_GAPS = 15
MOST_CHANGES = 20
SIGNS: Mapping[State, str] = {
    State.COVERED: ":white_check_mark:",
    State.GAP: ":x:",
    State.UNKNOWN: ":grey_question:",
}


def coverage_message(answer: CoverageAnswer, *, titles: Mapping[str, str]) -> Message:
    """For one person's eyes. As many gaps as Slack takes; the rest is counted."""
    if answer.component:
        return _component(answer, titles)
    head = _head(answer)
    blocks: list[Block] = [section(head), *sections(_kinds(answer.run))]
    small = context(
        *_ages(answer, titles),
        *_spending(answer, titles),
        *(f":warning: {slack_text(each, 300)}" for each in answer.standard_due),
        f"As assessed {date(answer.run.at)}",
    )
    shown = 0
    for gap in answer.gaps[:MOST_GAPS]:
        more = [*blocks, section(_gap(gap, answer.now))]
        if letters(more) > MOST_LETTERS:
            break
        blocks, shown = more, shown + 1
    left = sum(answer.counts.values()) - shown
    if left > 0:
        blocks.append(context(f"… and {some(left, 'more gap')}: `socmon coverage --csv` lists all"))
    return Message(text=head.replace("*", ""), blocks=[*blocks, small])


def lost_message(lost: Sequence[MonitorChange], *, titles: Mapping[str, str]) -> Message:
    """Monitors that watch less than before, old → new."""
    line = f"{some(len(lost), 'monitor watches', 'monitors watch')} less than before"
    lines = [_lost(change, titles) for change in lost[:MOST_CHANGES]]
    left = [f"… and {len(lost) - MOST_CHANGES} more"] if len(lost) > MOST_CHANGES else []
    return Message(text=line, blocks=[section(f":warning: *{line}*"), *sections([*lines, *left])])


def _head(answer: CoverageAnswer) -> str:
    cells = sum(answer.run.total(state) for state in State)
    covered, gaps, unknown = (answer.run.total(state) for state in State)
    sign = SIGNS[State.GAP if gaps else State.UNKNOWN if unknown else State.COVERED]
    return (
        f"{sign} *{covered:,} of {cells:,} covered* · {some(gaps, 'gap')} · {unknown:,} unknown"
        f" · {some(answer.run.components, 'component')}, {answer.run.excluded:,} excluded"
    )


def _kinds(run: Run) -> list[str]:
    return [
        f"*{kind.replace('_', ' ')}* "
        + " · ".join(_measure(run, kind, measure) for measure in MEASURES[kind])
        for kind in Kind
        if any(of is kind for of, _ in run.tally)
    ]


def _measure(run: Run, kind: Kind, measure: Measure) -> str:
    counts = run.tally.get((kind, measure), {})
    worst = next((each for each in (State.GAP, State.UNKNOWN) if counts.get(each)), State.COVERED)
    return f"{SIGNS[worst]} {measure.replace('_', ' ')} {counts.get(State.COVERED, 0):,}/{sum(counts.values()):,}"


def _component(answer: CoverageAnswer, titles: Mapping[str, str]) -> Message:
    item = answer.component
    assert item is not None, "the caller asked for one"  # noqa: S101 - by construction
    component, out = item.component, {gap.measure: gap for gap in answer.gaps}
    kind = component.kind.replace("_", " ")
    head = f"*{slack_text(component.name, 100)}* · {kind} · {slack_text(component.key, 150)}"
    if not item.counts(answer.now):
        reason = item.exclusion.reason if item.exclusion else ""
        lines = [f":heavy_minus_sign: Excluded on purpose — {slack_text(reason, 300)}"]
    else:
        lines = [
            _gap(out[measure], answer.now, named=False)
            if measure in out
            else f"{SIGNS[State.COVERED]} *{measure}*"
            for measure in MEASURES[component.kind]
        ]
    small = context(*_ages(answer, titles), f"As assessed {date(answer.run.at)}")
    return Message(text=head.replace("*", ""), blocks=[section(head), *sections(lines), small])


def _gap(gap: Interval, now: datetime, *, named: bool = True) -> str:
    where = f" of {slack_text(gap.key, 120)}" if named else ""
    why = " ".join(slack_text(f"{each.says} {each.mend}", 500) for each in gap.shortfalls)
    return f"{SIGNS[gap.state]} *{gap.measure}*{where} for {duration(now - gap.since)} — {why}"


def _ages(answer: CoverageAnswer, titles: Mapping[str, str]) -> list[str]:
    return [_age(age, answer, titles) for age in answer.ages]


def _age(age: Age, answer: CoverageAnswer, titles: Mapping[str, str]) -> str:
    title = slack_text(titles.get(age.provider, age.provider), 40)
    told = f"told in full {ago(age.whole_at, answer.now)}" if age.whole_at else "never told in full"
    sign = "" if age.stands(answer.now, answer.time_to_live) and not age.reason else ":warning: "
    reason = f" — {slack_text(age.reason, 200)}" if age.reason else ""
    return f"{sign}{title} {age.subject} {told}{reason}"


def _spending(answer: CoverageAnswer, titles: Mapping[str, str]) -> list[str]:
    return [
        f"{slack_text(titles.get(provider, provider), 40)} takes {spending(one, inventory=inventory)}"
        for provider, one, inventory in answer.spent
    ]


def _lost(change: MonitorChange, titles: Mapping[str, str]) -> str:
    one = change.monitor
    how = "; ".join(f"{loss}, {slack_text(told, 200)}" for loss, told in change.losses.items())
    return f"{slack_text(one.name, 120)} ({slack_text(titles.get(one.provider, one.provider), 40)}) — {how}"
