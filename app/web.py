"""The web application: REST under /api, health and metrics, and the pages for everything else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from fastapi import FastAPI

from app.alarms.service import clear_alarm, raise_alarm
from app.assignments.inbox import open_work
from app.db import Database
from app.http import errors
from app.http.context import Web
from app.http.explain import from_journal
from app.http.guard import Figures, Guard
from app.http.health import router as health
from app.prompting import speak as speak_text
from app.prompting import voices
from app.settings import Settings
from recordings.store import Store

log = structlog.get_logger(__name__)


class Hotline(FastAPI):
    """An application that describes itself with what can go wrong."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, worked out at the first question; only once `complete`."""
        from app.openapi import document

        if self.openapi_schema is None:
            self.openapi_schema = document(self)
        return self.openapi_schema


def create_app(settings: Settings, db: Database, **parts: Any) -> FastAPI:
    """The whole application of one instance; `parts` as those of `front`."""
    app = front(settings, db, **parts)
    complete(app)
    app.state.web.whole.set()
    return app


def front(
    settings: Settings,
    db: Database,
    *,
    realtime: Any = None,
    phones_changed: Callable[[], None] | None = None,
    explain: Callable[[str, str], list[str]] | None = None,
    speak: Callable[[str, str], Path] | None = None,
) -> FastAPI:
    """The application of one instance without what pages ask for: that follows (`complete`), and who asks waits.

    `realtime` is asked for health, telephones and reasons (its own router is included by the caller).
    `phones_changed` runs after agents changed; by default it has Asterisk read the new telephone accounts. `speak` is
    the instance's own voice unless a test has another.
    """
    app = Hotline(
        title="12345 Hotline",
        version="0.1.0",
        openapi_url=None,  # a route of the pages; documents that load scripts from elsewhere go with it
        redirect_slashes=False,
    )
    app.state.web = Web(
        settings=settings,
        db=db,
        store=Store(settings, db),
        phones_changed=phones_changed or _publisher(settings, db),
        explain=explain or getattr(realtime, "explain", None) or from_journal(settings),
        speak=speak or (lambda text, language: speak_text(settings, text, language)),
        realtime=realtime,
        voices=lambda: voices(settings),
        unit_work=(open_work,),
    )
    app.state.figures = Figures()
    whole = app.state.web.whole
    app.add_middleware(Guard, settings=settings, figures=app.state.figures, whole=whole)
    errors.install(app)
    app.include_router(health)
    return app


def complete(app: FastAPI) -> None:
    """Give the application every route of the pages; `Web.whole` is to be set when this is done, on the event loop.

    Takes a second of a processor in a new process, and may run on a thread of its own.
    """
    from app.openapi import router as described
    from app.routers import ROUTES

    app.router.routes.extend((*ROUTES, *described.routes))
    _include_demo(app, app.state.web.settings)


def _publisher(settings: Settings, db: Database) -> Callable[[], None]:
    def publish() -> None:
        from app.phones import publish as publish_phones

        try:
            publish_phones(settings, db)
        except Exception as error:  # the agent is stored; the telephone follows when Asterisk can be told
            log.exception("telephone accounts could not be written")
            raise_alarm(db, "phones_not_published", {"problem": type(error).__name__})
        else:
            clear_alarm(db, "phones_not_published")

    return publish


def _include_demo(app: FastAPI, settings: Settings) -> None:
    from app.demo import routes

    if routes.wanted():
        app.include_router(routes.router(settings))
