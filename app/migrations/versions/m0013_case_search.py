"""Cases are found by words, and know which ended case they repeat; a unit's newest assignments have an index.

The index is made by the tokens that are sought (`app.search.tokens`), so that is what fills it here for the cases that
there are.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

from app.search.tokens import marked
from app.text import without

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BATCH = 1_000
CASES = sa.text(
    "SELECT id, title, content, area, caller_name, caller_number, address, created_at FROM case_file "
    "WHERE registered_at IS NOT NULL AND id > :after ORDER BY id LIMIT :batch"
).columns(created_at=MOMENT)
UNITS = sa.text("SELECT DISTINCT case_id, unit_id FROM assignment WHERE case_id > :after AND case_id <= :last")


def upgrade() -> None:
    """Apply."""
    op.add_column("case_file", sa.Column("repeats", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_assignment_newest", "assignment", ["unit_id", "state", "id"], unique=False)
    op.create_table(
        "case_index",
        sa.Column("subject_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("audience", sa.String(length=16), nullable=False),
        sa.Column("until", MOMENT, nullable=True),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("moment", MOMENT, nullable=False),
        sa.Column("words", sa.Text().with_variant(TSVECTOR(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("subject_id"),
    )
    postgresql = op.get_bind().dialect.name == "postgresql"
    _fill(postgresql)
    if postgresql:
        op.execute("CREATE INDEX case_index_fts ON case_index USING gin (words) WITH (fastupdate = off)")
        return
    op.execute(
        "CREATE VIRTUAL TABLE case_index_fts USING fts5"
        "(words, content='case_index', content_rowid='subject_id', tokenize='ascii', detail='none', columnsize=0)"
    )
    op.execute("INSERT INTO case_index_fts(case_index_fts) VALUES ('rebuild')")


def _fill(postgresql: bool) -> None:
    words = "array_to_tsvector(string_to_array(:words, ' '))" if postgresql else ":words"
    keep = sa.text(
        "INSERT INTO case_index (subject_id, audience, weight, moment, words) "
        f"VALUES (:subject_id, '', 0, :moment, {words})"
    ).bindparams(sa.bindparam("moment", type_=MOMENT))
    after = 0
    while cases := op.get_bind().execute(CASES, {"after": after, "batch": BATCH}).all():
        given: dict[int, list[str]] = {}
        for case_id, unit_id in op.get_bind().execute(UNITS, {"after": after, "last": cases[-1].id}):
            given.setdefault(case_id, []).append(f"tu{unit_id}")
        op.get_bind().execute(keep, [_entry(case, given.get(case.id, [])) for case in cases])
        after = cases[-1].id


def _entry(case: Any, units: list[str]) -> dict[str, Any]:
    opened: datetime = case.created_at
    created = opened.replace(tzinfo=opened.tzinfo or UTC).astimezone(UTC)
    times = (f"tm{created:%Y%m}", f"td{created.toordinal() // 8}")  # of the month, of eight days
    who = (case.caller_number, case.caller_name, case.address)  # found by the last text alone, whoever wrote it where
    title, content, area = (without(text, *who) for text in (case.title, case.content, case.area))
    texts = (title, f"{content}\n{area}", f"{case.address}\n{case.caller_name}")
    words = " ".join([*marked(texts), *times, *units])
    return {"subject_id": case.id, "moment": case.created_at, "words": words}


def downgrade() -> None:
    """Take back."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE case_index_fts")
    op.drop_table("case_index")
    op.drop_index("ix_assignment_newest", "assignment")
    with op.batch_alter_table("case_file") as batch:
        batch.drop_column("repeats")
