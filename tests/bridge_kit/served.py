"""A rig behind a real HTTP server, and what a page says and hears over its websocket."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.auth.sessions import COOKIE
from tests.bridge_kit.rig import Rig

Json = dict[str, Any]


class Served:
    """A rig behind a real HTTP server."""

    def __init__(self, rig: Rig, port: int) -> None:
        self.rig, self.port = rig, port
        self.open: list[ClientConnection] = []

    async def page(
        self,
        token: str | None = "token-1001",
        *,
        origin: str | None = "same",
        streams: object = ("agent",),
        resume: object = None,
    ) -> ClientConnection:
        """A socket that has said hello."""
        base = f"http://127.0.0.1:{self.port}"
        page = await connect(
            f"ws://127.0.0.1:{self.port}/ws",
            additional_headers={"Cookie": f"{COOKIE}={token}"} if token else {},
            origin=base if origin == "same" else origin,  # type: ignore[arg-type]
            compression=None,
        )
        self.open.append(page)
        if streams is not None:
            await page.send(json.dumps({"type": "hello", "streams": streams, "resume": resume}))
        return page


async def frame(page: ClientConnection, kind: str = "", timeout: float = 10) -> Json:
    """The next frame (of this type)."""
    async with asyncio.timeout(timeout):
        while True:
            got: Json = json.loads(await page.recv())
            if not kind or got["type"] == kind:
                return got


async def closing(page: ClientConnection, timeout: float = 5) -> int:
    """The code with which the server closes."""
    async with asyncio.timeout(timeout):
        with contextlib.suppress(ConnectionClosed):
            while True:
                await page.recv()
    return page.close_code or 0


async def command(page: ClientConnection, name: str, ident: str = "c1", **args: Any) -> Json:
    await page.send(json.dumps({"type": "command", "id": ident, "name": name, "args": args}))
    return await frame(page, "result")
