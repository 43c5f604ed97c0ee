"""What is to be written down by speech recognition, and what was said in voicemails, found by its words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from app.migrations.making import drop_search_index, search_index

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
LIST = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "speech_job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("fault", sa.String(length=16), nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "subject_id"),
    )
    op.create_index("ix_speech_job_next", "speech_job", ["state", "next_at"], unique=False)
    op.create_index("ix_speech_job_done_at", "speech_job", ["done_at"], unique=False)
    op.create_table(
        "voicemail_text",
        sa.Column("voicemail_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("heard", LIST, nullable=False),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["user_account.id"]),
        sa.ForeignKeyConstraint(["voicemail_id"], ["voicemail.id"]),
        sa.PrimaryKeyConstraint("voicemail_id"),
    )
    search_index("voicemail_index")


def downgrade() -> None:
    """Take back."""
    drop_search_index("voicemail_index")
    op.drop_table("voicemail_text")
    op.drop_table("speech_job")
