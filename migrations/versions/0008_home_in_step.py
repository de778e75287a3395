"""App Home follows what others do: who publishes it now, and when it was last. And people can test a direct message.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("home") as batch_op:
        batch_op.add_column(
            sa.Column(
                "shown_at",
                sa.BigInteger(),
                nullable=False,
                server_default="0",
                comment="when it was last published",
            )
        )
        batch_op.add_column(
            sa.Column(
                "lease", sa.String(), nullable=True, comment="fencing token of whoever publishes it now"
            )
        )
        batch_op.add_column(sa.Column("leased_until", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "self_test",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True, comment="when Slack had taken the message"),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True, comment="when the person said so"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("self_test_user", "self_test", ["user", "id"])


def downgrade() -> None:
    op.drop_table("self_test")
    with op.batch_alter_table("home") as batch_op:
        batch_op.drop_column("leased_until")
        batch_op.drop_column("lease")
        batch_op.drop_column("shown_at")
