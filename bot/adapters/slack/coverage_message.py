"""Coverage, for `/socmon coverage`: how much of each kind is covered, gaps with reason and mend, the tools' ages."""

from collections.abc import Mapping, Sequence

from bot.adapters.slack import interactions as do
from bot.adapters.slack.blocks import Message
from bot.adapters.slack.elements import Block, Element, actions, button, context, section, sections
from bot.adapters.slack.follow_up_message import recheck_button, task_line
from bot.adapters.slack.text import DateForm, date, mention, plain_text, slack_text
from bot.adapters.slack.words import ago, duration, some
from bot.domain.answers import Age
from bot.domain.component import MEASURES, Kind, Measure
from bot.domain.coverage import Interval, Run, State
from bot.domain.monitor_change import MonitorChange
from bot.domain.scope import Criticality
from bot.domain.spending import spending
from bot.procedures.assess_coverage import CellAnswer, CoverageAnswer

FIRST_GAPS = 3
GAPS_A_PAGE = 8
MOST_WHY = 700
MOST_ALT = 1000
MOST_CHANGES = 20
SIGNS: Mapping[State, str] = {
    State.COVERED: ":white_check_mark:",
    State.GAP: ":x:",
    State.UNKNOWN: ":grey_question:",
}


def coverage_message(answer: CoverageAnswer, *, titles: Mapping[str, str]) -> Message:
    """For one person's eyes: figures by kind, the first gaps, and the way to all of them."""
    if answer.component:
        return _component(answer, titles)
    head = _head(answer.run)
    left = sum(answer.counts.values()) - len(answer.gaps)
    more = [context(f"… and {some(left, 'more gap')}")] if left > 0 else []
    return Message(
        text=head.replace("*", ""),
        blocks=[
            section(head),
            *sections(_kinds(answer.run)),
            *_gaps(answer),
            *more,
            actions([*([_all_gaps()] if answer.gaps else []), _ask_again()]),
            context(
                *_ages(answer, titles),
                *_spending(answer, titles),
                *(f":warning: {slack_text(each, 300)}" for each in answer.standard_due),
                f"As assessed {date(answer.run.at)}",
            ),
        ],
    )


def gaps_message(answer: CoverageAnswer, *, titles: Mapping[str, str]) -> Message:
    """A page of all gaps, the most critical first, each with what can be done about it."""
    whole, first, last = sum(answer.counts.values()), answer.start + 1, answer.start + len(answer.gaps)
    if not answer.gaps:
        head = (
            f"{SIGNS[State.COVERED]} *No gap: everything in scope is covered*"
            if not whole
            else f"*There are no more than {some(whole, 'gap')}*"
        )
    else:
        late = f" · :warning: {some(answer.overdue, 'task')} overdue" if answer.overdue else ""
        head = f"*Gaps {first:,} to {last:,} of {whole:,}*, the most critical first{late}"
    return Message(
        text=head.replace("*", ""),
        blocks=[
            section(head),
            *_gaps(answer),
            actions([*_turning(answer, last, whole), _ask_again()]),
            context(*_ages(answer, titles), f"As assessed {date(answer.run.at)}"),
        ],
    )


def picture_message(file: str, alt: str) -> Message:
    """The heat map; `file` is Slack's number of the picture."""
    image: Block = {"type": "image", "slack_file": {"id": file}, "alt_text": plain_text(alt, MOST_ALT)}
    return Message(text=alt, blocks=[image])


def shared_text(run: Run, by: str) -> str:
    """What stands above the picture that somebody shows to a channel."""
    return f"{_head(run)}\nAs assessed {date(run.at)} · shared by {mention(by)} · `/socmon coverage` tells each gap"


def described(run: Run) -> str:
    """The picture in words, for whoever cannot see it."""
    gaps, unknown = run.total(State.GAP), run.total(State.UNKNOWN)
    worst = [
        f"{str(kind).replace('_', ' ')} {str(measure).replace('_', ' ')} {counts.get(State.GAP, 0):,}"
        for (kind, measure), counts in sorted(run.tally.items(), key=lambda each: -each[1].get(State.GAP, 0))[
            :5
        ]
        if counts.get(State.GAP)
    ]
    said = f"Heat map of coverage: {_figures(run)}, {some(gaps, 'gap')}, {unknown:,} unknown."
    return f"{said} Most gaps: {', '.join(worst)}." if worst else said


def asked_again_message(answer: CoverageAnswer, did: str) -> Message:
    """What came of asking the tools; `did` is the job's own line."""
    line = f":arrows_counterclockwise: *The tools were asked again*: {slack_text(did, 600)}"
    head = _head(answer.run)
    buttons = [actions([_all_gaps()])] if answer.counts else []
    return Message(text=line.replace("*", ""), blocks=[section(f"{line}\n{head}"), *buttons])


def just_asked_message(run: Run) -> Message:
    """The tools are not asked twice a minute."""
    line = (
        ":hourglass_flowing_sand: The tools are being asked right now, or were within this minute: they are asked once"
        f" a minute at most. Newest assessment {date(run.at, DateForm.TIME)}; look again in a minute."
    )
    return Message(text=line, blocks=[section(line)])


def asking_message() -> Message:
    line = ":hourglass_flowing_sand: Asking every tool again: one gap alone cannot be rechecked, so all are."
    return Message(text=line, blocks=[section(line)])


def cell_message(answer: CellAnswer) -> Message:
    """How one cell stands after it was rechecked."""
    name = slack_text(answer.entry.component.name, 100)
    measure, gap = answer.measure.replace("_", " "), answer.gap
    if gap:
        line = f"{SIGNS[gap.state]} *{measure}* of {name} is still {gap.state} — {_why(gap)}"
    elif not answer.entry.counts(answer.now):
        line = f":heavy_minus_sign: *{measure}* of {name} is excluded on purpose."
    else:
        line = f"{SIGNS[State.COVERED]} *{measure}* of {name} is covered."
    lines = [line, *([task_line(answer.task, answer.now)] if answer.task else [])]
    small = context(f"As assessed {date(answer.run.at)}")
    return Message(text=line.replace("*", ""), blocks=[section("\n".join(lines)), small])


def lost_message(lost: Sequence[MonitorChange], *, titles: Mapping[str, str]) -> Message:
    """Monitors that watch less than before, old → new."""
    line = f"{some(len(lost), 'monitor watches', 'monitors watch')} less than before"
    lines = [_lost(change, titles) for change in lost[:MOST_CHANGES]]
    left = [f"… and {len(lost) - MOST_CHANGES} more"] if len(lost) > MOST_CHANGES else []
    return Message(text=line, blocks=[section(f":warning: *{line}*"), *sections([*lines, *left])])


def _head(run: Run) -> str:
    gaps, unknown = run.total(State.GAP), run.total(State.UNKNOWN)
    sign = SIGNS[State.GAP if gaps else State.UNKNOWN if unknown else State.COVERED]
    return (
        f"{sign} *{_figures(run)}* · {some(gaps, 'gap')} · {unknown:,} unknown"
        f" · {some(run.components, 'component')}, {run.excluded:,} excluded"
    )


def _figures(run: Run) -> str:
    return f"{run.total(State.COVERED):,} of {sum(run.total(state) for state in State):,} covered"


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
        shown = sections(lines)
    else:
        shown = [
            block
            for measure in MEASURES[component.kind]
            for block in (
                _gap_blocks(out[measure], answer, named=False)
                if measure in out
                else [section(f"{SIGNS[State.COVERED]} *{measure.replace('_', ' ')}*")]
            )
        ]
    small = context(*_ages(answer, titles), f"As assessed {date(answer.run.at)}")
    return Message(text=head.replace("*", ""), blocks=[section(head), *shown, actions([_ask_again()]), small])


def _gaps(answer: CoverageAnswer) -> list[Block]:
    return [block for gap in answer.gaps for block in _gap_blocks(gap, answer)]


def _gap_blocks(gap: Interval, answer: CoverageAnswer, *, named: bool = True) -> list[Block]:
    """What is wrong, why, the mend, and who mends it; with buttons."""
    measure, entry = gap.measure, answer.entries.get(gap.key)
    assert measure is not None, "a gap is of one measure"  # noqa: S101 - by construction
    name = entry.component.name if entry else gap.key
    task, about = answer.tasks.get((gap.key, measure)), do.CellOf(gap.key, measure)
    where = f" of *{slack_text(name, 80)}*" if named else ""
    matters = f" · {gap.criticality}" if named and gap.criticality is not Criticality.MEDIUM else ""
    owner = f" · {slack_text(entry.owner, 60)}" if named and entry and entry.owner else ""
    head = f"{SIGNS[gap.state]} *{measure.replace('_', ' ')}*{where}{matters}{owner}"
    lines = [f"{head} · for {duration(answer.now - gap.since)}", _why(gap)]
    if task:
        lines.append(task_line(task, answer.now))
    spoken = f"{measure.replace('_', ' ')} of {name}"
    label = "Change task…" if task else "Open task…"
    excluding = do.Excluding(gap.key).value
    buttons = [
        button(label, do.CELL_TASK, about.value, spoken=f"{label.rstrip('…')} for {spoken}"),
        button("Exclude…", do.SCOPE_EXCLUDE, excluding, spoken=f"Exclude {name} from the scope"),
        recheck_button(about, name),
    ]
    return [section("\n".join(lines)), actions(buttons)]


def _why(gap: Interval) -> str:
    return slack_text(" ".join(f"{each.says} {each.mend}" for each in gap.shortfalls), MOST_WHY)


def _all_gaps() -> Element:
    return button("All gaps", do.COVERAGE_GAPS, "0", spoken="List all gaps, the most critical first")


def _ask_again() -> Element:
    return button(
        "Ask the tools now", do.COVERAGE_ASK, "now", spoken="Ask every tool now, and assess coverage"
    )


def _turning(answer: CoverageAnswer, last: int, whole: int) -> list[Element]:
    earlier = str(max(answer.start - GAPS_A_PAGE, 0))
    buttons = []
    if answer.start:
        buttons.append(button("◀ Earlier", do.COVERAGE_EARLIER, earlier, spoken="The gaps before these"))
    if last < whole and answer.gaps:
        buttons.append(button("More ▶", do.COVERAGE_LATER, str(last), spoken="The gaps after these"))
    return buttons


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
