"""What agents and their phones do, applied to the floor.

Each handler for an event returns why it was refused, or None.
"""

from __future__ import annotations

from acd.floor import Floor
from acd.limits import LIMITS, overdue, watch
from acd.model import (
    AgentBusyOutside,
    AgentNotReady,
    AgentReady,
    AgentRestored,
    AgentSignedIn,
    AgentSignedOut,
    AgentState,
    CallHeld,
    NextState,
    PhoneChanged,
    Reason,
    ReasonCode,
    Why,
    WrapUpDone,
    WrapUpExtended,
)
from acd.moves import Restored, drop_offer, end_talk, move_agent, move_call
from acd.records import Agent
from acd.tables import BEING_OFFERED, IN_TALK, AgentStep, CallStep


def _known(floor: Floor, agent_id: str) -> Agent | None:
    """A signed-in agent, or one who talks without having signed in (adopted after a restart)."""
    agent = floor.agents.get(agent_id)
    return None if agent is None or agent.state is AgentState.SIGNED_OUT else agent


def agent_signed_in(floor: Floor, event: AgentSignedIn) -> Why | None:
    agent = floor.agent(event.agent_id)
    agent.skills, agent.queues, agent.group = dict(event.skills), tuple(event.queues), event.group
    step = AgentStep.SIGN_IN_READY if event.ready else AgentStep.SIGN_IN_NOT_READY
    was_out = agent.state is AgentState.SIGNED_OUT
    move_agent(floor, agent, step, Reason(ReasonCode.SIGNED_IN), wish_reason="signed_in" if was_out else "")
    floor.link(agent)
    return None


_RESTORE_STEPS = {
    AgentState.READY: AgentStep.SIGN_IN_READY,
    AgentState.NOT_READY: AgentStep.SIGN_IN_NOT_READY,
    AgentState.WRAP_UP: AgentStep.RESTORE_WRAP_UP,
}


def agent_restored(floor: Floor, event: AgentRestored) -> Why | None:
    step = _RESTORE_STEPS.get(event.state)
    if step is None:
        return Why.BAD_VALUE
    agent, clock = floor.agent(event.agent_id), floor.clock
    agent.skills, agent.queues, agent.group = dict(event.skills), tuple(event.queues), event.group
    was_out = agent.state is AgentState.SIGNED_OUT
    left_ms = floor.config.wrapup_s * 1000 if event.until_ms is None else event.until_ms - clock.given
    most_ms = (floor.config.wrapup_s + floor.config.wrapup_extra_max_s) * 1000
    restored = Restored(
        since=min(event.since_ms + clock.offset, clock.wall),
        idle_since=min(event.idle_since_ms + clock.offset, clock.wall),
        wrapup_ms=min(max(left_ms, 1), most_ms),
    )
    reason = Reason(ReasonCode.RESTORED, {"state": event.state.value})
    not_ready_reason = (event.reason or "other") if was_out else ""
    move_agent(floor, agent, step, reason, wish_reason=not_ready_reason, restored=restored)
    floor.link(agent)
    return None


def agent_signed_out(floor: Floor, event: AgentSignedOut) -> Why | None:
    agent = floor.agents.get(event.agent_id)
    if agent is None:
        return Why.UNKNOWN_AGENT
    code = ReasonCode.AGENT_SIGNED_OUT if agent.state in BEING_OFFERED else ReasonCode.SIGNED_OUT
    move_agent(floor, agent, AgentStep.SIGN_OUT, Reason(code))
    return None


def _by(by: str) -> Reason:
    if by in ("", "agent"):
        return Reason(ReasonCode.AGENT_CHOSE)
    return Reason(ReasonCode.SET_BY_OTHER, {"by": by})


_BUSY_STATES = BEING_OFFERED | IN_TALK


def _queued(floor: Floor, by: str, following: str = "") -> Reason:
    """As `_by` for a state that will follow the call, or (none named) will not after all. The first release did not
    name who had asked for it."""
    code = ReasonCode.NEXT_STATE if following else ReasonCode.NEXT_STATE_CANCELLED
    facts: dict[str, int | str] = {"next": following} if following else {}
    if floor.config.behaviour >= 2 and by not in ("", "agent"):
        facts["by"] = by
    return Reason(code, facts)


def agent_ready(floor: Floor, event: AgentReady) -> Why | None:
    agent = _known(floor, event.agent_id)
    if agent is None:
        return Why.UNKNOWN_AGENT
    cancels = agent.state in _BUSY_STATES
    reason = _queued(floor, event.by) if cancels else _by(event.by)
    move_agent(floor, agent, AgentStep.READY, reason)
    return None


def agent_not_ready(floor: Floor, event: AgentNotReady) -> Why | None:
    agent = _known(floor, event.agent_id)
    if agent is None:
        return Why.UNKNOWN_AGENT
    queued = agent.state in _BUSY_STATES
    reason = _queued(floor, event.by, "not_ready") if queued else _by(event.by)
    not_ready_reason = event.reason or "other"
    move_agent(floor, agent, AgentStep.NOT_READY, reason, wish=AgentState.NOT_READY, wish_reason=not_ready_reason)
    return None


_NEXT_STEPS = {
    AgentState.READY: AgentStep.NEXT_READY,
    AgentState.NOT_READY: AgentStep.NEXT_NOT_READY,
    AgentState.SIGNED_OUT: AgentStep.NEXT_SIGN_OUT,
}


def next_state(floor: Floor, event: NextState) -> Why | None:
    agent = _known(floor, event.agent_id)
    if agent is None:
        return Why.UNKNOWN_AGENT
    step = _NEXT_STEPS.get(event.state)
    if step is None:
        return Why.BAD_VALUE
    queued = agent.state in _BUSY_STATES or agent.state is AgentState.WRAP_UP
    if not queued:
        reason = _by(event.by)
    elif event.state is AgentState.READY:
        reason = _queued(floor, event.by)
    else:
        reason = _queued(floor, event.by, event.state.value)
    wish_reason = (event.reason or "other") if event.state is AgentState.NOT_READY else ""
    move_agent(floor, agent, step, reason, wish=event.state, wish_reason=wish_reason)
    return None


def wrapup_done(floor: Floor, event: WrapUpDone) -> Why | None:
    agent = _known(floor, event.agent_id)
    if agent is None:
        return Why.UNKNOWN_AGENT
    moved = move_agent(floor, agent, AgentStep.WRAPUP_DONE, Reason(ReasonCode.WRAPUP_DONE))
    return None if moved else Why.NOT_NOW


def wrapup_extended(floor: Floor, event: WrapUpExtended) -> Why | None:
    agent = _known(floor, event.agent_id)
    if agent is None:
        return Why.UNKNOWN_AGENT
    if agent.state is not AgentState.WRAP_UP:
        return Why.NOT_NOW
    if agent.wrapup_extra_ms + event.seconds * 1000 > floor.config.wrapup_extra_max_s * 1000:
        return Why.TOO_LONG
    reason = Reason(ReasonCode.WRAPUP_EXTENDED, {"seconds": event.seconds})
    move_agent(floor, agent, AgentStep.WRAPUP_EXTEND, reason, extend_ms=event.seconds * 1000)
    return None


def wrapup_over(floor: Floor, agent_id: str) -> None:
    agent = floor.agents.get(agent_id)
    if agent is not None:
        move_agent(floor, agent, AgentStep.WRAPUP_OVER, Reason(ReasonCode.WRAPUP_OVER))


_TOO_LONG = {
    AgentState.READY: ReasonCode.READY_TOO_LONG,
    AgentState.NOT_READY: ReasonCode.NOT_READY_TOO_LONG,
    AgentState.TALKING: ReasonCode.TALK_TOO_LONG,
    AgentState.HOLD: ReasonCode.HOLD_TOO_LONG,
}


def state_over(floor: Floor, agent_id: str) -> None:
    """The lazy timer of `acd.limits` has rung."""
    agent = floor.agents.get(agent_id)
    if agent is None or not overdue(floor, agent):
        return
    step = LIMITS[agent.state].step
    if step is None:
        if agent.unreachable or agent.in_use:
            watch(floor, agent)  # what is known of the phone must not be forgotten
        else:
            del floor.agents[agent_id]
        return
    reason = Reason(_TOO_LONG[agent.state])
    if agent.state is AgentState.TALKING and agent.call_id is not None:
        call = floor.calls[agent.call_id]
        end_talk(floor, call, agent, step, reason)
        if not call.agents:
            move_call(floor, call, CallStep.TALK_END)
        return
    move_agent(floor, agent, step, reason, wish_reason=reason.code.value)


def call_held(floor: Floor, event: CallHeld) -> Why | None:
    agent = _known(floor, event.agent_id)
    if agent is None:
        return Why.UNKNOWN_AGENT
    step, code = (AgentStep.HOLD, ReasonCode.HELD) if event.held else (AgentStep.RESUME, ReasonCode.RESUMED)
    return None if move_agent(floor, agent, step, Reason(code)) else Why.NOT_NOW


def rest_over(floor: Floor, agent_id: str) -> None:
    agent = floor.agents.get(agent_id)
    if agent is not None:
        agent.rest_timer = None
        floor.index(agent)


def phone_changed(floor: Floor, event: PhoneChanged) -> Why | None:
    agent = floor.agent(event.agent_id)
    unreachable = not event.reachable
    if (agent.unreachable, agent.in_use) == (unreachable, event.in_use):
        return None
    if agent.unreachable != unreachable:
        code = ReasonCode.PHONE_UNREACHABLE if unreachable else ReasonCode.PHONE_REACHABLE
    else:
        code = ReasonCode.PHONE_IN_USE if event.in_use else ReasonCode.PHONE_FREE
    agent.unreachable, agent.in_use = unreachable, event.in_use
    if unreachable and agent.state in BEING_OFFERED:
        _give_up_offer(floor, agent)
        return None
    floor.index(agent)
    # A phone in use during offer and talk is what everybody expects.
    expected = code in (ReasonCode.PHONE_IN_USE, ReasonCode.PHONE_FREE) and agent.state in _BUSY_STATES
    if agent.state is not AgentState.SIGNED_OUT and not expected:
        floor.show(agent, Reason(code))
    return None


def _give_up_offer(floor: Floor, agent: Agent) -> None:
    """The phone that rings has gone: the caller need not wait for the time limit, and the agent is not to blame."""
    assert agent.call_id is not None
    call, reason = floor.calls[agent.call_id], Reason(ReasonCode.PHONE_LOST)
    move_call(floor, call, CallStep.CANCEL)
    drop_offer(floor, call, reason, recall=True)
    move_agent(floor, agent, AgentStep.RELEASE, reason)


def agent_busy_outside(floor: Floor, event: AgentBusyOutside) -> Why | None:
    agent = _known(floor, event.agent_id)
    if agent is None:
        return Why.UNKNOWN_AGENT
    if agent.outside != event.busy:
        agent.outside = event.busy
        floor.index(agent)
        floor.show(agent, Reason(ReasonCode.BUSY_OUTSIDE if event.busy else ReasonCode.FREE_AGAIN))
    return None
