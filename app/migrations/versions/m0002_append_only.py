"""History, audit and recording chain become append-only in the database itself; the first rows that code relies on.

A history that a careless query can rewrite proves nothing, so the database refuses (C16, 篇6 第8条). Retention may
still mark a recording as expired and a supervisor may put it on hold: those columns are left open.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = ("case_event", "audit_entry")
CHAINED = (
    "seq",
    "call_id",
    "segment",
    "started_at",
    "adopted_at",
    "duration_ms",
    "path",
    "bytes",
    "sha256",
    "partial",
    "previous",
    "chain",
    "agent_id",
)

SECTIONS = (
    ("supervision-1", "办件督查一处", "Case supervision section 1", 1),
    ("supervision-2", "办件督查二处", "Case supervision section 2", 2),
    ("supervision-3", "办件督查三处", "Case supervision section 3", 3),
)


def upgrade() -> None:
    """Apply."""
    if op.get_bind().dialect.name == "postgresql":
        _postgresql()
    else:
        _sqlite()
    sections = sa.table("handling_section", *(sa.column(c) for c in ("code", "name_zh", "name_en", "position")))
    sections.append_column(sa.column("active", sa.Boolean))
    op.bulk_insert(
        sections,
        [{"code": c, "name_zh": zh, "name_en": en, "position": p, "active": True} for c, zh, en, p in SECTIONS],
    )
    op.execute("INSERT INTO recording_chain (id, seq, chain) VALUES (1, 0, '')")


def _sqlite() -> None:
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    op.execute(
        "CREATE TRIGGER recording_no_delete BEFORE DELETE ON recording "
        "BEGIN SELECT RAISE(ABORT, 'recording is append-only'); END"
    )
    op.execute(
        f"CREATE TRIGGER recording_no_update BEFORE UPDATE OF {', '.join(CHAINED)} ON recording "
        "BEGIN SELECT RAISE(ABORT, 'recording is append-only'); END"
    )


def _postgresql() -> None:
    op.execute(
        "CREATE FUNCTION hotline_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in (*APPEND_ONLY, "recording"):
        update = f"UPDATE OF {', '.join(CHAINED)}" if table == "recording" else "UPDATE"
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE {update} OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION hotline_append_only()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION hotline_append_only()"
        )


def downgrade() -> None:
    """Take back; the rows go with their tables in 0001."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION hotline_append_only() CASCADE")
    else:
        for table in (*APPEND_ONLY, "recording"):
            for verb in ("update", "delete"):
                op.execute(f"DROP TRIGGER {table}_no_{verb}")
    op.execute("DELETE FROM recording_chain")
    op.execute("DELETE FROM handling_section")
