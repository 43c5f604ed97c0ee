"""The working-day calendar with the years published so far, and the clocks of cases.

That a day is a holiday stood among the opening hours (`special_day`); it moves into the calendar, and only hours stay.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from app.workdays.published import NOTICES, published_days

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
YEARS = (2025, 2026)
OPEN = sa.text("ended_at IS NULL")

SPECIAL = sa.table(
    "special_day",
    sa.column("day", sa.Date),
    sa.column("kind", sa.String),
    sa.column("opens", sa.String),
    sa.column("note", sa.String),
    sa.column("closed", sa.Boolean),
)


def upgrade() -> None:
    """Apply."""
    _make_calendar()
    _make_clocks()
    _take_holidays_out_of_hours()


def downgrade() -> None:
    """Take back; which days are holidays goes with the calendar, where they have hours of their own it stays."""
    op.add_column("special_day", sa.Column("kind", sa.String(length=16), nullable=False, server_default="workday"))
    op.execute(sa.update(SPECIAL).where(SPECIAL.c.closed.is_(True)).values(kind="closed"))
    days = sa.table("work_day", sa.column("day", sa.Date), sa.column("kind", sa.String))
    known = sa.select(days.c.kind).where(days.c.day == SPECIAL.c.day).scalar_subquery()
    op.execute(sa.update(SPECIAL).where(SPECIAL.c.closed.is_(False)).values(kind=sa.func.coalesce(known, "workday")))
    with op.batch_alter_table("special_day") as batch:
        batch.alter_column("kind", existing_type=sa.String(length=16), existing_nullable=False, server_default=None)
        batch.drop_column("closed")
    for table in ("clock_rule", "clock_extension", "case_clock", "calendar_year", "work_day"):
        op.drop_table(table)


def _make_calendar() -> None:
    now = datetime.now(UTC)
    work_day = op.create_table(
        "work_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("note", sa.String(length=100), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("changed_by", sa.Integer(), nullable=True),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("day"),
    )
    calendar_year = op.create_table(
        "calendar_year",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("published_by", sa.String(length=100), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("changed_by", sa.Integer(), nullable=True),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("year"),
    )
    seeded = {one.day for year in YEARS for one in published_days(year)}
    rows = [_day(one.day, one.kind.value, one.note, "published", now) for year in YEARS for one in published_days(year)]
    entered = sa.select(SPECIAL.c.day, SPECIAL.c.kind, SPECIAL.c.note)
    for day, kind, note in op.get_bind().execute(entered.where(SPECIAL.c.kind.in_(["holiday", "makeup"]))):
        if day not in seeded and not (kind == "makeup" and day.weekday() < 5):
            rows.append(_day(day, kind, note, "hours", now))
    op.bulk_insert(work_day, rows)
    years = [{"year": year, "published_by": NOTICES[year].by, "published_on": NOTICES[year].on} for year in YEARS]
    op.bulk_insert(calendar_year, [{**one, "provisional": False, "changed_at": now} for one in years])


def _day(day: object, kind: str, note: str, source: str, now: datetime) -> dict[str, object]:
    return {"day": day, "kind": kind, "note": note, "source": source, "changed_at": now}


def _take_holidays_out_of_hours() -> None:
    op.add_column("special_day", sa.Column("closed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(sa.update(SPECIAL).where(SPECIAL.c.kind == "closed").values(closed=True))
    op.execute(sa.delete(SPECIAL).where(SPECIAL.c.closed.is_(False), SPECIAL.c.opens == ""))
    with op.batch_alter_table("special_day") as batch:
        batch.alter_column("closed", existing_type=sa.Boolean(), existing_nullable=False, server_default=None)
        batch.drop_column("kind")


def _make_clocks() -> None:
    op.create_table(
        "case_clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject_kind", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("after_id", sa.Integer(), nullable=True),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("warn_percent", sa.Integer(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("warn_at", MOMENT, nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("warned_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["case_clock.id"]),
        sa.ForeignKeyConstraint(["after_id"], ["case_clock.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    subject = ["subject_kind", "subject_id", "kind"]
    op.create_index("ix_case_clock_due", "case_clock", ["state", "due_at"], unique=False)
    op.create_index("ix_case_clock_warn", "case_clock", ["state", "warned_at", "warn_at"], unique=False)
    op.create_index("ix_case_clock_provisional", "case_clock", ["provisional", "state"], unique=False)
    op.create_index("ix_case_clock_subject", "case_clock", subject, unique=False)
    op.create_index("ux_case_clock_open", "case_clock", subject, unique=True, sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_table(
        "clock_extension",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clock_id", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=True),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decision_why", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["clock_id"], ["case_clock.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_clock_extension_clock_id", "clock_extension", ["clock_id"], unique=False)
    op.create_index("ix_clock_extension_state", "clock_extension", ["state"], unique=False)
    op.create_table(
        "clock_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("case_type", sa.String(length=16), nullable=False),
        sa.Column("urgency", sa.String(length=16), nullable=False),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("warn_percent", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.Integer(), nullable=True),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "case_type", "urgency", "way"),
    )
