"""What was said in recordings, found by its words, and comments on their moments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from app.migrations.making import drop_search_index, search_index

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
WORDS = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "transcript_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("recording", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("speaker", sa.String(length=32), nullable=False),
        sa.Column("start_ms", sa.Integer(), nullable=False),
        sa.Column("end_ms", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("words", WORDS, nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["recording"], ["recording.seq"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_transcript_line_recording", "transcript_line", ["recording", "start_ms"], unique=False)
    op.create_table(
        "recording_comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("recording", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.Integer(), nullable=False),
        sa.Column("by_name", sa.String(length=64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=True),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["by"], ["user_account.id"]),
        sa.ForeignKeyConstraint(["recording"], ["recording.seq"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_recording_comment_recording", "recording_comment", ["recording", "at_ms"], unique=False)
    search_index("transcript_index")


def downgrade() -> None:
    """Take back."""
    drop_search_index("transcript_index")
    op.drop_table("recording_comment")
    op.drop_table("transcript_line")
