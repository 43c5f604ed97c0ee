"""The voice scripts' own line to Asterisk's manager: has a caller listened to, presses keys in their place, and tells
when they press one themselves.

A line that can't be had, breaks or is full costs what was said, nothing else; nobody who serves a caller waits for it.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog

from .safe_agi import timeval

log = structlog.get_logger(__name__)

USER = "hotline-ear"
PATIENCE_S = 1.0
REST_S = 5.0
LONGEST_PACKET = 64 * 1024
EAR_S = 5
"""How long an ear may take to begin."""
_PLAIN = re.compile(r"[A-Za-z0-9/_.@;:+-]{1,128}")
KEYS = re.compile(r"[0-9*#]{1,32}")
Pressed = Callable[[str, str], None]
"""Told of (channel, key)."""


class Keypad(Protocol):
    """What an ear needs of Asterisk. False: it can't be done now. Raises nothing.

    `pressed` is told of every key of every channel, those included that are pressed here.
    """

    pressed: Pressed

    def spy(self, caller: str, ear: str, where: str) -> bool:
        """What the channel with the unique id `caller` says goes to `where` (host:port), by the name `ear`."""

    def press(self, channel: str, keys: str) -> bool:
        """As if the caller on this channel had pressed these keys."""

    def close(self) -> None:
        """It is not wanted any more."""


class ManagerKeypad:
    """`Keypad` on one manager session, made when it is wanted first."""

    def __init__(self, host: str, port: int, password: str) -> None:
        self._address, self._password = (host, port), password
        self.pressed: Pressed = lambda _channel, _key: None
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self._not_before = 0.0
        self._closed = False

    def spy(self, caller: str, ear: str, where: str) -> bool:
        """See the port."""
        variables = {"HOTLINE_EAR_OF": caller, "HOTLINE_EAR_ID": ear, "HOTLINE_EAR_TO": where}
        if not all(_PLAIN.fullmatch(value.strip("[]")) for value in variables.values()):
            return False
        return self._send(
            "Action: Originate",
            "Channel: Local/spy@hotline-ear/n",
            "Context: hotline-ear",
            "Exten: send",
            "Priority: 1",
            "Async: true",
            f"Timeout: {EAR_S * 1000}",
            *(f"Variable: {name}={value}" for name, value in variables.items()),
        )

    def press(self, channel: str, keys: str) -> bool:
        """See the port."""
        if not _PLAIN.fullmatch(channel) or not KEYS.fullmatch(keys):
            return False
        actions = [("Action: PlayDTMF", f"Channel: {channel}", f"Digit: {key}", "Receive: true") for key in keys]
        return self._send(*(line for action in actions for line in (*action, "")))

    def close(self) -> None:
        """Signs off."""
        self._closed = True
        with self._lock:
            self._hang_up()

    # -- the line -----------------------------------------------------------------------------------------------------

    def _send(self, *lines: str) -> bool:
        """Sends an action, or several with an empty line after each."""
        data = "\r\n".join([*lines, ""] if lines[-1] == "" else [*lines, "", ""]).encode()
        with self._lock:
            try:
                self._connected().sendall(data)
            except OSError as error:
                self._hang_up()
                self._not_before = time.monotonic() + REST_S
                log.warning("what is said in the menu can't be pressed now", problem=str(error))
                return False
        return True

    def _connected(self) -> socket.socket:
        if self._line is not None:
            return self._line
        if self._closed or time.monotonic() < self._not_before:
            raise OSError("the manager line rests")
        line = socket.create_connection(self._address, PATIENCE_S)
        try:
            line.sendall(
                f"Action: Login\r\nUsername: {USER}\r\nSecret: {self._password}\r\nEvents: dtmf\r\n\r\n".encode()
            )
            packets = _Packets(line)
            answer = packets.next()
            while answer is not None and "Response" not in answer:
                answer = packets.next()
            if answer is None or answer["Response"] != "Success":
                raise OSError("the manager line refuses the ear")
            line.settimeout(None)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval(PATIENCE_S))
            threading.Thread(target=self._read, args=(line, packets), name="keypad", daemon=True).start()
        except BaseException:
            line.close()
            raise
        self._line = line
        return line

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            line.close()

    def _read(self, line: socket.socket, packets: _Packets) -> None:
        try:
            while (packet := packets.next()) is not None:
                # Not of its end, with which the script goes on: that would be told when the next question is asked.
                if packet.get("Event") == "DTMFBegin" and packet.get("Direction") == "Received":
                    self.pressed(packet.get("Channel", ""), packet.get("Digit", ""))
        except OSError:
            pass
        with self._lock:
            if self._line is line:
                self._hang_up()


class _Packets:
    """The manager's packets as they come."""

    def __init__(self, line: socket.socket) -> None:
        self._line, self._buffer = line, b""

    def next(self) -> Mapping[str, str] | None:
        """The next one, None at the end. Raises OSError."""
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > LONGEST_PACKET:
                raise OSError("this is no manager")
            data = self._line.recv(8192)
            if not data:
                return None
            self._buffer += data
        packet, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        lines = packet.decode("utf-8", "replace").split("\r\n")
        return {name: value for name, found, value in (line.partition(": ") for line in lines) if found}
