"""A person answers many alerts of a storm at once. Each is answered as if it were alone, with its own entry on record.

What cannot be done to one of them is skipped, with the reason, and hinders no other. Raises what holds for all of them
alike: NotPermitted, ThinNote, UnknownStorm; then nothing has changed.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

from bot.domain.alert import Act, Alert, Resolution
from bot.domain.errors import IllegalAct, UnknownAlert
from bot.domain.person import READERS, Person
from bot.domain.storm import Digest, Members, Storm
from bot.ports import Records
from bot.procedures import respond_to_alert


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How many alerts were answered, and (number, why) of those that were not."""

    done: int
    skipped: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page of a storm's open alerts, most severe first. `page` counts from 1 and is one that exists."""

    storm: Storm
    digest: Digest | None
    alerts: tuple[Alert, ...]
    page: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The alerts that an act is for, and how many more of its kind came after what the person saw."""

    alert_ids: tuple[int, ...]
    newer: int
    firing: int


def list_storm(records: Records, storm_id: int, *, by: Person, page: int, size: int) -> Listing:
    """Raises NotPermitted and UnknownStorm."""
    by.require(READERS, "read alerts")
    storm, digest = records.storm(storm_id), records.digest(storm_id)
    last = max(1, -(-digest.open // size)) if digest else 1
    page = min(max(1, page), last)
    alerts = records.open_members(storm_id, offset=(page - 1) * size, most=size)
    return Listing(storm=storm, digest=digest, alerts=tuple(alerts), page=page)


def choose(
    records: Records, storm_id: int, act: Act, *, by: Person, newest: int, ticked: Collection[int] = ()
) -> Choice:
    """The ticked alerts; when none is ticked, all that the person saw and that wait for this act.

    Alerts above `newest` came later than what was on screen: nobody is made to answer what they have not seen.
    """
    by.require_for(act)
    records.storm(storm_id)
    if ticked:
        ids, newer = sorted(set(records.storm_members(storm_id)).intersection(ticked)), 0
    else:
        which = Members.WAITING if act is Act.ACKNOWLEDGE else Members.OPEN
        every = records.storm_members(storm_id, which)
        ids = [each for each in every if each <= newest]
        newer = len(every) - len(ids)
    firing = len(set(ids).intersection(records.storm_members(storm_id, Members.FIRING)))
    return Choice(alert_ids=tuple(ids), newer=newer, firing=firing)


def acknowledge_all(records: Records, alert_ids: Sequence[int], *, by: Person) -> Done:
    by.require_for(Act.ACKNOWLEDGE)
    return _each(alert_ids, partial(respond_to_alert.acknowledge, records, by=by))


def resolve_all(
    records: Records, alert_ids: Sequence[int], *, by: Person, resolution: Resolution, form: str = ""
) -> Done:
    """With one note, which stands in the record of each."""
    by.require_for(Act.RESOLVE)
    resolution.check()
    resolve = partial(respond_to_alert.resolve, records, by=by, resolution=resolution, form=form)
    return _each(alert_ids, resolve)


def _each(alert_ids: Sequence[int], act: Callable[[int], Alert]) -> Done:
    skipped = []
    for alert_id in alert_ids:
        try:
            act(alert_id)
        except (IllegalAct, UnknownAlert) as error:
            skipped.append((alert_id, str(error)))
    return Done(done=len(alert_ids) - len(skipped), skipped=tuple(skipped))
