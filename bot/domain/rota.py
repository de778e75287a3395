"""A rota written in the configuration: who takes turns at a level, when they hand over, and who stands in.

Hand-overs are at a local time of day, so a shift can last 167 or 169 hours when the clocks change. All arithmetic is
done with local dates, and becomes UTC at the very end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.domain.oncall import ContactMethod, Kind, Level, Responder, Roster, Shift, Team

ROTA = "rota"


class Rotation(StrEnum):
    WEEKLY = "weekly"
    DAILY = "daily"
    NONE = "none"  # everybody, always


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """Who is on call in place of whoever would be."""

    people: tuple[str, ...]
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One level of a rota. `weekday` (Monday is 0) counts for weekly turns; nobody is on call before `start`."""

    people: tuple[str, ...]
    delay_minutes: int
    rotation: Rotation
    weekday: int
    handover: time
    timezone: ZoneInfo
    start: date
    stand_ins: tuple[StandIn, ...] = ()

    def shifts(self, level: int, start: datetime, end: datetime) -> list[Shift]:
        """The whole shifts that touch the time from `start` to `end`; later stand-ins go before earlier ones."""
        found = self._turns(level, start, end)
        for each in self.stand_ins:
            found = [part for shift in found for part in _without(shift, each.start, each.end)]
            found += [
                Shift(responder=person, level=level, start=each.start, end=each.end) for person in each.people
            ]
        return [shift for shift in found if _touches(shift, start, end)]

    def _turns(self, level: int, start: datetime, end: datetime) -> list[Shift]:
        if self.rotation is Rotation.NONE:
            return [Shift(responder=person, level=level) for person in self.people]
        days = 7 if self.rotation is Rotation.WEEKLY else 1
        # Two back: the one before may have begun on a day that the time zone skipped.
        number = max(0, (start.astimezone(self.timezone).date() - self._first).days // days - 2)
        found: list[Shift] = []
        while (begins := self._handover(number * days)) < end:
            ends = self._handover((number + 1) * days)
            if begins < ends:  # a time zone can skip a whole day (Samoa, 2011)
                person = self.people[number % len(self.people)]
                found.append(Shift(responder=person, level=level, start=begins, end=ends))
            number += 1
        return found

    @property
    def _first(self) -> date:
        """The day of the first hand-over."""
        if self.rotation is Rotation.DAILY:
            return self.start
        return self.start + timedelta(days=(self.weekday - self.start.weekday()) % 7)

    def _handover(self, days: int) -> datetime:
        """A local time that the clocks skip comes as much later as they go forward; one that comes twice, first."""
        local = datetime.combine(self._first + timedelta(days=days), self.handover, self.timezone)
        return local.astimezone(UTC)


def rota_team(name: str, turns: Sequence[Turn], start: datetime, end: datetime) -> Team:
    """The team as its turns say, for the time from `start` to `end`."""
    return Team(
        name=name,
        source=ROTA,
        levels=tuple(
            Level(number=number, delay_minutes=turn.delay_minutes, targets=(f"{turn.rotation} rotation",))
            for number, turn in enumerate(turns, 1)
        ),
        shifts=tuple(
            shift for number, turn in enumerate(turns, 1) for shift in turn.shifts(number, start, end)
        ),
    )


def rota_roster(teams: Sequence[Team]) -> Roster:
    """The people of a rota are Slack users, and Slack is what reaches them."""
    people = dict.fromkeys(shift.responder for team in teams for shift in team.shifts)
    slack = ContactMethod(kind=Kind.SLACK, end="mention and direct message", rings_after=0)
    return Roster(
        teams=tuple(teams),
        responders=tuple(Responder(id=user, name=user, slack=user, methods=(slack,)) for user in people),
    )


def _touches(shift: Shift, start: datetime, end: datetime) -> bool:
    return (shift.start is None or shift.start < end) and (shift.end is None or shift.end > start)


def _without(shift: Shift, start: datetime, end: datetime) -> list[Shift]:
    """What is left of a shift outside of a time."""
    if not _touches(shift, start, end):
        return [shift]
    left = []
    if shift.start is None or shift.start < start:
        left.append(Shift(responder=shift.responder, level=shift.level, start=shift.start, end=start))
    if shift.end is None or shift.end > end:
        left.append(Shift(responder=shift.responder, level=shift.level, start=end, end=shift.end))
    return left
