"""The knowledge base and its search index.

What has been published must stay what it was: the database refuses other words for a version that is no draft any more,
and to delete one.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
WORDS = (
    "article_id", "number", "title", "question", "phone_answer", "letter_answer", "keywords", "areas", "type",
    "internal", "unit_id", "unit_name", "review_on", "expires_on",
)  # fmt: skip
BACK = "OLD.state NOT IN ('draft', 'in_review') AND NEW.state IN ('draft', 'in_review')"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "knowledge_article",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("current_id", sa.Integer(), nullable=True),
        sa.Column("open_id", sa.Integer(), nullable=True),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("helped", sa.Integer(), nullable=False),
        sa.Column("not_helped", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_knowledge_article_review_on", "knowledge_article", ["review_on"])
    op.create_index("ix_knowledge_article_expires_on", "knowledge_article", ["expires_on"])
    op.create_table(
        "knowledge_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("question", sa.String(length=300), nullable=False),
        sa.Column("phone_answer", sa.String(length=300), nullable=False),
        sa.Column("letter_answer", sa.String(length=5000), nullable=False),
        sa.Column("keywords", JSON, nullable=False),
        sa.Column("areas", JSON, nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("internal", sa.Boolean(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("unit_name", sa.String(length=80), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("written_by", sa.Integer(), nullable=True),
        sa.Column("written_at", MOMENT, nullable=False),
        sa.Column("submitted_by", sa.Integer(), nullable=True),
        sa.Column("submitted_at", MOMENT, nullable=True),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["knowledge_article.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("article_id", "number"),
    )
    op.create_index("ix_knowledge_version_state", "knowledge_version", ["state"])
    op.create_table(
        "knowledge_use",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("helped", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["article_id"], ["knowledge_article.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_knowledge_use_article_id", "knowledge_use", ["article_id"])
    op.create_table(
        "knowledge_gap",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("words", sa.String(length=200), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("useless", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("first_at", MOMENT, nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.Column("claimed_by", sa.Integer(), nullable=True),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("article_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_knowledge_gap_state", "knowledge_gap", ["state"])
    op.create_table(
        "knowledge_index",
        sa.Column("subject_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("audience", sa.String(length=16), nullable=False),
        sa.Column("until", MOMENT, nullable=True),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("moment", MOMENT, nullable=False),
        sa.Column("words", sa.Text().with_variant(TSVECTOR(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("subject_id"),
    )
    if op.get_bind().dialect.name == "postgresql":
        _postgresql()
    else:
        _sqlite()


def _sqlite() -> None:
    # ascii: everything beyond ASCII belongs to a token, so that our tokens pass as they are.
    op.execute(
        "CREATE VIRTUAL TABLE knowledge_index_fts USING fts5"
        "(words, content='knowledge_index', content_rowid='subject_id', tokenize='ascii', detail='none', columnsize=0)"
    )
    op.execute(
        f"CREATE TRIGGER knowledge_version_no_update BEFORE UPDATE OF {', '.join(WORDS)} ON knowledge_version "
        "WHEN OLD.state <> 'draft' BEGIN SELECT RAISE(ABORT, 'knowledge_version is append-only'); END"
    )
    op.execute(
        f"CREATE TRIGGER knowledge_version_no_return BEFORE UPDATE OF state ON knowledge_version WHEN {BACK} "
        "BEGIN SELECT RAISE(ABORT, 'knowledge_version is append-only'); END"
    )
    op.execute(
        "CREATE TRIGGER knowledge_version_no_delete BEFORE DELETE ON knowledge_version "
        "BEGIN SELECT RAISE(ABORT, 'knowledge_version is append-only'); END"
    )


def _postgresql() -> None:
    # No pending list: a search would have to read through it.
    op.execute("CREATE INDEX knowledge_index_fts ON knowledge_index USING gin (words) WITH (fastupdate = off)")
    op.execute(
        f"CREATE TRIGGER knowledge_version_no_change BEFORE UPDATE OF {', '.join(WORDS)} ON knowledge_version "
        "FOR EACH ROW WHEN (OLD.state <> 'draft') EXECUTE FUNCTION hotline_append_only()"
    )
    op.execute(
        "CREATE TRIGGER knowledge_version_no_return BEFORE UPDATE OF state ON knowledge_version "
        f"FOR EACH ROW WHEN ({BACK}) EXECUTE FUNCTION hotline_append_only()"
    )
    op.execute(
        "CREATE TRIGGER knowledge_version_no_delete BEFORE DELETE ON knowledge_version "
        "FOR EACH ROW EXECUTE FUNCTION hotline_append_only()"
    )
    op.execute(
        "CREATE TRIGGER knowledge_version_no_truncate BEFORE TRUNCATE ON knowledge_version "
        "FOR EACH STATEMENT EXECUTE FUNCTION hotline_append_only()"
    )


def downgrade() -> None:
    """Take back."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE knowledge_index_fts")
    for table in ("knowledge_index", "knowledge_gap", "knowledge_use", "knowledge_version", "knowledge_article"):
        op.drop_table(table)
