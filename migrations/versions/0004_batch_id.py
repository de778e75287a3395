"""Which batch each process stored last, so that a batch whose COMMIT was carried out unheard is not stored twice."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"
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


def downgrade() -> None:
    with op.batch_alter_table("head") as batch_op:
        batch_op.drop_column("batches")
