"""Who is on shift: each agent's telephone, pages and last known state, kept so that a restart forgets nobody.

The engine decides an agent's state; this book remembers it, together with what the engine has no business knowing
(telephone, connected pages), in one small file that is replaced in one step after every change.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import structlog

from acd.model import AgentState, AgentStateChanged
from cti_bridge.ports import AgentRecord

log = structlog.get_logger(__name__)

SAVE_AFTER_S = 0.1


@dataclass(slots=True)
class Agent:
    """One agent on shift. `needs_page`: signed in from a page, so calls need a page to be there."""

    agent_id: str
    record: AgentRecord
    endpoint: str
    needs_page: bool = True
    state: AgentState = AgentState.SIGNED_OUT
    since_ms: int = 0
    idle_since_ms: int = 0
    reason: str = ""
    not_ready_reason: str = ""
    unreachable: bool = False
    in_use: bool = False
    busy_outside: bool = False
    until_ms: int | None = None
    next_state: str = ""
    next_reason: str = ""
    call_id: str | None = None
    set_by: str = ""  # the name of who set the state or the next one, when that was not the agent
    page_lost_ms: int | None = None  # when the last page went; None while one is there

    @property
    def name(self) -> str:
        """The name on screens."""
        return self.record.name or self.agent_id


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the file knows of an agent on shift."""

    agent_id: str
    endpoint: str
    needs_page: bool
    state: str
    since_ms: int
    idle_since_ms: int
    until_ms: int | None
    not_ready_reason: str


_REMEMBERED = tuple(field.name for field in dataclasses.fields(Remembered))


class AgentBook:
    """All agents on shift, by staff number."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._saver = _Saver(file)
        self._due = False
        self._changed: set[str] = set()
        self._lines: dict[str, str] = {}  # staff number → the agent as the file has them
        self.records: dict[str, AgentRecord] = {}
        self.on_shift: dict[str, Agent] = {}

    def know(self, records: Iterable[AgentRecord]) -> None:
        """Take over the staff list; agents on shift get their new skills and names."""
        self.records = {record.agent_id: record for record in records}
        for agent in self.on_shift.values():
            agent.record = self.records.get(agent.agent_id, agent.record)

    def get(self, agent_id: str) -> Agent | None:
        """The agent if on shift."""
        return self.on_shift.get(agent_id)

    def begin(self, agent_id: str, endpoint: str, *, needs_page: bool, now_ms: int) -> Agent:
        """Begin a shift, or change the telephone within one."""
        agent = self.on_shift.get(agent_id)
        if agent is None:
            record = self.records.get(agent_id) or AgentRecord(agent_id)
            agent = self.on_shift[agent_id] = Agent(agent_id, record, endpoint, since_ms=now_ms, idle_since_ms=now_ms)
        agent.endpoint, agent.needs_page = endpoint, needs_page
        self._changed.add(agent_id)
        return agent

    def by_endpoint(self, endpoint: str) -> Agent | None:
        """Whose telephone this is, if they use it now."""
        agent = self.on_shift.get(endpoint.removesuffix("w"))
        return agent if agent is not None and agent.endpoint == endpoint else None

    def apply(self, change: AgentStateChanged) -> Agent | None:
        """Note what the engine decided; the agent, also when the shift has just ended."""
        agent = self.on_shift.get(change.agent_id)
        if agent is None:
            return None
        # An offer that came to nothing does not cost the place among those who have rested longest.
        if change.state is AgentState.READY and agent.state not in (AgentState.READY, AgentState.OFFERED):
            agent.idle_since_ms = change.since_ms
        agent.state, agent.since_ms = change.state, change.since_ms
        agent.reason = change.reason.code.value
        agent.not_ready_reason = change.not_ready_reason
        agent.unreachable, agent.in_use = change.unreachable, change.in_use
        agent.busy_outside = change.busy_outside
        agent.until_ms = change.until_ms
        agent.next_state = change.next_state.value if change.next_state else ""
        agent.next_reason = change.next_reason
        if change.state is AgentState.SIGNED_OUT:
            del self.on_shift[change.agent_id]
        elif change.state not in (AgentState.OFFERED, AgentState.TALKING):
            agent.call_id = None
        self.save(agent)
        return agent

    def save(self, agent: Agent, *, at_once: bool = False) -> None:
        """Write the file soon: many changes within a few milliseconds are one write, on a thread of its own.

        `at_once`: a shift that has just begun must outlive whatever happens in its first tenth of a second.
        """
        self._changed.add(agent.agent_id)
        if at_once:
            self._save_now()
        elif not self._due:
            self._due = True
            asyncio.get_running_loop().call_later(SAVE_AFTER_S, self._save_when_due)

    def _save_when_due(self) -> None:
        self._due = False
        self._save_now()

    def _save_now(self) -> None:
        # Only those who have changed are put into words again: a centre of a thousand changes many times a second.
        for agent_id in self._changed:
            agent = self.on_shift.get(agent_id)
            if agent is None or agent.state is AgentState.SIGNED_OUT:
                self._lines.pop(agent_id, None)
            else:
                self._lines[agent_id] = json.dumps({name: getattr(agent, name) for name in _REMEMBERED})
        self._changed.clear()
        self._saver.save(list(self._lines.values()))

    def remembered(self) -> list[Remembered]:
        """Who was on shift when the file was written last, longest idle first; nobody if it cannot be read."""
        try:
            rows = json.loads(self._file.read_text())
            found = [Remembered(**row) for row in rows]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError):
            log.exception("the list of agents on shift cannot be read; they must sign in again")
            return []
        return sorted(found, key=lambda row: row.idle_since_ms)

    def close(self) -> None:
        """Write what is left."""
        if self._due:
            self._save_now()
        self._saver.close()


class _Saver:
    """Replaces a small file with the newest content; many changes at once cost one write."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._changed = threading.Condition()
        self._lines: list[str] | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="agents-on-shift", daemon=True)
        self._thread.start()

    def save(self, lines: list[str]) -> None:
        with self._changed:
            self._lines = lines
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(2)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines is not None or self._closing)
                lines, self._lines = self._lines, None
                if lines is None:
                    return
            try:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                aside = self._file.with_suffix(".new")
                aside.write_text("[" + ",\n".join(lines) + "]\n")
                os.replace(aside, self._file)
            except OSError as error:
                log.warning("the list of agents on shift cannot be written", problem=str(error))
            with self._changed:
                if not self._closing:
                    self._changed.wait_for(lambda: self._closing, 0.05)
