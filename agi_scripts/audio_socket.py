"""Asterisk's AudioSocket, its far side: sound of one channel on a TCP connection, 8 kHz, 16 bit, in frames of 20 ms.

A frame is a byte with its kind, two with its length (most significant first), and its content.
"""

from __future__ import annotations

import contextlib
import socket
import time
import uuid

import numpy as np

from app.speech.model import Samples

RATE = 8000
END, IDENT, SOUND, FAULT = 0x00, 0x01, 0x10, 0xFF
FRAME = 3 + 320
FRAMES_AT_ONCE = 5
"""So many are read together: ten turns in a second instead of fifty."""
HELLO_S = 1.0
STILL_S = 0.3
"""A line from which nothing has come for so long is silent; some telephones send no frames of silence."""
SIGN_OF_LIFE = bytes((SOUND, *(FRAME - 3).to_bytes(2))) + bytes(FRAME - 3)
"""A frame of silence, which nobody hears: Asterisk ends a connection on which nothing happens in either direction."""
LEAVE_S = 1.0


class NoAudioSocket(Exception):
    """Something else is at the other end, or nothing any more."""


class AudioSocket:
    """One connection. `read` and `close` belong to one thread, `end` to any."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = b""
        self._ended = False

    def ident(self) -> uuid.UUID:
        """The name by which it comes. Raises NoAudioSocket."""
        self._connection.settimeout(HELLO_S)
        until = time.monotonic() + HELLO_S
        while len(self._buffer) < 19:
            try:
                data = self._connection.recv(4096)
            except OSError as error:
                raise NoAudioSocket(str(error)) from error
            if not data or time.monotonic() > until:
                raise NoAudioSocket("it does not say who it is")
            self._buffer += data
        if self._buffer[:3] != bytes((IDENT, 0, 16)):
            raise NoAudioSocket("it does not say who it is")
        name, self._buffer = uuid.UUID(bytes=self._buffer[3:19]), self._buffer[19:]
        self._connection.settimeout(STILL_S)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, FRAMES_AT_ONCE * FRAME)
        return name

    def read(self) -> Samples | None:
        """What has come in since, or silence after some time; None at the end."""
        if self._ended:
            return None
        try:
            data = self._connection.recv(16 * FRAMES_AT_ONCE * FRAME)
        except TimeoutError:
            with contextlib.suppress(OSError):
                self._connection.send(SIGN_OF_LIFE, socket.MSG_DONTWAIT)
            return np.zeros(round(STILL_S * RATE), np.int16)
        except OSError:
            data = b""
        if not data:
            return None
        self._buffer += data
        return np.frombuffer(self._sound(), "<i2")

    def skip(self) -> None:
        """Lets go of what waits to be read."""
        while not self._ended:
            try:
                data = self._connection.recv(64 * 1024, socket.MSG_DONTWAIT)
            except OSError:
                return
            if not data:
                self._ended = True
            self._buffer += data
            self._sound()

    def end(self) -> None:
        """Has the other side end it; `read` finds the end, or `close` sees to it."""
        with contextlib.suppress(OSError):
            self._connection.send(bytes((END, 0, 0)), socket.MSG_DONTWAIT)

    def close(self) -> None:
        """Ends it. What is on its way is read first, for an end in the middle is an error in Asterisk's log."""
        self.end()
        until = time.monotonic() + LEAVE_S
        with contextlib.suppress(OSError):
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
            self._connection.settimeout(LEAVE_S)
            while time.monotonic() < until and self._connection.recv(64 * 1024):
                pass
        self._connection.close()

    def _sound(self) -> bytes:
        """The sound of the whole frames that are there."""
        found: list[bytes] = []
        at = 0
        while len(self._buffer) - at >= 3:
            kind, length = self._buffer[at], int.from_bytes(self._buffer[at + 1 : at + 3])
            if len(self._buffer) - at < 3 + length:
                break
            if kind == SOUND:
                found.append(self._buffer[at + 3 : at + 3 + length // 2 * 2])
            elif kind in (END, FAULT):
                self._ended = True
            at += 3 + length
        self._buffer = self._buffer[at:]
        return b"".join(found)
