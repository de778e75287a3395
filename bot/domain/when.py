"""A moment in the words of a person: “now”, “tomorrow 9:00”, “fri 18:00”, “2026-12-24”, “+3d”."""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.errors import SocmonError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AHEAD = re.compile(r"\+(\d{1,3})\s?([mhdw])")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")


class UnknownTime(SocmonError):
    """The words name no moment."""

    def __init__(self, words: str) -> None:
        super().__init__(
            f"I don't know the time “{words}”. Try `now`, `tomorrow`, `fri 18:00`, `2026-12-24 09:00` or `+3d`."
        )


def read_when(words: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    """In UTC. Days and times are those of `zone`; a day without a time is its noon; weekdays are yet to come.

    Raises UnknownTime.
    """
    text = " ".join(words.casefold().split())
    if text in {"", "now"}:
        return now
    if ahead := _AHEAD.fullmatch(text):
        return now + timedelta(**{_UNITS[ahead[2]]: int(ahead[1])})
    try:
        if "t" in text and (exact := _exact(words)):
            return exact
        return _on_a_day(text, now.astimezone(zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnknownTime(words) from error


def _exact(words: str) -> datetime | None:
    """RFC 3339, with an offset."""
    try:
        found = datetime.fromisoformat(words.strip())
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def _on_a_day(text: str, local: datetime) -> datetime:
    """Raises ValueError."""
    first, _, rest = text.replace("t", " ", 1).partition(" ") if text[:1].isdigit() else text.partition(" ")
    if not rest and _CLOCK.fullmatch(first):
        first, rest = "today", first
    clock = _clock(rest) if rest else time(12)
    if first in {"today", "tomorrow"}:
        day = local.date() + timedelta(days=first == "tomorrow")
    elif first[:3] in _DAYS:
        day = local.date() + timedelta(days=(_DAYS.index(first[:3]) - local.weekday()) % 7)
        if day == local.date() and clock <= local.time():
            day += timedelta(days=7)
    else:
        day = datetime.strptime(first, "%Y-%m-%d").date()  # noqa: DTZ007 - a date only
    return datetime.combine(day, clock, local.tzinfo)


def _clock(text: str) -> time:
    found = _CLOCK.fullmatch(text)
    if not found:
        raise ValueError(text)
    return time(int(found[1]), int(found[2]))
