"""What the telephone reports about calls, offers and talks, applied to the floor.

Each handler for an event returns why it was refused, or None.
"""

from __future__ import annotations

from acd import callbacks
from acd.callers import apply_rules, priority_of, remember_abandoned, resume_place
from acd.floor import Floor
from acd.matching import offer_prefix, skills_text
from acd.model import (
    AgentRinging,
    CallJoined,
    CallLeft,
    CallOutOfReach,
    CallState,
    FailCause,
    NuisanceAction,
    OfferAnswered,
    OfferFailed,
    Queued,
    Reason,
    ReasonCode,
    TalkAdopted,
    TalkEnded,
    TurnedAway,
    Why,
)
from acd.moves import drop_offer, end_offer, end_talk, move_agent, move_call, start_talk
from acd.prediction import note_place
from acd.records import Agent, Call
from acd.tables import BEING_OFFERED, CALLBACKS, IN_LINE, IN_OFFER, IN_TALK, AgentStep, CallStep
from acd.values import clamped

_OLDEST_JOIN_MS = 12 * 3_600_000
_ADOPTED_AFTER_MS = 10_000
_HIGHEST_PRIORITY = 1_000
# A call that fails for technical reasons with this many agents in a row is itself suspected, not the next agent.
_FAULTS_BLAMED = 3
# How long the telephone's word about an offer may take once the link to it is back.
_LINK_GRACE_MS = 5_000
# Read so often that they stand here: to look a member up in its enum takes ten times as long as a name of the module.
_JOIN = CallStep.JOIN
_LEAVE = CallStep.LEAVE
_ANSWER = CallStep.ANSWER
_TALK_END = CallStep.TALK_END
_AGENT_ANSWERS = AgentStep.ANSWER
_DIALLING = CallState.CALLBACK_DIALLING
_NEW_CALL = ReasonCode.NEW_CALL
_ADOPTED = ReasonCode.ADOPTED
_RESUMED = ReasonCode.PLACE_RESUMED
_ANSWERED = ReasonCode.ANSWERED


def call_joined(floor: Floor, event: CallJoined) -> Why | None:
    call = floor.calls.get(event.call_id)
    if call is None:
        _new_call(floor, event)
        return None
    if 0 < event.attempt <= call.attempt:
        return None
    if call.state in IN_LINE and call.state not in CALLBACKS and not _changes(floor, call, event):
        again = call.state is not CallState.WAITING
        call.attempt = max(call.attempt, event.attempt)
        if again:
            move_call(floor, call, _JOIN)
            _say_queued(floor, call, ReasonCode.PLACE_KEPT)
        return None
    if call.state in IN_LINE:
        # New rules for a caller in line: out and in again, so that every index knows.
        if call.state in IN_OFFER:
            move_call(floor, call, _JOIN)
        floor.set_call(call, CallState.FINISHED)
    _describe(floor, call, event)
    call.newcomer = False
    callbacks.regretted(floor, call)
    code = ReasonCode.CITIZEN_REACHED if call.state is _DIALLING else ReasonCode.PLACE_KEPT
    move_call(floor, call, _JOIN)
    _say_queued(floor, call, code)
    return None


def _new_call(floor: Floor, event: CallJoined) -> None:
    joined = _joined(floor, event.joined_ms)
    late = floor.clock.wall - joined > _ADOPTED_AFTER_MS or event.attempt > 1
    call = floor.add_call(event.call_id, _queue(floor, event.queue), joined, event.rank)
    _describe(floor, call, event)
    apply_rules(floor, call)
    if call.penalty:
        call.priority = priority_of(floor, call)
    code = _ADOPTED if late else _NEW_CALL
    if not late and call.turn_away is None and resume_place(floor, call):
        code = _RESUMED
    call.newcomer = code is _NEW_CALL
    move_call(floor, call, _JOIN)
    _say_queued(floor, call, code)
    note_place(floor, call, floor.lines[call.queue])
    if call.turn_away is not None and not late:
        # Back in the hold loop after all, they wait like others: better than losing somebody between two places.
        move_call(floor, call, CallStep.OVERFLOW)
        floor.turned_away[call.call_id] = call


def turn_away(floor: Floor) -> None:
    """Decide aloud whom a nuisance rule keeps out; the link to the telephone must be up."""
    for call in floor.turned_away.values():
        if call.turn_away is not None and call.state is CallState.OVERFLOWED:
            rule_id, reason = call.turn_away
            rule = floor.nuisance.by_id.get(rule_id)
            action = NuisanceAction.ANNOUNCEMENT if rule is None else rule.action
            floor.out.append(TurnedAway(call.call_id, rule_id, action, reason))
    floor.turned_away.clear()


def _queue(floor: Floor, queue: str) -> str:
    """A caller is never lost to a queue that does not exist."""
    return queue if queue in floor.lines else floor.config.default_queue


def _joined(floor: Floor, joined_ms: int) -> int:
    wall = floor.clock.wall
    if joined_ms <= 0:
        return wall
    return clamped(joined_ms + floor.clock.offset, wall - _OLDEST_JOIN_MS, wall)


def _changes(floor: Floor, call: Call, event: CallJoined) -> bool:
    return (
        _queue(floor, event.queue) != call.queue
        or _priority(event) != call.asked_priority
        or dict(event.skills) != call.skills
        or (event.joined_ms > 0 and _joined(floor, event.joined_ms) < call.joined)
        or (event.place_ms > 0 and _joined(floor, event.place_ms) < call.joined)
        or bool(event.flags and event.flags != call.flags)
        or bool(event.caller_key and event.caller_key != call.caller_key)
    )


def _priority(event: CallJoined) -> int:
    return clamped(event.priority, -_HIGHEST_PRIORITY, _HIGHEST_PRIORITY)


def _describe(floor: Floor, call: Call, event: CallJoined) -> None:
    call.queue = _queue(floor, event.queue)
    call.asked_priority = _priority(event)
    call.skills = dict(event.skills)
    call.language, call.caller = event.language, event.caller
    if event.attempt > call.attempt:
        call.attempt = event.attempt
    # What a later report leaves out is not taken back.
    call.flags, call.last_agent = event.flags or call.flags, event.last_agent or call.last_agent
    if event.caller_key and event.caller_key != call.caller_key:
        floor.name_caller(call, event.caller_key)
    call.priority = priority_of(floor, call)
    if event.joined_ms > 0:
        began = _joined(floor, event.joined_ms)
        if began < call.began:
            call.began = began
        if call.began < call.joined:
            call.joined = call.began
    if event.place_ms > 0:
        call.joined = min(call.joined, _joined(floor, event.place_ms))


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
        "free": floor.free(call.demand),
    }
    if code is _RESUMED:
        facts["earlier_s"] = (call.began - call.joined) // 1000
    if call.priority != call.asked_priority:
        facts["asked_priority"] = call.asked_priority
    floor.out.append(Queued(call.call_id, call.queue, position, Reason(code, facts)))


def call_left(floor: Floor, event: CallLeft) -> Why | None:
    call = floor.calls.get(event.call_id)
    if call is None:
        return Why.UNKNOWN_CALL
    remember_abandoned(floor, call, event.reason)
    move_call(floor, call, _LEAVE)
    return None


def call_out_of_reach(floor: Floor, event: CallOutOfReach) -> Why | None:
    call = floor.calls.get(event.call_id)
    if call is None:
        return Why.UNKNOWN_CALL
    if call.state in (CallState.CALLBACK_WAITING, CallState.CALLBACK_RESTING):
        callbacks.out_of_reach(floor, call)
        return None
    return None if move_call(floor, call, CallStep.AWAY) else Why.NOT_NOW


_BETWEEN_OFFERS = frozenset(
    {
        CallState.WAITING,
        CallState.RETURNING,
        CallState.OUT_OF_REACH,
        CallState.CALLBACK_WAITING,
        CallState.CALLBACK_RESTING,
    }
)


def agent_ringing(floor: Floor, event: AgentRinging) -> Why | None:
    call, agent = floor.calls.get(event.call_id), floor.agents.get(event.agent_id)
    if call is None or agent is None:
        return Why.UNKNOWN_CALL if call is None else Why.UNKNOWN_AGENT
    if call.offer_id != event.offer_id or call.offer_agent != event.agent_id:
        return _not_this_offer(floor, event.offer_id)
    move_agent(floor, agent, AgentStep.RING, Reason(ReasonCode.RINGING, {"offer_id": event.offer_id}))
    return None


def offer_answered(floor: Floor, event: OfferAnswered) -> Why | None:
    call, agent = floor.calls.get(event.call_id), floor.agents.get(event.agent_id)
    if call is None or agent is None:
        return Why.UNKNOWN_CALL if call is None else Why.UNKNOWN_AGENT
    if call.offer_id == event.offer_id and call.offer_agent == event.agent_id:
        floor.lines[call.queue].work.rang(floor.clock.tau - call.offered)
        end_offer(floor, call)
        move_call(floor, call, _ANSWER)
        start_talk(floor, call, agent, _AGENT_ANSWERS, _answered(floor, call), floor.clock.wall)
        if call.state is _DIALLING:
            callbacks.agent_accepted(floor, call, agent.agent_id)
        return None
    # Answered in the very moment in which the engine ended the offer: they talk, whatever the engine wanted.
    if (
        call.ended_offer == (event.offer_id, event.agent_id)
        and call.state in _BETWEEN_OFFERS
        and agent.state not in BEING_OFFERED | IN_TALK
    ):
        move_call(floor, call, _ANSWER)
        start_talk(floor, call, agent, AgentStep.ADOPT, _answered(floor, call), floor.clock.wall)
        if call.state is _DIALLING:
            callbacks.agent_accepted(floor, call, agent.agent_id)
        return None
    return _not_this_offer(floor, event.offer_id)


def _answered(floor: Floor, call: Call) -> Reason:
    return Reason(_ANSWERED, {"waited_s": floor.waited_s(call)})


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
        move_call(floor, call, _TALK_END)
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
        move_call(floor, call, _ANSWER)
        step = _AGENT_ANSWERS
    else:
        move_call(floor, call, CallStep.ADOPT)
        step = AgentStep.ADOPT
    start_talk(floor, call, agent, step, Reason(_ADOPTED), started)
    return None


def caller_is_back(floor: Floor, call_id: str) -> None:
    """The hold loop said nothing in time: the caller is taken to be there."""
    call = floor.calls.get(call_id)
    if call is not None:
        move_call(floor, call, CallStep.BACK)
