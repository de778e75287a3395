"""What the clock asks every few seconds is found without a walk over every alert there ever was."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

OPEN = sa.text("response <> 'resolved'")
SNOOZED = sa.text("snoozed_until IS NOT NULL")
POSTED = sa.text("ts IS NOT NULL")


def upgrade() -> None:
    op.create_index("alert_open", "alert", ["id"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index(
        "alert_snoozed", "alert", ["snoozed_until"], sqlite_where=SNOOZED, postgresql_where=SNOOZED
    )
    op.drop_index("thread_ts", "thread")
    op.create_index("thread_ts", "thread", ["channel", "ts"], sqlite_where=POSTED, postgresql_where=POSTED)


def downgrade() -> None:
    op.drop_index("thread_ts", "thread")
    op.create_index("thread_ts", "thread", ["channel", "ts"])
    op.drop_index("alert_snoozed", "alert")
    op.drop_index("alert_open", "alert")
