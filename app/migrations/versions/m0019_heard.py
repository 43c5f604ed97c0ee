"""What was said in recordings, found by its words, and comments on their moments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

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
    op.create_table(
        "transcript_index",
        sa.Column("subject_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("audience", sa.String(length=16), nullable=False),
        sa.Column("until", MOMENT, nullable=True),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("moment", MOMENT, nullable=False),
        sa.Column("words", sa.Text().with_variant(TSVECTOR(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("subject_id"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE INDEX transcript_index_fts ON transcript_index USING gin (words) WITH (fastupdate = off)")
        return
    op.execute(
        "CREATE VIRTUAL TABLE transcript_index_fts USING fts5(words, content='transcript_index', "
        "content_rowid='subject_id', tokenize='ascii', detail='none', columnsize=0)"
    )


def downgrade() -> None:
    """Take back."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE transcript_index_fts")
    op.drop_table("transcript_index")
    op.drop_table("recording_comment")
    op.drop_table("transcript_line")
