"""The pages: whatever the build left in app/frontend/dist, and index.html for every address the page itself knows.

Scripts and styles carry a digest in their names and are kept by browsers for a year; everything else is asked for again
each time, and answered with 304 while it is the same. The build leaves a packed file beside each text: it is sent to
whoever takes it.
"""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import Request
from fastapi.responses import FileResponse, HTMLResponse, Response

DIST = Path(__file__).resolve().parent.parent / "frontend" / "dist"
FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
_OURS = ("/api", "/ws", "/healthz", "/livez", "/metrics")
_PACKED = (("br", ".br"), ("gzip", ".gz"))  # the smaller one first
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
        return None if file is None else _sent(request, file, FOR_EVER)
    file = file or dist / "index.html"
    if not file.is_file():
        return HTMLResponse(_MISSING, status_code=503, headers={"Cache-Control": "no-store", "Retry-After": "5"})
    return _sent(request, file, ASK_AGAIN)


def _sent(request: Request, file: Path, keep: str) -> Response:
    """The file, packed if there is such a one and the browser takes it; 304 if the browser has it already."""
    headers = {"Cache-Control": keep, "Vary": "Accept-Encoding"}
    kind, takes = _type(file), _takes(request.headers.get("accept-encoding", ""))
    for coding, ending in _PACKED:
        packed = file.with_name(file.name + ending)
        if coding in takes and packed.is_file():
            file, headers["Content-Encoding"] = packed, coding
            break
    answer = FileResponse(file, headers=headers, media_type=kind, stat_result=file.stat())
    mark = answer.headers["etag"]
    if mark in (one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers={**headers, "ETag": mark})
    return answer


def _takes(header: str) -> set[str]:
    """The codings that an Accept-Encoding header asks for: those it does not give the weight 0."""
    found = set()
    for part in header.lower().split(","):
        coding, _, weight = part.partition(";")
        _, _, value = weight.partition("=")
        if value.strip(" 0.") or "=" not in weight:
            found.add(coding.strip())
    return found


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
    known |= {".woff2": "font/woff2", ".html": "text/html; charset=utf-8"}
    return known.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
