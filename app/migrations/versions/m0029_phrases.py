"""Phrases that were found in transcripts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "phrase_check",
        sa.Column("recording", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["recording"], ["recording.seq"]),
        sa.PrimaryKeyConstraint("recording"),
    )
    op.create_table(
        "phrase_finding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("recording", sa.Integer(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("at_ms", sa.Integer(), nullable=False),
        sa.Column("variant", sa.String(length=60), nullable=False),
        sa.Column("near", sa.Boolean(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["recording"], ["recording.seq"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_phrase_finding_recording", "phrase_finding", ["recording", "at_ms"], unique=False)
    op.create_index("ix_phrase_finding_kind", "phrase_finding", ["kind", "state", "recording"], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_table("phrase_finding")
    op.drop_table("phrase_check")
