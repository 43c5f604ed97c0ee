"""The table behind one index, and what stands beside it in each database.

A migration makes an index by `app.migrations.making.search_index`: the table declared here; on SQLite the FTS5 table
`<name>_fts` over its column `words`; on PostgreSQL the GIN index `<name>_fts` on that column.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import SQLModel

from app.db import UTCDateTime

BESIDE = "_fts"


def search_table(name: str) -> sa.Table:
    """The table of an index, a row for each thing that can be found.

    `audience` says who may find it, in words of the owner; from `until` on it is found last, as over; `weight`, then
    `moment`, order what fits equally well.
    """
    return sa.Table(
        name,
        SQLModel.metadata,
        sa.Column("subject_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("audience", sa.String(16), nullable=False),
        sa.Column("until", UTCDateTime, nullable=True),
        sa.Column("weight", sa.Integer, nullable=False),
        sa.Column("moment", UTCDateTime, nullable=False),
        sa.Column("words", sa.Text().with_variant(TSVECTOR(), "postgresql"), nullable=False),
    )


def beside(name: str | None) -> bool:
    """Whether a table or an index is not declared but made by the migration beside an index' table."""
    stem, mark, rest = (name or "").partition(BESIDE)
    return bool(mark) and stem in SQLModel.metadata.tables and rest in ("", "_data", "_idx", "_config", "_docsize")
