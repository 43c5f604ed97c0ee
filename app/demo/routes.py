"""GET /api/demo and POST /api/demo/call. They exist only while `HOTLINE_DEMO=1`."""

from __future__ import annotations

import json
import os
import secrets
import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body

from app.demo.files import board_file, wishes_folder
from app.errors import NotFound, TooMany
from app.settings import Settings

PENDING_LIMIT = 10
"""A newcomer who hammers the button gets this many calls in the air at most."""


def wanted() -> bool:
    """Whether this instance plays the demo."""
    return os.environ.get("HOTLINE_DEMO") == "1"


def router(settings: Settings) -> APIRouter:
    """The demo's two addresses."""
    routes = APIRouter(prefix="/api/demo", tags=["demo"])
    run = settings.paths.run

    @routes.get("", operation_id="demo_state")
    def state() -> dict[str, Any]:
        try:
            return dict(json.loads(board_file(run).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            raise NotFound("演示正在启动，请稍候。", "The demo is still starting.") from None

    @routes.post("/call", operation_id="demo_call", status_code=202)
    def call(language: Annotated[Literal["zh", "yue", "en"], Body(embed=True)] = "zh") -> dict[str, str]:
        folder = wishes_folder(run)
        folder.mkdir(exist_ok=True)
        if sum(1 for _ in folder.glob("*.json")) >= PENDING_LIMIT:
            raise TooMany("已有多个电话正在拨出，请稍候。", "Several calls are on their way already.", retry_after=5)
        number = f"1990001{secrets.randbelow(10_000):04d}"
        wish = folder / f"{time.time_ns()}.json"
        aside = wish.with_suffix(".new")
        aside.write_text(json.dumps({"number": number, "language": language}), encoding="utf-8")
        aside.rename(wish)
        return {"number": number}

    return routes
