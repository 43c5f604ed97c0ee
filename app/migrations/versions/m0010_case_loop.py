"""The case loop: what is asked of units, what they reply, who is kept away, and what citizens say afterwards."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
LEADS = sa.text("lead AND parent_id IS NULL AND state <> 'withdrawn'")
COLUMNS: tuple[sa.Column[Any], ...] = (
    sa.Column("way", sa.String(length=16), nullable=True),
    sa.Column("urgency", sa.String(length=16), nullable=False, server_default="general"),
    sa.Column("ground", sa.String(length=16), nullable=True),
    sa.Column("about_unit_id", sa.Integer(), nullable=True),
    sa.Column("to_unit_id", sa.Integer(), nullable=True),
    sa.Column("with_call_id", sa.String(length=64), nullable=True),
    sa.Column("due_at", MOMENT, nullable=True),
    sa.Column("deferred_until", MOMENT, nullable=True),
    sa.Column("merged_into_id", sa.Integer(), nullable=True),
    sa.Column("repeat_of_id", sa.Integer(), nullable=True),
    sa.Column("ended_at", MOMENT, nullable=True),
)
APPEND_ONLY = "follow_up"


def upgrade() -> None:
    """Apply."""
    for column in COLUMNS:
        op.add_column("case_file", column)
    op.create_table(
        "assignment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("lead", sa.Boolean(), nullable=False),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("returns", sa.Integer(), nullable=False),
        sa.Column("instructions", sa.Text(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("given_by", sa.Integer(), nullable=True),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.Column("signed_at", MOMENT, nullable=True),
        sa.Column("replied_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["case_file.id"],
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["assignment.id"],
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"],
            ["unit.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_assignment_case", "assignment", ["case_id", "id"], unique=False)
    op.create_index("ix_assignment_inbox", "assignment", ["unit_id", "state", "due_at", "id"], unique=False)
    op.create_index("ix_assignment_parent", "assignment", ["parent_id"], unique=False)
    op.create_index("ix_assignment_state", "assignment", ["state", "given_at"], unique=False)
    op.create_index(
        "ux_assignment_lead", "assignment", ["case_id"], unique=True, sqlite_where=LEADS, postgresql_where=LEADS
    )
    op.create_table(
        "case_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["case_file.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_case_item_case", "case_item", ["case_id", "position"], unique=False)
    op.create_table(
        "case_recusal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("why", sa.String(length=500), nullable=False),
        sa.Column("by", sa.Integer(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("lifted_by", sa.Integer(), nullable=True),
        sa.Column("lifted_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["case_file.id"],
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"],
            ["unit.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_case_recusal_case", "case_recusal", ["case_id"], unique=False)
    op.create_index("ix_case_recusal_unit", "case_recusal", ["unit_id", "case_id"], unique=False)
    op.create_index("ix_case_recusal_user", "case_recusal", ["user_id", "case_id"], unique=False)
    op.create_table(
        "follow_up",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.Integer(), nullable=True),
        sa.Column("call_id", sa.String(length=64), nullable=True),
        sa.Column("reached", sa.String(length=16), nullable=False),
        sa.Column("satisfaction", sa.String(length=24), nullable=False),
        sa.Column("solved", sa.Boolean(), nullable=True),
        sa.Column("contacted_in_time", sa.Boolean(), nullable=True),
        sa.Column("true_to_reality", sa.Boolean(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("propose_redo", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["case_file.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_follow_up_case", "follow_up", ["case_id", "id"], unique=False)
    op.create_table(
        "follow_up_task",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("after", MOMENT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.Integer(), nullable=True),
        sa.Column("claimed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["case_file.id"],
        ),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_index("ix_follow_up_task_open", "follow_up_task", ["open", "after", "case_id"], unique=False)
    op.create_table(
        "assignment_reply",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("measures", sa.Text(), nullable=False),
        sa.Column("next_step", sa.Text(), nullable=False),
        sa.Column("answers", DOCUMENT, nullable=False),
        sa.Column("papers", DOCUMENT, nullable=False),
        sa.Column("letter", sa.Text(), nullable=False),
        sa.Column("contact", sa.String(length=16), nullable=False),
        sa.Column("contacted_at", MOMENT, nullable=True),
        sa.Column("opinion", sa.String(length=24), nullable=False),
        sa.Column("opinion_why", sa.String(length=500), nullable=False),
        sa.Column("signed_name", sa.String(length=64), nullable=False),
        sa.Column("signed_by", sa.Integer(), nullable=True),
        sa.Column("signed_at", MOMENT, nullable=True),
        sa.Column("sealed", sa.Boolean(), nullable=False),
        sa.Column("leader_opinion", sa.String(length=500), nullable=False),
        sa.Column("leader_name", sa.String(length=64), nullable=False),
        sa.Column("leader_by", sa.Integer(), nullable=True),
        sa.Column("leader_at", MOMENT, nullable=True),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["assignment.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("assignment_id", "round"),
    )
    op.create_index("ix_case_file_merged_into_id", "case_file", ["merged_into_id"], unique=False)
    op.create_index("ix_case_state_due", "case_file", ["state", "due_at", "id"], unique=False)

    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {APPEND_ONLY}_append_only BEFORE UPDATE OR DELETE ON {APPEND_ONLY} "
            "FOR EACH ROW EXECUTE FUNCTION hotline_append_only()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {APPEND_ONLY}_no_{verb.lower()} BEFORE {verb} ON {APPEND_ONLY} "
            f"BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY} is append-only'); END"
        )


def downgrade() -> None:
    """Take back."""
    for table in ("assignment_reply", "follow_up_task", "follow_up", "case_recusal", "case_item", "assignment"):
        op.drop_table(table)
    op.drop_index("ix_case_state_due", "case_file")
    op.drop_index("ix_case_file_merged_into_id", "case_file")
    with op.batch_alter_table("case_file") as batch:
        for column in reversed(COLUMNS):
            batch.drop_column(column.name)
