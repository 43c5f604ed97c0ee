"""Around every request: security headers, a limit on bodies, the figures of /metrics; and whoever asks for something
while the process is starting waits until it is there."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import MutableMapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import Settings

LARGEST_BODY = 1_000_000
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")


class Figures:
    """Counters of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("hotline_http_requests_total", "Requests answered", labels, registry=self.registry)
        self.seconds = Histogram(
            "hotline_http_seconds",
            "Time to answer",
            ("method", "route"),
            registry=self.registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 10),
        )


def content_policy(settings: Settings, host: str) -> str:
    """The Content-Security-Policy: our own files only, and the browser phone's socket to Asterisk on the same host."""
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    sockets = ""
    if _HOST.fullmatch(name):
        sockets = f" wss://{name}:{settings.wss_port} ws://{host} wss://{host}"
    return "; ".join(
        (
            "default-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'self'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "object-src 'self'",
            "frame-src 'self' blob:",
            "worker-src 'self' blob:",
            "script-src 'self'",
            # Vue and ECharts set inline styles; styles alone can't take data away under this policy.
            "style-src 'self' 'unsafe-inline'",
            f"connect-src 'self'{sockets}",
        )
    )


class Guard:
    """Pure ASGI, so that streams and websockets pass untouched."""

    def __init__(self, app: ASGIApp, settings: Settings, figures: Figures, whole: asyncio.Event) -> None:
        self._app, self._settings, self._figures, self._whole = app, settings, figures, whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        began, status = time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._add_headers(scope, headers, message)
            await send(message)

        try:
            length = headers.get(b"content-length", b"0")
            if not length.isdigit() or int(length) > LARGEST_BODY:
                await _too_large(scope, receive, sending)
                return
            if not self._whole.is_set() and scope["path"].startswith("/api/"):
                await self._whole.wait()
            await self._app(scope, _limited(receive), sending)
        finally:
            self._count(scope, status, time.perf_counter() - began)

    def _add_headers(self, scope: Scope, request: dict[bytes, bytes], message: MutableMapping[str, Any]) -> None:
        headers = MutableHeaders(scope=message)
        host = request.get(b"host", b"").decode("latin-1")
        path = scope["path"]
        embedded = path.endswith("/pdf")
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("X-Frame-Options", "SAMEORIGIN" if embedded else "DENY")
        headers.setdefault("Referrer-Policy", "no-referrer")
        headers.setdefault("Permissions-Policy", "microphone=(self), camera=(), geolocation=(), payment=()")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        policy = content_policy(self._settings, host)
        if not embedded:
            policy = policy.replace("frame-ancestors 'self'", "frame-ancestors 'none'")
        headers.setdefault("Content-Security-Policy", policy)
        if path.startswith("/api/"):
            headers.setdefault("Cache-Control", "no-store")
        if scope.get("scheme") == "https":
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE") else "other"
        self._figures.requests.labels(method, route, str(status)).inc()
        self._figures.seconds.labels(method, route).observe(seconds)


def _limited(receive: Receive) -> Receive:
    """A body sent in pieces has no length to look at: count."""
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            if received > LARGEST_BODY:
                raise HTTPException(413)  # the one kind of error that FastAPI passes on while it reads a body
        return message

    return limited


async def _too_large(scope: Scope, receive: Receive, send: Send) -> None:
    body = {"error": {"code": "too_large", "message": "提交的内容过大。 Too large."}}
    await JSONResponse(body, status_code=413, headers={"Connection": "close"})(scope, receive, send)
