"""Every table. Times are integers: microseconds since 1970 UTC, exact and equal on both engines.

`leaf`, `disclosure`, `checkpoint` and `delivery` are append-only: rows are added, never edited.
An alert's timeline is its leaves: the log is not beside the records, it is their history.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
)

metadata = MetaData()

# One row, locked by every writing transaction: it makes them serial, gives numbers without holes, and carries the tree.
head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column(
        "log", String, nullable=False, comment="the log's origin, as it stands in every leaf and checkpoint"
    ),
    Column("size", BigInteger, nullable=False),
    Column("last_hash", LargeBinary, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("alerts", BigInteger, nullable=False),
    Column("deliveries", BigInteger, nullable=False),
    Column(
        "batches",
        Text,
        nullable=False,
        server_default=text("'{}'"),
        comment="JSON: the last batch of each process that wrote lately, newest first",
    ),
)

leaf = Table(
    "leaf",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("alert_id", BigInteger),
    Column("at", BigInteger, nullable=False),
    Column("type", String, nullable=False),
    Column("by", String, nullable=False, comment="Slack user id, provider name, or socmon"),
    Column("leaf", LargeBinary, nullable=False, comment="the exact bytes that were hashed"),
    Column("hash", LargeBinary, nullable=False),
    Index("leaf_alert", "alert_id", "seq"),
)

disclosure = Table(
    "disclosure",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("path", String, primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("value", Text, comment="null: lies elsewhere (raw: the delivery) or was redacted"),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("note", LargeBinary, nullable=False),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("provider", String, nullable=False),
    Column("delivery_id", String, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("verified_by", String, nullable=False),
    Column("result", String, nullable=False),
    Column(
        "gap", Text, nullable=False, comment="why nothing, or not all, could be read; empty when all is well"
    ),
    Column("body", LargeBinary, nullable=False),
    Index("delivery_once", "provider", "delivery_id", unique=True),
    Index("delivery_gaps", "received_at", sqlite_where=text("gap <> ''"), postgresql_where=text("gap <> ''")),
)

alert = Table(
    "alert",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("provider", String, nullable=False),
    Column("dedup_key", String, nullable=False),
    Column("occurrence", String),
    Column("title", Text, nullable=False),
    Column("component", Text, nullable=False),
    Column("condition", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("severity", String, nullable=False),
    Column("url", Text, nullable=False),
    Column("runbook", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("response", String, nullable=False),
    Column("source", String, nullable=False),
    Column("source_at", BigInteger, nullable=False),
    Column("triggered_at", BigInteger, nullable=False),
    Column("on_call", Text, nullable=False, comment="Slack ids, separated by spaces"),
    Column("owner", String),
    Column("acknowledged_at", BigInteger),
    Column("recovered_at", BigInteger),
    Column("resolved_at", BigInteger),
    Column("resolved_by", String),
    Column("found", Text),
    Column("done", Text),
    Column("cause", String),
    Column("security", Boolean),
    Column("follow_up", Text),
    Column("amended_by", String, comment="who edited the resolution note last"),
    Column("snoozed_until", BigInteger),
    Column("repeats", Integer, nullable=False),
    Column("flaps", Integer, nullable=False),
    Column("previous_id", BigInteger),
    Column("version", Integer, nullable=False),
    Index("alert_problem", "provider", "dedup_key", "id"),
    Index(
        "alert_open_once",
        "provider",
        "dedup_key",
        unique=True,
        sqlite_where=text("response <> 'resolved'"),
        postgresql_where=text("response <> 'resolved'"),
    ),
    Index("alert_triggered", "triggered_at"),
)

_LAGGING = text("revision > projected OR latest > shown")
thread = Table(
    "thread",
    metadata,
    Column("alert_id", BigInteger, primary_key=True, autoincrement=False),
    Column("severity", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("ts", String),
    Column("revision", Integer, nullable=False),
    Column("projected", Integer, nullable=False),
    Column(
        "latest", BigInteger, nullable=False, comment="the newest leaf to be told in the thread; -1 for none"
    ),
    Column("shown", BigInteger, nullable=False, comment="the newest leaf told in the thread; -1 for none"),
    Column("stale_since", BigInteger, comment="when it began to lag; null when in step"),
    Column("intent", String, comment="key of the message that may be under way"),
    Column("intent_at", BigInteger),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False, comment="not to be tried before"),
    Column("problem", Text, nullable=False),
    Column("possible_duplicate", Boolean, nullable=False),
    Column(
        "asked",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="somebody has been called for the resolution note",
    ),
    Column("lease", String, comment="fencing token of the replica that works on it"),
    Column("leased_until", BigInteger, nullable=False),
    Index("thread_ts", "channel", "ts"),
    Index("thread_lag", "severity", "alert_id", sqlite_where=_LAGGING, postgresql_where=_LAGGING),
)

intake_count = Table(
    "intake_count",
    metadata,
    Column("hour", BigInteger, primary_key=True, autoincrement=False),
    Column("provider", String, primary_key=True),
    Column("kind", String, primary_key=True, comment="delivery or alert"),
    Column("result", String, primary_key=True),
    Column("reason", String, primary_key=True),
    Column("number", BigInteger, nullable=False),
)

# When each provider was last heard; the deliveries themselves are too many to ask.
source = Table(
    "source",
    metadata,
    Column("provider", String, primary_key=True),
    Column("heard_at", BigInteger, nullable=False),
    Column("tested_at", BigInteger, comment="the last test notification"),
)

# One row per schedule and due time: whoever inserts it runs the job.
_RUNNING = text("status = 'running'")
job_run = Table(
    "job_run",
    metadata,
    Column("job", String, primary_key=True),
    Column("due_at", BigInteger, primary_key=True, autoincrement=False),
    Column("claimed_at", BigInteger, nullable=False),
    Column("node", String, nullable=False),
    Column("status", String, nullable=False, comment="running, done, failed, missed"),
    Column("finished_at", BigInteger),
    Column("detail", Text, nullable=False),
    Index("job_running", "job", "due_at", sqlite_where=_RUNNING, postgresql_where=_RUNNING),
)

# What an operator has to mend: a dead token, an archived channel. One row per subject, gone when mended.
problem = Table(
    "problem",
    metadata,
    Column("subject", String, primary_key=True),
    Column("since", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("told_at", BigInteger, comment="when the admins were told"),
)
