"""The pages: whatever the build left in app/frontend/dist, and index.html for every address the page itself knows."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import Request
from fastapi.responses import FileResponse, HTMLResponse, Response

DIST = Path(__file__).resolve().parent.parent / "frontend" / "dist"
_OURS = ("/api", "/ws", "/healthz", "/livez", "/metrics")
_MISSING = (
    "<!doctype html><html lang=zh><meta charset=utf-8><title>12345</title>"
    "<p>页面尚未生成,请运行 <code>make pages</code>。"
    "<p lang=en>The pages are not built yet: run <code>make pages</code>."
)


def page_for(request: Request) -> Response | None:
    """The answer to a GET that no route took, None when it is none of the pages' business."""
    path = request.url.path
    if any(path == prefix or path.startswith(prefix + "/") for prefix in _OURS):
        return None
    dist: Path = getattr(request.app.state, "pages", DIST)
    file = _file(dist, path)
    if path.startswith("/assets/"):
        if file is None:
            return None
        return FileResponse(
            file, headers={"Cache-Control": "public, max-age=31536000, immutable"}, media_type=_type(file)
        )
    if file is not None:
        return FileResponse(file, headers={"Cache-Control": "no-cache"}, media_type=_type(file))
    index = dist / "index.html"
    if not index.is_file():
        return HTMLResponse(_MISSING, status_code=503, headers={"Cache-Control": "no-store", "Retry-After": "5"})
    return FileResponse(index, media_type="text/html; charset=utf-8", headers={"Cache-Control": "no-cache"})


def _file(dist: Path, path: str) -> Path | None:
    """The file of dist that `path` names, never one outside of it."""
    name = path.lstrip("/")
    if not name or "\0" in name or len(name) > 300:
        return None
    root = dist.resolve()
    try:
        found = (root / name).resolve()
        return found if found.is_relative_to(root) and found.is_file() else None
    except OSError:
        return None


def _type(file: Path) -> str:
    # Some hosts know neither; a module script with the wrong type does not run.
    known = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    known[".woff2"] = "font/woff2"
    return known.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
