"""The messages in Slack that show a week's validation, to be kept in step.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "validation_copy",
        sa.Column("week", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), comment="why it was sent", nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="when it was first on its way"),
        sa.Column("ts", sa.String(), nullable=False, comment="empty until it is known to stand"),
        sa.Column("shown", sa.String(), nullable=False, comment="the state that it shows"),
        sa.PrimaryKeyConstraint("week", "kind", "channel"),
    )


def downgrade() -> None:
    op.drop_table("validation_copy")
