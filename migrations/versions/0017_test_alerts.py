"""Test alerts with how far each came, and the paths that they can take.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "test_path",
        sa.Column("id", sa.String(), nullable=False, comment="begins with the provider's name"),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("hops", sa.String(), nullable=False, comment="the hops that a test has to pass, in order"),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column(
            "gone_at", sa.BigInteger(), nullable=True, comment="when the configuration no longer had it"
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "test_alert",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column(
            "problem", sa.String(), nullable=True, comment="the key under which the provider told of it"
        ),
        sa.Column(
            "link",
            sa.String(),
            nullable=True,
            comment="the digest of the secret in the link that confirms it",
        ),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=True, comment="null while it is under way"),
        sa.Column("proves", sa.Boolean(), nullable=False, comment="whether the path works, by this test"),
        sa.Column(
            "unfinished",
            sa.Boolean(),
            nullable=False,
            comment="under way, not cleaned up, or not shown as it is",
        ),
        sa.Column("body", sa.Text(), nullable=False, comment="all of it, as JSON"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("test_alert_nonce", "test_alert", ["nonce"], unique=True)
    op.create_index("test_alert_path", "test_alert", ["path", "id"])
    op.create_index("test_alert_asked", "test_alert", ["asked_at"])
    op.create_index("test_alert_link", "test_alert", ["link"])
    op.create_index("test_alert_problem", "test_alert", ["problem"])
    op.create_index(
        "test_alert_unfinished",
        "test_alert",
        ["id"],
        sqlite_where=sa.text("unfinished"),
        postgresql_where=sa.text("unfinished"),
    )


def downgrade() -> None:
    op.drop_table("test_alert")
    op.drop_table("test_path")
