"""Versions of the written standard with their reviews, and what each question to a tool took and was billed.

Revision ID: 0012
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "standard_version",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="when socmon first went by it"),
        sa.Column("document", sa.Text(), nullable=False, comment="canonical JSON, which its digest is of"),
        sa.Column(
            "reviewed_at", sa.BigInteger(), nullable=True, comment="when a lead last reviewed it in socmon"
        ),
        sa.Column("reviewed_by", sa.String(), nullable=False, comment="their Slack user id"),
        sa.Column(
            "told_at", sa.BigInteger(), nullable=True, comment="when leads were last reminded of its review"
        ),
        sa.PrimaryKeyConstraint("number"),
    )
    op.add_column(
        "coverage_answer",
        sa.Column(
            "components",
            sa.Integer(),
            nullable=False,
            server_default=sa.text("0"),
            comment="how many the newest answer was asked about",
        ),
    )
    op.add_column(
        "coverage_answer",
        sa.Column(
            "billed",
            sa.Text(),
            nullable=False,
            server_default=sa.text("'[]'"),
            comment="JSON: what the vendor bills for the newest answer",
        ),
    )
    op.add_column(
        "coverage_run",
        sa.Column(
            "spent",
            sa.Text(),
            nullable=False,
            server_default=sa.text("'[]'"),
            comment="JSON: what the tools' answers took, and what their vendors bill",
        ),
    )
    op.add_column(
        "heard",
        sa.Column(
            "calls",
            sa.Integer(),
            nullable=False,
            server_default=sa.text("0"),
            comment="requests that the newest answer took",
        ),
    )


def downgrade() -> None:
    op.drop_column("heard", "calls")
    op.drop_column("coverage_run", "spent")
    op.drop_column("coverage_answer", "billed")
    op.drop_column("coverage_answer", "components")
    op.drop_table("standard_version")
