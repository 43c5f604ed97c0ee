"""The Asterisk side of an AGI connection, played by a script: what the caller does, question by question.

tests/calls/test_voice_contract.py holds it against the real one.
"""

from __future__ import annotations

import math
import re
import socket
import struct
import threading
import wave
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agi_scripts.guarded import Guarded
from agi_scripts.safe_agi import SafeAgi

HANG_UP = "hang up"
CALL = "hotline1-1795481388.7"
NUMBER = "13800000000"
DEAD_COMMANDS = ("EXEC", "GET VARIABLE", "GET FULL VARIABLE", "SET VARIABLE", "NOOP", "DATABASE", "VERBOSE")
COMMANDS = (
    "ANSWER", "CHANNEL STATUS", "DATABASE GET", "DATABASE PUT", "EXEC", "GET DATA", "GET FULL VARIABLE", "GET VARIABLE",
    "HANGUP", "NOOP", "SET CONTEXT", "SET EXTENSION", "SET PRIORITY", "SET VARIABLE", "STREAM FILE",
    "VERBOSE", "WAIT FOR DIGIT",
)  # fmt: skip


@dataclass(frozen=True)
class Speaks:
    """The caller's move at a recording: seconds of a tone (or of silence), then `ended`: dtmf, silence, timeout (the
    limit; with fewer seconds than that the line sent nothing for the rest) or hangup.
    """

    seconds: float
    ended: str = "dtmf"
    hz: float = 400.0


@dataclass(frozen=True)
class Broken:
    """The caller's move at which the connection to Asterisk breaks."""


Move = str | Speaks | Broken


@dataclass
class FakeAsterisk:
    """One call. `moves` are used up, one by each command that waits for the caller; afterwards the caller is silent.

    A move is a string of keys ("" is silence), HANG_UP, Speaks or Broken. `hang_up_at` hangs up in the n-th command.
    `exits_on_hangup`: the connection is closed when the caller hangs up, as our dialplan wants it (AGIEXITONHANGUP).
    """

    moves: Iterable[Move] = ()
    hang_up_at: int | None = None
    variables: dict[str, str] = field(default_factory=dict)
    missing_sounds: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    exits_on_hangup: bool = True

    def __post_init__(self) -> None:
        self.commands: list[list[str]] = []
        self.played: list[str] = []
        self.events: list[dict[str, str]] = []
        self.on_dead: list[str] = []
        self.dead = False
        self.set_together: list[list[str]] = []
        self._moves = list(self.moves)
        self._ahead = ""
        self._notice_sent = False

    # -- running a script against it --------------------------------------------------------------------------

    def run(self, script: Callable[[SafeAgi, Guarded], None], services: Guarded) -> BaseException | None:
        """Runs `script` to its end on this thread; returns what it raised."""
        here, there = socket.socketpair()
        thread = threading.Thread(target=self._serve, args=(there,), daemon=True)
        thread.start()
        raised: BaseException | None = None
        try:
            agi = SafeAgi(here)
            agi.read_header()
            script(agi, services)
        except Exception as error:
            raised = error
        finally:
            here.close()
            thread.join(5)
        return raised

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            connection.sendall(header(self.env))
            for raw in lines:
                arguments = split_arguments(raw.decode().rstrip("\n"))
                try:
                    answer = self._answer(arguments)
                    connection.sendall(answer.encode())
                except (ConnectionAbortedError, OSError):
                    return
                if self.dead and self.exits_on_hangup:
                    return

    # -- Asterisk's answers -----------------------------------------------------------------------------------

    def _answer(self, arguments: list[str]) -> str:
        command = next((c for c in COMMANDS if [a.upper() for a in arguments[: c.count(" ") + 1]] == c.split()), "")
        given = arguments[command.count(" ") + 1 :]
        self.commands.append([command or arguments[0], *given])
        if not command:
            return "510 Invalid or unknown command\n"
        if self.dead:
            notice = "" if self._notice_sent else "HANGUP\n"
            self._notice_sent = True
            if not command.startswith(DEAD_COMMANDS):
                return notice + "511 Command Not Permitted on a dead channel or intercept routine\n"
            self.on_dead.append(command)
            return notice + self._plain(command, given)
        if self.hang_up_at is not None and len(self.commands) >= self.hang_up_at:
            self.dead = True
            if not (command.startswith(("GET DATA", "STREAM", "WAIT")) or given[:1] == ["Record"]):
                self._notice_sent = True
                return "HANGUP\n" + ("" if self.exits_on_hangup else self._plain(command, given))
            return self._hung_up(command, given)
        return self._plain(command, given)

    def _plain(self, command: str, given: list[str]) -> str:
        match command:
            case "STREAM FILE":
                return self._stream(given)
            case "GET DATA":
                return self._get_data(given)
            case "WAIT FOR DIGIT":
                key = self._next_key()
                return "200 result=-1\n" if key is None else f"200 result={ord(key) if key else 0}\n"
            case "GET VARIABLE":
                value = self.variables.get(given[0])
                return "200 result=0\n" if value is None else f"200 result=1 ({value})\n"
            case "GET FULL VARIABLE":
                value = re.sub(r"\$\{(\w+)\}", lambda found: self.variables.get(found[1], ""), given[0])
                return f"200 result=1 ({value})\n" if value else "200 result=0\n"
            case "SET VARIABLE":
                self.variables[given[0]] = given[1]
                return "200 result=1\n"
            case "EXEC":
                return self._exec(given)
            case "CHANNEL STATUS":
                return "200 result=6\n"
            case "NOOP" | "ANSWER" | "VERBOSE" | "SET CONTEXT" | "SET EXTENSION" | "SET PRIORITY" | "DATABASE PUT":
                return "200 result=0\n"
            case "DATABASE GET":
                return "200 result=0\n"
            case "HANGUP":
                self.dead = True
                return "200 result=1\n"
        raise AssertionError(command)

    def _exec(self, given: list[str]) -> str:
        options = split_options(given[1]) if len(given) > 1 else []
        if given[0] == "MSet":
            pairs = [option.partition("=")[::2] for option in options]
            self.set_together.append([name for name, _ in pairs])
            self.variables.update(pairs)
        elif given[0] == "UserEvent":
            headers = dict(option.partition(": ")[::2] for option in options[1:])
            self.events.append({"UserEvent": options[0], **headers})
        elif given[0] == "Record":
            return self._record(options)
        else:
            return "200 result=-2\n"
        return "200 result=0\n"

    def _stream(self, given: list[str]) -> str:
        file, keys = given[0], given[1]
        if file.endswith(self.missing_sounds) and self.missing_sounds:
            return "200 result=-1 endpos=0\n"
        self.played.append(file)
        if self._ahead and self._ahead[0] in keys:
            key, self._ahead = self._ahead[0], self._ahead[1:]
            return f"200 result={ord(key)} endpos=400\n"
        return "200 result=0 endpos=8000\n"

    def _get_data(self, given: list[str]) -> str:
        file, most = given[0], int(given[2])
        if file.endswith(self.missing_sounds) and self.missing_sounds:
            return "200 result=-1\n"
        self.played.append(file)
        digits = ""
        while len(digits) < most:
            key = self._next_key(more=bool(digits))
            if key is None:
                return self._hung_up("GET DATA", given)
            if key == "":
                return f"200 result={digits} (timeout)\n"
            if key == "#":
                break
            digits += key
        return f"200 result={digits}\n"

    def _record(self, options: list[str]) -> str:
        sound, limit = Path(options[0]), float(options[2])
        move = self._moves.pop(0) if self._moves else Speaks(0, "silence")
        if isinstance(move, Broken):
            write_tone(sound, 2.0)
            raise ConnectionAbortedError
        if move == HANG_UP:
            move = Speaks(0, "hangup")
        assert isinstance(move, Speaks), f"the caller was asked to record, not to press {move!r}"
        assert move.seconds <= limit, "Asterisk records no longer than it was told"
        before = (sound.stat().st_size - 44) / 16000 if "a" in options[3] else 0.0
        write_tone(sound, before + move.seconds, move.hz)
        if move.ended == "hangup":
            return self._hung_up("EXEC", ["Record", ",".join(options)])
        self.variables["RECORD_STATUS"] = move.ended.upper()
        return "200 result=0\n"

    def _hung_up(self, command: str, given: list[str]) -> str:
        self.dead = self._notice_sent = True
        if command == "EXEC" and not (sound := Path(split_options(given[1])[0])).exists():
            write_tone(sound, 0)
        tail = " endpos=160" if command == "STREAM FILE" else ""
        return f"200 result=-1{tail}\nHANGUP\n"

    def _next_key(self, more: bool = False) -> str | None:
        """The caller's next key, "" for silence, None for a hang-up. Keys of one move follow without a pause."""
        if not self._ahead and not more and self._moves:
            move = self._moves.pop(0)
            if isinstance(move, Broken):
                raise ConnectionAbortedError
            if move == HANG_UP:
                self.dead = self._notice_sent = True
                return None
            assert isinstance(move, str), f"the caller was asked for a key, not to record: {move!r}"
            self._ahead = move
        key, self._ahead = self._ahead[:1], self._ahead[1:]
        return key


def header(env: Mapping[str, str] | None = None) -> bytes:
    """The lines that Asterisk sends first."""
    values: dict[str, Any] = {
        "agi_network": "yes",
        "agi_network_script": "voice_menu",
        "agi_request": "agi://127.0.0.1:4573/voice_menu",
        "agi_channel": "PJSIP/trunk-00000001",
        "agi_language": "en",
        "agi_type": "PJSIP",
        "agi_uniqueid": CALL,
        "agi_version": "22.1.0",
        "agi_callerid": NUMBER,
        "agi_calleridname": "unknown",
        "agi_callingpres": "0",
        "agi_callingani2": "0",
        "agi_callington": "0",
        "agi_callingtns": "0",
        "agi_dnid": "12345",
        "agi_rdnis": "unknown",
        "agi_context": "hotline-main",
        "agi_extension": "s",
        "agi_priority": "7",
        "agi_enhanced": "0.0",
        "agi_accountcode": "",
        "agi_threadid": "139842051802816",
        **(env or {}),
    }
    return "".join(f"{key}: {value}\n" for key, value in values.items()).encode() + b"\n"


def split_arguments(line: str) -> list[str]:
    """Asterisk's own way of splitting a command (res_agi.c, parse_args): quotes group, a backslash escapes."""
    result: list[str] = []
    current, quoted, escaped, started = "", False, False, False
    for character in line:
        if character == "\\" and not escaped:
            escaped = True
            continue
        if character == '"' and not escaped:
            quoted, started = not quoted, True
        elif character in " \t" and not quoted and not escaped:
            if started:
                result.append(current)
            current, started = "", False
        else:
            current += character
            started = True
        escaped = False
    if started:
        result.append(current)
    return result


def split_options(text: str) -> list[str]:
    """Asterisk's way with application arguments: commas separate, backslashes escape, quotes and brackets group."""
    result, current, quoted, escaped, depth = [], "", False, False, 0
    for character in text:
        if escaped:
            current += character
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character in "([":
            depth, current = depth + 1, current + character
        elif character in ")]":
            depth, current = max(depth - 1, 0), current + character
        elif character == "," and not quoted and not depth:
            result.append(current)
            current = ""
        else:
            current += character
    return [*result, current]


def write_tone(path: Path, seconds: float, hz: float = 400.0) -> None:
    """An 8 kHz 16-bit mono wav; `hz` 0 is silence."""
    count = round(seconds * 8000)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        samples = (round(9000 * math.sin(2 * math.pi * hz * n / 8000)) for n in range(count))
        sound.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
