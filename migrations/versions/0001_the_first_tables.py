"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The very type that SQLite numbers rows with: then the key is the row's place, and no index is kept beside it.
ROWID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "alert",
        sa.Column("id", ROWID, autoincrement=False, nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("dedup_key", sa.String(), nullable=False),
        sa.Column("occurrence", sa.String(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("runbook", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("response", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_at", sa.BigInteger(), nullable=False),
        sa.Column("triggered_at", sa.BigInteger(), nullable=False),
        sa.Column("on_call", sa.Text(), nullable=False, comment="Slack ids, separated by spaces"),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("recovered_at", sa.BigInteger(), nullable=True),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("resolved_by", sa.String(), nullable=True),
        sa.Column("found", sa.Text(), nullable=True),
        sa.Column("done", sa.Text(), nullable=True),
        sa.Column("cause", sa.String(), nullable=True),
        sa.Column("security", sa.Boolean(), nullable=True),
        sa.Column("follow_up", sa.Text(), nullable=True),
        sa.Column("snoozed_until", sa.BigInteger(), nullable=True),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("flaps", sa.Integer(), nullable=False),
        sa.Column("previous_id", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.create_index(
            "alert_open_once",
            ["provider", "dedup_key"],
            unique=True,
            sqlite_where=sa.text("response <> 'resolved'"),
            postgresql_where=sa.text("response <> 'resolved'"),
        )
        batch_op.create_index("alert_problem", ["provider", "dedup_key", "id"], unique=False)
        batch_op.create_index("alert_triggered", ["triggered_at"], unique=False)

    op.create_table(
        "checkpoint",
        sa.Column("size", ROWID, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )
    op.create_table(
        "delivery",
        sa.Column("id", ROWID, autoincrement=False, nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("delivery_id", sa.String(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("verified_by", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column(
            "gap",
            sa.Text(),
            nullable=False,
            comment="why nothing, or not all, could be read; empty when all is well",
        ),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(
            "delivery_gaps",
            ["received_at"],
            unique=False,
            sqlite_where=sa.text("gap <> ''"),
            postgresql_where=sa.text("gap <> ''"),
        )
        batch_op.create_index("delivery_once", ["provider", "delivery_id"], unique=True)

    op.create_table(
        "disclosure",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column(
            "value",
            sa.Text(),
            nullable=True,
            comment="null: lies elsewhere (raw: the delivery) or was redacted",
        ),
        sa.PrimaryKeyConstraint("seq", "path"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "log",
            sa.String(),
            nullable=False,
            comment="the log's origin, as it stands in every leaf and checkpoint",
        ),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("last_hash", sa.LargeBinary(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("alerts", sa.BigInteger(), nullable=False),
        sa.Column("deliveries", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "intake_count",
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="delivery or alert"),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "provider", "kind", "result", "reason"),
    )
    op.create_table(
        "job_run",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False, comment="running, done, failed, missed"),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("job", "due_at"),
    )
    op.create_table(
        "leaf",
        sa.Column("seq", ROWID, autoincrement=False, nullable=False),
        sa.Column("alert_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False, comment="Slack user id, provider name, or socmon"),
        sa.Column("leaf", sa.LargeBinary(), nullable=False, comment="the exact bytes that were hashed"),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    with op.batch_alter_table("leaf", schema=None) as batch_op:
        batch_op.create_index("leaf_alert", ["alert_id", "seq"], unique=False)

    op.create_table(
        "problem",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True, comment="when the admins were told"),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_table(
        "source",
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("heard_at", sa.BigInteger(), nullable=False),
        sa.Column("tested_at", sa.BigInteger(), nullable=True, comment="the last test notification"),
        sa.PrimaryKeyConstraint("provider"),
    )
    op.create_table(
        "thread",
        sa.Column("alert_id", ROWID, autoincrement=False, nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("ts", sa.String(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projected", sa.Integer(), nullable=False),
        sa.Column(
            "latest",
            sa.BigInteger(),
            nullable=False,
            comment="the newest leaf to be told in the thread; -1 for none",
        ),
        sa.Column(
            "shown",
            sa.BigInteger(),
            nullable=False,
            comment="the newest leaf told in the thread; -1 for none",
        ),
        sa.Column(
            "stale_since", sa.BigInteger(), nullable=True, comment="when it began to lag; null when in step"
        ),
        sa.Column("intent", sa.String(), nullable=True, comment="key of the message that may be under way"),
        sa.Column("intent_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False, comment="not to be tried before"),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("possible_duplicate", sa.Boolean(), nullable=False),
        sa.Column(
            "lease", sa.String(), nullable=True, comment="fencing token of the replica that works on it"
        ),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id"),
    )
    with op.batch_alter_table("thread", schema=None) as batch_op:
        batch_op.create_index(
            "thread_lag",
            ["severity", "alert_id"],
            unique=False,
            sqlite_where=sa.text("revision > projected OR latest > shown"),
            postgresql_where=sa.text("revision > projected OR latest > shown"),
        )
        batch_op.create_index("thread_ts", ["channel", "ts"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("thread", schema=None) as batch_op:
        batch_op.drop_index("thread_ts")
        batch_op.drop_index(
            "thread_lag",
            sqlite_where=sa.text("revision > projected OR latest > shown"),
            postgresql_where=sa.text("revision > projected OR latest > shown"),
        )

    op.drop_table("thread")
    op.drop_table("source")
    op.drop_table("problem")
    with op.batch_alter_table("leaf", schema=None) as batch_op:
        batch_op.drop_index("leaf_alert")

    op.drop_table("leaf")
    op.drop_table("job_run")
    op.drop_table("intake_count")
    op.drop_table("head")
    op.drop_table("disclosure")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index("delivery_once")
        batch_op.drop_index(
            "delivery_gaps", sqlite_where=sa.text("gap <> ''"), postgresql_where=sa.text("gap <> ''")
        )

    op.drop_table("delivery")
    op.drop_table("checkpoint")
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.drop_index("alert_triggered")
        batch_op.drop_index("alert_problem")
        batch_op.drop_index(
            "alert_open_once",
            sqlite_where=sa.text("response <> 'resolved'"),
            postgresql_where=sa.text("response <> 'resolved'"),
        )

    op.drop_table("alert")
