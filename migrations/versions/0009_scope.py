"""Inventory and scope: what the tools see, what people decided about it, and every revision of the scope.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sighting",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(), nullable=False, comment="a provider's name"),
        sa.Column("body", sa.Text(), nullable=False, comment="the component, as JSON"),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column(
            "gone_at", sa.BigInteger(), nullable=True, comment="when a complete answer no longer had it"
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "heard",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("complete_at", sa.BigInteger(), nullable=True, comment="when its answer was last whole"),
        sa.Column("reason", sa.Text(), nullable=False, comment="why the last one was not; empty when it was"),
        sa.PrimaryKeyConstraint("source"),
    )
    op.create_table(
        "finding",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="the component, as JSON"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.String(), nullable=False, comment="the old name of what was renamed"),
        sa.Column("told_at", sa.BigInteger(), nullable=True, comment="when people were last asked"),
        sa.Column("reply", sa.String(), nullable=True),
        sa.Column("replied_by", sa.String(), nullable=False),
        sa.Column("replied_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "scope_revision",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=False, comment="a Slack user id; empty for the terminal"),
        sa.Column("change", sa.String(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column(
            "reviewed_at",
            sa.BigInteger(),
            nullable=True,
            comment="when somebody last reviewed exactly this one",
        ),
        sa.Column("reviewed_by", sa.String(), nullable=True, comment="their Slack user id"),
        sa.Column(
            "document", sa.String(), nullable=True, comment="the digest of the document that they reviewed"
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "scope_entry",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False, comment="the first revision that has it so"),
        sa.Column(
            "until", sa.BigInteger(), nullable=True, comment="the first revision that has it no longer"
        ),
        sa.Column(
            "body",
            sa.Text(),
            nullable=False,
            comment="component, owner, criticality and exclusion, as JSON",
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "scope_entry_now",
        "scope_entry",
        ["key"],
        unique=True,
        sqlite_where=sa.text("until IS NULL"),
        postgresql_where=sa.text("until IS NULL"),
    )
    op.create_table(
        "exclusion_request",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="the component, as JSON"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("finding", sa.BigInteger(), nullable=True, comment="what it answers"),
        sa.Column("told_at", sa.BigInteger(), nullable=True, comment="when the leads were asked"),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("approved", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("exclusion_request")
    op.drop_index("scope_entry_now", "scope_entry")
    op.drop_table("scope_entry")
    op.drop_table("scope_revision")
    op.drop_table("finding")
    op.drop_table("heard")
    op.drop_table("sighting")
