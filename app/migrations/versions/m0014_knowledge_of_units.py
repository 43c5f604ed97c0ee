"""Articles of the knowledge base may be a unit's, whose leader passes them; a search in vain may be given to a unit.

A version that a unit's leader has to look at is as open as one that the centre has.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BEFORE, NOW = "('draft', 'in_review')", "('draft', 'in_unit', 'in_review')"
TRIGGER = "knowledge_version_no_return"


def upgrade() -> None:
    """Apply."""
    op.add_column("knowledge_article", sa.Column("owner_unit_id", sa.Integer(), nullable=True))
    op.create_index("ix_knowledge_article_owner_unit_id", "knowledge_article", ["owner_unit_id"])
    op.add_column("knowledge_version", sa.Column("vetted_by", sa.Integer(), nullable=True))
    op.add_column("knowledge_version", sa.Column("vetted_at", MOMENT, nullable=True))
    op.add_column("knowledge_gap", sa.Column("unit_id", sa.Integer(), nullable=True))
    op.create_index("ix_knowledge_gap_unit_id", "knowledge_gap", ["unit_id"])
    _no_return(NOW)


def _no_return(opened: str) -> None:
    back = f"OLD.state NOT IN {opened} AND NEW.state IN {opened}"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER {TRIGGER}")
        op.execute(
            f"CREATE TRIGGER {TRIGGER} BEFORE UPDATE OF state ON knowledge_version WHEN {back} "
            "BEGIN SELECT RAISE(ABORT, 'knowledge_version is append-only'); END"
        )
        return
    op.execute(f"DROP TRIGGER {TRIGGER} ON knowledge_version")
    op.execute(
        f"CREATE TRIGGER {TRIGGER} BEFORE UPDATE OF state ON knowledge_version "
        f"FOR EACH ROW WHEN ({back}) EXECUTE FUNCTION hotline_append_only()"
    )


def downgrade() -> None:
    """Take back; what waits for a unit's leader is a draft again."""
    op.execute("UPDATE knowledge_version SET state = 'draft' WHERE state = 'in_unit'")
    op.execute("UPDATE knowledge_gap SET state = 'open' WHERE state = 'given'")
    _no_return(BEFORE)
    op.drop_index("ix_knowledge_gap_unit_id", "knowledge_gap")
    op.drop_column("knowledge_gap", "unit_id")
    op.drop_column("knowledge_version", "vetted_at")
    op.drop_column("knowledge_version", "vetted_by")
    op.drop_index("ix_knowledge_article_owner_unit_id", "knowledge_article")
    op.drop_column("knowledge_article", "owner_unit_id")
