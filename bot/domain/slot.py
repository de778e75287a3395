"""Which week a validation is about, and when it opens, is due and closes: by the calendar of where the lead is.

Weeks are ISO weeks, written “2026-W47”, which sort as they follow. Times of day are meant by the clock on the wall
there: zoneinfo knows when that clock is moved. A time that it skips is as much later; one that it shows twice is the
first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

WEEK = timedelta(days=7)
STAYS_OPEN = timedelta(days=14)
"""From opening to closing, by the wall."""
PUNCTUAL = timedelta(hours=1)
"""What opens later than this was opened late."""

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True, order=True)
class WeekTime:
    """A time of the week by the clock on the wall; `day` is 0 for Monday."""

    day: int
    at: time

    def __str__(self) -> str:
        return f"{DAYS[self.day]} {self.at:%H:%M}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Of “Monday 09:00”. Raises ValueError."""
        day, _, clock = text.strip().partition(" ")
        if day.capitalize() not in DAYS or len(clock) != len("09:00"):
            raise ValueError("write a weekday and a time like “Monday 09:00”")
        return cls(DAYS.index(day.capitalize()), time.fromisoformat(clock))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """When validations open and are due, in the week after the one that they are about, in `zone`; and since when.

    `number` is 0 before it is stored.
    """

    opens: WeekTime = WeekTime(0, time(9))
    due: WeekTime = WeekTime(4, time(17))
    zone: str = "UTC"
    at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    number: int = 0

    def __post_init__(self) -> None:
        if self.opens >= self.due:
            raise ValueError(f"a validation that opens on {self.opens} cannot be due on {self.due}")

    @property
    def told(self) -> tuple[str, str, str]:
        """What makes it the same."""
        return str(self.opens), str(self.due), self.zone

    def begins(self, week: str) -> datetime:
        return self._instant(monday(week), time())

    def opens_at(self, week: str) -> datetime:
        return self._instant(self._day(week, self.opens), self.opens.at)

    def due_at(self, week: str) -> datetime:
        return self._instant(self._day(week, self.due), self.due.at)

    def closes_at(self, week: str) -> datetime:
        return self._instant(self._day(week, self.opens) + STAYS_OPEN, self.opens.at)

    def _day(self, week: str, when: WeekTime) -> date:
        return monday(week) + WEEK + timedelta(days=when.day)

    def _instant(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, ZoneInfo(self.zone)).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A week, from `start` up to but without `end`, and when its validation opens, is due and closes. All in UTC."""

    week: str
    start: datetime
    end: datetime
    opens_at: datetime
    due_at: datetime
    closes_at: datetime
    zone: str

    def is_closed(self, now: datetime) -> bool:
        return now >= self.closes_at

    def is_late(self, at: datetime) -> bool:
        return at > self.due_at


@dataclass(frozen=True, slots=True)
class Calendar:
    """The slots that follow from the rhythms in force, oldest first; at least one.

    No moment is in two weeks or in none, also where a new rhythm has another time zone: a week begins where the one
    before it ends. A rhythm does not touch what would have opened before it was in force.
    """

    rhythms: Sequence[Rhythm]

    @property
    def began(self) -> datetime:
        """What ended before this nobody has to validate."""
        return self.rhythms[0].at

    @property
    def first(self) -> str:
        """The week in which it began."""
        week = week_of(self.began.astimezone(ZoneInfo(self.rhythms[0].zone)).date())
        return week if self.slot(week).end > self.began else following(week)

    def slot(self, week: str) -> Slot:
        rhythm, before = self._rhythm(week), preceding(week)
        return Slot(
            week=week,
            start=self._rhythm(before).begins(week),
            end=rhythm.begins(following(week)),
            opens_at=rhythm.opens_at(week),
            due_at=rhythm.due_at(week),
            closes_at=rhythm.closes_at(week),
            zone=rhythm.zone,
        )

    def opened(self, now: datetime, *, after: str = "") -> Iterator[Slot]:
        """Every slot that should have opened by now, oldest first: all of them, or those after a week."""
        week = following(after) if after else self.first
        while (slot := self.slot(week)).opens_at <= now:
            yield slot
            week = following(week)

    def between(self, start: datetime, end: datetime) -> Iterator[Slot]:
        """Every week that has a moment within this time, oldest first."""
        week = week_of((start - WEEK).date())
        while (slot := self.slot(week)).start < end:
            if slot.end > start:
                yield slot
            week = following(week)

    def _rhythm(self, week: str) -> Rhythm:
        """The newest one that was in force when the week's validation opens by it."""
        for rhythm in reversed(self.rhythms):
            if rhythm.at <= rhythm.opens_at(week):
                return rhythm
        return self.rhythms[0]


def week_of(day: date) -> str:
    year, number, _ = day.isocalendar()
    return f"{year}-W{number:02}"


def monday(week: str) -> date:
    """Raises ValueError for what is no week."""
    year, _, number = week.partition("-W")
    return date.fromisocalendar(int(year), int(number), 1)


def following(week: str) -> str:
    return week_of(monday(week) + WEEK)


def preceding(week: str) -> str:
    return week_of(monday(week) - WEEK)
