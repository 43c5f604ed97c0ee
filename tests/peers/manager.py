"""A manager line (AMI) for tests: blocking actions, and events to wait for. Not for production."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable

Event = dict[str, str]
_SNAPSHOT = frozenset(
    "Event Privilege Timestamp SystemName ChannelState ChannelStateDesc CallerIDNum CallerIDName ConnectedLineNum "
    "ConnectedLineName Language AccountCode Context Exten Priority Uniqueid Linkedid".split()
)


class ManagerError(RuntimeError):
    """The action was refused; the text is Asterisk's."""


class Manager:
    """Connects and signs in when made. Every event is kept in `events` in the order of arrival."""

    def __init__(self, host: str, port: int, user: str, password: str, timeout: float = 10.0) -> None:
        self._line = socket.create_connection((host, port), timeout=timeout)
        self._line.settimeout(None)
        self._ids = itertools.count(1)
        self._news = threading.Condition()
        self.events: list[Event] = []
        self._answers: dict[str, list[Event]] = {}
        self._closed = False
        self._reader = threading.Thread(target=self._read, name="manager", daemon=True)
        self._reader.start()
        self.action("Login", Username=user, Secret=password)

    def close(self) -> None:
        """Hangs up the line."""
        self._closed = True
        try:
            self._line.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._line.close()
        self._reader.join(5)

    def send(self, name: str, **headers: str | list[str]) -> str:
        """Sends an action and returns its id without waiting. A list becomes several headers of one name."""
        ident = f"t{next(self._ids)}"
        lines = [f"Action: {name}", f"ActionID: {ident}"]
        for key, value in headers.items():
            lines += [f"{key}: {one}" for one in (value if isinstance(value, list) else [value])]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a value with a line break would be another header")
        self._line.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return ident

    def action(self, name: str, /, **headers: str | list[str]) -> Event:
        """Sends an action and returns its answer. Raises ManagerError when it is refused."""
        ident = self.send(name, **headers)
        answer = self._wait(lambda: next(iter(self._answers.get(ident, [])), None), 10.0, f"answer to {name}")
        if answer.get("Response") == "Error":
            raise ManagerError(f"{name}: {answer.get('Message')}")
        return answer

    def list_action(self, name: str, until: str, timeout: float = 10.0, **headers: str | list[str]) -> list[Event]:
        """Sends an action that answers with a list of events and returns these; `until` is the last one's name."""
        ident = self.send(name, **headers)

        def last() -> Event | None:
            return next((e for e in self.events if e.get("ActionID") == ident and e.get("Event") == until), None)

        self._wait(last, timeout, f"end of {name}")
        return [e for e in self.events if e.get("ActionID") == ident and e.get("Event") != until]

    def mark(self) -> int:
        """A place in the stream of events, for `wait_event(after=...)`."""
        with self._news:
            return len(self.events)

    def wait_event(self, name: str, timeout: float = 10.0, after: int = 0, **values: str) -> Event:
        """The first event of that name (or UserEvent of that name) with these header values, since `after`."""

        seen = after

        def look() -> Event | None:
            nonlocal seen  # each event is looked at once, however often news comes: a full house makes thousands
            while seen < len(self.events):
                event = self.events[seen]
                seen += 1
                if name in (event.get("Event"), event.get("UserEvent")) and all(
                    event.get(key) == value for key, value in values.items()
                ):
                    return event
            return None

        return self._wait(look, timeout, f"event {name} {values or ''}")

    def user_events(self, call: str = "") -> list[Event]:
        """The dialplan's user events, of one call if given."""
        with self._news:
            return [e for e in self.events if e.get("Event") == "UserEvent" and (not call or e.get("Call") == call)]

    def variable(self, channel: str, name: str) -> str:
        """A channel's variable (channel "" = global)."""
        where = {"Channel": channel} if channel else {}
        return self.action("Getvar", Variable=name, **where).get("Value", "")

    def set_variable(self, channel: str, name: str, value: str) -> None:
        """Sets a channel's variable (channel "" = global)."""
        where = {"Channel": channel} if channel else {}
        self.action("Setvar", Variable=name, Value=value, **where)

    def channels(self) -> list[Event]:
        """The channels that exist now."""
        return self.list_action("CoreShowChannels", "CoreShowChannelsComplete")

    def _wait(self, look: Callable[[], Event | None], timeout: float, what: str) -> Event:
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                found = look()
                if found is not None:
                    return found
                left = deadline - time.monotonic()
                if left <= 0 or self._closed:
                    raise AssertionError(f"not within {timeout:g} s: {what}; {self._lately()}")
                self._news.wait(min(left, 1.0))

    def _lately(self) -> str:
        """The last events, for messages."""
        names = [event.get("UserEvent") or event.get("Event", "?") for event in self.events[-25:]]
        last = [event for event in self.events if "UserEvent" in event][-4:]
        return f"events: {', '.join(names)}; last: {[{k: v for k, v in e.items() if k not in _SNAPSHOT} for e in last]}"

    def _read(self) -> None:
        buffer = b""
        while True:
            try:
                part = self._line.recv(65536)
            except OSError:
                part = b""
            if not part:
                self._closed = True
                with self._news:
                    self._news.notify_all()
                return
            buffer += part
            while b"\r\n\r\n" in buffer:
                block, buffer = buffer.split(b"\r\n\r\n", 1)
                self._take(block.decode("utf-8", errors="replace"))

    def _take(self, block: str) -> None:
        message: Event = {}
        for line in block.split("\r\n"):
            key, colon, value = line.partition(":")
            if colon:
                message[key.strip()] = value.strip()
        with self._news:
            if "Response" in message and "ActionID" in message:
                self._answers.setdefault(message["ActionID"], []).append(message)
            elif "Event" in message:
                self.events.append(message)
            self._news.notify_all()
