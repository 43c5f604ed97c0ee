"""FastAGI from Python for tests: a small server, and a backend that can be dead, silent, full or die in the middle."""

from __future__ import annotations

import re
import socket
import threading
import urllib.parse
from collections.abc import Callable

_ANSWER = re.compile(r"^(\d{3})(?: result=(-?\d*)(?: \((.*)\))?)?")


class HungUp(Exception):
    """The channel is gone."""


class AgiChannel:
    """One channel under a script's control. `environment` is what Asterisk told at the start."""

    def __init__(self, line: socket.socket) -> None:
        self.line = line
        self._file = line.makefile("rb")
        self.environment: dict[str, str] = {}
        while text := self._read():
            key, _colon, value = text.partition(": ")
            self.environment[key.removeprefix("agi_")] = value
        script = urllib.parse.urlsplit(self.environment.get("request", ""))
        self.path = script.path.strip("/")

    def _read(self) -> str:
        raw = self._file.readline()
        if not raw:
            raise HungUp
        return raw.decode("utf-8", errors="replace").rstrip("\r\n")

    def command(self, text: str) -> tuple[int, str]:
        """Runs one command; returns (result, text in parentheses). Raises HungUp when the channel is gone."""
        try:
            self.line.sendall(text.encode() + b"\n")
            answer = self._read()
            while answer.startswith("HANGUP") or not answer:
                answer = self._read()
        except OSError as error:
            raise HungUp from error
        found = _ANSWER.match(answer)
        if not found or found[1] != "200":
            if found and found[1] == "511":
                raise HungUp
            raise RuntimeError(f"{text!r}: {answer}")
        if found[2] == "-1":
            raise HungUp
        return int(found[2] or 0), found[3] or ""

    def exec(self, application: str, arguments: str = "") -> int:
        """Runs a dialplan application."""
        return self.command(f"EXEC {application} {_quoted(arguments)}")[0]

    def set(self, name: str, value: str) -> None:
        """Sets a channel variable."""
        self.command(f"SET VARIABLE {name} {_quoted(value)}")

    def get(self, name: str) -> str:
        """A channel variable or function, "" if it is not there."""
        return self.command(f"GET FULL VARIABLE {_quoted('${' + name + '}')}")[1]


Script = Callable[[AgiChannel], None]


class AgiServer:
    """Runs one script per connection, chosen by `choose(path)`, each in a thread."""

    def __init__(self, choose: Callable[[str], Script | None], host: str = "127.0.0.1", port: int = 0) -> None:
        self._choose = choose
        self._door = socket.create_server((host, port), backlog=256)
        self.port: int = self._door.getsockname()[1]
        self._lines: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, name="agi-door", daemon=True).start()

    def close(self) -> None:
        """Stops listening and cuts every script."""
        for line in (self._door, *self._open()):
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            line.close()

    def _open(self) -> list[socket.socket]:
        with self._lock:
            return list(self._lines)

    def _accept(self) -> None:
        while True:
            try:
                line, _peer = self._door.accept()
            except OSError:
                return
            with self._lock:
                self._lines.add(line)
            threading.Thread(target=self._serve, args=(line,), name="agi-script", daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        try:
            channel = AgiChannel(line)
            if script := self._choose(channel.path):
                script(channel)
        except (HungUp, OSError):
            pass
        finally:
            with self._lock:
                self._lines.discard(line)
            line.close()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


class StubBackend:
    """The voice process as the dialplan sees it. `scripts` maps names (voice_menu, voicemail, …) to functions; a name
    that is missing gets a script that does nothing, as one that died before its first command.

    `visits` lists the names that were asked for, in order.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.scripts: dict[str, Script] = {}
        self.visits: list[str] = []
        self._server: AgiServer | None = None
        self._freeze = threading.Event()

    def start(self) -> None:
        """Listens."""
        if self._server is None:
            self._server = AgiServer(self._chosen, self.host, self.port)

    def stop(self) -> None:
        """Dies: every script is cut, nobody listens any more."""
        self._freeze.set()
        if self._server is not None:
            self._server.close()
            self._server = None

    def _chosen(self, path: str) -> Script | None:
        self.visits.append(path)
        return self.scripts.get(path)

    def silent(self, _channel: AgiChannel) -> None:
        """A script that never says a word, until the backend is stopped (as a frozen process would be killed)."""
        self._freeze.wait()


def ends_with(**variables: str) -> Script:
    """A script that sets these variables and then HOTLINE_DONE, as every proper script does."""

    def script(channel: AgiChannel) -> None:
        for name, value in variables.items():
            channel.set(f"HOTLINE_{name}", value)
        channel.set("HOTLINE_DONE", "1")

    return script


def dies_after(seconds_of: str) -> Script:
    """A script that plays a file and dies before it says that it is done."""

    def script(channel: AgiChannel) -> None:
        channel.command(f'STREAM FILE {seconds_of} ""')

    return script
