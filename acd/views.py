"""What the engine shows of itself: a snapshot for pages, wallboards and recovery."""

from __future__ import annotations

from dataclasses import dataclass

from acd.model import AgentState, CallState


@dataclass(frozen=True, slots=True)
class AgentSeen:
    agent_id: str
    state: AgentState
    since_ms: int
    idle_since_ms: int  # since the last talk ended, or since sign-in
    not_ready_reason: str
    unreachable: bool
    in_use: bool
    busy_outside: bool
    until_ms: int | None  # end of wrap-up or offer
    next_state: AgentState | None
    next_reason: str
    call_id: str | None
    offer_id: str | None
    queues: tuple[str, ...]
    group: str = ""


@dataclass(frozen=True, slots=True)
class WaitingSeen:
    """A call without an agent: waiting, returning or offered. `position` counts from 1 within its queue."""

    call_id: str
    queue: str
    position: int
    state: CallState
    joined_ms: int
    priority: int
    language: str
    caller: str
    offer_id: str | None
    agent_id: str | None
    flags: tuple[str, ...] = ()
    callback: bool = False


@dataclass(frozen=True, slots=True)
class OfferSeen:
    offer_id: str
    call_id: str
    agent_id: str
    deadline_ms: int


@dataclass(frozen=True, slots=True)
class TalkSeen:
    call_id: str
    agent_id: str
    started_ms: int


@dataclass(frozen=True, slots=True)
class EngineView:
    now_ms: int
    agents: tuple[AgentSeen, ...]
    waiting: tuple[WaitingSeen, ...]  # by queue, then in order
    offers: tuple[OfferSeen, ...]
    talks: tuple[TalkSeen, ...]
