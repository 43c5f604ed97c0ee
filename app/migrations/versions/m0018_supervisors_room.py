"""The supervisor's room: alerts and their rules, and who was at the telephones by half-hour."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "floor_alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("raise_at", sa.Float(), nullable=False),
        sa.Column("raised_at", MOMENT, nullable=False),
        sa.Column("cleared_at", MOMENT, nullable=True),
        sa.Column("last_value", sa.Float(), nullable=True),
        sa.Column("acked_by", sa.Integer(), nullable=True),
        sa.Column("acked_by_name", sa.String(length=64), nullable=False),
        sa.Column("acked_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["acked_by"], ["user_account.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_floor_alert_raised", "floor_alert", ["raised_at"], unique=False)
    op.create_index("ix_floor_alert_cleared", "floor_alert", ["cleared_at", "raised_at"], unique=False)
    op.create_table(
        "floor_alert_rule",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("raise_at", sa.Float(), nullable=False),
        sa.Column("clear_at", sa.Float(), nullable=False),
        sa.Column("for_s", sa.Integer(), nullable=False),
        sa.Column("clear_s", sa.Integer(), nullable=False),
        sa.Column("least", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.Integer(), nullable=True),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["changed_by"], ["user_account.id"]),
        sa.PrimaryKeyConstraint("kind"),
    )
    op.create_table(
        "staffed_slot",
        sa.Column("began_at", MOMENT, nullable=False),
        sa.Column("life", sa.String(length=24), nullable=False),
        sa.Column("watched_s", sa.Float(), nullable=False),
        sa.Column("ready_s", sa.Float(), nullable=False),
        sa.Column("offered_s", sa.Float(), nullable=False),
        sa.Column("talking_s", sa.Float(), nullable=False),
        sa.Column("wrap_up_s", sa.Float(), nullable=False),
        sa.Column("not_ready_s", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("began_at", "life"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("staffed_slot")
    op.drop_table("floor_alert_rule")
    op.drop_table("floor_alert")
