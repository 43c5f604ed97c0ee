"""Logs: one JSON object a line, static messages, values in attributes.

Whatever could identify a citizen (a number, a name, what was said) may only be logged under a key that begins with
``personal_``; those values are replaced before the line is written unless `HOTLINE_LOG_PERSONAL=1` is set for a
supervised search for a fault. Logs of a hotline are read by more people than its cases are.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

PERSONAL_PREFIX = "personal_"
WITHHELD = "[withheld]"


def withhold_personal(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace every value under a `personal_` key; the key stays, so that a reader sees something was there."""
    for key in event:
        if key.startswith(PERSONAL_PREFIX):
            event[key] = WITHHELD
    return event


class LineLogger:
    """Writes finished lines. A log that can't be written (its reader is gone, the disk is full) stops nobody's work."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        """Writes one line."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()

    debug = info = warning = error = critical = exception = msg


def configure(process: str, *, level: int = logging.INFO) -> None:
    """Send structlog's and the standard library's records of this process to stdout as JSON lines.

    structlog's go there directly: through the standard library each line costs three times as much, and there is one
    for every call.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    if os.environ.get("HOTLINE_LOG_PERSONAL") != "1":
        shared.append(withhold_personal)
    rendering: list[Any] = [
        lambda _l, _m, event: {"process": process, **event},
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    structlog.configure(
        processors=[*shared, *rendering],
        logger_factory=lambda *_: LineLogger(sys.stdout),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("uvicorn", "uvicorn.error", "uvicorn.access", "alembic", "panoramisk", "asyncio", "httpx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
