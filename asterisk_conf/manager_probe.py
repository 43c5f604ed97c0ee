"""Has Asterisk started? Asked over its manager line, as the backend will use it."""

from __future__ import annotations

import socket
import time
from pathlib import Path


class NotReady(RuntimeError):
    """Asterisk does not answer (in time); the text says what is known about the reason."""


def wait_ready(host: str, port: int, user: str, password: str, timeout: float, log: Path | None = None) -> float:
    """Seconds until the manager at host:port reported FullyBooted. Raises NotReady after `timeout` seconds, or at
    once when the password is refused."""
    begin = time.monotonic()
    deadline = begin + timeout
    reason = "nobody listens"
    while (left := deadline - time.monotonic()) > 0:
        try:
            if _booted(host, port, user, password, left):
                return time.monotonic() - begin
            reason = "the manager line answers, but modules are still loading"
        except OSError as error:
            reason = error.strerror or str(error)
        time.sleep(min(0.05, max(left, 0)))
    raise NotReady(f"Asterisk was not ready after {timeout:.0f} s on {host}:{port}: {reason}{_last_errors(log)}")


def _booted(host: str, port: int, user: str, password: str, timeout: float) -> bool:
    with socket.create_connection((host, port), timeout=min(timeout, 5)) as line:
        line.settimeout(min(timeout, 5))
        line.sendall(f"Action: Login\r\nUsername: {user}\r\nSecret: {password}\r\n\r\n".encode())
        heard = b""
        while b"FullyBooted" not in heard:
            if b"Authentication failed" in heard:
                raise NotReady(f"Asterisk on {host}:{port} refuses this instance's password: it is another one's")
            part = line.recv(4096)
            if not part:
                return False
            heard += part
    return True


def _last_errors(log: Path | None) -> str:
    if log is None or not log.exists():
        return ""
    lines = log.read_text(errors="replace").splitlines()[-200:]
    errors = [line for line in lines if "ERROR" in line][-3:]
    return "".join(f"\n  {line}" for line in errors)
