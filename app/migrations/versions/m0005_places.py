"""A promise to call back keeps its place in the queue: where it stands, whom it needs, whether the queue has it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
COLUMNS: tuple[sa.Column[Any], ...] = (
    sa.Column("placed_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("skills", DOCUMENT, nullable=True),
    sa.Column("priority", sa.Integer(), nullable=False, server_default="0"),
    sa.Column("in_line", sa.Boolean(), nullable=True),
)


def upgrade() -> None:
    """Apply."""
    for column in COLUMNS:
        op.add_column("callback", column)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("callback") as batch:
        for column in reversed(COLUMNS):
            batch.drop_column(column.name)
