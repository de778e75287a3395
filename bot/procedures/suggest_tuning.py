"""A problem comes and goes again and again: it stays one alert, and the lead is told once to change its monitor."""

from collections.abc import Collection

from bot.domain.evidence import Actor, Entry
from bot.domain.flapping import KIND, MOST_FLAPS, WITHIN
from bot.ports import Records


def is_anything_flapping(records: Records) -> bool:
    """Whether there is a suggestion to make. Reads only."""
    return bool(records.flapping_alerts(more_than=MOST_FLAPS, since=records.now - WITHIN))


def suggest_tuning(records: Records, *, leads: Collection[str]) -> int:
    """One line in each such alert's timeline, and one notice to each lead; never again for this alert.

    Returns how many alerts there were.
    """
    alerts = records.flapping_alerts(more_than=MOST_FLAPS, since=records.now - WITHIN)
    for alert in alerts:
        for lead in leads:
            records.owe_notice(lead, alert.id, KIND)
        records.log(
            Entry(
                type="alert.flapping",
                actor=Actor(kind="system"),
                subject={"alert": alert.id},
                facts={"flaps": alert.flaps, "told": len(leads)},
                private={},
                alert_id=alert.id,
            )
        )
    return len(alerts)
