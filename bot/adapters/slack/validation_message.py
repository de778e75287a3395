"""The weekly validation in Slack: the frozen facts in a line each, what became of the week, and a section in full."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.adapters.slack import interactions as do
from bot.adapters.slack.blocks import Message
from bot.adapters.slack.elements import Block, Element, actions, button, context, plain, section, sections
from bot.adapters.slack.text import date, mention, slack_text
from bot.adapters.slack.views import View
from bot.adapters.slack.words import some
from bot.domain.attestation import Attestation, Decided, Delegation, Disposition, Told
from bot.domain.evidence import Fact
from bot.domain.person import ROLE_NAMES, Role
from bot.domain.slot import Slot
from bot.domain.validation import Facts, Finding, Section, Validation, Verdict
from bot.procedures.validate_monitoring import Shown

SIGNS: Mapping[Verdict, str] = {
    Verdict.GOOD: ":white_check_mark:",
    Verdict.WARNING: ":warning:",
    Verdict.BAD: ":x:",
}
MOST_EXCEPTIONS = 10
MOST_FINDINGS = 40
MOST_FACTS = 120


def validation_message(shown: Shown, why: str = "") -> Message:
    """For the lead and for everybody in the channel; some 16 blocks. `why` is why it is sent."""
    record = shown.record
    title = f"Weekly validation · {days(record.slot)}"
    over = [*_attested(shown), *_missed(record)]
    line = why or (over[0] if over else title)
    blocks = [
        {"type": "header", "text": plain(title, 150)},
        *([section(why)] if why else []),
        *(_line(record, shown.facts, each) for each in (shown.facts.sections if shown.facts else ())),
        *sections(over),
        *_buttons(shown),
        context(_small_print(shown)),
    ]
    return Message(text=line, blocks=blocks)


def reminder_line(reminder: Told, record: Validation) -> str:
    """Why somebody is told of a week; "" when that is over."""
    if not _holds(reminder, record):
        return ""
    week, due = record.week, date(record.slot.due_at)
    lines = {
        Told.OPENED: f"The validation of {week} is open. Please attest it by {due}.",
        Told.COPY: f"The validation of {week} is open. The Engineering Lead attests it by {due}.",
        Told.DUE: f":alarm_clock: The validation of {week} is due today, {due}.",
        Told.LATE: f":alarm_clock: The validation of {week} is late: it was due {due}.",
        Told.ESCALATED: f":alarm_clock: Nobody has attested {week}, which is due {due}. As backup lead you may.",
        Told.TOMORROW: f"You asked to be told again: the validation of {week} is due {due}.",
        Told.COSIGN: f"The attestation of {week} needs your signature too, because duties overlap in it.",
        Told.MISSED: f":x: The validation of {week} was missed: {record.ended}. Say why, on record.",
    }
    return lines[reminder]


def _holds(reminder: Told, record: Validation) -> bool:
    match reminder:
        case Told.COSIGN:
            return record.attestation is not None and record.attestation.waits_for_cosigner
        case Told.MISSED:
            return record.missed_at is not None and not record.reason
        case _:
            return record.attestation is None and record.missed_at is None


def days(slot: Slot) -> str:
    """As people write them: 16–22 Nov 2026."""
    zone = ZoneInfo(slot.zone)
    first, last = slot.start.astimezone(zone).date(), (slot.end.astimezone(zone) - _MOMENT).date()
    begins = f"{first.day}" if first.month == last.month else f"{first.day} {first:%b}"
    return f"{begins}–{last.day} {last:%b %Y}"


def section_line(each: Section) -> str:
    number = f" · {some(len(each.findings), 'finding')}" if each.findings else ""
    return f"{SIGNS[each.verdict]} *{section_name(each.name)}*  {slack_text(each.says, 300)}{number}"


def section_name(name: str) -> str:
    words = name.replace("-", " ")
    return slack_text(words[:1].upper() + words[1:], 60)


def finding_text(finding: Finding) -> str:
    """What and why, and what to do, on two lines."""
    return f"*{slack_text(finding.says, 600)}*\n{with_code(finding.mend, 600)}"


def with_code(text: str, most: int) -> str:
    """A sentence from a record; of what stands between ` ` only commands of socmon's own are shown as code."""
    parts = _COMMAND.split(" ".join(text[:most].split()))
    shown = [
        f"`{slack_text(part, most)}`" if at % 2 else _between(part, most) for at, part in enumerate(parts)
    ]
    return "".join(shown).strip()


def _between(part: str, most: int) -> str:
    """With the spaces at its ends."""
    said = slack_text(part, most)
    return f"{' ' * part.startswith(' ')}{said}{' ' * part.endswith(' ')}" if said else " " * bool(part)


def section_view(facts: Facts, each: Section) -> View:
    """All that stands behind a line: its findings and figures, as they were frozen; at most some 60 blocks."""
    blocks = [section(section_line(each))]
    for finding in each.findings[:MOST_FINDINGS]:
        blocks += [section(finding_text(finding)), context(slack_text(finding.id, 200))]
    if len(each.findings) > MOST_FINDINGS:
        more = some(len(each.findings) - MOST_FINDINGS, "more finding")
        blocks.append(context(f"… and {more}, in the record"))
    told = list(_facts("", each.facts))
    left = [f"… and {len(told) - MOST_FACTS:,} more, in the record"] if len(told) > MOST_FACTS else []
    if told:
        blocks += [{"type": "divider"}, *sections(["*Figures*", *told[:MOST_FACTS], *left])]
    blocks.append(context(f"As of {date(facts.at)} · {short(facts.digest)}"))
    title = plain(section_name(each.name), 24)
    return {"type": "modal", "title": title, "close": plain("Close", 24), "blocks": blocks}


def decided_line(one: Disposition, what: str) -> str:
    """What was decided on a finding, ready as mrkdwn; `what` is the finding's own words."""
    if one.decided is Decided.FIX:
        told = f"*to be fixed* by {mention(one.owner)} until {date(one.until)}"
    else:
        told = f"*accepted* until {date(one.until)}"
    reason = f": “{slack_text(one.reason, 240)}”" if one.reason else ""
    name = section_name(one.finding.partition(":")[0])
    return f"• *{name}*  {slack_text(what, 240)} → {told}{reason}"


def attestation_lines(done: Attestation, findings: Mapping[str, str]) -> list[str]:
    """By whom, when, with what exceptions; `findings` are what each says."""
    role = ROLE_NAMES[Role(done.role)] if done.role in set(Role) else done.role
    of = f" of {mention(done.delegated_by)}" if done.delegated_by else ""
    late = ", late" if done.is_late else ""
    number = len(done.dispositions)
    fixes = sum(one.decided is Decided.FIX for one in done.dispositions)
    parts = [(number - fixes, "accepted"), (fixes, "to be fixed")]
    which = ", ".join(f"{amount} {what}" for amount, what in parts if amount)
    exceptions = f" with {some(number, 'exception')} ({which})" if number else ""
    lines = [
        f":ballot_box_with_check: *Attested{exceptions}* by {mention(done.by)}, {role}{of}, {date(done.at)}{late}."
    ]
    listed = done.dispositions[:MOST_EXCEPTIONS]
    lines += [decided_line(one, findings.get(one.finding, one.finding)) for one in listed]
    if number > MOST_EXCEPTIONS:
        lines.append(f"… and {some(number - MOST_EXCEPTIONS, 'more exception')}, in the record")
    if done.overlaps:
        hands = ", and ".join(done.overlaps)
        lines.append(f":warning: *Duties overlap*  {mention(done.by)} {hands}.")
    if done.cosigned_by and done.cosigned_at:
        lines.append(
            f":ballot_box_with_check: Co-signed by {mention(done.cosigned_by)}, {date(done.cosigned_at)}."
        )
    elif done.waits_for_cosigner:
        lines.append("It stands. Another lead, without a hand in it, is asked to co-sign.")
    return lines


def short(digest: str) -> str:
    return f"{digest[:19]}…"


def delegates_message(delegations: Sequence[Delegation]) -> Message:
    """Who may attest for the lead now, and how to change that."""
    blocks: list[Block] = []
    for one in delegations:
        line = f"{mention(one.user)} may attest until {date(one.until)}, named by {mention(one.by)}"
        spoken = f"End the delegation {one.id}"
        blocks.append(
            section(line) | {"accessory": button("End", do.DELEGATE_END, str(one.id), spoken=spoken)}
        )
    head = f"{some(len(delegations), 'delegate')} for the weekly validation"
    said = section(
        "*Delegates for the weekly validation*" if delegations else "Nobody attests for the lead now."
    )
    name = button(
        "Name a delegate…", do.DELEGATE, "delegate", spoken="Name a delegate for the weekly validation"
    )
    hint = "Or type it: `/socmon validate delegate @kim until 2026-12-24`"
    return Message(text=head, blocks=[said, *blocks, actions([name]), context(hint)])


def explain_button(record: Validation) -> Element:
    spoken = f"Say why {record.week} was missed"
    return button("Say why…", do.WEEK_EXPLAIN, do.WeekOf(record.week).value, spoken=spoken, primary=True)


def attest_button(record: Validation) -> Element:
    about = do.WeekOf(record.week, record.digest)
    return button("Attest…", do.WEEK_ATTEST, about.value, spoken=f"Attest {record.week}", primary=True)


def cosign_button(record: Validation) -> Element:
    about = do.WeekOf(record.week, record.attestation.digest if record.attestation else "")
    return button("Co-sign", do.WEEK_COSIGN, about.value, spoken=f"Co-sign {record.week}", primary=True)


def _line(record: Validation, facts: Facts | None, each: Section) -> Block:
    about = do.WeekOf(record.week, "", facts.revision if facts else 0, each.name)
    spoken = f"View {section_name(each.name)} of {record.week}"
    return section(section_line(each)) | {
        "accessory": button("View", do.WEEK_VIEW, about.value, spoken=spoken)
    }


def _attested(shown: Shown) -> list[str]:
    done = shown.record.attestation
    says = {each.id: each.says for each in (shown.facts.findings if shown.facts else ())}
    return attestation_lines(done, says) if done else []


def _missed(record: Validation) -> list[str]:
    if record.missed_at is None:
        return []
    lines = [f":x: *Missed*  {record.ended}. What closed is closed: this week stays missed."]
    if record.reason and record.explained_at:
        lines.append(f"{mention(record.explained_by)} says why, {date(record.explained_at)}:")
        lines.append(f"“{slack_text(record.reason, 600)}”")
    return lines


def _buttons(shown: Shown) -> list[Block]:
    record = shown.record
    about = do.WeekOf(record.week, record.digest).value
    gap = button("Report gap…", do.WEEK_GAP, about, spoken=f"Report a gap in {record.week}")
    if record.missed_at is not None:
        return [actions([gap] if record.reason else [explain_button(record), gap])]
    if record.attestation:
        return [actions([cosign_button(record), gap] if record.attestation.waits_for_cosigner else [gap])]
    look = button("Look again", do.WEEK_LOOK, about, spoken=f"Look again at {record.week}")
    later = button("Remind me tomorrow", do.WEEK_LATER, about, spoken=f"Remind me of {record.week} tomorrow")
    return [actions([attest_button(record), look, gap, later])]


def _small_print(shown: Shown) -> str:
    record, facts = shown.record, shown.facts
    due = f"{record.week} · due {date(record.slot.due_at)}"
    if facts is None:
        return f"{due} · socmon was down, so there are no facts of it"
    again = f", looked at {some(facts.revision, 'time')}" if facts.revision > 1 else ""
    return f"{due} · facts of {date(facts.at)}{again} · {short(facts.digest)}"


def _facts(name: str, value: Any) -> Iterator[str]:
    """One line a figure, however deep it lies."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _facts(f"{name} {key}".strip(), each)
    elif isinstance(value, (list, tuple)) and any(isinstance(each, (Mapping, list, tuple)) for each in value):
        for at, each in enumerate(value, 1):
            yield from _facts(f"{name} {at}", each)
    else:
        yield f"{slack_text(name.replace('_', ' '), 120)}  *{slack_text(_said(value), 300) or '–'}*"


def _said(value: Fact) -> str:
    match value:
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(map(_said, value)) or "none"
        case str() if value.startswith("sha256:"):
            return short(value)
        case _:
            return str(value)


_MOMENT = datetime.resolution
_COMMAND = re.compile(r"`(/?socmon [A-Za-z0-9_ .=-]*)`")
