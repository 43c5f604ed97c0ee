"""Which stage of its plan is a call in, and when does the next begin? See `acd.reach` for what a stage is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acd.config import CallbackRules
from acd.decisions import Widened
from acd.hours import any_open, next_change
from acd.reach import Reach, Stage, band, need_of, needs_text, plan
from acd.reasons import Reason, ReasonCode
from acd.records import Call, Line
from acd.states import CallState
from acd.tables import IN_LINE, MATCHABLE

if TYPE_CHECKING:
    from acd.floor import Floor

_MOST_PLANS = 2_000
_STANDING = CallbackRules()
_NO_WINDOW_MS = 3_600_000


def first_stage(floor: Floor, call: Call, line: Line) -> None:
    """The call enters the line: make its plan and the demand of the stage that its wait has come to."""
    call.stages = _kept_for_last_agent(floor, call, line, _plan(floor, call, line))
    call.stage = 0
    _set_demand(floor, call, _stage_at(floor, call))
    _pass_over(floor, call)


def _plan(floor: Floor, call: Call, line: Line) -> tuple[Stage, ...]:
    need = need_of(call.skills)
    stages = line.plans.get(need)
    if stages is None:
        if len(line.plans) >= _MOST_PLANS:
            line.plans.clear()
        stages = line.plans[need] = plan(floor.config, line.config, call.skills)
    return stages


def _kept_for_last_agent(floor: Floor, call: Call, line: Line, stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """Before everything else, the agent whom the caller knows: only while on shift and only if nobody ahead will be
    given to them first, for then keeping the caller would be of no use."""
    limit_ms = line.config.last_agent_s * 1000
    if not call.last_agent or floor.clock.wall - call.began >= limit_ms or call.callback is not None:
        return stages
    agent = floor.agents.get(call.last_agent)
    last = stages[-1].reach
    only = Reach(last.queue, last.needs, None, call.last_agent)
    if agent is None or not agent.counted_staffed:
        return stages
    if band(only, agent.agent_id, agent.group, agent.queues, agent.skills, line.rules) is None:
        return stages
    firsts = (demand.waiting.first() for demand in agent.demands)
    if any(first is not None and call.key is not None and first < call.key for first in firsts):
        return stages
    at_limit = [stage for stage in stages if stage.after_ms <= limit_ms][-1]
    later = tuple(stage for stage in stages if stage.after_ms > limit_ms)
    return (Stage(0, only), Stage(limit_ms, at_limit.reach), *later)


def _stage_at(floor: Floor, call: Call) -> int:
    if len(call.stages) == 1:
        return 0
    waited = floor.clock.wall - call.began
    return max(at for at, stage in enumerate(call.stages) if stage.after_ms <= waited or at == 0)


def _set_demand(floor: Floor, call: Call, stage: int) -> None:
    if call.demand is not None:
        call.demand.calls -= 1
    call.stage = stage
    call.demand = floor.demands.get(call.stages[stage].reach)
    call.demand.calls += 1


def _pass_over(floor: Floor, call: Call) -> None:
    """Waiting for agents of whom none is signed in helps nobody: go on to the first stage that has some."""
    assert call.demand is not None
    if call.demand.capable > 0:
        return
    for at in range(call.stage + 1, len(call.stages)):
        if floor.demands.get(call.stages[at].reach).capable > 0:
            facts = {"skills": needs_text(call.stages[call.stage].reach.needs)}
            _set_demand(floor, call, at)
            floor.out.append(Widened(call.call_id, Reason(ReasonCode.NOBODY_FOR_IT, facts)))
            return


def time_widening(floor: Floor, call: Call) -> None:
    """Wake up when the next stage begins."""
    if call.widen_timer is not None:
        floor.timers.cancel(call.widen_timer)
        call.widen_timer = None
    if call.stage + 1 < len(call.stages):
        left = call.stages[call.stage + 1].after_ms - (floor.clock.wall - call.began)
        call.widen_timer = floor.timers.set(floor.clock.tau + max(0, left), "widen", call.call_id)


def widen(floor: Floor, call_id: str) -> None:
    """The next stage of this call begins."""
    call = floor.calls.get(call_id)
    if call is None or call.state not in IN_LINE or call.stage + 1 >= len(call.stages):
        return
    call.widen_timer = None
    assert call.demand is not None
    assert call.key is not None
    before = call.stages[call.stage].reach
    if call.state in MATCHABLE:
        call.demand.leave(call.key)
    _set_demand(floor, call, max(call.stage + 1, _stage_at(floor, call)))
    floor.out.append(Widened(call.call_id, _why(before, call.stages[call.stage].reach)))
    _pass_over(floor, call)
    floor.demands.watch_unstaffed(call.demand)
    if call.state in MATCHABLE:
        call.demand.enter(call.key)
        floor.fresh_calls[call.call_id] = call
    time_widening(floor, call)


def _why(before: Reach, after: Reach) -> Reason:
    facts: dict[str, int | str] = {"skills": needs_text(after.needs)}
    if before.only:
        return Reason(ReasonCode.LAST_AGENT_BUSY, {"agent": before.only, **facts})
    if before.groups != after.groups and after.groups:
        return Reason(ReasonCode.GROUP_ADDED, {"group": after.groups[-1], **facts})
    return Reason(ReasonCode.RELAXED, facts)


def release(floor: Floor, name: str) -> None:
    """The agent for whom callers were kept does not work any more."""
    demand = floor.demands.by_name.get(name)
    if demand is None or demand.staffed > 0:
        return
    for call in [call for call in floor.calls.values() if call.demand is demand]:
        widen(floor, call.call_id)


# --------------------------------------------------------------------------------------------------- call-backs in line


def callback_rules(floor: Floor, call: Call) -> CallbackRules:
    """The queue's rules; a promise made stands when the queue offers no call-backs any more."""
    return floor.lines[call.queue].config.callback or _STANDING


def time_callback(floor: Floor, call: Call) -> None:
    """The next moment at which a call-back in this state must be looked at."""
    floor.timers.cancel(call.callback_timer)
    call.callback_timer = None
    if call.callback is None:
        return
    clock, rules = floor.clock, callback_rules(floor, call)
    expires = call.callback.requested + rules.max_age_s * 1000 - clock.wall
    if call.state is CallState.CALLBACK_WAITING:
        left = expires
    elif call.state is CallState.CALLBACK_RESTING:
        left = min(expires, rest_ms(floor, call))
    elif call.state is CallState.CALLBACK_DIALLING:
        left = rules.dial_timeout_s * 1000
    else:
        return
    call.callback_timer = floor.timers.set(clock.tau + max(0, left), "callback", call.call_id)


def may_dial(floor: Floor, call: Call) -> bool:
    """Is it an hour at which citizens may be called?"""
    return any_open(callback_rules(floor, call).windows, floor.clock.given, floor.config.zone_offset_min)


def rest_ms(floor: Floor, call: Call) -> int:
    """How long a call-back rests from now on: until its next attempt, and not before a window may open."""
    assert call.callback is not None
    clock = floor.clock
    left = max(0, call.callback.not_before - clock.wall, call.callback.away_until - clock.wall)
    if not may_dial(floor, call):
        opens = next_change(callback_rules(floor, call).windows, clock.given, floor.config.zone_offset_min)
        left = max(left, _NO_WINDOW_MS if opens is None else opens - clock.given)
    return left
