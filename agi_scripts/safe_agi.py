"""pyst2's AGI vocabulary on a connection that never lies and never hangs.

pyst2's own transport installs a signal handler, mixes text with bytes, prints every dialogue, quotes nothing, and
takes a closed connection for an empty line. `SafeAgi` keeps its commands and replaces everything below them.
"""

from __future__ import annotations

import math
import re
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

from asterisk.agi import AGI

from . import wire
from .errors import CommandRefused, CommandTimeout, Hangup, ProtocolError, SoundMissing
from .wire import Reply, quote

ALL_KEYS = "0123456789*#"
HEADER_LIMIT = 16 * 1024
HEADER_LINES = 200
HEADER_DEADLINE_S = 5.0
QUICK_S = 5.0
"""How long Asterisk may take to answer a command that waits for nobody."""
PLAY_S = 180.0
"""The longest that a file may play."""
MARGIN_S = 5.0
"""Added to every time limit that a command itself has."""
COARSE_S = 120.0
"""Longer limits are rounded up to a multiple of this: they are for a connection that has died, and one command after
the other then needs no setting of the kernel's."""

_TIMEVAL = struct.Struct("ll")
"""C's struct timeval, in which the kernel takes a socket's time limits."""
_ESCAPED = {ord(char): f"\\{char}" for char in '\\",()[]'}
_VARIABLE = re.compile(r"^(agi_[^:\n]*):([^\n]*)", re.MULTILINE)
_ENDED = re.compile(r"5(11|20) ")
Observer = Callable[[str, float], None]


class SafeAgi(AGI):  # type: ignore[misc]
    """One call's AGI connection, for use by one thread (any thread).

    Every command either returns, or raises one of `errors` within its time limit. `ended` turns true as soon as
    Asterisk has said that the caller is gone; from then on only `set_variables`, `get_variable` and `execute` with
    commands that Asterisk allows on a dead channel are useful.
    """

    def __init__(
        self, connection: socket.socket, observer: Observer | None = None, *, limit_s: float | None = None
    ) -> None:
        """`limit_s`: the connection comes from `door.open_door` with that deadline, and is ready for use."""
        # AGI.__init__ is left out on purpose: it calls signal.signal and reads standard input.
        self.connection = connection
        # The kernel keeps the time limits: Python's own would make every command two system calls and two waits for
        # the interpreter more.
        self._by_the_door = limit_s is not None
        if not self._by_the_door:
            if connection.gettimeout() is not None:
                connection.setblocking(True)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval(QUICK_S))
        self.ended = False
        self.env: dict[str, str] = {}
        self.call = ""
        """The call id: the channel's unique id, only with the characters that one may have; "" before the header."""
        self.commands = 0
        self._observer = observer
        self._buffer = b""
        self._limit = limit_s
        self._broken = False
        self._got_sighup = False

    # -- the header -----------------------------------------------------------------------------------------------

    def read_header(self, deadline_s: float = HEADER_DEADLINE_S) -> dict[str, str]:
        """Reads the variables that Asterisk sends first. Raises ProtocolError if it is too long, too slow or no AGI."""
        until, left = time.monotonic() + deadline_s, deadline_s
        while b"\n\n" not in self._buffer:
            if len(self._buffer) > HEADER_LIMIT:
                raise ProtocolError(f"a header of more than {HEADER_LIMIT} bytes")
            if left <= 0:
                raise ProtocolError(f"no whole header within {deadline_s:.0f} s")
            self._set_limit(left)
            try:
                self._receive()
            except CommandTimeout:
                raise ProtocolError(f"no whole header within {deadline_s:.0f} s") from None
            if b"\r" in self._buffer:
                self._buffer = self._buffer.replace(b"\r\n", b"\n")
            if self._by_the_door:
                # The door lets a read wait for a header's worth of bytes; replies are shorter.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
                self._by_the_door = False
            left = until - time.monotonic()
        header, _, self._buffer = self._buffer.partition(b"\n\n")
        if len(header) > HEADER_LIMIT:
            raise ProtocolError(f"a header of more than {HEADER_LIMIT} bytes")
        if header.count(b"\n") >= HEADER_LINES:
            raise ProtocolError(f"a header of more than {HEADER_LINES} lines")
        self.env = {key: value.strip() for key, value in _VARIABLE.findall(header.decode("utf-8", "replace"))}
        if not self.env:
            raise ProtocolError("this is not AGI")
        self.call = re.sub(r"[^A-Za-z0-9.-]", "", self.env.get("agi_uniqueid", ""))[:64]
        return self.env

    def _get_agi_env(self) -> None:
        self.read_header()

    @property
    def number(self) -> str:
        """The caller's number as the dialplan filtered it, filtered again; "" if it is withheld."""
        raw = self.env.get("agi_callerid", "")
        return "" if raw == "unknown" else re.sub(r"[^0-9+*#]", "", raw)[:32]

    def argument(self, position: int) -> str:
        """The script's argument at `position` (from 1), "" if there is none."""
        return self.env.get(f"agi_arg_{position}", "")

    # -- the transport --------------------------------------------------------------------------------------------

    def _quote(self, string: object) -> str:
        return quote(string)

    def _process_digit_list(self, digits: object) -> str:
        text = "".join(map(str, digits)) if isinstance(digits, list | tuple) else str(digits)
        return '"' + text + '"' if not text else quote(text)

    def test_hangup(self) -> None:
        """Raises Hangup if the connection can't be used any more."""
        if self._broken:
            raise Hangup("the connection has ended")

    def execute(self, command: str, *args: object) -> dict[str, Any]:
        """Sends a command and returns pyst2's form of the reply: {"result": (value, data), "endpos": (n, "")}.

        Raises what call_command raises, Hangup or SoundMissing for result -1.
        """
        reply = self.call_command(command, *args, within_s=PLAY_S)
        if reply.result == "-1" and not reply.data:
            self._explain_failure(f"{command} {' '.join(map(str, args[:1]))}".strip())
        result: dict[str, Any] = {"result": (reply.result, reply.data)}
        if reply.endpos >= 0:
            result["endpos"] = (str(reply.endpos), "")
        return result

    def call_command(self, command: str, *args: object, within_s: float = QUICK_S) -> Reply:
        """Sends a command and waits `within_s` for its reply. Raises Hangup, CommandTimeout, CommandRefused."""
        self.test_hangup()
        started = time.perf_counter()
        self._send(wire.command_line(command, args))
        self.commands += 1
        self._set_limit(within_s)
        reply = self._reply(command)
        if self._observer is not None:
            self._observer(command, time.perf_counter() - started)
        return reply

    def send_command(self, command: str, *args: object) -> None:
        """Sends a command without waiting for its reply (pyst2's vocabulary)."""
        self.test_hangup()
        self._send(wire.command_line(command, args))

    def get_result(self, stdin: object = None) -> dict[str, Any]:
        """Reads one reply (pyst2's vocabulary)."""
        reply = self._reply("")
        return {"result": (reply.result, reply.data)}

    def _send(self, line: bytes) -> None:
        try:
            self.connection.sendall(line)
        except BlockingIOError as error:
            self._broken = True
            raise CommandTimeout("Asterisk takes no more commands") from error
        except OSError as error:
            self._broken = self.ended = True
            raise Hangup(f"the connection has ended: {error}") from error

    def _reply(self, command: str) -> Reply:
        while True:
            line = self._line()
            if line.startswith("200 "):
                while wire.is_unfinished(line):
                    line += " " + self._line()
                return wire.parse_success(line[4:])
            if line == "HANGUP":
                self.ended = True
            elif line.startswith("511"):
                self.ended = True
                raise Hangup("the caller has hung up")
            elif line.startswith("510"):
                raise CommandRefused(f"{command.split(' ', 1)[0]}: {line[4:]}")
            elif line.startswith("520"):
                raise CommandRefused(self._usage(line))
            elif line and not line.startswith("100 "):
                self._broken = True
                raise ProtocolError(f"not a reply: {line[:80]!r}")

    def _usage(self, first: str) -> str:
        """Collects `520-…` up to `520 …`; bounded, since what is no AGI might never end it."""
        said = [first]
        if first.startswith("520-"):
            for _ in range(200):
                line = self._line()
                if line.startswith("520 "):
                    break
                said.append(line)
            else:
                self._broken = True
        return " ".join(said)[:500]

    def _line(self) -> str:
        while True:
            line, found, rest = self._buffer.partition(b"\n")
            if found:
                self._buffer = rest
                return line.decode("utf-8", "replace").rstrip("\r")
            if len(line) > wire.LONGEST_LINE:
                self._broken = True
                raise ProtocolError(f"a line of more than {wire.LONGEST_LINE} bytes")
            self._receive()

    def _receive(self) -> None:
        try:
            received = self.connection.recv(8192)
        except BlockingIOError:
            # What comes later would be taken for the reply to another command, so nothing can follow.
            self._broken = True
            raise CommandTimeout("no answer from Asterisk in time") from None
        except OSError as error:
            self._broken = self.ended = True
            raise Hangup(f"the connection has ended: {error}") from error
        if not received:
            self._broken = self.ended = True
            raise Hangup("Asterisk has closed the connection")
        self._buffer += received

    def _set_limit(self, seconds: float) -> None:
        if seconds > COARSE_S:
            seconds = math.ceil(seconds / COARSE_S) * COARSE_S
        if seconds != self._limit:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(seconds))
            self._limit = seconds

    # -- commands for the scripts ---------------------------------------------------------------------------------

    def play(self, file: str, keys: str = ALL_KEYS, offset: int = 0) -> tuple[str, int]:
        """Plays `file` (absolute, without suffix) until its end or one of `keys`.

        Returns (key or "", sample reached). Raises SoundMissing, Hangup.
        """
        reply = self.call_command("STREAM FILE", quote(file), f'"{keys}"', offset, within_s=PLAY_S)
        if reply.result == "-1":
            self._explain_failure(file)
        return (_key(reply.result), max(reply.endpos, 0))

    def ask(self, file: str, most: int, timeout_ms: int) -> tuple[str, bool]:
        """Plays `file` until the first key and takes up to `most` digits in one command, so that no key is lost.

        Returns (digits, ended by #): ("", True) for a lone #, ("", False) for silence. Raises SoundMissing, Hangup.
        """
        limit = PLAY_S + (timeout_ms / 1000 + 0.1) * (most + 1)
        reply = self.call_command("GET DATA", quote(file), timeout_ms, most, within_s=limit)
        if reply.result == "-1":
            self._explain_failure(file)
        ended = reply.data != "timeout" and len(reply.result) < most
        return reply.result, ended

    def wait_key(self, timeout_ms: int) -> str:
        """The next key within `timeout_ms`, or "". Raises Hangup."""
        reply = self.call_command("WAIT FOR DIGIT", timeout_ms, within_s=timeout_ms / 1000 + MARGIN_S)
        if reply.result == "-1":
            self.ended = True
            raise Hangup("the caller has hung up")
        return _key(reply.result)

    def record(self, file: str, longest_s: int, silence_s: int, *, append: bool = False) -> str:
        """Records the caller into `file`.wav, or behind what is there, until #, silence or the limit, without a beep.

        Returns why it ended: dtmf, silence, timeout, hangup or error. Does not raise Hangup for a caller who hangs up
        while speaking: what was said is in the file. It is the dialplan's application, because AGI's own RECORD FILE
        looks at its time limit only when a frame of sound comes, and some lines send none.
        """
        options = "akq" if append else "kq"
        limit = longest_s + MARGIN_S
        if self.run("Record", f"{file}.wav", silence_s, longest_s, options, within_s=limit) == "-1":
            self.ended = True
            return "hangup"
        return self.get_variable("RECORD_STATUS").casefold()

    def get_variable(self, name: str) -> str:
        """The variable's value, "" if it is unset. Whatever its value is, even `hangup`, it is only a value."""
        return self.call_command("GET VARIABLE", quote(name)).data

    def evaluate(self, expression: str) -> str:
        """What a dialplan expression such as `${HOTLINE_LANG}|${HOTLINE_CASE}` amounts to: many variables at once."""
        return self.call_command("GET FULL VARIABLE", quote(expression)).data

    def set_variables(self, **values: object) -> None:
        """Sets channel variables, in the order given, in one command: all of them or, if the connection dies, none."""
        pairs = ",".join(f"{name}={_argument(value)}" for name, value in values.items())
        self.call_command("EXEC", "MSet", quote(pairs))

    def run(self, application: str, *arguments: object, within_s: float = QUICK_S) -> str:
        """Runs a dialplan application; returns its result. Raises CommandRefused if there is none of that name."""
        joined = ",".join(_argument(argument) for argument in arguments)
        reply = self.call_command("EXEC", quote(application), quote(joined) if joined else "", within_s=within_s)
        if reply.result == "-2":
            raise CommandRefused(f"there is no application {application}")
        return reply.result

    def user_event(self, name: str, **headers: object) -> None:
        """Raises a UserEvent that the bridge hears."""
        self.run("UserEvent", name, *(f"{key}: {value}" for key, value in headers.items()))

    def hang_up(self) -> None:
        """Ends the call from our side."""
        self.call_command("HANGUP")

    def _explain_failure(self, file: str) -> None:
        """Tells a caller who has gone from a file that can't be played: both answer -1."""
        raise SoundMissing(f"{file} can't be played", self.wait_key(1))

    # -- pyst2 commands whose arguments it leaves unquoted --------------------------------------------------------

    def stream_file(self, filename: str, escape_digits: str = "", sample_offset: int = 0) -> str:
        """pyst2's vocabulary for `play`."""
        return self.play(filename, self._process_digit_list(escape_digits).strip('"'), sample_offset)[0]

    def get_data(self, filename: str, timeout: int = 2000, max_digits: int = 255) -> str:
        """pyst2's vocabulary for `ask`."""
        return self.ask(filename, max_digits, timeout)[0]

    def wait_for_digit(self, timeout: int = 2000) -> str:
        """pyst2's vocabulary for `wait_key`."""
        return self.wait_key(timeout)

    def set_variable(self, name: str, value: object) -> None:
        """Sets one channel variable."""
        self.call_command("SET VARIABLE", quote(name), quote(value))

    def database_get(self, family: str, key: str) -> str:
        """A value of Asterisk's own database; raises KeyError if there is none."""
        reply = self.call_command("DATABASE GET", quote(family), quote(key))
        if reply.result != "1":
            raise KeyError(f"{family}/{key}")
        return reply.data


def timeval(seconds: float) -> bytes:
    """`seconds` as the kernel takes a socket's time limit. Never zero, which would be none."""
    return _TIMEVAL.pack(int(seconds), max(1, int(seconds % 1 * 1_000_000)))


def _key(result: str) -> str:
    """A key from its character code; "" for 0 and for what is no telephone key."""
    code = int(result) if result.isdigit() else 0
    return chr(code) if chr(code) in ALL_KEYS + "ABCD" else ""


def _argument(value: object) -> str:
    """One argument of an application: commas and quotes keep to themselves, and so do brackets, which group."""
    return str(value).translate(_ESCAPED)
