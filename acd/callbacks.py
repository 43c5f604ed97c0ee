"""Call-back instead of waiting: a place in line whose caller has hung up.

A call-back is a call with an id of its own. It stands in line where its caller stood (`CALLBACK_WAITING`); when its
turn comes, either an agent is offered it and the citizen dialled once the agent has accepted, or the citizen is dialled
and then waits at that place. Whoever is not reached is tried again later. Outside the hours at which citizens may be
called it rests and keeps its place.

Each handler for an event returns why it was refused, or None.
"""

from __future__ import annotations

from acd.config import CallbackFirst
from acd.floor import Floor
from acd.model import (
    CallbackCancelled,
    CallbackChoosing,
    CallbackClosed,
    CallbackOffered,
    CallbackRequested,
    CallbackResting,
    CallbackRestored,
    CallState,
    CitizenNotReached,
    CitizenReached,
    DialCitizen,
    Queued,
    Reason,
    ReasonCode,
    Why,
)
from acd.moves import move_call, start_talk
from acd.records import Call, Callback
from acd.staging import callback_rules, may_dial, rest_ms, time_callback
from acd.tables import CALLBACKS, AgentStep, CallStep

_AWAY_MS = 30_000  # told again while it lasts
_LINK_GRACE_MS = 5_000

# ---------------------------------------------------------------------------------------------------- asking the caller


def ask(floor: Floor, call_id: str) -> None:
    """This caller has waited long enough to be asked whether they would rather be called back."""
    call = floor.calls.get(call_id)
    if call is None or call.key is None:
        return
    call.callback_timer = None
    if not floor.link_up or call.state is not CallState.WAITING:
        call.callback_timer = floor.timers.set(floor.clock.tau + _LINK_GRACE_MS, "ask", call_id)
        return
    offer_callback(floor, call, Reason(ReasonCode.LONG_WAIT, {"waited_s": floor.waited_s(call)}))


def offer_callback(floor: Floor, call: Call, reason: Reason) -> None:
    """Decide to ask, once for each call, if the queue offers call-backs and the caller has none open."""
    rules = floor.lines[call.queue].config.callback
    if rules is None or call.callback_offered or call.callback is not None or open_callback(floor, call.caller_key):
        return
    call.callback_offered = True
    floor.timers.cancel(call.callback_timer)
    call.callback_timer = None
    floor.out.append(CallbackOffered(call.call_id, reason))


def open_callback(floor: Floor, caller_key: str) -> str | None:
    """The call-back that this caller has open."""
    for call_id in floor.of_key.get(caller_key, ()) if caller_key else ():
        if floor.calls[call_id].state in CALLBACKS:
            return call_id
    return None


# ---------------------------------------------------------------------------------------------------- into the line


def callback_choosing(floor: Floor, event: CallbackChoosing) -> Why | None:
    call = floor.calls.get(event.call_id)
    if call is None:
        return Why.UNKNOWN_CALL
    if call.handed_to or not move_call(floor, call, CallStep.CHOOSE):
        return Why.NOT_NOW
    return None


def callback_requested(floor: Floor, event: CallbackRequested) -> Why | None:
    call = floor.calls.get(event.call_id)
    if call is None:
        return Why.UNKNOWN_CALL
    key = event.caller_key or call.caller_key
    why = _why_not(floor, event.callback_id, key)
    if why is not None:
        return why
    if floor.lines[call.queue].config.callback is None or call.callback is not None:
        return Why.NO_CALLBACKS
    if not move_call(floor, call, CallStep.HAND_OVER):
        return Why.NOT_NOW
    callback = floor.add_call(event.callback_id, call.queue, call.joined, call.rank)
    callback.began, callback.skills = call.began, dict(call.skills)
    callback.priority = callback.asked_priority = call.priority
    callback.callback = Callback(floor.clock.wall)
    call.handed_to = event.callback_id
    _enter(floor, callback, key, ReasonCode.CALLBACK_PLACE)
    return None


def callback_restored(floor: Floor, event: CallbackRestored) -> Why | None:
    why = _why_not(floor, event.callback_id, event.caller_key)
    if why is not None:
        return why
    clock = floor.clock
    joined = min(event.joined_ms + clock.offset, clock.wall)
    queue = event.queue if event.queue in floor.lines else floor.config.default_queue
    callback = floor.add_call(event.callback_id, queue, joined)
    callback.skills = dict(event.skills)
    callback.priority = callback.asked_priority = event.priority
    requested = min(event.requested_ms + clock.offset, clock.wall) if event.requested_ms > 0 else clock.wall
    not_before = event.not_before_ms + clock.offset if event.not_before_ms > 0 else 0
    callback.callback = Callback(requested, event.attempts, not_before)
    _enter(floor, callback, event.caller_key, ReasonCode.ADOPTED, dialling=event.dialling)
    if event.dialling and event.agent_id:
        started = clock.wall
        start_talk(floor, callback, floor.agent(event.agent_id), AgentStep.ADOPT, Reason(ReasonCode.ADOPTED), started)
    return None


def _why_not(floor: Floor, callback_id: str, caller_key: str) -> Why | None:
    if callback_id in floor.calls:
        return Why.KNOWN_ALREADY
    return Why.CALLBACK_OPEN if open_callback(floor, caller_key) else None


def _enter(floor: Floor, callback: Call, caller_key: str, code: ReasonCode, *, dialling: bool = False) -> None:
    callback.newcomer = False
    floor.name_caller(callback, caller_key)
    move_call(floor, callback, CallStep.CALLBACK)
    say_queued(floor, callback, code)
    if dialling:
        move_call(floor, callback, CallStep.DIAL)
    else:
        _rest_if_too_early(floor, callback)


def say_queued(floor: Floor, call: Call, code: ReasonCode) -> None:
    position = floor.position(call)
    facts: dict[str, int | str] = {"position": position, "waited_s": floor.waited_s(call)}
    floor.out.append(Queued(call.call_id, call.queue, position, Reason(code, facts)))


# ---------------------------------------------------------------------------------------------------- its turn


def turn_has_come(floor: Floor, callback: Call) -> bool:
    """The call-back is first in line and an agent is free. True: offer it to the agent."""
    if _rest_if_too_early(floor, callback):
        return False
    if callback_rules(floor, callback).first is CallbackFirst.AGENT:
        return True
    move_call(floor, callback, CallStep.DIAL)
    _dial(floor, callback, "", ReasonCode.TURN_HAS_COME)
    return False


def _rest_if_too_early(floor: Floor, callback: Call) -> bool:
    assert callback.callback is not None
    left = rest_ms(floor, callback)
    if left <= 0:
        return False
    between = callback.callback.not_before > floor.clock.wall
    code = ReasonCode.NOT_REACHED if between and may_dial(floor, callback) else ReasonCode.OUTSIDE_WINDOW
    move_call(floor, callback, CallStep.REST)
    _say_resting(floor, callback, code)
    return True


def out_of_reach(floor: Floor, callback: Call) -> None:
    """Nobody can be dialled at the moment: a call-back in line rests a little, and keeps its place."""
    assert callback.callback is not None
    callback.callback.away_until = floor.clock.wall + _AWAY_MS
    if not move_call(floor, callback, CallStep.REST):
        time_callback(floor, callback)


def _say_resting(floor: Floor, callback: Call, code: ReasonCode) -> None:
    assert callback.callback is not None
    until_ms = floor.clock.given + rest_ms(floor, callback)
    attempts = callback.callback.attempts
    floor.out.append(CallbackResting(callback.call_id, until_ms, attempts, Reason(code, {"attempts": attempts})))


def agent_accepted(floor: Floor, callback: Call, agent_id: str) -> None:
    """The agent is on the line and waits for the citizen."""
    _dial(floor, callback, agent_id, ReasonCode.AGENT_ON_THE_LINE)


def _dial(floor: Floor, callback: Call, agent_id: str, code: ReasonCode) -> None:
    assert callback.callback is not None
    callback.callback.attempts += 1
    floor.to_dial[callback.call_id] = (agent_id, code)
    if floor.link_up:
        dial(floor)


def dial(floor: Floor) -> None:
    """Decide aloud whom to dial; the link to the telephone must be up."""
    for callback_id, (agent_id, code) in floor.to_dial.items():
        callback = _callback(floor, callback_id)
        if callback is None or callback.state is not CallState.CALLBACK_DIALLING:
            continue
        if may_dial(floor, callback):
            _say_dial(floor, callback, agent_id if agent_id in callback.agents else "", code)
        else:
            _too_late_today(floor, callback)
    floor.to_dial.clear()


def _too_late_today(floor: Floor, callback: Call) -> None:
    """The window has closed while the agent's telephone rang: nobody is dialled, so the attempt does not count."""
    assert callback.callback is not None
    callback.callback.attempts -= 1
    move_call(floor, callback, CallStep.NOT_REACHED)
    _say_resting(floor, callback, ReasonCode.OUTSIDE_WINDOW)


def _say_dial(floor: Floor, callback: Call, agent_id: str, code: ReasonCode) -> None:
    assert callback.callback is not None
    time_callback(floor, callback)
    attempt = callback.callback.attempts
    reason = Reason(code, {"attempt": attempt, "waited_s": floor.waited_s(callback)})
    deadline_ms = floor.clock.given + callback_rules(floor, callback).dial_timeout_s * 1000
    floor.out.append(DialCitizen(callback.call_id, agent_id, attempt, deadline_ms, reason))


# ---------------------------------------------------------------------------------------------------- what came of it


def _callback(floor: Floor, callback_id: str) -> Call | None:
    call = floor.calls.get(callback_id)
    return None if call is None or call.callback is None else call


def citizen_reached(floor: Floor, event: CitizenReached) -> Why | None:
    callback = _callback(floor, event.callback_id)
    if callback is None:
        return Why.UNKNOWN_CALL
    if callback.state is CallState.CALLBACK_DIALLING and callback.agents:
        move_call(floor, callback, CallStep.REACHED_AGENT)
        return None
    if not move_call(floor, callback, CallStep.REACHED):
        return Why.NOT_NOW
    say_queued(floor, callback, ReasonCode.CITIZEN_REACHED)
    return None


def citizen_not_reached(floor: Floor, event: CitizenNotReached) -> Why | None:
    callback = _callback(floor, event.callback_id)
    if callback is None:
        return Why.UNKNOWN_CALL
    if callback.state is not CallState.CALLBACK_DIALLING:
        return Why.NOT_NOW
    _try_again_later(floor, callback)
    return None


def _try_again_later(floor: Floor, callback: Call) -> None:
    assert callback.callback is not None
    rules = callback_rules(floor, callback)
    if callback.callback.attempts >= rules.attempts:
        _close(floor, callback, Reason(ReasonCode.ATTEMPTS_USED, {"attempts": callback.callback.attempts}))
        return
    callback.callback.not_before = floor.clock.wall + max(1, rules.retry_s) * 1000
    move_call(floor, callback, CallStep.NOT_REACHED)
    _say_resting(floor, callback, ReasonCode.NOT_REACHED)


def callback_cancelled(floor: Floor, event: CallbackCancelled) -> Why | None:
    callback = _callback(floor, event.callback_id)
    if callback is None:
        return Why.UNKNOWN_CALL
    if callback.state not in CALLBACKS:
        return Why.NOT_NOW
    _close(floor, callback, Reason(ReasonCode.CALLBACK_CANCELLED, {"by": event.by} if event.by else {}))
    return None


def regretted(floor: Floor, call: Call) -> None:
    """A caller whose place went over to a call-back is in the hold loop after all: one place is enough."""
    callback = _callback(floor, call.handed_to)
    if callback is not None and callback.state in CALLBACKS:
        _close(floor, callback, Reason(ReasonCode.CALLBACK_CANCELLED))


def _close(floor: Floor, callback: Call, reason: Reason) -> None:
    assert callback.callback is not None
    attempts = callback.callback.attempts
    move_call(floor, callback, CallStep.LEAVE)
    floor.out.append(CallbackClosed(callback.call_id, attempts, reason))


def due(floor: Floor, callback_id: str) -> None:
    """A call-back's rest, dialling or life is over."""
    callback = _callback(floor, callback_id)
    if callback is None or callback.state not in CALLBACKS:
        return
    assert callback.callback is not None
    clock, rules = floor.clock, callback_rules(floor, callback)
    callback.callback_timer = None
    if callback.state is CallState.CALLBACK_DIALLING:
        if floor.link_up:
            _try_again_later(floor, callback)
        else:
            callback.callback_timer = floor.timers.set(clock.tau + _LINK_GRACE_MS, "callback", callback_id)
    elif clock.wall - callback.callback.requested >= rules.max_age_s * 1000:
        _close(floor, callback, Reason(ReasonCode.CALLBACK_TOO_OLD, {"attempts": callback.callback.attempts}))
    elif callback.state is CallState.CALLBACK_RESTING and rest_ms(floor, callback) <= 0:
        move_call(floor, callback, CallStep.WAKE)
    else:
        left = max(1_000, rest_ms(floor, callback))
        callback.callback_timer = floor.timers.set(clock.tau + left, "callback", callback_id)
