"""The written standard in Slack: what it asks for, its review, and its versions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.adapters.slack import interactions as do
from bot.adapters.slack.blocks import MOST_LETTERS, Message
from bot.adapters.slack.elements import actions, button, context, section, sections
from bot.adapters.slack.text import date, mention, own_words, slack_text
from bot.adapters.slack.words import some
from bot.domain.component import MEASURES
from bot.domain.scope import Criticality
from bot.domain.standard import Standard
from bot.domain.standard_version import REPORTS, REVIEWED_EVERY, Version, differences
from bot.procedures.review_standard import StandardStanding

MOST_LISTED = 20


def standard_message(stands: StandardStanding, standard: Standard, *, shipped: Standard) -> Message:
    """For one person's eyes: every rule, who keeps it, what differs from the one that ships, and its review."""
    own = [slack_text(each, 200) for each in differences(standard, shipped)]
    as_shipped = "*As it ships*: no rule and no severity differs." if not own else ""
    lines = [
        f"*The written standard* · {_digest(stands.newest.digest)}",
        *_people(stands),
        *_rules(stands.newest.facts),
        *([as_shipped] if as_shipped else [f"*Otherwise than it ships* ({len(own)})", *_listed(own)]),
    ]
    ask = button(
        "Review…", do.STANDARD_DOCUMENT, "standard", spoken="Show me the whole standard for a review"
    )
    return Message(text="The written standard", blocks=[*sections(lines), actions([ask])])


def document_message(stands: StandardStanding) -> Message:
    """All that the document says; a lead who has read it says so here, unless replicas go by different ones."""
    newest = stands.newest
    changed = [slack_text(each, 200) for each in stands.changes(0)]
    lines = [
        "*The written standard, for your review*",
        *_people(stands),
        *_rules(newest.facts),
        *([f"*Changed with this version* ({len(changed)})", *_listed(changed)] if changed else []),
    ]
    done = button(
        "I have reviewed it", do.STANDARD_REVIEWED, newest.digest, spoken="I have reviewed this standard"
    )
    rule = (
        f"A lead's review goes on record with the digest of exactly this document ({_digest(newest.digest)}), which is"
        " kept."
    )
    if not newest.number:
        said = "The standard, which cannot be reviewed now"
        return Message(text=said, blocks=[*sections(lines), section(_TWO_STANDARDS)])
    return Message(
        text="The standard, for your review", blocks=[*sections(lines), actions([done]), context(rule)]
    )


def reviewed_message(version: Version) -> Message:
    line = f":white_check_mark: Your review of the standard is on record ({_digest(version.digest)})."
    return Message(text="Review on record", blocks=[section(line)])


def history_message(stands: StandardStanding) -> Message:
    """The newest first, as many as Slack takes."""
    lines: list[str] = []
    for at in range(len(stands.versions)):
        longer = [*lines, *_version(stands, at)]
        if sum(map(len, longer)) > MOST_LETTERS:
            left = len(stands.versions) - at
            lines.append(f"… and {some(left, 'older version')}: `socmon standard history` lists all")
            break
        lines = longer
    return Message(text="Versions of the standard", blocks=sections(lines))


def reminder_message(why: str) -> Message:
    """For a lead."""
    ask = button(
        "Read it", do.STANDARD_DOCUMENT, "standard", spoken="Show me the whole standard for a review"
    )
    return Message(
        text="The written standard waits for its review",
        blocks=[section(f":clipboard: {slack_text(why, 400)}"), actions([ask])],
    )


_TWO_STANDARDS = (
    ":warning: This is not the standard on record, so it cannot be reviewed: another replica of socmon goes by another"
    " file. Give all replicas the same file, and restart them."
)


def _people(stands: StandardStanding) -> list[str]:
    facts = stands.newest.facts
    owner, approved = (slack_text(facts[name], 80) or "nobody" for name in ("owner", "approved_by"))
    return [
        f"Owner: {owner} · approved by: {approved}",
        _review(stands),
        *(f":warning: {sentence}" for sentence in stands.due),
    ]


def _review(stands: StandardStanding) -> str:
    review = stands.review
    if review is None:
        return "Last review: never"
    by = mention(review.by) if review.by else "as its file says"
    due = f" · the next one is due by {review.on + REVIEWED_EVERY}" if review.is_current else ""
    return f"Last review: {review.on}, {by}{due}"


def _rules(facts: Mapping[str, Any]) -> Iterator[str]:
    for kind, measures in MEASURES.items():
        by = facts["severities"].get(kind, {})
        how_bad = ", ".join(f"{by[each]} when {each}" for each in Criticality if each in by)
        yield f"*{kind.replace('_', ' ')}*{f' · {how_bad}' if how_bad else ''}"
        for measure in measures:
            rules = facts["rules"].get(kind, {}).get(measure, ())
            yield f"• {measure.replace('_', ' ')}: {own_words(' or '.join(rules)) or REPORTS}"


def _version(stands: StandardStanding, at: int) -> list[str]:
    one = stands.versions[at]
    since = f"since {date(one.at)}" if one.number else "in the file, and not on record yet"
    changed = [slack_text(each, 200) for each in stands.changes(at)]
    review = (
        f"reviewed by {mention(one.reviewed_by)} {date(one.reviewed_at)}"
        if one.reviewed_at
        else "never reviewed"
    )
    first = " · the first one" if at == len(stands.versions) - 1 else ""
    return [f"*{one.number or 'next'}* {since} · {_digest(one.digest)} · {review}{first}", *_listed(changed)]


def _listed(every: Sequence[str]) -> list[str]:
    left = [f"… and {len(every) - MOST_LISTED} more"] if len(every) > MOST_LISTED else []
    return [f"• {each}" for each in every[:MOST_LISTED]] + left


def _digest(digest: str) -> str:
    return f"{digest[:19]}…"
