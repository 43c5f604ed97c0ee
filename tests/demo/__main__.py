"""`python -m tests.demo`: the simulated city, until SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import threading
import urllib.request

from app import logs
from app.heartbeat import Heartbeat
from app.settings import get_settings
from app.tools import tool
from ivr.prompts import PromptSettings, speak_text
from tests.demo.accounts import ensure_agents
from tests.demo.agents import AgentsAtWork, answer_phones
from tests.demo.board import Board
from tests.demo.citizens import Citizens, speak_all
from tests.demo.people import AGENT_WORDS
from tests.peers.network import PublicNetwork

AT_ONCE = 9
"""Citizens in the air at a time: more than there are agents, so that there is a queue to see."""


def main() -> None:
    """Start the network, the agents and the citizens; end them all on SIGTERM or SIGINT."""
    logs.configure("demo")
    settings = get_settings()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    beat = Heartbeat(settings.paths.run, "demo")
    board = Board(settings.paths.run)
    base = f"http://{settings.http_host}:{settings.http_port}"
    board.event("演示城市正在启动", "The demo city is starting")
    board.write()
    while not _healthy(base) and not stop.wait(0.3):
        beat.touch()
    accounts = ensure_agents(settings)
    network = PublicNetwork(settings.home / "demo-network", settings, [(a.agent_id, a.phone_secret) for a in accounts])
    speech = PromptSettings(settings.home, tool)
    words = speak_all(speech)
    network.start()
    try:
        answer_phones(network, speak_text(AGENT_WORDS, "zh", speech), random.Random(3))
        citizens = Citizens(network, board, words, settings.paths.run, at_once=AT_ONCE)
        threading.Thread(target=citizens.run, name="citizens", daemon=True).start()
        agents = AgentsAtWork(base, {a.agent_id: a.password for a in accounts}, board)
        threading.Thread(target=lambda: asyncio.run(agents.run()), name="agents", daemon=True).start()
        while not stop.wait(0.5):
            board.write()
            beat.touch()
        citizens.stop()
    finally:
        board.write(running=False)
        network.stop()


def _healthy(base: str) -> bool:
    with contextlib.suppress(OSError, ValueError), urllib.request.urlopen(f"{base}/healthz", timeout=2) as answer:
        return bool(json.load(answer).get("status") == "ok")
    return False


if __name__ == "__main__":
    main()
