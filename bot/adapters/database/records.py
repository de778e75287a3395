"""One transaction over the records, shared by a batch of units of work.

`Batch` is the transaction: what was looked up, what was changed, and the flush with one statement per table. `Unit` is
one procedure's view of it: it sees its own changes and those of earlier units; when it fails, only its own are dropped.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal_column,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from bot.adapters.database.bulk import insert_rows, sent_together, update_rows
from bot.adapters.database.coverage import CoveragePart
from bot.adapters.database.dashboard import DashboardPart
from bot.adapters.database.escalation import EscalationPart
from bot.adapters.database.flapping import Flapping
from bot.adapters.database.follow_up import FollowUpPart
from bot.adapters.database.home import HomePart
from bot.adapters.database.notice import NoticePart
from bot.adapters.database.oncall import OnCall
from bot.adapters.database.part import Part
from bot.adapters.database.places import (
    BESIDES,
    BUSY,
    MAY_UPDATE,
    NEVER,
    STORM_LAGS,
    THREAD_LAGS,
    THREADS,
)
from bot.adapters.database.rows import (
    MICROSECOND,
    alert_row,
    instant,
    micros,
    row_alert,
    row_thread,
    thread_progress,
)
from bot.adapters.database.scope import ScopePart
from bot.adapters.database.self_test import SelfTestPart
from bot.adapters.database.standard import StandardPart
from bot.adapters.database.storms import Storms
from bot.adapters.database.tables import (
    IS_OPEN,
    alert,
    checkpoint,
    delivery,
    disclosure,
    draft,
    head,
    intake_count,
    job_run,
    leaf,
    problem,
    source,
    storm,
    thread,
)
from bot.adapters.database.tool import ToolPart
from bot.adapters.database.validation import ValidationPart
from bot.adapters.database.wakeup import CHANNEL
from bot.domain.alert import Act, Alert
from bot.domain.delivery import UNPROVEN, Delivery
from bot.domain.errors import UnknownAlert
from bot.domain.evidence import ELSEWHERE, Entry, Frontier, canonical, commitment, envelope, leaf_hash
from bot.domain.thread import TOLD_BY_PARENT, Moment, Thread
from bot.domain.tool import ToolAct

SALT_BYTES = 16
ID_BYTES = 8
MOST_WRITERS = 32  # processes whose last batch the head row remembers; more never write at once
MOST_CLAIMED = 50  # threads in one look
MOST_KEYS = 1000  # in one statement: a body may hold more alerts than a database takes parameters
COUNT_KEY = ("hour", "provider", "kind", "result", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What every unit of a batch has in common: when, where and by which code; `token` gives unpredictable bytes.

    `lease_now` is the database server's time, so that replicas with different clocks agree on leases.
    """

    now: datetime
    lease_now: datetime
    boot: str
    mono_ns: int
    node: str
    code: str
    token: Any
    outward: Mapping[str, frozenset[ToolAct]] = field(default_factory=dict)
    """What each tool takes from socmon."""


@dataclass(slots=True)
class Changes:
    """What a unit (or the batch so far) wants to store."""

    alerts: dict[int, Alert] = field(default_factory=dict)
    rewritten: set[int] = field(default_factory=set)  # of alerts: not only repeated
    newest: dict[tuple[str, str], int] = field(default_factory=dict)
    channels: dict[int, str] = field(default_factory=dict)  # of new alerts
    shown: dict[int, int] = field(default_factory=dict)  # alert → how often its visible state changed
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)
    heard: dict[str, datetime] = field(default_factory=dict)
    tested: dict[str, datetime] = field(default_factory=dict)
    counts: dict[tuple[str, str, str, str], int] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)

    def absorb(self, other: "Changes") -> None:
        self.alerts |= other.alerts
        self.rewritten |= other.rewritten
        self.newest |= other.newest
        self.channels |= other.channels
        self.seen |= other.seen
        self.heard |= other.heard
        self.tested |= other.tested
        self.deliveries += other.deliveries
        self.entries += other.entries
        for alert_id, times in other.shown.items():
            self.shown[alert_id] = self.shown.get(alert_id, 0) + times
        for key, number in other.counts.items():
            self.counts[key] = self.counts.get(key, 0) + number


class Batch:
    """The transaction of many units. Reading makes no difference between one unit and a hundred."""

    def __init__(self, connection: Connection, stamp: Stamp, *, writing: bool) -> None:
        self.connection = connection
        self.stamp = stamp
        self.changes = Changes()
        self.has_written = False  # by a unit's own statements, beside the changes that wait for the flush
        self._looked_up: dict[tuple[str, str], Alert | None] = {}
        self._seen: set[tuple[str, str]] = set()
        self._unseen: set[tuple[str, str]] = set()
        row = connection.execute(_LOCK_HEAD if writing else _READ_HEAD).one()
        self.log, self.last_hash = row.log, row.last_hash
        self.size: int = row.size
        self.frontier = Frontier.from_bytes(row.frontier)
        self._alerts_before: int = row.alerts
        self._deliveries_before: int = row.deliveries
        self._batches: str = row.batches

    def look_up(self, deliveries: list[Delivery]) -> None:
        """Fetch in two queries a provider (and a thousand keys) what these deliveries may touch."""
        for provider in {one.provider for one in deliveries}:
            keys = list({key for one in deliveries if one.provider == provider for key in one.keys})
            self._looked_up |= dict.fromkeys((provider, key) for key in keys)
            for start in range(0, len(keys), MOST_KEYS):
                asked = {"of": provider, "keys": keys[start : start + MOST_KEYS]}
                for row in self.connection.execute(_NEWEST, asked).mappings():
                    self._looked_up[provider, row["dedup_key"]] = row_alert(row)
            ids = {one.delivery_id for one in deliveries if one.provider == provider}
            seen = set(self.connection.execute(_SEEN, {"of": provider, "ids": list(ids)}).scalars())
            self._seen |= {(provider, one) for one in seen}
            self._unseen |= {(provider, one) for one in ids - seen}

    def newest(self, key: tuple[str, str]) -> Alert | None:
        if key in self.changes.newest:
            return self.changes.alerts[self.changes.newest[key]]
        if key not in self._looked_up:
            row = self.connection.execute(_NEWEST, {"of": key[0], "keys": [key[1]]}).mappings().one_or_none()
            self._looked_up[key] = row_alert(row) if row else None
        known = self._looked_up[key]
        return self.changes.alerts.get(known.id, known) if known else None

    def seen(self, provider: str, delivery_id: str) -> bool:
        key = (provider, delivery_id)
        if key in self.changes.seen or key in self._seen:
            return True
        if key in self._unseen:
            return False
        return self.connection.execute(_SEEN, {"of": provider, "ids": [delivery_id]}).first() is not None

    def find_alert(self, alert_id: int) -> Alert:
        if alert_id in self.changes.alerts:
            return self.changes.alerts[alert_id]
        if not 0 < alert_id < self.next_alert_id:  # nor would every number fit into the database's
            raise UnknownAlert(alert_id)
        found = self.connection.execute(_FIND, {"number": alert_id}).mappings().one_or_none()
        if found is None:
            raise UnknownAlert(alert_id)
        return row_alert(found)

    @property
    def next_alert_id(self) -> int:
        return self._alerts_before + len(self.changes.channels) + 1

    @property
    def next_delivery(self) -> int:
        return self._deliveries_before + len(self.changes.deliveries) + 1

    def flush(self) -> str:
        """Store everything with one statement per table. Returns the batch's name in the head row; none if empty."""
        changes = self.changes
        if not self.has_written and changes == Changes():
            return ""
        name: str = self.stamp.token(ID_BYTES).hex()
        about = {one.alert_id for one in changes.entries if one.alert_id is not None}
        known = (changes.shown.keys() | about) - changes.channels.keys()
        how_bad = {each: self.find_alert(each).severity.value for each in known}
        with sent_together(self.connection):
            self._store(name, how_bad)
        return name

    def _store(self, name: str, how_bad: Mapping[int, str]) -> None:
        """`how_bad` are the severities of the older alerts that something is said about."""
        changes = self.changes
        latest = self._append(changes.entries)
        insert_rows(self.connection, delivery, changes.deliveries)
        self._store_alerts()
        self._store_threads(latest, how_bad)
        self._store_counts()
        if self.connection.dialect.name == "postgresql" and (changes.channels or changes.shown or latest):
            self.connection.exec_driver_sql(f"NOTIFY {CHANNEL}")
        self.connection.execute(
            update(head).where(head.c.id == 1),
            {
                "size": self.size,
                "last_hash": self.last_hash,
                "frontier": self.frontier.to_bytes(),
                "alerts": self._alerts_before + len(changes.channels),
                "deliveries": self._deliveries_before + len(changes.deliveries),
                "batches": self._batches_with(name),
            },
        )

    def _batches_with(self, name: str) -> str:
        others = json.loads(self._batches)
        others.pop(self.stamp.boot, None)
        return json.dumps(dict([(self.stamp.boot, name), *others.items()][:MOST_WRITERS]))

    def _append(self, entries: list[Entry]) -> dict[int, int]:
        """Give the entries their places in the log; returns the newest place to tell in each alert's thread."""
        leaves: list[dict[str, Any]] = []
        disclosures: list[dict[str, Any]] = []
        latest: dict[int, int] = {}
        at = micros(self.stamp.now)
        drawn = BytesIO(self.stamp.token(sum(ID_BYTES + SALT_BYTES * len(one.private) for one in entries)))
        for entry in entries:
            commits = {}
            for path, text in entry.private.items():
                salt = drawn.read(SALT_BYTES)
                commits[path] = commitment(salt, path, text)
                kept = None if path in ELSEWHERE else text
                disclosures.append({"seq": self.size, "path": path, "salt": salt, "value": kept})
            body = canonical(
                envelope(
                    entry,
                    log=self.log,
                    seq=self.size,
                    id=drawn.read(ID_BYTES).hex(),
                    at=self.stamp.now,
                    mono_boot=self.stamp.boot,
                    mono_ns=self.stamp.mono_ns,
                    node=self.stamp.node,
                    prev=self.last_hash,
                    commits=commits,
                    code=self.stamp.code,
                )
            )
            digest = leaf_hash(body)
            leaves.append(
                {
                    "seq": self.size,
                    "alert_id": entry.alert_id,
                    "at": at,
                    "type": entry.type,
                    "by": entry.actor.user or "socmon",
                    "leaf": body,
                    "hash": digest,
                }
            )
            if entry.alert_id is not None and entry.type.removeprefix("alert.") not in TOLD_BY_PARENT:
                latest[entry.alert_id] = self.size
            self.frontier.append(digest)
            self.last_hash = digest
            self.size += 1
        insert_rows(self.connection, leaf, leaves)
        insert_rows(self.connection, disclosure, disclosures)
        return latest

    def _store_alerts(self) -> None:
        changes = self.changes
        new = [one for one in changes.alerts.values() if one.id in changes.channels]
        old = [one for one in changes.alerts.values() if one.id not in changes.channels]
        insert_rows(self.connection, alert, [alert_row(one) for one in new])
        rewritten = [alert_row(one) for one in old if one.id in changes.rewritten]
        update_rows(self.connection, alert, rewritten, key="id")
        repeated = [
            {
                "id": one.id,
                "occurrence": one.occurrence,
                "repeats": one.repeats,
                "source_at": micros(one.source_at),
            }
            for one in old
            if one.id not in changes.rewritten
        ]
        update_rows(self.connection, alert, repeated, key="id")

    def _store_threads(self, latest: Mapping[int, int], how_bad: Mapping[int, str]) -> None:
        changes = self.changes
        now = micros(self.stamp.now)
        insert_rows(
            self.connection,
            thread,
            [
                {
                    "alert_id": alert_id,
                    "severity": changes.alerts[alert_id].severity.value,
                    "channel": channel,
                    "ts": None,
                    "revision": 1 + changes.shown.get(alert_id, 0),
                    "projected": 0,
                    "latest": latest.get(alert_id, -1),
                    "shown": -1,
                    "stale_since": now,
                    "intent": None,
                    "intent_at": None,
                    "attempts": 0,
                    "next_at": NEVER,
                    "problem": "",
                    "possible_duplicate": False,
                    "asked": False,
                    "lease": None,
                    "leased_until": NEVER,
                }
                for alert_id, channel in changes.channels.items()
            ],
        )
        touched = (changes.shown.keys() | latest.keys()) - changes.channels.keys()
        if touched:
            self.connection.execute(
                _BUMP_THREAD,
                [
                    {
                        "key": alert_id,
                        "times": changes.shown.get(alert_id, 0),
                        "newest": latest.get(alert_id, -1),
                        "now": now,
                        "how_bad": how_bad[alert_id],
                    }
                    for alert_id in touched
                ],
            )
            self._bump_storms(list(touched), now)

    def _bump_storms(self, touched: list[int], now: int) -> None:
        """A digest shows how its alerts stand."""
        for start in range(0, len(touched), MOST_KEYS):
            self.connection.execute(_BUMP_STORMS, {"now": now, "touched": touched[start : start + MOST_KEYS]})

    def _store_counts(self) -> None:
        changes, dialect = self.changes, self.connection.dialect.name
        hour = micros(self.stamp.now.replace(minute=0, second=0, microsecond=0))
        counts = [
            {
                "hour": hour,
                "provider": provider,
                "kind": kind,
                "result": result,
                "reason": reason,
                "number": number,
            }
            for (provider, kind, result, reason), number in changes.counts.items()
        ]
        if counts:
            self.connection.execute(_ADD_COUNT[dialect], counts)
        heard = [
            {"provider": provider, "heard_at": micros(at), "tested_at": micros(changes.tested.get(provider))}
            for provider, at in changes.heard.items()
        ]
        if heard:
            self.connection.execute(_HEARD[dialect], heard)


def stands(connection: Connection, boot: str, name: str) -> bool:
    """Whether this batch of the process `boot`, its last, was stored.

    The head row is locked for the question, so that a COMMIT which is still under way is over before it is answered.
    """
    row = connection.execute(_LOCK_HEAD).one()
    return bool(json.loads(row.batches).get(boot) == name)


class Unit(
    CoveragePart,
    DashboardPart,
    FollowUpPart,
    HomePart,
    SelfTestPart,
    OnCall,
    EscalationPart,
    NoticePart,
    ToolPart,
    Storms,
    Flapping,
    ScopePart,
    StandardPart,
    ValidationPart,
    Part,
):
    """One procedure's view of a batch: `bot.ports.Records`."""

    def __init__(self, batch: Batch) -> None:
        super().__init__(batch)
        self._own = Changes()

    def keep(self) -> None:
        """The procedure succeeded: its changes join the batch."""
        self._batch.changes.absorb(self._own)

    # Alerts
    def alert(self, alert_id: int) -> Alert:
        return self._own.alerts.get(alert_id) or self._batch.find_alert(alert_id)

    def latest_alert(self, provider: str, dedup_key: str) -> Alert | None:
        key = (provider, dedup_key)
        if key in self._own.newest:
            return self._own.alerts[self._own.newest[key]]
        found = self._batch.newest(key)
        return self._own.alerts.get(found.id, found) if found else None

    def new_alert_id(self) -> int:
        return self._batch.next_alert_id + len(self._own.channels)

    def add_alert(self, alert: Alert, *, channel: str) -> None:
        self._own.alerts[alert.id] = alert
        self._own.newest[alert.provider, alert.dedup_key] = alert.id
        self._own.channels[alert.id] = channel

    def save_alert(self, alert: Alert) -> None:
        self._own.alerts[alert.id] = alert
        self._own.rewritten.add(alert.id)

    def save_repeat(self, alert: Alert) -> None:
        self._own.alerts[alert.id] = alert

    def show(self, alert_id: int) -> None:
        self._own.shown[alert_id] = self._own.shown.get(alert_id, 0) + 1

    def due_snoozes(self) -> list[Alert]:
        due = (
            select(alert.c.id)
            .where(alert.c.snoozed_until <= micros(self.now))
            .order_by(alert.c.snoozed_until)
        )
        # As they are now: a unit of the same batch may have ended a snooze, or resolved the alert.
        alerts = [self.alert(row.id) for row in self._sql.execute(due.limit(500))]
        return [one for one in alerts if one.snoozed_until is not None and one.snoozed_until <= self.now]

    def find_alerts(
        self,
        *,
        open_only: bool = False,
        owner: str = "",
        since: datetime | None = None,
        before: int | None = None,
        most: int = 500,
    ) -> list[Alert]:
        query = select(alert).order_by(alert.c.id.desc()).limit(most)
        if open_only:
            query = query.where(IS_OPEN)
        if owner:
            query = query.where(alert.c.owner == owner)
        if since:
            query = query.where(alert.c.triggered_at >= micros(since))
        if before is not None:
            query = query.where(alert.c.id < before)
        return [row_alert(row) for row in self._sql.execute(query).mappings()]

    def alert_at(self, channel: str, ts: str) -> int | None:
        query = select(thread.c.alert_id).where(thread.c.channel == channel, thread.c.ts == ts)
        return self._sql.execute(query).scalar_one_or_none()

    def timeline(self, alert_id: int, *, after: int = -1, most: int = 500) -> list[Moment]:
        later = select(leaf).where(leaf.c.alert_id == alert_id, leaf.c.seq > after)
        return self._moments(self._sql.execute(later.order_by(leaf.c.seq).limit(most)).all())

    def history(self, alert_id: int, *, most: int) -> tuple[list[Moment], int]:
        every = select(leaf).where(leaf.c.alert_id == alert_id)
        rows = self._sql.execute(every.order_by(leaf.c.seq.desc()).limit(most)).all()
        count = select(func.count()).select_from(leaf).where(leaf.c.alert_id == alert_id)
        return self._moments(rows[::-1]), self._sql.execute(count).scalar_one() - len(rows)

    def _moments(self, rows: Sequence[Row[Any]]) -> list[Moment]:
        texts = self._texts([row.seq for row in rows])
        return [_moment(row, texts.get(row.seq, {})) for row in rows]

    def _texts(self, places: list[int]) -> dict[int, dict[str, str]]:
        found: dict[int, dict[str, str]] = {}
        query = select(disclosure).where(disclosure.c.seq.in_(places), disclosure.c.value.is_not(None))
        for row in self._sql.execute(query):
            found.setdefault(row.seq, {})[row.path] = row.value
        return found

    def took_form(self, alert_id: int, form: str, *, by: str) -> bool:
        waiting = (*self._batch.changes.entries, *self._own.entries)
        if any(entry.alert_id == alert_id and entry.facts.get("form") == form for entry in waiting):
            return True
        newest = (
            select(leaf.c.leaf)
            .where(leaf.c.alert_id == alert_id, leaf.c.by == by)
            .order_by(leaf.c.seq.desc())
            .limit(20)
        )
        return any(json.loads(body)["facts"].get("form") == form for body in self._sql.scalars(newest))

    # What people have begun to write
    def keep_draft(
        self, person: str, alert_id: int, act: Act, fields: Mapping[str, str], *, until: datetime
    ) -> None:
        self.drop_draft(person, alert_id, act)
        row = {
            "person": person,
            "alert_id": alert_id,
            "form": act.value,
            "text": json.dumps(dict(fields)),
            "kept_until": micros(until),
        }
        self._write(insert(draft).values(row))

    def draft(self, person: str, alert_id: int, act: Act) -> Mapping[str, str]:
        this = _draft(person, alert_id, act) & (draft.c.kept_until > micros(self.now))
        text = self._sql.execute(select(draft.c.text).where(this)).scalar_one_or_none()
        fields: dict[str, str] = json.loads(text) if text else {}
        return fields

    def drop_draft(self, person: str, alert_id: int, act: Act) -> None:
        self._write(draft.delete().where(_draft(person, alert_id, act)))

    def drop_drafts(self) -> int:
        return self._write(draft.delete().where(draft.c.kept_until <= micros(self.now))).rowcount

    # Slack threads
    def thread(self, alert_id: int) -> Thread:
        if alert_id in self._own.channels or alert_id in self._batch.changes.channels:
            channel = self._own.channels.get(alert_id) or self._batch.changes.channels[alert_id]
            return Thread(
                alert_id=alert_id,
                channel=channel,
                revision=1,
                projected=0,
                latest=-1,
                shown=-1,
                next_at=self.now,
            )
        row = self._sql.execute(select(thread).where(thread.c.alert_id == alert_id)).mappings().one_or_none()
        if row is None:
            raise UnknownAlert(alert_id)
        return row_thread(row)

    def claim_threads(
        self,
        *,
        lease: str,
        lasting: timedelta,
        busy_channels: Collection[str],
        updates_allowed: bool,
        except_alerts: Collection[int],
    ) -> list[Thread]:
        asked = {"busy": list(busy_channels), "may_update": updates_allowed, "besides": list(except_alerts)}
        ids = list(self._sql.execute(_FIRST_THREADS, self._moment | asked).scalars())
        return [row_thread(row) for row in self._lease(THREADS, ids, lease, lasting)]

    def save_thread(self, thread_now: Thread, *, keep_lease: timedelta | None = None) -> bool:
        progress = thread_progress(thread_now)
        lease = thread_now.lease
        return self._save_progress(THREADS, thread_now.alert_id, progress, lease=lease, keep_lease=keep_lease)

    def release_leases(self, *, look_after: timedelta) -> int:
        released = 0
        for table in (thread, storm):
            look_at = func.coalesce(table.c.intent_at + look_after // MICROSECOND, NEVER)
            held = update(table).where(table.c.lease.is_not(None))
            released += self._write(held.values(lease=None, leased_until=look_at)).rowcount
        return released

    def stranded_threads(self) -> list[Thread]:
        query = select(thread).where(THREAD_LAGS, (thread.c.problem != "") | thread.c.ts.is_(None))
        return [row_thread(row) for row in self._sql.execute(query).mappings()]

    def move_thread(self, alert_id: int, *, channel: str) -> None:
        free = thread.c.leased_until <= micros(self._batch.stamp.lease_now)
        anew = {
            "ts": None,
            "projected": 0,
            "intent": None,
            "intent_at": None,
            "lease": None,
            "storm_id": None,
        }
        fresh = {"channel": channel, "attempts": 0, "next_at": NEVER, "problem": ""}
        self._write(update(thread).where(thread.c.alert_id == alert_id, free).values(anew | fresh))

    def lag(self) -> tuple[int, datetime | None]:
        lagging = [
            self._sql.execute(select(func.count(), func.min(table.c.stale_since)).where(lags)).one()
            for table, lags in ((thread, THREAD_LAGS), (storm, STORM_LAGS))
        ]
        oldest = min((row[1] for row in lagging if row[1] is not None), default=None)
        return sum(row[0] for row in lagging), instant(oldest)

    def set_problem(self, subject: str, text: str) -> bool:
        known = self._sql.execute(select(problem.c.text).where(problem.c.subject == subject)).one_or_none()
        if known is None:
            row = {"subject": subject, "since": micros(self.now), "text": text}
            self._write(insert(problem).values(row))
        elif known.text != text:
            self._write(update(problem).where(problem.c.subject == subject).values(text=text))
        return known is None

    def untold_problems(self) -> list[tuple[str, str]]:
        untold = select(problem.c.subject, problem.c.text).where(problem.c.told_at.is_(None))
        return [(row.subject, row.text) for row in self._sql.execute(untold.order_by(problem.c.since))]

    def problem_told(self, subject: str) -> None:
        self._write(update(problem).where(problem.c.subject == subject).values(told_at=micros(self.now)))

    def clear_problem(self, subject: str) -> bool:
        return self._write(problem.delete().where(problem.c.subject == subject)).rowcount == 1

    def problems(self) -> list[tuple[str, datetime, str]]:
        rows = self._sql.execute(select(problem).order_by(problem.c.since))
        return [(row.subject, instant(row.since), row.text) for row in rows]

    # Deliveries
    def seen(self, provider: str, delivery_id: str) -> bool:
        return (provider, delivery_id) in self._own.seen or self._batch.seen(provider, delivery_id)

    def add_delivery(self, delivery: Delivery) -> int:
        number = self._batch.next_delivery + len(self._own.deliveries)
        self._own.seen.add((delivery.provider, delivery.delivery_id))
        if delivery.verified_by != UNPROVEN and not delivery.was_asked_for:
            self._own.heard[delivery.provider] = delivery.received_at
        if delivery.is_test:
            self._own.tested[delivery.provider] = delivery.received_at
        self._own.deliveries.append(
            {
                "id": number,
                "provider": delivery.provider,
                "delivery_id": delivery.delivery_id,
                "received_at": micros(delivery.received_at),
                "verified_by": delivery.verified_by,
                "result": "unreadable" if delivery.unreadable else "accepted",
                "gap": delivery.gap,
                "body": delivery.body,
            }
        )
        return number

    def count(self, provider: str, kind: str, result: str, reason: str = "") -> None:
        key = (provider, kind, str(result), reason)
        self._own.counts[key] = self._own.counts.get(key, 0) + 1

    def counts(self, since: datetime) -> list[tuple[str, str, str, str, int]]:
        columns = (intake_count.c.provider, intake_count.c.kind, intake_count.c.result, intake_count.c.reason)
        query = (
            select(*columns, func.sum(intake_count.c.number))
            .where(intake_count.c.hour >= micros(since.replace(minute=0, second=0, microsecond=0)))
            .group_by(*columns)
            .order_by(*columns)
        )
        return [(row[0], row[1], row[2], row[3], int(row[4])) for row in self._sql.execute(query)]

    def last_heard(self, provider: str) -> tuple[datetime | None, datetime | None]:
        row = self._sql.execute(select(source).where(source.c.provider == provider)).one_or_none()
        return (instant(row.heard_at), instant(row.tested_at)) if row else (None, None)

    def gaps(self, since: datetime) -> list[tuple[datetime, str, str]]:
        query = (
            select(delivery.c.received_at, delivery.c.provider, delivery.c.gap)
            .where(delivery.c.gap != "", delivery.c.received_at >= micros(since))
            .order_by(delivery.c.received_at.desc())
            .limit(100)
        )
        return [(instant(row[0]), row[1], row[2]) for row in self._sql.execute(query)]

    # The clock
    def claim_run(
        self, job: str, due_at: datetime, *, status: str = "running", dead_before: datetime | None = None
    ) -> bool:
        row = {
            "job": job,
            "due_at": micros(due_at),
            "claimed_at": micros(self.now),
            "node": self._batch.stamp.node,
            "status": status,
            "finished_at": None if status == "running" else micros(self.now),
            "detail": "",
        }
        new = (postgresql if self._sql.dialect.name == "postgresql" else sqlite).insert(job_run).values(row)
        key = {"index_elements": ["job", "due_at"]}
        if dead_before is None:
            claim = new.on_conflict_do_nothing(**key)
        else:
            claim = new.on_conflict_do_update(**key, set_=row, where=_dead(dead_before))
        # Not by rowcount: psycopg gives none for an insert.
        return self._write(claim.returning(job_run.c.due_at)).first() is not None

    def dead_runs(self, job: str, *, dead_before: datetime) -> list[datetime]:
        query = select(job_run.c.due_at).where(job_run.c.job == job, _dead(dead_before))
        return [instant(at) for at in self._sql.execute(query.order_by(job_run.c.due_at)).scalars()]

    def finish_run(self, job: str, due_at: datetime, *, status: str, detail: str) -> None:
        self._write(
            update(job_run)
            .where(job_run.c.job == job, job_run.c.due_at == micros(due_at))
            .values(status=status, finished_at=micros(self.now), detail=detail)
        )

    def last_run(self, job: str) -> tuple[datetime, str, datetime | None, str] | None:
        query = select(job_run).where(job_run.c.job == job).order_by(job_run.c.due_at.desc()).limit(1)
        row = self._sql.execute(query).one_or_none()
        return (instant(row.due_at), row.status, instant(row.finished_at), row.detail) if row else None

    def drop_future_runs(self, job: str, *, tolerance: timedelta) -> int:
        shared = self._sql.dialect.name == "postgresql"
        now: datetime = self._sql.execute(select(func.now())).scalar_one() if shared else self.now
        later = (job_run.c.job == job) & (job_run.c.due_at > micros(now + tolerance))
        return self._write(job_run.delete().where(later)).rowcount

    def drop_runs(self, jobs: Collection[str], before: datetime, *, most: int) -> int:
        later = job_run.alias()
        superseded = exists().where(later.c.job == job_run.c.job, later.c.due_at > job_run.c.due_at)
        old = job_run.c.job.in_(jobs) & (job_run.c.due_at < micros(before))
        key = tuple_(job_run.c.job, job_run.c.due_at)
        some = select(job_run.c.job, job_run.c.due_at).where(old, superseded).limit(most)
        return self._write(job_run.delete().where(key.in_(some))).rowcount

    # The evidence log
    def log(self, entry: Entry) -> None:
        self._own.entries.append(entry)

    def tree(self) -> tuple[str, Frontier]:
        row = self._sql.execute(_READ_HEAD).one()
        return row.log, Frontier.from_bytes(row.frontier)

    def last_checkpoint(self) -> tuple[int, datetime, bytes] | None:
        row = self._sql.execute(select(checkpoint).order_by(checkpoint.c.size.desc()).limit(1)).one_or_none()
        return (row.size, instant(row.at), row.note) if row else None

    def sealed_tree(self) -> Frontier:
        stored: bytes | None = self._sql.execute(select(head.c.sealed)).scalar_one()
        return Frontier.from_bytes(stored) if stored else Frontier()

    def leaves(self, start: int, end: int) -> Iterable[tuple[int, bytes]]:
        query = select(leaf.c.seq, leaf.c.leaf).where(leaf.c.seq >= start, leaf.c.seq < end)
        return ((row.seq, bytes(row.leaf)) for row in self._sql.execute(query.order_by(leaf.c.seq)))

    def add_checkpoint(self, tree: Frontier, note: bytes) -> None:
        self._write(insert(checkpoint).values(size=tree.size, at=micros(self.now), note=note))
        self._write(update(head).values(sealed=tree.to_bytes()))

    def drop_bodies(self, before: datetime, *, after: int, most: int) -> tuple[int, int | None]:
        page = delivery.c.id.between(after + 1, after + most)
        old = delivery.c.received_at < micros(before)
        kept = old & (delivery.c.body != b"")
        look = select(func.count().filter(old), func.count().filter(kept)).where(page)
        old_ones, number = self._sql.execute(look).one()
        if number:
            self._write(update(delivery).where(page, kept).values(body=b""))
        # Numbers are given in order of arrival: behind a page in which nothing is old, nothing is.
        return number, after + most if old_ones else None


def _moment(row: Row[Any], texts: Mapping[str, str]) -> Moment:
    order = ("found", "done", "follow_up", "text", "link", "reason")
    return Moment(
        id=row.seq,
        alert_id=row.alert_id,
        at=instant(row.at),
        kind=row.type.removeprefix("alert."),
        by=row.by,
        text="\n".join(texts[path] for path in order if path in texts),
        facts=json.loads(row.leaf).get("facts", {}),
    )


def _draft(person: str, alert_id: int, act: Act) -> ColumnElement[bool]:
    return (draft.c.person == person) & (draft.c.alert_id == alert_id) & (draft.c.form == act.value)


def _dead(before: datetime) -> ColumnElement[bool]:
    return (job_run.c.status == literal_column("'running'")) & (job_run.c.claimed_at < micros(before))


_READ_HEAD = select(head).where(head.c.id == 1)
_LOCK_HEAD = _READ_HEAD.with_for_update()
_SEEN = select(delivery.c.delivery_id).where(
    delivery.c.provider == bindparam("of"), delivery.c.delivery_id.in_(bindparam("ids", expanding=True))
)
_NEWEST = select(alert).where(
    alert.c.id.in_(
        select(func.max(alert.c.id))
        .where(alert.c.provider == bindparam("of"), alert.c.dedup_key.in_(bindparam("keys", expanding=True)))
        .group_by(alert.c.provider, alert.c.dedup_key)
    )
)
_FIND = select(alert).where(alert.c.id == bindparam("number"))


def _first_threads() -> Select[int]:
    """The most urgent lagging thread of each channel that may send now."""
    step = case((thread.c.ts.is_(None), 0), (thread.c.revision > thread.c.projected, 1), else_=2)
    urgency = func.row_number().over(
        partition_by=thread.c.channel, order_by=(step, thread.c.severity, thread.c.alert_id)
    )
    may_send = ((step != 1) & thread.c.channel.not_in(BUSY)) | (MAY_UPDATE & (step == 1))
    lagging = (
        select(thread.c.alert_id, urgency.label("urgency"))
        .where(THREAD_LAGS, THREADS.can_be_taken, may_send, thread.c.alert_id.not_in(BESIDES))
        .subquery()
    )
    return select(lagging.c.alert_id).where(lagging.c.urgency == 1).limit(MOST_CLAIMED)


_FIRST_THREADS = _first_threads()
_BUMP_THREAD = (
    update(thread)
    .where(thread.c.alert_id == bindparam("key"))
    .values(
        revision=thread.c.revision + bindparam("times"),
        latest=case((thread.c.latest > bindparam("newest"), thread.c.latest), else_=bindparam("newest")),
        stale_since=func.coalesce(thread.c.stale_since, bindparam("now")),
        severity=bindparam("how_bad"),
    )
)
_BUMP_STORMS = (
    update(storm)
    .where(
        storm.c.id.in_(
            select(thread.c.storm_id).where(
                thread.c.alert_id.in_(bindparam("touched", expanding=True)), thread.c.storm_id.is_not(None)
            )
        )
    )
    .values(revision=storm.c.revision + 1, stale_since=func.coalesce(storm.c.stale_since, bindparam("now")))
)


def _add_count(dialect: Any) -> Any:
    new = dialect.insert(intake_count)
    more = intake_count.c.number + new.excluded.number
    return new.on_conflict_do_update(index_elements=list(COUNT_KEY), set_={"number": more})


_ADD_COUNT = {"sqlite": _add_count(sqlite), "postgresql": _add_count(postgresql)}


def _heard(dialect: Any) -> Any:
    new = dialect.insert(source)
    tested = func.coalesce(new.excluded.tested_at, source.c.tested_at)
    return new.on_conflict_do_update(
        index_elements=["provider"], set_={"heard_at": new.excluded.heard_at, "tested_at": tested}
    )


_HEARD = {"sqlite": _heard(sqlite), "postgresql": _heard(postgresql)}
