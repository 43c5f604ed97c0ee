"""A line that can be cut: a TCP relay between the backend and Asterisk's manager port."""

from __future__ import annotations

import contextlib
import socket
import threading


class Relay:
    """Listens on a port of its own on 127.0.0.1 and passes bytes on to `target`. Use as a context manager.

    `cut()` closes every connection and refuses new ones; `mute()` keeps them open but passes nothing on, as a broken
    switch does; `restore()` undoes both (what was muted arrives late; what was cut must be dialled again). `accepted`
    counts the connections that were ever made.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._door: socket.socket | None = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._door.getsockname()[1]
        self._flowing = threading.Event()
        self._flowing.set()
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self.accepted = 0

    def __enter__(self) -> Relay:
        assert self._door is not None
        self._listen(self._door)
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._flowing.set()

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        with self._lock:
            return len(self._pairs)

    def cut(self) -> None:
        """Nobody is connected any more and nobody gets in."""
        door, self._door = self._door, None
        if door is not None:
            with contextlib.suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)
            door.close()
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            _close(*pair)

    def mute(self) -> None:
        """Connections stay and new ones are accepted, but no byte passes."""
        self._flowing.clear()

    def restore(self) -> None:
        """The line works again."""
        self._flowing.set()
        if self._door is None:
            self._door = socket.create_server(("127.0.0.1", self.port), backlog=64)
            self._listen(self._door)

    def _listen(self, door: socket.socket) -> None:
        threading.Thread(target=self._accept, args=(door,), name="relay-door", daemon=True).start()

    def _accept(self, door: socket.socket) -> None:
        while True:
            try:
                near, _peer = door.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._target, timeout=5)
            except OSError:
                _close(near)
                continue
            far.settimeout(None)
            pair = (near, far)
            with self._lock:
                self._pairs.add(pair)
                self.accepted += 1
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(pair, source, sink), name="relay", daemon=True).start()

    def _pump(self, pair: tuple[socket.socket, socket.socket], source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                self._flowing.wait()
                sink.sendall(data)
        except OSError:
            pass
        self._flowing.wait()
        with self._lock:
            self._pairs.discard(pair)
        _close(*pair)


def _close(*lines: socket.socket) -> None:
    for line in lines:
        with contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
        line.close()
