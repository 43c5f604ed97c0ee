"""AGI on the wire: quoting of commands, parsing of replies. Pure functions over bytes."""

from __future__ import annotations

import re
from typing import NamedTuple

from .errors import ProtocolError

LONGEST_COMMAND = 2047
"""Asterisk reads a command into 2048 bytes and would take the rest of a longer one for the next command."""
LONGEST_LINE = 64 * 1024

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
_PLAIN = re.compile(r"[A-Za-z0-9_./:@=+-]+\Z")


class Reply(NamedTuple):
    """A reply with code 200: `result` (text up to the first space), `data` (in brackets), `endpos` (samples)."""

    result: str
    data: str
    endpos: int


def _one_line(value: object) -> str:
    text = str(value)
    return text if text.isprintable() else _FORBIDDEN.sub(" ", text)


def quote(value: object) -> str:
    """`value` as one argument of a command, whatever is in it.

    A control character can't be sent in a line protocol and becomes a space: a caller's text never starts a command.
    """
    text = _one_line(value)
    if _PLAIN.match(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def command_line(command: str, arguments: tuple[object, ...]) -> bytes:
    """The line for `command`. Raises ProtocolError if it would not fit Asterisk's buffer."""
    parts = [command.strip()]
    parts.extend(_one_line(argument) for argument in arguments)
    line = " ".join(parts).strip().encode("utf-8", "replace")
    if b"\n" in line or b"\r" in line:
        raise ProtocolError("a command must be one line")
    if len(line) > LONGEST_COMMAND - 1:
        raise ProtocolError(f"a command of {len(line)} bytes is longer than Asterisk reads ({LONGEST_COMMAND - 1})")
    return line + b"\n"


def parse_success(line: str) -> Reply:
    """Parses what follows `200 ` in a reply: `result=1 (timeout) endpos=8000`.

    Text in brackets belongs to the caller or to a variable and may hold brackets, quotes and `result=-1` itself; it
    ends at the last bracket of the line.
    """
    if not line.startswith("result="):
        raise ProtocolError(f"a reply without a result: {line[:80]!r}")
    result, _, rest = line[7:].partition(" ")
    data, endpos = "", -1
    if rest:
        opening = rest.find("(")
        closing = rest.rfind(")")
        if 0 <= opening < closing:
            data = rest[opening + 1 : closing]
            rest = rest[:opening] + rest[closing + 1 :]
        _, found, position = rest.partition("endpos=")
        if found:
            digits = position.split(" ", 1)[0]
            endpos = int(digits) if digits.isdigit() else -1
    return Reply(result, data, endpos)


def is_unfinished(line: str) -> bool:
    """True if a variable's value holds a line break, so that the reply goes on in the next line."""
    return line.startswith("200 result=1 (") and not line.endswith(")")
