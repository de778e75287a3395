"""The whole response: who is on call, escalation, direct messages, writes to the tools, storms, App Home."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "alert",
        sa.Column("roster_id", sa.BigInteger(), nullable=True, comment="who was on call when it triggered"),
    )
    op.add_column(
        "alert",
        sa.Column("acknowledged_by", sa.String(), nullable=True, comment="stays when it is handed on"),
    )
    op.execute("UPDATE alert SET acknowledged_by = owner WHERE acknowledged_at IS NOT NULL")
    op.add_column(
        "thread",
        sa.Column(
            "storm_id",
            sa.BigInteger(),
            nullable=True,
            comment="the digest that shows it; then it has no parent of its own",
        ),
    )
    with op.batch_alter_table("thread", schema=None) as batch_op:
        batch_op.drop_index("thread_lag")
        batch_op.create_index(
            "thread_lag",
            ["severity", "alert_id"],
            unique=False,
            sqlite_where=sa.text("storm_id IS NULL AND (revision > projected OR latest > shown)"),
            postgresql_where=sa.text("storm_id IS NULL AND (revision > projected OR latest > shown)"),
        )
        batch_op.create_index("thread_newest", ["channel", "alert_id"], unique=False)
        batch_op.create_index(
            "thread_storm",
            ["storm_id", "alert_id"],
            unique=False,
            sqlite_where=sa.text("storm_id IS NOT NULL"),
            postgresql_where=sa.text("storm_id IS NOT NULL"),
        )

    op.create_table(
        "account_link",
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("slack_user", sa.String(), nullable=False),
        sa.Column("linked_by", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "account"),
    )
    op.create_table(
        "escalation",
        sa.Column("alert_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("phase", sa.String(), nullable=False, comment="unacknowledged or note_missing"),
        sa.Column(
            "begun_at",
            sa.BigInteger(),
            nullable=False,
            comment="later by the time it did not wait in this phase",
        ),
        sa.Column("done", sa.Integer(), nullable=False, comment="steps of the policy taken in this phase"),
        sa.Column(
            "left_at",
            sa.BigInteger(),
            nullable=True,
            comment="since when it does not wait in this phase; null while it does",
        ),
        sa.PrimaryKeyConstraint("alert_id", "phase"),
    )
    op.create_table(
        "home",
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("shown", sa.String(), nullable=False, comment="sha256 of the view they see"),
        sa.PrimaryKeyConstraint("user"),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("alert_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column(
            "tried_at",
            sa.BigInteger(),
            nullable=True,
            comment="when a message with it was last on its way",
        ),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index(
            "notice_owed",
            ["user", "at"],
            unique=False,
            sqlite_where=sa.text("sent_at IS NULL"),
            postgresql_where=sa.text("sent_at IS NULL"),
        )
        batch_op.create_index("notice_tried", ["user", "tried_at"], unique=False)

    op.create_table(
        "roster",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="when it was first seen so"),
        sa.Column("checked_at", sa.BigInteger(), nullable=False, comment="when it was last seen so"),
        sa.Column("digest", sa.String(), nullable=False, comment="sha256 of the body"),
        sa.Column(
            "body",
            sa.Text(),
            nullable=False,
            comment="teams, shifts, people and their ways to be reached, as JSON",
        ),
        sa.Column(
            "reviewed_at",
            sa.BigInteger(),
            nullable=True,
            comment="when somebody last reviewed exactly this one",
        ),
        sa.Column("reviewed_by", sa.String(), nullable=True, comment="their Slack user id"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "storm",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column(
            "spared",
            sa.Text(),
            nullable=False,
            comment="alerts that keep their own thread, separated by spaces",
        ),
        sa.Column("ts", sa.String(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("projected", sa.Integer(), nullable=False),
        sa.Column(
            "stale_since",
            sa.BigInteger(),
            nullable=True,
            comment="when it began to lag; null when in step",
        ),
        sa.Column("intent", sa.String(), nullable=True),
        sa.Column("intent_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("possible_duplicate", sa.Boolean(), nullable=False),
        sa.Column("lease", sa.String(), nullable=True),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("storm", schema=None) as batch_op:
        batch_op.create_index(
            "storm_running",
            ["channel"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "vendor_write",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("alert_id", sa.BigInteger(), nullable=False),
        sa.Column("target", sa.String(), nullable=False, comment="the vendor's own id of what is written to"),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False, comment="the Slack user who did it, or socmon"),
        sa.Column(
            "account", sa.String(), nullable=False, comment="the vendor's own id of whom it was sent as"
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("key", sa.String(), nullable=False, comment="the same act is written once"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False, comment="pending, done, failed or refused"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("lease", sa.String(), nullable=True),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("vendor_write", schema=None) as batch_op:
        batch_op.create_index("vendor_write_alert", ["alert_id"], unique=False)
        batch_op.create_index(
            "vendor_write_due",
            ["next_at"],
            unique=False,
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
        batch_op.create_index(
            "vendor_write_failed",
            ["provider"],
            unique=False,
            sqlite_where=sa.text("state = 'failed'"),
            postgresql_where=sa.text("state = 'failed'"),
        )
        batch_op.create_index("vendor_write_once", ["key"], unique=True)

    op.create_table(
        "account_name",
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "account"),
    )
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.create_index(
            "alert_not_recovered",
            ["provider"],
            unique=False,
            sqlite_where=sa.text("source <> 'recovered'"),
            postgresql_where=sa.text("source <> 'recovered'"),
        )


def downgrade() -> None:
    with op.batch_alter_table("thread", schema=None) as batch_op:
        batch_op.drop_index("thread_storm", sqlite_where=sa.text("storm_id IS NOT NULL"))
        batch_op.drop_index("thread_newest")
        batch_op.drop_index("thread_lag")
        batch_op.create_index(
            "thread_lag",
            ["severity", "alert_id"],
            unique=False,
            sqlite_where=sa.text("revision > projected OR latest > shown"),
            postgresql_where=sa.text("revision > projected OR latest > shown"),
        )
        batch_op.drop_column("storm_id")

    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.drop_column("acknowledged_by")
        batch_op.drop_index(
            "alert_not_recovered",
            sqlite_where=sa.text("source <> 'recovered'"),
            postgresql_where=sa.text("source <> 'recovered'"),
        )
        batch_op.drop_column("roster_id")

    op.drop_table("account_name")

    with op.batch_alter_table("vendor_write", schema=None) as batch_op:
        batch_op.drop_index("vendor_write_once")
        batch_op.drop_index(
            "vendor_write_failed",
            sqlite_where=sa.text("state = 'failed'"),
            postgresql_where=sa.text("state = 'failed'"),
        )
        batch_op.drop_index(
            "vendor_write_due",
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
        batch_op.drop_index("vendor_write_alert")

    op.drop_table("vendor_write")
    with op.batch_alter_table("storm", schema=None) as batch_op:
        batch_op.drop_index(
            "storm_running",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.drop_table("storm")
    op.drop_table("roster")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_index("notice_tried")
        batch_op.drop_index(
            "notice_owed",
            sqlite_where=sa.text("sent_at IS NULL"),
            postgresql_where=sa.text("sent_at IS NULL"),
        )

    op.drop_table("notice")
    op.drop_table("home")
    op.drop_table("escalation")
    op.drop_table("account_link")
