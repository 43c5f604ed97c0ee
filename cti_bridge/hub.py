"""Who hears what over the websocket, and in which order (docs/websocket.md). No sockets here: see `client.py`.

A *stream* is what one kind of page listens to: an agent's own events, the wallboard, or both. Each stream numbers its
messages 1, 2, 3…; all pages of one agent share one stream. What was sent is kept for a while, so a page that comes
back within minutes gets what it missed, and otherwise a snapshot. A message is encoded once, however many hear it.
"""

from __future__ import annotations

import json
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

KEPT = 256
MOST_KEPT_CHARS = 2_000_000  # boards of a large centre are long, and of use to nobody once there is a newer one
KEPT_WITHOUT_LISTENERS_MS = 10 * 60 * 1000
MOST_PAGES = 8


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def encode(value: Any) -> str:
    """JSON as it goes over the wire."""
    return _JSON.encode(value)


@dataclass(frozen=True, slots=True)
class StreamKey:
    """Which stream: `agent_id` "" for a page that is no agent's; `floor`: the board is shown to who controls agents."""

    agent_id: str
    board: bool
    floor: bool = False


class Listener(Protocol):
    """One connected page."""

    def send(self, text: str) -> None:
        """Queue one frame; never blocks."""

    def close(self, code: int, reason: str) -> None:
        """End the connection."""


class Tap(Protocol):
    """Somebody who hears what is told to agents without being one of their pages (an outside system)."""

    def reaches(self, agent_id: str) -> bool:
        """Whether this agent is one of those it hears."""

    def hear(self, agent_id: str, event: str, data: Any) -> None:
        """What was told; never blocks, and does not change `data`."""


class Stream:
    """One numbered sequence of messages and who listens to it."""

    def __init__(self, key: StreamKey, epoch: str) -> None:
        self.key, self.epoch = key, epoch
        self.seq = 0
        self.kept: deque[tuple[int, str]] = deque()
        self._kept_chars = 0
        self.listeners: list[Listener] = []
        self.waiting: list[tuple[int, Callable[[], None]]] = []  # acknowledgements that somebody waits for
        self.quiet_since_ms: int | None = None

    def push(self, event: str, data_json: str) -> int:
        """Send one message to all who listen; its number."""
        self.seq += 1
        text = f'{{"type":"delta","seq":{self.seq},"event":"{event}","data":{data_json}}}'
        self.kept.append((self.seq, text))
        self._kept_chars += len(text)
        while len(self.kept) > KEPT or (self._kept_chars > MOST_KEPT_CHARS and len(self.kept) > 1):
            self._kept_chars -= len(self.kept.popleft()[1])
        for listener in list(self.listeners):
            listener.send(text)
        return self.seq

    def missed(self, epoch: str, seq: int) -> list[str] | None:
        """The messages after `seq`; None if they cannot all be had any more."""
        if epoch != self.epoch or not 0 <= seq <= self.seq:
            return None
        if seq < self.seq and (not self.kept or self.kept[0][0] > seq + 1):
            return None
        return [text for n, text in self.kept if n > seq]

    def acknowledged(self, seq: int) -> None:
        """A page has shown everything up to `seq`."""
        due = [heard for n, heard in self.waiting if n <= seq]
        self.waiting = [(n, heard) for n, heard in self.waiting if n > seq]
        for heard in due:
            heard()


class Hub:
    """All streams of this process. `now_ms` is the clock."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._streams: dict[StreamKey, Stream] = {}
        self._life = secrets.token_hex(4)
        self._made = 0
        self._taps: list[Tap] = []
        self.on_presence: Callable[[str], None] = lambda _agent_id: None
        self.peak = 0

    # -- pages come and go ------------------------------------------------------------------------------------------

    def stream(self, key: StreamKey) -> Stream:
        """The stream of this key."""
        return self._streams.get(key) or self._make(key)

    def join(self, key: StreamKey, listener: Listener) -> Stream:
        """A page listens from now on. The oldest page of an agent who has too many is closed (4409)."""
        stream = self.stream(key)
        stream.listeners.append(listener)
        stream.quiet_since_ms = None
        if key.agent_id:
            while len(stream.listeners) > MOST_PAGES:
                oldest = stream.listeners.pop(0)
                oldest.close(4409, "replaced by another page")
            self.on_presence(key.agent_id)
        return stream

    def leave(self, stream: Stream, listener: Listener) -> None:
        """A page has gone."""
        if listener not in stream.listeners:
            return
        stream.listeners.remove(listener)
        if not stream.listeners:
            stream.quiet_since_ms = self._now_ms()
        if stream.key.agent_id:
            self.on_presence(stream.key.agent_id)

    def pages(self, agent_id: str) -> int:
        """How many pages this agent has open."""
        return sum(len(stream.listeners) for stream in self._of(agent_id))

    def has_stream(self, agent_id: str) -> bool:
        """Whether anything told to this agent is heard: by a page that is open or may come back, or by a tap."""
        return bool(self._of(agent_id)) or any(tap.reaches(agent_id) for tap in self._taps)

    def tap(self, tap: Tap) -> None:
        """From now on this hears what is told to its agents. It is no page: no call waits for it."""
        self._taps.append(tap)

    def untap(self, tap: Tap) -> None:
        """It hears no more."""
        if tap in self._taps:
            self._taps.remove(tap)

    def give_up(self, stream: Stream, code: int, reason: str) -> None:
        """Something of this stream is lost: whoever hears it is sent away, and begins anew when they come back."""
        if self.is_kept(stream):
            del self._streams[stream.key]
        for listener in list(stream.listeners):
            listener.close(code, reason)

    def is_kept(self, stream: Stream) -> bool:
        """Whether somebody may still come back to this stream."""
        return self._streams.get(stream.key) is stream

    def boards(self) -> int:
        """How many pages show the wallboard."""
        return sum(len(s.listeners) for s in self._streams.values() if s.key.board)

    def listeners(self) -> int:
        """How many pages are connected."""
        return sum(len(s.listeners) for s in self._streams.values())

    def sweep(self) -> None:
        """Forget streams that nobody has listened to for long; who comes back later gets a snapshot."""
        now = self._now_ms()
        for key, stream in list(self._streams.items()):
            quiet = stream.quiet_since_ms
            if not stream.listeners and quiet is not None and now - quiet > KEPT_WITHOUT_LISTENERS_MS:
                del self._streams[key]

    def close_all(self, code: int, reason: str) -> None:
        """End every connection."""
        for stream in list(self._streams.values()):
            for listener in list(stream.listeners):
                listener.close(code, reason)

    # -- messages ---------------------------------------------------------------------------------------------------

    def to_agent(self, agent_id: str, event: str, data: Any, *, heard: Callable[[], None] | None = None) -> None:
        """Tell all pages of an agent, and the taps. `heard` is called once when the first page acknowledges it."""
        for tap in list(self._taps):
            if tap.reaches(agent_id):
                tap.hear(agent_id, event, data)
        self.to_pages(agent_id, event, data, heard=heard)

    def to_pages(self, agent_id: str, event: str, data: Any, *, heard: Callable[[], None] | None = None) -> None:
        """Tell all pages of an agent what is no system's of others."""
        streams = self._of(agent_id)
        if not streams:
            return  # an agent with a telephone alone: nothing need be put into words
        text = encode(data)
        told = None if heard is None else _once(heard)
        for stream in streams:
            seq = stream.push(event, text)
            if told is not None:
                stream.waiting = [*stream.waiting[-KEPT:], (seq, told)]

    def to_boards(self, event: str, data: Any, floor: Any = None) -> None:
        """Tell every page that shows the wallboard; `floor`: those of who controls agents, where they are told more."""
        text = encode(data)
        more = text if floor is None or floor is data else encode(floor)
        for stream in self._streams.values():
            if stream.key.board:
                stream.push(event, more if stream.key.floor else text)

    def _of(self, agent_id: str) -> list[Stream]:
        keys = (StreamKey(agent_id, False), StreamKey(agent_id, True), StreamKey(agent_id, True, True))
        return [self._streams[key] for key in keys if key in self._streams]

    def _make(self, key: StreamKey) -> Stream:
        self._made += 1
        stream = self._streams[key] = Stream(key, f"{self._life}.{self._made}")
        return stream


def _once(heard: Callable[[], None]) -> Callable[[], None]:
    """Every page of an agent acknowledges; only the first matters."""
    told: list[bool] = []

    def tell() -> None:
        if not told:
            told.append(True)
            heard()

    return tell
