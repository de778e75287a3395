"""What is expected to be heard, and how far socmon's audit of itself has come.

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pulse",
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column(
            "key",
            sa.String(),
            nullable=False,
            comment="the heartbeat's problem in its tool; empty for deliveries",
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("heard_at", sa.BigInteger(), nullable=True),
        sa.Column("gaps", sa.BigInteger(), nullable=False, comment="how many silences were measured"),
        sa.Column(
            "longest",
            sa.Text(),
            nullable=False,
            comment="JSON: UTC day → its longest silence in microseconds",
        ),
        sa.Column(
            "minutes",
            sa.Integer(),
            nullable=True,
            comment="how long it may be silent, where that was configured",
        ),
        sa.Column(
            "ended_at",
            sa.BigInteger(),
            nullable=True,
            comment="when the tool itself said that the heartbeat is over",
        ),
        sa.Column(
            "silent_at",
            sa.BigInteger(),
            nullable=True,
            comment="since when it is known to be silent; null while it is heard",
        ),
        sa.Column("told_at", sa.BigInteger(), nullable=True, comment="when that was said in Slack"),
        sa.PrimaryKeyConstraint("provider", "key"),
    )
    op.create_table(
        "watch",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("listening_since", sa.BigInteger(), nullable=False),
        sa.Column("looked_at", sa.BigInteger(), nullable=False),
        sa.Column("audited_at", sa.BigInteger(), nullable=True),
        sa.Column(
            "faults", sa.Text(), nullable=False, comment="JSON: check and what is wrong, of the last audit"
        ),
        sa.Column(
            "counted_to",
            sa.BigInteger(),
            nullable=False,
            comment="entries before it are counted in the next two",
        ),
        sa.Column("triggered", sa.BigInteger(), nullable=False),
        sa.Column("reopened", sa.BigInteger(), nullable=False),
        sa.Column(
            "checked",
            sa.LargeBinary(),
            nullable=False,
            comment="the tree of the entries that were read again",
        ),
        sa.Column(
            "checked_since", sa.BigInteger(), nullable=True, comment="when reading began at the first entry"
        ),
        sa.Column(
            "pinged_at",
            sa.BigInteger(),
            nullable=True,
            comment="when the outside last took word that all is well",
        ),
        sa.Column("ping_problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("watch")
    op.drop_table("pulse")
