"""A whole house for outside systems: pages, doors and bridge over a real server, a database, a played Asterisk; and a
receiver of pushes whose manners can be spoilt."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import uvicorn

from app.actor import SYSTEM
from app.agents.service import create_agent
from app.clock import utc_now
from app.db import Database
from app.machines import service as machines
from app.machines.model import Scope
from app.secrets import secret
from app.settings import Settings
from app.web import create_app
from cti_bridge.bridge import Bridge
from tests.bridge_kit import rig
from tests.bridge_kit.rig import PlayedAsterisk

EVERY_SCOPE = frozenset(Scope) - {Scope.confidential_read}


async def until(condition: Callable[[], object], what: str) -> None:
    """Let the loop turn until something holds, also on a machine that has much to do."""
    await rig.until(condition, what, 20)


@dataclass
class Token:
    """An account and what opens its door."""

    machine_id: int
    token: str

    @property
    def header(self) -> dict[str, str]:
        """What every request brings."""
        return {"Authorization": f"Bearer {self.token}"}


class House:
    """See the module's text."""

    def __init__(self, home: Path, url: str) -> None:
        self.settings = Settings(home=home, database_url=url, min_free_mb=0, ami_port=1, push_networks=["127.0.0.0/8"])
        self.settings.ensure_dirs()
        self.db = Database(url)
        for agent_id in ("1001", "1002"):
            create_agent(self.db, name=f"坐席{agent_id}", agent_id=agent_id, password="Stiller-Ozean-42")
        self.asterisk = PlayedAsterisk(secret(self.settings, "ami"))
        self.port = 0

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[House]:
        """While it serves."""
        for endpoint in ("1001", "1002"):
            self.asterisk.devices[f"PJSIP/{endpoint}"] = "NOT_INUSE"
        await self.asterisk.start()
        self.settings = self.settings.model_copy(update={"ami_port": self.asterisk.port})
        self.bridge = Bridge(self.settings, self.db)
        app = create_app(self.settings, self.db, realtime=self.bridge, phones_changed=lambda: None)
        app.include_router(self.bridge.router)
        await self.bridge.start()
        door = socket.socket()
        door.bind(("127.0.0.1", 0))
        self.port = door.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, ws="websockets-sansio"))
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        serving = asyncio.create_task(server.serve(sockets=[door]))
        await until(lambda: server.started, "the server")
        await until(lambda: self.bridge.health()["heartbeat"] == "ok", "the picture, and a heart that beats")
        try:
            yield self
        finally:
            server.should_exit = True
            await serving
            await self.bridge.stop()
            await self.asterisk.stop()
            self.db.dispose()

    @property
    def base(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def account(self, name: str = "crm", scopes: frozenset[Scope] = EVERY_SCOPE, **more: Any) -> Token:
        """An outside system that is let in."""
        with self.db.session() as session:
            given = {"agents": ["1001"], "expires_at": utc_now() + timedelta(days=30), **more}
            row, token = machines.create(session, SYSTEM, name, scopes, **given)
            return Token(row.id or 0, token)


@dataclass
class Heard:
    """One push as it came."""

    fields: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> str:
        """Which event."""
        return self.fields["event"]


@dataclass
class Receiver:
    """An HTTP server that takes pushes. `answers`: statuses to give first (then 204); "silence" never answers, and
    "drip" gives a letter now and then."""

    answers: deque[int | str] = field(default_factory=deque)
    heard: list[Heard] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """Where it listens; the path holds what must not be told to others."""
        return f"http://127.0.0.1:{self.port}/api/v1/cti/s3cret-token"

    def events(self, call_id: str = "") -> list[str]:
        """The events that came, of one call."""
        return [one.event for one in self.heard if not call_id or one.fields["callId"] == call_id]

    @contextlib.asynccontextmanager
    async def open(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
        """While it listens."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            lines = [line.partition(": ") for line in head.split("\r\n")[1:] if line]
            headers = {name.lower(): value for name, _, value in lines}
            body = await reader.readexactly(int(headers["content-length"]))
            fields = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            self.heard.append(Heard(fields, headers, body))
            answer = self.answers.popleft() if self.answers else 204
            if answer == "silence":
                await reader.read()
            elif answer == "drip":
                for letter in b"HTTP/1.1 204 No Content\r\n" * 100:
                    writer.write(bytes([letter]))
                    await writer.drain()
                    await asyncio.sleep(0.05)
            else:
                where = "Location: http://127.0.0.1:1/\r\n" if str(answer).startswith("3") else ""
                writer.write(f"HTTP/1.1 {answer} x\r\n{where}Content-Length: 0\r\n\r\n".encode())
                await writer.drain()
        writer.close()
