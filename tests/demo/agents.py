"""Agents who answer: a telephone on the second Asterisk and a page on the hotline's websocket."""

from __future__ import annotations

import asyncio
import contextlib
import random
from pathlib import Path
from typing import Any

import httpx
import websockets

from tests.demo.board import Board
from tests.demo.people import AGENTS, MATTERS, DemoAgent
from tests.harness.desktop import CommandRefused, Desktop
from tests.peers.agi import HungUp
from tests.peers.network import Line, PublicNetwork


def answer_phones(network: PublicNetwork, words: Path, chance: random.Random) -> None:
    """Every demo agent's telephone rings a little, is picked up, speaks, and hangs up after a while."""

    def talk(line: Line) -> None:
        with contextlib.suppress(HungUp, AssertionError, TimeoutError):
            line.wait(1.0)
            line.play(words)
            line.wait(chance.uniform(6, 20))
            line.hang_up()

    for agent in AGENTS:
        network.answers(agent.agent_id, ring_s=agent.ring_s, then=talk)


class AgentsAtWork:
    """The pages of all demo agents; they come back by themselves when the backend was away."""

    def __init__(self, base: str, passwords: dict[str, str], board: Board, *, seed: int = 2) -> None:
        self._base, self._passwords, self._board = base, passwords, board
        self._chance = random.Random(seed)

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.gather(*(self._shift(agent) for agent in AGENTS))

    async def _shift(self, agent: DemoAgent) -> None:
        while True:
            try:
                password = self._passwords[agent.agent_id]
                async with Desktop(self._base, agent.agent_id, password) as desktop:
                    await self._work(agent, desktop)
            except (
                OSError,
                TimeoutError,
                AssertionError,
                CommandRefused,
                httpx.HTTPError,
                websockets.WebSocketException,
            ):
                self._board.agent(agent.agent_id, agent.name, "signed_out")
            await asyncio.sleep(1.0)

    async def _work(self, agent: DemoAgent, desktop: Desktop) -> None:
        await desktop.command("agent.sign_in", endpoint=agent.agent_id)
        seen = 0
        card: dict[str, Any] | None = None
        while desktop.connected:
            state = desktop.agent or {}
            self._board.agent(agent.agent_id, agent.name, str(state.get("state") or "signed_out"))
            if state.get("state") in ("not_ready", "signed_out"):
                await asyncio.sleep(self._chance.uniform(1, 4))
                await desktop.command("agent.ready")
            for item in desktop.events[seen:]:
                if item.event in ("call.pop", "call.card"):
                    card = item.data.get("card") or card
                elif item.event == "call.answered":
                    self._board.event(f"{agent.name}（工号 {agent.agent_id}）接听", f"Agent {agent.agent_id} answers")
                elif item.event == "call.ended" and card is not None:
                    await self._finish(agent, desktop, card)
                    card = None
            seen = len(desktop.events)
            await asyncio.sleep(0.5)

    async def _finish(self, agent: DemoAgent, desktop: Desktop, card: dict[str, Any]) -> None:
        """Write the card as an agent would after the talk, save it, and end wrap-up."""
        draft = card.get("draft")
        if draft:
            matter = self._chance.choice(MATTERS)
            case = await desktop.json(f"/api/cases/{draft['case_id']}")
            if case["state"] == "draft":
                fields = {"type": matter.type, "title": matter.title, "content": matter.content, "area": matter.area}
                await asyncio.sleep(self._chance.uniform(1, 4))
                answer = await desktop.request(
                    "POST", f"/api/cases/{case['id']}/register", json={"version": case["version"], "fields": fields}
                )
                if answer.is_success:
                    self._board.event(
                        f"工单 {case['number']} 已登记：{matter.title}", f"Case {case['number']} registered"
                    )
        with contextlib.suppress(CommandRefused):
            await desktop.command("wrapup.done")
