"""AMI's text format, without I/O: what we write, and how the byte stream is cut into messages.

Promises: nothing a value holds can become a header of its own; bytes that arrive in any slices give the same messages.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from panoramisk.message import Message

from cti_bridge.ami.errors import AmiError, UnsafeValue

Value = str | int | Sequence[str]

END = b"\r\n\r\n"
# Asterisk reads a line into 1,024 bytes and silently cuts what is longer.
LONGEST_LINE = 1000
# A single message of a sane Asterisk is a few kilobytes; more without an end means that this is no AMI.
LONGEST_MESSAGE = 4 * 1024 * 1024
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_BREAKS = re.compile(r"[\r\n\0]")
# Messages without a body and without encoded headers; others are left to the library.
_PLAIN = ("Event: ", "Response: Success", "Response: Error")


class NotAmi(AmiError):
    """The other end does not speak AMI."""


def checked_items(fields: Mapping[str, Value]) -> list[tuple[str, str]]:
    """The header lines of an action in order, lists spread out.

    Raises UnsafeValue when a key is no header name, or a value holds CR, LF or NUL or makes the line too long.
    """
    out: list[tuple[str, str]] = []
    for key, value in fields.items():
        if not _KEY.fullmatch(key):
            raise UnsafeValue(f"not a header name: {key!r}")
        values: Iterable[str] = [str(value)] if isinstance(value, (str, int)) else [str(v) for v in value]
        for one in values:
            if _BREAKS.search(one):
                raise UnsafeValue(f"{key}: a value must not hold line breaks or NUL")
            if len(key) + 2 + len(one.encode()) > LONGEST_LINE:
                raise UnsafeValue(f"{key}: longer than {LONGEST_LINE} bytes; Asterisk would cut it")
            out.append((key, one))
    return out


def encode(items: Iterable[tuple[str, str]]) -> bytes:
    """One action as it goes over the wire."""
    return "".join(f"{key}: {value}\r\n" for key, value in items).encode() + b"\r\n"


def message_of(text: str) -> Message | None:
    """One message; None for lines that are neither an event nor an answer.

    The same as `Message.from_line`, at half its cost (15 µs, not 31): a call is some sixteen events of thirty lines.
    """
    if not text.startswith(_PLAIN) or "\r\nResult: " in text:
        message: Message | None = Message.from_line(text)
        return message
    store: dict[str, tuple[str, str | list[str]]] = {}
    for line in text.split("\r\n"):
        key, found, value = line.partition(": ")
        if not found:
            continue
        lower = key.lower()
        if lower in store:
            before = store[lower][1]
            store[lower] = (key, [*before, value] if isinstance(before, list) else [before, value])
        else:
            store[lower] = (key, value)
    store["content"] = ("content", "")
    plain: Message = Message.__new__(Message)
    # Its attributes are looked up among the headers, so these two are put past that.
    plain.__dict__.update(_store=store, manager=None)
    return plain


class Reader:
    """Cuts the stream into messages; UTF-8 is decoded only when a message is whole, so no character is ever split.

    Events whose name is not in `wanted` are dropped before they cost anything, unless they answer an action of ours.
    """

    def __init__(self, wanted: Collection[str] | None = None) -> None:
        self._rest = bytearray()
        self._seen = 0  # where to go on looking for the end of a message
        self._wanted = None if wanted is None else frozenset(name.encode() for name in wanted)
        self.banner: str | None = None

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes. Raises NotAmi on a stream that cannot be AMI."""
        self._rest += data
        if self.banner is None and not self._take_banner():
            return []
        out: list[Message] = []
        while True:
            end = self._rest.find(END, max(0, self._seen - len(END) + 1))
            if end < 0:
                self._seen = len(self._rest)
                if self._seen > LONGEST_MESSAGE:
                    raise NotAmi("a message without an end")
                return out
            raw = bytes(self._rest[:end])
            del self._rest[: end + len(END)]
            self._seen = 0
            message = self._parse(raw)
            if message is not None:
                out.append(message)

    def _take_banner(self) -> bool:
        line, found, rest = bytes(self._rest).partition(b"\r\n")
        if not found:
            if len(self._rest) > 200:
                raise NotAmi("no greeting of an Asterisk Call Manager")
            return False
        if not line.startswith(b"Asterisk Call Manager/"):
            raise NotAmi("no greeting of an Asterisk Call Manager")
        self.banner = line.decode(errors="replace").partition("/")[2].strip()
        self._rest = bytearray(rest)
        return True

    def _parse(self, raw: bytes) -> Message | None:
        raw = raw.strip(b"\r\n")
        if self._wanted is not None and raw.startswith(b"Event: "):
            name = raw[7 : raw.find(b"\r\n")] if b"\r\n" in raw else raw[7:]
            if name not in self._wanted and b"\r\nActionID: " not in raw:
                return None
        return message_of(raw.decode("utf-8", "replace"))
