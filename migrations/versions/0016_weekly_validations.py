"""Weekly validations: their rhythm, what was shown, what was answered and decided, who may, and who was told.

And the kinds of what is out of coverage, which its figures are made of.

Revision ID: 0016
Revises: 0014
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _add_kinds()
    op.create_table(
        "validation_rhythm",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="since when"),
        sa.Column("opens", sa.String(), nullable=False, comment="a weekday and a time on the wall"),
        sa.Column("due", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "validation",
        sa.Column("week", sa.String(), comment="2026-W47", nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("opens_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("closes_at", sa.BigInteger(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column(
            "opened_at", sa.BigInteger(), nullable=True, comment="null when socmon was down until it closed"
        ),
        sa.Column("revision", sa.Integer(), nullable=False, comment="of the newest facts"),
        sa.Column("digest", sa.String(), nullable=False, comment="of the newest facts"),
        sa.Column(
            "missed_at", sa.BigInteger(), nullable=True, comment="when it was put down that nobody attested"
        ),
        sa.Column("ended", sa.String(), nullable=True, comment="why it was missed, as far as socmon knows"),
        sa.Column("reason", sa.Text(), nullable=False, comment="why, as a lead says"),
        sa.Column("explained_by", sa.String(), nullable=False),
        sa.Column("explained_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("week"),
    )
    op.create_table(
        "validation_facts",
        sa.Column("week", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False, comment="canonical JSON"),
        sa.PrimaryKeyConstraint("week", "revision"),
    )
    op.create_table(
        "attestation",
        sa.Column("week", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=False, comment="a Slack user id"),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("delegated_by", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False, comment="of the facts that were shown"),
        sa.Column("is_late", sa.Boolean(), nullable=False),
        sa.Column("dispositions", sa.String(), nullable=False, comment="their numbers, separated by spaces"),
        sa.Column("overlaps", sa.Text(), nullable=False, comment="JSON: hands that the attester had in it"),
        sa.Column("cosigned_by", sa.String(), nullable=False),
        sa.Column("cosigned_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("week"),
    )
    op.create_table(
        "disposition",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("decided", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("week", sa.String(), nullable=False, comment="with whose attestation it was decided"),
        sa.Column("owner", sa.String(), nullable=False, comment="who mends it"),
        sa.Column("ended_at", sa.BigInteger(), nullable=True, comment="when the finding was seen to be gone"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "delegation",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "validation_reminder",
        sa.Column("week", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("to", sa.String(), comment="a Slack user id, a role, or the channel", nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("tried_at", sa.BigInteger(), nullable=True, comment="when it was last on its way"),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("week", "kind", "to"),
    )


def _add_kinds() -> None:
    """What is open now goes on without being written again, so it gets its kinds here."""
    op.add_column(
        "coverage_interval",
        sa.Column(
            "kinds",
            sa.Text(),
            nullable=False,
            server_default=sa.text("''"),
            comment="the shortfalls without their texts, question:why|…",
        ),
    )
    op.create_index(
        "coverage_interval_short",
        "coverage_interval",
        ["state", "kinds"],
        sqlite_where=sa.text("ended_at IS NULL AND measure != ''"),
        postgresql_where=sa.text("ended_at IS NULL AND measure != ''"),
    )
    interval = sa.table(
        "coverage_interval", *map(sa.column, ("component", "measure", "ended_at", "shortfalls", "kinds"))
    )
    connection = op.get_bind()
    still_open = sa.select(interval).where(interval.c.ended_at.is_(None))
    for row in connection.execute(still_open).all():
        kinds = "|".join(sorted({f"{question}:{why}" for question, why, *_ in json.loads(row.shortfalls)}))
        this = (interval.c.component == row.component) & (interval.c.measure == row.measure)
        connection.execute(sa.update(interval).where(this, interval.c.ended_at.is_(None)).values(kinds=kinds))


def downgrade() -> None:
    op.drop_table("validation_reminder")
    op.drop_table("delegation")
    op.drop_table("disposition")
    op.drop_table("attestation")
    op.drop_table("validation_facts")
    op.drop_table("validation")
    op.drop_table("validation_rhythm")
    op.drop_index("coverage_interval_short", "coverage_interval")
    op.drop_column("coverage_interval", "kinds")
