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

# SQLite numbers rows with exactly INTEGER: then the key is the row's place, and no index is kept beside the table.
RowNumber = BigInteger().with_variant(Integer(), "sqlite")

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
    Column("sealed", LargeBinary, comment="the tree of the newest checkpoint; null before the first"),
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
    Column("seq", RowNumber, primary_key=True, autoincrement=False),
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
    sqlite_with_rowid=False,
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("size", RowNumber, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("note", LargeBinary, nullable=False),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=False),
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

IS_OPEN = text("response <> 'resolved'")  # in words that a partial index is found by
alert = Table(
    "alert",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=False),
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
    Column("acknowledged_by", String, comment="stays when it is handed on"),
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
    Column("roster_id", BigInteger, comment="who was on call when it triggered"),
    Index("alert_problem", "provider", "dedup_key", "id"),
    Index(
        "alert_open_once",
        "provider",
        "dedup_key",
        unique=True,
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    ),
    Index("alert_triggered", "triggered_at"),
    Index(
        "alert_open",
        "id",
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    ),
    Index(
        "alert_snoozed",
        "snoozed_until",
        sqlite_where=text("snoozed_until IS NOT NULL"),
        postgresql_where=text("snoozed_until IS NOT NULL"),
    ),
    Index(
        "alert_not_recovered",
        "provider",
        sqlite_where=text("source <> 'recovered'"),
        postgresql_where=text("source <> 'recovered'"),
    ),
)

_LAGGING = text("storm_id IS NULL AND (revision > projected OR latest > shown)")
thread = Table(
    "thread",
    metadata,
    Column("alert_id", RowNumber, primary_key=True, autoincrement=False),
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
    Column("storm_id", BigInteger, comment="the digest that shows it; then it has no parent of its own"),
    Index(
        "thread_ts",
        "channel",
        "ts",
        sqlite_where=text("ts IS NOT NULL"),
        postgresql_where=text("ts IS NOT NULL"),
    ),
    Index("thread_lag", "severity", "alert_id", sqlite_where=_LAGGING, postgresql_where=_LAGGING),
    Index("thread_newest", "channel", "alert_id"),
    Index(
        "thread_storm",
        "storm_id",
        "alert_id",
        sqlite_where=text("storm_id IS NOT NULL"),
        postgresql_where=text("storm_id IS NOT NULL"),
    ),
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

# Forms that were closed before they were sent, for a day, so that the same person can go on.
draft = Table(
    "draft",
    metadata,
    Column("person", String, primary_key=True),
    Column("alert_id", BigInteger, primary_key=True, autoincrement=False),
    Column("form", String, primary_key=True, comment="the act that the form is for"),
    Column("text", Text, nullable=False, comment="JSON: field and what is written there"),
    Column("kept_until", BigInteger, nullable=False),
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

# Who was on call, as the tool or the configuration said it: a new row only when it has changed.
roster = Table(
    "roster",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False, comment="when it was first seen so"),
    Column("checked_at", BigInteger, nullable=False, comment="when it was last seen so"),
    Column("digest", String, nullable=False, comment="sha256 of the body"),
    Column(
        "body", Text, nullable=False, comment="teams, shifts, people and their ways to be reached, as JSON"
    ),
    Column("reviewed_at", BigInteger, comment="when somebody last reviewed exactly this one"),
    Column("reviewed_by", String, comment="their Slack user id"),
)

# A person's account in a tool, linked to a Slack user by themselves or an admin.
account_link = Table(
    "account_link",
    metadata,
    Column("provider", String, primary_key=True),
    Column("account", String, primary_key=True),
    Column("slack_user", String, nullable=False),
    Column("linked_by", String, nullable=False),
    Column("at", BigInteger, nullable=False),
)

# What a tool calls its people, as it last named them; for those who are linked to no Slack user.
account_name = Table(
    "account_name",
    metadata,
    Column("provider", String, primary_key=True),
    Column("account", String, primary_key=True),
    Column("name", String, nullable=False),
)

# How far alerts have come in the escalation policy, per phase of waiting.
escalation = Table(
    "escalation",
    metadata,
    Column("alert_id", BigInteger, primary_key=True, autoincrement=False),
    Column("phase", String, primary_key=True, comment="unacknowledged or note_missing"),
    Column("begun_at", BigInteger, nullable=False, comment="later by the time it did not wait in this phase"),
    Column("done", Integer, nullable=False, comment="steps of the policy taken in this phase"),
    Column("left_at", BigInteger, comment="since when it does not wait in this phase; null while it does"),
)

# Direct messages owed to people; bundled, at most one message a person in ten minutes.
notice = Table(
    "notice",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("user", String, nullable=False),
    Column("alert_id", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("tried_at", BigInteger, comment="when a message with it was last on its way"),
    Column("sent_at", BigInteger),
    Index(
        "notice_owed",
        "user",
        "at",
        sqlite_where=text("sent_at IS NULL"),
        postgresql_where=text("sent_at IS NULL"),
    ),
    Index("notice_tried", "user", "tried_at"),
)

# What a tool is to be told. socmon's own record never waits for it.
vendor_write = Table(
    "vendor_write",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("provider", String, nullable=False),
    Column("alert_id", BigInteger, nullable=False),
    Column("target", String, nullable=False, comment="the vendor's own id of what is written to"),
    Column("action", String, nullable=False),
    Column("person", String, nullable=False, comment="the Slack user who did it, or socmon"),
    Column("account", String, nullable=False, comment="the vendor's own id of whom it was sent as"),
    Column("text", Text, nullable=False),
    Column("key", String, nullable=False, comment="the same act is written once"),
    Column("at", BigInteger, nullable=False),
    Column("state", String, nullable=False, comment="pending, done, failed or refused"),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("done_at", BigInteger),
    Column("detail", Text, nullable=False),
    Column("lease", String),
    Column("leased_until", BigInteger, nullable=False),
    Index("vendor_write_once", "key", unique=True),
    Index("vendor_write_alert", "alert_id"),
    Index(
        "vendor_write_failed",
        "provider",
        sqlite_where=text("state = 'failed'"),
        postgresql_where=text("state = 'failed'"),
    ),
    Index(
        "vendor_write_due",
        "next_at",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
)

# Many alerts at once in one channel: shown by one message, its digest, which the projector keeps in step.
storm = Table(
    "storm",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("channel", String, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("spared", Text, nullable=False, comment="alerts that keep their own thread, separated by spaces"),
    Column("ts", String),
    Column("revision", Integer, nullable=False),
    Column("projected", Integer, nullable=False),
    Column("stale_since", BigInteger, comment="when it began to lag; null when in step"),
    Column("intent", String),
    Column("intent_at", BigInteger),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("problem", Text, nullable=False),
    Column("possible_duplicate", Boolean, nullable=False),
    Column("lease", String),
    Column("leased_until", BigInteger, nullable=False),
    Index(
        "storm_running",
        "channel",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

# Who opened App Home lately, and what they saw there.
home = Table(
    "home",
    metadata,
    Column("user", String, primary_key=True),
    Column("seen_at", BigInteger, nullable=False),
    Column("shown", String, nullable=False, comment="sha256 of the view they see"),
    Column(
        "shown_at", BigInteger, nullable=False, server_default=text("0"), comment="when it was last published"
    ),
    Column("lease", String, comment="fencing token of whoever publishes it now"),
    Column("leased_until", BigInteger, nullable=False, server_default=text("0")),
)

# A direct message that somebody sent themselves to see whether it arrives. No alert, and never counted as one.
self_test = Table(
    "self_test",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("user", String, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger, comment="when Slack had taken the message"),
    Column("confirmed_at", BigInteger, comment="when the person said so"),
    Index("self_test_user", "user", "id"),
)

# A way that test alerts can take, and since when it was to be proven.
test_path = Table(
    "test_path",
    metadata,
    Column("id", String, primary_key=True, comment="begins with the provider's name"),
    Column("provider", String, nullable=False),
    Column("title", String, nullable=False),
    Column("hops", String, nullable=False, comment="the hops that a test has to pass, in order"),
    Column("since", BigInteger, nullable=False),
    Column("gone_at", BigInteger, comment="when the configuration no longer had it"),
)

# A test alert and how far it came. No alert, and never counted as one.
test_alert = Table(
    "test_alert",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("path", String, nullable=False),
    Column("provider", String, nullable=False),
    Column("nonce", String, nullable=False),
    Column("problem", String, comment="the key under which the provider told of it"),
    Column("link", String, comment="the digest of the secret in the link that confirms it"),
    Column("asked_at", BigInteger, nullable=False),
    Column("verdict", String, comment="null while it is under way"),
    Column("proves", Boolean, nullable=False, comment="whether the path works, by this test"),
    Column("unfinished", Boolean, nullable=False, comment="under way, not cleaned up, or not shown as it is"),
    Column("body", Text, nullable=False, comment="all of it, as JSON"),
    Index("test_alert_nonce", "nonce", unique=True),
    Index("test_alert_path", "path", "id"),
    Index("test_alert_asked", "asked_at"),
    Index("test_alert_link", "link"),
    Index("test_alert_problem", "problem"),
    Index(
        "test_alert_unfinished",
        "id",
        sqlite_where=text("unfinished"),
        postgresql_where=text("unfinished"),
    ),
)


# What a source sees of the infrastructure: one row for each component of each source, as it last said.
sighting = Table(
    "sighting",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("source", String, nullable=False, comment="a provider's name"),
    Column("body", Text, nullable=False, comment="the component, as JSON"),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("gone_at", BigInteger, comment="when a complete answer no longer had it"),
)

# When each source was last asked what there is, and what came of it.
heard = Table(
    "heard",
    metadata,
    Column("source", String, primary_key=True),
    Column("asked_at", BigInteger, nullable=False),
    Column("complete_at", BigInteger, comment="when its answer was last whole"),
    Column("reason", Text, nullable=False, comment="why the last one was not; empty when it was"),
    Column(
        "calls",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="requests that the newest answer took",
    ),
)

# Components that are new, vanished or renamed, and what people decided.
finding = Table(
    "finding",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("body", Text, nullable=False, comment="the component, as JSON"),
    Column("at", BigInteger, nullable=False),
    Column("before", String, nullable=False, comment="the old name of what was renamed"),
    Column("told_at", BigInteger, comment="when people were last asked"),
    Column("reply", String),
    Column("replied_by", String, nullable=False),
    Column("replied_at", BigInteger),
)

# The scope: each change is a revision, and an entry holds from one revision until another.
scope_revision = Table(
    "scope_revision",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("by", String, nullable=False, comment="a Slack user id; empty for the terminal"),
    Column("change", String, nullable=False),
    Column("added", Integer, nullable=False),
    Column("removed", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("reviewed_at", BigInteger, comment="when somebody last reviewed exactly this one"),
    Column("reviewed_by", String, comment="their Slack user id"),
    Column("document", String, comment="the digest of the document that they reviewed"),
)

scope_entry = Table(
    "scope_entry",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("key", String, nullable=False),
    Column("since", BigInteger, nullable=False, comment="the first revision that has it so"),
    Column("until", BigInteger, comment="the first revision that has it no longer"),
    Column("body", Text, nullable=False, comment="component, owner, criticality and exclusion, as JSON"),
)
Index(
    "scope_entry_now",
    scope_entry.c.key,
    unique=True,
    sqlite_where=scope_entry.c.until.is_(None),
    postgresql_where=scope_entry.c.until.is_(None),
)

# Somebody asks to leave a component out; another one decides.
exclusion_request = Table(
    "exclusion_request",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False, comment="the component, as JSON"),
    Column("reason", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("requested_by", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("finding", BigInteger, comment="what it answers"),
    Column("told_at", BigInteger, comment="when the leads were asked"),
    Column("decided_by", String, nullable=False),
    Column("decided_at", BigInteger),
    Column("approved", Boolean),
)

# The written standard: each version that was in force, whole, from when on, and the review of exactly this one.
standard_version = Table(
    "standard_version",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False, comment="when socmon first went by it"),
    Column("document", Text, nullable=False, comment="canonical JSON, which its digest is of"),
    Column("reviewed_at", BigInteger, comment="when a lead last reviewed it in socmon"),
    Column("reviewed_by", String, nullable=False, comment="their Slack user id"),
    Column("told_at", BigInteger, comment="when leads were last reminded of its review"),
)

# What each tool last said of metrics and of monitors, with its age; compressed, since nobody asks for one of them.
coverage_answer = Table(
    "coverage_answer",
    metadata,
    Column("provider", String, primary_key=True),
    Column("subject", String, primary_key=True, comment="metrics or monitors"),
    Column("asked_at", BigInteger, nullable=False),
    Column("whole_at", BigInteger, comment="when it last told everything"),
    Column("reason", Text, nullable=False, comment="why its newest answer was not whole"),
    Column("calls", Integer, nullable=False, comment="requests that the newest answer took"),
    Column("body", LargeBinary, nullable=False),
    Column(
        "components",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="how many the newest answer was asked about",
    ),
    Column(
        "billed",
        Text,
        nullable=False,
        server_default=text("'[]'"),
        comment="JSON: what the vendor bills for the newest answer",
    ),
)

# Every change of a monitor that was seen, whole.
monitor_change = Table(
    "monitor_change",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("provider", String, nullable=False),
    Column("monitor", String, nullable=False, comment="the tool's own id"),
    Column("at", BigInteger, nullable=False, comment="when socmon first saw it so"),
    Column("before", Text, comment="JSON; null for a new one"),
    Column("after", Text, comment="JSON; null when it is gone"),
    Column(
        "untold",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="it watches less now, and nobody has been told so",
    ),
    Index("monitor_change_of", "provider", "monitor", "id"),
    Index("monitor_change_untold", "id", sqlite_where=text("untold"), postgresql_where=text("untold")),
)

# Each assessment: how many cells were covered then.
coverage_run = Table(
    "coverage_run",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("scope", BigInteger, nullable=False, comment="the revision that was assessed"),
    Column("standard", String, nullable=False),
    Column("components", Integer, nullable=False),
    Column("excluded", Integer, nullable=False),
    Column("tally", Text, nullable=False, comment="JSON: cells by kind, measure and state"),
    Column("digest", String, nullable=False),
    Column(
        "spent",
        Text,
        nullable=False,
        server_default=text("'[]'"),
        comment="JSON: what the tools' answers took, and what their vendors bill",
    ),
)

# When what was out of coverage. What is in scope, was assessed and stands here not, was covered.
coverage_interval = Table(
    "coverage_interval",
    metadata,
    Column("component", String, primary_key=True),
    Column("measure", String, primary_key=True, comment="empty for the component as a whole"),
    Column("began_at", BigInteger, primary_key=True),
    Column("ended_at", BigInteger, comment="null while it lasts"),
    Column("state", String, nullable=False, comment="gap or unknown"),
    Column("monitor", String, nullable=False, comment="the nearest one, as provider:id"),
    Column("shortfalls", Text, nullable=False, comment="JSON: as they stood when it began"),
    Column(
        "rank",
        Integer,
        nullable=False,
        server_default=text("1"),
        comment="of the component's criticality: 0 is the highest",
    ),
    Column(
        "kinds",
        Text,
        nullable=False,
        server_default=text("''"),
        comment="the shortfalls without their texts, question:why|…",
    ),
    Index(
        "coverage_interval_short",
        "state",
        "kinds",
        sqlite_where=text("ended_at IS NULL AND measure != ''"),
        postgresql_where=text("ended_at IS NULL AND measure != ''"),
    ),
    Index(
        "coverage_interval_open",
        "component",
        "measure",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index(
        "coverage_interval_urgent",
        "rank",
        "state",
        "component",
        "measure",
        sqlite_where=text("ended_at IS NULL AND measure != ''"),
        postgresql_where=text("ended_at IS NULL AND measure != ''"),
    ),
    Index("coverage_interval_time", "began_at", "ended_at"),
)

# What somebody is to mend until a day. At most one is open about a subject; evidence closes it.
follow_up = Table(
    "follow_up",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("subject", String, nullable=False, comment="what was found, gap:measure:component"),
    Column("owner", String, nullable=False, comment="a Slack user id"),
    Column("due_at", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("opened_by", String, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("told_at", BigInteger, comment="when the owner last heard of it"),
    Column("closed_at", BigInteger),
    Column("outcome", String),
    Column("proof", String, nullable=False, comment="the evidence that closed it"),
    Index("follow_up_subject", "subject", "id"),
    Index(
        "follow_up_open",
        "subject",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
)

# Which dashboards are looked at each week.
dashboard = Table(
    "dashboard",
    metadata,
    Column("key", String, primary_key=True, comment="provider:id"),
    Column("provider", String, nullable=False),
    Column("dashboard", String, nullable=False, comment="the tool's own id"),
    Column("title", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("account", String, nullable=False, comment="where it lay when it was chosen"),
    Column("chosen_by", String, nullable=False, comment="a Slack user id, or configuration"),
    Column("chosen_at", BigInteger, nullable=False),
)

# What came of each capture: a picture, or the trouble; and what a person said of it.
dashboard_capture = Table(
    "dashboard_capture",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("key", String, nullable=False),
    Column("provider", String, nullable=False),
    Column("dashboard", String, nullable=False),
    Column("title", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("account", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("began_at", BigInteger, nullable=False, comment="the time range that is drawn"),
    Column("ended_at", BigInteger, nullable=False),
    Column("picture", String, nullable=False, comment="digest of the artifact; empty when refused"),
    Column("size", BigInteger, nullable=False, comment="in bytes"),
    Column("newest_at", BigInteger, comment="the newest value that is drawn"),
    Column("components", Text, nullable=False, comment="JSON list of names"),
    Column("warnings", Text, nullable=False, comment="JSON list of sentences"),
    Column("trouble", String, comment="why it was refused"),
    Column("says", Text, nullable=False),
    Column("mend", Text, nullable=False),
    Column("shown_at", BigInteger, comment="when people were shown it"),
    Column("reviewed_by", String, nullable=False),
    Column("reviewed_at", BigInteger),
    Column("review", String),
    Index("dashboard_capture_key", "key", "id"),
)

# What is expected to be heard: a tool's heartbeats, or (with an empty key) whatever the tool delivers.
pulse = Table(
    "pulse",
    metadata,
    Column("provider", String, primary_key=True),
    Column(
        "key", String, primary_key=True, comment="the heartbeat's problem in its tool; empty for deliveries"
    ),
    Column("name", Text, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("heard_at", BigInteger),
    Column("gaps", BigInteger, nullable=False, comment="how many silences were measured"),
    Column("longest", Text, nullable=False, comment="JSON: UTC day → its longest silence in microseconds"),
    Column("minutes", Integer, comment="how long it may be silent, where that was configured"),
    Column("ended_at", BigInteger, comment="when the tool itself said that the heartbeat is over"),
    Column("silent_at", BigInteger, comment="since when it is known to be silent; null while it is heard"),
    Column("told_at", BigInteger, comment="when that was said in Slack"),
)

# One row: what socmon knows of its own watching, and how far its audit of itself has come.
watch = Table(
    "watch",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("listening_since", BigInteger, nullable=False),
    Column("looked_at", BigInteger, nullable=False),
    Column("audited_at", BigInteger),
    Column("faults", Text, nullable=False, comment="JSON: check and what is wrong, of the last audit"),
    Column("counted_to", BigInteger, nullable=False, comment="entries before it are counted in the next two"),
    Column("triggered", BigInteger, nullable=False),
    Column("reopened", BigInteger, nullable=False),
    Column("checked", LargeBinary, nullable=False, comment="the tree of the entries that were read again"),
    Column("checked_since", BigInteger, comment="when reading began at the first entry"),
    Column("pinged_at", BigInteger, comment="when the outside last took word that all is well"),
    Column("ping_problem", Text, nullable=False),
)

# When weekly validations open and are due: each rhythm that was in force, from when on.
validation_rhythm = Table(
    "validation_rhythm",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False, comment="since when"),
    Column("opens", String, nullable=False, comment="a weekday and a time on the wall"),
    Column("due", String, nullable=False),
    Column("zone", String, nullable=False),
)

# A week, with the times that it went by, whatever is configured since; and what became of it.
validation = Table(
    "validation",
    metadata,
    Column("week", String, primary_key=True, comment="2026-W47"),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    Column("opens_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("closes_at", BigInteger, nullable=False),
    Column("zone", String, nullable=False),
    Column("opened_at", BigInteger, comment="null when socmon was down until it closed"),
    Column("revision", Integer, nullable=False, comment="of the newest facts"),
    Column("digest", String, nullable=False, comment="of the newest facts"),
    Column("missed_at", BigInteger, comment="when it was put down that nobody attested"),
    Column("ended", String, comment="why it was missed, as far as socmon knows"),
    Column("reason", Text, nullable=False, comment="why, as a lead says"),
    Column("explained_by", String, nullable=False),
    Column("explained_at", BigInteger),
)

# What was shown: the exact bytes that the digest is of, which lie with the artifacts too.
validation_facts = Table(
    "validation_facts",
    metadata,
    Column("week", String, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("digest", String, nullable=False),
    Column("document", Text, nullable=False, comment="canonical JSON"),
)

# The answer to a week. Its key lets nobody answer twice.
attestation = Table(
    "attestation",
    metadata,
    Column("week", String, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("by", String, nullable=False, comment="a Slack user id"),
    Column("role", String, nullable=False),
    Column("delegated_by", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("digest", String, nullable=False, comment="of the facts that were shown"),
    Column("is_late", Boolean, nullable=False),
    Column("dispositions", String, nullable=False, comment="their numbers, separated by spaces"),
    Column("overlaps", Text, nullable=False, comment="JSON: hands that the attester had in it"),
    Column("cosigned_by", String, nullable=False),
    Column("cosigned_at", BigInteger),
)

# What was decided on a finding; it stands until then, unless the finding is gone before.
disposition = Table(
    "disposition",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("finding", String, nullable=False),
    Column("decided", String, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("week", String, nullable=False, comment="with whose attestation it was decided"),
    Column("owner", String, nullable=False, comment="who mends it"),
    Column("ended_at", BigInteger, comment="when the finding was seen to be gone"),
)

# A lead lets somebody attest until a time.
delegation = Table(
    "delegation",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("user", String, nullable=False),
    Column("by", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
)

# Messages about a week that are owed or were sent.
validation_reminder = Table(
    "validation_reminder",
    metadata,
    Column("week", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("to", String, primary_key=True, comment="a Slack user id, a role, or the channel"),
    Column("at", BigInteger, nullable=False),
    Column("tried_at", BigInteger, comment="when it was last on its way"),
    Column("sent_at", BigInteger),
)

# The messages in Slack that show a week, to be kept in step and found again.
validation_copy = Table(
    "validation_copy",
    metadata,
    Column("week", String, primary_key=True),
    Column("kind", String, primary_key=True, comment="why it was sent"),
    Column("channel", String, primary_key=True),
    Column("at", BigInteger, nullable=False, comment="when it was first on its way"),
    Column("ts", String, nullable=False, comment="empty until it is known to stand"),
    Column("shown", String, nullable=False, comment="the state that it shows"),
)
