"""What the tools said is packed in pages. What they said before is asked for anew, within a quarter of an hour.

Revision ID: 0014
Revises: 0012
"""

from alembic import op

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM coverage_answer")


def downgrade() -> None:
    op.execute("DELETE FROM coverage_answer")
