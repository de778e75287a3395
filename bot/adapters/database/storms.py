"""Storms: their digests' progress, which alerts each of them shows, and how those stand."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, case, func, insert, select, update

from bot.adapters.database.part import Part
from bot.adapters.database.places import (
    BESIDES,
    BUSY,
    LEASE_NOW,
    MAY_UPDATE,
    NEVER,
    STORM_LAGS,
    STORMS,
    THREAD_LAGS,
)
from bot.adapters.database.rows import instant, micros, place_progress, row_alert, row_storm
from bot.adapters.database.tables import alert, storm, thread
from bot.domain.alert import Alert, Response, Severity, Source
from bot.domain.errors import UnknownStorm
from bot.domain.storm import FEWEST_WAITING, Digest, Group, Members, Storm

MOST_GROUPS = 5  # a digest is read on a phone
MOST_IDS = 1000  # in one statement


class Storms(Part):
    """`bot.ports.StormRecords`."""

    def storm(self, storm_id: int) -> Storm:
        found = self._sql.execute(select(storm).where(storm.c.id == storm_id)).mappings().one_or_none()
        if found is None:
            raise UnknownStorm(storm_id)
        return row_storm(found)

    def running_storms(self) -> list[Storm]:
        return [row_storm(row) for row in self._sql.execute(_RUNNING).mappings()]

    def unposted_since(self) -> dict[str, list[datetime]]:
        found: dict[str, list[datetime]] = {}
        for row in self._sql.execute(_UNPOSTED, self._moment):
            found.setdefault(row.channel, []).append(instant(row.stale_since) or self.now)
        return found

    def newest_triggers(self, channel: str, *, most: int) -> list[datetime]:
        asked = {"where": channel, "most": most}
        return [instant(at) for at in self._sql.scalars(_NEWEST_TRIGGERS, asked)]

    def begin_storm(self, channel: str) -> Storm:
        number = self._next_id(storm)
        row = {
            "id": number,
            "channel": channel,
            "began_at": micros(self.now),
            "ended_at": None,
            "spared": "",
            "ts": None,
            "revision": 0,
            "projected": 0,
            "stale_since": None,
            "intent": None,
            "intent_at": None,
            "attempts": 0,
            "next_at": NEVER,
            "problem": "",
            "possible_duplicate": False,
            "lease": None,
            "leased_until": NEVER,
        }
        self._write(insert(storm).values(row))
        return self.storm(number)

    def waiting_severe(self, channel: str, *, besides: Collection[int], most: int) -> list[int]:
        severe = _WAITS & (thread.c.channel == channel) & (thread.c.severity == Severity.SEV1.value)
        query = select(thread.c.alert_id).where(severe, thread.c.alert_id.not_in(besides))
        query = query.order_by(thread.c.alert_id).limit(most)
        return list(self._sql.scalars(query, self._moment))

    def take_in(self, taking: Storm) -> int:
        joins = _WAITS & (thread.c.channel == taking.channel) & thread.c.alert_id.not_in(taking.spared)
        joined = self._write(update(thread).where(joins).values(storm_id=taking.id), self._moment).rowcount
        this, spared = storm.c.id == taking.id, " ".join(map(str, taking.spared))
        self._write(update(storm).where(this, storm.c.spared != spared).values(spared=spared))
        if joined:
            self._write(update(storm).where(this).values(self._news))
        return joined

    def end_storm(self, storm_id: int) -> None:
        over = {"ended_at": micros(self.now), **self._news}
        self._write(update(storm).where(storm.c.id == storm_id).values(over))

    def give_up_storm(self, given_up: Storm, *, channel: str) -> bool:
        this = (storm.c.id == given_up.id) & (storm.c.lease == given_up.lease)
        over = {"ended_at": micros(self.now), "projected": storm.c.revision, "stale_since": None}
        free = {"lease": None, "leased_until": NEVER, "intent": None, "intent_at": None, "problem": ""}
        if self._write(update(storm).where(this).values(over | free)).rowcount != 1:
            return False
        anew = {"storm_id": None, "channel": channel, "projected": 0}
        self._write(update(thread).where(thread.c.storm_id == given_up.id).values(anew))
        return True

    def claim_storms(
        self,
        *,
        lease: str,
        lasting: timedelta,
        busy_channels: Collection[str],
        updates_allowed: bool,
        except_storms: Collection[int],
    ) -> list[Storm]:
        asked = {"busy": list(busy_channels), "may_update": updates_allowed, "besides": list(except_storms)}
        lagging = self._sql.execute(_LAGGING_STORMS, self._moment | asked)
        oldest = {row.channel: row.id for row in lagging}  # the last one is
        return [row_storm(row) for row in self._lease(STORMS, list(oldest.values()), lease, lasting)]

    def save_storm(self, storm_now: Storm, *, keep_lease: timedelta | None = None) -> bool:
        progress = place_progress(storm_now)
        return self._save_progress(
            STORMS, storm_now.id, progress, lease=storm_now.lease, keep_lease=keep_lease
        )

    def stranded_storms(self) -> list[Storm]:
        free = storm.c.leased_until <= micros(self._batch.stamp.lease_now)
        query = select(storm).where(STORM_LAGS, free, (storm.c.problem != "") | storm.c.ts.is_(None))
        return [row_storm(row) for row in self._sql.execute(query).mappings()]

    def storm_members(self, storm_id: int, which: Members = Members.ALL) -> list[int]:
        query = select(thread.c.alert_id).where(thread.c.storm_id == storm_id)
        with_alert = query.join(alert, alert.c.id == thread.c.alert_id)
        is_open = alert.c.response != "resolved"
        match which:
            case Members.ALL:
                pass
            case Members.OPEN:
                query = with_alert.where(is_open)
            case Members.WAITING:
                query = with_alert.where(alert.c.response == "triggered")
            case Members.FIRING:
                query = with_alert.where(is_open, alert.c.source == "firing")
            case Members.UNANNOUNCED:
                query = query.where(thread.c.projected == 0)
        return list(self._sql.scalars(query.order_by(thread.c.alert_id)))

    def announce_members(self, storm_id: int, alert_ids: Sequence[int]) -> None:
        shown = {"projected": thread.c.revision, "shown": thread.c.latest, "stale_since": None}
        for some in _in_parts(alert_ids):
            these = thread.c.alert_id.in_(some) & (thread.c.storm_id == storm_id)
            self._write(update(thread).where(these).values(shown))

    def open_members(self, storm_id: int, *, offset: int, most: int) -> list[Alert]:
        query = (
            select(alert)
            .join(thread, thread.c.alert_id == alert.c.id)
            .where(thread.c.storm_id == storm_id, alert.c.response != "resolved", READABLE)
            .order_by(alert.c.severity, alert.c.id)
        )
        return [row_alert(row) for row in self._sql.execute(query.offset(offset).limit(most)).mappings()]

    def digest(self, storm_id: int) -> Digest | None:
        members = alert.join(thread, and_(thread.c.alert_id == alert.c.id, thread.c.storm_id == storm_id))
        waits, is_open = alert.c.response == "triggered", alert.c.response != "resolved"
        totals = self._sql.execute(
            select(
                func.count().label("alerts"),
                _number(waits).label("waiting"),
                _number(alert.c.response == "acknowledged").label("acknowledged"),
                _number(is_open & (alert.c.source == "recovered")).label("recovered"),
                _number(~is_open).label("resolved"),
                func.min(case((READABLE, alert.c.id))).label("first"),
                func.max(alert.c.id).label("newest"),
                func.count(alert.c.component.distinct()).label("components"),
            ).select_from(members)
        ).one()
        if totals.first is None:
            return None
        first_of_all = func.min(alert.c.id)
        groups = (
            select(
                alert.c.component,
                func.count().label("alerts"),
                _number(is_open).label("open"),
                func.min(case((READABLE, alert.c.severity))).label("worst"),
            )
            .select_from(members)
            .group_by(alert.c.component)
            .order_by(case((first_of_all == totals.first, 0), else_=1), func.count().desc(), first_of_all)
            .limit(MOST_GROUPS)
        )
        return Digest(
            alerts=totals.alerts,
            waiting=totals.waiting,
            acknowledged=totals.acknowledged,
            recovered=totals.recovered,
            resolved=totals.resolved,
            first=self._batch.find_alert(totals.first),
            newest=totals.newest,
            groups=tuple(
                Group(
                    component=row.component,
                    alerts=row.alerts,
                    open=row.open,
                    worst=Severity(row.worst or Severity.SEV4),
                )
                for row in self._sql.execute(groups)
            ),
            components=totals.components,
        )

    @property
    def _news(self) -> dict[str, object]:
        stale_since = func.coalesce(storm.c.stale_since, micros(self.now))
        return {"revision": storm.c.revision + 1, "stale_since": stale_since}


def _number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _in_parts(ids: Iterable[int]) -> Iterator[list[int]]:
    every = list(ids)
    return (every[start : start + MOST_IDS] for start in range(0, len(every), MOST_IDS))


# Has no message yet, and none can be under way.
_WAITS = (
    THREAD_LAGS & thread.c.ts.is_(None) & thread.c.intent.is_(None) & (thread.c.leased_until <= LEASE_NOW)
)
_RUNNING = select(storm).where(storm.c.ended_at.is_(None)).order_by(storm.c.id)


def _unposted() -> Select[Any]:
    """The first few alerts of each channel that wait, oldest first."""
    age = func.row_number().over(partition_by=thread.c.channel, order_by=thread.c.stale_since)
    each = select(thread.c.channel, thread.c.stale_since, age.label("age")).where(_WAITS).subquery()
    return select(each).where(each.c.age <= FEWEST_WAITING).order_by(each.c.age)


def _newest_triggers() -> Select[int]:
    newest = (
        select(thread.c.alert_id)
        .where(thread.c.channel == bindparam("where"))
        .order_by(thread.c.alert_id.desc())
        .limit(bindparam("most", type_=Integer))
    )
    return select(alert.c.triggered_at).where(alert.c.id.in_(newest)).order_by(alert.c.id.desc())


def _lagging_storms() -> Select[Any]:
    is_posted = storm.c.ts.is_not(None)
    may_send = (~is_posted & storm.c.channel.not_in(BUSY)) | (is_posted & MAY_UPDATE)
    these = STORM_LAGS & STORMS.can_be_taken & may_send & storm.c.id.not_in(BESIDES)
    return select(storm.c.channel, storm.c.id).where(these).order_by(storm.c.id.desc())


_UNPOSTED, _NEWEST_TRIGGERS, _LAGGING_STORMS = _unposted(), _newest_triggers(), _lagging_storms()
# A damaged row must not keep all the others from people.
READABLE = (
    alert.c.severity.in_([each.value for each in Severity])
    & alert.c.response.in_([each.value for each in Response])
    & alert.c.source.in_([each.value for each in Source])
)
