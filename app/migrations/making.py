"""What several migrations make alike on both databases. Called by migrations alone, and never changed for those that
have been released: what they made must stay what it was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR


def search_index(name: str) -> None:
    """The table of an index and what stands beside it, empty; see `app.search.tables`."""
    op.create_table(
        name,
        sa.Column("subject_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("audience", sa.String(length=16), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("moment", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words", sa.Text().with_variant(TSVECTOR(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("subject_id"),
    )
    if op.get_bind().dialect.name == "postgresql":
        # No pending list: a search would have to read through it.
        op.execute(f"CREATE INDEX {name}_fts ON {name} USING gin (words) WITH (fastupdate = off)")
        return
    # ascii: everything beyond ASCII belongs to a token, so that our tokens pass as they are.
    op.execute(
        f"CREATE VIRTUAL TABLE {name}_fts USING fts5"
        f"(words, content='{name}', content_rowid='subject_id', tokenize='ascii', detail='none', columnsize=0)"
    )


def drop_search_index(name: str) -> None:
    """Take it back."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TABLE {name}_fts")
    op.drop_table(name)


def append_only(table: str) -> None:
    """The database refuses to change, delete or empty what is in it; goes with the table."""
    if op.get_bind().dialect.name == "postgresql":
        for name, verbs, each in (("change", "UPDATE OR DELETE", "ROW"), ("truncate", "TRUNCATE", "STATEMENT")):
            op.execute(
                f"CREATE TRIGGER {table}_no_{name} BEFORE {verbs} ON {table} "
                f"FOR EACH {each} EXECUTE FUNCTION hotline_append_only()"
            )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
