"""The real backend without a telephone, served from a database that the test has prepared."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from playwright.sync_api import Page

from app.auth.sessions import COOKIE, login
from app.db import Database
from app.settings import Settings
from app.web import create_app
from tests.browser.fake_backend import wait_for


@contextmanager
def served(db: Database, home: Path) -> Iterator[str]:
    """The backend's pages and REST; their address."""
    settings = Settings(home=home, database_url=str(db.url), min_free_mb=0)
    settings.ensure_dirs()
    app = create_app(settings, db, phones_changed=lambda: None, explain=lambda *_: [])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off"))
    threading.Thread(target=server.run, daemon=True, name="house").start()
    wait_for(lambda: server.started, "the house to listen")
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = server.force_exit = True


def sit_down(page: Page, db: Database, house: str, name: str, password: str) -> None:
    """Somebody takes the place at this browser; tests/browser/test_login.py walks through the form."""
    page.context.clear_cookies()
    page.context.add_cookies([{"name": COOKIE, "value": login(db, name, password, "127.0.0.1").token, "url": house}])
