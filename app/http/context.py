"""What every route can reach, and who is asking."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request

from app.actor import Actor
from app.announcements.model import SHIPPED_VOICES, Voice
from app.auth.sessions import COOKIE, Visit, visit_of
from app.db import Database
from app.errors import Forbidden, Unauthenticated
from app.settings import Settings
from app.units.service import OpenWork
from recordings.store import Store

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Web:
    """The parts behind the pages.

    `phones_changed` tells Asterisk about telephones; `explain` why a call went so; `speak` gives the file with a text
    in a language, as callers hear it; `voices` are the languages that callers choose; `unit_work` are the parts that
    hold open work of units; `whole` is set when every route is there.
    """

    settings: Settings
    db: Database
    store: Store
    phones_changed: Callable[[], None]
    explain: Callable[[str, str], list[str]]
    speak: Callable[[str, str], Path]
    realtime: Any = None
    voices: Callable[[], Sequence[Voice]] = lambda: SHIPPED_VOICES
    unit_work: Sequence[OpenWork] = ()
    whole: asyncio.Event = field(default_factory=asyncio.Event)


def web_of(request: Request) -> Web:
    """The parts of this application."""
    web: Web = request.app.state.web
    return web


def address_of(request: Request) -> str:
    """Where the request came from."""
    return request.client.host if request.client else ""


def token_of(request: Request) -> str:
    """The session's token, "" without one."""
    return request.cookies.get(COOKIE, "")


def visit(request: Request) -> Visit:
    """The signed-in visit; unsafe requests must repeat the session's CSRF word and come from our own pages.

    Raises Unauthenticated, Forbidden, Busy.
    """
    found = visit_of(web_of(request).db, token_of(request), address=address_of(request))
    if found is None:
        raise Unauthenticated()
    if request.method not in SAFE:
        require_own_origin(request)
        given = request.headers.get("x-csrf-token", "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), found.csrf.encode()):
            raise Forbidden(
                "页面已过期,请刷新后重试。", "The page is out of date: reload it and try again.", code="csrf"
            )
    request.state.actor = found.actor
    return found


def require_own_origin(request: Request) -> None:
    """Raises Forbidden when a browser says that another site sent this."""
    origin = request.headers.get("origin")
    if origin and origin != "null" and urlsplit(origin).netloc != request.headers.get("host", ""):
        raise Forbidden("请求来源不被允许。", "This request comes from another site.", code="wrong_origin")
    if origin == "null" or request.headers.get("sec-fetch-site") == "cross-site":
        raise Forbidden("请求来源不被允许。", "This request comes from another site.", code="wrong_origin")


def asker(found: Annotated[Visit, Depends(visit)]) -> Actor:
    """Who asks. Until a one-time password has been changed everything else stays closed."""
    if found.actor.must_change_password:
        raise Forbidden("请先修改一次性密码。", "Change the one-time password first.", code="password_change_required")
    return found.actor


WebDep = Annotated[Web, Depends(web_of)]
VisitDep = Annotated[Visit, Depends(visit)]
ActorDep = Annotated[Actor, Depends(asker)]
