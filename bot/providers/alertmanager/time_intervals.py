"""The times at which a route of Alertmanager's is mute or active.

https://prometheus.io/docs/alerting/latest/configuration/#time_interval
"""

from calendar import monthrange
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.providers.alertmanager.asked import Data
from bot.providers.alertmanager.matching import Unreadable

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
MINUTES = 60


def is_on(interval: Data, at: datetime) -> bool:
    """Whether `at` is in one of the interval's times. Raises Unreadable."""
    try:
        return any(_holds(one, at) for one in interval.get("time_intervals") or ())
    except (TypeError, ValueError, AttributeError, ZoneInfoNotFoundError) as error:
        raise Unreadable(f"socmon cannot read the time interval “{interval.get('name')}”.") from error


def _holds(times: Data, at: datetime) -> bool:
    """Each field that is given has to hold; of its ranges one."""
    local = at.astimezone(ZoneInfo(times.get("location") or "UTC"))
    minute = local.hour * MINUTES + local.minute
    days = monthrange(local.year, local.month)[1]
    return (
        _one_of(
            times.get("times"), lambda one: _minute(one["start_time"]) <= minute < _minute(one["end_time"])
        )
        and _in_ranges(times.get("weekdays"), local.weekday(), lambda word: _named(word, WEEKDAYS, first=0))
        and _in_ranges(times.get("days_of_month"), local.day, lambda word: _day(int(word), days))
        and _in_ranges(times.get("months"), local.month, lambda word: _named(word, MONTHS, first=1))
        and _in_ranges(times.get("years"), local.year, int)
    )


def _one_of(given: Iterable[Any] | None, holds: Any) -> bool:
    return not given or any(holds(one) for one in given)


def _in_ranges(given: Iterable[Any] | None, value: int, read: Any) -> bool:
    """A range is “first:last”, both of them in it, or one value."""

    def holds(written: object) -> bool:
        first, _, last = str(written).partition(":")
        return bool(read(first) <= value <= read(last or first))

    return _one_of(given, holds)


def _named(word: str, names: tuple[str, ...], *, first: int) -> int:
    return int(word) if word.isdigit() else names.index(word.lower()) + first


def _day(number: int, days: int) -> int:
    """-1 is the last day of the month."""
    return number if number > 0 else days + 1 + number


def _minute(written: object) -> int:
    hours, _, minutes = str(written).partition(":")
    return int(hours) * MINUTES + int(minutes)
