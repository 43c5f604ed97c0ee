"""The OpenAPI document: what the application understands, for generators of clients. Read with the pages' routes."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from starlette.requests import Request

from app.http.schema import ERRORS
from app.routers import ROUTERS, ROUTES

router = APIRouter()


@router.get("/api/openapi.json", include_in_schema=False, response_model=None)
def openapi(request: Request) -> JSONResponse:
    """The document; on a thread, for it takes seconds at first."""
    return JSONResponse(request.app.openapi())


def document(app: FastAPI) -> dict[str, Any]:
    """The document of the pages' routes and of whatever else `app` has.

    Only here does every route tell what else than success can come back.
    """
    others = [route for route in app.routes if route not in ROUTES]
    return get_openapi(title=app.title, version=app.version, routes=[*others, *_with_errors().routes])


@cache
def _with_errors() -> APIRouter:
    together = APIRouter()
    for one in ROUTERS:
        together.include_router(one, responses=ERRORS)
    return together
