"""Which dashboards are looked at each week, and what came of each capture.

Revision ID: 0018
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dashboard",
        sa.Column("key", sa.String(), nullable=False, comment="provider:id"),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("dashboard", sa.String(), nullable=False, comment="the tool's own id"),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("account", sa.String(), nullable=False, comment="where it lay when it was chosen"),
        sa.Column("chosen_by", sa.String(), nullable=False, comment="a Slack user id, or configuration"),
        sa.Column("chosen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "dashboard_capture",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("dashboard", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False, comment="the time range that is drawn"),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "picture", sa.String(), nullable=False, comment="digest of the artifact; empty when refused"
        ),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="in bytes"),
        sa.Column("newest_at", sa.BigInteger(), nullable=True, comment="the newest value that is drawn"),
        sa.Column("components", sa.Text(), nullable=False, comment="JSON list of names"),
        sa.Column("warnings", sa.Text(), nullable=False, comment="JSON list of sentences"),
        sa.Column("trouble", sa.String(), nullable=True, comment="why it was refused"),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("mend", sa.Text(), nullable=False),
        sa.Column("shown_at", sa.BigInteger(), nullable=True, comment="when people were shown it"),
        sa.Column("reviewed_by", sa.String(), nullable=False),
        sa.Column("reviewed_at", sa.BigInteger(), nullable=True),
        sa.Column("review", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("dashboard_capture_key", "dashboard_capture", ["key", "id"])


def downgrade() -> None:
    op.drop_table("dashboard_capture")
    op.drop_table("dashboard")
