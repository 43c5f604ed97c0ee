"""Self-service by phone: answers in languages, tries in vain, surveys, messages to citizens, what they had reopened."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "knowledge_by_phone",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("original_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=3), nullable=False),
        sa.Column("spoken", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["knowledge_article.id"]),
        sa.ForeignKeyConstraint(["original_id"], ["knowledge_article.id"]),
        sa.PrimaryKeyConstraint("article_id"),
        sa.UniqueConstraint("original_id", "language"),
    )
    op.create_table(
        "wrong_try",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_wrong_try_number", "wrong_try", ["number", "at"], unique=False)
    op.create_index("ix_wrong_try_case", "wrong_try", ["case_id", "at"], unique=False)
    op.create_table(
        "survey",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=True),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("subject"),
    )
    op.create_index("ix_survey_asked", "survey", ["asked_at"], unique=False)
    op.create_index("ix_survey_number", "survey", ["number", "asked_at"], unique=False)
    op.create_table(
        "citizen_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("fault", sa.String(length=40), nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_citizen_message_next", "citizen_message", ["state", "next_at"], unique=False)
    op.create_index("ix_citizen_message_number", "citizen_message", ["number", "at"], unique=False)
    op.create_table(
        "citizen_reopening",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"]),
        sa.PrimaryKeyConstraint("case_id"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("citizen_reopening")
    op.drop_table("citizen_message")
    op.drop_table("survey")
    op.drop_table("wrong_try")
    op.drop_table("knowledge_by_phone")
