"""The case card: where an answer was taken from, which unit the taker proposes, and the places that cases name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel import Session

from app.migrations.making import drop_search_index, search_index
from app.places.filling import fill

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.add_column("case_file", sa.Column("answer_source", sa.String(length=120), nullable=False, server_default=""))
    op.add_column("case_file", sa.Column("proposed_unit", sa.String(length=32), nullable=False, server_default=""))
    op.add_column("case_file", sa.Column("place_id", sa.Integer(), nullable=True))
    op.create_index("ix_case_file_place_id", "case_file", ["place_id"], unique=False)
    op.create_table(
        "place",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("area", sa.String(length=64), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("first_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", "area", name="uq_place_name_area"),
    )
    search_index("place_index")
    with Session(bind=op.get_bind()) as session:
        fill(session)
        session.flush()


def downgrade() -> None:
    """Take back."""
    drop_search_index("place_index")
    op.drop_table("place")
    op.drop_index("ix_case_file_place_id", "case_file")
    with op.batch_alter_table("case_file") as batch:
        batch.drop_column("place_id")
        batch.drop_column("proposed_unit")
        batch.drop_column("answer_source")
