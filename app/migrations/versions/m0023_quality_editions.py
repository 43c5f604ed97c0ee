"""Editions of what talks are judged and drawn by; notices about reviews."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from app.migrations.making import append_only

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
CONTENT = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "quality_edition",
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("content", CONTENT, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("made_by_name", sa.String(length=64), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "number"),
    )
    append_only("quality_edition")
    # What was drawn before is judged by the shipped criteria.
    op.add_column("quality_review", sa.Column("edition", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("notice", sa.Column("review_id", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("notice") as batch:
        batch.drop_column("review_id")
    with op.batch_alter_table("quality_review") as batch:
        batch.drop_column("edition")
    op.drop_table("quality_edition")
