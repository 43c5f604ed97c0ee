"""Errors as answers: one shape, in the reader's language, never repeating what was sent."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from app.errors import BadInput, HotlineError, NotFound
from app.http.pages import page_for

log = structlog.get_logger(__name__)

_PLACES = ("body", "query", "path", "header", "cookie")


def language_of(request: Request) -> str:
    """ "zh" unless the reader's first choice is another language."""
    first = request.headers.get("accept-language", "").split(",")[0].strip().casefold()
    return "zh" if not first or first.startswith(("zh", "*")) else "en"


def error_response(request: Request, error: HotlineError) -> JSONResponse:
    """The answer for one of our errors."""
    headers = {"Cache-Control": "no-store"}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return JSONResponse(error.to_json(language_of(request)), status_code=error.status, headers=headers)


def install(app: FastAPI) -> None:
    """Give the application these answers."""

    @app.exception_handler(HotlineError)
    async def ours(request: Request, error: HotlineError) -> Response:
        if error.status >= 500:
            log.warning("request could not be served", code=error.code, path=_route(request))
        return error_response(request, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        fields: dict[str, str] = {}
        for item in error.errors():
            place = [str(part) for part in item["loc"] if part not in _PLACES]
            # Never item["input"], nor item["ctx"]: what was sent may be personal.
            fields[".".join(place) or "body"] = str(item["type"]).replace("_", " ")
        return error_response(request, BadInput(fields=fields))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            if request.method in ("GET", "HEAD") and (page := page_for(request)) is not None:
                return page
            return error_response(request, NotFound())
        phrase = HTTPStatus(error.status_code).phrase
        body: dict[str, Any] = {"error": {"code": phrase.casefold().replace(" ", "_"), "message": phrase}}
        return JSONResponse(body, status_code=error.status_code, headers=error.headers)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        log.error("request failed", path=_route(request), problem=type(error).__name__, exc_info=error)
        return error_response(request, HotlineError())


def _route(request: Request) -> str:
    """The route's template: a path may hold an id, never more."""
    route = request.scope.get("route")
    return str(getattr(route, "path", "?"))
