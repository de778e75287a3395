"""`socmon oncall`: who is on call, in words for a terminal; exit code 1 when something is to be mended."""

import sys
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.adapters.pdf.contact_list import contact_pdf
from bot.adapters.system import SystemClock
from bot.commands.records import records_of, when
from bot.domain.contact_list import to_csv, told
from bot.domain.errors import WrongSettings
from bot.domain.oncall import Level, Responder, Team
from bot.procedures import check_on_call
from bot.procedures.check_on_call import OnCallAnswer
from bot.settings import Settings


def print_on_call(settings: Settings, words: Sequence[str], *, contacts: bool, pdf: Path | None) -> int:
    """The same answer as `/socmon oncall`; with `contacts` and `pdf` the list that it sends."""
    with records_of(settings) as ask:
        if contacts or pdf:
            stored, made_at = ask(check_on_call.contacts), SystemClock().now().replace(microsecond=0)
            if pdf:
                _write(pdf, contact_pdf(stored, made_at))
            if contacts:
                sys.stdout.write(to_csv(stored, made_at))
            return 0
        answer: OnCallAnswer = ask(
            check_on_call.who_is_on_call, " ".join(words).split(), zone=ZoneInfo(settings.config.timezone)
        )
    for team in answer.teams:
        print(f"{team.name} ({team.source} {team.policy}".rstrip() + f"), {when(answer.at)}")
        for level in team.levels:
            print(f"  {level.number}. {_level(answer, team, level)}")
    faults = answer.stored.faults(answer.now)
    for fault in faults:
        print(f"✗ {fault.says}")
    print(f"last seen to be so {when(answer.stored.checked_at)}; {_review(answer)}")
    return 1 if faults else 0


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise WrongSettings(f"{file} cannot be written ({error.strerror}). Name another file.") from error


def _level(answer: OnCallAnswer, team: Team, level: Level) -> str:
    people = answer.stored.roster.at_level(team.name, level.number, answer.at)
    turns = "; ".join(_turn(answer, team, level, each) for each in people) or "nobody"
    return f"{turns} (the next level after {level.delay_minutes} min)"


def _turn(answer: OnCallAnswer, team: Team, level: Level, person: Responder) -> str:
    until = answer.stored.roster.until(team.name, level.number, person.id, answer.at)
    end = f" until {when(until)}" if until else ""
    ways = ", ".join(map(told, person.methods)) or "no contact method"
    return f"{person.name} <{person.email or person.slack or person.id}>{end}: {ways}"


def _review(answer: OnCallAnswer) -> str:
    if answer.review is None:
        return "the contact list has never been reviewed"
    changed = "" if answer.review.id == answer.stored.id else ", and the roster has changed since"
    return f"the contact list was reviewed {when(answer.review.reviewed_at)} by {answer.review.reviewed_by}{changed}"
