"""What a caller was told about the wait is stored with the call, beside what came."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COLUMNS = (
    sa.Column("foretold_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("foretold_low_s", sa.Integer(), nullable=True),
    sa.Column("foretold_middle_s", sa.Integer(), nullable=True),
    sa.Column("foretold_high_s", sa.Integer(), nullable=True),
)


def upgrade() -> None:
    """Apply."""
    for column in COLUMNS:
        op.add_column("call", column)


def downgrade() -> None:
    """Take back."""
    for column in reversed(COLUMNS):
        with op.batch_alter_table("call") as batch:
            batch.drop_column(column.name)
