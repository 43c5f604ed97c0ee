"""Everybody outside the hotline, in one process of their own: callers, and the agents' desk phones, without sound.

A command is one JSON line on standard input and is answered by one JSON line. How long a talk is to last stands in the
caller's number, where the phone that is rung reads it: whoever gets the call, by whichever queue, it lasts the same.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import sys
from collections.abc import Callable
from typing import Any

import uvloop

from tests.bridge_kit.sip_load import Address, Citizens, Phones

RING_S = 0.15
FILL_RATE = 30.0
"""Calls a second while agents are being occupied."""
ENDLESS = 99_999
_PREFIX = "137"


def number_of(n: int, talk_s: float | None) -> str:
    """A caller's number that says how long the talk is to last; None: until the caller hangs up."""
    return f"{_PREFIX}{ENDLESS if talk_s is None else round(talk_s * 100):05d}{n:05d}"


def talk_of(number: str) -> float | None:
    """Seconds of talk that a caller's number asks for; None: the phone does not hang up."""
    length = int(number[len(_PREFIX) : len(_PREFIX) + 5]) if number.startswith(_PREFIX) else ENDLESS
    return None if length == ENDLESS else length / 100


class People:
    """See the module's text. Each command is a method."""

    def __init__(self, server: Address, caller: Address, phone: Address) -> None:
        self.callers = Citizens(*caller, server)
        self.phones = Phones(*phone, server, ring_s=RING_S, talk_s=talk_of)
        self._numbers = itertools.count(1)
        self._standing: list[str] = []
        self._others: list[str] = []

    async def register(self, accounts: list[list[str]]) -> dict[str, Any]:
        """Callers are there, phones are registered."""
        await self.callers.open()
        await self.phones.register([(user, password) for user, password in accounts])
        return {}

    async def arrive(self, to: str, seed: str, rate: float, count: int, talk_s: float) -> dict[str, Any]:
        """So many callers at random moments, the same for the same seed; tells how late the latest call was begun."""
        loop, dice = asyncio.get_running_loop(), random.Random(seed)
        due, late = loop.time(), 0.0
        for _ in range(count):
            due += dice.expovariate(rate)
            await asyncio.sleep(max(0.0, due - loop.time()))
            late = max(late, loop.time() - due)
            self._others.append(self._call(to, talk_s))
        return {"late_ms": round(late * 1000, 1)}

    async def fill(self, to: str, count: int, talk_s: float) -> dict[str, Any]:
        """So many callers one after the other, as fast as one fills a room."""
        for _ in range(count):
            self._others.append(self._call(to, talk_s))
            await asyncio.sleep(1 / FILL_RATE)
        return {}

    async def stand(self, to: str, count: int) -> dict[str, Any]:
        """Exactly so many callers who talk without end: newcomers call, or some hang up."""
        while len(self._standing) > count:
            self.callers.hang_up(self._standing.pop())
        while len(self._standing) < count:
            self._standing.append(self._call(to, None))
            await asyncio.sleep(1 / FILL_RATE)
        return {}

    async def leave(self) -> dict[str, Any]:
        """Everybody else hangs up."""
        for ident in self._others:
            self.callers.hang_up(ident)
        self._others.clear()
        return {}

    def _call(self, to: str, talk_s: float | None) -> str:
        return self.callers.call(number_of(next(self._numbers), talk_s), to)


async def main(server: Address, caller: Address, phone: Address) -> None:
    """Does as it is told until standard input ends."""
    people = People(server, caller, phone)
    commands: dict[str, Callable[..., Any]] = {
        name: getattr(people, name) for name in ("register", "arrive", "fill", "stand", "leave")
    }
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        name, arguments = json.loads(line)
        print(json.dumps(await commands[name](**arguments)), flush=True)


if __name__ == "__main__":
    uvloop.install()
    places = [(host, int(port)) for host, port in (one.split(":") for one in sys.argv[1:4])]
    asyncio.run(main(*places))
