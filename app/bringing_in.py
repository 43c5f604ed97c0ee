"""Rows of a table that are written a few at a time, so that calls get their drafts meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlmodel import Session

from app.db import Database
from app.errors import Busy, HotlineError, StorageFull

Row = TypeVar("Row")
AT_ONCE = 50  # rows in one transaction: some tenths of a second
PAUSE_S = 0.12
"""Longer than a process that waits for SQLite's file sleeps before it asks again: each gets in between two of ours."""


def bring_in(db: Database, rows: Sequence[Row], write: Callable[[Session, Sequence[Row]], list[str]]) -> list[str]:
    """What `write` says that it made of the rows, AT_ONCE in a transaction; what is in already it passes over.

    Raises what `write` raises, and Busy or StorageFull with how many are in.
    """
    created: list[str] = []
    for start in range(0, len(rows), AT_ONCE):
        if start:
            time.sleep(PAUSE_S)
        try:
            with db.session() as session:
                made = write(session, rows[start : start + AT_ONCE])
        except (Busy, StorageFull) as error:
            raise _told_how_far(error, len(created)) from error
        created += made
    return created


def _told_how_far(error: Busy | StorageFull, count: int) -> HotlineError:
    """The same error, for somebody who has to know what is in already."""
    if not count:
        return error
    return type(error)(
        f"已导入 {count} 件，其余未导入：{error.message_zh}再次导入同一张表会从中断处继续。",
        f"{count} are in, the rest is not: {error.message_en} The same table again goes on from there.",
        code=error.code,
        retry_after=error.retry_after,
        extra={"imported": count},
    )
