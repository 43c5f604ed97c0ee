"""The network of units: units, their telephones, who works in them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
CENTRE, NOW = sa.text("kind = 'centre'"), sa.text("until IS NULL")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "unit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("short_name", sa.String(length=60), nullable=False),
        sa.Column("initials", sa.String(length=130), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("duties", sa.String(), nullable=False),
        sa.Column("topics", DOCUMENT, nullable=False),
        sa.Column("keywords", DOCUMENT, nullable=False),
        sa.Column("areas", DOCUMENT, nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("office_hours", sa.String(length=120), nullable=False),
        sa.Column("hours_note", sa.String(length=100), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["unit.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_index("ix_unit_parent_id", "unit", ["parent_id"], unique=False)
    op.create_index("ux_unit_centre", "unit", ["kind"], unique=True, sqlite_where=CENTRE, postgresql_where=CENTRE)
    op.create_table(
        "unit_phone",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("note", sa.String(length=60), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_unit_phone_unit_id", "unit_phone", ["unit_id"], unique=False)
    op.create_table(
        "unit_member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=True),
        sa.Column("added_by", sa.Integer(), nullable=True),
        sa.Column("ended_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"]),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_unit_member_unit_id", "unit_member", ["unit_id"], unique=False)
    op.create_index(
        "ux_unit_member_now",
        "unit_member",
        ["user_id", "unit_id", "role"],
        unique=True,
        sqlite_where=NOW,
        postgresql_where=NOW,
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("unit_member")
    op.drop_table("unit_phone")
    op.drop_table("unit")
