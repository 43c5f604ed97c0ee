"""The people in front of the hotline's pages: agents and one supervisor who watches the board."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import websockets

from app.auth.model import Role
from app.auth.users import create_user
from app.db import Database
from tests.harness.desktop import CommandRefused, Desktop
from tests.harness.system import PASSWORD, HotlineSystem

Json = dict[str, Any]
IDLE = ("ready", "not_ready", "signed_out")
AWAY = (OSError, TimeoutError, AssertionError, httpx.HTTPError, websockets.WebSocketException)


class Pages:
    """One page per agent, and a supervisor's wallboard (`watcher`)."""

    def __init__(self, system: HotlineSystem, agent_ids: Iterable[str]) -> None:
        self._system = system
        self.agent_ids = list(agent_ids)
        self.desktops: dict[str, Desktop] = {}
        self.watcher = Desktop(system.http, "watch", PASSWORD, streams=("wallboard",))
        self._open: list[Desktop] = []
        self._keeper: asyncio.Task[None] | None = None

    async def make_people(self) -> dict[str, str]:
        """Makes the accounts; returns staff number → password of the telephone."""
        return await asyncio.to_thread(self._make_people)

    def _make_people(self) -> dict[str, str]:
        accounts = self._system.add_agents(self.agent_ids)
        self.desktops = {agent_id: Desktop(self._system.http, agent_id, PASSWORD) for agent_id in self.agent_ids}
        database = Database(self._system.settings.url)
        try:
            create_user(database, "watch", display_name="看板", roles=[Role.supervisor], password=PASSWORD)
        finally:
            database.dispose()
        return {agent_id: account.secret for agent_id, account in accounts.items()}

    async def open(self) -> None:
        """Everybody signs in; agents sign in to the queue and take a break."""
        for page in (self.watcher, *self.desktops.values()):
            await page.__aenter__()
            self._open.append(page)
        self._keeper = asyncio.create_task(self._keep(), name="pages")
        for agent_id, page in self.desktops.items():
            await page.command("agent.sign_in", endpoint=agent_id)
        await self.all_not_ready()

    async def close(self) -> None:
        """Everybody closes the page."""
        if self._keeper is not None:
            self._keeper.cancel()
        for page in self._open:
            await asyncio.gather(page.__aexit__(None, None, None), return_exceptions=True)
        self._open.clear()

    def move(self, base: str) -> None:
        """Every page finds its server elsewhere from now on."""
        for page in (self.watcher, *self.desktops.values()):
            page.move(base)

    async def connected(self, timeout: float = 30.0) -> None:
        """Until no page's line is broken (each comes back by itself, as in a browser)."""
        deadline = time.monotonic() + timeout
        while broken := [page.name for page in self._open if _is_broken(page)]:
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {timeout:.0f} s for the pages of {', '.join(broken)} to be back")
            await asyncio.sleep(0.05)

    async def _keep(self) -> None:
        """What the pages' own script does: a broken line is tried again until it works."""
        while True:
            broken = [page for page in self._open if _is_broken(page)]
            await asyncio.gather(*(self._again(page) for page in broken))
            await asyncio.sleep(0.2)

    async def _again(self, page: Desktop) -> None:
        try:
            await page.disconnect()
            await page.connect(timeout=2.0)
        except AWAY:
            return

    # ---- agents ----------------------------------------------------------------------------------------------------

    async def ready(self, *agent_ids: str) -> None:
        """These agents (all by default) are ready, in this order."""
        for agent_id in agent_ids or self.agent_ids:
            page = self.desktops[agent_id]
            if (page.agent or {}).get("state") in (None, "signed_out"):
                await page.command("agent.sign_in", endpoint=agent_id)
            if (page.agent or {}).get("state") != "ready":
                await page.command("agent.ready")

    async def all_not_ready(self) -> None:
        """Every agent who has no talk takes a break."""
        for page in self.desktops.values():
            if (page.agent or {}).get("state") in (None, "signed_out"):
                continue
            try:
                await page.command("agent.not_ready", reason="break")
            except CommandRefused:
                continue

    async def wait_idle(self, timeout: float = 20.0) -> None:
        """Until no agent has a talk, an offer or a wrap-up."""
        for agent_id, page in self.desktops.items():
            await page.until(
                lambda page=page: (page.agent or {}).get("state") in IDLE, f"{agent_id} to be idle", timeout
            )

    def states(self) -> dict[str, str]:
        """Staff number → state as the agent's page shows it."""
        return {agent_id: str((page.agent or {}).get("state")) for agent_id, page in self.desktops.items()}

    async def wait_talking(self, agent_ids: Iterable[str], timeout: float = 30.0) -> float:
        """Seconds until the (reconnected) pages of these agents show their talks again."""
        began = time.monotonic()
        await self.connected(timeout)
        for agent_id in agent_ids:
            page = self.desktops[agent_id]
            await page.until(
                lambda page=page: (page.agent or {}).get("state") == "talking", f"{agent_id} talking", timeout
            )
        return time.monotonic() - began

    def pops(self, since: dict[str, int]) -> list[tuple[float, str, Json]]:
        """(time, staff number, data) of the screen pops since `marks()`, in order of arrival."""
        found = [
            (seen.at, agent_id, seen.data)
            for agent_id, page in self.desktops.items()
            for seen in page.events[since.get(agent_id, 0) :]
            if seen.event == "call.pop"
        ]
        return sorted(found, key=lambda one: one[0])

    def marks(self) -> dict[str, int]:
        """A place in each page's stream of events."""
        return {agent_id: len(page.events) for agent_id, page in self.desktops.items()}

    # ---- the board -------------------------------------------------------------------------------------------------

    def board(self) -> Json | None:
        """The wallboard as last told."""
        for seen in reversed(self.watcher.events):
            if seen.event == "wallboard.figures":
                return seen.data
            if seen.event == "agent.state":  # a snapshot's place in the stream
                break
        return self.watcher.state.get("wallboard")

    def board_waiting(self) -> list[Json] | None:
        """The callers in the queue, first in line first."""
        board = self.board()
        return sorted(board["waiting"], key=lambda row: row["position"]) if board else None

    async def until_board(self, condition: Callable[[], object], timeout: float, what: str) -> None:
        """Until the condition holds for what the watcher's page shows while its line works."""
        deadline = time.monotonic() + timeout
        while _is_broken(self.watcher) or not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {timeout:.0f} s for {what}; board: {self.board()}")
            await asyncio.sleep(0.02)

    # ---- what is stored --------------------------------------------------------------------------------------------

    async def calls_of(self, number: str) -> list[Json]:
        """The stored calls of a caller, newest first."""
        return await self._found("calls", number)

    async def cases_of(self, number: str) -> list[Json]:
        """The stored cases of a caller."""
        return await self._found("cases", number)

    async def _found(self, what: str, number: str) -> list[Json]:
        answer = await self.watcher.request("POST", f"/api/{what}/search", json={"number": number})
        return list(answer.raise_for_status().json()["items"])

    async def calls_that(self, fits: Callable[[Json], bool], numbers: Iterable[str], timeout: float = 15.0) -> int:
        """How many of these callers have a stored call that fits; waits for those that are written a little later."""
        missing, found = set(numbers), 0
        deadline = time.monotonic() + timeout
        while missing:
            for number in list(missing):
                if any(fits(row) for row in await self.calls_of(number)):
                    missing.discard(number)
                    found += 1
            if not missing or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.3)
        return found

    async def lost_cases(self, numbers: Iterable[str], timeout: float = 20.0) -> int:
        """How many of these callers, who talked to an agent or left a message, have no case; waits for late ones."""
        missing = set(numbers)
        deadline = time.monotonic() + timeout
        while missing:
            for number in list(missing):
                try:
                    if await self.cases_of(number):
                        missing.discard(number)
                except httpx.HTTPError:
                    pass
            if not missing or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.3)
        return len(missing)


def _is_broken(page: Desktop) -> bool:
    return page._reader is None or page._reader.done() or not page._snapshot.is_set()
