"""One page's websocket: it signs in, says hello, gets a snapshot or what it missed, sends commands, and stays alive.

Closes with 4401 (not signed in, or the session has ended), 4403 (not allowed), 4408 (too slow, or silent), 4409
(replaced). Whatever a page sends is input: a frame that makes no sense is answered with an error and nothing else
happens; fifty of them in a row end the connection.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from app.actor import Actor
from app.auth.model import Permission
from cti_bridge.hub import Hub, Stream, StreamKey, encode

log = structlog.get_logger(__name__)

HELLO_S = 10.0
PING_EVERY_S = 5.0
SILENT_S = 15.0
SESSION_CHECK_S = 60.0
MOST_UNSENT = 512
MOST_UNSENT_CHARS = 4_000_000
SEND_S = 10.0
CLOSE_S = 2.0
MOST_NONSENSE = 50
LONGEST_FRAME = 64 * 1024
MOST_COMMANDS_AT_ONCE = 16


class Desk(Protocol):
    """What a connection asks of the bridge."""

    def snapshot(self, actor: Actor, key: StreamKey) -> dict[str, Any]:
        """The data of a snapshot message."""

    async def command(self, actor: Actor, name: str, args: dict[str, Any]) -> dict[str, Any]:
        """Carry a command out. Raises HotlineError."""

    def now_ms(self) -> int:
        """The clock."""


class ClientSocket:
    """See the module's text. `alive` says whether the page's session is still good."""

    def __init__(
        self,
        socket: WebSocket,
        actor: Actor,
        hub: Hub,
        desk: Desk,
        alive: Callable[[], Awaitable[bool]],
    ) -> None:
        self._socket, self._actor, self._hub, self._desk, self._alive = socket, actor, hub, desk, alive
        self._unsent: deque[str] = deque()
        self._unsent_chars = 0
        self._wake = asyncio.Event()
        self._over = asyncio.Event()
        self._closing: tuple[int, str] | None = None
        self._stream: Stream | None = None
        self._heard = 0.0
        self._nonsense = 0
        self._commands: set[asyncio.Task[None]] = set()

    # -- Listener ---------------------------------------------------------------------------------------------------

    def send(self, text: str) -> None:
        """Queue one frame. A page that does not keep up is dropped: it will come back and catch up."""
        if self._closing is not None:
            return
        if len(self._unsent) >= MOST_UNSENT or self._unsent_chars > MOST_UNSENT_CHARS:
            self.close(4408, "too slow")
            return
        self._unsent.append(text)
        self._unsent_chars += len(text)
        self._wake.set()

    def close(self, code: int, reason: str) -> None:
        """End the connection; what is unsent stays unsent."""
        if self._closing is None:
            self._closing = (code, reason)
            self._unsent.clear()
            self._wake.set()
            self._over.set()
            if self._stream is not None:
                self._hub.leave(self._stream, self)

    # -- life -------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve the page until it leaves or is sent away."""
        loop = asyncio.get_running_loop()
        self._heard = loop.time()
        writing = asyncio.create_task(self._write(), name="ws-write")
        reading = asyncio.create_task(self._read(), name="ws-read")
        watching = asyncio.create_task(self._watch(), name="ws-watch")
        over = asyncio.create_task(self._over.wait(), name="ws-over")
        try:
            await asyncio.wait({writing, reading, watching, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.close(1001, "going away")
            if reading.done():
                writing.cancel()  # nobody is there to be told why
            await asyncio.wait({writing}, timeout=CLOSE_S)
            for task in (writing, reading, watching, over, *self._commands):
                task.cancel()
            await asyncio.gather(writing, reading, watching, over, *self._commands, return_exceptions=True)

    async def _write(self) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._unsent:
                    text = self._unsent.popleft()
                    self._unsent_chars -= len(text)
                    async with asyncio.timeout(SEND_S):
                        await self._socket.send_text(text)
                if self._closing is not None:
                    break
        except TimeoutError:
            self._closing = (4408, "too slow")
        except (WebSocketDisconnect, RuntimeError):
            return
        code, reason = self._closing or (1000, "")
        if self._socket.application_state is WebSocketState.CONNECTED:
            try:
                async with asyncio.timeout(1):
                    await self._socket.close(code, reason)
            except (TimeoutError, RuntimeError):
                return

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        checked = loop.time()
        while self._closing is None:
            await asyncio.sleep(PING_EVERY_S)
            now = loop.time()
            if now - self._heard > SILENT_S:
                self.close(4408, "no answer to pings")
                return
            if now - checked > SESSION_CHECK_S:
                checked = now
                if not await self._alive():
                    self.close(4401, "the session has ended")
                    return
            self.send(f'{{"type":"ping","server_ms":{self._desk.now_ms()}}}')

    async def _read(self) -> None:
        """Until the page leaves; ends without a word when the connection is being closed by us."""
        try:
            async with asyncio.timeout(HELLO_S) as patience:
                while True:
                    self._take(await self._socket.receive())
                    if self._said_hello():
                        patience.reschedule(None)
        except TimeoutError:
            self.close(4408, "no hello")
            await asyncio.Event().wait()
        except WebSocketDisconnect:
            return

    def _said_hello(self) -> bool:
        return self._stream is not None

    # -- frames -----------------------------------------------------------------------------------------------------

    def _take(self, message: Any) -> None:
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        if self._closing is not None:
            return
        self._heard = asyncio.get_running_loop().time()
        text = message.get("text")
        if text is None or len(text) > LONGEST_FRAME:
            return self._no("bad_frame", "text frames of JSON up to 64 KiB only")
        try:
            frame = json.loads(text)
        except (ValueError, RecursionError):
            return self._no("bad_frame", "not JSON")
        if not isinstance(frame, dict):
            return self._no("bad_frame", "a JSON object is expected")
        kind = frame.get("type")
        if kind == "hello":
            return self._hello(frame)
        if self._stream is None:
            return self._no("no_hello", "the first frame must be hello")
        if kind == "pong":
            return None
        if kind == "ack":
            seq = frame.get("event_seq")
            if not isinstance(seq, int) or isinstance(seq, bool):
                return self._no("bad_frame", "event_seq must be a number")
            return self._stream.acknowledged(seq)
        if kind == "command":
            return self._command(frame)
        return self._no("bad_frame", "unknown type")

    def _hello(self, frame: dict[str, Any]) -> None:
        wanted = frame.get("streams")
        if self._stream is not None:
            return self._no("bad_frame", "hello has been said")
        if not isinstance(wanted, list) or not wanted or not all(one in ("agent", "wallboard") for one in wanted):
            return self._no("bad_frame", "streams must name agent, wallboard or both")
        agent, board = "agent" in wanted, "wallboard" in wanted
        if agent and not (self._actor.agent_id and self._actor.may(Permission.calls_handle)):
            return self.close(4403, "not an agent")
        if board and not self._actor.may(Permission.wallboard_read):
            return self.close(4403, "the wallboard is not for this role")
        floor = board and self._actor.may(Permission.agents_control)
        key = StreamKey((self._actor.agent_id or "") if agent else "", board, floor)
        resume = frame.get("resume")
        # What was missed (or the snapshot) goes first; joining may already cause the next message.
        self._stream = stream = self._hub.stream(key)
        missed: list[str] | None = None
        if isinstance(resume, dict):
            epoch, seq = resume.get("epoch"), resume.get("seq")
            if isinstance(epoch, str) and isinstance(seq, int) and not isinstance(seq, bool):
                missed = stream.missed(epoch, seq)
        if missed is None:
            data = encode(self._desk.snapshot(self._actor, key))
            missed = [f'{{"type":"snapshot","epoch":"{stream.epoch}","seq":{stream.seq},"data":{data}}}']
        for text in missed:
            self.send(text)
        self._hub.join(key, self)
        # A page that missed nothing hears at once that it is live again.
        return self.send(f'{{"type":"ping","server_ms":{self._desk.now_ms()}}}')

    def _command(self, frame: dict[str, Any]) -> None:
        ident, name, args = frame.get("id"), frame.get("name"), frame.get("args") or {}
        if not isinstance(ident, str) or not 0 < len(ident) <= 64:
            return self._no("bad_frame", "a command needs an id")
        if not isinstance(name, str) or not isinstance(args, dict):
            return self._no("bad_frame", "a command needs a name, and args that are an object", ident)
        if len(self._commands) >= MOST_COMMANDS_AT_ONCE:
            return self._no("busy", "too many commands at once", ident)
        task = asyncio.create_task(self._carry_out(ident, name, args), name=f"command-{name[:40]}")
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)
        return None

    async def _carry_out(self, ident: str, name: str, args: dict[str, Any]) -> None:
        from cti_bridge.commands import failure

        try:
            data = await self._desk.command(self._actor, name, args)
        except Exception as error:
            self.send(encode({"type": "result", "id": ident, "ok": False, "error": failure(error, name)}))
        else:
            self._nonsense = 0
            self.send(encode({"type": "result", "id": ident, "ok": True, "data": data}))

    def _no(self, code: str, message: str, ident: str | None = None) -> None:
        self._nonsense += 1
        if self._nonsense > MOST_NONSENSE:
            return self.close(1008, "too many frames that make no sense")
        return self.send(
            encode({"type": "result", "id": ident, "ok": False, "error": {"code": code, "message": message}})
        )
