"""An agent's page for blocking tests: its own thread holds the websocket, the test waits for what it needs."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.bridge_kit.core import PASSWORD
from tests.peers.network import Line, PublicNetwork

Json = dict[str, Any]
TRY_AGAIN = 1013


class CommandRefused(RuntimeError):
    """A command was answered with an error."""

    def __init__(self, error: Json) -> None:
        super().__init__(f"{error['code']}: {error.get('message_en') or error['message']}")
        self.code = error["code"]


@dataclass(frozen=True)
class Told:
    """One delta, and when it was read (epoch seconds)."""

    at: float
    seq: int
    event: str
    data: Json


class Page:
    """One open page. `acks` says whether pops are acknowledged."""

    def __init__(self, base: str, name: str, *, streams: tuple[str, ...] = ("agent",), acks: bool = True) -> None:
        self.base, self.name, self.streams, self.acks = base, name, streams, acks
        self.told: list[Told] = []
        self.told_before = 0  # how many deltas came over former connections
        self.frames: list[Json] = []
        self.snapshot: Json = {}
        self.closed: tuple[int, str] | None = None
        self._ids = itertools.count(1)
        self._results: dict[str, Json] = {}
        self._news = threading.Condition()
        answer = httpx.post(f"{base}/api/login", json={"name": name, "password": PASSWORD}, timeout=10)
        answer.raise_for_status()
        self._cookie = "; ".join(f"{k}={v}" for k, v in answer.cookies.items())
        self._open(None)

    def _open(self, resume: Json | None) -> None:
        self.closed = None
        self._stack = contextlib.ExitStack()
        self._socket = self._stack.enter_context(
            connect(
                self.base.replace("http", "ws", 1) + "/ws",
                additional_headers={"Cookie": self._cookie},
                origin=self.base,  # type: ignore[arg-type]
                compression=None,
            )
        )
        self.send({"type": "hello", "streams": list(self.streams), "resume": resume})
        self._thread = threading.Thread(target=self._read, args=(self._socket,), daemon=True)
        self._thread.start()
        if resume is None:
            self.until(lambda: self.snapshot or (self.closed or (0,))[0] == TRY_AGAIN, "a snapshot")
            if not self.snapshot:
                raise EOFError("not this core, or not yet")

    def reconnect(self, timeout: float = 20.0) -> float:
        """Come back with a new socket; seconds it took."""
        began = time.monotonic()
        self.close()
        self.snapshot, self.told_before = {}, len(self.told)
        while True:
            try:
                self._open(None)
            except (OSError, TimeoutError, EOFError, ConnectionClosed):
                self.closed = None
                if time.monotonic() - began > timeout:
                    raise
                time.sleep(0.05)
            else:
                return time.monotonic() - began

    def close(self) -> None:
        """Close the tab."""
        self._stack.close()
        self._thread.join(2)

    def send(self, frame: Json) -> None:
        """Send one frame."""
        self._socket.send(json.dumps(frame))

    def command(self, name: str, timeout: float = 10.0, /, **args: Any) -> Json:
        """Ask for something and wait for the result. Raises CommandRefused."""
        ident = f"c{next(self._ids)}"
        self.send({"type": "command", "id": ident, "name": name, "args": args})
        self.until(lambda: ident in self._results, f"the result of {name}", timeout)
        result = self._results.pop(ident)
        if not result["ok"]:
            raise CommandRefused(result["error"])
        data: Json = result["data"]
        return data

    def ready(self, endpoint: str | None = None) -> Page:
        """Begin a shift and be ready, telephone and all."""
        self.command("agent.sign_in", **({"endpoint": endpoint} if endpoint else {}))
        self.command("agent.ready")
        self.until(lambda: self.state["state"] == "ready" and not self.state["unreachable"], "to be ready")
        return self

    @property
    def state(self) -> Json:
        """The agent's own state as told last."""
        for one in reversed(self.told):
            if one.event == "agent.state":
                return one.data
        state: Json = self.snapshot.get("agent") or {}
        return state

    def wait_state(self, state: str, timeout: float = 15.0) -> Json:
        """Until the agent's state is this one."""
        self.until(lambda: self.state.get("state") == state, f"state {state}", timeout)
        return self.state

    def mark(self) -> int:
        """How much has been told so far."""
        return len(self.told)

    def all(self, event: str, after: int = 0) -> list[Told]:
        """Every delta of this name."""
        return [one for one in self.told[after:] if one.event == event]

    def wait(self, event: str, timeout: float = 15.0, after: int = 0, **data: Any) -> Told:
        """The first delta of this name with these values, once it has come."""

        def look() -> Told | None:
            for one in self.all(event, after):
                if all(one.data.get(key) == value for key, value in data.items()):
                    return one
            return None

        self.until(look, f"{event} {data}", timeout)
        found = look()
        assert found is not None
        return found

    def until(self, condition: Callable[[], object], what: str, timeout: float = 15.0) -> None:
        """Wait until something holds; looked at after every message."""
        with self._news:
            if not self._news.wait_for(condition, timeout):
                tail = [(one.event, one.data) for one in self.told[-8:]]
                raise AssertionError(f"{self.name} waited {timeout} s for {what}; closed={self.closed}; last: {tail}")

    def _read(self, socket: Any) -> None:
        try:
            for text in socket:
                self._take(json.loads(text))
        except Exception as error:
            self.frames.append({"type": "broken", "error": repr(error)})
        with self._news:
            self.closed = (socket.close_code or 1006, socket.close_reason or "")
            self._news.notify_all()

    def _take(self, frame: Json) -> None:
        now = time.time()
        with self._news:
            self.frames.append(frame)
            kind = frame["type"]
            if kind == "snapshot":
                self.snapshot = frame["data"]
                if frame["data"].get("agent"):
                    self.told.append(Told(now, frame["seq"], "agent.state", frame["data"]["agent"]))
            elif kind == "delta":
                self.told.append(Told(now, frame["seq"], frame["event"], frame["data"]))
            elif kind == "result" and frame["id"]:
                self._results[frame["id"]] = frame
            self._news.notify_all()
        if frame["type"] == "ping":
            self.send({"type": "pong"})
        if frame["type"] == "delta" and frame["event"] == "call.pop" and self.acks:
            self.send({"type": "ack", "event_seq": frame["seq"]})


OpenPage = Callable[..., Page]


def board(watch: Page) -> Json:
    """The newest wallboard of this connection: what was told before a page came back may no longer be so."""
    told = [one.data for one in watch.told[watch.told_before :] if one.event == "wallboard.figures"]
    newest: Json = told[-1] if told else watch.snapshot.get("wallboard") or {}
    return newest


def talking(network: PublicNetwork, agent: Page, number: str, hz: int = 440) -> tuple[Line, str]:
    """A citizen who plays `hz` in a talk with this agent, whose telephone answers by itself; (line, call id)."""
    mark = agent.mark()
    citizen = network.call(number).wait_answered()
    citizen.tone(hz)
    answered = agent.wait("call.answered", after=mark)
    citizen.wait_hears(880)
    return citizen, answered.data["call_id"]
