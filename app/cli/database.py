"""The instance's database, for commands that change or read it beside a running hotline."""

from __future__ import annotations

from app.db import Database, migrate
from app.settings import Settings


def open_database(settings: Settings) -> Database:
    """The database, made or brought up to date first. Raises HotlineError."""
    settings.ensure_dirs()
    migrate(settings)
    return Database(settings.url)
