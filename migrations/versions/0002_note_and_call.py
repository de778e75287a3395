"""Whose words a resolution note is, and whether somebody has been called for it.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "alert",
        sa.Column("amended_by", sa.String(), nullable=True, comment="who edited the resolution note last"),
    )
    op.add_column(
        "thread",
        sa.Column(
            "asked",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="somebody has been called for the resolution note",
        ),
    )


def downgrade() -> None:
    with op.batch_alter_table("thread") as batch_op:
        batch_op.drop_column("asked")
    with op.batch_alter_table("alert") as batch_op:
        batch_op.drop_column("amended_by")
