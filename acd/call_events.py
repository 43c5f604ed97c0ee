"""What the telephone reports about calls, offers and talks, applied to the floor.

Each handler for an event returns why it was refused, or None.
"""

from __future__ import annotations

from acd.floor import Floor
from acd.matching import offer_prefix, skills_text
from acd.model import (
    AgentState,
    CallJoined,
    CallLeft,
    CallState,
    FailCause,
    OfferAnswered,
    OfferFailed,
    Queued,
    Reason,
    ReasonCode,
    TalkAdopted,
    TalkEnded,
    Why,
)
from acd.moves import drop_offer, end_offer, end_talk, move_agent, move_call, start_talk
from acd.records import Agent, Call
from acd.tables import IN_LINE, AgentStep, CallStep

_OLDEST_JOIN_MS = 12 * 3_600_000
_ADOPTED_AFTER_MS = 10_000
_HIGHEST_PRIORITY = 1_000
# A call that fails for technical reasons with this many agents in a row is itself suspected, not the next agent.
_FAULTS_BLAMED = 3
# How long the telephone's word about an offer may take once the link to it is back.
_LINK_GRACE_MS = 5_000


def call_joined(floor: Floor, event: CallJoined) -> Why | None:
    call = floor.calls.get(event.call_id)
    if call is None:
        joined = _joined(floor, event.joined_ms)
        late = floor.clock.wall - joined > _ADOPTED_AFTER_MS or event.attempt > 1
        call = floor.add_call(event.call_id, _queue(floor, event.queue), joined)
        _describe(floor, call, event)
        call.newcomer = not late
        code = ReasonCode.ADOPTED if late else ReasonCode.NEW_CALL
    else:
        if 0 < event.attempt <= call.attempt:
            return None
        code = ReasonCode.PLACE_KEPT
        if call.state in IN_LINE and not _changes(floor, call, event):
            again = call.state is not CallState.WAITING
            call.attempt = max(call.attempt, event.attempt)
            if again:
                move_call(floor, call, CallStep.JOIN)
                _say_queued(floor, call, code)
            return None
        if call.state in IN_LINE:
            # New rules for a caller in line: out and in again, so that every index knows.
            if call.state is CallState.OFFERED:
                move_call(floor, call, CallStep.JOIN)
            floor.set_call(call, CallState.FINISHED)
        _describe(floor, call, event)
        call.newcomer = False
    move_call(floor, call, CallStep.JOIN)
    _say_queued(floor, call, code)
    return None


def _queue(floor: Floor, queue: str) -> str:
    """A caller is never lost to a queue that does not exist."""
    return queue if queue in floor.lines else floor.config.default_queue


def _joined(floor: Floor, joined_ms: int) -> int:
    wall = floor.clock.wall
    if joined_ms <= 0:
        return wall
    return min(max(joined_ms + floor.clock.offset, wall - _OLDEST_JOIN_MS), wall)


def _changes(floor: Floor, call: Call, event: CallJoined) -> bool:
    return (
        _queue(floor, event.queue) != call.queue
        or _priority(event) != call.priority
        or dict(event.skills) != call.skills
        or (event.joined_ms > 0 and _joined(floor, event.joined_ms) < call.joined)
    )


def _priority(event: CallJoined) -> int:
    return min(max(event.priority, -_HIGHEST_PRIORITY), _HIGHEST_PRIORITY)


def _describe(floor: Floor, call: Call, event: CallJoined) -> None:
    call.queue = _queue(floor, event.queue)
    call.priority = _priority(event)
    call.skills = dict(event.skills)
    call.language, call.caller = event.language, event.caller
    call.attempt = max(call.attempt, event.attempt)
    if event.joined_ms > 0:
        call.joined = min(call.joined, _joined(floor, event.joined_ms))


def _say_queued(floor: Floor, call: Call, code: ReasonCode) -> None:
    assert call.demand is not None
    position = floor.position(call)
    facts: dict[str, int | str] = {
        "position": position,
        "waited_s": floor.waited_s(call),
        "priority": call.priority,
        "skills": skills_text(call.skills),
        "capable": call.demand.capable,
        "working": call.demand.staffed,
        "free": len(call.demand.idle),
    }
    floor.out.append(Queued(call.call_id, call.queue, position, Reason(code, facts)))


def call_left(floor: Floor, event: CallLeft) -> Why | None:
    call = floor.calls.get(event.call_id)
    if call is None:
        return Why.UNKNOWN_CALL
    move_call(floor, call, CallStep.LEAVE)
    return None


def offer_answered(floor: Floor, event: OfferAnswered) -> Why | None:
    call, agent = floor.calls.get(event.call_id), floor.agents.get(event.agent_id)
    if call is None or agent is None:
        return Why.UNKNOWN_CALL if call is None else Why.UNKNOWN_AGENT
    if call.offer_id == event.offer_id and call.offer_agent == event.agent_id:
        end_offer(floor, call)
        move_call(floor, call, CallStep.ANSWER)
        start_talk(floor, call, agent, AgentStep.ANSWER, _answered(floor, call), floor.clock.wall)
        return None
    # Answered in the very moment in which the engine ended the offer: they talk, whatever the engine wanted.
    if (
        call.ended_offer == (event.offer_id, event.agent_id)
        and call.state in (CallState.WAITING, CallState.RETURNING)
        and agent.state not in (AgentState.OFFERED, AgentState.TALKING)
    ):
        move_call(floor, call, CallStep.ANSWER)
        start_talk(floor, call, agent, AgentStep.ADOPT, _answered(floor, call), floor.clock.wall)
        return None
    return _not_this_offer(floor, event.offer_id)


def _answered(floor: Floor, call: Call) -> Reason:
    return Reason(ReasonCode.ANSWERED, {"waited_s": floor.waited_s(call)})


def _not_this_offer(floor: Floor, offer_id: str) -> Why:
    prefix = offer_prefix(floor)
    number = offer_id.removeprefix(prefix)
    ours = offer_id.startswith(prefix) and number.isascii() and number.isdigit()
    return Why.STALE_OFFER if ours and len(number) < 16 and int(number) <= floor.offers_made else Why.UNKNOWN_OFFER


# Which step the agent makes, and what pages show as the reason.
_FAILURES: dict[FailCause, tuple[AgentStep, ReasonCode]] = {
    FailCause.NO_ANSWER: (AgentStep.MISS, ReasonCode.NO_ANSWER),
    FailCause.BUSY: (AgentStep.MISS, ReasonCode.PHONE_BUSY),
    FailCause.REJECTED: (AgentStep.MISS, ReasonCode.REJECTED),
    FailCause.UNREACHABLE: (AgentStep.MISS, ReasonCode.PHONE_UNREACHABLE),
    FailCause.DESKTOP_SILENT: (AgentStep.MISS, ReasonCode.DESKTOP_SILENT),
    FailCause.CANCELLED: (AgentStep.RELEASE, ReasonCode.OFFER_CANCELLED),
}
_TECHNICAL = frozenset({FailCause.BUSY, FailCause.UNREACHABLE})


def offer_failed(floor: Floor, event: OfferFailed) -> Why | None:
    call, agent = floor.calls.get(event.call_id), floor.agents.get(event.agent_id)
    if call is None or agent is None:
        return Why.UNKNOWN_CALL if call is None else Why.UNKNOWN_AGENT
    if call.offer_id != event.offer_id or call.offer_agent != event.agent_id:
        return _not_this_offer(floor, event.offer_id)
    step, code = _FAILURES[event.cause]
    call.faults = call.faults + 1 if event.cause in _TECHNICAL else 0
    if call.faults > _FAULTS_BLAMED:
        step = AgentStep.RELEASE
    end_offer(floor, call)
    move_call(floor, call, CallStep.FAIL)
    if step is AgentStep.RELEASE:
        _rest(floor, agent)
    move_agent(floor, agent, step, Reason(code, {"offer_id": event.offer_id}), wish_reason=code.value)
    return None


def _rest(floor: Floor, agent: Agent) -> None:
    """A moment without offers, so that a call that cannot be connected does not spin."""
    floor.timers.cancel(agent.rest_timer)
    due = floor.clock.tau + max(1, floor.config.rest_s) * 1000
    agent.rest_timer = floor.timers.set(due, "rest", agent.agent_id)


def offer_expired(floor: Floor, call_id: str) -> None:
    """The telephone has said nothing about an offer long past its limit."""
    call = floor.calls.get(call_id)
    if call is None or call.offer_agent is None:
        return
    if not floor.link_up:
        call.offer_timer = floor.timers.set(floor.clock.tau + _LINK_GRACE_MS, "offer", call_id)
        return
    agent = floor.agents[call.offer_agent]
    move_call(floor, call, CallStep.CANCEL)
    drop_offer(floor, call, Reason(ReasonCode.OFFER_TIMEOUT), recall=True)
    code = ReasonCode.NO_ANSWER
    move_agent(floor, agent, AgentStep.MISS, Reason(code), wish_reason=code.value)


def talk_ended(floor: Floor, event: TalkEnded) -> Why | None:
    call, agent = floor.calls.get(event.call_id), floor.agents.get(event.agent_id)
    if agent is None:
        return Why.UNKNOWN_AGENT
    if call is None:
        return Why.UNKNOWN_CALL
    if event.agent_id not in call.agents:
        return Why.NOT_THEIR_CALL
    end_talk(floor, call, agent)
    if not call.agents:
        move_call(floor, call, CallStep.TALK_END)
    return None


def talk_adopted(floor: Floor, event: TalkAdopted) -> Why | None:
    agent = floor.agent(event.agent_id)
    call = floor.calls.get(event.call_id)
    started = _joined(floor, event.started_ms)
    if call is not None and event.agent_id in call.agents:
        return None
    if call is None:
        call = floor.add_call(event.call_id, floor.config.default_queue, started)
        call.newcomer = False
    if call.offer_agent == event.agent_id:
        end_offer(floor, call)
        move_call(floor, call, CallStep.ANSWER)
        step = AgentStep.ANSWER
    else:
        move_call(floor, call, CallStep.ADOPT)
        step = AgentStep.ADOPT
    start_talk(floor, call, agent, step, Reason(ReasonCode.ADOPTED), started)
    return None


def caller_is_back(floor: Floor, call_id: str) -> None:
    """The hold loop said nothing in time: the caller is taken to be there."""
    call = floor.calls.get(call_id)
    if call is not None:
        move_call(floor, call, CallStep.BACK)
