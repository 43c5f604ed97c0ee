"""An AMI server for tests: it answers as Asterisk does until told to misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

Fields = dict[str, str]
Answer = bytes | None


def message(headers: Mapping[str, str | int] | list[tuple[str, str]]) -> bytes:
    """One AMI message in bytes."""
    items = headers.items() if isinstance(headers, Mapping) else headers
    return "".join(f"{key}: {value}\r\n" for key, value in items).encode() + b"\r\n"


def ok(action: Fields, text: str = "done", **more: str) -> bytes:
    """The answer "Success"."""
    return message({"Response": "Success", "ActionID": action["ActionID"], "Message": text, **more})


def listed(action: Fields, items: list[dict[str, str] | list[tuple[str, str]]], name: str) -> bytes:
    """An answer that is a list."""
    out = ok(action, f"{name} will follow", EventList="start")
    for item in items:
        pairs = list(item.items()) if isinstance(item, dict) else item
        out += message([*pairs, ("ActionID", action["ActionID"])])
    end = {"Event": f"{name}Complete", "ActionID": action["ActionID"], "EventList": "Complete", "ListItems": len(items)}
    return out + message(end)


class FakeAmi:
    """Listens on 127.0.0.1. `on(action, answer)` replaces how one action is answered; None means silence."""

    def __init__(self, secret: str = "right") -> None:
        self.secret = secret
        self.port = 0
        self.actions: list[Fields] = []
        self.sessions = 0
        self.logins = 0
        self.booted = True
        self._answers: dict[str, Callable[[Fields], Answer]] = {}
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._arrived = asyncio.Condition()

    async def start(self) -> FakeAmi:
        """Listen (again) on the same port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Stop listening and cut every session."""
        if self._server is not None:
            self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Drop every session without a word."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def on(self, action: str, answer: Callable[[Fields], Answer]) -> None:
        """How `action` is answered from now on."""
        self._answers[action] = answer

    def event(self, name: str, **headers: str | int) -> None:
        """Send one event to every session."""
        self.raw(message({"Event": name, **headers}))

    def raw(self, data: bytes) -> None:
        """Send bytes to every session."""
        for writer in self._writers:
            writer.write(data)

    def got(self, action: str) -> list[Fields]:
        """The actions of this name that have arrived."""
        return [one for one in self.actions if one["Action"] == action]

    async def arrival(self, action: str, count: int = 1, timeout: float = 5) -> list[Fields]:
        """Wait until `count` actions of this name have arrived."""
        async with asyncio.timeout(timeout), self._arrived:
            await self._arrived.wait_for(lambda: len(self.got(action)) >= count)
        return self.got(action)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sessions += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.append(task)
        self._writers.append(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        try:
            while True:
                raw = await reader.readuntil(b"\r\n\r\n")
                await self._act(writer, self._parse(raw))
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    @staticmethod
    def _parse(raw: bytes) -> Fields:
        lines = [line.partition(": ") for line in raw.decode().strip().split("\r\n")]
        fields: Fields = {}
        for key, _, value in lines:
            fields[key] = f"{fields[key]}\n{value}" if key in fields else value
        return fields

    async def _act(self, writer: asyncio.StreamWriter, action: Fields) -> None:
        async with self._arrived:
            self.actions.append(action)
            self._arrived.notify_all()
        if action["Action"] in self._answers:
            answer = self._answers[action["Action"]](action)
            if answer is not None:
                writer.write(answer)
        elif action["Action"] == "Login":
            self.logins += 1
            if action["Secret"] != self.secret:
                writer.write(
                    message({"Response": "Error", "ActionID": action["ActionID"], "Message": "Authentication failed"})
                )
                writer.close()
                return
            writer.write(ok(action, "Authentication accepted"))
            if self.booted and action.get("Events") == "on":
                writer.write(message({"Event": "FullyBooted", "Status": "Fully Booted"}))
        else:
            writer.write(ok(action))
