"""The real backend without a telephone, served from a database that the test has prepared."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from playwright.sync_api import Browser, Page, ViewportSize

from app.auth.sessions import COOKIE, login
from app.db import Database
from app.settings import Settings
from app.web import create_app
from tests.browser.fake_backend import wait_for

WIDE: ViewportSize = {"width": 1366, "height": 768}
NARROW: ViewportSize = {"width": 320, "height": 640}
PATIENCE_MS = 10_000  # three files of tests at a time on two processors: what takes half a second takes five


@contextmanager
def served(db: Database, home: Path, **more: object) -> Iterator[str]:
    """The backend on that database, with these settings besides; its address."""
    settings = Settings(home=home, database_url=str(db.url), min_free_mb=0, **more)  # type: ignore[arg-type]
    settings.ensure_dirs()
    app = create_app(settings, db, phones_changed=lambda: None, explain=lambda *_: [])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off"))
    threading.Thread(target=server.run, daemon=True, name="house").start()
    wait_for(lambda: server.started, "the house to listen")
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = server.force_exit = True


def signed_in(page: Page, db: Database, house: str, name: str, password: str) -> Page:
    """The page, of a browser in which this person has signed in."""
    page.context.clear_cookies()
    token = login(db, name, password, "127.0.0.1").token
    page.context.add_cookies([{"name": COOKIE, "value": token, "url": house}])
    return page


def page_of(browser: Browser, problems: list[str]) -> Page:
    """A page in a browser of its own; whatever goes wrong inside it is noted."""
    context = browser.new_context(viewport=WIDE, locale="zh-CN")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    return page
