"""Reviews of talks, quarters and trainings; how long callers were held; agents who are off duty."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from app.migrations.making import append_only

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
DETAIL = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
KEPT = ("quality_event", "quality_result", "quality_training")


def upgrade() -> None:
    """Apply."""
    op.add_column("call", sa.Column("held_s", sa.Integer(), nullable=True))
    op.add_column("agent", sa.Column("off_duty_since", MOMENT, nullable=True))
    op.create_table(
        "quality_draw",
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("seed", sa.String(length=32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("week"),
    )
    op.create_table(
        "quality_review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=16), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("reviewer_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("drawn_at", MOMENT, nullable=False),
        sa.Column("scores", DETAIL, nullable=False),
        sa.Column("marks", DETAIL, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("coaching", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("published_at", MOMENT, nullable=True),
        sa.Column("appeal_until", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.agent_id"]),
        sa.ForeignKeyConstraint(["call_id"], ["call.call_id"]),
        sa.ForeignKeyConstraint(["reviewer_id"], ["user_account.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("call_id", "agent_id"),
    )
    op.create_index("ix_quality_review_agent", "quality_review", ["agent_id", "day"], unique=False)
    op.create_index("ix_quality_review_reviewer", "quality_review", ["reviewer_id", "state"], unique=False)
    op.create_index("ix_quality_review_day", "quality_review", ["day", "state"], unique=False)
    op.create_table(
        "quality_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("actor_name", sa.String(length=64), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("from_state", sa.String(length=16), nullable=False),
        sa.Column("to_state", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("detail", DETAIL, nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["quality_review.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_quality_event_review", "quality_event", ["review_id", "id"], unique=False)
    op.create_table(
        "quality_result",
        sa.Column("quarter", sa.String(length=6), nullable=False),
        sa.Column("agent_id", sa.String(length=16), nullable=False),
        sa.Column("reviews", sa.Integer(), nullable=False),
        sa.Column("mean", sa.Integer(), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("of", DETAIL, nullable=False),
        sa.Column("confirmed_by", sa.Integer(), nullable=True),
        sa.Column("confirmed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.agent_id"]),
        sa.PrimaryKeyConstraint("quarter", "agent_id"),
    )
    op.create_table(
        "quality_training",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.String(length=16), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.agent_id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_quality_training_agent", "quality_training", ["agent_id", "at"], unique=False)
    for table in KEPT:
        append_only(table)


def downgrade() -> None:
    """Take back."""
    for table in ("quality_training", "quality_result", "quality_event", "quality_review", "quality_draw"):
        op.drop_table(table)
    with op.batch_alter_table("agent") as batch:
        batch.drop_column("off_duty_since")
    with op.batch_alter_table("call") as batch:
        batch.drop_column("held_s")
