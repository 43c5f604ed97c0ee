"""Who should not wait any longer? Callers who waited too long, found the queue full, or whom nobody could serve.

Looked at only after matching: a caller for whom an agent is free is offered, not sent away.
"""

from __future__ import annotations

from acd.config import HourRule
from acd.floor import Floor
from acd.hours import limits_at
from acd.model import CallState, Overflow, Reason, ReasonCode
from acd.moves import move_call
from acd.records import Call, Demand
from acd.tables import CALLBACKS, CallStep

_PAUSE_MS = 15_000
# Read so often that they stand here: to look a member up in its enum takes ten times as long as a name of the module.
_WAITING = CallState.WAITING


def overflow(floor: Floor) -> None:
    """Send on whoever of the callers fresh in line must not stay there."""
    fresh = list(floor.fresh_calls.values())
    if len(fresh) > 1:
        fresh.sort(key=lambda c: c.key or ())
    for call in fresh:
        if call.state is _WAITING:
            reason = _reason(floor, call)
            if reason is not None:
                _send(floor, call, reason)
            call.newcomer = False
    floor.fresh_calls.clear()


def _reason(floor: Floor, call: Call) -> Reason | None:
    line = floor.lines[call.queue]
    config, tau = line.config, floor.clock.tau
    assert call.demand is not None
    if call.priority >= config.overflow_below_priority or call.callback is not None:
        return None
    limits = limits_at(config, floor.clock.given, floor.config.zone_offset_min) if config.hours else config
    others = line.order.size - 1
    if call.newcomer and isinstance(limits, HourRule) and limits.closed:
        return Reason(ReasonCode.OUT_OF_HOURS)
    if call.newcomer and limits.overflow_length is not None and others >= limits.overflow_length:
        return Reason(ReasonCode.QUEUE_FULL, {"waiting": others, "limit": limits.overflow_length})
    if call.overflow_due is not None and call.overflow_due <= tau:
        facts = {"waited_s": floor.waited_s(call), "limit_s": limits.overflow_wait_s or 0}
        return Reason(ReasonCode.WAITED_TOO_LONG, facts)
    # Nobody is sent away for want of agents while a later stage may still find some.
    if call.stage + 1 >= len(call.stages) and floor.demands.unstaffed_too_long(call.demand):
        facts = {"waited_s": floor.waited_s(call), "limit_s": config.overflow_unstaffed_s or 0}
        return Reason(ReasonCode.NOBODY_SIGNED_IN, facts)
    return None


def _send(floor: Floor, call: Call, reason: Reason) -> None:
    if call.overflow_pause > floor.clock.tau:
        # It was tried a moment ago and the caller came back: not again at once.
        floor.timers.cancel(call.overflow_timer)
        call.overflow_timer = floor.timers.set(call.overflow_pause, "overflow", call.call_id)
        return
    call.overflow_pause = floor.clock.tau + _PAUSE_MS
    limits = limits_at(floor.lines[call.queue].config, floor.clock.given, floor.config.zone_offset_min)
    to = limits.overflow_to
    move_call(floor, call, CallStep.OVERFLOW)
    floor.out.append(Overflow(call.call_id, to, reason))


def look_at_call(floor: Floor, call_id: str) -> None:
    """A caller's overflow is due to be looked at."""
    call = floor.calls.get(call_id)
    if call is not None and call.state is _WAITING:
        floor.fresh_calls[call_id] = call


def look_at_demand(floor: Floor, name: str) -> None:
    """Nobody has been able to serve this demand for too long."""
    demand: Demand | None = floor.demands.by_name.get(name)
    if demand is None:
        return
    demand.unstaffed_timer = None
    for key in demand.waiting:
        floor.fresh_calls[key[3]] = floor.calls[key[3]]


def hours_changed(floor: Floor, queue: str) -> None:
    """Other limits may hold from this moment on, also for those who wait."""
    line = floor.lines[queue]
    line.hours_timer = None
    for key in line.order:
        call = floor.calls[key[3]]
        if call.state not in CALLBACKS:
            floor.time_overflow(call)
    if line.order.size:
        floor.time_hours(line)
