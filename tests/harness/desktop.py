"""An agent's page without a browser: signs in over HTTP, holds the websocket, sends commands, remembers events."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import httpx
import websockets

Json = dict[str, Any]


class CommandRefused(RuntimeError):
    """The server answered a command with an error; `code` is the error's code."""

    def __init__(self, name: str, error: Json) -> None:
        super().__init__(f"{name}: {error.get('code')} {error.get('message')}")
        self.code = error.get("code")


@dataclass(frozen=True)
class Seen:
    """One delta with the monotonic time at which it was read."""

    at: float
    event: str
    data: Json


@dataclass
class Desktop:
    """One signed-in page. `events` holds every delta in order; `state` the last snapshot's data."""

    base: str
    name: str
    password: str
    streams: tuple[str, ...] = ("agent",)
    events: list[Seen] = field(default_factory=list)
    state: Json = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        self._http = httpx.AsyncClient(base_url=self.base, timeout=10)
        self._ids = itertools.count(1)
        self._results: dict[str, asyncio.Future[Json]] = {}
        self._news = asyncio.Condition()
        self._snapshot = asyncio.Event()
        answer = await self._http.post("/api/login", json={"name": self.name, "password": self.password})
        answer.raise_for_status()
        self.me: Json = answer.json()
        self._http.headers["X-CSRF-Token"] = self.me["csrf"]
        self._reader: asyncio.Task[None] | None = None
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.disconnect()
        await self._http.aclose()

    async def connect(self, resume: Json | None = None, timeout: float = 10.0) -> None:
        """Open the websocket and wait for the snapshot (or, when resuming, for the first delta)."""
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._http.cookies.jar)
        self._snapshot.clear()
        self._socket = await websockets.connect(
            self.base.replace("http", "ws", 1) + "/ws",
            additional_headers={"Cookie": cookies},
            origin=self.base,  # type: ignore[arg-type]
            max_size=2**22,
            open_timeout=timeout,
        )
        await self._send({"type": "hello", "streams": list(self.streams), "resume": resume})
        self._reader = asyncio.create_task(self._read())
        if resume is None:
            await asyncio.wait_for(self._snapshot.wait(), timeout)

    async def reconnect(self, timeout: float = 20.0) -> float:
        """Come back after the server was away; seconds it took."""
        began = time.monotonic()
        await self.disconnect()
        while True:
            try:
                await self.connect(timeout=3.0)
            except (OSError, TimeoutError, websockets.WebSocketException):
                if time.monotonic() - began > timeout:
                    raise
                await asyncio.sleep(0.1)
            else:
                return time.monotonic() - began

    def move(self, base: str) -> None:
        """From now on ask another server, as behind a proxy that has noticed; the session is the same."""
        self.base = base
        self._http.base_url = httpx.URL(base)

    async def disconnect(self) -> None:
        """Close the socket, as a closed laptop does."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
            self._reader = None
        await self._socket.close()

    async def command(self, name: str, /, *, timeout: float = 10.0, **args: Any) -> Json:
        """Send one command; its result's data. Raises CommandRefused, TimeoutError."""
        number = f"c{next(self._ids)}"
        self._results[number] = asyncio.get_running_loop().create_future()
        await self._send({"type": "command", "id": number, "name": name, "args": args})
        try:
            result = await asyncio.wait_for(self._results[number], timeout)
        finally:
            del self._results[number]
        if not result["ok"]:
            raise CommandRefused(name, result["error"])
        return result.get("data") or {}

    async def ready(self, endpoint: str | None = None) -> None:
        """Sign in to the queue (with this phone) and be ready."""
        await self.command("agent.sign_in", **({"endpoint": endpoint} if endpoint else {}))
        await self.command("agent.ready")
        await self.until(lambda: (self.agent or {}).get("state") == "ready", "to be ready")

    @property
    def connected(self) -> bool:
        """Whether the websocket is still open."""
        return self._reader is not None and not self._reader.done()

    @property
    def agent(self) -> Json | None:
        """The agent's own state as last told."""
        for seen in reversed(self.events):
            if seen.event == "agent.state":
                return seen.data
        agent: Json | None = self.state.get("agent")
        return agent

    def first(self, event: str, since: int = 0, **data: Any) -> Seen | None:
        """The first remembered delta of this name, from index `since`, whose data has these values."""
        for seen in self.events[since:]:
            if seen.event == event and all(seen.data.get(key) == value for key, value in data.items()):
                return seen
        return None

    async def expect(self, event: str, *, timeout: float = 15.0, since: int = 0, **data: Any) -> Seen:
        """Wait for (or find) a delta. Raises AssertionError that lists what came instead."""
        await self.until(lambda: self.first(event, since, **data), f"{event} {data or ''}", timeout)
        found = self.first(event, since, **data)
        assert found is not None
        return found

    async def until(self, condition: Callable[[], object], what: str, timeout: float = 15.0) -> None:
        """Wait until `condition()` holds; it is looked at after every message."""
        async with self._news:
            try:
                await asyncio.wait_for(self._news.wait_for(lambda: bool(condition())), timeout)
            except TimeoutError:
                seen = ", ".join(item.event for item in self.events[-20:])
                raise AssertionError(f"waited {timeout:.0f} s for {what}; last events: {seen or 'none'}") from None

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A REST request with this page's session."""
        return await self._http.request(method, path, **options)

    async def json(self, path: str) -> Any:
        """GET a JSON answer. Raises httpx.HTTPStatusError."""
        answer = await self._http.get(path)
        answer.raise_for_status()
        return answer.json()

    async def _send(self, frame: Json) -> None:
        await self._socket.send(json.dumps(frame, ensure_ascii=False))

    async def _read(self) -> None:
        try:
            async for text in self._socket:
                await self._take(json.loads(text))
        except websockets.ConnectionClosed:
            return

    async def _take(self, frame: Json) -> None:
        kind = frame["type"]
        if kind == "ping":
            await self._send({"type": "pong"})
        elif kind == "snapshot":
            self.state = frame["data"]
            # What was told before the snapshot is older than it.
            self.events.append(Seen(time.monotonic(), "agent.state", self.state.get("agent") or {}))
            self._snapshot.set()
        elif kind == "result":
            if (waiting := self._results.get(frame["id"])) and not waiting.done():
                waiting.set_result(frame)
        elif kind == "delta":
            self.events.append(Seen(time.monotonic(), frame["event"], frame["data"]))
            if frame["event"] == "call.pop":
                await self._send({"type": "ack", "event_seq": frame["seq"]})
        async with self._news:
            self._news.notify_all()
