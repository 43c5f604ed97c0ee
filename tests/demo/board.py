"""What the demo page shows: citizens, agents and the latest events, written to one file a few times a second."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

from app.demo.files import board_file


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Board:
    """Safe to change from every thread; `write()` replaces the file in one step."""

    def __init__(self, run: Path) -> None:
        self._file = board_file(run)
        self._lock = threading.Lock()
        self._citizens: dict[str, dict[str, Any]] = {}
        self._agents: dict[str, dict[str, Any]] = {}
        self._events: deque[dict[str, Any]] = deque(maxlen=60)

    def citizen(self, ident: str, number: str, language: str, state: str | None) -> None:
        """A citizen's state (calling, menu, waiting, talking, voicemail); None when the call is over."""
        with self._lock:
            if state is None:
                self._citizens.pop(ident, None)
                return
            self._citizens[ident] = {"number": number, "language": language, "state": state, "since_ms": now_ms()}

    def agent(self, agent_id: str, name: str, state: str) -> None:
        """An agent's state."""
        with self._lock:
            if self._agents.get(agent_id, {}).get("state") != state:
                self._agents[agent_id] = {"agent_id": agent_id, "name": name, "state": state, "since_ms": now_ms()}

    def event(self, zh: str, en: str) -> None:
        """Something that a newcomer would like to see happen."""
        with self._lock:
            self._events.appendleft({"at_ms": now_ms(), "text_zh": zh, "text_en": en})

    def write(self, *, running: bool = True) -> None:
        """Publish the present state."""
        with self._lock:
            state = {
                "running": running,
                "citizens": list(self._citizens.values()),
                "agents": [self._agents[key] for key in sorted(self._agents)],
                "events": list(self._events),
            }
        aside = self._file.with_suffix(f".{os.getpid()}")
        aside.write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")
        aside.replace(self._file)
