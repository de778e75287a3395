"""Who is to mend what until when; which gap comes first; which changes of monitors nobody has been told of.

Until now a change that was to be told while Slack was away was told to nobody: those are left as they are.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "follow_up",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subject", sa.String(), nullable=False, comment="what was found, gap:measure:component"),
        sa.Column("owner", sa.String(), nullable=False, comment="a Slack user id"),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True, comment="when the owner last heard of it"),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("proof", sa.String(), nullable=False, comment="the evidence that closed it"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("follow_up_subject", "follow_up", ["subject", "id"])
    op.create_index(
        "follow_up_open",
        "follow_up",
        ["subject"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.add_column(
        "coverage_interval",
        sa.Column(
            "rank",
            sa.Integer(),
            nullable=False,
            server_default=sa.text("1"),
            comment="of the component's criticality: 0 is the highest",
        ),
    )
    op.create_index(
        "coverage_interval_urgent",
        "coverage_interval",
        ["rank", "state", "component", "measure"],
        sqlite_where=sa.text("ended_at IS NULL AND measure != ''"),
        postgresql_where=sa.text("ended_at IS NULL AND measure != ''"),
    )
    op.add_column(
        "monitor_change",
        sa.Column(
            "untold",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="it watches less now, and nobody has been told so",
        ),
    )
    op.create_index(
        "monitor_change_untold",
        "monitor_change",
        ["id"],
        sqlite_where=sa.text("untold"),
        postgresql_where=sa.text("untold"),
    )


def downgrade() -> None:
    op.drop_index("monitor_change_untold", "monitor_change")
    op.drop_column("monitor_change", "untold")
    op.drop_index("coverage_interval_urgent", "coverage_interval")
    op.drop_column("coverage_interval", "rank")
    op.drop_table("follow_up")
