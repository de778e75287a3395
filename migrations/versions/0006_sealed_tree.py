"""The tree of the newest checkpoint is kept, so that the next one is signed only over what goes on from it.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from bot.domain.evidence import Frontier

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "head",
        sa.Column(
            "sealed",
            sa.LargeBinary(),
            nullable=True,
            comment="the tree of the newest checkpoint; null before the first",
        ),
    )
    connection = op.get_bind()
    size = connection.scalar(sa.text("SELECT max(size) FROM checkpoint"))
    if size is not None:
        tree = Frontier()
        hashes = sa.text("SELECT hash FROM leaf WHERE seq < :size ORDER BY seq").bindparams(size=size)
        tree.append_many(bytes(row.hash) for row in connection.execute(hashes))
        connection.execute(sa.text("UPDATE head SET sealed = :sealed").bindparams(sealed=tree.to_bytes()))


def downgrade() -> None:
    with op.batch_alter_table("head") as batch_op:
        batch_op.drop_column("sealed")
