"""Places in Slack, the tables `thread` and `storm`: in both, the columns of a projection and its lease are the same.

The projector looks after every change of anything, so the statements of a look are built once: SQLAlchemy takes longer
to build one than the database to run it.
"""

from datetime import timedelta

from sqlalchemy import BigInteger, Boolean, Column, ColumnElement, String, Table, bindparam, case, update

from bot.adapters.database.rows import MICROSECOND
from bot.adapters.database.tables import storm, thread

NEVER = 0
LONGEST_WAIT = timedelta(hours=2) // MICROSECOND  # of a place: back-off, Retry-After and leases are shorter

NOW = bindparam("now", type_=BigInteger)
LEASE_NOW = bindparam("lease_now", type_=BigInteger)
MAY_UPDATE = bindparam("may_update", type_=Boolean)
BUSY = bindparam("busy", type_=String, expanding=True)
BESIDES = bindparam("besides", type_=BigInteger, expanding=True)

THREAD_LAGS = thread.c.storm_id.is_(None) & (
    (thread.c.revision > thread.c.projected) | (thread.c.latest > thread.c.shown)
)
STORM_LAGS = storm.c.revision > storm.c.projected


class Places:
    """One of the tables, with the conditions and statements that take the parameters above and those named here."""

    def __init__(
        self, table: Table, *, key: Column[int], lags: ColumnElement[bool], will_lag: ColumnElement[bool]
    ) -> None:
        due = (table.c.next_at <= NOW) | (table.c.next_at > NOW + LONGEST_WAIT)
        free = (table.c.leased_until <= LEASE_NOW) | (table.c.leased_until > LEASE_NOW + LONGEST_WAIT)
        self.table, self.key, self.lags = table, key, lags
        self.can_be_taken = due & free
        """Due, and leased by nobody; what lies too far ahead was set before the clock was put back."""
        self.lease = (
            update(table)
            .where(key.in_(bindparam("these", expanding=True)))
            .values(lease=bindparam("by"), leased_until=bindparam("until"))
            .returning(table)
        )
        self.progress = (
            update(table)
            .where(key == bindparam("which"), table.c.lease.is_not_distinct_from(bindparam("mine")))
            .values(stale_since=case((will_lag, bindparam("since", type_=BigInteger))))
        )


PROJECTED, SHOWN = bindparam("up_to", type_=BigInteger), bindparam("told_to", type_=BigInteger)
THREADS = Places(
    thread,
    key=thread.c.alert_id,
    lags=THREAD_LAGS,
    will_lag=thread.c.storm_id.is_(None) & ((thread.c.revision > PROJECTED) | (thread.c.latest > SHOWN)),
)
STORMS = Places(storm, key=storm.c.id, lags=STORM_LAGS, will_lag=storm.c.revision > PROJECTED)
