"""The monitoring scope in Slack: how it stands, what waits for somebody, what changed, and the document's review."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from bot.adapters.slack import interactions as do
from bot.adapters.slack.blocks import Message
from bot.adapters.slack.elements import Block, Element, actions, button, context, quote, section, sections
from bot.adapters.slack.text import date, mention, slack_text
from bot.adapters.slack.words import ago, some
from bot.domain.component import Component
from bot.domain.scope import (
    Change,
    Difference,
    ExclusionRequest,
    Finding,
    FindingKind,
    Heard,
    InScope,
    Revision,
    Scope,
    changed_fields,
)
from bot.procedures.review_scope import ScopeDifference, Standing

T = TypeVar("T")

MOST_FINDINGS = 10
MOST_REQUESTS = 5
MOST_LISTED = 8

WORDS: Mapping[FindingKind, str] = {
    FindingKind.NEW: ":large_blue_circle: New, and not in scope",
    FindingKind.VANISHED: ":grey_question: In scope, and gone: no tool sees it any more",
    FindingKind.RENAMED: ":large_yellow_circle: Called otherwise now",
}

CHANGES: Mapping[Change, str] = {
    Change.IMPORTED: "imported",
    Change.ADDED: "added",
    Change.REMOVED: "removed",
    Change.EXCLUDED: "exclusion approved",
    Change.RENAMED: "renamed",
}


def scope_message(stands: Standing, *, titles: Mapping[str, str]) -> Message:
    """For one person's eyes: the scope in numbers, its review, what waits for somebody."""
    blocks: list[Block] = [*_numbers(stands), *_waiting(stands.waiting)]
    for request in stands.requests[:MOST_REQUESTS]:
        blocks += _request(request)
    if len(stands.requests) > MOST_REQUESTS:
        blocks.append(context(f"… and {some(len(stands.requests) - MOST_REQUESTS, 'more request')}"))
    blocks.append(context(*_ages(stands.heard, stands, titles)))
    buttons = [button("What changed", do.SCOPE_DIFF, "diff", spoken="Show what changed in the scope")]
    if stands.scope:
        buttons.insert(0, _document_button())
    return Message(text="The monitoring scope", blocks=[*blocks, actions(buttons)])


def prompt_message(findings: Sequence[Finding]) -> Message:
    """Everything that waits for a decision, in one message; also when nothing does any more."""
    if not findings:
        line = (
            ":white_check_mark: Everything that was found here is decided. `/socmon scope` shows the scope."
        )
        return Message(text="Everything is decided", blocks=[section(line)])
    counts = Counter(one.kind for one in findings)
    parts = [f"{counts[kind]:,} {kind}" for kind in FindingKind if counts[kind]]
    head = f"The infrastructure and the monitoring scope differ: {', '.join(parts)}"
    rule = (
        "Nothing is in scope until somebody says so. You are asked once a day at most, about all that waits."
    )
    return Message(text=head, blocks=[section(f"*{head}*"), *_waiting(findings), context(rule)])


def request_message(request: ExclusionRequest) -> Message:
    """For a lead who did not ask for it."""
    head = f"An exclusion of {_name(request.component.name)} waits for your approval"
    return Message(text=head, blocks=[section(f"*{head}*"), *_request(request)])


def decided_message(request: ExclusionRequest) -> Message:
    done = ":white_check_mark: Approved" if request.approved else ":x: Declined"
    until = f" until {date(request.until)}" if request.approved else ""
    line = (
        f"{done} by {mention(request.decided_by)}: the exclusion of"
        f" {_name(request.component.name)}{until}, which {mention(request.requested_by)} asked for."
    )
    return Message(text="An exclusion was decided", blocks=[section(line)])


def done_message(line: str, revision: Revision | None = None) -> Message:
    """An act of one person, done; `line` is socmon's own words."""
    after = f" The scope is at revision {revision.id}." if revision else ""
    return Message(text=line, blocks=[section(f":white_check_mark: {line}{after}")])


def ask_to_exclude(component: Component) -> Message:
    """A form opens from a button only."""
    about = do.Excluding(component.key)
    line = f"*{_name(component.name)}* {component.kind} · {slack_text(component.key, 200)}"
    ask = button("Exclude…", do.SCOPE_EXCLUDE, about.value, spoken=f"Exclude {component.name} from the scope")
    return Message(text="Exclude a component", blocks=[section(line), actions([ask])])


def difference_message(found: ScopeDifference, *, titles: Mapping[str, str]) -> Message:
    since = (
        f"since revision {found.since.id}, reviewed {date(found.since.reviewed_at)}"
        if found.since and found.since.reviewed_at
        else f"since revision {found.since.id}"
        if found.since
        else "since the beginning: it has never been reviewed"
    )
    told = [f"{titles.get(one.source, one.source)} ({one.reason})" for one in found.heard if one.reason]
    lines = [
        f"*Changes of the scope* {since}",
        *_difference(found.made),
        f"*Seen, and not in scope ({len(found.not_in_scope):,})*",
        *_listed(found.not_in_scope, _named),
        f"*In scope, and seen by no tool ({len(found.not_seen):,})*",
        *_listed([one.component for one in found.not_seen], _named),
        *([f":warning: Not told whole: {slack_text('; '.join(told), 900)}"] if told else []),
    ]
    return Message(text="Changes of the monitoring scope", blocks=sections(lines))


def history_message(revisions: Sequence[Revision]) -> Message:
    if not revisions:
        return Message(text="No revision", blocks=[section("The scope has no revision yet.")])
    return Message(text="Revisions of the scope", blocks=sections([_revision(one) for one in revisions]))


def document_message(name: str, scope: Scope, digest: str, rows: int) -> Message:
    """The document has been sent; a lead who has read it says so here."""
    line = (
        f"I've sent you {slack_text(name, 100)} with {some(rows, 'line')}, and the same as JSON and PDF, as a direct"
        " message."
    )
    done = button(
        "I have reviewed it",
        do.SCOPE_REVIEWED,
        f"{scope.revision.id} {digest}",
        spoken="I have reviewed this scope document",
    )
    rule = (
        f"A lead's review goes on record with the digest of exactly this CSV ({digest[:19]}…), which is kept."
    )
    return Message(text=line, blocks=[section(line), actions([done]), context(rule)])


def reviewed_message(revision: Revision) -> Message:
    line = (
        f":white_check_mark: Your review of revision {revision.id} of the monitoring scope is on record"
        f" ({revision.document[:19]}…)."
    )
    return Message(text="Review on record", blocks=[section(line)])


def _numbers(stands: Standing) -> list[Block]:
    scope = stands.scope
    if scope is None:
        line = (
            "No component is in scope yet. Import the approved inventory with `socmon scope import FILE`, or add what"
            " the tools find."
        )
        return [section(f":warning: {line}")]
    out = [one for one in scope.entries if not one.counts(stands.now)]
    kinds = Counter(one.component.kind for one in scope.entries)
    listed = ", ".join(f"{number:,} {kind}" for kind, number in kinds.most_common())
    head = f"*{some(len(scope.entries), 'component')} in scope* · revision {scope.revision.id}"
    left = f"{len(out):,} excluded" if out else "none excluded"
    due = [f":warning: {sentence}" for sentence in scope.due(stands.now)]
    return [section("\n".join([head, f"{listed or 'none'}; {left}", _last_review(stands), *due]))]


def _last_review(stands: Standing) -> str:
    review = stands.scope.review if stands.scope else None
    if review is None or review.reviewed_at is None:
        return "Last review: never"
    who = f"{mention(review.reviewed_by)} {ago(review.reviewed_at, stands.now)}"
    return f"Last review: revision {review.id} by {who}"


def _waiting(findings: Sequence[Finding]) -> list[Block]:
    """The first of them with their buttons, and how many more there are; new ones can be added all at once.

    What is in scope comes first: new ones may be very many.
    """
    if not findings:
        return []
    blocks: list[Block] = []
    ordered = sorted(findings, key=lambda one: one.kind is FindingKind.NEW)
    for one in ordered[:MOST_FINDINGS]:
        blocks += [section(_finding(one)), actions(_buttons(one))]
    if len(findings) > MOST_FINDINGS:
        blocks.append(
            context(f"… and {len(findings) - MOST_FINDINGS:,} more, which come up when these are decided")
        )
    new = [one.id for one in findings if one.kind is FindingKind.NEW]
    if len(new) > 1:
        label = f"Add all {len(new):,} new ones"
        blocks.append(
            actions([button(label, do.SCOPE_ADD_ALL, str(max(new)), spoken=f"{label} to the scope")])
        )
    return blocks


def _finding(one: Finding) -> str:
    own = one.component
    seen = f" · seen by {slack_text(', '.join(sorted(own.sources)), 80)}" if own.sources else ""
    where = slack_text(" ".join(filter(None, [own.account, own.region])), 80)
    was = f" (was {_name(one.before)})" if one.before else ""
    return (
        f"{WORDS[one.kind]}\n*{_name(own.name)}*{was} {own.kind}{f' · {where}' if where else ''}{seen}"
        f" · {date(one.at)}\n{slack_text(own.key, 200)}"
    )


def _buttons(one: Finding) -> list[Element]:
    value, name = str(one.id), one.component.name
    exclude = button(
        "Exclude…",
        do.SCOPE_EXCLUDE,
        do.Excluding(finding=one.id).value,
        spoken=f"Exclude {name} from the scope",
    )
    match one.kind:
        case FindingKind.NEW:
            add = button("Add", do.SCOPE_ADD, value, spoken=f"Add {name} to the scope", primary=True)
            strange = button("Not ours", do.SCOPE_NOT_OURS, value, spoken=f"{name} is not ours")
            return [add, exclude, strange]
        case FindingKind.VANISHED:
            remove = button("Remove from scope", do.SCOPE_REMOVE, value, spoken=f"Remove {name} from scope")
            return [remove, exclude]
        case FindingKind.RENAMED:
            take = button("Take the new name", do.SCOPE_NAME, value, spoken=f"Take the new name {name}")
            keep = button(
                "Keep the old name", do.SCOPE_KEEP_NAME, value, spoken=f"Keep the old name, not {name}"
            )
            return [take, keep]


def _request(request: ExclusionRequest) -> list[Block]:
    own, value = request.component, str(request.id)
    line = (
        f":hourglass_flowing_sand: *{_name(own.name)}* {own.kind} · exclude until {date(request.until)}, asked for by"
        f" {mention(request.requested_by)}\n{slack_text(own.key, 200)}"
    )
    approve = button(
        "Approve", do.SCOPE_APPROVE, value, spoken=f"Approve the exclusion of {own.name}", primary=True
    )
    decline = button("Decline", do.SCOPE_DECLINE, value, spoken=f"Decline the exclusion of {own.name}")
    return [section(line), quote(request.reason, 400), actions([approve, decline])]


def _ages(heard: Sequence[Heard], stands: Standing, titles: Mapping[str, str]) -> list[str]:
    if not heard:
        return [":warning: No tool has said yet what there is"]
    return [_age(one, stands, slack_text(titles.get(one.source, one.source), 40)) for one in heard[:10]]


def _age(one: Heard, stands: Standing, title: str) -> str:
    whole = (
        f"told everything {ago(one.complete_at, stands.now)}"
        if one.complete_at
        else "has never told everything"
    )
    return f":warning: {title} {whole}: {slack_text(one.reason, 300)}" if one.reason else f"{title} {whole}"


def _difference(made: Difference) -> list[str]:
    """Plus, minus and plus-minus signs, which every font has."""
    if not made:
        return ["none"]
    return [
        *_listed(
            made.added, lambda one: f"+ {_named(one.component)}, owner {_owner(one)}, {one.criticality}", ""
        ),
        *_listed(made.removed, lambda one: f"\u2212 {_named(one.component)}", ""),
        *_listed(made.changed, _changed, ""),
    ]


def _changed(change: tuple[InScope, InScope]) -> str:
    old, new = change
    return f"± {_named(new.component)} {slack_text('; '.join(changed_fields(old, new)), 300)}"


def _owner(one: InScope) -> str:
    return slack_text(one.owner, 60) or "nobody"


def _listed(every: Sequence[T], words: Callable[[T], str], none: str = "none") -> list[str]:
    """Only what is shown is put into words: there may be very many."""
    left = (
        [f"… and {len(every) - MOST_LISTED:,} more: the document has all"] if len(every) > MOST_LISTED else []
    )
    return [*map(words, every[:MOST_LISTED]), *left] or [none] * bool(none)


def _named(component: Component) -> str:
    return f"{_name(component.name)} ({component.kind}, {slack_text(component.key, 160)})"


def _name(name: str) -> str:
    return slack_text(name, 80) or "(no name)"


def _revision(one: Revision) -> str:
    by = mention(one.by) if one.by else "the terminal"
    made = f"{one.added} added, {one.removed} removed, {one.changed} changed"
    review = f"; reviewed by {mention(one.reviewed_by)} {date(one.reviewed_at)}" if one.reviewed_at else ""
    return f"*{one.id}* {date(one.at)} · {CHANGES[one.change]} by {by}: {made}{review}"


def _document_button() -> Element:
    return button("Scope document", do.SCOPE_DOCUMENT, "csv", spoken="Send me the scope document")
