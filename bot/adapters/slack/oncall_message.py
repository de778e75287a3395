"""Who is on call, for `/socmon oncall`: people and ways to reach them, hand-overs, gaps, and what is to be mended."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.adapters.slack import interactions as do
from bot.adapters.slack.blocks import MOST_LETTERS, Message, letters
from bot.adapters.slack.elements import Block, actions, button, context, section, sections
from bot.adapters.slack.text import date, mention, slack_text
from bot.adapters.slack.words import ago, some
from bot.domain.contact_list import told
from bot.domain.oncall import HORIZON, Level, Responder, StoredRoster, Stretch, Team
from bot.domain.rota import ROTA
from bot.procedures.check_on_call import OnCallAnswer

MOST_METHODS = 5
MOST_BLOCKS = 50  # Slack takes no more in a message
MOST_PEOPLE = 5
MOST_FAULTS = 10
MOST_GAPS = 3


def oncall_message(answer: OnCallAnswer, *, titles: Mapping[str, str]) -> Message:
    """For one person's eyes: mentions in it call nobody. As many teams as Slack takes; the rest is counted."""
    rest = [
        *_faults(answer),
        context(_age(answer), _ahead(answer), _review(answer)),
        actions(_buttons(answer)),
    ]
    shown: list[Block] = []
    for at, team in enumerate(answer.teams):
        more = [*shown, *sections(_team(answer, team, titles))]
        if len(more) + len(rest) >= MOST_BLOCKS or letters(more) + letters(rest[:-1]) > MOST_LETTERS:
            left = some(len(answer.teams) - at, "more team")
            shown.append(context(f"… and {left}: name one to see it, or take the contact list"))
            break
        shown = more
    return Message(text="Who is on call", blocks=[*shown, *rest])


def contacts_message(name: str, stored: StoredRoster, made_at: datetime) -> Message:
    """The list has been sent; a lead who has read it says so here."""
    faults = some(len(stored.faults(made_at)), "fault")
    line = (
        f"I've sent you {slack_text(name, 100)} and the same as PDF, as a direct message. It shows {faults}."
    )
    value = do.Document(stored.id, made_at).value
    done = button("I have reviewed it", do.REVIEWED, value, spoken="I have reviewed this contact list")
    rule = "Your review goes on record with the digest of exactly this list."
    return Message(text=line, blocks=[section(line), actions([done]), context(rule)])


def reviewed_message(stored: StoredRoster) -> Message:
    line = (
        f":white_check_mark: Your review of the escalation contact list is on record ({stored.digest[:19]}…)."
    )
    return Message(text="Review on record", blocks=[section(line)])


def _team(answer: OnCallAnswer, team: Team, titles: Mapping[str, str]) -> list[str]:
    source = "rota" if team.source == ROTA else titles.get(team.source, team.source)
    when = "" if answer.at == answer.now else f" at {date(answer.at)}"
    head = f"*{slack_text(team.name, 60)}* · {slack_text(source, 40)}{when}"
    levels = [_level(answer, team, at) for at in range(len(team.levels))]
    return [head, *levels, _gaps(answer, team)]


def _level(answer: OnCallAnswer, team: Team, index: int) -> str:
    """“2. after 5 min Kim until Fri → Ana · phone …4711 after 0 min”."""
    level: Level = team.levels[index]
    roster = answer.stored.roster
    wait = f"after {team.levels[index - 1].delay_minutes} min " if index else ""
    people = roster.at_level(team.name, level.number, answer.at)
    if not people:
        return f"{level.number}. {wait}:warning: nobody"
    following = " ".join(
        person_name(each) for each in roster.after(team.name, level.number, answer.at)[:MOST_PEOPLE]
    )
    turns = "; ".join(_turn(answer, team, level, each) for each in people[:MOST_PEOPLE])
    left = f" and {len(people) - MOST_PEOPLE} more" if len(people) > MOST_PEOPLE else ""
    return f"{level.number}. {wait}{turns}{left}{f' → {following}' if following else ''}"


def _turn(answer: OnCallAnswer, team: Team, level: Level, person: Responder) -> str:
    until = answer.stored.roster.until(team.name, level.number, person.id, answer.at)
    end = f" until {date(until)}" if until else ""
    sign = "" if person.reachable else ":warning: "
    ways = " · ".join(slack_text(told(each), 60) for each in person.methods[:MOST_METHODS])
    return f"{sign}{person_name(person)}{end} ({ways or 'no contact method'})"


def person_name(person: Responder) -> str:
    """A mention where Slack knows them."""
    return mention(person.slack) if person.slack else slack_text(person.name, 60)


def _gaps(answer: OnCallAnswer, team: Team) -> str:
    start, end = answer.now, min(answer.now + HORIZON, answer.stored.known_until)
    if start >= end:
        return ":grey_question: Gaps unknown: nobody has told the coming shifts"
    found = [
        (level.number, gap)
        for level in team.levels
        for gap in answer.stored.roster.gaps(team.name, level.number, start, end)
    ]
    if not found:
        return f"Gaps in the next {HORIZON.days} days: none"
    left = f" and {len(found) - MOST_GAPS} more" if len(found) > MOST_GAPS else ""
    listed = "; ".join(_gap(*each) for each in found[:MOST_GAPS])
    return f":warning: Gaps in the next {HORIZON.days} days: {listed}{left}"


def _gap(level: int, gap: Stretch) -> str:
    return f"level {level} from {date(gap.start)} to {date(gap.end)}"


def _faults(answer: OnCallAnswer) -> list[Block]:
    names = {team.name for team in answer.teams}
    people = {each.id for name in names for each in answer.stored.roster.people_of(name)}
    found = [each for each in answer.stored.faults(answer.now) if each.team in names or each.person in people]
    if not found:
        return []
    lines = [f":warning: {slack_text(each.says, 240)}" for each in found[:MOST_FAULTS]]
    left = [f"… and {len(found) - MOST_FAULTS} more"] if len(found) > MOST_FAULTS else []
    return [section("\n".join([f"*To be mended ({len(found)})*", *lines, *left]))]


def _age(answer: OnCallAnswer) -> str:
    stored = answer.stored
    if answer.at < answer.now:
        return f"As it was known then: the roster of {date(stored.at)}"
    sign = ":warning: " if stored.is_stale(answer.now) else ""
    return f"{sign}Last seen to be so {ago(stored.checked_at, answer.now)}"


def _ahead(answer: OnCallAnswer) -> str:
    """What nobody has looked at is not shown as a fact."""
    known = answer.stored.known_until
    return f":grey_question: Shifts are known until {date(known)} only" if answer.at >= known else ""


def _review(answer: OnCallAnswer) -> str:
    review = answer.review
    if review is None or review.reviewed_at is None:
        return "The contact list has never been reviewed"
    changed = "" if review.id == answer.stored.id else "; the roster has changed since"
    return f"Contact list reviewed by {mention(review.reviewed_by)} {ago(review.reviewed_at, answer.now)}{changed}"


def _buttons(answer: OnCallAnswer) -> list[dict[str, object]]:
    every: Sequence[Team] = answer.stored.roster.teams
    contacts = button("Contact list", do.CONTACTS, "csv", spoken="Send me the escalation contact list")
    link = button(
        "Link account…", do.LINK_ACCOUNT, "link", spoken="Link an account in a tool to a Slack user"
    )
    return [contacts, link] if any(team.source != ROTA for team in every) else [contacts]
