"""Which batch each process stored last, and which job runs have not ended.

So a batch whose COMMIT was carried out unheard is not stored twice, and a run whose process died is found at once.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "head",
        sa.Column(
            "batches",
            sa.Text(),
            nullable=False,
            server_default=sa.text("'{}'"),
            comment="JSON: the last batch of each process that wrote lately, newest first",
        ),
    )
    op.create_index(
        "job_running",
        "job_run",
        ["job", "due_at"],
        sqlite_where=sa.text("status = 'running'"),
        postgresql_where=sa.text("status = 'running'"),
    )


def downgrade() -> None:
    op.drop_index("job_running", "job_run")
    with op.batch_alter_table("head") as batch_op:
        batch_op.drop_column("batches")
