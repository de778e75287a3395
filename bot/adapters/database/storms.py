"""Storms: their digests' progress, which alerts each of them shows, and how those stand."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, false, func, insert, select, update

from bot.adapters.database.part import NEVER, Part
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
        rows = self._sql.execute(select(storm).where(storm.c.ended_at.is_(None)).order_by(storm.c.id))
        return [row_storm(row) for row in rows.mappings()]

    def unposted_since(self) -> dict[str, list[datetime]]:
        age = func.row_number().over(partition_by=thread.c.channel, order_by=thread.c.stale_since)
        each = select(thread.c.channel, thread.c.stale_since, age.label("age")).where(self._waits).subquery()
        oldest = select(each).where(each.c.age <= FEWEST_WAITING).order_by(each.c.age)
        found: dict[str, list[datetime]] = {}
        for row in self._sql.execute(oldest):
            found.setdefault(row.channel, []).append(instant(row.stale_since) or self.now)
        return found

    def newest_triggers(self, channel: str, *, most: int) -> list[datetime]:
        newest = (
            select(thread.c.alert_id)
            .where(thread.c.channel == channel)
            .order_by(thread.c.alert_id.desc())
            .limit(most)
        )
        times = select(alert.c.triggered_at).where(alert.c.id.in_(newest)).order_by(alert.c.id.desc())
        return [instant(at) for at in self._sql.scalars(times)]

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
        severe = self._waits & (thread.c.channel == channel) & (thread.c.severity == Severity.SEV1.value)
        query = select(thread.c.alert_id).where(severe, thread.c.alert_id.not_in(besides))
        return list(self._sql.scalars(query.order_by(thread.c.alert_id).limit(most)))

    def take_in(self, taking: Storm) -> int:
        joins = self._waits & (thread.c.channel == taking.channel) & thread.c.alert_id.not_in(taking.spared)
        joined = self._write(update(thread).where(joins).values(storm_id=taking.id)).rowcount
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
        is_posted = storm.c.ts.is_not(None)
        may_send = ~is_posted & storm.c.channel.not_in(busy_channels)
        may_send |= is_posted if updates_allowed else false()
        lagging = select(storm).where(
            STORM_LAGS, self._can_be_taken(storm), may_send, storm.c.id.not_in(except_storms)
        )
        oldest = {row.channel: row.id for row in self._sql.execute(lagging.order_by(storm.c.id.desc()))}
        if not oldest:
            return []
        mine = storm.c.id.in_(oldest.values())
        self._lease(storm, mine, lease, lasting)
        return [row_storm(row) for row in self._sql.execute(select(storm).where(mine)).mappings()]

    def save_storm(self, storm_now: Storm, *, keep_lease: timedelta | None = None) -> bool:
        return self._save_progress(
            storm,
            storm.c.id == storm_now.id,
            place_progress(storm_now),
            lease=storm_now.lease,
            keep_lease=keep_lease,
            lags=STORM_LAGS,
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
    def _waits(self) -> ColumnElement[bool]:
        """Has no message yet, and none can be under way."""
        lease_now = micros(self._batch.stamp.lease_now)
        return (
            THREAD_LAGS
            & thread.c.ts.is_(None)
            & thread.c.intent.is_(None)
            & (thread.c.leased_until <= lease_now)
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


THREAD_LAGS = thread.c.storm_id.is_(None) & (
    (thread.c.revision > thread.c.projected) | (thread.c.latest > thread.c.shown)
)
STORM_LAGS = storm.c.revision > storm.c.projected
# A damaged row must not keep all the others from people.
READABLE = (
    alert.c.severity.in_([each.value for each in Severity])
    & alert.c.response.in_([each.value for each in Response])
    & alert.c.source.in_([each.value for each in Source])
)
