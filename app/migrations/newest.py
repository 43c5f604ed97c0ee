"""Has the database the newest structure? Asked at every start, so without loading Alembic and without any lock.

A file that is locked for half a minute would otherwise keep a restarted core away from its callers for as long.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.db import Database
from app.errors import HotlineError

VERSIONS = Path(__file__).parent / "versions"


def newest() -> str:
    """The last revision there is: files are named by it, `m0006_…`."""
    return max(path.name[1:5] for path in VERSIONS.glob("m[0-9]*_*.py"))


def is_newest(url: str) -> bool:
    """False also where nothing can be said: an empty or unreachable database. Then Alembic finds out."""
    database = Database(url)
    try:
        with database.read() as session:
            return session.execute(text("SELECT version_num FROM alembic_version")).scalar() == newest()
    except (SQLAlchemyError, HotlineError):
        return False
    finally:
        database.dispose()
