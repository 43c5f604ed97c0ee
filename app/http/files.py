"""Audio and PDF files in ranges (RFC 9110 §14): players seek, phones resume."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import formatdate
from pathlib import Path

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from app.errors import NotFound

CHUNK = 64 * 1024
_RANGE = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Span:
    """Bytes from `start` up to, not including, `end`."""

    start: int
    end: int


class Unsatisfiable(ValueError):
    """The range begins behind the end of the file."""


def parse_range(header: str | None, size: int) -> Span | None:
    """The one range that is asked for; None to send the whole file (no, several, or malformed ranges: RFC 9110 allows
    to ignore those). Raises Unsatisfiable.
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        wanted = int(found[2])
        if wanted == 0 or size == 0:
            raise Unsatisfiable
        return Span(max(0, size - wanted), size)
    start = int(found[1])
    if found[2] and int(found[2]) < start:
        return None  # "last before first" is malformed, not unsatisfiable
    if start >= size:
        raise Unsatisfiable
    return Span(start, min(int(found[2]) + 1, size) if found[2] else size)


def stored_file(home: Path, path: str | None, expired_at: datetime | None = None) -> Path:
    """A file below the instance's home. Raises NotFound for one that never was, is past its retention, or is gone."""
    file = home / path if path and expired_at is None else None
    if file is None or not file.is_file():
        raise NotFound()
    return file


def file_response(request: Request, path: Path, media_type: str, *, etag: str, filename: str = "") -> Response:
    """The file or the asked range of it. `etag` is its hash; `filename` (ids only) makes it a download."""
    stat = path.stat()
    size = stat.st_size
    tag = f'"{etag[:32]}"'
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": tag,
        "Last-Modified": formatdate(stat.st_mtime, usegmt=True),
        "Cache-Control": "private, no-store",
        "Content-Disposition": f'attachment; filename="{filename}"' if filename else "inline",
    }
    wanted = request.headers.get("range")
    if (condition := request.headers.get("if-range")) and condition not in (tag, headers["Last-Modified"]):
        wanted = None
    try:
        span = parse_range(wanted, size)
    except Unsatisfiable:
        headers["Content-Range"] = f"bytes */{size}"
        return Response(status_code=416, headers=headers)
    status = 206 if span else 200
    span = span or Span(0, size)
    if status == 206:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{size}"
    headers["Content-Length"] = str(span.end - span.start)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=media_type)
    return StreamingResponse(_read(path, span), status_code=status, headers=headers, media_type=media_type)


def _read(path: Path, span: Span) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(span.start)
        left = span.end - span.start
        while left > 0 and (data := file.read(min(CHUNK, left))):
            left -= len(data)
            yield data
