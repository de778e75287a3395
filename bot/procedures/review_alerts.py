"""Look at the alerts: the log with its figures, one alert's history. Reads only."""

import re
from datetime import timedelta

from bot.domain.alert import Act, Alert
from bot.domain.errors import SocmonError
from bot.domain.person import Person
from bot.domain.thread import Moment
from bot.ports import Records
from bot.procedures.show_alert import named, told_by_name

RECENT = timedelta(days=14)
PAGE = 500
MOST_MOMENTS = 2000


class UnknownPeriod(SocmonError):
    """`/socmon log` was asked for something it does not know."""


def alert_history(records: Records, alert_id: int) -> tuple[Alert, list[Moment], int]:
    """An alert, what happened to it (oldest first), and how many earlier moments a flapping one has besides.

    Raises UnknownAlert.
    """
    alert = records.alert(alert_id)
    moments, earlier = records.history(alert_id, most=MOST_MOMENTS)
    names = records.account_names(alert.provider, [alert.owner] if alert.owner else [])
    return named(alert, names), told_by_name(records, alert.provider, moments), earlier


def alert_log(records: Records, which: str, *, user: str, before: int | None = None) -> list[Alert]:
    """One page of what `/socmon log` is asked for, newest first; the next one comes `before` its last number.

    `which` is "" (7 days), "open", "mine", "7d" (any number of days) or "A-12". Paged, since a long read would hold up
    the writer. Raises UnknownPeriod and UnknownAlert.
    """
    word = which.strip().lower()
    if word == "open":
        return records.find_alerts(open_only=True, before=before, most=PAGE)
    if word == "mine":
        return records.find_alerts(owner=user, before=before, most=PAGE)
    if number := re.fullmatch(r"a-?(\d{1,12})", word):
        return [records.alert(int(number[1]))] if before is None else []
    if days := re.fullmatch(r"(\d{1,4})d", word or "7d"):
        since = records.now - timedelta(days=int(days[1]))
        return records.find_alerts(since=since, before=before, most=PAGE)
    raise UnknownPeriod(
        f"I don't know the alerts “{which}”. Try `open`, `mine`, `7d` (or any number of days), or `A-12`."
    )


def alerts_to_note(
    records: Records, channel: str, thread: str, *, by: Person
) -> tuple[list[Alert], int | None]:
    """The alerts that a message may be about: the one whose thread it is in, the open ones, then the newest.

    With the number of the first one, if the message is in an alert's thread. Raises NotPermitted.
    """
    by.require_for(Act.NOTE)
    own = records.alert_at(channel, thread)
    still_open = records.find_alerts(open_only=True, most=100)
    recent = records.find_alerts(since=records.now - RECENT, most=100)
    every = [*([records.alert(own)] if own is not None else []), *still_open, *recent]
    return list({alert.id: alert for alert in every}.values()), own
