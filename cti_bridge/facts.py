"""Which facts about a call the database is told, and when: pure functions from the picture to fields.

Field names are those of `app.calls`; times are epoch milliseconds here and become aware UTC behind `Domain.record`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from acd.model import WaitPredicted
from cti_bridge.model import Call, Phase
from cti_bridge.writer import Fact

# How a call ended, seen from what it was doing last (see app.calls.model.CallOutcome).
_OUTCOME_BY_PHASE = {
    Phase.voicemail: "voicemail",
    Phase.fax: "fax",
    Phase.failsafe: "failsafe",
    Phase.transfer: "transferred",
    Phase.hold: "abandoned",
    Phase.connect: "abandoned",
    Phase.menu: "self_service",
}


def arrived(call: Call) -> dict[str, Any]:
    """When a call is first seen."""
    return {
        "number": call.number,
        "name": call.name,
        "line": call.line,
        "language": call.language,
        "started_at": call.started_ms,
        "direction": "out" if call.outbound or call.begun_by_us else "in",
        **({"agent_id": call.agent_id} if call.outbound and call.agent_id else {}),
    }


def joined(call: Call) -> dict[str, Any]:
    """When a caller waits for a person."""
    return {
        **arrived(call),
        "path": call.path,
        "queue": call.queue,
        "skills": dict(call.skills),
        "priority": call.priority,
        "joined_at": call.joined_ms,
    }


def foretold(told: WaitPredicted, now_ms: int) -> dict[str, Any]:
    """When a caller was told for the first time how much longer it would take."""
    return {
        "foretold_at": now_ms,
        "foretold_low_s": told.low_s,
        "foretold_middle_s": told.middle_s,
        "foretold_high_s": told.high_s,
    }


def offered(agent_id: str, now_ms: int) -> dict[str, Any]:
    """When an agent is being rung."""
    return {"offered_at": now_ms, "agent_id": agent_id}


def answered(call: Call) -> dict[str, Any]:
    """When a person has answered."""
    return {"answered_at": call.answered_ms, "agent_id": call.agent_id, "outcome": "answered"}


def outcome(call: Call, phase: Phase, how: str = "") -> str:
    """How the call ended. `how` is what the bridge itself decided (callback, voicemail), if it did."""
    if call.answered_ms is not None:
        return "transferred" if phase is Phase.transfer else "answered"
    if call.outbound:
        return "failed"
    return how or _OUTCOME_BY_PHASE.get(phase, "failed")


def ended(call: Call, phase: Phase, cause: int, how: str = "") -> dict[str, Any]:
    """When the citizen's channel is gone."""
    return {
        **(joined(call) if call.joined_ms else arrived(call)),
        "ended_at": call.ended_ms,
        "outcome": outcome(call, phase, how),
        "cause": str(cause),
        **({"answered_at": call.answered_ms} if call.answered_ms else {}),
        **({"held_s": held // 1000} if (held := held_ms(call, call.ended_ms or 0)) else {}),
        **({"agent_id": call.agent_id} if call.agent_id else {}),
        **({"news": call.news} if call.news else {}),
    }


def held_ms(call: Call, now_ms: int) -> int:
    """For how long the citizen was put on music during the talk, until now."""
    return call.held_ms + (max(0, now_ms - call.held_since_ms) if call.held_since_ms else 0)


def note_hold(call: Call, now_ms: int) -> None:
    """The talk has begun to be held, or goes on: by its phase. However often it is noted, time counts once."""
    held = call.phase is Phase.held
    if held and not call.held_since_ms:
        call.held_since_ms = now_ms
    elif not held:
        end_hold(call, now_ms)


def end_hold(call: Call, now_ms: int) -> None:
    """The citizen speaks with somebody again, or with nobody of ours any more."""
    call.held_ms, call.held_since_ms = held_ms(call, now_ms), 0


def card_facts(call: Call, now_ms: int) -> dict[str, Any]:
    """What the card of a call is made from."""
    return {
        "call_id": call.call_id,
        "number": call.number,
        "name": call.name,
        "line": call.line,
        "language": call.language,
        "path": call.path,
        "queue": call.queue,
        "skills": dict(call.skills),
        "priority": call.priority,
        "started_at": call.started_ms,
        "joined_at": call.joined_ms or None,
        "answered_at": call.answered_ms,
        "direction": "out" if call.outbound or call.begun_by_us else "in",
        "waited_s": max(0, (call.answered_ms or now_ms) - (call.joined_ms or call.started_ms)) // 1000,
    }


def bare_card(call: Call, now_ms: int) -> dict[str, Any]:
    """The card while the database cannot be asked: what the telephone knows, without citizen, history and draft."""
    facts = card_facts(call, now_ms)
    return {
        "call_id": call.call_id,
        "number": call.number,
        "name": call.name,
        "line": call.line,
        "language": call.language,
        "menu_path": call.path,
        "waited_s": facts["waited_s"],
        "joined_ms": call.joined_ms,
        "area": "",
        "citizen": None,
        "flags": [],
        "draft": None,
        "open_cases": [],
        "last_cases": [],
        "last_calls": [],
    }


_EARLIEST = frozenset({"started_at", "joined_at", "answered_at"})


def merged(facts: Iterable[Fact]) -> list[tuple[str, dict[str, Any]]]:
    """Several facts of the same calls in one each: later ones win, nothing erases, the earliest times stay."""
    calls: dict[str, dict[str, Any]] = {}
    for fact in facts:
        known = calls.setdefault(fact.key, {})
        for name, value in fact.data.items():
            if value is None:
                continue
            known[name] = min(known[name], value) if name in _EARLIEST and name in known else value
    return list(calls.items())
