"""How agents and calls move: one function each that looks the step up in its table, runs the effects, enters the state.

Both return False, having changed nothing, when the table refuses.
"""

from __future__ import annotations

from dataclasses import dataclass

from acd.floor import Floor
from acd.limits import watch
from acd.model import AgentState, CallState, CancelOffer, Reason, ReasonCode
from acd.prediction import learn
from acd.records import Agent, Call
from acd.tables import AGENT_TABLE, CALL_TABLE, IN_LINE, IN_TALK, AgentEffect, AgentStep, CallEffect, CallStep


@dataclass(frozen=True, slots=True)
class Restored:
    """What an agent brings from before a restart. Times are wall; `wrapup_ms` is what is left of the wrap-up."""

    since: int
    idle_since: int
    wrapup_ms: int


# States that are themselves what may have been wished for: with one of them the wish is done.
_WISHLESS = frozenset({AgentState.READY, AgentState.NOT_READY, AgentState.SIGNED_OUT})
# Read so often that they stand here: to look a member up in its enum takes ten times as long as a name of the module.
_READY = AgentState.READY
_WRAP_UP = AgentState.WRAP_UP
_NOT_READY = AgentState.NOT_READY
_SIGNED_OUT = AgentState.SIGNED_OUT
_TALK_ENDED = ReasonCode.TALK_ENDED
_RELEASES = CallEffect.RELEASE_AGENT
_ENDS_TALKS = CallEffect.END_TALKS
_ENGAGED = IN_TALK | {_WRAP_UP}
_SERVED = frozenset({CallStep.ANSWER, CallStep.ADOPT})


def move_agent(
    floor: Floor,
    agent: Agent,
    step: AgentStep,
    reason: Reason,
    *,
    wish: AgentState | None = None,
    wish_reason: str = "",
    extend_ms: int = 0,
    restored: Restored | None = None,
) -> bool:
    """`wish_reason` is the not-ready reason for steps that lead there; `wish` goes with the steps that queue one."""
    cell = AGENT_TABLE.get((agent.state, step))
    if cell is None:
        return False
    came_from = agent.state
    before = _shown(agent) if cell.to is came_from else None
    to, not_ready_reason = cell.to, wish_reason
    for effect in cell.effects:
        if effect is AgentEffect.DROP_OFFER:
            _drop_offer_of(floor, agent, reason)
        elif effect is AgentEffect.SET_NEXT:
            floor.set_wish(agent, wish, wish_reason)
        elif effect is AgentEffect.CLEAR_NEXT:
            _clear_next(floor, agent)
        elif effect is AgentEffect.LEAVE_AFTER:
            floor.set_wish(agent, _SIGNED_OUT)
            agent.leaving = True
        elif effect is AgentEffect.STAY:
            if agent.leaving:
                _clear_next(floor, agent)
        elif effect is AgentEffect.TAKE_NEXT:
            if agent.next_state is not None:
                to, not_ready_reason = agent.next_state, agent.next_reason
        elif effect is AgentEffect.KEEP_REASON:
            floor.set_wish(agent, _NOT_READY, agent.not_ready_reason)
        elif effect is AgentEffect.EXTEND:
            _extend_wrapup(floor, agent, extend_ms)
    _enter(floor, agent, to, not_ready_reason, restored)
    floor.index(agent)
    if agent.state is not came_from or _shown(agent) != before:
        floor.show(agent, reason)
    return True


def _shown(agent: Agent) -> tuple[object, ...]:
    return (
        agent.state,
        agent.since,
        agent.not_ready_reason,
        agent.next_state,
        agent.next_reason,
        agent.wrapup_timer,
        agent.offer_id,
    )


def _clear_next(floor: Floor, agent: Agent) -> None:
    floor.set_wish(agent, None)
    agent.leaving = False


def _enter(floor: Floor, agent: Agent, to: AgentState, not_ready_reason: str, restored: Restored | None) -> None:
    came_from, clock = agent.state, floor.clock
    if to is came_from:
        if to is _NOT_READY and not_ready_reason and not_ready_reason != agent.not_ready_reason:
            agent.not_ready_reason = not_ready_reason
            watch(floor, agent)  # another reason may have another limit
        return
    if came_from in IN_TALK and to not in IN_TALK:
        agent.idle_since = clock.wall
        _learn_talk(floor, agent)
    if came_from is _SIGNED_OUT:
        agent.idle_since = clock.wall
    if to is _WRAP_UP:
        wrapup_ms = _wrapup_ms(floor, agent) if restored is None else restored.wrapup_ms
        if agent.leaving:
            to = _SIGNED_OUT
        elif wrapup_ms > 0:
            agent.wrapup_timer = floor.timers.set(clock.tau + wrapup_ms, "wrapup", agent.agent_id)
            agent.wrapup_extra_ms = 0
        elif agent.next_state is not None:
            to, not_ready_reason = agent.next_state, agent.next_reason
        else:
            to = _READY
    if to is not _WRAP_UP:
        if agent.wrapup_timer is not None:
            floor.timers.cancel(agent.wrapup_timer)
            agent.wrapup_timer = None
        _learn_handling(floor, agent, to)
    if came_from is _NOT_READY and to is _READY:
        floor.breaks.learn(clock.tau - agent.entered)
    elif came_from in _ENGAGED and to is _NOT_READY:
        floor.breaks.said.append(agent.next_state is not None)
    agent.not_ready_reason = not_ready_reason if to is _NOT_READY else ""
    if to in _WISHLESS:
        _clear_next(floor, agent)
    agent.state, agent.since = to, clock.wall
    if restored is not None:
        agent.since, agent.idle_since = restored.since, restored.idle_since
    if to is _SIGNED_OUT:
        agent.skills, agent.queues, agent.group = {}, (), ""
        agent.outside = False
        floor.timers.cancel(agent.rest_timer)
        agent.rest_timer = None
        floor.link(agent)
    watch(floor, agent)


def _wrapup_ms(floor: Floor, agent: Agent) -> int:
    line = floor.lines.get(agent.work_queue)
    own = None if line is None else line.config.wrapup_s
    return (floor.config.wrapup_s if own is None else own) * 1000


def _learn_handling(floor: Floor, agent: Agent, to: AgentState) -> None:
    """Talk and wrap-up together are what the next caller waits for."""
    if agent.work_started is None or to in IN_TALK:
        return
    line = floor.lines.get(agent.work_queue)
    if line is not None:
        learn(line, floor.clock.tau - agent.work_started)
        if not agent.leaving:
            line.work.wrapped_up(floor.clock.tau - agent.entered if agent.state is _WRAP_UP else 0)
    agent.work_started = None


def _learn_talk(floor: Floor, agent: Agent) -> None:
    line = floor.lines.get(agent.work_queue)
    if line is not None and agent.work_started is not None:
        line.work.talked(floor.clock.tau - agent.work_started)


def _extend_wrapup(floor: Floor, agent: Agent, extend_ms: int) -> None:
    assert agent.wrapup_timer is not None
    agent.wrapup_extra_ms += extend_ms
    due = agent.wrapup_timer[0] + extend_ms
    floor.timers.cancel(agent.wrapup_timer)
    agent.wrapup_timer = floor.timers.set(due, "wrapup", agent.agent_id)


def _drop_offer_of(floor: Floor, agent: Agent, reason: Reason) -> None:
    if agent.call_id is not None:
        call = floor.calls[agent.call_id]
        if reason.code in (ReasonCode.ADOPTED, ReasonCode.ANSWERED):
            reason = Reason(ReasonCode.BUSY_OUTSIDE)
        move_call(floor, call, CallStep.CANCEL)
        drop_offer(floor, call, reason, recall=True)


def drop_offer(floor: Floor, call: Call, reason: Reason, *, recall: bool) -> None:
    """The engine ends an offer; the agent's state is the caller's business."""
    agent_id, offer_id = end_offer(floor, call)
    floor.out.append(CancelOffer(offer_id, call.call_id, agent_id, reason, recall))


def end_offer(floor: Floor, call: Call) -> tuple[str, str]:
    """Take call and agent apart. Returns the agent's id and the offer's."""
    agent_id, offer_id = call.offer_agent, call.offer_id
    assert agent_id is not None
    assert offer_id is not None
    floor.timers.cancel(call.offer_timer)
    call.offer_timer = call.offer_id = call.offer_agent = None
    call.ended_offer = (offer_id, agent_id)
    agent = floor.agents[agent_id]
    agent.call_id = agent.offer_id = None
    return agent_id, offer_id


def move_call(floor: Floor, call: Call, step: CallStep) -> bool:
    cell = CALL_TABLE.get((call.state, step))
    if cell is None:
        return False
    if call.state in IN_LINE and cell.to not in IN_LINE and call.callback is None:
        _learn_patience(floor, call, step)
    for effect in cell.effects:
        if effect is _RELEASES:
            _release_agent(floor, call, step)
        elif effect is _ENDS_TALKS:
            for agent_id in list(call.agents):
                end_talk(floor, call, floor.agents[agent_id])
    floor.set_call(call, cell.to)
    return True


_RELEASE_REASON = {
    CallStep.JOIN: ReasonCode.BACK_IN_HOLD,
    CallStep.LEAVE: ReasonCode.CALLER_LEFT,
    CallStep.ADOPT: ReasonCode.ANSWERED_ELSEWHERE,
    CallStep.REACHED: ReasonCode.BACK_IN_HOLD,
    CallStep.CHOOSE: ReasonCode.CALLER_LEFT,
}


def _learn_patience(floor: Floor, call: Call, step: CallStep) -> None:
    """A caller leaves the line. Who was not let in at all says nothing of how long callers wait."""
    waited_ms = floor.clock.wall - call.began
    if waited_ms > 0 or step is not CallStep.OVERFLOW:
        gave_up = step not in _SERVED
        floor.lines[call.queue].patience.learn(waited_ms, gave_up=gave_up)


def _release_agent(floor: Floor, call: Call, step: CallStep) -> None:
    """The phone rings for nothing: stop it. The caller is where they want to be, so nobody is recalled."""
    assert call.offer_agent is not None
    agent = floor.agents[call.offer_agent]
    reason = Reason(_RELEASE_REASON[step])
    drop_offer(floor, call, reason, recall=False)
    move_agent(floor, agent, AgentStep.RELEASE, reason)


def start_talk(floor: Floor, call: Call, agent: Agent, step: AgentStep, reason: Reason, started: int) -> None:
    """Agent and caller talk. The agent's step must be one that the table allows."""
    if agent.call_id is not None and agent.call_id != call.call_id and agent.state in IN_TALK:
        leave_talk(floor, floor.calls[agent.call_id], agent)
    move_agent(floor, agent, step, reason)
    agent.call_id = call.call_id
    agent.talk_started = started
    agent.work_started = floor.clock.tau
    agent.work_queue = call.queue
    call.agents[agent.agent_id] = started
    call.faults = 0
    call.ended_offer = None
    call.newcomer = False


def leave_talk(floor: Floor, call: Call, agent: Agent) -> None:
    """Take the agent out of the call's talk; the last one leaves it finished. The agent's state is not changed."""
    call.agents.pop(agent.agent_id, None)
    agent.call_id = None
    if not call.agents and call.state in (CallState.TALKING, CallState.CALLBACK_DIALLING):
        move_call(floor, call, CallStep.TALK_END)


def end_talk(
    floor: Floor,
    call: Call,
    agent: Agent,
    step: AgentStep = AgentStep.TALK_END,
    reason: Reason | None = None,
) -> None:
    """As `leave_talk` without ending the call's own state, and the agent goes into wrap-up."""
    call.agents.pop(agent.agent_id, None)
    agent.call_id = None
    move_agent(floor, agent, step, reason or Reason(_TALK_ENDED))
