"""What the tools said of metrics and monitors, how monitors changed, and when what was out of coverage.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "coverage_answer",
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False, comment="metrics or monitors"),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("whole_at", sa.BigInteger(), nullable=True, comment="when it last told everything"),
        sa.Column("reason", sa.Text(), nullable=False, comment="why its newest answer was not whole"),
        sa.Column("calls", sa.Integer(), nullable=False, comment="requests that the newest answer took"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "subject"),
    )
    op.create_table(
        "monitor_change",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("monitor", sa.String(), nullable=False, comment="the tool's own id"),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="when socmon first saw it so"),
        sa.Column("before", sa.Text(), nullable=True, comment="JSON; null for a new one"),
        sa.Column("after", sa.Text(), nullable=True, comment="JSON; null when it is gone"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("monitor_change_of", "monitor_change", ["provider", "monitor", "id"])
    op.create_table(
        "coverage_run",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("scope", sa.BigInteger(), nullable=False, comment="the revision that was assessed"),
        sa.Column("standard", sa.String(), nullable=False),
        sa.Column("components", sa.Integer(), nullable=False),
        sa.Column("excluded", sa.Integer(), nullable=False),
        sa.Column("tally", sa.Text(), nullable=False, comment="JSON: cells by kind, measure and state"),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "coverage_interval",
        sa.Column("component", sa.String(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False, comment="empty for the component as a whole"),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True, comment="null while it lasts"),
        sa.Column("state", sa.String(), nullable=False, comment="gap or unknown"),
        sa.Column("monitor", sa.String(), nullable=False, comment="the nearest one, as provider:id"),
        sa.Column("shortfalls", sa.Text(), nullable=False, comment="JSON: as they stood when it began"),
        sa.PrimaryKeyConstraint("component", "measure", "began_at"),
    )
    op.create_index(
        "coverage_interval_open",
        "coverage_interval",
        ["component", "measure"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("coverage_interval_time", "coverage_interval", ["began_at", "ended_at"])


def downgrade() -> None:
    op.drop_table("coverage_interval")
    op.drop_table("coverage_run")
    op.drop_table("monitor_change")
    op.drop_table("coverage_answer")
