"""Announcements and call-backs become work of an office: versions for two editors, tries and times for a promise."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
COLUMNS = (
    ("announcement", sa.Column("version", sa.Integer(), nullable=False, server_default="1")),
    ("announcement", sa.Column("updated_by", sa.Integer(), nullable=True)),
    ("announcement", sa.Column("updated_at", MOMENT, nullable=True)),
    ("callback", sa.Column("most_attempts", sa.Integer(), nullable=False, server_default="3")),
    ("callback", sa.Column("due_at", MOMENT, nullable=True)),
)


def upgrade() -> None:
    """Apply."""
    for table, column in COLUMNS:
        op.add_column(table, column)


def downgrade() -> None:
    """Take back."""
    for table, column in reversed(COLUMNS):
        with op.batch_alter_table(table) as batch:
            batch.drop_column(column.name)
