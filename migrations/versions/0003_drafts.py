"""What people have begun to write in a form is kept for a day, so that a closed or refused form loses nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "draft",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("alert_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("form", sa.String(), nullable=False, comment="the act that the form is for"),
        sa.Column("text", sa.Text(), nullable=False, comment="JSON: field and what is written there"),
        sa.Column("kept_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person", "alert_id", "form"),
    )


def downgrade() -> None:
    op.drop_table("draft")
