"""What callers did after they heard an announcement; a campaign that gathers calls which nobody has rated."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "announcement_hearing",
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("announcement_id", sa.Integer(), nullable=False),
        sa.Column("began_at", MOMENT, nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("after", sa.String(length=12), nullable=False),
        sa.PrimaryKeyConstraint("call_id", "announcement_id"),
    )
    op.create_table(
        "announcement_hour",
        sa.Column("announcement_id", sa.Integer(), nullable=False),
        sa.Column("hour", MOMENT, nullable=False),
        sa.Column("callers", sa.Integer(), nullable=False),
        sa.Column("whole", sa.Integer(), nullable=False),
        sa.Column("satisfied", sa.Integer(), nullable=False),
        sa.Column("early", sa.Integer(), nullable=False),
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("alone", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("announcement_id", "hour"),
    )
    op.create_index("ix_announcement_hour_hour", "announcement_hour", ["hour"], unique=False)
    op.add_column("campaign", sa.Column("gathers", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("campaign") as batch:
        batch.drop_column("gathers")
    op.drop_table("announcement_hour")
    op.drop_table("announcement_hearing")
