"""A small manager-line client for an examination: one connection, one action at a time, events kept in order."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Callable, Mapping
from types import TracebackType

from app.secrets import secret
from app.settings import Settings

TIMEOUT_S = 5.0
Message = Mapping[str, str]


class ManagerError(RuntimeError):
    """The manager line can't be used; the text says why."""


class Manager:
    """A signed-in manager connection; use as a context manager. Every wait has an end; errors are ManagerError."""

    def __init__(self, settings: Settings) -> None:
        self._ids = itertools.count(1)
        self._rest = b""
        self._kept: list[Message] = []
        try:
            self._line = socket.create_connection((settings.ami_host, settings.ami_port), timeout=TIMEOUT_S)
        except OSError as error:
            raise ManagerError(f"Asterisk's manager line can't be reached: {error.strerror or error}") from error
        self._read_banner()
        answer = self.request("Login", Username="hotline", Secret=secret(settings, "ami"), Events="on")
        if answer.get("Response") != "Success":
            raise ManagerError("Asterisk refuses this instance's password: it was started with another one")

    def __enter__(self) -> Manager:
        return self

    def __exit__(self, *_: tuple[type[BaseException], BaseException, TracebackType] | None) -> None:
        self._line.close()

    def request(self, action: str, **fields: str) -> Message:
        """Sends one action and returns its answer; events that come meanwhile are kept for `wait_for`."""
        number = f"doctor-{next(self._ids)}"
        lines = [f"Action: {action}", f"ActionID: {number}", *(f"{key}: {value}" for key, value in fields.items())]
        if any("\r" in line or "\n" in line for line in lines):
            raise ManagerError(f"a value of {action} holds a line end")
        try:
            self._line.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        except OSError as error:
            raise ManagerError(f"Asterisk closed its manager line: {error}") from error
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            message = self._next(deadline, f"an answer to {action}")
            if message.get("ActionID") == number and "Response" in message:
                return message
            self._kept.append(message)

    def wait_for(self, wanted: Callable[[Message], bool], timeout: float) -> Message | None:
        """The first event (kept or new) that is `wanted`, or None after `timeout` seconds. Earlier ones are dropped."""
        deadline = time.monotonic() + timeout
        while True:
            if self._kept:
                message = self._kept.pop(0)
            else:
                try:
                    message = self._next(deadline, "an event")
                except TimeoutError:
                    return None
            if wanted(message):
                return message

    def _read_banner(self) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while b"\r\n" not in self._rest:
            self._receive(deadline, "a greeting")
        banner, _, self._rest = self._rest.partition(b"\r\n")
        if not banner.startswith(b"Asterisk Call Manager/"):
            raise ManagerError("what answers on the manager port is not Asterisk")

    def _next(self, deadline: float, what: str) -> Message:
        while b"\r\n\r\n" not in self._rest:
            self._receive(deadline, what)
        block, _, self._rest = self._rest.partition(b"\r\n\r\n")
        pairs = (line.partition(":") for line in block.decode(errors="replace").split("\r\n"))
        return {key.strip(): value.strip() for key, _, value in pairs}

    def _receive(self, deadline: float, what: str) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"Asterisk did not send {what} in time")
        self._line.settimeout(left)
        try:
            part = self._line.recv(65536)
        except TimeoutError:
            raise TimeoutError(f"Asterisk did not send {what} in time") from None
        except OSError as error:
            raise ManagerError(f"Asterisk's manager line broke: {error}") from error
        if not part:
            raise ManagerError("Asterisk closed its manager line")
        self._rest += part
