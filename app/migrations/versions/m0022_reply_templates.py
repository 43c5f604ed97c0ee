"""Reply templates with their versions, and where the words of a reply came from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from app.migrations.making import append_only

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "reply_template",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_unit_id", sa.Integer(), nullable=True),
        sa.Column("use", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("changed_by", sa.Integer(), nullable=True),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["owner_unit_id"], ["unit.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_reply_template_owner_unit_id", "reply_template", ["owner_unit_id"])
    op.create_table(
        "reply_template_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("template_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("types", JSON, nullable=False),
        sa.Column("keywords", JSON, nullable=False),
        sa.Column("parts", JSON, nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("written_by", sa.Integer(), nullable=True),
        sa.Column("written_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["template_id"], ["reply_template.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("template_id", "number"),
    )
    append_only("reply_template_version")
    op.add_column(
        "assignment_reply", sa.Column("template_source", sa.String(length=120), nullable=False, server_default="")
    )


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("assignment_reply") as table:
        table.drop_column("template_source")
    op.drop_table("reply_template_version")
    op.drop_table("reply_template")
