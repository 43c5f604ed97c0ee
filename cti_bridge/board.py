"""The wallboard (T13): built from the engine's view at most twice a second, sent when it has changed, never stale.

Rates are those of GB/T 33358 (answered within 15 s; connect rate over any 24 h), kept as calls happen and filled from
the database after a start, so midnight and restarts empty nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from acd.calibration import Foretold, RollingCalibration
from acd.measures import Rate, RollingMeasures
from acd.model import AgentState
from acd.tables import CALLBACKS
from app.errors import HotlineError
from cti_bridge.changes import Answered, CallEnded, Change, Joined
from cti_bridge.core import Core
from cti_bridge.model import TALKING, Call, Phase
from cti_bridge.ports import CallSeen
from cti_bridge.views import mask, overseen, told_to_agents

log = structlog.get_logger(__name__)

AT_MOST_EVERY_S = 0.5
AT_LEAST_EVERY_S = 5.0
MOST_CALLS_SHOWN = 50
DAY_MS = 24 * 3_600_000


class Board:
    """See the module's text."""

    def __init__(self, core: Core, callbacks: Callable[[], int]) -> None:
        self._core, self._callbacks = core, callbacks
        self._changed = asyncio.Event()
        self.measures = RollingMeasures()
        self.calibration = RollingCalibration()
        self.on_look: Callable[[Mapping[str, Any]], bool] = lambda _figures: False  # true: the alerts are others now
        self.alerts: Callable[[], list[dict[str, Any]]] = list
        core.board_changed = self._changed.set

    async def fill(self) -> None:
        """Count the calls of the last 24 hours from the database. Until that works the rates begin with now."""
        now = self._core.now_ms()
        try:
            rows = await asyncio.to_thread(self._core.domain.recent_calls, now - DAY_MS)
        except HotlineError as error:
            log.warning("earlier calls cannot be counted yet", problem=error.code)
            return
        for row in rows:
            self._count(row)

    def note(self, change: Change) -> None:
        """Count what has just happened."""
        now = self._core.now_ms()
        if isinstance(change, Joined):
            call = self._core.telephony.calls[change.call_id]
            if call.begun_by_us:
                return  # counted by the call in which they asked to be called back, or no citizen's call at all
            self.measures.joined(call.call_id, call.queue, call.joined_ms)
        elif isinstance(change, Answered):
            self._answered(change.call_id, now)
        elif isinstance(change, CallEnded):
            self._left(change.call_id, now)

    def foretold(self, call_id: str, told: Foretold) -> None:
        """A caller has been told how long it will take."""
        self.calibration.foretold(call_id, told)

    def catch_up(self, call: Call) -> None:
        """Count what happened to a call while nobody looked; what is counted already changes nothing."""
        if not call.outbound and not call.begun_by_us:
            self._count(call)

    def _count(self, call: Call | CallSeen) -> None:
        if not call.joined_ms:
            return
        self.measures.joined(call.call_id, call.queue, call.joined_ms)
        if isinstance(call, CallSeen) and call.foretold is not None:
            self.calibration.foretold(call.call_id, call.foretold)
        if call.answered_ms is not None:
            self._answered(call.call_id, call.answered_ms)
        if call.ended_ms is not None:
            self._left(call.call_id, call.ended_ms)

    def _answered(self, call_id: str, at_ms: int) -> None:
        self.measures.answered(call_id, at_ms)
        self.calibration.answered(call_id, at_ms)

    def _left(self, call_id: str, at_ms: int) -> None:
        self.measures.left(call_id, at_ms)
        self.calibration.left(call_id, at_ms)

    async def run(self) -> None:
        """Look at the board and send it to whoever watches, for ever."""
        while True:
            try:
                async with asyncio.timeout(AT_LEAST_EVERY_S):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            figures = self.figures()
            try:
                if self.on_look(figures):
                    figures["alerts"] = self.alerts()
            except Exception:
                log.exception("the board could not be watched")  # the wall goes on all the same
            if self._core.hub.boards():
                self._core.hub.to_boards("wallboard.figures", self.shown(figures, floor=False), figures)
            await asyncio.sleep(AT_MOST_EVERY_S)

    def figures(self) -> dict[str, Any]:
        """The board's data as docs/websocket.md describes it."""
        now = self._core.now_ms()
        view = self._core.queue.engine.snapshot()
        # A citizen who will be called back has hung up: they are counted, but they do not stand in line.
        here = [call for call in view.waiting if call.state not in CALLBACKS]
        waiting = sorted(here, key=lambda call: call.joined_ms)
        talks = self._talks()
        agents = [
            {
                "agent_id": agent.agent_id,
                "name": agent.name,
                "state": agent.state.value,
                "since_ms": agent.since_ms,
                "reason": agent.not_ready_reason or agent.reason,
                "not_ready_reason": agent.not_ready_reason,
                "unreachable": agent.unreachable,
                "page_lost_ms": agent.page_lost_ms,
                "call_id": agent.call_id,
                "call": talks.get(agent.agent_id),
            }
            for agent in sorted(self._core.book.on_shift.values(), key=lambda one: one.agent_id)
        ]
        by_state = {state.value: 0 for state in AgentState if state is not AgentState.SIGNED_OUT}
        for agent in self._core.book.on_shift.values():
            by_state[agent.state.value] = by_state.get(agent.state.value, 0) + 1
        in_time, connected = self.measures.rates(now)
        told = self.calibration.figure(now)
        return {
            "depth": len(waiting),
            "callbacks": self._callbacks(),
            "longest_wait_s": max(0, now - waiting[0].joined_ms) // 1000 if waiting else 0,
            "waiting": [
                {
                    "position": call.position,
                    "call_id": call.call_id,
                    "number_masked": mask(call.caller),
                    "language": call.language,
                    "waited_s": max(0, now - call.joined_ms) // 1000,
                    "priority": call.priority,
                    "queue": call.queue,
                }
                for call in waiting[:MOST_CALLS_SHOWN]
            ],
            "agents": agents,
            "help": self._help(),
            "by_state": by_state,
            "talking": len(view.talks),
            "answered_in_15s": _rate(in_time),
            "connect_24h": _rate(connected),
            "foretold_24h": {**_rate(Rate(told.covered, told.answered)), "error_s": round(told.error_s)},
            "telephone_connected": self._core.connected,
            "alerts": self.alerts(),
            "as_of_ms": now,
        }

    def shown(self, figures: dict[str, Any], *, floor: bool) -> dict[str, Any]:
        """The board as somebody is told it: agents may look at it as well, and only who controls agents (`floor`) is
        told of listening that the office hides from them."""
        if floor or self._core.settings.oversight_visible:
            return figures
        return figures | {"agents": [self._as_told(agent) for agent in figures["agents"]]}

    def _as_told(self, agent: dict[str, Any]) -> dict[str, Any]:
        talk = agent["call"]
        if talk is None:
            return agent
        return agent | {"call": talk | {"overseen": told_to_agents(self._core, talk["overseen"])}}

    def _talks(self) -> dict[str, dict[str, Any]]:
        """Agent → the talk that they have, for who may have to step in."""
        found: dict[str, dict[str, Any]] = {}
        for call in self._core.telephony.calls.values():
            if call.phase not in TALKING or call.ended_ms is not None:
                continue
            talk = {
                "call_id": call.call_id,
                "since_ms": call.answered_ms or call.started_ms,
                "held": call.phase is Phase.held,
                "paused": call.pause is not None,
                "help_ms": call.help_ms,
                "language": call.language,
                "overseen": overseen(self._core, call),
            }
            found |= dict.fromkeys((leg.agent_id for leg in call.legs.values() if leg.agent_id), talk)
        return found

    def _help(self) -> list[dict[str, Any]]:
        """Who asks for a supervisor, the first to ask first."""
        asking = [call for call in self._core.telephony.calls.values() if call.help_ms and call.ended_ms is None]
        return [
            {
                "call_id": call.call_id,
                "agent_id": call.agent_id,
                "name": self._name(call.agent_id),
                "since_ms": call.help_ms,
            }
            for call in sorted(asking, key=lambda one: one.help_ms or 0)
        ]

    def _name(self, agent_id: str) -> str:
        agent = self._core.book.get(agent_id)
        return agent.name if agent is not None else agent_id


def _rate(rate: Rate) -> dict[str, Any]:
    return {"num": rate.numerator, "den": rate.denominator, "rate": rate.value}
