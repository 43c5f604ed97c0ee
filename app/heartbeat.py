"""A process proves that it works: it touches a file, and only while its own doors answer.

The supervisor kills a process whose file grows old. That matters most for voice: a frozen FastAGI server is dead air
for the caller until somebody closes the socket (FastAGI has no read time-out).
"""

from __future__ import annotations

import asyncio
from pathlib import Path


class Heartbeat:
    """The file `<run>/<name>.beat`; its modification time is the proof."""

    def __init__(self, run: Path, name: str) -> None:
        run.mkdir(parents=True, exist_ok=True)
        self.path = run / f"{name}.beat"

    def touch(self) -> None:
        """Say "alive now". A full or read-only disk is not a reason to die: the supervisor will decide."""
        try:
            self.path.touch()
        except OSError:
            return


async def http_answers(host: str, port: int, *, timeout: float = 2.0) -> bool:
    """Whether `GET /livez` on our own door is answered within `timeout` seconds."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return b" 200 " in await reader.readline()
    except (OSError, TimeoutError):
        return False
    finally:
        if writer is not None:
            writer.close()
