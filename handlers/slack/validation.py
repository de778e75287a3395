"""`/socmon validate`: the weekly validation, its attestation, and who may give it; and the buttons of its messages."""

import asyncio
import re
from collections.abc import Awaitable, Callable

from slack_bolt.async_app import AsyncApp

from bot.adapters.slack import interactions as do
from bot.adapters.slack import validation_form as form
from bot.adapters.slack import validation_message as message_of
from bot.adapters.slack.answers import told as line_of
from bot.adapters.slack.blocks import Message
from bot.adapters.slack.follow_up_message import read_task
from bot.adapters.slack.text import date, mention
from bot.adapters.slack.views import View
from bot.adapters.slack.words import some
from bot.domain.attestation import Decided
from bot.domain.errors import Unfit
from bot.domain.person import LEADS, READERS, Person, Role
from bot.procedures import follow_up, show_validation, validate_monitoring
from bot.procedures.validate_monitoring import Accept, Fix
from handlers.slack.desk import Body, Desk, Do, Refuse, Say, on_press

Answer = Callable[[Desk, Person, list[str]], Awaitable[Message]]
_MENTION = re.compile(r"<@([UW][A-Z0-9]{1,30})(?:\|[^>]*)?>")
_HOW = "Type `/socmon validate delegate @kim until 2026-12-24`, or choose in the form: `/socmon validate delegate`."


def register(app: AsyncApp, desk: Desk) -> None:
    acts: dict[str, Do] = {
        do.WEEK_VIEW: view_section,
        do.WEEK_ATTEST: open_attest_form,
        do.WEEK_LOOK: look_again,
        do.WEEK_GAP: open_gap_form,
        do.WEEK_LATER: remind_tomorrow,
        do.WEEK_COSIGN: cosign,
        do.WEEK_EXPLAIN: open_explain_form,
        do.DELEGATE: open_delegate_form,
        do.DELEGATE_END: end_delegation,
    }
    for action_id, act in acts.items():
        app.action(action_id)(on_press(desk, act))

    async def chosen(ack: Say) -> None:
        await ack()

    for action_id in (do.DECISION, do.DECISION_UNTIL, do.DECISION_OWNER):
        app.action(action_id)(chosen)


# The command
async def validate(desk: Desk, person: Person, words: list[str]) -> Message:
    name, *rest = words or [""]
    if name.lower() in ANSWERS:
        return await ANSWERS[name.lower()](desk, person, rest)
    shown = await desk.records.read(validate_monitoring.shown, name.upper(), by=person)
    return message_of.validation_message(shown)


async def _delegate(desk: Desk, person: Person, words: list[str]) -> Message:
    if not words:
        return message_of.delegates_message(await desk.records.read(show_validation.delegates, by=person))
    named = _MENTION.fullmatch(words[0])
    if named is None or len(words) != 3 or words[1].lower() != "until":
        return line_of(f"That names no delegate. {_HOW}")
    until = form.end_of(words[2], "until", desk.validation_zone)
    to = await desk.directory.person(named[1], person.team)
    made = await desk.records.write(validate_monitoring.delegate, to, until=until, by=person)
    return line_of(form.delegated_line(made))


async def _explain(desk: Desk, person: Person, words: list[str]) -> Message:
    if not words:
        return line_of(
            "Name the week and the reason: `/socmon validate explain 2026-W33 everybody was on leave`."
        )
    week, reason = words[0].upper(), " ".join(words[1:])
    told = await desk.records.write(validate_monitoring.explain, week, reason=reason, by=person)
    desk.cards.soon()
    return line_of(f":white_check_mark: Why {told.week} was missed is on record.")


ANSWERS: dict[str, Answer] = {"delegate": _delegate, "explain": _explain}


# The buttons
async def view_section(desk: Desk, body: Body, value: str, refuse: Refuse) -> None:
    about = do.read_week(value)

    async def make() -> View:
        person = await desk.person(body)
        facts, section = await desk.records.read(
            show_validation.in_full, about.week, about.revision, about.section, by=person
        )
        return message_of.section_view(facts, section)

    await desk.open(body, make(), refuse)


async def open_attest_form(desk: Desk, body: Body, value: str, refuse: Refuse) -> None:
    about = do.read_week(value)

    async def make() -> View:
        person = await desk.person(body)
        shown = await desk.records.read(show_validation.to_attest, about.week, by=person)
        return form.attest_form(shown, user=person.user, zone=desk.validation_zone)

    await desk.open(body, make(), refuse)


async def look_again(desk: Desk, body: Body, value: str, tell: Refuse) -> None:
    """The messages about the week show the newer facts then."""
    about, person = do.read_week(value), await desk.person(body)
    await desk.records.read(show_validation.to_attest, about.week, by=person)
    facts = await desk.records.read(validate_monitoring.look, about.week)
    await asyncio.to_thread(desk.artifacts.keep, facts.document)
    await desk.records.write(validate_monitoring.look_again, facts, by=person)
    desk.cards.soon()
    found = some(len(facts.findings), "finding")
    await tell(line_of(f"{about.week} as of {date(facts.at)}: {found} now. Its messages show it."))


async def open_gap_form(desk: Desk, body: Body, value: str, refuse: Refuse) -> None:
    about = do.read_week(value)

    async def make() -> View:
        person = await desk.person(body)
        person.require(READERS, "report a gap")
        return form.gap_form(about.week, user=person.user, now=desk.clock.now(), zone=desk.zone)

    await desk.open(body, make(), refuse)


async def remind_tomorrow(desk: Desk, body: Body, value: str, tell: Refuse) -> None:
    about, person = do.read_week(value), await desk.person(body)
    owed = await desk.records.write(validate_monitoring.remind_tomorrow, about.week, by=person)
    await tell(line_of(f":alarm_clock: You'll be reminded of {about.week} {date(owed.at)}."))


async def cosign(desk: Desk, body: Body, value: str, tell: Refuse) -> None:
    about, person = do.read_week(value), await desk.person(body)
    done = await desk.records.write(validate_monitoring.cosign, about.week, digest=about.digest, by=person)
    desk.cards.soon()
    await tell(
        line_of(f":white_check_mark: You have co-signed what {mention(done.by)} attested of {done.week}.")
    )


async def open_explain_form(desk: Desk, body: Body, value: str, refuse: Refuse) -> None:
    about = do.read_week(value)

    async def make() -> View:
        person = await desk.person(body)
        person.require(LEADS, "say why a week was missed")
        shown = await desk.records.read(validate_monitoring.shown, about.week, by=person)
        return form.explain_form(shown.record)

    await desk.open(body, make(), refuse)


async def open_delegate_form(desk: Desk, body: Body, _value: str, refuse: Refuse) -> None:
    async def make() -> View:
        person = await desk.person(body)
        person.require(frozenset({Role.LEAD}), "name a delegate")
        return form.delegate_form()

    await desk.open(body, make(), refuse)


async def end_delegation(desk: Desk, body: Body, value: str, tell: Refuse) -> None:
    number, person = do.read_number(value), await desk.person(body)
    ended = await desk.records.write(validate_monitoring.end_delegation, number, by=person)
    await tell(line_of(f"{mention(ended.user)} may not attest for you any more."))


# The forms
async def attest(desk: Desk, body: Body) -> View:
    """What lacks something is said at the finding that it is about."""
    view = body["view"]
    about, person = do.read_week(view["private_metadata"]), await desk.person_in_time(body)
    shown = await desk.records.read(show_validation.to_attest, about.week, by=person)
    chosen: dict[str, form.Choice] = {}
    if shown.can_be_attested and shown.record.digest == about.digest:  # else it is refused for that
        chosen = form.read_attestation(view, shown, user=person.user, zone=desk.validation_zone)
    names = {each.owner for each in chosen.values() if each.decided is Decided.FIX}
    people = await asyncio.gather(*(desk.in_time(name, person.team) for name in sorted(names)))
    owners = dict(zip(sorted(names), people, strict=True))
    decisions = {
        finding: Fix(owner=owners[each.owner], until=each.until, note=each.reason)
        if each.decided is Decided.FIX
        else Accept(until=each.until, reason=each.reason)
        for finding, each in chosen.items()
    }
    try:
        done = await desk.records.write(
            validate_monitoring.attest,
            about.week,
            digest=about.digest,
            decisions=decisions,
            by=person,
            separation=desk.separation,
        )
    except Unfit as error:
        finding = error.field.rpartition(" ")[0]
        raise Unfit(chosen[finding].field if finding in chosen else form.REVIEWED, str(error)) from error
    desk.cards.soon()
    return form.attested_view(done, shown)


async def report_gap(desk: Desk, body: Body) -> View:
    """The owner is told by a job, within the minute."""
    about = do.read_week(body["view"]["private_metadata"])
    user, due_at, note = read_task(body["view"]["state"], desk.zone)
    person = await desk.person_in_time(body)
    owner = person if user == person.user else await desk.in_time(user, person.team)
    one = await desk.records.write(
        follow_up.report, about.week, says=note, owner=owner, due_at=due_at, by=person
    )
    return form.reported_view(one)


async def explain(desk: Desk, body: Body) -> View:
    about = do.read_week(body["view"]["private_metadata"])
    reason, person = form.read_reason(body["view"]["state"]), await desk.person_in_time(body)
    told = await desk.records.write(validate_monitoring.explain, about.week, reason=reason, by=person)
    desk.cards.soon()
    return form.explained_view(told)


async def name_delegate(desk: Desk, body: Body) -> View:
    user, until = form.read_delegate(body["view"]["state"], desk.validation_zone)
    person = await desk.person_in_time(body)
    to = await desk.in_time(user, person.team)
    made = await desk.records.write(validate_monitoring.delegate, to, until=until, by=person)
    return form.delegated_view(made)
